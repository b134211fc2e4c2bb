//! Prints `datasets/agieval_math/overlap.json`: which items of AGIEval-MATH are also in MATH.
//!
//!     cargo run -p overlap --example agieval_math > datasets/agieval_math/overlap.json
//!
//! The two published files are looked for in `../shared/data` or `$MWPBENCH_SHARED_DATA`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use overlap::{TestItem, normal_form, same_items};
use serde::Serialize;

/// A line of the file.
#[derive(Serialize)]
struct Same {
    agieval_line: usize,
    math_idx: usize,
    question_blake3: String,
}

/// Before the items, each of which gets a line of its own.
const HEAD: &str = r#"{
  "purpose": "Items of AGIEval-MATH that are also in the test split of MATH: the same questions but for case, spacing and punctuation.",
  "agieval": "ruixiangcui/AGIEval, data/v1/math.jsonl, AGIEVAL_COUNT records. agieval_line is the line, from 1.",
  "math": "MATH, test split as JSON Lines, MATH_COUNT records. math_idx is the field idx, from 0.",
  "question_blake3": "BLAKE3 of the question's normal form (docs/overlap.md): finds the item whatever its id is.",
  "made_by": "cargo run -p overlap --example agieval_math > datasets/agieval_math/overlap.json",
  "items": ["#;

fn main() {
    let native = std::env::var_os("MWPBENCH_SHARED_DATA")
        .map_or_else(
            || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
            PathBuf::from,
        )
        .join("native");
    if !native.is_dir() {
        eprintln!(
            "SKIPPED: no real data at {} (set MWPBENCH_SHARED_DATA)",
            native.display()
        );
        return;
    }
    let agieval = read(
        "agieval_math",
        &native.join("agieval/math.jsonl"),
        "question",
    );
    let math = read("math", &native.join("math/test.jsonl"), "problem");
    let counts = (agieval.len(), math.len());
    let texts: HashMap<String, String> = agieval
        .iter()
        .map(|item| (item.id.clone(), item.text.clone()))
        .collect();
    let pairs =
        same_items(&[agieval, math].concat(), "agieval_math", "math").expect("distinct ids");
    let number = |id: &str| -> usize {
        id.rsplit('/')
            .next()
            .and_then(|number| number.parse().ok())
            .expect("a numbered id")
    };
    assert!(
        pairs.iter().all(|pair| pair.exact),
        "the head says that the questions are the same"
    );
    let lines = pairs.iter().map(|pair| {
        let same = Same {
            agieval_line: number(&pair.id),
            // Its records are numbered from 0 in their order.
            math_idx: number(&pair.same_as) - 1,
            question_blake3: blake3::hash(normal_form(&texts[&pair.id]).as_bytes())
                .to_hex()
                .to_string(),
        };
        format!("    {}", serde_json::to_string(&same).expect("plain data"))
    });
    let lines: Vec<String> = lines.collect();
    println!(
        "{}",
        HEAD.replace("AGIEVAL_COUNT", &counts.0.to_string())
            .replace("MATH_COUNT", &counts.1.to_string())
    );
    println!("{}\n  ]\n}}", lines.join(",\n"));
}

fn read(set: &str, path: &Path, field: &str) -> Vec<TestItem> {
    let records = record_files::open(path)
        .expect("a published file")
        .map(|record| record.expect("a record"));
    let item = |record: record_files::Record| TestItem {
        id: format!("{set}/{}", record.place.number()),
        set: set.to_owned(),
        text: record.value[field].as_str().expect("a question").to_owned(),
    };
    records.map(item).collect()
}
