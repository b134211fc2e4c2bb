//! Metadata as `config.json` (keys: ggml, `docs/gguf.md`, and llama.cpp, `src/llama-arch.cpp`).

use serde_json::{Value, json};

use super::container::Metadata;
use super::{Gguf, vocabulary};
use crate::error::{Error, ErrorKind};

/// Architectures that are one of our families, and what transformers calls them.
const ARCHITECTURES: [(&str, &str); 3] =
    [("llama", "llama"), ("qwen2", "qwen2"), ("qwen3", "qwen3")];

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
const FOREIGN: [(&str, f64); 22] = [
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
    ("swin_norm", 0.0),
    ("use_parallel_residual", 0.0),
];

fn architecture(metadata: &Metadata) -> Result<(&'static str, &'static str), Error> {
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
    ARCHITECTURES.into_iter().find(|(own, _)| *own == name).ok_or_else(|| {
        unsupported(format!(
            "architecture `{name}` is not supported; supported are `llama` (LLaMA and Mistral), `qwen2` and `qwen3`"
        ))
    })
}

/// Whether queries and keys are stored for rotations of neighbours.
pub(super) fn interleaves(metadata: &Metadata) -> bool {
    matches!(architecture(metadata), Ok(("llama", _)))
}

/// `config.json`.
pub(super) fn config(gguf: &Gguf) -> Result<Value, Error> {
    let metadata = &gguf.parts[0].metadata;
    let (own, model_type) = architecture(metadata)?;
    for (key, neutral) in FOREIGN {
        let key = format!("{own}.{key}");
        if metadata.is_set(&key, neutral) {
            return Err(metadata.error(ErrorKind::Unsupported, format!("`{key}` is not supported")));
        }
    }
    let key = |name: &str| format!("{own}.{name}");
    let required = |name: &str| {
        let number = metadata.number_of_all_layers(&key(name))?;
        number.ok_or_else(|| {
            metadata.error(ErrorKind::Config, format!("lacks the key `{}`", key(name)))
        })
    };
    let (hidden_size, heads) = (
        required("embedding_length")?,
        required("attention.head_count")?,
    );
    let kv_heads = metadata
        .number_of_all_layers(&key("attention.head_count_kv"))?
        .unwrap_or(heads);
    // No heads at all are refused with the other settings of the model.
    let even_split = hidden_size.checked_div(heads).unwrap_or(0);
    let head_dim = metadata
        .number(&key("attention.key_length"))?
        .unwrap_or(even_split);
    for (name, what) in [
        ("attention.value_length", "values"),
        ("rope.dimension_count", "rotations"),
    ] {
        if let Some(width) = metadata
            .number(&key(name))?
            .filter(|width| *width != head_dim)
        {
            let message = format!(
                "`{}` is {width}: {what} narrower or wider than heads ({head_dim}) are not supported",
                key(name)
            );
            return Err(metadata.error(ErrorKind::Unsupported, message));
        }
    }
    let epsilon = metadata.float(&key("attention.layer_norm_rms_epsilon"))?;
    let epsilon = epsilon.ok_or_else(|| {
        metadata.error(
            ErrorKind::Config,
            format!(
                "lacks the key `{}`",
                key("attention.layer_norm_rms_epsilon")
            ),
        )
    })?;
    let vocabulary = gguf
        .find("token_embd.weight")
        .and_then(|(_, entry)| entry.shape.first().copied());
    let has = |tensor: &str| gguf.find(tensor).is_some();
    let window = metadata
        .number(&key("attention.sliding_window"))?
        .filter(|window| *window > 0);
    let mut config = json!({
        // llama.cpp has one architecture for both families, of which only Mistral has windows.
        "model_type": if own == "llama" && window.is_some() { "mistral" } else { model_type },
        "hidden_size": hidden_size,
        "num_hidden_layers": required("block_count")?,
        "intermediate_size": required("feed_forward_length")?,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "head_dim": head_dim,
        "rms_norm_eps": epsilon,
        "max_position_embeddings": required("context_length")?,
        "vocab_size": vocabulary,
        "rope_theta": metadata.float(&key("rope.freq_base"))?.unwrap_or(10_000.0),
        // The format has no key for it: the tensor is left out.
        "tie_word_embeddings": !has("output.weight"),
        "attention_bias": has("blk.0.attn_q.bias") && own != "qwen2",
        "mlp_bias": has("blk.0.ffn_gate.bias"),
        "sliding_window": window,
        "use_sliding_window": window.is_some(),
        // The one window that a file names is that of all layers: patterns of windows are refused.
        "max_window_layers": 0,
        "bos_token_id": vocabulary::special_id(metadata, "bos")?,
        "eos_token_id": vocabulary::eos_ids(metadata)?,
    });
    if let Some(scaling) = rope_scaling(metadata, own)? {
        config["rope_scaling"] = scaling;
    }
    Ok(config)
}

fn rope_scaling(metadata: &Metadata, own: &str) -> Result<Option<Value>, Error> {
    let key = |name: &str| format!("{own}.rope.{name}");
    let factor = metadata.float(&key("scaling.factor"))?;
    // How files of the first years say it.
    let factor = factor.or(metadata.float(&key("scale_linear"))?);
    let linear = factor.is_some_and(|factor| factor != 1.0 && factor != 0.0);
    let kind =
        metadata
            .text(&key("scaling.type"))?
            .unwrap_or(if linear { "linear" } else { "none" });
    for (name, neutral) in [
        ("scaling.attn_factor", 1.0),
        ("scaling.yarn_attn_factor", 1.0),
        ("scaling.yarn_ext_factor", 1.0),
    ] {
        if metadata.is_set(&key(name), neutral) {
            let message = format!("`{}` other than {neutral} is not supported", key(name));
            return Err(metadata.error(ErrorKind::Unsupported, message));
        }
    }
    match kind {
        "none" => Ok(None),
        "linear" => Ok(Some(json!({ "rope_type": "linear", "factor": factor }))),
        "yarn" => Ok(Some(json!({
            "rope_type": "yarn",
            "factor": factor,
            "original_max_position_embeddings": metadata.number(&key("scaling.original_context_length"))?,
            "beta_fast": metadata.float(&key("scaling.yarn_beta_fast"))?,
            "beta_slow": metadata.float(&key("scaling.yarn_beta_slow"))?,
        }))),
        other => {
            let message = format!(
                "`{}` is `{other}`, which is not supported; `none`, `linear` and `yarn` are",
                key("scaling.type")
            );
            Err(metadata.error(ErrorKind::Unsupported, message))
        }
    }
}

/// Warnings of keys of the architecture that are not known here.
pub(super) fn warnings(metadata: &Metadata) -> Result<Vec<String>, Error> {
    let (own, _) = architecture(metadata)?;
    let known =
        |name: &str| KNOWN.contains(&name) || FOREIGN.iter().any(|(foreign, _)| *foreign == name);
    let unknown = metadata.keys().filter(|key| {
        key.strip_prefix(own)
            .and_then(|name| name.strip_prefix('.'))
            .is_some_and(|name| !known(name))
    });
    Ok(unknown
        .map(|key| format!("the key `{key}` is not known and was passed over"))
        .collect())
}
