use std::fs;
use std::path::Path;

use evaluation::Template;
use serde_json::{Value, json};

use crate::command::{Done, mwpbench};
use crate::mathscale::without_times;

const USAGE: i32 = 2;
const INCOMPLETE: i32 = 3;
const INTEGRITY: i32 = 4;

fn stage(folder: &Path, stage: &str, extra: &[&str]) -> Done {
    mwpbench(
        folder,
        ["mathscale", stage, "--project", "project"]
            .iter()
            .chain(extra),
    )
}

/// A project with compositions.
fn composed() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let record = |n: usize| {
        let topics = [format!("Topic {}", n % 5), format!("Topic {}", n * n % 4)];
        let kps: Vec<String> = (0..=n % 4)
            .map(|k| format!("Point {}", (n * (k + 2)) % 13))
            .collect();
        let (question, answer) = (
            format!("How much is {n} + {n}?"),
            format!("The answer is {}.", 2 * n),
        );
        json!({"topics": topics, "knowledge_points": kps, "question": question, "answer": answer})
            .to_string()
            + "\n"
    };
    fs::write(
        folder.path().join("seeds.jsonl"),
        (0..50).map(record).collect::<String>(),
    )
    .unwrap();
    stage(
        folder.path(),
        "extract",
        &["--from-annotations", "seeds.jsonl"],
    )
    .ok();
    stage(folder.path(), "graph", &[]).ok();
    stage(folder.path(), "compose", &["--count", "40"]).ok();
    folder
}

/// Pairs, some of which must go.
fn pairs(folder: &Path) {
    let record = |n: usize| {
        let (question, solution) = match n {
            3 => (
                "How much is 20 + 20?".to_string(),
                "The answer is 40.".to_string(),
            ),
            5 => (
                "Add 4 and 1004 in the usual way.".to_string(),
                "The answer is 1008.".to_string(),
            ),
            7 => (String::new(), "The answer is 7.".to_string()),
            9 => (
                "Is nine a number at all?".to_string(),
                "Who knows.".to_string(),
            ),
            11 => (
                "Ann has 12 apples and eats 5 of them. How many apples does she have left?".into(),
                "The answer is 7.".into(),
            ),
            n => (
                format!("Add {n} and {} in the usual way.", n + 1000),
                format!("The answer is {}.", 2 * n + 1000),
            ),
        };
        json!({"question": question, "solution": solution}).to_string() + "\n"
    };
    fs::write(
        folder.join("pairs.jsonl"),
        (0..60).map(record).collect::<String>(),
    )
    .unwrap();
    let test = json!({"data_topic": "gsm8k", "question": "Ann has 12 apples and eats 5 of them; how many apples does she have left?", "answer": "7"});
    fs::write(folder.join("test.jsonl"), format!("{test}\n")).unwrap();
}

fn lines(file: &Path) -> Vec<Value> {
    fs::read_to_string(file)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The demo checkpoint cannot write exercises: everything is rejected, and nothing breaks.
#[test]
fn a_model_that_answers_rubbish_has_everything_rejected() {
    let folder = composed();
    let folder = folder.path();
    let dry_run = ["--dry-run", "--json", "--price", "1,2"];
    let estimate = stage(folder, "generate", &dry_run).ok().json();
    assert_eq!(estimate["estimate"]["compositions"], 40);
    assert!(
        estimate["cost"].as_f64() < estimate["most_cost"].as_f64(),
        "{estimate}"
    );
    assert!(!folder.join("project/generate.job.json").exists());

    let flags = [
        "--model",
        "demo",
        "--limit",
        "3",
        "--max-tokens",
        "24",
        "--attempts",
        "2",
        "--price",
        "1,2",
    ];
    let done = stage(folder, "generate", &[&flags[..], &["--json"]].concat());
    assert_eq!(done.code, Some(INCOMPLETE), "{}", done.stderr);
    assert!(
        done.stderr
            .contains("\"generate\": 0 of 3 items can be used, less than 10 % (--min-usable)"),
        "{}",
        done.stderr
    );
    let outcome = done.json();
    assert_eq!(
        (
            &outcome["record"]["counts"]["set_aside"],
            &outcome["record"]["counts"]["replies"]
        ),
        (&json!(3), &json!(6))
    );
    let rejected = lines(&folder.join("project/generate.set-aside.jsonl"));
    assert_eq!((rejected.len(), &rejected[0]["id"]), (3, &json!("pair/1")));
    let again = stage(folder, "generate", &flags);
    assert_eq!(again.code, Some(INCOMPLETE), "{}", again.stderr);
    assert!(
        again.stderr.contains("there already, since"),
        "{}",
        again.stderr
    );
    assert!(
        again
            .stdout
            .contains("3 × the reply was cut off after 24 tokens (line 1 is the first)"),
        "{}",
        again.stdout
    );
    // More of them are asked, until it is clear that none can be used.
    let all = [&flags[..2], &flags[4..], &["--quiet"]].concat();
    stage(folder, "generate", &all).refused(
        INCOMPLETE,
        &[
            "none of the first 20 replies can be used",
            "20 × the reply was cut off",
            "--max-refused 0",
        ],
    );
    stage(
        folder,
        "generate",
        &[&flags[..], &["--examples", "1"]].concat(),
    )
    .refused(INTEGRITY, &["options.examples is 3 there and 1 here"]);
}

#[test]
fn pairs_from_elsewhere_are_screened_and_exported() {
    let folder = composed();
    let folder = folder.path();
    pairs(folder);
    let flags = [
        "--pairs",
        "pairs.jsonl",
        "--data",
        "test.jsonl",
        "--exact-only",
    ];
    let screened = stage(folder, "screen", &[&flags[..], &["--json"]].concat()).ok();
    assert!(
        screened
            .stderr
            .contains("no problems of math, college_math"),
        "{}",
        screened.stderr
    );
    let report = &screened.json()["report"];
    let removed = json!({"malformed": 1, "too_long": 0, "no_final_answer": 1, "contaminated": 1, "seed_copy": 1, "duplicate": 1, "near_duplicate": 0});
    assert_eq!(
        (&report["removed"], &report["kept"]),
        (&removed, &json!(55))
    );
    assert_eq!(report["contaminated_by_set"], json!({"gsm8k": 1}));
    let reasons = lines(&folder.join("project/screen.removed.jsonl"));
    assert_eq!(reasons.len(), 5);
    assert!(
        reasons.iter().any(|why| why["same_as"] == "pairs/5"),
        "{reasons:?}"
    );

    let text = stage(
        folder,
        "export",
        &[
            "--validation",
            "0.2",
            "--seed",
            "3",
            "--mix",
            "seeds.jsonl=20%",
        ],
    )
    .ok();
    assert!(
        text.stdout
            .contains("(55 pairs, 10 of other files, not screened)"),
        "{}",
        text.stdout
    );
    let train = lines(&folder.join("project/export/prompt_completion/train.jsonl"));
    let chat = lines(&folder.join("project/export/chat/train.jsonl"));
    // The prompts of training and those of `eval` are the same to the byte.
    let template = Template::named("alpaca").unwrap();
    assert_eq!(train.len(), chat.len());
    for (plain, chat) in train.iter().zip(&chat) {
        let question = chat["messages"][0]["content"].as_str().unwrap();
        assert_eq!(plain["prompt"], template.render(question).unwrap());
        assert_eq!(plain["completion"], chat["messages"][1]["content"]);
    }
    assert!(folder.join("project/export/README.md").is_file());
    let again = stage(folder, "screen", &flags).ok().stdout;
    let status = stage(folder, "status", &[]).ok().stdout;
    assert!(
        status.lines().all(|line| line.chars().count() <= 80),
        "{status}"
    );
    insta::assert_snapshot!(without_times(&format!(
        "{again}\n{}\n{status}",
        text.stdout
    )));
}

/// The bundled problems are not the test sets, and nothing is no training data.
#[test]
fn an_all_clear_needs_test_sets_and_records() {
    let folder = composed();
    let folder = folder.path();
    pairs(folder);
    let flags = ["--pairs", "pairs.jsonl"];
    stage(folder, "screen", &flags).refused(
        USAGE,
        &[
            "the bundled problems are not the benchmark",
            "mwpbench data fetch",
            "--data bundled",
        ],
    );
    assert!(!folder.join("project/screened.jsonl").exists());
    let bundled = [&flags[..], &["--data", "bundled"]].concat();
    let done = stage(folder, "screen", &bundled).ok();
    assert!(
        done.stderr
            .starts_with("warning: the only test items are the bundled problems")
            && done
                .stdout
                .contains("the bundled problems, NOT the published test sets"),
        "{}{}",
        done.stderr,
        done.stdout
    );
    let done = stage(folder, "screen", &[&bundled[..], &["--json"]].concat()).ok();
    assert_eq!(done.json()["report"]["tests"]["bundled"], true);

    let none = ["--without-tests", "--fresh", "--max-question-chars", "1"];
    let done = stage(folder, "screen", &[&flags[..], &none].concat());
    assert_eq!(done.code, Some(INCOMPLETE));
    assert!(
        done.stderr
            .contains("\"screen\": 0 of 60 items can be used"),
        "{}",
        done.stderr
    );
    let done = stage(folder, "export", &[]);
    assert_eq!(done.code, Some(INCOMPLETE));
    assert!(
        done.stderr.contains("\"export\" wrote no record"),
        "{}",
        done.stderr
    );
}

/// GSM8K's notes of a calculator are no text to learn, and all that is trained on ends in one way.
#[test]
fn mixed_records_are_written_as_the_pipelines_own_and_called_unscreened() {
    let folder = composed();
    let folder = folder.path();
    pairs(folder);
    let record = json!({"question": "Half of 48?", "answer": "It is <<48/2=24>>24.\n#### 24"});
    fs::write(folder.join("gsm8k.jsonl"), record.to_string()).unwrap();
    let screen = ["--pairs", "pairs.jsonl", "--without-tests"];
    stage(folder, "screen", &screen).ok();
    let done = stage(folder, "export", &["--mix", "gsm8k.jsonl"]).ok();
    assert!(
        done.stdout.contains("1 of other files, not screened"),
        "{}",
        done.stdout
    );
    let chat = fs::read_to_string(folder.join("project/export/chat/train.jsonl")).unwrap();
    assert!(chat.contains(r"It is 24.\nThe answer is 24."), "{chat}");
    assert!(!chat.contains("<<") && !chat.contains("####"));
    let card = fs::read_to_string(folder.join("project/export/README.md")).unwrap();
    assert!(
        card.contains("Records of other files were not screened"),
        "{card}"
    );
    for words in [
        "50 seed questions",
        "40 compositions",
        "edges from topics to knowledge points",
    ] {
        assert!(card.contains(words), "{words} in {card}");
    }
    assert!(
        !card.contains("set aside") && !card.contains(" kp "),
        "{card}"
    );
}

#[test]
fn wrong_use_is_refused_before_anything_is_begun() {
    let folder = composed();
    let folder = folder.path();
    for (name, flags, part) in [
        ("generate", &["--limit", "3"][..], "--model"),
        (
            "generate",
            &["--model", "demo", "--price", "1"],
            "a million prompt tokens",
        ),
        (
            "validate",
            &["--model", "demo"],
            "\"generate\" has not been run",
        ),
        (
            "validate",
            &["--model", "demo", "--consistency", "4"],
            "temperature above 0",
        ),
        (
            "screen",
            &["--generated", "--pairs", "seeds.jsonl"],
            "--generated",
        ),
        (
            "screen",
            &["--without-tests"],
            "\"generate\" has not been run",
        ),
        (
            "screen",
            &["--without-tests", "--pairs", "none.jsonl"],
            "none.jsonl",
        ),
        (
            "screen",
            &[
                "--without-tests",
                "--pairs",
                "seeds.jsonl",
                "--min-jaccard",
                "0.2",
            ],
            "0.5 to 1",
        ),
        ("export", &[], "\"screen\" has not been run"),
        (
            "export",
            &["--mix", "seeds.jsonl=lots"],
            "a number of records or a share",
        ),
        ("export", &["--validation", "1"], "below 1"),
    ] {
        stage(folder, name, flags).refused(USAGE, &[part]);
    }
    for file in ["pairs.jsonl", "screened.jsonl", "export"] {
        assert!(!folder.join("project").join(file).exists(), "{file}");
    }
}
