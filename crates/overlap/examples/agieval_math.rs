//! Prints `datasets/agieval_math/overlap.json`: which items of AGIEval-MATH are also in MATH.
//!
//!     cargo run -p overlap --example agieval_math > datasets/agieval_math/overlap.json
//!
//! The two published files are looked for in `../shared/data` or `$MWPBENCH_SHARED_DATA`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use overlap::{Item, normal_form, same_items};
use serde::Serialize;

#[derive(Serialize)]
struct Overlap {
    purpose: &'static str,
    agieval: Source,
    math: Source,
    key: &'static str,
    items: Vec<Same>,
}

#[derive(Serialize)]
struct Source {
    file: &'static str,
    records: usize,
}

#[derive(Serialize)]
struct Same {
    agieval_line: usize,
    question_blake3: String,
    math_idx: usize,
    exact: bool,
}

fn main() {
    let native = std::env::var_os("MWPBENCH_SHARED_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from)
        .join("native");
    if !native.is_dir() {
        eprintln!("SKIPPED: no real data at {} (set MWPBENCH_SHARED_DATA)", native.display());
        return;
    }
    let agieval = read("agieval_math", &native.join("agieval/math.jsonl"), "question");
    let math = read("math", &native.join("math/test.jsonl"), "problem");
    let counts = (agieval.len(), math.len());
    let texts: HashMap<String, String> = agieval.iter().map(|item| (item.id.clone(), item.text.clone())).collect();
    let pairs = same_items(&[agieval, math].concat(), "agieval_math", "math").expect("distinct ids");
    let number = |id: &str| id.rsplit('/').next().and_then(|number| number.parse().ok()).expect("a numbered id");
    let same = pairs.iter().map(|pair| Same {
        agieval_line: number(&pair.id),
        question_blake3: blake3::hash(normal_form(&texts[&pair.id]).as_bytes()).to_hex().to_string(),
        // Its records are numbered from 0 in their order.
        math_idx: number(&pair.same_as) - 1,
        exact: pair.exact,
    });
    let overlap = Overlap {
        purpose: "Items of AGIEval-MATH that are also in the test split of MATH, found by crates/overlap (examples/agieval_math.rs)",
        agieval: Source { file: "ruixiangcui/AGIEval, data/v1/math.jsonl", records: counts.0 },
        math: Source { file: "MATH, test split as JSON Lines with idx from 0", records: counts.1 },
        key: "agieval_line: line of AGIEval's file, from 1. question_blake3: BLAKE3 of the question's normal form (docs/overlap.md), which finds the item whatever it is called. math_idx: idx of the same problem in MATH.",
        items: same.collect(),
    };
    println!("{}", serde_json::to_string_pretty(&overlap).expect("plain data"));
}

fn read(set: &str, path: &Path, field: &str) -> Vec<Item> {
    let records = record_files::open(path).expect("a published file").map(|record| record.expect("a record"));
    let item = |record: record_files::Record| Item {
        id: format!("{set}/{}", record.place.number()),
        set: set.to_owned(),
        text: record.value[field].as_str().expect("a question").to_owned(),
    };
    records.map(item).collect()
}
