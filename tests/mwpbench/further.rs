//! Further sets, suites, few-shot prompts and tokens, on the demo checkpoint.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::command::{Done, mwpbench};

/// `eval` on the demo checkpoint with a few new tokens, kept in `run`.
fn eval(folder: &Path, run: &str, extra: &[&str]) -> Done {
    let mut args = vec!["eval", "--model", "demo", "--quiet", "--output-dir", run];
    args.extend(extra);
    if !extra.contains(&"--max-tokens") {
        args.extend(["--max-tokens", "24"]);
    }
    mwpbench(folder, args)
}

fn read(folder: &Path, file: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(folder.join(file)).unwrap()).unwrap()
}

#[test]
fn a_suite_has_averages_of_its_name_and_mwpbench_has_none() {
    let folder = tempfile::tempdir().unwrap();
    let extra = ["--tasks", "reasoning", "--limit", "1"];
    let table = eval(folder.path(), "run", &extra).ok().stdout;
    for part in [
        "MATH-500",
        "OlympiadBench",
        "reasoning, micro average",
        "6 sets",
    ] {
        assert!(table.contains(part), "no {part:?} in\n{table}");
    }
    assert!(!table.contains("\n micro average"), "{table}");
    assert!(!table.contains("in no average"), "{table}");
    let summary = read(folder.path(), "run/summary.json");
    assert_eq!(summary["micro"], Value::Null);
    assert_eq!(summary["suites"][0]["suite"], "reasoning");
    assert_eq!(summary["suites"][0]["n"], 6);
    let run = read(folder.path(), "run/run.json");
    assert_eq!(run["suites"][0]["sets"].as_array().unwrap().len(), 6);
    // Judged again, the suite is still known.
    mwpbench(folder.path(), ["score", "run"]).ok();
    let again = read(folder.path(), "run/summary.json");
    assert_eq!(again["suites"], summary["suites"]);
}

#[test]
fn the_default_is_mwpbench_and_is_the_same_run_as_the_suite_of_that_name() {
    let folder = tempfile::tempdir().unwrap();
    let one = eval(folder.path(), "one", &["--limit", "1"]).ok();
    let other = eval(
        folder.path(),
        "other",
        &["--limit", "1", "--tasks", "mwpbench"],
    )
    .ok();
    assert_eq!(one.stdout, other.stdout);
    let identity = |run: &str| read(folder.path(), &format!("{run}/run.json"))["identity"].clone();
    assert_eq!(identity("one"), identity("other"));
    let summary = read(folder.path(), "one/summary.json");
    assert!(summary.get("suites").is_none(), "{summary}");
}

#[test]
fn suites_of_the_current_folder_are_asked_and_what_is_wrong_with_them_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("mwpbench.toml");
    fs::write(&config, "[suites]\nshort = [\"gsm8k\", \"svamp\"]\n").unwrap();
    let extra = ["--tasks", "short", "--limit", "1"];
    let table = eval(folder.path(), "run", &extra).ok().stdout;
    assert!(table.contains("short, macro average"), "{table}");
    fs::write(&config, "[suites]\nshort = [\"gsm9k\"]\n").unwrap();
    eval(folder.path(), "run", &extra).refused(2, &["mwpbench.toml", "gsm9k"]);
}

#[test]
fn a_file_of_a_further_set_changes_nothing_for_those_who_do_not_ask_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("home/data");
    fs::create_dir_all(&data).unwrap();
    let record =
        |task: &str| format!(r#"{{"data_topic":"{task}","question":"1+1?","answer":"2"}}"#);
    fs::write(data.join("test.jsonl"), record("gsm8k")).unwrap();
    eval(folder.path(), "one", &[]).ok();
    fs::write(data.join("svamp.jsonl"), record("svamp")).unwrap();
    eval(folder.path(), "other", &[]).ok();
    let identity = |run: &str| read(folder.path(), &format!("{run}/run.json"))["identity"].clone();
    assert_eq!(identity("one"), identity("other"));
    eval(folder.path(), "both", &["--tasks", "gsm8k,svamp"]).ok();
    assert_ne!(
        identity("one")["data"]["digest"],
        identity("both")["data"]["digest"]
    );
    // Alone in a file it is asked without being named.
    let file = data.join("svamp.jsonl");
    eval(folder.path(), "alone", &["--data", file.to_str().unwrap()]).ok();
    let summary = read(folder.path(), "alone/summary.json");
    assert_eq!(summary["sets"][0]["set"], "svamp");
}

#[test]
fn examples_stand_in_the_prompt_and_in_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("home/data");
    fs::create_dir_all(&data).unwrap();
    let line = |number: usize, kind: &str, more: &str| {
        format!(
            r#"{{"data_topic":"gsm8k","question_number":"{kind}.{number}","question":"Box {number} of the {kind} shelf holds {number} pens and a ruler. How many things are in it?","answer":"{}"{more}}}"#,
            number + 1
        )
    };
    let lines = |count: usize, kind: &str, more: &str| {
        (1..=count)
            .map(|number| line(number, kind, more) + "\n")
            .collect::<String>()
    };
    fs::write(data.join("gsm8k.jsonl"), lines(2, "test", "")).unwrap();
    let solution = r##","solution":"One more: <<1+1=2>>done.\n#### 2""##;
    fs::write(
        data.join("gsm8k.train.jsonl"),
        lines(1, "training", solution),
    )
    .unwrap();
    let extra = ["--few-shot", "2"];
    eval(folder.path(), "run", &extra).refused(2, &["gsm8k", "--split train"]);
    let words = ["apples", "kites", "seals", "drums"];
    let train: String = (0..4)
        .map(|index| {
            format!(
                r##"{{"data_topic":"gsm8k","question":"A farmer counts {} {} every morning before breakfast and {} in the evening. What is the sum?","answer":"9","solution":"We add. <<4+5=9>>\n#### 9"}}"##,
                index + 3, words[index], index * 7
            ) + "\n"
        })
        .collect();
    fs::write(data.join("gsm8k.train.jsonl"), train).unwrap();
    let table = eval(folder.path(), "run", &extra).ok().stdout;
    assert!(table.contains("2 examples before each question"), "{table}");
    let run = read(folder.path(), "run/run.json");
    let few = &run["identity"]["few_shot"];
    assert_eq!((&few["examples"], &few["seed"]), (&2.into(), &0.into()));
    assert_eq!(few["sets"]["gsm8k"].as_array().unwrap().len(), 2);
    let item = mwpbench(folder.path(), ["show", "run", "--item", "gsm8k/test.1"])
        .ok()
        .stdout;
    assert_eq!(item.matches("### Instruction:").count(), 3, "{item}");
    assert!(item.contains("We add.\nThe answer is 9.\n"), "{item}");
    // Others by another seed, which is another run.
    let extra = ["--few-shot", "2", "--few-shot-seed", "1"];
    eval(folder.path(), "run", &extra).refused(4, &["few_shot"]);
    eval(folder.path(), "zero", &["--few-shot", "0"]).refused(2, &["--few-shot"]);
}

#[test]
fn a_budget_of_thinking_that_leaves_nothing_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |extra: &[&str], parts: &[&str]| {
        eval(folder.path(), "run", extra).refused(2, parts);
    };
    refused(
        &["--thinking-budget", "24"],
        &["--thinking-budget 24", "--max-tokens 24"],
    );
    refused(
        &["--thinking-budget", "8", "--log-tokens"],
        &["--log-tokens"],
    );
}

#[test]
fn a_model_that_does_not_think_writes_the_same_with_a_budget() {
    let folder = tempfile::tempdir().unwrap();
    let tasks = ["--tasks", "gsm8k", "--limit", "4", "--max-tokens", "60"];
    eval(folder.path(), "free", &tasks).ok();
    let budget = [&tasks[..], &["--thinking-budget", "20"]].concat();
    let table = eval(folder.path(), "budget", &budget).ok().stdout;
    assert!(table.contains("thinking ended after 20 tokens"), "{table}");
    let texts = |run: &str| -> Vec<String> {
        fs::read_to_string(folder.path().join(run).join("completions.jsonl"))
            .unwrap()
            .lines()
            .map(|line| {
                let record: Value = serde_json::from_str(line).unwrap();
                record["completion"].as_str().unwrap().to_string()
            })
            .collect()
    };
    // What is cut outside of thinking is no matter of the budget.
    assert_eq!(texts("free"), texts("budget"));
}

#[test]
fn a_leaderboard_of_a_suite_has_its_columns_and_tokens_beside_accuracy() {
    let folder = tempfile::tempdir().unwrap();
    let extra = ["--tasks", "gsm8k,svamp,asdiv", "--limit", "2"];
    eval(folder.path(), "run", &extra).ok();
    let config = folder.path().join("mwpbench.toml");
    fs::write(
        &config,
        "[suites]\nshort = [\"gsm8k\", \"svamp\", \"mawps\"]\n",
    )
    .unwrap();
    let args = [
        "leaderboard",
        "run",
        "--suite",
        "short",
        "--tokens",
        "--tokens-chart",
        "t.svg",
    ];
    let text = mwpbench(folder.path(), args).ok().stdout;
    for part in [
        "suite short",
        "short micro",
        "SVAMP",
        "short: average over 2 of 3 sets, without mawps",
        "Accuracy against tokens: short micro",
        "per point",
    ] {
        assert!(text.contains(part), "no {part:?} in\n{text}");
    }
    assert!(!text.contains("CollegeMath"), "{text}");
    let picture = fs::read_to_string(folder.path().join("t.svg")).unwrap();
    assert!(
        picture.contains("mean new tokens of a completion"),
        "{picture}"
    );
    let args = ["leaderboard", "run", "--suite", "shrot"];
    mwpbench(folder.path(), args).refused(2, &["no suite is called", "reasoning"]);
    // Without a suite the columns are MwpBench's and those of the further sets that were asked.
    let text = mwpbench(folder.path(), ["leaderboard", "run", "--json"])
        .ok()
        .json();
    let columns = text["columns"].as_array().unwrap();
    assert_eq!(columns.len(), 10 + 2 + 2);
}
