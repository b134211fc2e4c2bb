//! `mwpbench export`. What other programs make of the files `tools/report/exports.py` tries.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::command::mwpbench;

fn read(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn a_run_is_told_in_the_files_of_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let args = "eval --model demo --tasks gsm8k,math --limit 7 --max-tokens 80 --quiet --output-dir run --json";
    let summary = mwpbench(path, args.split(' ')).ok().json();
    let export = |format: &str, output: &str| {
        mwpbench(
            path,
            ["export", "run", "--format", format, "--output", output],
        )
        .ok()
    };
    let n = |set: usize| summary["sets"][set]["n"].as_u64().unwrap();
    let figure = |set: usize, scorer: &str| summary["sets"][set][scorer]["accuracy"].clone();

    // One task and several: MATH has the mean of its tasks, weighted by size.
    let done = export("official", "theirs");
    assert!(
        done.stderr
            .starts_with("note: no task of college_math was run"),
        "{}",
        done.stderr
    );
    let all = read(&path.join("theirs/all.metric.json"));
    assert_eq!(all["gsm8k"]["accuracy"], figure(0, "official"));
    assert_eq!(all["MATH"]["test_size"], n(1));
    let close = |found: &Value, expected: &Value| {
        (found.as_f64().unwrap() - expected.as_f64().unwrap()).abs() < 1e-12
    };
    assert!(close(&all["MATH"]["accuracy"], &figure(1, "official")));
    assert_eq!(all["college_math"]["test_size"], 0);
    let predictions = lines(&path.join("theirs/gsm8k.prediction.json"));
    assert_eq!(predictions.len() as u64, n(0));
    let judged = predictions.iter().filter(|line| line["judge"] == true);
    assert_eq!(
        judged.count() as u64,
        summary["sets"][0]["official"]["correct"].as_u64().unwrap()
    );

    export("lm-eval", "harness");
    let names: Vec<String> = fs::read_dir(path.join("harness"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let named = |start: &str| names.iter().find(|name| name.starts_with(start)).unwrap();
    let results = read(&path.join("harness").join(named("results_")));
    for scorer in ["official", "strict"] {
        let key = format!("exact_match,{scorer}");
        assert_eq!(results["results"]["gsm8k"][key], figure(0, scorer));
    }
    let samples = lines(&path.join("harness").join(named("samples_gsm8k_")));
    assert_eq!(samples.len() as u64, 2 * n(0));
    assert!(
        samples[0]["arguments"]["gen_args_0"]["arg_0"]
            .as_str()
            .unwrap()
            .contains("### Instruction:")
    );

    export("metrics", "flat");
    let metrics = read(&path.join("flat/metrics.json"));
    assert_eq!(metrics["gsm8k/strict"], figure(0, "strict"));
    assert_eq!(metrics["micro/official"], summary["micro"]["official"]);

    // Again over its own files, but over no others, and nothing is written then.
    export("metrics", "flat");
    fs::write(path.join("flat/metrics.json"), "{}").unwrap();
    mwpbench(
        path,
        ["export", "run", "--format", "metrics", "--output", "flat"],
    )
    .refused(2, &["metrics.json is there and holds something else"]);
    assert_eq!(
        fs::read_to_string(path.join("flat/metrics.json")).unwrap(),
        "{}"
    );
    mwpbench(
        path,
        ["export", "run", "--format", "excel", "--output", "x"],
    )
    .refused(2, &["invalid value 'excel'"]);
    mwpbench(
        path,
        [
            "export",
            "run",
            "--format",
            "metrics",
            "--output",
            "flat/metrics.json",
        ],
    )
    .refused(2, &["cannot make the folder"]);
    mwpbench(
        path,
        ["export", "nowhere", "--format", "metrics", "--output", "x"],
    )
    .refused(2, &["nowhere"]);
    fs::remove_file(path.join("run/summary.json")).unwrap();
    mwpbench(
        path,
        ["export", "run", "--format", "metrics", "--output", "y"],
    )
    .refused(2, &["it was not finished"]);
    assert!(!path.join("y").exists());
}

#[test]
fn several_completions_a_problem_are_refused_where_there_is_room_for_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let args = "eval --model demo --tasks gsm8k --limit 2 --max-tokens 20 --temperature 1 --samples 2 --seed 3 --quiet --output-dir run";
    mwpbench(path, args.split(' ')).ok();
    mwpbench(
        path,
        ["export", "run", "--format", "official", "--output", "x"],
    )
    .refused(2, &["2 completions a problem", "room for one"]);
    mwpbench(
        path,
        ["export", "run", "--format", "lm-eval", "--output", "x"],
    )
    .ok();
}

#[test]
fn what_only_the_other_side_can_read_holds_the_figures_of_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let args = "eval --model demo --tasks gsm8k,math --limit 3 --max-tokens 80 --quiet --output-dir run --json";
    let summary = mwpbench(path, args.split(' ')).ok().json();
    let export = |format: &str, more: &[&str]| {
        let args = ["export", "run", "--format", format, "--output", "out"];
        mwpbench(path, [&args[..], more].concat())
    };
    let accuracy = |scorer: &str| summary["sets"][0][scorer]["accuracy"].as_f64().unwrap();

    export("inspect", &[]).ok();
    let log = read(&path.join("out/mwpbench.json"));
    assert_eq!(
        (&log["version"], &log["status"]),
        (&2.into(), &"success".into())
    );
    assert_eq!(log["samples"].as_array().unwrap().len(), 6);
    let scores = log["results"]["scores"].as_array().unwrap();
    for (score, scorer) in scores.iter().zip(["official", "strict"]) {
        assert_eq!(score["name"], scorer);
        assert_eq!(score["metrics"]["gsm8k"]["value"], accuracy(scorer));
    }

    export("every-eval-ever", &["--model-id", "ours/model"]).ok();
    let own = path.join("out/data/mwpbench/ours/model");
    let names: Vec<String> = fs::read_dir(&own)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let named = |end: &str| own.join(names.iter().find(|name| name.ends_with(end)).unwrap());
    let results = read(&named(".json"));
    assert_eq!(lines(&named("_samples.jsonl")).len(), 12);
    let first = &results["evaluation_results"][0];
    assert_eq!(first["evaluation_result_id"], "gsm8k/official");
    assert_eq!(first["score_details"]["score"], accuracy("official"));
    // Again: the same run has the same files.
    export("every-eval-ever", &["--model-id", "ours/model"]).ok();
    assert_eq!(fs::read_dir(&own).unwrap().count(), 2);
    let local = export("every-eval-ever", &[]).ok();
    assert!(local.stderr.contains("under \"local\""), "{}", local.stderr);

    export("hf-eval-results", &[]).refused(2, &["gsm8k, math", "--hub-task gsm8k="]);
    export("hf-eval-results", &["--hub-task", "tal=o/d:t"]).refused(2, &["asked no set \"tal\""]);
    export("hf-eval-results", &["--hub-task", "gsm8k=d"])
        .refused(2, &["SET=ORGANISATION/DATASET:TASK"]);
    let done = export("hf-eval-results", &["--hub-task", "gsm8k=o/d:t"]).ok();
    assert!(
        done.stderr.contains("left out") && done.stderr.contains("math"),
        "{}",
        done.stderr
    );
    let text = fs::read_to_string(path.join("out/.eval_results/gsm8k.yaml")).unwrap();
    let value = format!("  value: {:.2}\n", 100.0 * accuracy("official"));
    assert!(
        text.contains("id: \"o/d\"\n    task_id: \"t\"\n") && text.contains(&value),
        "{text}"
    );
    assert!(!path.join("out/.eval_results/math.yaml").exists());

    export("parquet", &[]).ok();
    let packed = fs::read(path.join("out/items.parquet")).unwrap();
    assert!(packed.starts_with(b"PAR1") && packed.ends_with(b"PAR1"));
    // This program reads parquet itself.
    let map = "completion=completion,reference=reference,correct=official_correct,id=id";
    let args = [
        "import-run",
        "out/items.parquet",
        "--from",
        "jsonl",
        "--map",
        map,
        "--data",
        "bundled",
        "--output-dir",
        "again",
        "--json",
    ];
    let again = mwpbench(path, args).ok();
    assert_eq!(
        again.json()["sets"][0]["official"],
        summary["sets"][0]["official"]
    );
    let count = |scorer: &str| -> u64 {
        let sets = summary["sets"].as_array().unwrap();
        sets.iter()
            .map(|set| set[scorer]["correct"].as_u64().unwrap())
            .sum()
    };
    let told = format!(
        "the files count {0} of 6 completions as correct; here the official scorer {0}, the strict one {1}",
        count("official"),
        count("strict")
    );
    assert!(again.stderr.contains(&told), "{}", again.stderr);
}
