//! Answers a second that each scorer judges, on one thread.
//!
//! Labelled answers come from `$MWPBENCH_SHARED_DATA/grading/bench_5000.jsonl` (or
//! `../shared/data`), else from the cases in `answer-normalizers/`. Each run first checks what it
//! is about to measure: the verdicts must be those of a run item by item, and not all alike.

use std::hint::black_box;
use std::path::{Path, PathBuf};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use scoring::{official, strict};
use serde_json::Value;

/// Whether a scorer finds a completion's answer equal to a reference.
type Judge = fn(&str, &str) -> bool;

/// Completion and reference.
type Answer = (String, String);

fn shared_answers() -> Option<Vec<Answer>> {
    let data = std::env::var_os("MWPBENCH_SHARED_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"),
        PathBuf::from,
    );
    let text = std::fs::read_to_string(data.join("grading/bench_5000.jsonl")).ok()?;
    let answer = |line: &str| {
        let row: Value = serde_json::from_str(line).ok()?;
        Some((
            row["completion"].as_str()?.to_string(),
            row["reference"].as_str()?.to_string(),
        ))
    };
    Some(text.lines().filter_map(answer).collect())
}

fn case_answers() -> Vec<Answer> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("answer-normalizers/cases");
    let mut answers = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the cases are part of the repository") {
        let text = std::fs::read_to_string(entry.expect("a readable folder").path())
            .expect("a readable file");
        let file: toml::Table = text.parse().expect("cases are TOML");
        for case in file["case"].as_array().expect("a list of cases") {
            let field = |name: &str| {
                case.get(name)
                    .and_then(toml::Value::as_str)
                    .map(str::to_string)
            };
            answers.extend(field("completion").zip(field("reference")));
        }
    }
    answers
}

fn scorers(criterion: &mut Criterion) {
    let (name, answers) = match shared_answers() {
        Some(answers) => ("bench_5000", answers),
        None => ("cases", case_answers()),
    };
    let scorers: [(&str, Judge); 2] = [
        ("official", |text, reference| {
            official::judge_completion(text, reference).correct
        }),
        ("strict", |text, reference| {
            strict::judge_completion(text, reference).correct
        }),
    ];
    for (scorer, judge) in scorers {
        let correct = |answers: &[Answer]| {
            answers
                .iter()
                .filter(|(text, reference)| judge(black_box(text), reference))
                .count()
        };
        let count = correct(&answers);
        assert!(
            0 < count && count < answers.len(),
            "{scorer}: {count} of {} correct",
            answers.len()
        );
        let mut group = criterion.benchmark_group(scorer);
        group.throughput(Throughput::Elements(answers.len() as u64));
        group.bench_function(name, |bencher| bencher.iter(|| correct(&answers)));
        group.finish();
    }
}

criterion_group!(benches, scorers);
criterion_main!(benches);
