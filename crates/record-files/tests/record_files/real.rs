use std::path::PathBuf;

use record_files::FileFormat;
use serde_json::Value;

/// A published file.
fn published(file: &str) -> PathBuf {
    let folder = match std::env::var_os("MWPBENCH_SHARED_DATA") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
    };
    folder.join(file)
}

fn read(path: &std::path::Path, format: FileFormat) -> Vec<Value> {
    let records = record_files::open(path).unwrap();
    assert_eq!(records.format(), format, "{}", path.display());
    records.map(|record| record.unwrap().value).collect()
}

#[test]
#[ignore = "needs the real data ($MWPBENCH_SHARED_DATA)"]
fn gsm8k_in_parquet_equals_gsm8k_in_lines() {
    let (rows, lines) = (
        published("native/gsm8k/train.parquet"),
        published("native/gsm8k/train.jsonl"),
    );
    let (rows, lines) = (
        read(&rows, FileFormat::Parquet),
        read(&lines, FileFormat::JsonLines),
    );
    assert_eq!(rows.len(), 7473);
    assert_eq!(rows, lines);
}

#[test]
#[ignore = "needs the real data ($MWPBENCH_SHARED_DATA)"]
fn published_files_have_their_records() {
    for (file, format, expected) in [
        (
            "native/math23k/sample_1000.json",
            FileFormat::JsonStream,
            1000,
        ),
        ("native/ape210k/test.ape.json", FileFormat::JsonLines, 5000),
        (
            "native/gaokao_bench/2010-2022_Math_I_MCQs.json",
            FileFormat::JsonStream,
            1,
        ),
        (
            "native/tal/en_single_choice_test_2K.jsonl",
            FileFormat::JsonLines,
            2000,
        ),
        (
            "canonical/fresh_gaokao_math_2023.json",
            FileFormat::JsonLines,
            30,
        ),
        ("mathscale/math_extraction.json", FileFormat::JsonArray, 100),
    ] {
        let path = published(file);
        assert_eq!(read(&path, format).len(), expected, "{file}");
    }
}
