//! Metadata as `config.json` (keys: ggml, `docs/gguf.md`, and llama.cpp, `src/llama-arch.cpp`; what
//! they mean for a family: llama.cpp, `src/models`).

use serde_json::{Value, json};

use super::container::Metadata;
use super::{Gguf, vocabulary};
use crate::error::{Error, ErrorKind};
use crate::family::Architecture;

/// An architecture of llama.cpp that is one of our families.
struct GgufArchitecture {
    /// As the metadata name it.
    name: &'static str,
    family: Architecture,
    /// Whether queries and keys are stored for rotations of neighbours.
    interleaves: bool,
    /// Whether `attention.sliding_window` is heeded.
    has_windows: bool,
    /// Keys that are known here alone, each by its name behind that of the architecture.
    own_keys: &'static [&'static str],
}

const PLAIN: GgufArchitecture = GgufArchitecture {
    name: "",
    family: Architecture::Llama,
    interleaves: false,
    has_windows: false,
    own_keys: &[],
};

const ARCHITECTURES: [GgufArchitecture; 7] = [
    // LLaMA, Mistral and Mixtral.
    GgufArchitecture {
        name: "llama",
        interleaves: true,
        has_windows: true,
        own_keys: &["expert_count", "expert_used_count"],
        ..PLAIN
    },
    GgufArchitecture {
        name: "qwen2",
        family: Architecture::Qwen2,
        has_windows: true,
        ..PLAIN
    },
    GgufArchitecture {
        name: "qwen3",
        family: Architecture::Qwen3,
        has_windows: true,
        ..PLAIN
    },
    GgufArchitecture {
        name: "smollm3",
        family: Architecture::SmolLm3,
        interleaves: true,
        ..PLAIN
    },
    GgufArchitecture {
        name: "olmo2",
        family: Architecture::Olmo2,
        ..PLAIN
    },
    GgufArchitecture {
        name: "phi3",
        family: Architecture::Phi3,
        has_windows: true,
        own_keys: &["rope.scaling.attn_factor"],
        ..PLAIN
    },
    GgufArchitecture {
        name: "gemma3",
        family: Architecture::Gemma3,
        has_windows: true,
        own_keys: &["attention.sliding_window_pattern", "rope.freq_base_swa"],
        ..PLAIN
    },
];

/// What is understood below, by its name behind that of the architecture.
const KNOWN: [&str; 24] = [
    "context_length",
    "embedding_length",
    "block_count",
    "feed_forward_length",
    "vocab_size",
    "tensor_data_layout",
    "attention.head_count",
    "attention.head_count_kv",
    "attention.key_length",
    "attention.value_length",
    "attention.layer_norm_rms_epsilon",
    "attention.sliding_window",
    "rope.dimension_count",
    "rope.freq_base",
    "rope.scale_linear",
    "rope.scaling.type",
    "rope.scaling.factor",
    "rope.scaling.original_context_length",
    "rope.scaling.finetuned",
    "rope.scaling.attn_factor",
    "rope.scaling.yarn_attn_factor",
    "rope.scaling.yarn_ext_factor",
    "rope.scaling.yarn_beta_fast",
    "rope.scaling.yarn_beta_slow",
];

/// What changes the computation in ways that are not implemented, each with the value that changes
/// nothing.
const FOREIGN: [(&str, f64); 25] = [
    ("attention.causal", 1.0),
    ("attention.clamp_kqv", 0.0),
    ("attention.key_length_mla", 0.0),
    ("attention.max_alibi_bias", 0.0),
    ("attention.scale", 0.0),
    ("attention.shared_kv_layers", 0.0),
    ("attention.sliding_window_pattern", 0.0),
    ("attention.temperature_scale", 0.0),
    ("attn_logit_softcapping", 0.0),
    ("embedding_scale", 1.0),
    ("expert_count", 0.0),
    ("expert_shared_count", 0.0),
    ("expert_used_count", 0.0),
    ("final_logit_softcapping", 0.0),
    ("leading_dense_block_count", 0.0),
    ("logit_scale", 1.0),
    ("nextn_predict_layers", 0.0),
    ("pooling_type", 0.0),
    ("residual_scale", 1.0),
    ("rope.dimension_sections", 0.0),
    ("rope.scaling.attn_factor", 1.0),
    ("rope.scaling.yarn_attn_factor", 1.0),
    ("rope.scaling.yarn_ext_factor", 1.0),
    ("swin_norm", 0.0),
    ("use_parallel_residual", 0.0),
];

fn architecture(metadata: &Metadata) -> Result<&'static GgufArchitecture, Error> {
    let unsupported = |message: String| metadata.error(ErrorKind::Unsupported, message);
    match metadata.text("general.type")?.unwrap_or("model") {
        "model" => {}
        other => {
            return Err(unsupported(format!(
                "holds no model (`general.type` is `{other}`)"
            )));
        }
    }
    let Some(name) = metadata.text("general.architecture")? else {
        return Err(metadata.error(ErrorKind::Config, "lacks the key `general.architecture`"));
    };
    let known = ARCHITECTURES.iter().find(|known| known.name == name);
    known.ok_or_else(|| {
        let others: Vec<String> = ARCHITECTURES[1..]
            .iter()
            .map(|known| format!("`{}`", known.name))
            .collect();
        unsupported(format!(
            "architecture `{name}` is not supported; supported are `llama` (LLaMA, Mistral and Mixtral), {}",
            others.join(", ")
        ))
    })
}

/// Whether queries and keys are stored for rotations of neighbours.
pub(super) fn interleaves(metadata: &Metadata) -> bool {
    architecture(metadata).is_ok_and(|architecture| architecture.interleaves)
}

/// The metadata of a file, with the keys of its architecture.
struct Settings<'a> {
    gguf: &'a Gguf,
    metadata: &'a Metadata,
    architecture: &'static GgufArchitecture,
}

/// `config.json`.
pub(super) fn config(gguf: &Gguf) -> Result<Value, Error> {
    let settings = Settings::of(gguf)?;
    settings.refuse_unimplemented()?;
    settings.config()
}

/// The family of the checkpoint.
pub(super) fn family(gguf: &Gguf) -> Result<Architecture, Error> {
    Settings::of(gguf)?.family()
}

impl<'a> Settings<'a> {
    fn of(gguf: &'a Gguf) -> Result<Self, Error> {
        let metadata = &gguf.parts[0].metadata;
        let architecture = architecture(metadata)?;
        Ok(Self {
            gguf,
            metadata,
            architecture,
        })
    }

    fn key(&self, name: &str) -> String {
        format!("{}.{name}", self.architecture.name)
    }

    fn number(&self, name: &str) -> Result<Option<u64>, Error> {
        self.metadata.number(&self.key(name))
    }

    fn float(&self, name: &str) -> Result<Option<f64>, Error> {
        self.metadata.float(&self.key(name))
    }

    fn missing(&self, name: &str) -> Error {
        let message = format!("lacks the key `{}`", self.key(name));
        self.metadata.error(ErrorKind::Config, message)
    }

    fn unsupported(&self, message: String) -> Error {
        self.metadata.error(ErrorKind::Unsupported, message)
    }

    /// A number that must be there, the same for all layers.
    fn required(&self, name: &str) -> Result<u64, Error> {
        let number = self.metadata.number_of_all_layers(&self.key(name))?;
        number.ok_or_else(|| self.missing(name))
    }

    fn has(&self, tensor: &str) -> bool {
        self.gguf.find(tensor).is_some()
    }

    fn refuse_unimplemented(&self) -> Result<(), Error> {
        let own = self.architecture.own_keys;
        for (name, neutral) in FOREIGN.iter().filter(|(name, _)| !own.contains(name)) {
            let key = self.key(name);
            if self.metadata.is_set(&key, *neutral) {
                return Err(self.unsupported(format!("`{key}` is not supported")));
            }
        }
        if self.window()?.is_some() && !self.architecture.has_windows {
            let key = self.key("attention.sliding_window");
            return Err(self.unsupported(format!("`{key}` is not supported")));
        }
        Ok(())
    }

    fn window(&self) -> Result<Option<u64>, Error> {
        let window = self.number("attention.sliding_window")?;
        // llama.cpp's converter writes 0 for Phi-4, which has none.
        Ok(window.filter(|window| *window > 0))
    }

    fn experts(&self) -> Result<Option<u64>, Error> {
        let experts = self.number("expert_count")?;
        Ok(experts.filter(|experts| *experts > 0))
    }

    /// llama.cpp has one architecture for three families, of which only Mistral and Mixtral have
    /// windows.
    fn family(&self) -> Result<Architecture, Error> {
        Ok(match self.architecture.family {
            Architecture::Llama if self.experts()?.is_some() => Architecture::Mixtral,
            Architecture::Llama if self.window()?.is_some() => Architecture::Mistral,
            family => family,
        })
    }

    fn config(&self) -> Result<Value, Error> {
        let (hidden_size, heads) = (
            self.required("embedding_length")?,
            self.required("attention.head_count")?,
        );
        let kv_heads = self
            .metadata
            .number_of_all_layers(&self.key("attention.head_count_kv"))?
            .unwrap_or(heads);
        // No heads at all are refused with the other settings of the model.
        let even_split = hidden_size.checked_div(heads).unwrap_or(0);
        let head_dim = self.number("attention.key_length")?.unwrap_or(even_split);
        let vocabulary = self
            .gguf
            .find("token_embd.weight")
            .and_then(|(_, entry)| entry.shape.first().copied());
        let (family, window) = (self.family()?, self.window()?);
        let epsilon = "attention.layer_norm_rms_epsilon";
        let mut config = json!({
            "model_type": family.family().model_type,
            "hidden_size": hidden_size,
            "num_hidden_layers": self.required("block_count")?,
            "intermediate_size": self.required("feed_forward_length")?,
            "num_attention_heads": heads,
            "num_key_value_heads": kv_heads,
            "head_dim": head_dim,
            "rms_norm_eps": self.float(epsilon)?.ok_or_else(|| self.missing(epsilon))?,
            "max_position_embeddings": self.required("context_length")?,
            "vocab_size": vocabulary,
            "rope_theta": self.float("rope.freq_base")?.unwrap_or(10_000.0),
            // The format has no key for it: the tensor is left out.
            "tie_word_embeddings": !self.has("output.weight"),
            "attention_bias": self.has("blk.0.attn_q.bias") && family != Architecture::Qwen2,
            "mlp_bias": self.has("blk.0.ffn_gate.bias"),
            "sliding_window": window,
            "use_sliding_window": window.is_some(),
            // The one window that a file names is that of all layers, but where a pattern is known.
            "max_window_layers": 0,
            "bos_token_id": vocabulary::special_id(self.metadata, "bos")?,
            "eos_token_id": vocabulary::eos_ids(self.metadata)?,
        });
        self.check_value_width(head_dim)?;
        if let Some(partial) = self.partial_rotary_factor(family, head_dim)? {
            config["partial_rotary_factor"] = partial.into();
        }
        if let Some(scaling) = self.rope_scaling(family)? {
            config["rope_scaling"] = scaling;
        }
        match family {
            Architecture::Mixtral => {
                config["num_local_experts"] = self.required("expert_count")?.into();
                config["num_experts_per_tok"] = self.required("expert_used_count")?.into();
            }
            Architecture::Gemma3 => self.add_gemma3(&mut config, even_split, head_dim)?,
            _ => {}
        }
        Ok(config)
    }

    fn check_value_width(&self, head_dim: u64) -> Result<(), Error> {
        let name = "attention.value_length";
        match self.number(name)?.filter(|width| *width != head_dim) {
            Some(width) => Err(self.unsupported(format!(
                "`{}` is {width}: values narrower or wider than heads ({head_dim}) are not supported",
                self.key(name)
            ))),
            None => Ok(()),
        }
    }

    /// The share of a head that RoPE turns, where that is not the whole of it.
    fn partial_rotary_factor(
        &self,
        family: Architecture,
        head_dim: u64,
    ) -> Result<Option<f64>, Error> {
        let name = "rope.dimension_count";
        let turned = self.number(name)?.filter(|turned| *turned != head_dim);
        let Some(turned) = turned else {
            return Ok(None);
        };
        let is_known = family.family().own_keys.contains(&"partial_rotary_factor");
        if !is_known || turned > head_dim {
            let key = self.key(name);
            return Err(self.unsupported(format!(
                "`{key}` is {turned}: rotations narrower or wider than heads ({head_dim}) are not supported"
            )));
        }
        // No less than the quotient, so that its product with the width is not rounded down.
        Ok(Some((turned as f64 / head_dim as f64).next_up()))
    }

    /// What llama.cpp knows of Gemma 3 and no key says: its `src/models/gemma3.cpp`.
    fn add_gemma3(&self, config: &mut Value, even_split: u64, head_dim: u64) -> Result<(), Error> {
        const LAYERS_OF_27B: u64 = 62;
        let layers = self.required("block_count")?;
        config["query_pre_attn_scalar"] = match layers {
            LAYERS_OF_27B => even_split.into(),
            _ => head_dim.into(),
        };
        config["rope_local_base_freq"] =
            self.float("rope.freq_base_swa")?.unwrap_or(10_000.0).into();
        let key = self.key("attention.sliding_window_pattern");
        match self.metadata.flags(&key)? {
            Some(sliding) => {
                let layer_type = |sliding: &bool| match sliding {
                    true => "sliding_attention",
                    false => "full_attention",
                };
                config["layer_types"] = sliding.iter().map(layer_type).collect();
            }
            None => {
                let pattern = self.metadata.number(&key)?.unwrap_or(6);
                config["sliding_window_pattern"] = pattern.into();
            }
        }
        Ok(())
    }

    fn rope_scaling(&self, family: Architecture) -> Result<Option<Value>, Error> {
        let short = self.gguf.factors(LONGROPE_SHORT)?;
        if let Some(short) = short.filter(|_| family == Architecture::Phi3) {
            return Ok(Some(json!({
                "rope_type": "longrope",
                "short_factor": short,
                "long_factor": self.gguf.factors(LONGROPE_LONG)?,
                "attention_factor": self.float("rope.scaling.attn_factor")?,
                "original_max_position_embeddings": self.number("rope.scaling.original_context_length")?,
            })));
        }
        let factor = self.float("rope.scaling.factor")?;
        // How files of the first years say it.
        let factor = factor.or(self.float("rope.scale_linear")?);
        let linear = factor.is_some_and(|factor| factor != 1.0 && factor != 0.0);
        let kind = self.metadata.text(&self.key("rope.scaling.type"))?;
        match kind.unwrap_or(if linear { "linear" } else { "none" }) {
            "none" => Ok(None),
            "linear" => Ok(Some(json!({ "rope_type": "linear", "factor": factor }))),
            "yarn" => Ok(Some(json!({
                "rope_type": "yarn",
                "factor": factor,
                "original_max_position_embeddings": self.number("rope.scaling.original_context_length")?,
                "beta_fast": self.float("rope.scaling.yarn_beta_fast")?,
                "beta_slow": self.float("rope.scaling.yarn_beta_slow")?,
            }))),
            other => Err(self.unsupported(format!(
                "`{}` is `{other}`, which is not supported; `none`, `linear` and `yarn` are",
                self.key("rope.scaling.type")
            ))),
        }
    }
}

/// What LongRoPE divides the frequencies of a sequence within the original context by.
pub(super) const LONGROPE_SHORT: &str = "rope_factors_short.weight";
/// The same of a longer one.
pub(super) const LONGROPE_LONG: &str = "rope_factors_long.weight";

/// Warnings of keys of the architecture that are not known here.
pub(super) fn warnings(metadata: &Metadata) -> Result<Vec<String>, Error> {
    let architecture = architecture(metadata)?;
    let known = |name: &str| {
        KNOWN.contains(&name)
            || architecture.own_keys.contains(&name)
            || FOREIGN.iter().any(|(foreign, _)| *foreign == name)
    };
    let unknown = metadata.keys().filter(|key| {
        key.strip_prefix(architecture.name)
            .and_then(|name| name.strip_prefix('.'))
            .is_some_and(|name| !known(name))
    });
    Ok(unknown
        .map(|key| format!("the key `{key}` is not known and was passed over"))
        .collect())
}
