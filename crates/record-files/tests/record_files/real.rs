use std::path::PathBuf;

use record_files::Form;
use serde_json::Value;

/// A published file, or a loud note that the test is skipped.
fn published(file: &str) -> Option<PathBuf> {
    let folder = match std::env::var_os("MWPBENCH_SHARED_DATA") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
    };
    let path = folder.join(file);
    if !path.is_file() {
        eprintln!(
            "SKIPPED: no real data at {} (set MWPBENCH_SHARED_DATA)",
            path.display()
        );
        return None;
    }
    Some(path)
}

fn read(path: &std::path::Path, form: Form) -> Vec<Value> {
    let records = record_files::open(path).unwrap();
    assert_eq!(records.form(), form, "{}", path.display());
    records.map(|record| record.unwrap().value).collect()
}

#[test]
fn gsm8k_in_parquet_equals_gsm8k_in_lines() {
    let (Some(rows), Some(lines)) = (
        published("native/gsm8k/train.parquet"),
        published("native/gsm8k/train.jsonl"),
    ) else {
        return;
    };
    let (rows, lines) = (read(&rows, Form::Parquet), read(&lines, Form::JsonLines));
    assert_eq!(rows.len(), 7473);
    assert_eq!(rows, lines);
}

#[test]
fn published_files_have_their_records() {
    for (file, form, expected) in [
        ("native/math23k/sample_1000.json", Form::JsonRun, 1000),
        ("native/ape210k/test.ape.json", Form::JsonLines, 5000),
        (
            "native/gaokao_bench/2010-2022_Math_I_MCQs.json",
            Form::JsonRun,
            1,
        ),
        (
            "native/tal/en_single_choice_test_2K.jsonl",
            Form::JsonLines,
            2000,
        ),
        ("canonical/fresh_gaokao_math_2023.json", Form::JsonLines, 30),
        ("mathscale/math_extraction.json", Form::JsonArray, 100),
    ] {
        let Some(path) = published(file) else { return };
        assert_eq!(read(&path, form).len(), expected, "{file}");
    }
}
