//! `config.json` and `generation_config.json` as they are written, and what they say once they are
//! valid.
//!
//! Both spellings are read: that of transformers 4 (`torch_dtype`, `rope_theta`, `rope_scaling`)
//! and that of transformers 5 (`dtype`, `rope_parameters`). Unknown keys are tolerated, because
//! published configurations carry many that mean nothing; keys known to change the result are
//! implemented or refused by name. Defaults of absent keys are those of the family
//! ([`crate::family`]).

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::raw_rope::{RawRope, ValidRope};
use super::{Activation, ModelConfig, RopeScaling};
use crate::error::{Error, ErrorKind};
use crate::family::{Architecture, Biases, Family, Windows};
use crate::small_file;

/// Longer contexts than this are taken for mistakes.
pub(super) const MAX_POSITIONS: u64 = 1 << 24;

/// What is supported, for refusals.
fn supported() -> String {
    let families = Architecture::ALL.map(Architecture::family).into_iter();
    let names = families.enumerate().map(|(index, family)| {
        let what = if index == 0 { "model_type " } else { "" };
        format!("{} ({what}{})", family.class_name, family.model_type)
    });
    let names: Vec<String> = names.collect();
    let (last, others) = names.split_last().expect("there are families");
    format!("supported are {} and {last}", others.join(", "))
}

impl Architecture {
    fn from_model_type(model_type: &str) -> Result<Self, Error> {
        let known = Self::ALL
            .into_iter()
            .find(|architecture| architecture.family().model_type == model_type);
        known.ok_or_else(|| {
            unsupported(format!(
                "model_type `{model_type}` is not supported; {}",
                supported()
            ))
        })
    }

    fn from_class_name(name: &str) -> Result<Self, Error> {
        let known = Self::ALL
            .into_iter()
            .find(|architecture| architecture.class_name() == name);
        known.ok_or_else(|| {
            unsupported(format!(
                "architecture `{name}` is not supported; {}",
                supported()
            ))
        })
    }
}

fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    small_file::parse_json(bytes).map_err(|source| {
        Error::new(ErrorKind::Config, format!("cannot be understood: {source}")).caused_by(source)
    })
}

pub(super) fn unsupported(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Unsupported, message)
}

pub(super) fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Config, message)
}

impl ModelConfig {
    /// Reads and validates `config.json` and, where there is one, `generation_config.json`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] or [`ErrorKind::Unsupported`], naming the file and the key.
    pub(crate) fn parse(config: &[u8], generation_config: Option<&[u8]>) -> Result<Self, Error> {
        let raw: RawConfig = parse_json(config).map_err(|error| error.in_file("config.json"))?;
        let mut valid = raw
            .validate()
            .map_err(|error| error.in_file("config.json"))?;
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
}

/// The keys of `generation_config.json` that matter here. Its sampling defaults never override
/// greedy decoding.
#[derive(Deserialize)]
#[serde(expecting = "an object of settings")]
struct RawGenerationConfig {
    eos_token_id: Option<Value>,
}

/// `config.json` as it was written.
#[derive(Deserialize)]
#[serde(expecting = "an object of settings")]
struct RawConfig {
    model_type: Option<String>,
    architectures: Option<Vec<String>>,
    hidden_size: Option<u64>,
    intermediate_size: Option<u64>,
    num_hidden_layers: Option<u64>,
    num_attention_heads: Option<u64>,
    #[serde(default, deserialize_with = "present")]
    num_key_value_heads: Option<Option<u64>>,
    #[serde(default, deserialize_with = "present")]
    head_dim: Option<Option<u64>>,
    vocab_size: Option<u64>,
    max_position_embeddings: Option<u64>,
    rms_norm_eps: Option<f64>,
    #[serde(alias = "hidden_activation")]
    hidden_act: Option<String>,
    rope_theta: Option<f64>,
    rope_scaling: Option<RawRope>,
    rope_parameters: Option<RawRope>,
    original_max_position_embeddings: Option<u64>,
    partial_rotary_factor: Option<f64>,
    tie_word_embeddings: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    sliding_window: Option<Option<u64>>,
    use_sliding_window: Option<bool>,
    max_window_layers: Option<u64>,
    attention_bias: Option<bool>,
    mlp_bias: Option<bool>,
    layer_types: Option<Vec<String>>,
    sliding_window_pattern: Option<u64>,
    use_bidirectional_attention: Option<bool>,
    query_pre_attn_scalar: Option<f64>,
    rope_local_base_freq: Option<f64>,
    no_rope_layers: Option<Vec<u64>>,
    no_rope_layer_interval: Option<u64>,
    num_local_experts: Option<u64>,
    num_experts_per_tok: Option<u64>,
    bos_token_id: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    eos_token_id: Option<Option<Value>>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// A key that may be absent (`None`) or `null` (`Some(None)`): absent means the default of the
/// family.
fn present<'de, D: serde::Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Keys by which related families change the computation, each with the value beside `null` that
/// changes nothing. Configurations that claim to be of our families and hold them were made for
/// other code.
const FOREIGN_KEYS: [(&str, Option<f64>); 22] = [
    ("alibi", Some(0.0)),
    ("attention_chunk_size", None),
    ("attention_multiplier", None),
    ("attn_logit_softcapping", None),
    ("clip_qkv", None),
    ("embedding_multiplier", Some(1.0)),
    ("final_logit_softcapping", None),
    ("logit_scale", Some(1.0)),
    ("logits_scaling", Some(1.0)),
    ("mrope_section", None),
    ("n_routed_experts", Some(1.0)),
    ("num_experts", Some(1.0)),
    ("parallel_attn", Some(0.0)),
    ("qk_layernorm", Some(0.0)),
    ("qk_norm", Some(0.0)),
    ("residual_multiplier", Some(1.0)),
    ("rope_interleaved", Some(0.0)),
    ("scale_depth", None),
    ("scale_emb", Some(1.0)),
    ("use_mrope", Some(0.0)),
    ("use_parallel_residual", Some(0.0)),
    ("use_qk_norm", Some(0.0)),
];

/// `true` counts as 1 and `false` as 0.
fn as_number(value: &Value) -> Option<f64> {
    value
        .as_f64()
        .or_else(|| value.as_bool().map(|on| f64::from(u8::from(on))))
}

impl RawConfig {
    fn validate(self) -> Result<ModelConfig, Error> {
        let architecture = self.architecture()?;
        let family = architecture.family();
        self.refuse_unimplemented(family)?;
        // The bounds on dimensions lie above published models, and so low that no size computed
        // from them overflows 64 bits.
        let hidden_size = required("hidden_size", self.hidden_size, 1 << 17)?;
        let heads = required("num_attention_heads", self.num_attention_heads, 1 << 12)?;
        let kv_heads = self
            .num_key_value_heads
            .unwrap_or(family.kv_heads)
            .unwrap_or(heads as u64);
        let kv_heads = required("num_key_value_heads", Some(kv_heads), 1 << 12)?;
        if heads % kv_heads != 0 {
            return Err(invalid(format!(
                "num_attention_heads ({heads}) is not a multiple of num_key_value_heads ({kv_heads})"
            )));
        }
        let head_dim = self.head_dim.unwrap_or(family.head_dim);
        if head_dim.is_none() && hidden_size % heads != 0 {
            return Err(invalid(format!(
                "hidden_size ({hidden_size}) is not a multiple of num_attention_heads ({heads}) and head_dim is not given"
            )));
        }
        let head_dim = required(
            "head_dim",
            Some(head_dim.unwrap_or((hidden_size / heads) as u64)),
            1 << 12,
        )?;
        if head_dim % 2 != 0 {
            return Err(invalid(format!(
                "head_dim ({head_dim}) is odd; rotary positions need pairs"
            )));
        }
        let positions = Some(self.max_position_embeddings.unwrap_or(family.context));
        let positions = required("max_position_embeddings", positions, MAX_POSITIONS)?;
        let rope = self.rope(family, positions)?;
        let (rope_theta, rope_scaling) = (rope.theta, rope.scaling);
        let rotary_dim = (head_dim as f64 * rope.partial) as usize;
        if rotary_dim == 0 || !rotary_dim.is_multiple_of(2) || rotary_dim > head_dim {
            return Err(invalid(format!(
                "partial_rotary_factor ({}) of heads of width {head_dim} leaves {rotary_dim} elements; rotary positions need pairs",
                rope.partial
            )));
        }
        for (key, factors) in [
            ("short_factor", &rope.short_factors),
            ("long_factor", &rope.long_factors),
        ] {
            let found = factors.as_ref().map(Vec::len);
            if let Some(found) = found.filter(|&found| found != rotary_dim / 2) {
                return Err(invalid(format!(
                    "{key} has {found} numbers, and there are {} rotary frequencies",
                    rotary_dim / 2
                )));
            }
        }
        let context_length = match rope_scaling {
            RopeScaling::Default | RopeScaling::Llama3 { .. } | RopeScaling::LongRope { .. } => {
                positions
            }
            // What was published names the context before it was extended.
            RopeScaling::Linear { factor } | RopeScaling::Dynamic { factor, .. } => {
                extended(positions, factor)?
            }
            RopeScaling::Yarn {
                factor,
                original_context,
                ..
            } => extended(original_context, factor)?.max(positions),
        };
        match rope_scaling {
            RopeScaling::Yarn { .. } if rope_theta <= 1.0 => {
                return Err(invalid(format!(
                    "`rope_theta` is {rope_theta}, and yarn scaling needs more than 1"
                )));
            }
            RopeScaling::Dynamic { .. } if head_dim == 2 => {
                return Err(invalid(
                    "dynamic rotary scaling is not defined for heads of width 2",
                ));
            }
            _ => {}
        }
        let layers = required("num_hidden_layers", self.num_hidden_layers, 1 << 12)?;
        let layers_without_rope = self.layers_without_rope(family, layers)?;
        let mut windows = self.windows(architecture, layers, &layers_without_rope)?;
        let windowed = windows.iter().map(Option::is_some).collect();
        // A window at least as long as the context hides nothing.
        windows
            .iter_mut()
            .for_each(|window| *window = window.filter(|&window| window < context_length));
        let attention_bias = self.attention_bias.unwrap_or(false);
        let (qkv_bias, attention_output_bias) = match family.biases {
            Biases::Never => (false, false),
            Biases::Qkv => (true, false),
            Biases::Attention | Biases::AttentionAndMlp => (attention_bias, attention_bias),
        };
        let mlp_bias = family.biases == Biases::AttentionAndMlp && self.mlp_bias.unwrap_or(false);
        let attention_scale = match self.query_pre_attn_scalar {
            Some(scalar) => Some(positive("query_pre_attn_scalar", scalar)?),
            None if family.own_keys.contains(&"query_pre_attn_scalar") => Some(256.0),
            None => None,
        };
        // As where it is not given: the same factor as ever, and not one that rounds to it.
        let attention_scale = attention_scale
            .filter(|&scalar| scalar != head_dim as f32)
            .map(|scalar| scalar.powf(-0.5));
        let (experts, experts_per_token) = self.experts(family)?;
        let eos_token_ids = match &self.eos_token_id {
            None => family.eos_token_ids.to_vec(),
            Some(given) => token_ids("eos_token_id", given.as_ref())?,
        };
        Ok(ModelConfig {
            architecture,
            hidden_size,
            intermediate_size: required("intermediate_size", self.intermediate_size, 1 << 20)?,
            layers,
            heads,
            kv_heads,
            head_dim,
            rotary_dim,
            experts,
            experts_per_token,
            vocab_size: required("vocab_size", self.vocab_size, 1 << 24)?,
            context_length,
            rms_norm_eps: positive(
                "rms_norm_eps",
                self.rms_norm_eps.unwrap_or(family.rms_norm_eps),
            )?,
            rope_theta,
            rope_scaling,
            rope_factors: rope.short_factors,
            long_rope_factors: rope.long_factors,
            tied: self.tie_word_embeddings.unwrap_or(family.tied),
            windows,
            windowed,
            qkv_bias,
            attention_output_bias,
            mlp_bias,
            qk_norm: family.qk_norm,
            norm_offset: family.norm_offset,
            activation: family.activation,
            embedding_scale: family
                .scales_embeddings
                .then(|| (hidden_size as f64).sqrt() as f32),
            attention_scale,
            local_rope_theta: rope.local_theta,
            layers_without_rope,
            bos_token_id: token_ids("bos_token_id", self.bos_token_id.as_ref())?
                .first()
                .copied(),
            eos_token_ids,
            warnings: self.warnings(),
        })
    }

    /// How many experts there are, and how many a token is put to.
    fn experts(&self, family: &Family) -> Result<(usize, usize), Error> {
        if !family.own_keys.contains(&"num_local_experts") {
            return Ok((0, 0));
        }
        let experts = Some(self.num_local_experts.unwrap_or(8));
        let experts = required("num_local_experts", experts, 1 << 10)?;
        let each = Some(self.num_experts_per_tok.unwrap_or(2));
        let each = required("num_experts_per_tok", each, experts as u64)?;
        Ok((experts, each))
    }

    /// The layers without RoPE, from 0.
    fn layers_without_rope(&self, family: &Family, layers: usize) -> Result<Vec<usize>, Error> {
        if !family.own_keys.contains(&"no_rope_layers") {
            return Ok(Vec::new());
        }
        // A 1 for each layer that has it, whatever the name says.
        let with_rope = match &self.no_rope_layers {
            Some(given) if given.len() != layers => {
                return Err(invalid(format!(
                    "no_rope_layers names {} layers, num_hidden_layers {layers}",
                    given.len()
                )));
            }
            Some(given) => given.iter().map(|&rope| rope != 0).collect(),
            None => {
                let interval = self.no_rope_layer_interval.unwrap_or(4);
                let interval = required("no_rope_layer_interval", Some(interval), u64::MAX)?;
                (1..=layers)
                    .map(|layer| layer % interval != 0)
                    .collect::<Vec<bool>>()
            }
        };
        Ok((0..layers).filter(|&layer| !with_rope[layer]).collect())
    }

    /// The sliding window of each layer.
    fn windows(
        &self,
        architecture: Architecture,
        layers: usize,
        layers_without_rope: &[usize],
    ) -> Result<Vec<Option<usize>>, Error> {
        let family = architecture.family();
        let given = |default: u64| {
            let window = self.sliding_window.flatten().unwrap_or(default);
            required("sliding_window", Some(window), u64::MAX).map(Some)
        };
        let is_used = self.use_sliding_window.unwrap_or(false);
        let window = match (family.windows, self.sliding_window) {
            (_, Some(None)) | (Windows::Never | Windows::All(None), None) => None,
            (Windows::Never, _) => None,
            (Windows::All(default), _) => given(default.unwrap_or_default())?,
            (Windows::Alternating, _) => given(4096)?,
            (Windows::FromLayer, _) if is_used => given(4096)?,
            (Windows::WithoutRope, Some(_)) if is_used => given(0)?,
            (Windows::FromLayer | Windows::WithoutRope, _) => None,
        };
        let pattern = self.sliding_window_pattern.unwrap_or(6).max(1);
        let first = self.max_window_layers.unwrap_or(28);
        let has_one = |layer: usize| match family.windows {
            Windows::FromLayer => layer as u64 >= first,
            Windows::WithoutRope => layers_without_rope.contains(&layer),
            Windows::Alternating => !(layer as u64 + 1).is_multiple_of(pattern),
            Windows::Never | Windows::All(_) => true,
        };
        let windows = (0..layers).map(|layer| window.filter(|_| has_one(layer)));
        let Some(types) = &self.layer_types else {
            return Ok(windows.collect());
        };
        if types.len() != layers {
            return Err(invalid(format!(
                "layer_types names {} layers, num_hidden_layers {layers}",
                types.len()
            )));
        }
        let typed = types
            .iter()
            .zip(windows)
            .enumerate()
            .map(|(layer, (layer_type, expected))| {
                let typed = match (layer_type.as_str(), window) {
                    ("full_attention", _) => None,
                    ("sliding_attention", Some(window)) => Some(window),
                    ("sliding_attention", None) => {
                        return Err(invalid(format!(
                            "layer_types[{layer}] is `sliding_attention` and there is no window"
                        )));
                    }
                    (other, _) => {
                        return Err(unsupported(format!(
                            "layer_types[{layer}] `{other}` is not supported"
                        )));
                    }
                };
                // transformers does not heed the types of the other families.
                if !family.heeds_layer_types && typed != expected {
                    let class = architecture.class_name();
                    return Err(unsupported(format!(
                        "layer_types[{layer}] `{layer_type}` is not what {class} computes"
                    )));
                }
                Ok(typed)
            });
        typed.collect()
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self
            .others
            .get("auto_map")
            .is_some_and(|map| !map.is_null())
        {
            warnings
                .push("config.json names code of its own (auto_map), which is not run".to_string());
        }
        warnings
    }

    fn architecture(&self) -> Result<Architecture, Error> {
        let classes = self.architectures.as_deref().unwrap_or_default();
        let named = match classes {
            [] => None,
            [class] => Some(Architecture::from_class_name(class)?),
            several => {
                return Err(unsupported(format!(
                    "several architectures {several:?}; {}",
                    supported()
                )));
            }
        };
        match (&self.model_type, named) {
            (None, None) => Err(invalid(format!(
                "neither model_type nor architectures is given; {}",
                supported()
            ))),
            (None, Some(named)) => Ok(named),
            (Some(model_type), None) => Architecture::from_model_type(model_type),
            (Some(model_type), Some(named)) => {
                let of_type = Architecture::from_model_type(model_type)?;
                if of_type == named {
                    return Ok(named);
                }
                Err(invalid(format!(
                    "model_type `{model_type}` contradicts architecture `{}`",
                    named.class_name()
                )))
            }
        }
    }

    fn refuse_unimplemented(&self, family: &Family) -> Result<(), Error> {
        let other = |key: &str| self.others.get(key).filter(|value| !value.is_null());
        if let Some(quantization) =
            other("quantization_config").or_else(|| other("compression_config"))
        {
            let method = quantization
                .get("quant_method")
                .and_then(Value::as_str)
                .unwrap_or("unnamed");
            return Err(unsupported(format!(
                "quantized weights (quant_method `{method}`) are not supported"
            )));
        }
        let known: &[&str] = match family.activation {
            Activation::Silu => &["silu", "swish"],
            Activation::GeluTanh => &["gelu_pytorch_tanh"],
        };
        let activation = self.hidden_act.as_deref().unwrap_or(known[0]);
        if !known.contains(&activation) {
            return Err(unsupported(format!(
                "hidden_act `{activation}` is not supported; only `{}` is",
                known[0]
            )));
        }
        // One expert is a feed-forward block like any other.
        let experts = self.num_local_experts.filter(|&experts| experts != 1);
        let own = [
            (
                "no_rope_layers",
                self.no_rope_layers
                    .as_ref()
                    .map(|layers| format!("{layers:?}")),
            ),
            (
                "query_pre_attn_scalar",
                self.query_pre_attn_scalar.map(|scalar| scalar.to_string()),
            ),
            (
                "num_local_experts",
                experts.map(|experts| experts.to_string()),
            ),
        ];
        for (key, value) in own {
            if let Some(value) = value.filter(|_| !family.own_keys.contains(&key)) {
                let class = family.class_name;
                return Err(unsupported(format!(
                    "{key} ({value}) is not supported for {class}"
                )));
            }
        }
        if self.use_bidirectional_attention == Some(true) {
            return Err(unsupported(
                "use_bidirectional_attention (true) is not supported",
            ));
        }
        for (key, neutral) in FOREIGN_KEYS {
            if let Some(value) =
                other(key).filter(|value| neutral.is_none() || as_number(value) != neutral)
            {
                return Err(unsupported(format!("{key} ({value}) is not supported")));
            }
        }
        Ok(())
    }

    fn rope(&self, family: &Family, positions: usize) -> Result<ValidRope, Error> {
        // Where both are given transformers takes the older one.
        let rope = self.rope_scaling.as_ref().or(self.rope_parameters.as_ref());
        let mut local_theta = None;
        let rope = match family.windows {
            // By the kind of layer in transformers 5, in keys of their own before.
            Windows::Alternating => {
                let local = rope.and_then(|rope| rope.sliding_attention.as_deref());
                if let Some(kind) = local.map(RawRope::kind).filter(|&kind| kind != "default") {
                    return Err(unsupported(format!(
                        "rope type `{kind}` of sliding_attention is not supported"
                    )));
                }
                let theta = local.and_then(|local| local.rope_theta);
                let theta = theta.or(self.rope_local_base_freq).unwrap_or(10_000.0);
                local_theta = Some(positive("rope_local_base_freq", theta)?);
                match rope.and_then(|rope| rope.full_attention.as_deref()) {
                    Some(full) => Some(full),
                    None => rope.filter(|rope| rope.sliding_attention.is_none()),
                }
            }
            _ => rope,
        };
        if let Some(rope) = rope {
            rope.refuse_kinds_of_layers()?;
        }
        let theta = rope
            .and_then(|rope| rope.rope_theta)
            .or(self.rope_theta)
            .unwrap_or(family.rope_theta);
        let theta = positive("rope_theta", theta)?;
        let partial = rope
            .and_then(|rope| rope.partial_rotary_factor)
            .or(self.partial_rotary_factor)
            .unwrap_or(1.0);
        let is_partial_known = family.own_keys.contains(&"partial_rotary_factor");
        if partial != 1.0 && !is_partial_known {
            return Err(unsupported(format!(
                "partial_rotary_factor {partial} is not supported for {}",
                family.class_name
            )));
        }
        let mut scaling = RopeScaling::Default;
        let (mut short_factors, mut long_factors) = (None, None);
        if let Some(rope) = rope {
            scaling = rope.scaling(positions, self.original_max_position_embeddings)?;
            if let RopeScaling::LongRope { .. } = scaling {
                short_factors = Some(rope.short_factors()?);
                long_factors = Some(rope.long_factors()?);
            }
        }
        Ok(ValidRope {
            theta,
            scaling,
            partial,
            short_factors,
            long_factors,
            local_theta,
        })
    }
}

/// A context that scaling makes `factor` times as long.
fn extended(tokens: usize, factor: f32) -> Result<usize, Error> {
    let longer = (tokens as f64 * f64::from(factor)).round();
    if longer > MAX_POSITIONS as f64 {
        let largest = format!("beyond the largest sensible context of {MAX_POSITIONS} tokens");
        return Err(invalid(format!(
            "rotary scaling by {factor} of {tokens} tokens goes {largest}"
        )));
    }
    Ok((longer as usize).max(1))
}

/// A dimension that must be given, from 1 to `max`.
pub(super) fn required(key: &str, value: Option<u64>, most: u64) -> Result<usize, Error> {
    match value {
        None => Err(invalid(format!("`{key}` is missing"))),
        Some(0) => Err(invalid(format!("`{key}` is 0"))),
        Some(value) if value > most => Err(invalid(format!(
            "`{key}` is {value}, beyond the largest sensible {most}"
        ))),
        Some(value) => {
            usize::try_from(value).map_err(|_| invalid(format!("`{key}` is {value}, too large")))
        }
    }
}

pub(super) fn positive(key: &str, value: f64) -> Result<f32, Error> {
    let narrow = value as f32;
    if narrow > 0.0 && narrow.is_finite() {
        return Ok(narrow);
    }
    Err(invalid(format!(
        "`{key}` is {value}, not a positive number"
    )))
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rope::frequencies;

    /// A configuration that names no more than it must.
    fn parse(architecture: Architecture, more: Value) -> Result<ModelConfig, String> {
        let mut config = json!({
            "model_type": architecture.family().model_type, "hidden_size": 64,
            "intermediate_size": 96, "num_hidden_layers": 8, "num_attention_heads": 4,
            "vocab_size": 100,
        });
        let more = more.as_object().cloned().unwrap_or_default();
        config.as_object_mut().unwrap().extend(more);
        let bytes = config.to_string().into_bytes();
        ModelConfig::parse(&bytes, None).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_not_named_is_what_transformers_takes() {
        // Key heads, width of a head, context, end of sequence, epsilon, base, tied.
        let defaults = [
            (
                Architecture::SmolLm3,
                (4, 16, 32_768, 128_001, 1e-6, 2e6, true),
            ),
            (Architecture::Olmo2, (4, 16, 2048, 50_279, 1e-5, 1e4, false)),
            (Architecture::Phi3, (4, 16, 4096, 32_000, 1e-5, 1e4, false)),
            (Architecture::Gemma3, (4, 256, 131_072, 1, 1e-6, 1e6, true)),
            (Architecture::Mixtral, (8, 16, 131_072, 2, 1e-5, 1e6, false)),
        ];
        for (architecture, expected) in defaults {
            let heads = json!({ "num_attention_heads": 8, "hidden_size": 128 });
            let more = match architecture {
                Architecture::Mixtral => heads,
                _ => json!({}),
            };
            let config = parse(architecture, more).unwrap();
            let found = (
                config.kv_heads,
                config.head_dim,
                config.context_length,
                config.eos_token_ids[0],
                config.rms_norm_eps,
                config.rope_theta,
                config.tied,
            );
            assert_eq!(found, expected, "{architecture:?}");
        }
        let config = parse(Architecture::SmolLm3, json!({})).unwrap();
        assert_eq!(config.layers_without_rope, [3, 7]);
        let config = parse(Architecture::Gemma3, json!({})).unwrap();
        let full = |layer: usize| config.windows[layer].is_none();
        assert_eq!((0..8).filter(|&layer| full(layer)).collect::<Vec<_>>(), [5]);
        assert_eq!(config.windows[0], Some(4096));
        assert_eq!(
            (config.local_rope_theta, config.attention_scale),
            (Some(1e4), None)
        );
        assert_eq!(config.embedding_scale, Some(8.0));
        let config = parse(Architecture::Mixtral, json!({})).unwrap_err();
        assert!(
            config.contains("num_attention_heads (4)"),
            "eight heads of keys: {config}"
        );
    }

    #[test]
    fn a_window_as_long_as_the_context_keeps_the_base_of_its_layer() {
        let more = json!({ "max_position_embeddings": 512, "sliding_window": 512 });
        let config = parse(Architecture::Gemma3, more).unwrap();
        assert!(config.windows.iter().all(Option::is_none));
        let ropes: Vec<_> = (0..8).map(|layer| config.layer_rope(layer)).collect();
        assert_eq!(ropes, [1, 1, 1, 1, 1, 0, 1, 1].map(Some));
    }

    #[test]
    fn what_a_family_does_not_compute_is_refused_by_name() {
        let ones = |count: usize| vec![1.0; count];
        let longrope = |factors: usize| {
            let factors = vec![1.5; factors];
            json!({ "rope_scaling": { "type": "longrope", "short_factor": factors, "long_factor": factors } })
        };
        let refused = [
            (
                Architecture::Gemma3,
                json!({ "final_logit_softcapping": 30.0 }),
                "final_logit_softcapping (30.0)",
            ),
            (
                Architecture::Gemma3,
                json!({ "attn_logit_softcapping": 50.0 }),
                "attn_logit_softcapping (50.0)",
            ),
            (
                Architecture::Gemma3,
                json!({ "use_bidirectional_attention": true }),
                "use_bidirectional_attention",
            ),
            (
                Architecture::Gemma3,
                json!({ "hidden_activation": "silu" }),
                "hidden_act `silu`",
            ),
            (
                Architecture::Gemma3,
                json!({ "rope_parameters": { "sliding_attention": { "rope_type": "yarn" } } }),
                "rope type `yarn` of sliding_attention",
            ),
            (
                Architecture::SmolLm3,
                json!({ "no_rope_layers": [1, 0] }),
                "no_rope_layers names 2 layers",
            ),
            (
                Architecture::SmolLm3,
                json!({ "no_rope_layer_interval": 0 }),
                "`no_rope_layer_interval` is 0",
            ),
            (
                Architecture::Olmo2,
                json!({ "clip_qkv": 8.0 }),
                "clip_qkv (8.0)",
            ),
            (
                Architecture::Olmo2,
                json!({ "no_rope_layers": [1] }),
                "no_rope_layers ([1]) is not supported for Olmo2ForCausalLM",
            ),
            (
                Architecture::Phi3,
                longrope(7),
                "short_factor has 7 numbers, and there are 8",
            ),
            (
                Architecture::Phi3,
                json!({ "rope_scaling": { "type": "su" } }),
                "lacks `short_factor`",
            ),
            (
                Architecture::Phi3,
                json!({ "rope_scaling": { "type": "longrope", "short_factor": ones(8) } }),
                "lacks `long_factor`",
            ),
            (
                Architecture::Phi3,
                json!({ "rope_scaling": { "type": "longrope", "short_factor": ones(8), "long_factor": ones(6) } }),
                "long_factor has 6 numbers, and there are 8",
            ),
            (
                Architecture::Phi3,
                json!({ "partial_rotary_factor": 0.05 }),
                "leaves 0 elements",
            ),
            (
                Architecture::Phi3,
                json!({ "partial_rotary_factor": 0.2 }),
                "leaves 3 elements",
            ),
            (
                Architecture::Mixtral,
                json!({ "num_key_value_heads": 4, "num_local_experts": 0 }),
                "`num_local_experts` is 0",
            ),
            (
                Architecture::Mixtral,
                json!({ "num_key_value_heads": 4, "num_local_experts": 2, "num_experts_per_tok": 3 }),
                "`num_experts_per_tok` is 3",
            ),
            (
                Architecture::Llama,
                json!({ "query_pre_attn_scalar": 64 }),
                "query_pre_attn_scalar (64)",
            ),
        ];
        for (architecture, more, expected) in refused {
            let error = parse(architecture, more).unwrap_err();
            assert!(error.contains(expected), "{architecture:?}: {error}");
        }
    }

    #[test]
    fn longrope_has_the_whole_context_and_other_factors_beyond_the_original_one() {
        let (short, long) = (vec![1.0; 8], vec![2.0; 8]);
        let more = json!({
            "max_position_embeddings": 4096, "original_max_position_embeddings": 256,
            "rope_scaling": { "type": "longrope", "short_factor": short, "long_factor": long },
        });
        let config = parse(Architecture::Phi3, more).unwrap();
        assert_eq!(
            (config.context_length, config.restart_length()),
            (4096, Some(256))
        );
        let (short, long) = (frequencies(&config, 256), frequencies(&config, 257));
        for (short, long) in short.iter().zip(long) {
            assert_eq!(short / 2.0, long);
        }
    }
}
