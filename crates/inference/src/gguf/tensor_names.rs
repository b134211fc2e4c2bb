//! What tensors are called in GGUF files and by transformers (llama.cpp,
//! `gguf-py/gguf/tensor_mapping.py`).

use crate::family::{Architecture, WHOLE};

/// What the tensors of a layer are called in GGUF files and by transformers. Files of the families
/// that are read name each alike.
fn of_layers() -> impl Iterator<Item = (&'static str, &'static str)> {
    let specs = Architecture::Qwen3.family().layer.iter();
    specs.flat_map(|spec| spec.gguf.iter().copied().zip(spec.names.iter().copied()))
}

/// Part and kind: `attn_q` and `weight` of `attn_q.weight`.
fn split_kind(name: &str) -> Option<(&str, &str)> {
    name.rsplit_once('.')
        .filter(|(_, kind)| ["weight", "bias"].contains(kind))
}

/// The name in transformers of a tensor of a GGUF file; names of other tensors stay.
pub(super) fn transformers_name(name: &str) -> String {
    let known = || {
        let (part, kind) = split_kind(name)?;
        if let Some((_, theirs)) = WHOLE.iter().find(|(ours, _)| *ours == part) {
            return Some(format!("{theirs}.{kind}"));
        }
        let (layer, part) = part.strip_prefix("blk.")?.split_once('.')?;
        let (_, theirs) = of_layers().find(|(ours, _)| *ours == part)?;
        Some(format!("model.layers.{layer}.{theirs}.{kind}"))
    };
    known().unwrap_or_else(|| name.to_string())
}

/// The name in GGUF files of a tensor of transformers; names of other tensors stay.
pub(crate) fn stored_name(name: &str) -> String {
    let known = || {
        let (part, kind) = split_kind(name)?;
        if let Some((ours, _)) = WHOLE.iter().find(|(_, theirs)| *theirs == part) {
            return Some(format!("{ours}.{kind}"));
        }
        let (layer, part) = part.strip_prefix("model.layers.")?.split_once('.')?;
        let (ours, _) = of_layers().find(|(_, theirs)| *theirs == part)?;
        Some(format!("blk.{layer}.{ours}.{kind}"))
    };
    known().unwrap_or_else(|| name.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_there_and_back() {
        for (ours, theirs) in [
            ("token_embd.weight", "model.embed_tokens.weight"),
            ("output.weight", "lm_head.weight"),
            (
                "blk.11.attn_q.bias",
                "model.layers.11.self_attn.q_proj.bias",
            ),
            (
                "blk.0.attn_q_norm.weight",
                "model.layers.0.self_attn.q_norm.weight",
            ),
            (
                "blk.3.ffn_norm.weight",
                "model.layers.3.post_attention_layernorm.weight",
            ),
        ] {
            assert_eq!(transformers_name(ours), theirs);
            assert_eq!(stored_name(theirs), ours);
        }
        assert_eq!(
            transformers_name("blk.0.ffn_gate_exps.weight"),
            "blk.0.ffn_gate_exps.weight"
        );
    }
}
