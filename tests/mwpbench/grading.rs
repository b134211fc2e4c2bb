//! The scorers' own commands: one answer explained, profiles, the rules' cases, the self-check.

use std::fs;

use serde_json::Value;

use crate::command::mwpbench;

#[test]
fn one_answer_is_judged_and_explained() {
    let folder = tempfile::tempdir().unwrap();
    let answer = [
        "score",
        "--reference",
        r"\frac{3}{4}",
        "--completion",
        "We get 3 of 4. The answer is 0.75.",
    ];
    let text = mwpbench(folder.path(), answer).ok().stdout;
    for part in [
        "extract/answer-is",
        "bytes 29–33",
        "equal/rational",
        "Exact rational numbers.",
        "official   wrong",
    ] {
        assert!(text.contains(part), "no {part:?} in\n{text}");
    }
    let told = mwpbench(folder.path(), answer.iter().chain(&["--json"]))
        .ok()
        .json();
    assert_eq!(
        (&told["strict"]["correct"], &told["official"]["correct"]),
        (&true.into(), &false.into())
    );
    assert_eq!(told["explanation"]["reference_kind"], "number");
    assert_eq!(told["strict"]["span"], serde_json::json!([29, 33]));
    mwpbench(folder.path(), ["score", "--reference", "3"])
        .refused(2, &["--completion or --prediction"]);
}

#[test]
fn the_question_may_ask_for_an_order() {
    let folder = tempfile::tempdir().unwrap();
    let judged = |question: &str| {
        let line = serde_json::json!({"id": 1, "prediction": "3, 1", "reference": "1, 3", "question": question});
        fs::write(folder.path().join("in.jsonl"), line.to_string()).unwrap();
        mwpbench(
            folder.path(),
            ["score", "--input", "in.jsonl", "--output", "out.jsonl"],
        )
        .ok();
        let out: Value =
            serde_json::from_str(&fs::read_to_string(folder.path().join("out.jsonl")).unwrap())
                .unwrap();
        out["strict"]["correct"].clone()
    };
    assert_eq!(judged("Find the roots."), true);
    assert_eq!(judged("Find the roots, from least to greatest."), false);
}

#[test]
fn a_file_of_answers_is_explained_line_by_line() {
    let folder = tempfile::tempdir().unwrap();
    let lines = [
        r#"{"id": "a", "prediction": "1/2", "reference": "0.5"}"#,
        r#"{"id": 7, "completion": "", "reference": "2"}"#,
    ];
    fs::write(folder.path().join("in.jsonl"), lines.join("\n")).unwrap();
    let explain = [
        "score",
        "--input",
        "in.jsonl",
        "--output",
        "out.jsonl",
        "--explain",
    ];
    let text = mwpbench(folder.path(), explain).ok().stdout;
    for part in [
        "── a",
        "── 7",
        "equal/rational",
        "extract/nothing",
        "answer     (none)",
    ] {
        assert!(text.contains(part), "no {part:?} in\n{text}");
    }
    let json = mwpbench(folder.path(), explain.iter().chain(&["--json"]))
        .ok()
        .stdout;
    let ids: Vec<Value> = json
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].clone())
        .collect();
    assert_eq!(ids, [Value::from("a"), Value::from(7)]);
}

#[test]
fn a_profile_changes_the_verdict_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let judged = |profile: &str| {
        let args = [
            "score",
            "--reference",
            "25%",
            "--prediction",
            "25",
            "--json",
            "--profile",
            profile,
        ];
        mwpbench(folder.path(), args).ok().json()
    };
    assert_eq!(judged("strict")["strict"]["correct"], true);
    assert_eq!(judged("exact")["strict"]["correct"], false);

    let own = r#"
        purpose = "Portuguese answers"
        source = "us"
        [[rule]]
        id = "extract/resposta"
        purpose = "What follows the last 'Resposta:'."
        [rule.matcher.phrase]
        heads = ["resposta"]
        links = [":"]
        gap = 3
        [extraction]
        number = ["extract/boxed", "extract/resposta", "extract/last-number"]
        [[case]]
        purpose = "it fires"
        completion = "Resposta: 5. Levou 3 minutos."
        reference = "5"
        answer = "5"
        fires = "extract/resposta"
        [[case]]
        purpose = "it does not"
        completion = "São 5."
        reference = "5"
        answer = "5"
        silent = "extract/resposta"
    "#;
    fs::write(folder.path().join("own.toml"), own).unwrap();
    let args = [
        "score",
        "--reference",
        "5",
        "--completion",
        "Resposta: 5. Levou 3 minutos.",
        "--profile",
        "own.toml",
    ];
    let text = mwpbench(folder.path(), args).ok().stdout;
    assert!(
        text.contains("strict     correct (profile own.toml)"),
        "{text}"
    );
    let checked = mwpbench(folder.path(), ["rules", "check", "--profile", "own.toml"])
        .ok()
        .stdout;
    assert!(
        checked.contains("2 cases, 0 fail; 1 rule, 0 without"),
        "{checked}"
    );

    fs::write(
        folder.path().join("wrong.toml"),
        own.replace(
            "answer = \"5\"\n        silent",
            "answer = \"6\"\n        silent",
        ),
    )
    .unwrap();
    let failed = mwpbench(folder.path(), ["rules", "check", "--profile", "wrong.toml"]);
    assert_eq!(failed.code, Some(1));
    assert!(
        failed.stdout.contains("FAILS  wrong.toml: it does not"),
        "{}",
        failed.stdout
    );
}

#[test]
fn profiles_that_are_none_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let refusal = |text: &str, parts: &[&str]| {
        fs::write(folder.path().join("p.toml"), text).unwrap();
        mwpbench(
            folder.path(),
            [
                "score",
                "--reference",
                "5",
                "--prediction",
                "5",
                "--profile",
                "p.toml",
            ],
        )
        .refused(2, parts);
    };
    let head = "purpose = 'p'\nsource = 's'\n";
    refusal(
        "purpose = ''\nsource = ''",
        &["p.toml", "must say something"],
    );
    refusal(
        &format!("{head}[comparison]\nunits = 'always'"),
        &["p.toml", "line 4", "may_be_missing"],
    );
    refusal(
        &format!("{head}[extraction]\nnumber = ['extract/magic']"),
        &["extraction.number", "extract/magic", "known: "],
    );
    refusal(
        &format!("{head}[[rule]]\nid = 'extract/boxed'\npurpose = 'x'\nmatcher = 'last_line'"),
        &["defined already"],
    );
    refusal(
        &format!("{head}[[rule]]\nid = 'extract/mine'\npurpose = 'x'\nmatcher = 'last_line'"),
        &["never be tried"],
    );
    // A mark without a sign in it would be found everywhere, for ever.
    let phrase = |keys: &str| {
        format!(
            "{head}[[rule]]\nid = 'extract/mine'\npurpose = 'x'\n[rule.matcher.phrase]\n{keys}\n[extraction]\ntext = ['extract/mine']"
        )
    };
    let boxed = |keys: &str| phrase(keys).replace("matcher.phrase", "matcher.boxed");
    for text in [
        phrase("heads = ['']"),
        phrase("heads = []"),
        phrase("heads = ['so']\nlinks = ['']"),
        boxed("commands = ['']\njoined_by = [',']"),
        boxed("commands = ['\\boxed']\njoined_by = ['']"),
        boxed("mark = ''").replace("matcher.boxed", "matcher.bold"),
        format!("{head}[layout]\nfences = ['']"),
        format!("{head}[layout]\nends_at = ['']"),
        phrase("heads = ['so']").replace("extract/mine", ""),
    ] {
        refusal(&text, &["p.toml", "line ", "must not be empty"]);
    }
    refusal("colour = 1", &["p.toml", "unknown field `colour`"]);
    mwpbench(
        folder.path(),
        ["eval", "--model", "demo", "--profile", "nowhere"],
    )
    .refused(2, &["nowhere", "strict, as_asked, asdiv, choice, exact"]);
}

#[test]
fn the_rules_cases_hold_and_cover_every_rule() {
    let folder = tempfile::tempdir().unwrap();
    let checked = mwpbench(folder.path(), ["rules", "check", "--rules"])
        .ok()
        .stdout;
    for part in [
        "cases/strict-numbers.toml",
        "extract/boxed",
        "equal/closed_form",
        " 0 fail; ",
        ", 0 without",
    ] {
        assert!(checked.contains(part), "no {part:?} in\n{checked}");
    }
    let report = mwpbench(folder.path(), ["rules", "check", "--json"])
        .ok()
        .json();
    assert!(report["rules"].as_array().unwrap().len() > 90);
}

#[test]
fn every_sample_reference_equals_itself() {
    let folder = tempfile::tempdir().unwrap();
    let checked = mwpbench(folder.path(), ["data", "selfcheck", "--json"])
        .ok()
        .json();
    for set in checked["sets"].as_array().unwrap() {
        assert_eq!(set["references"], set["equal_themselves"], "{set}");
        assert_eq!(set["official_exceptions"], serde_json::json!([]), "{set}");
    }
    // A reference that the original cannot read is found before a run is spent on it.
    let record = r#"{"data_topic":"tal","question":"1+1?","answer":"\\frac"}"#;
    fs::write(folder.path().join("odd.jsonl"), record).unwrap();
    let text = mwpbench(folder.path(), ["data", "selfcheck", "--data", "odd.jsonl"])
        .ok()
        .stdout;
    assert!(text.contains("raises IndexError"), "{text}");
}

#[test]
fn references_that_their_own_records_contradict_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let records = [
        r#"{"data_topic":"gsm8k","question_number":"1","question":"2+3?","answer":"5","solution":"2+3 = 5.\n#### 5"}"#,
        r#"{"data_topic":"gsm8k","question_number":"2","question":"2+4?","answer":"5","solution":"2+4 = 6.\n#### 6"}"#,
        r#"{"data_topic":"gsm8k","question_number":"3","question":"2+5?","answer":"5","solution":"It is 7."}"#,
        r#"{"data_topic":"tal","question_number":"4","question":"1+1?","answer":"E","options":{"A":"1","B":"2"}}"#,
        r#"{"data_topic":"tal","question_number":"5","question":"1+1?","answer":"B","options":{"A":"1","B":"2"}}"#,
    ];
    fs::write(folder.path().join("own.jsonl"), records.join("\n")).unwrap();
    let check = |more: &[&str]| {
        let arguments = ["data", "selfcheck", "--data", "own.jsonl"];
        mwpbench(folder.path(), arguments.iter().chain(more)).ok()
    };
    let text = check(&[]).stdout;
    for part in [
        "gsm8k/2  \"5\", but its own solution says \"6\"",
        "tal/4  \"E\" is none of its options: A, B",
    ] {
        assert!(text.contains(part), "no {part:?} in\n{text}");
    }
    assert!(
        !text.contains("gsm8k/1 ") && !text.contains("gsm8k/3 "),
        "{text}"
    );
    let sets = check(&["--json"]).json();
    assert_eq!(sets["sets"][0]["contradictions"][0]["with"], "solution");
    assert_eq!(
        sets["sets"][1]["contradictions"].as_array().unwrap().len(),
        1
    );
}

#[test]
fn an_output_never_replaces_its_input() {
    let folder = tempfile::tempdir().unwrap();
    let line = r#"{"id": 1, "prediction": "5", "reference": "5"}"#;
    fs::write(folder.path().join("in.jsonl"), line).unwrap();
    mwpbench(
        folder.path(),
        ["score", "--input", "in.jsonl", "--output", "./in.jsonl"],
    )
    .refused(2, &["in.jsonl", "is the input", "--output"]);
    assert_eq!(
        fs::read_to_string(folder.path().join("in.jsonl")).unwrap(),
        line
    );
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_answer() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("in.jsonl"),
        "\u{feff}{\"id\": 1, \"prediction\": \"5\", \"reference\": \"5\"}\n",
    )
    .unwrap();
    let judged = mwpbench(
        folder.path(),
        ["score", "--input", "in.jsonl", "--output", "out.jsonl"],
    )
    .ok();
    assert!(
        judged.stdout.starts_with("1 answer: 1 correct"),
        "{}",
        judged.stdout
    );
}
