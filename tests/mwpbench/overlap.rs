use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::command::mwpbench;

const INTEGRITY: i32 = 4;
const USAGE: i32 = 2;

const EGGS: &str = "Ann’s hens lay 16 eggs a day. She eats 3 of them and sells the others for $2 each. How much does she earn in 7 days?";
const TRAIN: &str = "A train leaves the old station at noon and drives at a steady speed of 60 miles an hour. How far does it get in 2 hours?";

/// Two problems of GSM8K, one of TAL.
fn data(folder: &Path) {
    let record = |task: &str, number: u32, question: &str| {
        json!({ "data_topic": task, "question_number": number, "question": question, "answer": "1" }).to_string()
    };
    let records = [
        record("gsm8k", 1, EGGS),
        record("gsm8k", 2, "What is 5 times 7?"),
        record("tal", 1, TRAIN),
    ];
    fs::write(folder.join("data.jsonl"), records.join("\n")).unwrap();
}

fn alpaca(question: &str) -> Value {
    json!({ "instruction": question, "input": "", "output": "It is 5." })
}

fn with(folder: &Path, extra: &[&str]) -> crate::command::Done {
    mwpbench(
        folder,
        ["data", "overlap", "--data", "data.jsonl"]
            .iter()
            .chain(extra),
    )
}

#[test]
fn planted_items_are_found_told_and_left_out_of_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    data(folder);
    let planted = [
        alpaca("What is 6 times 7?"),
        alpaca(&EGGS.to_uppercase().replace(' ', "  ")),
    ];
    fs::write(
        folder.join("train.json"),
        serde_json::to_string_pretty(&planted).unwrap(),
    )
    .unwrap();
    let near = TRAIN.replace("noon", "ten");
    fs::write(
        folder.join("chat.jsonl"),
        json!({ "messages": [{ "role": "user", "content": near }] }).to_string(),
    )
    .unwrap();

    let found = [
        "--train",
        "train.json",
        "chat.jsonl",
        "--report",
        "report.json",
        "--ids",
        "ids.txt",
    ];
    let text = with(folder, &found).ok();
    assert!(
        text.stdout.contains("train.json, line 7: exact")
            && text.stdout.contains("chat.jsonl, line 1: near"),
        "{}",
        text.stdout
    );
    assert_eq!(
        fs::read_to_string(folder.join("ids.txt")).unwrap(),
        "gsm8k/1\ntal/1\n"
    );
    let report: Value =
        serde_json::from_slice(&fs::read(folder.join("report.json")).unwrap()).unwrap();
    assert_eq!(
        report["sets"][0],
        json!({ "set": "gsm8k", "items": 2, "exact": 1, "ngram": 1, "near": 1, "contaminated": 1 })
    );
    assert_eq!(report["items"][0]["exact"]["line"], 7);
    let printed = with(
        folder,
        &["--train", "train.json", "chat.jsonl", "--json", "--quiet"],
    )
    .ok();
    assert_eq!((printed.json(), printed.stderr.as_str()), (report, ""));

    let eval = [
        "eval",
        "--model",
        "demo",
        "--data",
        "data.jsonl",
        "--max-tokens",
        "4",
        "--json",
        "--quiet",
    ];
    let whole = mwpbench(folder, eval.iter().chain(&["--output-dir", "whole"]))
        .ok()
        .json();
    let part = mwpbench(
        folder,
        eval.iter()
            .chain(&["--output-dir", "part", "--exclude-ids", "ids.txt"]),
    )
    .ok()
    .json();
    assert_eq!(
        (&whole["sets"][0]["n"], &part["sets"][0]["n"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(part["sets"].as_array().unwrap().len(), 1);
    assert_eq!(
        part["deviations"],
        json!(["2 items excluded", "at most 4 new tokens"])
    );
    let run: Value =
        serde_json::from_slice(&fs::read(folder.join("part/run.json")).unwrap()).unwrap();
    assert_eq!(run["identity"]["excluded"]["problems"], 2);
    // The same without a model, from the run that asked them all, which stays as it is.
    let summary = fs::read(folder.join("whole/summary.json")).unwrap();
    let scored = mwpbench(
        folder,
        ["score", "whole", "--exclude-ids", "ids.txt", "--json"],
    )
    .ok()
    .json();
    assert_eq!(
        (&scored["sets"], &scored["deviations"]),
        (&part["sets"], &part["deviations"])
    );
    assert_eq!(
        fs::read(folder.join("whole/summary.json")).unwrap(),
        summary
    );
    // The folder of one selection is not continued with another.
    mwpbench(
        folder,
        eval.iter()
            .chain(&["--output-dir", "whole", "--exclude-ids", "ids.txt"]),
    )
    .refused(INTEGRITY, &["excluded"]);
}

#[test]
fn ids_that_no_problem_has_are_refused_before_a_model_is_loaded() {
    let folder = tempfile::tempdir().unwrap();
    data(folder.path());
    fs::write(
        folder.path().join("ids.txt"),
        "gsm8k/1\ngsm8k/99\nMATH.Algebra/1\n",
    )
    .unwrap();
    let eval = |ids| {
        [
            "eval",
            "--model",
            "no/such/model",
            "--data",
            "data.jsonl",
            "--exclude-ids",
            ids,
        ]
    };
    mwpbench(folder.path(), eval("ids.txt")).refused(
        USAGE,
        &["1 of the 3 ids in ids.txt belong to no problem: gsm8k/99"],
    );
    mwpbench(folder.path(), eval("none.txt")).refused(USAGE, &["none.txt", "cannot be read"]);
}

#[test]
fn what_cannot_be_searched_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    data(folder);
    fs::write(folder.join("strange.jsonl"), "{\"aufgabe\": \"x\"}\n").unwrap();
    fs::write(
        folder.join("broken.jsonl"),
        "{\"question\": \"x\"}\n{\"question\": \n",
    )
    .unwrap();
    with(folder, &["--train", "strange.jsonl"]).refused(
        USAGE,
        &["strange.jsonl, line 1", "the keys aufgabe", "--field"],
    );
    with(folder, &["--train", "strange.jsonl", "--field", "aufgabe"]).ok();
    with(folder, &["--train", "broken.jsonl"])
        .refused(INTEGRITY, &["broken.jsonl, line 2: not JSON"]);
    with(folder, &["--train", "none.jsonl"]).refused(USAGE, &["none.jsonl: there is no such file"]);
    with(folder, &["--train", "strange.jsonl", "--ngram", "3"])
        .refused(USAGE, &["expected 5 to 50"]);
    with(folder, &["--train", "strange.jsonl", "--tasks", "gsm9k"]).refused(USAGE, &["gsm9k"]);
    with(folder, &[]).refused(USAGE, &["--train"]);
}

#[test]
fn bundled_problems_are_no_test_sets_unless_they_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(
        folder.join("train.jsonl"),
        "{\"question\": \"What is 2?\"}\n",
    )
    .unwrap();
    mwpbench(folder, ["data", "overlap", "--train", "train.jsonl"]).refused(
        USAGE,
        &[
            "there are no test sets to compare with",
            "mwpbench data fetch",
            "--data bundled",
        ],
    );
    let bundled = [
        "data",
        "overlap",
        "--train",
        "train.jsonl",
        "--data",
        "bundled",
    ];
    let text = mwpbench(folder, bundled).ok().stdout;
    assert!(
        text.starts_with("The bundled problems, which are not the benchmark:"),
        "{text}"
    );
    let json = mwpbench(folder, bundled.iter().chain(&["--json"]))
        .ok()
        .json();
    assert_eq!(json["bundled"], true);
    data(folder);
    let json = with(folder, &["--train", "train.jsonl", "--json"])
        .ok()
        .json();
    assert_eq!(json["bundled"], false);
}
