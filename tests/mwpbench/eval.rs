use std::fs;

use serde_json::Value;

use crate::checkpoint::demo;
use crate::command::mwpbench;

const NAMES: [&str; 11] = [
    "gsm8k",
    "math",
    "college_math",
    "tal",
    "math23k",
    "ape210k",
    "gaokao_bench",
    "agieval_gaokao",
    "agieval_sat",
    "agieval_math",
    "fresh_gaokao_2023",
];

fn names(summary: &Value) -> Vec<String> {
    summary["sets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|set| set["set"].as_str().unwrap().to_string())
        .collect()
}

#[test]
fn the_demo_run_prints_the_contracted_summary_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let args = [
        "eval",
        "--model",
        "demo",
        "--limit",
        "7",
        "--max-tokens",
        "160",
        "--json",
        "--output-dir",
        "run",
    ];
    let done = mwpbench(folder.path(), args).ok();
    let summary = done.json();
    assert_eq!(names(&summary), NAMES);
    assert_eq!(
        (&summary["model"], &summary["data"], &summary["protocol"]),
        (&"demo".into(), &"samples".into(), &"official".into())
    );
    assert_eq!(summary["complete"], false);
    let verdicts = fs::read_to_string(folder.path().join("run/verdicts.jsonl")).unwrap();
    let verdicts: Vec<Value> = verdicts
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    for set in summary["sets"].as_array().unwrap() {
        assert_eq!(set["n"], 7);
        let own = || {
            verdicts
                .iter()
                .filter(|verdict| verdict["set"] == set["set"])
        };
        for scorer in ["official", "strict"] {
            let figure = |name: &str| set[scorer][name].as_f64().unwrap();
            assert!((figure("accuracy") - figure("correct") / 7.0).abs() < 1e-12);
            let correct = own().filter(|verdict| verdict[scorer]["correct"] == true);
            assert_eq!(figure("correct"), correct.count() as f64);
        }
        for count in ["no_answer", "truncated"] {
            let counted = own().filter(|verdict| verdict[count] == true).count();
            assert_eq!(set[count], counted, "{count}");
        }
        assert_eq!(set["failed"], 0);
    }
    // The demo checkpoint solves easy problems, and none of college mathematics.
    let correct = |name: &str, scorer: &str| -> u64 {
        let sets = summary["sets"].as_array().unwrap().iter();
        let own = sets.filter(|set| set["set"] == name);
        own.map(|set| set[scorer]["correct"].as_u64().unwrap())
            .sum()
    };
    for scorer in ["official", "strict"] {
        let easy = ["gsm8k", "math23k", "ape210k"];
        let solved: u64 = easy.iter().map(|set| correct(set, scorer)).sum();
        assert!(
            (4..=17).contains(&solved),
            "{solved} of 21 by the {scorer} scorer"
        );
        assert_eq!(correct("college_math", scorer), 0);
    }
    for average in ["micro", "macro"] {
        for scorer in ["official", "strict"] {
            assert!((0.0..=1.0).contains(&summary[average][scorer].as_f64().unwrap()));
        }
    }
    let first = fs::read_to_string(folder.path().join("run/completions.jsonl")).unwrap();
    let first: Value = serde_json::from_str(first.lines().next().unwrap()).unwrap();
    for field in [
        "id",
        "set",
        "task",
        "sample",
        "completion",
        "finish_reason",
        "prompt_tokens",
        "completion_tokens",
        "prompt_hash",
    ] {
        assert!(!first[field].is_null(), "{field}");
    }
    let manifest: Value =
        serde_json::from_slice(&fs::read(folder.path().join("run/run.json")).unwrap()).unwrap();
    assert_eq!(manifest["identity"]["decoding"]["max_tokens"], 160);
}

#[test]
fn batch_size_threads_and_order_change_no_byte() {
    let folder = tempfile::tempdir().unwrap();
    let run = |name: &str, extra: &[&str]| {
        let mut args = vec![
            "eval",
            "--model",
            "demo",
            "--tasks",
            "gsm8k,tal",
            "--max-tokens",
            "96",
            "--quiet",
            "--output-dir",
            name,
        ];
        args.extend(extra);
        mwpbench(folder.path(), args).ok();
        ["completions.jsonl", "verdicts.jsonl", "summary.json"]
            .map(|file| fs::read(folder.path().join(name).join(file)).unwrap())
    };
    let reference = run("auto", &[]);
    for (name, extra) in [
        ("one", ["--batch-size", "1", "--threads", "1"]),
        ("three", ["--batch-size", "3", "--threads", "2"]),
        ("sixteen", ["--batch-size", "16", "--threads", "3"]),
    ] {
        assert!(run(name, &extra) == reference, "{name}");
    }
}

#[test]
fn a_checkpoint_in_a_folder_gives_the_completions_of_the_embedded_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = demo();
    let completions = |model: &str, name: &str| {
        let args = [
            "eval",
            "--model",
            model,
            "--tasks",
            "ape210k",
            "--limit",
            "6",
            "--quiet",
            "--output-dir",
            name,
        ];
        mwpbench(folder.path(), args).ok();
        fs::read(folder.path().join(name).join("completions.jsonl")).unwrap()
    };
    assert!(completions("demo", "embedded") == completions(path.to_str().unwrap(), "folder"));
}

#[test]
fn the_table_names_model_data_protocol_and_what_the_averages_leave_out() {
    let folder = tempfile::tempdir().unwrap();
    let args = [
        "eval",
        "--model",
        "demo",
        "--tasks",
        "gsm8k,MATH.Algebra",
        "--limit",
        "2",
        "--max-tokens",
        "16",
    ];
    let done = mwpbench(folder.path(), args).ok();
    // At sixteen tokens the demo checkpoint answers nothing, on whatever machine.
    insta::assert_snapshot!(done.stdout, @r#"
    demo on the bundled problems (not MwpBench): official protocol, but limit 2 a set, at most 16 new tokens
    ──────────────────────────────────────────────────────────────────────────────────────────────────────
     set             level         n   official   strict   95 % interval   no answer   truncated   failed
    ──────────────────────────────────────────────────────────────────────────────────────────────────────
     GSM8K           Elementary    2        0.0      0.0      0.0 – 65.8           0           2        0
     MATH            Competition   2        0.0      0.0      0.0 – 65.8           0           2        0
     micro average   2 sets        4        0.0      0.0      0.0 – 46.5
     macro average   2 sets        4        0.0      0.0      0.0 – 46.5
    ──────────────────────────────────────────────────────────────────────────────────────────────────────
    Accuracy in percent: official is the published scorer, strict compares values; the interval is the strict one's.
    The bundled problems are in the style of the sets; give real data with --data.
    The averages leave out sets that are not in the run: college_math, tal, math23k, ape210k, gaokao_bench, agieval_gaokao, agieval_sat, agieval_math.
    "#);
    assert!(
        !done.stdout.contains('\u{1b}'),
        "no colours where there is no terminal"
    );
    assert!(
        done.stderr.contains("4 bundled problems; run folder: "),
        "{}",
        done.stderr
    );
    let again = mwpbench(folder.path(), args).ok();
    assert_eq!(again.stdout, done.stdout);
    assert!(
        again.stderr.contains("nothing to generate"),
        "{}",
        again.stderr
    );
}

#[test]
fn a_users_template_is_asked_and_shown() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("mine.txt"), "Q: {question}\nA:").unwrap();
    let args = [
        "eval",
        "--model",
        "demo",
        "--tasks",
        "tal",
        "--limit",
        "1",
        "--max-tokens",
        "8",
        "--prompt-template",
        "mine.txt",
        "--output-dir",
        "run",
        "--quiet",
    ];
    assert!(
        mwpbench(folder.path(), args)
            .ok()
            .stdout
            .contains("template mine.txt")
    );
    let item = mwpbench(
        folder.path(),
        ["show", "run", "--item", "tal/sample.1", "--json"],
    )
    .ok()
    .json();
    let prompt = item["prompt"].as_str().unwrap();
    assert!(
        prompt.starts_with("Q: ") && prompt.ends_with("\nA:"),
        "{prompt}"
    );
}

#[test]
fn variables_stand_in_for_flags() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = assert_cmd::Command::cargo_bin("mwpbench").unwrap();
    command
        .current_dir(folder.path())
        .env("MWPBENCH_MODEL", "demo")
        .env("MWPBENCH_MAX_TOKENS", "4");
    command.args([
        "eval", "--tasks", "tal", "--limit", "1", "--json", "--quiet",
    ]);
    let summary: Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
    assert_eq!(
        summary["deviations"],
        serde_json::json!(["limit 1 a set", "at most 4 new tokens"])
    );
}

#[test]
fn several_samples_of_a_problem_are_kept_and_averaged() {
    let folder = tempfile::tempdir().unwrap();
    let run = |name: &str, extra: &[&str]| {
        let flags = [
            "eval",
            "--model",
            "demo",
            "--tasks",
            "gsm8k",
            "--limit",
            "6",
            "--max-tokens",
            "64",
            "--json",
        ];
        let drawn = [
            "--temperature",
            "0.8",
            "--samples",
            "3",
            "--seed",
            "7",
            "--output-dir",
            name,
        ];
        mwpbench(folder.path(), flags.iter().chain(&drawn).chain(extra))
            .ok()
            .json()
    };
    let summary = run("one", &[]);
    let set = &summary["sets"][0];
    assert_eq!(set["n"], 6);
    let correct = set["strict"]["correct"].as_f64().unwrap();
    assert!((set["strict"]["accuracy"].as_f64().unwrap() - correct / 18.0).abs() < 1e-12);
    assert!(
        summary["deviations"]
            .to_string()
            .contains("temperature 0.8, 3 a problem"),
        "{summary}"
    );

    let records = |name: &str| -> Vec<Value> {
        let text =
            std::fs::read_to_string(folder.path().join(name).join("completions.jsonl")).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    let samples: Vec<u64> = records("one")
        .iter()
        .map(|record| record["sample"].as_u64().unwrap())
        .collect();
    assert_eq!(samples, [0, 1, 2].repeat(6));
    run("two", &["--batch-size", "5", "--threads", "1"]);
    assert_eq!(records("one"), records("two"));
    let id = records("one")[0]["id"].as_str().unwrap().to_string();
    for sample in ["0", "2"] {
        let args = ["show", "one", "--item", &id, "--sample", sample, "--json"];
        let shown = mwpbench(folder.path(), args).ok().json();
        assert_eq!(shown["completion"]["sample"].to_string(), sample);
    }
    mwpbench(
        folder.path(),
        ["show", "one", "--item", &id, "--sample", "3"],
    )
    .refused(2, &["no finished sample 3"]);
    // Judging again finds all of them, and so does the same command.
    let again = mwpbench(folder.path(), ["score", "one", "--json"])
        .ok()
        .json();
    assert_eq!(again["sets"], summary["sets"]);
    assert_eq!(run("one", &[])["sets"], summary["sets"]);
}

#[test]
fn items_of_a_run_are_listed_by_what_became_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let args = [
        "eval",
        "--model",
        "demo",
        "--tasks",
        "gsm8k,math",
        "--limit",
        "7",
        "--quiet",
    ];
    let done = mwpbench(path, args.iter().chain(&["--output-dir", "run", "--json"])).ok();
    assert!(
        done.stderr
            .ends_with("run: run (`mwpbench show run --wrong` lists what went wrong)\n")
    );
    let summary = done.json();
    assert_eq!(summary["run_folder"], "run");
    let list = |flags: &[&str]| {
        let args = ["show", "run", "--json"];
        let listed = mwpbench(path, args.iter().chain(flags)).ok().json();
        listed.as_array().unwrap().clone()
    };
    let of = |set: usize, scorer: &str| {
        let counts = &summary["sets"][set];
        let all = counts["n"].as_u64().unwrap();
        let others = counts[scorer]["correct"].as_u64().unwrap()
            + counts["no_answer"].as_u64().unwrap()
            + counts["truncated"].as_u64().unwrap();
        (all - others) as usize
    };
    for scorer in ["official", "strict"] {
        let wrong = list(&["--wrong", "--set", "gsm8k", "--scorer", scorer]);
        assert_eq!(wrong.len(), of(0, scorer));
        assert!(
            wrong
                .iter()
                .all(|item| item["verdict"][scorer]["verdict"] == "wrong")
        );
        assert!(wrong.iter().all(|item| item["problem"]["set"] == "gsm8k"));
    }
    assert_eq!(list(&["--set", "math"]).len(), 7);
    let table = mwpbench(path, ["show", "run", "--wrong"]).ok().stdout;
    assert!(
        table.contains("reference") && table.contains("completions"),
        "{table}"
    );

    mwpbench(path, ["show", "run", "--set", "maths"]).refused(2, &["did you mean \"math\"?"]);
    mwpbench(path, ["show", "run", "--item", "gsm8k/sample.99"])
        .refused(2, &["did you mean \"gsm8k/sample."]);
}
