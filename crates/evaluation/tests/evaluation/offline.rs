use std::fs;
use std::path::PathBuf;

use dataset_loader::Benchmark;
use evaluation::{Grader, score_file};
use serde_json::Value;

fn grader() -> Grader {
    Grader::new(&Benchmark::published())
}

struct Files {
    _folder: tempfile::TempDir,
    input: PathBuf,
    output: PathBuf,
}

fn files(content: &str) -> Files {
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (
        folder.path().join("in.jsonl"),
        folder.path().join("out.jsonl"),
    );
    fs::write(&input, content).unwrap();
    Files {
        _folder: folder,
        input,
        output,
    }
}

fn lines(files: &Files) -> Vec<Value> {
    fs::read_to_string(&files.output)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn writes_a_verdict_a_line_in_the_order_of_the_input() {
    let files = files(
        &[
            r#"{"id": "a", "completion": "So the answer is 18.", "reference": "18", "dataset": "gsm8k", "question": "?"}"#,
            r#"{"id": 2, "prediction": "\\frac12", "reference": "\\frac{1}{2}"}"#,
            "",
            r#"{"id": "c", "completion": "", "reference": "5"}"#,
            r#"{"id": "d", "completion": "18", "reference": "\\sqrt"}"#,
            r#"{"id": "e", "completion": "It is 17", "reference": "18", "finish_reason": "length"}"#,
        ]
        .join("\n"),
    );
    let counts = score_file(&grader(), &files.input, &files.output).unwrap();
    assert_eq!(
        (counts.n, counts.official_correct, counts.strict_correct),
        (5, 2, 2)
    );
    assert_eq!((counts.no_answer, counts.reference_errors), (1, 1));
    let found = lines(&files);
    let ids: Vec<&Value> = found.iter().map(|line| &line["id"]).collect();
    assert_eq!(
        ids,
        [
            &Value::from("a"),
            &Value::from(2),
            &Value::from("c"),
            &Value::from("d"),
            &Value::from("e")
        ]
    );
    let verdicts: Vec<&str> = found
        .iter()
        .map(|line| line["official"]["verdict"].as_str().unwrap())
        .collect();
    assert_eq!(
        verdicts,
        ["correct", "correct", "no_answer", "wrong", "truncated"]
    );
    assert_eq!(found[0]["official"]["prediction"], "18");
    assert_eq!(found[2]["official"]["prediction"], Value::Null);
    assert_eq!(found[2]["official"]["reference"], "5");
    assert_eq!(found[3]["official"]["exception"], "IndexError");
    assert_eq!(found[3]["official"]["reference"], Value::Null);
    assert_eq!(found[0]["official"]["exception"], Value::Null);
    assert_eq!(
        (
            &found[0]["strict"]["verdict"],
            &found[0]["strict"]["answer"]
        ),
        (&"correct".into(), &"18".into())
    );
    assert_eq!(found[4]["strict"]["verdict"], "truncated");
}

#[test]
fn bad_lines_are_named_and_leave_no_output() {
    for (bad, expected) in [
        (
            r#"{"completion": "x", "reference": "1"}"#,
            "the field \"id\" is missing",
        ),
        (
            r#"{"id": "a", "completion": "x"}"#,
            "the field \"reference\" is missing",
        ),
        (
            r#"{"id": "a", "reference": "1"}"#,
            "the field \"completion\" (or \"prediction\") is missing",
        ),
        (
            r#"{"id": "a", "completion": "x", "prediction": "x", "reference": "1"}"#,
            "not both",
        ),
        (
            r#"{"id": "a", "completion": 3, "reference": "1"}"#,
            "the field \"completion\" must be a string",
        ),
        (
            r#"{"id": "a", "completion": "x", "reference": "1", "finish_reason": "tired"}"#,
            "known: eos, stop, length, error",
        ),
        ("nonsense", "not a JSON object"),
    ] {
        let files = files(&format!(
            "{}\n{bad}\n",
            r#"{"id": "ok", "completion": "x", "reference": "1"}"#
        ));
        let text = score_file(&grader(), &files.input, &files.output)
            .unwrap_err()
            .to_string();
        assert!(
            text.contains("in.jsonl, line 2: ") && text.contains(expected),
            "{bad}\ngave {text}"
        );
        assert!(!files.output.exists());
    }
}
