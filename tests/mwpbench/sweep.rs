//! `mwpbench eval --model 'runs/checkpoint-*'`.

use std::fs;

use serde_json::Value;

use crate::checkpoint::Checkpoint;
use crate::command::mwpbench;

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
