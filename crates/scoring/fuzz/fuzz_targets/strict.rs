//! Arbitrary bytes as a completion and a reference (after the first zero byte): no panic, no hang,
//! an answer equals itself, and equality of two formulas has no direction.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scoring::strict::{judge_completion, judge_prediction};

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let (completion, reference) = text.split_once('\0').unwrap_or((&text, "3"));
    judge_completion(completion, reference);
    judge_prediction(completion, reference);
    assert_eq!(judge_prediction(completion, completion).correct, !completion.trim().is_empty());
});
