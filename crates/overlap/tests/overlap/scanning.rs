use std::path::{Path, PathBuf};

use fault::{Class, Fault};
use overlap::{Error, OverlapOptions, OverlapReport};

use crate::index;

const QUESTION: &str = "A train leaves the old station at noon and travels at 60 miles per hour for two hours. How far does it go?";
const OTHER: &str = "A farmer has 17 sheep, sells 9 of them at the market and buys 4 goats with the money. How many animals has he?";

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    fn error(&self, error: &Error) -> String {
        error
            .to_string()
            .replace(&format!("{}/", self.0.path().display()), "")
    }
}

fn scan(files: &[PathBuf], field: Option<&str>) -> Result<OverlapReport, Error> {
    overlap::scan(
        &index(&[QUESTION, OTHER], OverlapOptions::default()),
        files,
        field,
        &mut |_| {},
    )
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

#[test]
fn the_question_is_found_in_files_of_every_shape() {
    let folder = Folder::new();
    let shouted = quoted(&QUESTION.to_uppercase());
    let quiet = "{\"question\": \"Quite another thing?\", \"answer\": \"x\"}";
    for (name, content, place) in [
        (
            "alpaca.json",
            format!(
                "[{{\"instruction\": \"a\", \"input\": \"\", \"output\": \"b\"}},\n{{\"instruction\": {shouted}, \"input\": \"\", \"output\": \"b\"}}]"
            ),
            2,
        ),
        (
            "input.json",
            format!("[\n{{\"instruction\": \"Solve.\", \"input\": {shouted}, \"output\": \"b\"}}]"),
            2,
        ),
        (
            "chat.jsonl",
            format!(
                "{{\"messages\": [{{\"role\": \"user\", \"content\": {shouted}}}, {{\"role\": \"assistant\", \"content\": \"b\"}}]}}\n"
            ),
            1,
        ),
        (
            "sharegpt.jsonl",
            format!("\n{{\"conversations\": [{{\"from\": \"human\", \"value\": {shouted}}}]}}\n"),
            2,
        ),
        (
            "prompt.jsonl",
            format!(
                "{{\"prompt\": {}, \"completion\": \"b\"}}",
                quoted(&format!(
                    "Below is an instruction.\n\n### Instruction:\n{QUESTION}\n\n### Response:"
                ))
            ),
            1,
        ),
        (
            "question.jsonl",
            format!("{quiet}\n{{\"question\": {shouted}, \"answer\": \"b\"}}"),
            2,
        ),
        (
            "problem.json",
            format!("{{\n\"problem\": \"x\"\n}}\n{{\n\"problem\": {shouted}\n}}"),
            4,
        ),
        (
            "text.jsonl",
            format!(
                "{{\"text\": {}}}",
                quoted(&format!("[INST] {QUESTION} [/INST] 120"))
            ),
            1,
        ),
        (
            "plain.txt",
            format!("first line\n{}\n", QUESTION.to_lowercase()),
            2,
        ),
        (
            "wrapped.txt",
            format!(
                "before\n\n{}\n\nafter\n",
                QUESTION.replace("noon ", "noon\n").replace("for ", "for\n")
            ),
            3,
        ),
    ] {
        let report = scan(&[folder.file(name, &content)], None).unwrap();
        let found = &report.items;
        assert_eq!(found.len(), 1, "{name}");
        let exact = found[0]
            .exact
            .as_ref()
            .unwrap_or_else(|| panic!("{name} has an exact match"));
        assert_eq!(
            (found[0].id.as_str(), exact.line, exact.times),
            ("set/1", Some(place), 1),
            "{name}"
        );
        assert!(found[0].contaminated);
    }
}

#[test]
fn counts_examples_and_ids_are_told() {
    let folder = Folder::new();
    let near = OTHER.replace("has he", "has she");
    let content = format!(
        "{{\"question\": {0}}}\n{{\"question\": {1}}}\n{{\"question\": {1}}}\n{{\"question\": null}}\n",
        quoted(QUESTION),
        quoted(&near)
    );
    let report = scan(
        &[
            folder.file("a.jsonl", &content),
            folder.file("b.jsonl", "{\"question\": \"x\"}"),
        ],
        None,
    )
    .unwrap();
    let counts = &report.sets[0];
    assert_eq!(
        (
            counts.items,
            counts.exact,
            counts.ngram,
            counts.near,
            counts.contaminated
        ),
        (2, 1, 2, 2, 2)
    );
    let training: Vec<_> = report
        .training
        .iter()
        .map(|file| (file.records, file.questions))
        .collect();
    assert_eq!(training, [(4, 3), (1, 1)]);
    let other = &report.items[1];
    assert!(other.exact.is_none() && other.covered < 1.0);
    let match_ = other.near.as_ref().unwrap();
    assert_eq!(
        (match_.line, match_.times, match_.question.as_str()),
        (Some(2), 2, near.as_str())
    );
    assert_eq!(report.ids(), "set/1\nset/2\n");
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["schema"], "mwpbench.overlap.v1");
    assert_eq!(json["items"][0]["exact"]["line"], 1);
    assert!(
        json["items"][1].get("exact").is_none() && json["items"][0]["exact"].get("row").is_none()
    );
}

/// Shared n-grams of several questions together cover more of an item than any of them.
#[test]
fn the_share_over_all_questions_is_told_apart_from_the_largest_one() {
    let folder = Folder::new();
    let words: Vec<&str> = QUESTION.split(' ').collect();
    let (first, second) = (words[..16].join(" "), words[6..].join(" "));
    let report = scan(
        &[folder.file("a.txt", &format!("{first}\n\n{second}\n"))],
        None,
    )
    .unwrap();
    let found = &report.items[0];
    assert!(found.covered > found.ngram.as_ref().unwrap().score);
}

#[test]
fn the_report_is_the_same_whatever_the_number_of_threads() {
    let folder = Folder::new();
    let variants: String = (0..20_000)
        .map(|i| match i % 4 {
            0 => format!(
                "{{\"question\": {}}}\n",
                quoted(&QUESTION.replace("60", &(i + 1000).to_string()))
            ),
            1 => format!("{{\"question\": {}}}\n", quoted(QUESTION)),
            2 => format!(
                "{{\"question\": {}}}\n",
                quoted(&OTHER.replace("sheep", "cows"))
            ),
            _ => format!("{{\"question\": \"Number {i}?\"}}\n"),
        })
        .collect();
    let file = folder.file("many.jsonl", &variants);
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| scan(std::slice::from_ref(&file), None))
            .unwrap()
    };
    let one = with(1);
    assert_eq!(
        one.items[0]
            .exact
            .as_ref()
            .map(|exact| (exact.line, exact.times)),
        Some((Some(2), 5_000))
    );
    assert_eq!(one, with(4));
}

#[test]
fn what_is_not_recognised_is_refused_with_its_keys() {
    let folder = Folder::new();
    let strange = folder.file(
        "strange.jsonl",
        "{\"question\": \"fine\"}\n{\"aufgabe\": \"x\", \"antwort\": \"y\"}\n",
    );
    let error = scan(std::slice::from_ref(&strange), None).unwrap_err();
    assert_eq!(
        folder.error(&error),
        "strange.jsonl, line 2: no question is recognised in a record with the keys aufgabe, antwort: the field that holds it has to be named"
    );
    assert_eq!(error.class(), Class::Usage);
    let error = scan(&[strange], Some("question")).unwrap_err();
    assert_eq!(
        folder.error(&error),
        "strange.jsonl, line 2: there is no text in a field \"question\" of a record with the keys aufgabe, antwort"
    );
    let named = folder.file(
        "named.jsonl",
        &format!("{{\"data\": {{\"aufgabe\": {}}}}}\n", quoted(QUESTION)),
    );
    assert_eq!(
        scan(&[named], Some("data.aufgabe")).unwrap().sets[0].exact,
        1
    );
}

#[test]
fn the_first_error_in_the_order_of_the_files_is_told() {
    let folder = Folder::new();
    let good = "{\"question\": \"fine\"}\n".repeat(10_000);
    let first = folder.file("first.jsonl", &format!("{good}{{\"question\": \n{good}"));
    let second = folder.file("second.jsonl", "{\"strange\": 1}\n");
    for _ in 0..5 {
        let error = scan(&[first.clone(), second.clone()], None).unwrap_err();
        assert!(
            folder
                .error(&error)
                .starts_with("first.jsonl, line 10001: not JSON"),
            "{error}"
        );
        assert_eq!(error.class(), Class::Integrity);
    }
}

#[test]
fn files_that_are_missing_or_empty_are_refused() {
    let folder = Folder::new();
    let missing = scan(&[folder.0.path().join("none.jsonl")], None).unwrap_err();
    assert_eq!(
        (
            folder.error(&missing).as_str(),
            missing.class() == Class::Integrity
        ),
        ("none.jsonl: there is no such file", false)
    );
    let empty = scan(&[folder.file("empty.jsonl", "\n\n")], None).unwrap_err();
    assert_eq!(
        folder.error(&empty),
        "empty.jsonl: this file holds no record"
    );
}

#[test]
fn progress_reaches_the_size_of_the_files() {
    let folder = Folder::new();
    let files = [
        folder.file("a.jsonl", "{\"question\": \"x\"}\n"),
        folder.file("b.txt", "one\ntwo"),
    ];
    let mut last = None;
    overlap::scan(
        &index(&[QUESTION], OverlapOptions::default()),
        &files,
        None,
        &mut |progress| last = Some(progress),
    )
    .unwrap();
    let last = last.unwrap();
    let size = |path: &Path| std::fs::metadata(path).unwrap().len();
    assert_eq!(last.bytes, size(&files[0]) + size(&files[1]));
    assert_eq!((last.total_bytes, last.records), (last.bytes, 3));
}
