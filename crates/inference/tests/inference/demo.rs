use std::path::{Path, PathBuf};

use inference::{CheckpointFiles, EngineOptions, LocalModel, WeightDtype};
use serde_json::Value;

use crate::checkpoints::ids;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn load(options: &EngineOptions) -> LocalModel {
    LocalModel::load(CheckpointFiles::open(&repository().join("models/demo")).unwrap(), options).unwrap()
}

fn fixture(name: &str) -> String {
    let path = repository().join("crates/inference/tests/fixtures").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Prompts and the greedy tokens of transformers.
fn recording() -> (Vec<Vec<u32>>, Vec<Vec<u32>>) {
    let text = fixture("demo_greedy.jsonl");
    let cases = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let cases: Vec<_> = cases.map(|case| (ids(&case["prompt_ids"]), ids(&case["tokens"]))).collect();
    assert!(cases.len() >= 10, "only {} recorded completions", cases.len());
    cases.into_iter().unzip()
}

const MOST_TOKENS: usize = 160;

#[test]
fn greedy_tokens_are_those_of_transformers_in_any_batch() {
    let (prompts, expected) = recording();
    for batch_size in [1, 3, 16] {
        let mut model = load(&EngineOptions { batch_size: Some(batch_size), ..Default::default() });
        let found = model.generate_ids(&prompts, MOST_TOKENS).unwrap();
        for ((prompt, found), expected) in prompts.iter().zip(&found).zip(&expected) {
            assert_eq!(found, expected, "batch {batch_size}, prompt {prompt:?}");
        }
    }
}

#[test]
fn the_dtype_asked_for_changes_nothing_where_the_checkpoint_is_bf16() {
    let (prompts, _) = recording();
    let prompts = &prompts[..prompts.len().min(16)];
    let run = |dtype| load(&EngineOptions { dtype, ..Default::default() }).generate_ids(prompts, 64).unwrap();
    let auto = run(WeightDtype::Auto);
    assert_eq!(run(WeightDtype::F32), auto);
    if load(&EngineOptions::default()).dtype() == "bf16" {
        assert_eq!(run(WeightDtype::Bf16), auto);
    }
}

#[test]
fn logits_are_those_of_transformers() {
    let recorded: Value = serde_json::from_str(&fixture("demo_logits.json")).unwrap();
    let model = load(&EngineOptions::default());
    let cases = recorded.as_array().expect("a list of cases");
    assert!(!cases.is_empty());
    for case in cases {
        let expected: Vec<f32> =
            case["logits"].as_array().unwrap().iter().map(|logit| logit.as_f64().unwrap() as f32).collect();
        let found = model.logits(&ids(&case["prompt_ids"])).unwrap().pop().unwrap();
        assert_eq!(found.len(), expected.len());
        let worst = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        // f32 sums in different orders, over logits of size 10 to 30.
        assert!(worst < 1e-3, "differs by {worst}");
    }
}
