//! Texts that a fuzzer found worth keeping (`fuzz/fuzz_targets/strict.rs`): what once made the
//! scorer panic, and the smallest set that reaches all code that the fuzzer reached.

use std::fs;

use scoring::{official, strict};
use serde::Deserialize;

#[derive(Deserialize)]
struct Found {
    completion: String,
    reference: String,
}

#[test]
fn what_the_fuzzer_kept_is_judged() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/fuzz.jsonl");
    let text = fs::read_to_string(path).expect("the kept texts");
    let mut count = 0;
    for line in text.lines() {
        let Found {
            completion,
            reference,
        } = serde_json::from_str(line).expect("a line of two texts");
        strict::judge_completion(&completion, &reference);
        strict::judge_prediction(&completion, &reference);
        official::judge_completion(&completion, &reference);
        let itself = strict::judge_prediction(&completion, &completion);
        assert_eq!(
            itself.correct,
            !completion.trim().is_empty(),
            "{completion:?}: {itself:?}"
        );
        count += 1;
    }
    assert!(count > 500, "{count}");
}
