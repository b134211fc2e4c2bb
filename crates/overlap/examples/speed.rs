//! Two million generated training questions, with all GSM8K test items hidden among them, against
//! the test sets at hand: are all of them found, how fast, in how much memory?
//!
//!     cargo run --release -p overlap --example speed [-- QUESTIONS [THREADS]]
//!
//! Test sets are looked for in `../shared/data` or `$MWPBENCH_SHARED_DATA`.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use overlap::{Index, OverlapOptions, TestItem};
use serde_json::Value;

/// Set, file, and the field with the question.
const FILES: [(&str, &str, &str); 13] = [
    ("gsm8k", "native/gsm8k/test.jsonl", "question"),
    ("math", "native/math/test.jsonl", "problem"),
    (
        "college_math",
        "canonical/college_math_test.jsonl",
        "question",
    ),
    (
        "tal",
        "native/tal/en_single_choice_test_2K.jsonl",
        "problem",
    ),
    (
        "math23k",
        "native/math23k/sample_1000.json",
        "original_text",
    ),
    ("ape210k", "native/ape210k/test.ape.json", "original_text"),
    (
        "gaokao_bench",
        "canonical/gaokao_bench_math_en_test.jsonl",
        "question",
    ),
    (
        "gaokao_bench_zh",
        "native/gaokao_bench/2010-2022_Math_I_MCQs.json",
        "example",
    ),
    (
        "agieval_gaokao",
        "native/agieval/gaokao-mathcloze.jsonl",
        "question",
    ),
    (
        "agieval_gaokao_qa",
        "native/agieval/gaokao-mathqa.jsonl",
        "question",
    ),
    ("agieval_sat", "native/agieval/sat-math.jsonl", "question"),
    ("agieval_math", "native/agieval/math.jsonl", "question"),
    (
        "fresh_gaokao_2023",
        "canonical/fresh_gaokao_math_2023.json",
        "question",
    ),
];

fn main() {
    let mut arguments = std::env::args().skip(1);
    let questions: usize = arguments
        .next()
        .map_or(2_000_000, |n| n.parse().expect("a number of questions"));
    let threads: usize = arguments
        .next()
        .map_or(2, |n| n.parse().expect("a number of threads"));
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build_global()
        .expect("a pool of threads");
    let data = std::env::var_os("MWPBENCH_SHARED_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    if !data.is_dir() {
        eprintln!(
            "SKIPPED: no real data at {} (set MWPBENCH_SHARED_DATA)",
            data.display()
        );
        return;
    }
    let items: Vec<TestItem> = FILES
        .iter()
        .flat_map(|(set, file, field)| read(set, &data.join(file), field))
        .collect();
    let hidden: Vec<&str> = items
        .iter()
        .filter(|item| item.set == "gsm8k")
        .map(|item| item.text.as_str())
        .collect();

    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("train.jsonl");
    generate(&path, questions, &hidden);
    let mebibytes = std::fs::metadata(&path).expect("the file").len() >> 20;

    let started = Instant::now();
    let index = Index::new(items.clone(), OverlapOptions::default()).expect("an index");
    let indexed = started.elapsed();
    let report = overlap::scan(&index, &[path], None, &mut |_| {}).expect("a report");
    let elapsed = started.elapsed();

    let gsm8k = &report.sets[0];
    let exact: HashSet<&str> = report
        .items
        .iter()
        .filter(|item| item.exact.is_some())
        .map(|item| item.id.as_str())
        .collect();
    let missed: Vec<&TestItem> = items
        .iter()
        .filter(|item| item.set == "gsm8k" && !exact.contains(item.id.as_str()))
        .collect();
    assert!(
        missed.is_empty(),
        "every hidden item is found, but for {missed:?}"
    );
    let others: usize = report.sets[1..].iter().map(|set| set.exact).sum();
    println!(
        "items         {} of {} sets, indexed in {:.2} s",
        items.len(),
        report.sets.len(),
        indexed.as_secs_f64()
    );
    println!(
        "questions     {} ({mebibytes} MiB) with {} hidden",
        report.training[0].questions,
        hidden.len()
    );
    println!(
        "found         {} of GSM8K exactly, {others} of other sets",
        gsm8k.exact
    );
    println!(
        "time          {:.1} s with {threads} threads",
        elapsed.as_secs_f64()
    );
    println!(
        "rate          {:.0} questions/s",
        report.training[0].questions as f64 / elapsed.as_secs_f64()
    );
    println!("peak memory   {}", peak_memory());
}

fn read(set: &str, path: &Path, field: &str) -> Vec<TestItem> {
    let records = record_files::open(path)
        .expect("a test set")
        .map(|record| record.expect("a record").value);
    let texts = records.flat_map(|record| match &record[field] {
        Value::Array(examples) => examples
            .iter()
            .map(|example| example["question"].clone())
            .collect(),
        value => vec![value.clone()],
    });
    let item = |(number, text): (usize, Value)| TestItem {
        id: format!("{set}/{}", number + 1),
        set: set.to_owned(),
        text: text.as_str().expect("a question").to_owned(),
    };
    texts.enumerate().map(item).collect()
}

/// Questions of about 40 words from templates; the hidden ones spread evenly among them, with case
/// and spacing changed.
fn generate(path: &Path, questions: usize, hidden: &[&str]) {
    let mut random = Random(1);
    let mut out = BufWriter::new(File::create(path).expect("a file"));
    let mut next = 0;
    for number in 0..questions {
        let question = if next < hidden.len() && number >= next * questions / hidden.len() {
            next += 1;
            changed(hidden[next - 1], &mut random)
        } else {
            made_up(&mut random)
        };
        let record =
            serde_json::json!({"instruction": question, "input": "", "output": "The answer is 5."});
        writeln!(out, "{record}").expect("room on the disk");
    }
    out.flush().expect("room on the disk");
    assert_eq!(
        next,
        hidden.len(),
        "too few questions to hide the items among"
    );
}

fn changed(text: &str, random: &mut Random) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match (c, random.below(4)) {
            (' ', 0) => out.push_str("  "),
            (' ', 1) => out.push('\n'),
            (c, 0) => out.extend(c.to_uppercase()),
            (c, 1) => out.extend(c.to_lowercase()),
            (c, _) => out.push(c),
        }
    }
    out
}

fn made_up(random: &mut Random) -> String {
    const NAMES: [&str; 8] = [
        "Ann", "Bob", "Carla", "Deepak", "Elif", "Farid", "Grace", "Hugo",
    ];
    const THINGS: [&str; 8] = [
        "apples", "books", "marbles", "tickets", "pencils", "eggs", "stamps", "coins",
    ];
    const PLACES: [&str; 8] = [
        "market", "school", "library", "farm", "station", "museum", "garden", "harbour",
    ];
    const DAYS: [&str; 5] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"];
    const ENDS: [&str; 4] = [
        "How many are left at the end of the day?",
        "How many does each of them have now, if they share what is left evenly?",
        "What is the total cost in dollars?",
        "By how much does the second number exceed the first one?",
    ];
    let mut text = String::new();
    let (name, thing) = (random.of(&NAMES), random.of(&THINGS));
    write!(
        text,
        "On {} {name} brings {} {thing} to the {}",
        random.of(&DAYS),
        random.below(500),
        random.of(&PLACES)
    )
    .unwrap();
    for _ in 0..2 {
        let (other, number) = (random.of(&NAMES), random.below(200));
        match random.below(4) {
            0 => write!(
                text,
                ", sells {number} of them to {other} for ${} each",
                random.below(20)
            ),
            1 => {
                write!(
                    text,
                    ", and {other} gives back {number} {} from the {}",
                    random.of(&THINGS),
                    random.of(&PLACES)
                )
            }
            2 => write!(
                text,
                ", then {other} doubles the number of {thing} and loses {number}"
            ),
            _ => write!(
                text,
                ", where {other} buys {number} more with a discount of {} percent",
                random.below(90)
            ),
        }
        .unwrap();
    }
    write!(
        text,
        ". After that {} counts everything again. {}",
        random.of(&NAMES),
        random.of(&ENDS)
    )
    .unwrap();
    text
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (x ^ (x >> 31)) % bound
    }

    fn of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len() as u64) as usize]
    }
}

/// Of this process, where the system tells it.
fn peak_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or("not known".to_owned(), |line| line.trim().to_owned())
}
