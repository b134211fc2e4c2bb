//! `mwpbench eval --shard` and `mwpbench merge`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::command::{Done, mwpbench};

/// The demo over bundled problems of all sets.
const PLAN: [&str; 8] = [
    "eval",
    "--model",
    "demo",
    "--limit",
    "6",
    "--max-tokens",
    "64",
    "--quiet",
];

fn with(folder: &Path, more: &[&str]) -> Done {
    mwpbench(folder, PLAN.iter().chain(more))
}

/// The files of a run, without its times.
fn files(run: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files: BTreeMap<String, Vec<u8>> = fs::read_dir(run)
        .unwrap()
        .flatten()
        .map(|entry| {
            (
                entry.file_name().into_string().unwrap(),
                fs::read(entry.path()).unwrap(),
            )
        })
        .collect();
    let mut manifest: Value = serde_json::from_slice(&files["run.json"]).unwrap();
    (manifest["started"], manifest["finished"]) = (Value::Null, Value::Null);
    files.insert("run.json".to_string(), format!("{manifest:#}").into_bytes());
    files
}

#[test]
fn four_shards_of_the_demo_are_the_run_in_one_piece() {
    let folder = tempfile::tempdir().unwrap();
    with(folder.path(), &["--log-tokens", "--output-dir", "one"]).ok();
    for shard in ["1/4", "2/4", "4/4"] {
        with(
            folder.path(),
            &["--log-tokens", "--shard", shard, "--output-dir", "shards"],
        )
        .ok();
    }
    let early = mwpbench(folder.path(), ["merge", "shards", "--output-dir", "merged"]);
    let command = format!(
        "\n  MWPBENCH_HOME={} mwpbench {} --log-tokens --output-dir shards --shard 3/4",
        folder.path().join("home").display(),
        PLAN.join(" ")
    );
    early.refused(
        3,
        &[
            "1 of 4 shards are not finished: shard 3 of 4 is missing. Finish with:",
            &command,
        ],
    );
    assert!(!folder.path().join("merged").exists());
    with(
        folder.path(),
        &["--log-tokens", "--shard", "3/4", "--output-dir", "shards"],
    )
    .ok();
    let merged = mwpbench(folder.path(), ["merge", "shards", "--output-dir", "merged"]).ok();
    assert!(merged.stdout.contains("micro average"), "{}", merged.stdout);
    assert!(files(&folder.path().join("one")) == files(&folder.path().join("merged")));
    let one = mwpbench(folder.path(), ["show", "one"]).ok();
    assert_eq!(one.stdout, merged.stdout);
    let shard = "shards/shard-2-of-4";
    for command in [
        vec!["show", shard],
        vec!["score", shard],
        vec!["compare", "one", shard],
    ] {
        mwpbench(folder.path(), command).refused(
            3,
            &["shard 2 of 4", "`mwpbench merge shards --output-dir RUN`"],
        );
    }
}

#[test]
fn what_cannot_be_a_shard_is_refused_before_a_folder_is_made() {
    let folder = tempfile::tempdir().unwrap();
    for (shard, part) in [
        ("0/4", "from 1 to N"),
        ("5/4", "from 1 to N"),
        ("slurm", "SLURM_ARRAY_TASK_ID"),
        ("kubernetes/4", "JOB_COMPLETION_INDEX"),
    ] {
        let done = with(folder.path(), &["--shard", shard, "--output-dir", "run"]);
        done.refused(2, &[part]);
    }
    with(folder.path(), &["--shard", "1/4", "--fresh"]).refused(2, &["--fresh"]);
    assert!(!folder.path().join("run").exists());
    // A folder of another number of shards, and that of a whole run.
    fs::create_dir_all(folder.path().join("run/shard-1-of-4")).unwrap();
    with(folder.path(), &["--shard", "1/2", "--output-dir", "run"])
        .refused(2, &["in 4", "--shard I/4"]);
    fs::create_dir_all(folder.path().join("whole")).unwrap();
    fs::write(folder.path().join("whole/run.json"), "{}").unwrap();
    with(folder.path(), &["--shard", "1/2", "--output-dir", "whole"]).refused(2, &["a whole run"]);
}

#[test]
fn a_dry_run_of_a_shard_measures_its_part() {
    let folder = tempfile::tempdir().unwrap();
    let done = with(
        folder.path(),
        &["--shard", "1/4", "--dry-run", "--json", "--tasks", "gsm8k"],
    )
    .ok();
    let problems = done.json()["problems"].as_u64().unwrap();
    assert!(
        (1..=2).contains(&problems),
        "{problems} of 6 problems in a shard of four"
    );
    // Memory for the longest completion: keys and values of the demo's layers in bf16, in blocks of
    // 16 positions.
    let config =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("models/demo/config.json"));
    let config: Value = serde_json::from_str(&config.unwrap()).unwrap();
    let number = |value: &Value| value.as_u64().unwrap();
    let heads = number(&config["num_key_value_heads"]);
    let head_dim = number(&config["hidden_size"]) / number(&config["num_attention_heads"]);
    let position = 2 * number(&config["num_hidden_layers"]) * heads * head_dim * 2;
    let told = done.json();
    let longest = number(&told["longest_prompt_tokens"]) + number(&told["max_new_tokens"]);
    let longest = longest.min(number(&config["max_position_embeddings"]));
    assert_eq!(
        number(&told["kv_bytes_per_sequence"]),
        longest.div_ceil(16) * 16 * position
    );
    assert!(number(&told["kv_bytes_limit"]) > 1 << 20, "{told}");
}
