//! What the original scorer returned on real completions, rewritten references, nasty and fuzzed
//! texts.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use flate2::read::GzDecoder;
use scoring::official::judge_completion;
use serde::Deserialize;

#[derive(Deserialize)]
struct Row {
    id: String,
    completion: String,
    reference: String,
    judge: Option<bool>,
    clean_prediction: Option<String>,
    clean_reference: Option<String>,
    exception: Option<String>,
    inner_exception: Option<String>,
}

/// Asserts that every row has the outcome that was recorded; how many there are.
fn agreeing(vectors: impl BufRead) -> usize {
    let (mut rows, mut differences) = (0, Vec::new());
    for line in vectors.lines() {
        let row: Row =
            serde_json::from_str(&line.expect("a readable file")).expect("a JSON object a line");
        let judgement = judge_completion(&row.completion, &row.reference);
        let agrees = judgement.correct == row.judge.unwrap_or(false)
            && judgement.prediction == row.clean_prediction
            && judgement.reference == row.clean_reference
            && judgement.exception.map(|exception| exception.to_string()) == row.exception
            && judgement.swallowed.map(|exception| exception.to_string()) == row.inner_exception;
        rows += 1;
        if !agrees {
            differences.push(format!("{}: {judgement:?}", row.id));
        }
    }
    assert!(
        differences.is_empty(),
        "{} of {rows} differ, the first: {:#?}",
        differences.len(),
        &differences[..1]
    );
    rows
}

/// Of each of the 780 kinds of the whole file some rows, of each outcome at least 15.
#[test]
fn judgements_agree_with_the_committed_vectors() {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/official_vectors.jsonl.gz"
    );
    let vectors = GzDecoder::new(File::open(file).expect("the committed vectors"));
    assert_eq!(agreeing(BufReader::new(vectors)), 1_130);
}

#[test]
#[ignore = "needs the real data ($MWPBENCH_SHARED_DATA)"]
fn judgements_agree_with_the_recorded_vectors() {
    let folder = std::env::var_os("MWPBENCH_SHARED_DATA").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")),
        PathBuf::from,
    );
    let vectors = File::open(folder.join("grading/official_vectors.jsonl")).expect("the vectors");
    assert_eq!(agreeing(BufReader::new(vectors)), 57_069);
}
