use std::fs;

use serde_json::Value;

use crate::command::mwpbench;

#[test]
fn answers_made_elsewhere_get_a_verdict_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let input = [
        r#"{"id": "1", "completion": "Thus \\boxed{42}.", "reference": "42"}"#,
        r#"{"id": "2", "prediction": "41", "reference": "42", "dataset": "gsm8k"}"#,
    ];
    fs::write(folder.path().join("in.jsonl"), input.join("\n")).unwrap();
    let done = mwpbench(
        folder.path(),
        ["score", "--input", "in.jsonl", "--output", "out.jsonl"],
    )
    .ok();
    assert!(
        done.stdout
            .starts_with("2 answers: 1 correct by the official scorer (50.0 %)"),
        "{}",
        done.stdout
    );
    let output = fs::read_to_string(folder.path().join("out.jsonl")).unwrap();
    let lines: Vec<Value> = output
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(
        (&lines[0]["id"], &lines[0]["official"]["verdict"]),
        (&"1".into(), &"correct".into())
    );
    assert_eq!(
        (
            &lines[1]["official"]["correct"],
            &lines[1]["official"]["prediction"]
        ),
        (&false.into(), &"41".into())
    );
    assert_eq!(
        (
            &lines[0]["strict"]["verdict"],
            &lines[0]["strict"]["answer"]
        ),
        (&"correct".into(), &"42".into())
    );
    assert_eq!(lines[1]["strict"]["correct"], false);
}

#[test]
fn a_run_is_judged_again_and_shown_without_its_model() {
    let folder = tempfile::tempdir().unwrap();
    let eval = [
        "eval",
        "--model",
        "demo",
        "--tasks",
        "gsm8k",
        "--limit",
        "5",
        "--max-tokens",
        "80",
        "--output-dir",
        "run",
    ];
    let table = mwpbench(folder.path(), eval).ok().stdout;
    let verdicts = fs::read(folder.path().join("run/verdicts.jsonl")).unwrap();
    fs::remove_file(folder.path().join("run/verdicts.jsonl")).unwrap();
    assert_eq!(mwpbench(folder.path(), ["score", "run"]).ok().stdout, table);
    assert_eq!(
        fs::read(folder.path().join("run/verdicts.jsonl")).unwrap(),
        verdicts
    );
    assert_eq!(mwpbench(folder.path(), ["show", "run"]).ok().stdout, table);
    let item = mwpbench(folder.path(), ["show", "run", "--item", "gsm8k/sample.1"])
        .ok()
        .stdout;
    for part in [
        "### Instruction:",
        "── completion (",
        "── reference",
        "verdict",
        "decided by",
    ] {
        assert!(item.contains(part), "no {part:?} in\n{item}");
    }
    let differing = mwpbench(folder.path(), ["disagreements", "run"])
        .ok()
        .stdout;
    assert!(
        differing.starts_with("The scorers differ on "),
        "{differing}"
    );
    mwpbench(folder.path(), ["show", "run", "--item", "gsm8k/99"])
        .refused(2, &["no problem \"gsm8k/99\"", "gsm8k/sample.1"]);
    mwpbench(folder.path(), ["show", "."]).refused(2, &["holds no run"]);
}

#[test]
fn every_sample_of_every_item_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    let eval = [
        "eval",
        "--model",
        "demo",
        "--tasks",
        "gsm8k",
        "--limit",
        "3",
        "--max-tokens",
        "8",
        "--temperature",
        "0.7",
        "--samples",
        "2",
        "--quiet",
        "--output-dir",
        "run",
    ];
    mwpbench(folder.path(), eval).ok();
    let explained = mwpbench(folder.path(), ["score", "run", "--explain", "--json"]).ok();
    let explained: Vec<(String, u64)> = explained
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|value| (value["id"].to_string(), value["sample"].as_u64().unwrap()))
        .collect();
    let verdicts = fs::read_to_string(folder.path().join("run/verdicts.jsonl")).unwrap();
    let verdicts: Vec<(String, u64)> = verdicts
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|value| (value["id"].to_string(), value["sample"].as_u64().unwrap()))
        .collect();
    assert_eq!(verdicts.len(), 6);
    assert_eq!(explained, verdicts);
    let text = mwpbench(folder.path(), ["score", "run", "--explain"]).ok();
    assert_eq!(
        text.stdout.matches(", sample 1\n").count(),
        3,
        "{}",
        text.stdout
    );
}

#[test]
fn an_answer_is_explained_without_internal_notation() {
    let folder = tempfile::tempdir().unwrap();
    let args = [
        "score",
        "--reference",
        r"\frac{3}{4}",
        "--completion",
        "The answer is 0.75.",
    ];
    let text = mwpbench(folder.path(), args).ok().stdout;
    insta::assert_snapshot!(text, @r#"
    reference  \frac{3}{4}   (number: 3/4)
    answer     0.75   (3/4, bytes 14–18)
    strict     correct (profile strict)
               extract/answer-is        What follows the last 'answer is', with a few words in between, 'answer would be', 'result is' or 'solution is'.
               parse/number             A plain number.
               parse/number             A plain number.
               equal/rational           Exact rational numbers.
    official   wrong by extract/answer-is, equal/identical
               compares "0.75" with "\frac{3}{4}"
    "#);
}
