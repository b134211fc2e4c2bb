//! Names of tensors as training tools leave them: with what had wrapped the model, or without the
//! `model.` of a model that was saved without its output layer.

use std::collections::BTreeSet;

use crate::family::{EMBEDDING, OUTPUT};

/// What a part of a name says of who wrapped the module (torch, `torch/_dynamo/eval_frame.py`,
/// `torch/distributed/fsdp` and `torch/distributed/algorithms/_checkpoint`).
const PARTS: [&str; 3] = [
    "_orig_mod",
    "_fsdp_wrapped_module",
    "_checkpoint_wrapped_module",
];

/// What stands before a name: of `DataParallel` and DeepSpeed, and of PEFT.
const PREFIXES: [&str; 2] = ["module.", "base_model.model."];

/// What every layer's name begins with.
const MODEL: &str = "model.";

/// The names of a checkpoint's tensors as transformers gives them, in the same order, and what was
/// taken from them or put before them.
pub(super) fn unwrapped(names: &[&str]) -> (Vec<String>, Vec<&'static str>) {
    let mut taken = BTreeSet::new();
    let mut unwrapped: Vec<String> = names
        .iter()
        .map(|name| without_wrappers(name, &mut taken))
        .collect();
    let has = |unwrapped: &[String], name: &str| unwrapped.iter().any(|known| known == name);
    if !has(&unwrapped, EMBEDDING) {
        let bare = EMBEDDING.strip_prefix(MODEL).unwrap_or(EMBEDDING);
        if has(&unwrapped, bare) {
            for name in unwrapped.iter_mut().filter(|name| *name != OUTPUT) {
                name.insert_str(0, MODEL);
            }
            taken.insert("a missing `model.`");
        } else if has(&unwrapped, &format!("{MODEL}{EMBEDDING}")) {
            for name in &mut unwrapped {
                *name = name.strip_prefix(MODEL).unwrap_or(name).to_string();
            }
            taken.insert("a second `model.`");
        }
    }
    (unwrapped, taken.into_iter().collect())
}

fn without_wrappers(name: &str, taken: &mut BTreeSet<&'static str>) -> String {
    let mut parts: Vec<&str> = name.split('.').collect();
    for part in PARTS {
        if parts.contains(&part) {
            parts.retain(|other| *other != part);
            taken.insert(part);
        }
    }
    let mut name = parts.join(".");
    for prefix in PREFIXES {
        if let Some(rest) = name.strip_prefix(prefix) {
            name = rest.to_string();
            taken.insert(prefix.trim_end_matches('.'));
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_transformers_stay_as_they_are() {
        let names = [EMBEDDING, "model.layers.0.self_attn.q_proj.weight", OUTPUT];
        assert_eq!(
            unwrapped(&names),
            (names.map(str::to_string).to_vec(), vec![])
        );
    }

    #[test]
    fn wrappers_are_taken_off_and_named() {
        let expected = [EMBEDDING, "model.layers.0.mlp.up_proj.weight", OUTPUT];
        let cases = [
            (
                [
                    "_orig_mod.model.embed_tokens.weight",
                    "_orig_mod.model.layers.0.mlp.up_proj.weight",
                    "_orig_mod.lm_head.weight",
                ],
                vec!["_orig_mod"],
            ),
            (
                [
                    "module.model.embed_tokens.weight",
                    "module.model.layers.0._fsdp_wrapped_module.mlp.up_proj.weight",
                    "module.lm_head.weight",
                ],
                vec!["_fsdp_wrapped_module", "module"],
            ),
            (
                [
                    "base_model.model.model.embed_tokens.weight",
                    "base_model.model.model.layers.0.mlp.up_proj.weight",
                    "base_model.model.lm_head.weight",
                ],
                vec!["base_model.model"],
            ),
            (
                [
                    "embed_tokens.weight",
                    "layers.0.mlp.up_proj.weight",
                    "lm_head.weight",
                ],
                vec!["a missing `model.`"],
            ),
            (
                [
                    "model.model.embed_tokens.weight",
                    "model.model.layers.0.mlp.up_proj.weight",
                    "model.lm_head.weight",
                ],
                vec!["a second `model.`"],
            ),
        ];
        for (names, taken) in cases {
            let (found, found_taken) = unwrapped(&names);
            assert_eq!(
                (found, found_taken),
                (expected.map(str::to_string).to_vec(), taken)
            );
        }
    }
}
