//! The model's dimensions: `config.json` and `generation_config.json` as they are written ([`RawConfig`]), then
//! [`ModelConfig`], which can only describe a model that this crate computes correctly.
//!
//! Both spellings are read: that of transformers 4 (`torch_dtype`, `rope_theta`, `rope_scaling`) and that of
//! transformers 5 (`dtype`, `rope_parameters`). Unknown keys are tolerated, because published configurations carry
//! many that mean nothing; keys known to change the result are implemented or refused by name. Defaults of absent keys
//! are those of `LlamaConfig` and `MistralConfig` in transformers.

use serde::Deserialize;
use serde_json::Value;

use crate::error::{Error, ErrorKind};

/// A family of checkpoints that this crate can run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// `LlamaForCausalLM`.
    Llama,
    /// `MistralForCausalLM`.
    Mistral,
}

const SUPPORTED: &str = "supported are LlamaForCausalLM (model_type llama) and MistralForCausalLM (model_type mistral)";

impl Architecture {
    /// The class name that transformers gives it.
    pub fn class_name(self) -> &'static str {
        match self {
            Self::Llama => "LlamaForCausalLM",
            Self::Mistral => "MistralForCausalLM",
        }
    }

    fn from_model_type(model_type: &str) -> Result<Self, Error> {
        match model_type {
            "llama" => Ok(Self::Llama),
            "mistral" => Ok(Self::Mistral),
            other => Err(unsupported(format!("model_type `{other}` is not supported; {SUPPORTED}"))),
        }
    }

    fn from_class_name(name: &str) -> Result<Self, Error> {
        match name {
            "LlamaForCausalLM" => Ok(Self::Llama),
            "MistralForCausalLM" => Ok(Self::Mistral),
            other => Err(unsupported(format!("architecture `{other}` is not supported; {SUPPORTED}"))),
        }
    }
}

/// How the frequencies of the rotary position encoding are derived.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RopeScaling {
    /// As trained.
    Default,
    /// Every frequency divided by `factor`.
    Linear {
        /// At least 1 in practice; any positive number is taken.
        factor: f32,
    },
    /// The scheme of LLaMA 3.1: long wavelengths divided by `factor`, short ones kept, those between interpolated.
    Llama3 {
        /// Divisor of the long wavelengths.
        factor: f32,
        /// The original context divided by this is the wavelength above which all are divided.
        low_freq_factor: f32,
        /// The original context divided by this is the wavelength below which all are kept.
        high_freq_factor: f32,
        /// The context in tokens before it was extended.
        original_context: usize,
    },
}

/// The validated dimensions of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelConfig {
    /// Family of the checkpoint.
    pub architecture: Architecture,
    /// Width of a token's hidden state.
    pub hidden_size: usize,
    /// Width inside the feed-forward block.
    pub intermediate_size: usize,
    /// Number of decoder layers.
    pub layers: usize,
    /// Number of query heads.
    pub heads: usize,
    /// Number of key and value heads; divides `heads`.
    pub kv_heads: usize,
    /// Width of a head; even.
    pub head_dim: usize,
    /// Number of token ids.
    pub vocab_size: usize,
    /// Most tokens of prompt and completion together.
    pub context_length: usize,
    /// Added to the mean square in normalization.
    pub rms_norm_eps: f32,
    /// Base of the rotary frequencies.
    pub rope_theta: f32,
    /// Scaling of the rotary frequencies.
    pub rope_scaling: RopeScaling,
    /// Whether the output layer is the embedding table.
    pub tied: bool,
    /// How many of the latest positions a token sees, its own included; `None` for all.
    pub sliding_window: Option<usize>,
    /// Whether the attention projections have biases.
    pub attention_bias: bool,
    /// Whether the feed-forward projections have biases.
    pub mlp_bias: bool,
    /// Beginning-of-sequence token, where the configuration names one.
    pub bos_token_id: Option<u32>,
    /// Tokens that end a completion, ascending: those of `config.json` and of `generation_config.json` together.
    pub eos_token_ids: Vec<u32>,
}

impl ModelConfig {
    /// Reads and validates `config.json` and, where there is one, `generation_config.json`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] or [`ErrorKind::Unsupported`], naming the file and the key.
    pub(crate) fn parse(config: &[u8], generation_config: Option<&[u8]>) -> Result<Self, Error> {
        let raw: RawConfig = parse_json(config).map_err(|error| error.in_file("config.json"))?;
        let mut valid = raw.validate().map_err(|error| error.in_file("config.json"))?;
        if let Some(bytes) = generation_config {
            let ids = parse_json::<RawGenerationConfig>(bytes)
                .and_then(|raw| token_ids("eos_token_id", raw.eos_token_id.as_ref()))
                .map_err(|error| error.in_file("generation_config.json"))?;
            valid.eos_token_ids.extend(ids);
        }
        valid.eos_token_ids.sort_unstable();
        valid.eos_token_ids.dedup();
        Ok(valid)
    }

    /// Width of all query heads together.
    pub(crate) fn query_width(&self) -> usize {
        self.heads * self.head_dim
    }

    /// Width of all key heads together, and of all value heads together.
    pub(crate) fn kv_width(&self) -> usize {
        self.kv_heads * self.head_dim
    }
}

fn parse_json<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(bytes)
        .map_err(|source| Error::new(ErrorKind::Config, format!("cannot be understood: {source}")).caused_by(source))
}

fn unsupported(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Unsupported, message)
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Config, message)
}

/// The keys of `generation_config.json` that matter here. Its sampling defaults never override greedy decoding.
#[derive(Deserialize)]
struct RawGenerationConfig {
    eos_token_id: Option<Value>,
}

/// `config.json` as it was written.
#[derive(Deserialize)]
struct RawConfig {
    model_type: Option<String>,
    architectures: Option<Vec<String>>,
    hidden_size: Option<u64>,
    intermediate_size: Option<u64>,
    num_hidden_layers: Option<u64>,
    num_attention_heads: Option<u64>,
    num_key_value_heads: Option<u64>,
    head_dim: Option<u64>,
    vocab_size: Option<u64>,
    max_position_embeddings: Option<u64>,
    rms_norm_eps: Option<f64>,
    hidden_act: Option<String>,
    rope_theta: Option<f64>,
    rope_scaling: Option<RawRope>,
    rope_parameters: Option<RawRope>,
    partial_rotary_factor: Option<f64>,
    tie_word_embeddings: Option<bool>,
    /// Present with `null` means off, absent means the default of the family.
    #[serde(default, deserialize_with = "present")]
    sliding_window: Option<Option<u64>>,
    attention_bias: Option<bool>,
    mlp_bias: Option<bool>,
    layer_types: Option<Vec<String>>,
    quantization_config: Option<Value>,
    compression_config: Option<Value>,
    num_experts: Option<u64>,
    num_local_experts: Option<u64>,
    final_logit_softcapping: Option<f64>,
    attn_logit_softcapping: Option<f64>,
    bos_token_id: Option<Value>,
    eos_token_id: Option<Value>,
}

fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Option<u64>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// `rope_scaling` of transformers 4 or `rope_parameters` of transformers 5.
#[derive(Deserialize)]
struct RawRope {
    #[serde(alias = "type")]
    rope_type: Option<String>,
    rope_theta: Option<f64>,
    partial_rotary_factor: Option<f64>,
    factor: Option<f64>,
    low_freq_factor: Option<f64>,
    high_freq_factor: Option<f64>,
    original_max_position_embeddings: Option<u64>,
}

impl RawConfig {
    fn validate(self) -> Result<ModelConfig, Error> {
        let architecture = self.architecture()?;
        self.refuse_what_is_not_implemented()?;
        let hidden_size = required("hidden_size", self.hidden_size, 1 << 17)?;
        let heads = required("num_attention_heads", self.num_attention_heads, 1 << 12)?;
        let default_kv_heads = match architecture {
            Architecture::Llama => heads as u64,
            Architecture::Mistral => 8,
        };
        let kv_heads =
            required("num_key_value_heads", Some(self.num_key_value_heads.unwrap_or(default_kv_heads)), 1 << 12)?;
        if heads % kv_heads != 0 {
            return Err(invalid(format!(
                "num_attention_heads ({heads}) is not a multiple of num_key_value_heads ({kv_heads})"
            )));
        }
        if self.head_dim.is_none() && hidden_size % heads != 0 {
            return Err(invalid(format!(
                "hidden_size ({hidden_size}) is not a multiple of num_attention_heads ({heads}) and head_dim is not given"
            )));
        }
        let head_dim = required("head_dim", Some(self.head_dim.unwrap_or((hidden_size / heads) as u64)), 1 << 12)?;
        if head_dim % 2 != 0 {
            return Err(invalid(format!("head_dim ({head_dim}) is odd; rotary positions need pairs")));
        }
        let default_context = match architecture {
            Architecture::Llama => 2048,
            Architecture::Mistral => 4096 * 32,
        };
        let context_length = required(
            "max_position_embeddings",
            Some(self.max_position_embeddings.unwrap_or(default_context)),
            1 << 24,
        )?;
        let rms_norm_eps = positive("rms_norm_eps", self.rms_norm_eps.unwrap_or(1e-6))?;
        let (rope_theta, rope_scaling) = self.rope(context_length)?;
        let sliding_window = match (architecture, self.sliding_window) {
            (Architecture::Llama, _) | (Architecture::Mistral, Some(None)) => None,
            (Architecture::Mistral, given) => {
                Some(required("sliding_window", Some(given.flatten().unwrap_or(4096)), u64::MAX)?)
            }
        };
        let biases = architecture == Architecture::Llama;
        Ok(ModelConfig {
            architecture,
            hidden_size,
            intermediate_size: required("intermediate_size", self.intermediate_size, 1 << 20)?,
            layers: required("num_hidden_layers", self.num_hidden_layers, 1 << 12)?,
            heads,
            kv_heads,
            head_dim,
            vocab_size: required("vocab_size", self.vocab_size, 1 << 24)?,
            context_length,
            rms_norm_eps,
            rope_theta,
            rope_scaling,
            tied: self.tie_word_embeddings.unwrap_or(false),
            // A window at least as long as the context hides nothing.
            sliding_window: sliding_window.filter(|&window| window < context_length),
            attention_bias: biases && self.attention_bias.unwrap_or(false),
            mlp_bias: biases && self.mlp_bias.unwrap_or(false),
            bos_token_id: token_ids("bos_token_id", self.bos_token_id.as_ref())?.first().copied(),
            eos_token_ids: token_ids("eos_token_id", self.eos_token_id.as_ref())?,
        })
    }

    fn architecture(&self) -> Result<Architecture, Error> {
        let classes = self.architectures.as_deref().unwrap_or_default();
        let named = match classes {
            [] => None,
            [class] => Some(Architecture::from_class_name(class)?),
            several => return Err(unsupported(format!("several architectures {several:?}; {SUPPORTED}"))),
        };
        match (&self.model_type, named) {
            (None, None) => Err(invalid(format!("neither model_type nor architectures is given; {SUPPORTED}"))),
            (None, Some(named)) => Ok(named),
            (Some(model_type), None) => Architecture::from_model_type(model_type),
            (Some(model_type), Some(named)) => {
                let of_type = Architecture::from_model_type(model_type)?;
                if of_type == named {
                    return Ok(named);
                }
                Err(invalid(format!("model_type `{model_type}` contradicts architecture `{}`", named.class_name())))
            }
        }
    }

    fn refuse_what_is_not_implemented(&self) -> Result<(), Error> {
        let quantization = self.quantization_config.as_ref().or(self.compression_config.as_ref());
        if let Some(quantization) = quantization.filter(|value| !value.is_null()) {
            let method = quantization.get("quant_method").and_then(Value::as_str).unwrap_or("unnamed");
            return Err(unsupported(format!("quantized weights (quant_method `{method}`) are not supported")));
        }
        if let Some(activation) = self.hidden_act.as_deref().filter(|&activation| activation != "silu") {
            return Err(unsupported(format!("hidden_act `{activation}` is not supported; only `silu` is")));
        }
        if let Some(experts) = self.num_experts.or(self.num_local_experts).filter(|&experts| experts > 1) {
            return Err(unsupported(format!("a mixture of {experts} experts is not supported")));
        }
        for (key, value) in [
            ("final_logit_softcapping", self.final_logit_softcapping),
            ("attn_logit_softcapping", self.attn_logit_softcapping),
        ] {
            if let Some(value) = value {
                return Err(unsupported(format!("{key} ({value}) is not supported")));
            }
        }
        if let Some(types) = &self.layer_types
            && types.windows(2).any(|pair| pair[0] != pair[1])
        {
            return Err(unsupported("layer_types that differ between layers are not supported"));
        }
        Ok(())
    }

    fn rope(&self, context_length: usize) -> Result<(f32, RopeScaling), Error> {
        let rope = self.rope_parameters.as_ref().or(self.rope_scaling.as_ref());
        let theta = rope.and_then(|rope| rope.rope_theta).or(self.rope_theta).unwrap_or(10_000.0);
        let theta = positive("rope_theta", theta)?;
        let partial = rope.and_then(|rope| rope.partial_rotary_factor).or(self.partial_rotary_factor);
        if let Some(partial) = partial.filter(|&partial| partial != 1.0) {
            return Err(unsupported(format!("partial_rotary_factor {partial} is not supported")));
        }
        let Some(rope) = rope else { return Ok((theta, RopeScaling::Default)) };
        let number = |key: &str, value: Option<f64>| match value {
            Some(value) => positive(key, value),
            None => Err(invalid(format!("the rotary scaling lacks `{key}`"))),
        };
        let scaling = match rope.rope_type.as_deref().unwrap_or("default") {
            "default" => RopeScaling::Default,
            "linear" => RopeScaling::Linear { factor: number("factor", rope.factor)? },
            "llama3" => {
                let (low, high) = (
                    number("low_freq_factor", rope.low_freq_factor)?,
                    number("high_freq_factor", rope.high_freq_factor)?,
                );
                if low >= high {
                    return Err(invalid(format!("low_freq_factor ({low}) is not below high_freq_factor ({high})")));
                }
                RopeScaling::Llama3 {
                    factor: number("factor", rope.factor)?,
                    low_freq_factor: low,
                    high_freq_factor: high,
                    original_context: required(
                        "original_max_position_embeddings",
                        Some(rope.original_max_position_embeddings.unwrap_or(context_length as u64)),
                        1 << 24,
                    )?,
                }
            }
            other => {
                return Err(unsupported(format!(
                    "rope type `{other}` is not supported; supported are `default`, `linear` and `llama3`"
                )));
            }
        };
        Ok((theta, scaling))
    }
}

/// A dimension that must be given, at least 1 and at most `most`.
fn required(key: &str, value: Option<u64>, most: u64) -> Result<usize, Error> {
    match value {
        None => Err(invalid(format!("`{key}` is missing"))),
        Some(0) => Err(invalid(format!("`{key}` is 0"))),
        Some(value) if value > most => Err(invalid(format!("`{key}` is {value}, beyond the largest sensible {most}"))),
        Some(value) => usize::try_from(value).map_err(|_| invalid(format!("`{key}` is {value}, too large"))),
    }
}

fn positive(key: &str, value: f64) -> Result<f32, Error> {
    let narrow = value as f32;
    if narrow > 0.0 && narrow.is_finite() {
        return Ok(narrow);
    }
    Err(invalid(format!("`{key}` is {value}, not a positive number")))
}

/// A token id, a list of them, or none.
fn token_ids(key: &str, value: Option<&Value>) -> Result<Vec<u32>, Error> {
    let id = |value: &Value| {
        let id = value.as_u64().and_then(|id| u32::try_from(id).ok());
        id.ok_or_else(|| invalid(format!("`{key}` holds {value}, which is not a token id")))
    };
    match value {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(values)) => values.iter().map(id).collect(),
        Some(value) => Ok(vec![id(value)?]),
    }
}
