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
