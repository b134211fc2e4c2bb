//! The builder that a model has in torchtune, which knows families and not configurations.

use serde::Serialize;
use serde_json::Value;

use super::base::BaseModel;
use super::fault::RecipeFault;
use super::trainer::Trainer;

/// What torchtune builds a model with (0.6.1).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Builder {
    /// Module and function, such as `llama3.llama3`.
    pub(crate) component: String,
    /// The same with adapters.
    pub(crate) lora_component: String,
    /// The checkpointer's name of the family.
    pub(crate) model_type: &'static str,
    /// Arguments, in order.
    pub(crate) arguments: Vec<(&'static str, Value)>,
}

/// The builder of a base model.
///
/// # Errors
/// A family, or a detail of it, for which torchtune has none.
pub(crate) fn builder(base: &BaseModel) -> Result<Builder, RecipeFault> {
    let unsupported = |reason: String| RecipeFault::Unsupported {
        trainer: Trainer::Torchtune,
        reason: format!("has no builder for {reason}: take another trainer"),
    };
    let (config, shape) = (base.config(), base.shape());
    let family = config["model_type"].as_str().unwrap_or_default();
    let rope = Rope::of(config);
    let scaled = rope.kind.as_deref() == Some("llama3");
    if rope.kind.as_deref().is_some_and(|kind| kind != "default") && !(scaled && family == "llama")
    {
        return Err(unsupported(format!(
            "rotary embeddings of the type \"{}\"",
            rope.kind.unwrap_or_default()
        )));
    }
    let (module, model_type) = match (family, scaled, shape.tied) {
        ("llama", false, false) => ("llama3", "LLAMA3"),
        ("llama", true, false) => ("llama3_1", "LLAMA3"),
        ("llama", true, true) => ("llama3_2", "LLAMA3_2"),
        ("mistral", _, false) => ("mistral", "MISTRAL"),
        ("qwen2", _, _) => ("qwen2", "QWEN2"),
        (_, _, true) => {
            return Err(unsupported(format!(
                "models of the type \"{family}\" with one tensor for both embeddings"
            )));
        }
        _ => return Err(unsupported(format!("models of the type \"{family}\""))),
    };
    if shape.head_dim * shape.heads != shape.hidden || (family != "qwen2" && shape.qkv_bias) {
        return Err(unsupported(
            "heads that are wider or narrower than the model, or biases in the attention".into(),
        ));
    }
    let mut arguments = vec![
        ("vocab_size", shape.vocabulary.into()),
        ("num_layers", shape.layers.into()),
        ("num_heads", shape.heads.into()),
        ("num_kv_heads", shape.kv_heads.into()),
        ("embed_dim", shape.hidden.into()),
        ("intermediate_dim", shape.intermediate.into()),
        ("max_seq_len", base.max_positions().unwrap_or(4096).into()),
        ("attn_dropout", 0.0.into()),
        (
            "norm_eps",
            config["rms_norm_eps"].as_f64().unwrap_or(1e-5).into(),
        ),
        ("rope_base", (rope.theta as u64).into()),
    ];
    if scaled {
        arguments.push(("scale_factor", (rope.factor as u64).into()));
    }
    if ["llama3_2", "qwen2"].contains(&module) {
        arguments.push(("tie_word_embeddings", shape.tied.into()));
    }
    Ok(Builder {
        component: format!("{module}.{module}"),
        lora_component: format!("{module}.lora_{module}"),
        model_type,
        arguments,
    })
}

/// Rotary embeddings, in the keys of either generation of transformers.
struct Rope {
    kind: Option<String>,
    theta: f64,
    factor: f64,
}

impl Rope {
    fn of(config: &Value) -> Self {
        let scaling = match &config["rope_parameters"] {
            Value::Null => &config["rope_scaling"],
            parameters => parameters,
        };
        let kind = scaling["rope_type"]
            .as_str()
            .or_else(|| scaling["type"].as_str());
        let theta = (scaling["rope_theta"].as_f64()).or_else(|| config["rope_theta"].as_f64());
        Self {
            kind: kind.map(str::to_string),
            theta: theta.unwrap_or(10_000.0),
            factor: scaling["factor"].as_f64().unwrap_or(1.0),
        }
    }
}
