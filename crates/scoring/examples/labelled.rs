//! Agreement of the scorers with labelled answers, file by file, and answers a second.
//!
//! `cargo run --release -p scoring --example labelled -- FOLDER [DISAGREEMENTS]`: reads every
//! `*.jsonl` of FOLDER with rows of `id`, `completion` or `prediction`, `reference`, `label` (true,
//! false, or null: left out); writes the rows on which the strict scorer and the label differ to
//! DISAGREEMENTS, a JSON object a line with the trace. Rows with a `kind` are reported kind by kind.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use scoring::official;
use scoring::strict::{Answer, Profile};
use serde_json::{Value, json};

/// Agreement of the strict scorer over rows.
#[derive(Default)]
struct Tally {
    n: usize,
    agree: usize,
    false_positives: usize,
    official_agree: usize,
    /// Time of each judgement, for files and their sum only.
    times: Vec<Duration>,
    /// The rows say themselves what kind they are.
    named: bool,
}

impl Tally {
    /// Whether a kind of rows is worth a line of its own.
    fn is_told(&self) -> bool {
        self.named || self.n >= 20 && self.agree * 100 < self.n * 97
    }
}

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().expect("FOLDER");
    let mut disagreements = arguments.next().map(std::fs::File::create).transpose()?;
    let mut paths: Vec<_> = std::fs::read_dir(&folder)?
        .flatten()
        .map(|entry| entry.path())
        .collect();
    paths.sort();
    let mut total = Tally::default();
    println!(
        "{:28} {:>6} {:>8} {:>5} {:>5} {:>9} {:>9} {:>9} {:>9}",
        "file", "rows", "agree %", "fp", "fn", "official", "per s", "p99", "slowest"
    );
    for path in paths.iter().filter(|path| {
        path.extension()
            .is_some_and(|extension| extension == "jsonl")
    }) {
        let (tally, kinds) = measure(path, &mut disagreements)?;
        if tally.n > 0 {
            print(
                &path.file_stem().unwrap_or_default().to_string_lossy(),
                &tally,
            );
            for (kind, tally) in kinds.iter().filter(|(_, tally)| tally.is_told()) {
                print(&format!("  {kind}"), tally);
            }
            total.n += tally.n;
            total.agree += tally.agree;
            total.false_positives += tally.false_positives;
            total.official_agree += tally.official_agree;
            total.times.extend(tally.times);
        }
    }
    print("all", &total);
    Ok(())
}

fn print(name: &str, tally: &Tally) {
    let share = |count: usize| 100.0 * count as f64 / tally.n as f64;
    let mut times = tally.times.clone();
    times.sort();
    let spent: Duration = times.iter().sum();
    let at = |part: f64| {
        times
            .get((times.len() as f64 * part) as usize)
            .or(times.last())
            .copied()
            .unwrap_or_default()
    };
    println!(
        "{name:28} {:>6} {:>8.2} {:>5} {:>5} {:>9.2} {:>9.0} {:>9.2?} {:>9.2?}",
        tally.n,
        share(tally.agree),
        tally.false_positives,
        tally.n - tally.agree - tally.false_positives,
        share(tally.official_agree),
        times.len() as f64 / spent.as_secs_f64(),
        at(0.99),
        at(1.0)
    );
}

fn measure(
    path: &Path,
    out: &mut Option<std::fs::File>,
) -> std::io::Result<(Tally, BTreeMap<String, Tally>)> {
    let (mut tally, mut kinds) = (Tally::default(), BTreeMap::<String, Tally>::new());
    for line in std::fs::read_to_string(path)?.lines() {
        let row: Value = serde_json::from_str(line).map_err(std::io::Error::other)?;
        let Some(label) = row["label"].as_bool() else {
            continue;
        };
        let (completion, prediction) = (row["completion"].as_str(), row["prediction"].as_str());
        let reference = row["reference"].as_str().unwrap_or_default();
        let (answer, by_official) = match (completion, prediction) {
            (Some(text), _) => (
                Answer::Completion(text),
                official::judge_completion(text, reference).correct,
            ),
            (None, Some(text)) => (
                Answer::Prediction(text),
                official::judge_prediction(text, reference).correct,
            ),
            (None, None) => continue,
        };
        let start = Instant::now();
        let judgement = Profile::standard().judge(answer, reference, row["question"].as_str());
        tally.times.push(start.elapsed());
        let named = row["kind"].as_str();
        let name = named.or(row["label_source"].as_str()).unwrap_or_default();
        let kind = kinds.entry(name.to_owned()).or_default();
        kind.named = named.is_some();
        for tally in [&mut tally, kind] {
            tally.n += 1;
            tally.agree += usize::from(judgement.correct == label);
            tally.official_agree += usize::from(by_official == label);
            tally.false_positives += usize::from(judgement.correct && !label);
        }
        if let (Some(out), true) = (out.as_mut(), judgement.correct != label) {
            let file = path.file_stem().unwrap_or_default().to_string_lossy();
            let found = json!({ "file": file, "id": row["id"], "label": label, "reference": reference,
                "answer": judgement.answer, "trace": judgement.trace, "kind": name,
                "completion": completion.or(prediction) });
            writeln!(out, "{found}")?;
        }
    }
    Ok((tally, kinds))
}
