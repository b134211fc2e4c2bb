//! What tensors are called in GGUF files and by transformers (llama.cpp,
//! `gguf-py/gguf/tensor_mapping.py`).

use crate::family::{Architecture, WHOLE};

/// What the tensors of a layer are called in GGUF files and by transformers, `*` standing for the
/// number of an expert.
fn of_layers(architecture: Architecture) -> impl Iterator<Item = (&'static str, &'static str)> {
    let specs = architecture.family().layer.iter();
    specs.flat_map(|spec| spec.gguf.iter().copied().zip(spec.names.iter().copied()))
}

/// Part and kind: `attn_q` and `weight` of `attn_q.weight`.
fn split_kind(name: &str) -> Option<(&str, &str)> {
    name.rsplit_once('.')
        .filter(|(_, kind)| ["weight", "bias"].contains(kind))
}

/// The name in transformers of a tensor of a GGUF file, with `*` where it holds that of every
/// expert; names of other tensors stay.
pub(super) fn transformers_name(architecture: Architecture, name: &str) -> String {
    let known = || {
        let (part, kind) = split_kind(name)?;
        if let Some((_, theirs)) = WHOLE.iter().find(|(ours, _)| *ours == part) {
            return Some(format!("{theirs}.{kind}"));
        }
        let (layer, part) = part.strip_prefix("blk.")?.split_once('.')?;
        let theirs = match of_expert(part) {
            // Files of the first months of Mixtral have a tensor for each expert.
            Some((part, expert)) => {
                let (_, theirs) = of_layers(architecture)
                    .find(|(ours, _)| ours.strip_suffix("_exps") == Some(part))?;
                theirs.replace('*', expert)
            }
            None => {
                let (_, theirs) = of_layers(architecture).find(|(ours, _)| *ours == part)?;
                theirs.to_string()
            }
        };
        Some(format!("model.layers.{layer}.{theirs}.{kind}"))
    };
    known().unwrap_or_else(|| name.to_string())
}

/// `ffn_gate` and `3` of `ffn_gate.3`.
fn of_expert(part: &str) -> Option<(&str, &str)> {
    let (part, expert) = part.split_once('.')?;
    expert.parse::<u16>().is_ok().then_some((part, expert))
}

/// The name in GGUF files of a tensor of transformers; names of other tensors stay.
pub(super) fn stored_name(architecture: Architecture, name: &str) -> String {
    let known = || {
        let (part, kind) = split_kind(name)?;
        if let Some((ours, _)) = WHOLE.iter().find(|(_, theirs)| *theirs == part) {
            return Some(format!("{ours}.{kind}"));
        }
        let (layer, part) = part.strip_prefix("model.layers.")?.split_once('.')?;
        let (ours, _) = of_layers(architecture).find(|(_, theirs)| is_one_of(part, theirs))?;
        Some(format!("blk.{layer}.{ours}.{kind}"))
    };
    known().unwrap_or_else(|| name.to_string())
}

/// Whether a name is this one, in which `*` stands for any number.
fn is_one_of(name: &str, pattern: &str) -> bool {
    let Some((start, end)) = pattern.split_once('*') else {
        return name == pattern;
    };
    let number = name
        .strip_prefix(start)
        .and_then(|rest| rest.strip_suffix(end));
    number.is_some_and(|number| number.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_there_and_back() {
        use Architecture::{Gemma3, Mixtral, Olmo2, Phi3, Qwen3};
        for (architecture, ours, theirs) in [
            (Qwen3, "token_embd.weight", "model.embed_tokens.weight"),
            (Qwen3, "output.weight", "lm_head.weight"),
            (
                Qwen3,
                "blk.11.attn_q.bias",
                "model.layers.11.self_attn.q_proj.bias",
            ),
            (
                Qwen3,
                "blk.0.attn_q_norm.weight",
                "model.layers.0.self_attn.q_norm.weight",
            ),
            (
                Qwen3,
                "blk.3.ffn_norm.weight",
                "model.layers.3.post_attention_layernorm.weight",
            ),
            (
                Olmo2,
                "blk.3.post_attention_norm.weight",
                "model.layers.3.post_attention_layernorm.weight",
            ),
            (
                Gemma3,
                "blk.3.ffn_norm.weight",
                "model.layers.3.pre_feedforward_layernorm.weight",
            ),
            (
                Phi3,
                "blk.3.ffn_up.weight",
                "model.layers.3.mlp.gate_up_proj.weight",
            ),
            (
                Mixtral,
                "blk.3.ffn_gate_inp.weight",
                "model.layers.3.block_sparse_moe.gate.weight",
            ),
        ] {
            assert_eq!(transformers_name(architecture, ours), theirs);
            assert_eq!(stored_name(architecture, theirs), ours);
        }
        assert_eq!(
            transformers_name(Mixtral, "blk.0.ffn_gate_exps.weight"),
            "model.layers.0.block_sparse_moe.experts.*.w1.weight"
        );
        assert_eq!(
            transformers_name(Mixtral, "blk.0.ffn_down.11.weight"),
            "model.layers.0.block_sparse_moe.experts.11.w2.weight"
        );
        assert_eq!(
            stored_name(
                Mixtral,
                "model.layers.0.block_sparse_moe.experts.7.w3.weight"
            ),
            "blk.0.ffn_up_exps.weight"
        );
        assert_eq!(
            transformers_name(Qwen3, "blk.0.ffn_gate_exps.weight"),
            "blk.0.ffn_gate_exps.weight"
        );
    }
}
