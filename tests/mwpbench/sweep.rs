//! `mwpbench eval --model 'runs/checkpoint-*'`.

use std::fs;

use serde_json::Value;

use crate::checkpoint::{Checkpoint, adapter};
use crate::command::mwpbench;

/// Enough problems that the demo checkpoint and one that answers nothing are told apart.
const ASKED: [&str; 6] = ["--tasks", "gsm8k", "--limit", "40", "--max-tokens", "96"];

/// A checkpoint whose weights are all zero, which answers nothing.
fn blank(checkpoint: &Checkpoint) {
    checkpoint.edit_tensors(|tensors| {
        tensors.values_mut().for_each(|tensor| tensor.data.fill(0));
    });
}

#[test]
fn each_checkpoint_is_a_run_and_one_that_fails_does_not_stop_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::create_dir(path.join("runs")).unwrap();
    for step in ["checkpoint-9", "checkpoint-50", "checkpoint-100"] {
        let copy = Checkpoint::copy_to(path);
        fs::rename(copy.path(), path.join("runs").join(step)).unwrap();
    }
    fs::remove_file(path.join("runs/checkpoint-50/tokenizer.json")).unwrap();
    let eval = [
        "eval",
        "--model",
        "runs/checkpoint-*",
        "--tasks",
        "gsm8k",
        "--limit",
        "1",
        "--max-tokens",
        "4",
        "--output-dir",
        "evals",
    ];
    let done = mwpbench(path, eval);
    assert_eq!(done.code, Some(3), "{}", done.stderr);
    assert!(
        done.stderr.contains("holds no tokenizer.json"),
        "{}",
        done.stderr
    );
    assert!(
        done.stderr.contains("not whole: runs/checkpoint-50"),
        "{}",
        done.stderr
    );
    let board = done.stdout.split("Leaderboard").nth(1).unwrap();
    let steps: Vec<usize> = ["checkpoint-9 ", "checkpoint-100 "]
        .iter()
        .map(|row| board.find(row).unwrap())
        .collect();
    assert!(steps.is_sorted(), "{board}");
    for step in ["checkpoint-9", "checkpoint-100"] {
        let manifest = fs::read(path.join("evals").join(step).join("run.json")).unwrap();
        let manifest: Value = serde_json::from_slice(&manifest).unwrap();
        assert_eq!(manifest["identity"]["model"]["name"], step);
    }
    assert!(!path.join("evals/checkpoint-50").exists());
    let both = [
        "eval",
        "--model",
        "runs/checkpoint-9",
        "--model",
        "demo",
        "--tasks",
        "gsm8k",
        "--limit",
        "1",
        "--max-tokens",
        "4",
        "--output-dir",
        "two",
    ];
    mwpbench(path, both).ok();
    assert!(
        path.join("two/checkpoint-9/summary.json").exists()
            && path.join("two/demo/summary.json").exists()
    );
    let elsewhere = [
        "data",
        "translate",
        "math23k",
        "--model",
        "demo",
        "--model",
        "demo",
    ];
    mwpbench(path, elsewhere).refused(2, &["--model is given 2 times"]);
    mwpbench(path, ["eval", "--model", "runs/none-*"])
        .refused(2, &["no checkpoint matches runs/none-*"]);
    mwpbench(path, eval.iter().chain(&["--name", "x"]))
        .refused(2, &["--name is the name of one model"]);
}

#[test]
fn the_best_checkpoint_is_named_and_what_cannot_be_told_from_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::create_dir(path.join("runs")).unwrap();
    for (step, answers) in [(10, false), (20, true), (30, true)] {
        let mut copy = Checkpoint::copy_to(path);
        if !answers {
            blank(&copy);
        }
        copy.rename(&path.join(format!("runs/checkpoint-{step}")));
    }
    // Of the same accuracy, the trainer's own count says which was first.
    let state = path.join("runs/checkpoint-30/trainer_state.json");
    fs::write(state, r#"{"global_step": 15}"#).unwrap();
    let eval = [
        "eval",
        "--model",
        "runs/checkpoint-*",
        "--output-dir",
        "evals",
    ];
    let done = mwpbench(path, eval.iter().chain(&ASKED)).ok();
    let named = "Best checkpoint: checkpoint-30 with";
    for part in [
        named,
        "by the official scorer, GSM8K; cannot tell it from checkpoint-20.",
        "Paired comparison over 40 items",
    ] {
        assert!(done.stdout.contains(part), "{part}: {}", done.stdout);
    }
    let row = |name: &str| {
        let table = done.stdout.split("beside the best").nth(1).unwrap();
        table.lines().find(|line| line.contains(name)).unwrap()
    };
    assert!(row("checkpoint-10").contains("worse"));
    assert!(row("checkpoint-20").contains("cannot tell"));
    assert!(
        row("checkpoint-30").contains(" 15 "),
        "{}",
        row("checkpoint-30")
    );
    let manifest = fs::read(path.join("evals/checkpoint-30/run.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(manifest["environment"]["training_step"], "15");

    let printed = mwpbench(
        path,
        eval.iter().chain(&ASKED).chain(&["--json", "--quiet"]),
    )
    .ok();
    let values: Vec<Value> = serde_json::Deserializer::from_str(&printed.stdout)
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert_eq!(values.len(), 4);
    let best = &values[3];
    assert_eq!(best["schema"], "mwpbench.best.v1");
    assert_eq!(best["best"], 1);
    assert_eq!(best["items"], 40);
    let standings: Vec<&str> = best["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| run["standing"].as_str().unwrap())
        .collect();
    assert_eq!(standings, ["worse", "best", "cannot_tell"]);

    let board = [
        "leaderboard",
        "evals",
        "--best",
        "--training-curve",
        "curve.svg",
    ];
    let again = mwpbench(path, board).ok();
    assert!(
        again.stdout.contains("Best checkpoint: "),
        "{}",
        again.stdout
    );
    let curve = fs::read_to_string(path.join("curve.svg")).unwrap();
    assert!(curve.contains("checkpoint-20 at step 20: GSM8K"), "{curve}");
    let runs = [
        "evals/checkpoint-10",
        "evals/checkpoint-20",
        "evals/checkpoint-30",
    ];
    mwpbench(
        path,
        ["report", "--output", "page.html"].iter().chain(&runs),
    )
    .ok();
    let page = fs::read_to_string(path.join("page.html")).unwrap();
    assert!(page.contains("<figcaption>Accuracy over training steps"));
    assert!(page.contains("checkpoint-30, step 15, strict: "));
    mwpbench(path, ["report", "--output", "one.html", runs[0]]).ok();
    let page = fs::read_to_string(path.join("one.html")).unwrap();
    assert!(!page.contains("Accuracy over training steps"));
}

#[test]
fn adapters_of_one_base_are_runs_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    adapter(&path.join("lora/checkpoint-5"), 0.0);
    adapter(&path.join("lora/checkpoint-10"), 0.5);
    let eval = [
        "eval",
        "--model",
        "demo",
        "--adapter",
        "lora/checkpoint-*",
        "--tasks",
        "gsm8k",
        "--limit",
        "2",
        "--max-tokens",
        "32",
        "--output-dir",
        "evals",
    ];
    let done = mwpbench(path, eval).ok();
    assert!(
        done.stderr.contains("model 2 of 2: lora/checkpoint-10"),
        "{}",
        done.stderr
    );
    let completions = |step: &str| {
        let run = path.join("evals").join(step);
        let manifest: Value =
            serde_json::from_slice(&fs::read(run.join("run.json")).unwrap()).unwrap();
        let name = manifest["identity"]["model"]["name"].as_str().unwrap();
        assert_eq!(name, format!("demo+{step}"));
        fs::read_to_string(run.join("completions.jsonl")).unwrap()
    };
    assert_ne!(completions("checkpoint-5"), completions("checkpoint-10"));
    let two_bases = ["--model", "other"];
    mwpbench(path, eval.iter().chain(&two_bases))
        .refused(2, &["--model names 2 models and --adapter 2 adapters"]);
    let elsewhere = ["inspect", "demo", "--adapter", "a", "--adapter", "b"];
    mwpbench(path, elsewhere).refused(2, &["--adapter is given 2 times"]);
}

#[test]
fn what_is_asked_is_refused_once_and_not_for_each_model() {
    let folder = tempfile::tempdir().unwrap();
    let eval = [
        "eval", "--model", "demo", "--model", "other", "--tasks", "none",
    ];
    mwpbench(folder.path(), eval).refused(2, &["none"]);
}
