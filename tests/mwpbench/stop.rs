//! `eval --stop` and `--no-default-stop`.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::command::mwpbench;
use loopback::completions::{MODEL, ModelServer, good_answer};

const USAGE: i32 = 2;
const INTEGRITY: i32 = 4;

fn plan<'a>(run: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let what = [
        "eval",
        "--model",
        "demo",
        "--tasks",
        "gsm8k",
        "--limit",
        "5",
        "--max-tokens",
        "64",
        "--quiet",
    ];
    [&what[..], &["--output-dir", run], more].concat()
}

fn completions(run: &Path) -> Vec<(String, String)> {
    let text = fs::read_to_string(run.join("completions.jsonl")).unwrap();
    let record = |line: &str| serde_json::from_str::<Value>(line).unwrap();
    let field = |record: &Value, name: &str| record[name].as_str().unwrap().to_string();
    text.lines()
        .map(record)
        .map(|record| {
            (
                field(&record, "completion"),
                field(&record, "finish_reason"),
            )
        })
        .collect()
}

fn stop(run: &Path) -> Value {
    let manifest: Value = serde_json::from_slice(&fs::read(run.join("run.json")).unwrap()).unwrap();
    manifest["identity"]["decoding"]["stop"].clone()
}

#[test]
fn a_completion_ends_before_the_string_and_the_table_says_so() {
    let folder = tempfile::tempdir().unwrap();
    mwpbench(folder.path(), plan("official", &[])).ok();
    let done = mwpbench(
        folder.path(),
        plan("cut", &["--stop", ". ", "--stop", "Question"]),
    )
    .ok();
    assert!(
        done.stdout
            .contains(r#"official protocol, but limit 5 a set, at most 64 new tokens, with stop string ". " added"#),
        "{}",
        done.stdout
    );
    let (official, ended) = (
        completions(&folder.path().join("official")),
        completions(&folder.path().join("cut")),
    );
    let mut cut = 0;
    for ((whole, _), (text, reason)) in official.iter().zip(&ended) {
        assert_eq!(text, whole.split(". ").next().unwrap());
        assert_eq!(whole.contains(". "), reason == "stop");
        cut += usize::from(reason == "stop");
    }
    assert!(cut > 0, "the demo checkpoint writes sentences");
    let summary: Value =
        serde_json::from_slice(&fs::read(folder.path().join("cut/summary.json")).unwrap()).unwrap();
    assert!(
        summary["deviations"]
            .to_string()
            .contains("with stop string"),
        "{summary}"
    );
    let own = stop(&folder.path().join("official"));
    assert_eq!(
        stop(&folder.path().join("cut")).as_array().unwrap().len(),
        own.as_array().unwrap().len() + 1
    );
}

#[test]
fn the_protocols_own_can_be_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let done = mwpbench(folder.path(), plan("none", &["--no-default-stop"])).ok();
    assert!(
        done.stdout
            .contains("at most 64 new tokens, no stop strings"),
        "{}",
        done.stdout
    );
    assert_eq!(stop(&folder.path().join("none")), json!([]));
    let done = mwpbench(
        folder.path(),
        plan("mine", &["--no-default-stop", "--stop", "=", "--stop", "="]),
    )
    .ok();
    assert!(
        done.stdout
            .contains(r#"with stop string "=" in place of the protocol's"#),
        "{}",
        done.stdout
    );
    assert_eq!(stop(&folder.path().join("mine")), json!(["="]));
    assert!(
        completions(&folder.path().join("mine"))
            .iter()
            .all(|(text, _)| !text.contains('='))
    );
}

#[test]
fn a_string_of_the_protocol_changes_nothing_and_an_empty_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let done = mwpbench(folder.path(), plan("same", &["--stop", "Response"])).ok();
    assert!(!done.stdout.contains("stop string"), "{}", done.stdout);
    let refused = mwpbench(folder.path(), plan("empty", &["--stop", ""]));
    refused.refused(
        USAGE,
        &[
            "--stop",
            "an empty string would end every completion before its first token",
        ],
    );
    assert!(!folder.path().join("empty").exists());
    let done = mwpbench(folder.path(), plan("escape", &["--stop", "\\n"])).ok();
    assert!(
        done.stderr.contains(r"--stop '\n' has a backslash in it")
            && done.stderr.contains(r"write $'\n' in bash"),
        "{}",
        done.stderr
    );
    assert!(
        !mwpbench(folder.path(), plan("latex", &["--stop", "\\nabla"]))
            .ok()
            .stderr
            .contains("as it stands")
    );
}

#[test]
fn runs_that_end_elsewhere_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    mwpbench(folder.path(), plan("official", &[])).ok();
    mwpbench(
        folder.path(),
        plan("other", &["--stop", "\n\n", "--stop", "\"#_$"]),
    )
    .ok();
    // A folder is not continued with other strings.
    mwpbench(folder.path(), plan("official", &["--stop", "x"]))
        .refused(INTEGRITY, &["decoding.stop"]);
    let told = r##"stop strings: A the protocol's, B with stop strings "\n\n", "\"#_$" added"##;
    let compared = mwpbench(folder.path(), ["compare", "official", "other"])
        .ok()
        .stdout;
    assert!(
        compared.contains("not comparable") && compared.contains(told),
        "{compared}"
    );
    let gate = mwpbench(
        folder.path(),
        ["gate", "--baseline", "official", "--candidate", "other"],
    );
    assert_eq!(gate.code, Some(INTEGRITY), "{}", gate.stdout);
    assert!(
        gate.stdout
            .contains("stop strings: baseline the protocol's, candidate with"),
        "{}",
        gate.stdout
    );
    for format in ["markdown", "latex", "csv"] {
        let board = mwpbench(
            folder.path(),
            ["leaderboard", "official", "other", "--format", format],
        )
        .ok()
        .stdout;
        assert!(
            board.contains("not the official protocol: with stop strings"),
            "{format}: {board}"
        );
    }
}

#[test]
fn a_server_gets_them_too() {
    let folder = tempfile::tempdir().unwrap();
    let server = ModelServer::start(good_answer);
    let what = [
        "eval",
        "--model",
        MODEL,
        "--tasks",
        "gsm8k",
        "--limit",
        "2",
        "--quiet",
        "--endpoint",
        &server.url,
    ];
    let more = [
        "--no-default-stop",
        "--stop",
        "END",
        "--stop",
        "\n\n",
        "--output-dir",
        "run",
    ];
    mwpbench(folder.path(), what.iter().chain(&more)).ok();
    assert_eq!(server.completion_requests().len(), 2);
    assert!(
        server
            .completion_requests()
            .iter()
            .all(|asked| asked.body["stop"] == json!(["END", "\n\n"]))
    );
    assert_eq!(stop(&folder.path().join("run")), json!(["END", "\n\n"]));
}
