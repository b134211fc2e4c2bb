//! `eval --logprobs` and `--log-tokens` on the demo checkpoint and behind a server.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::command::mwpbench;
use loopback::completions::{MODEL, ModelServer, good_answer};

const USAGE: i32 = 2;

fn plan<'a>(run: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let what = [
        "eval",
        "--model",
        "demo",
        "--tasks",
        "gsm8k,tal",
        "--limit",
        "6",
        "--max-tokens",
        "40",
        "--quiet",
    ];
    [&what[..], &["--output-dir", run], more].concat()
}

fn records(run: &Path) -> Vec<Value> {
    let text = fs::read_to_string(run.join("completions.jsonl")).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn manifest(run: &Path) -> Value {
    serde_json::from_slice(&fs::read(run.join("run.json")).unwrap()).unwrap()
}

/// Takes the last completions out of a run, as if it had been stopped before them.
fn cut(run: &Path, kept: usize) {
    let file = run.join("completions.jsonl");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(
        &file,
        text.split_inclusive('\n').take(kept).collect::<String>(),
    )
    .unwrap();
    let mut manifest = manifest(run);
    manifest["finished"] = Value::Null;
    fs::write(run.join("run.json"), manifest.to_string()).unwrap();
    for name in ["summary.json", "verdicts.jsonl"] {
        fs::remove_file(run.join(name)).unwrap();
    }
}

#[test]
fn every_new_token_has_its_id_and_its_log_probability() {
    let folder = tempfile::tempdir().unwrap();
    mwpbench(folder.path(), plan("plain", &[])).ok();
    mwpbench(folder.path(), plan("told", &["--logprobs", "--log-tokens"])).ok();
    let (plain, told) = (folder.path().join("plain"), folder.path().join("told"));
    assert!(plain.join("summary.json").exists() && !plain.join("prompts.jsonl").exists());
    assert!(told.join("prompts.jsonl").exists());
    let bare = |mut record: Value| {
        for field in ["token_ids", "logprobs", "check"] {
            record.as_object_mut().unwrap().remove(field);
        }
        record
    };
    for (plain, told) in records(&plain).into_iter().zip(records(&told)) {
        let tokens = told["completion_tokens"].as_u64().unwrap() as usize;
        let (ids, logprobs) = (
            told["token_ids"].as_array().unwrap(),
            told["logprobs"].as_array().unwrap(),
        );
        assert_eq!((ids.len(), logprobs.len()), (tokens, tokens));
        assert!(
            logprobs
                .iter()
                .all(|logprob| logprob.as_f64().unwrap() <= 0.0)
        );
        // The end-of-sequence token of this checkpoint.
        assert_eq!(
            told["finish_reason"] == "eos",
            ids.last() == Some(&2.into())
        );
        assert!(plain.get("token_ids").is_none() && plain.get("logprobs").is_none());
        assert_eq!(bare(plain), bare(told));
    }
    let details = &manifest(&told)["token_details"];
    assert_eq!(
        details,
        &serde_json::json!({ "token_ids": true, "logprobs": true })
    );
    assert!(manifest(&plain).get("token_details").is_none());
    assert_eq!(manifest(&plain)["identity"], manifest(&told)["identity"]);
    assert_eq!(
        fs::read(plain.join("summary.json")).unwrap(),
        fs::read(told.join("summary.json")).unwrap()
    );
}

#[test]
fn batch_size_threads_and_interruption_change_no_byte_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let told = ["--logprobs", "--log-tokens"];
    for drawn in [
        &[][..],
        &["--temperature", "0.8", "--samples", "2", "--seed", "4"],
    ] {
        let run = |name: &str, more: &[&str]| {
            mwpbench(folder.path(), plan(name, &[&told, drawn, more].concat())).ok();
            fs::read(folder.path().join(name).join("completions.jsonl")).unwrap()
        };
        let name = |name: &str| format!("{name}{}", drawn.len());
        let expected = run(&name("one"), &["--batch-size", "1", "--threads", "1"]);
        assert!(run(&name("many"), &["--batch-size", "7", "--threads", "3"]) == expected);
        cut(&folder.path().join(name("many")), 5);
        assert!(
            run(&name("many"), &["--batch-size", "3"]) == expected,
            "continued"
        );
    }
}

#[test]
fn a_run_has_them_of_all_its_completions_or_of_none() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let with = ["--logprobs", "--log-tokens"];
    mwpbench(folder.path(), plan("run", &["--logprobs"])).ok();
    // Finished: nothing is lost by asking for less, and what is not there cannot be had.
    mwpbench(folder.path(), plan("run", &[])).ok();
    let lacking = [
        "the run in run keeps log-probabilities and no token ids of its 12 finished completions",
        "asked for now are token ids and log-probabilities",
        "with --logprobs and without --log-tokens, or start over in a new folder with --fresh",
    ];
    mwpbench(folder.path(), plan("run", &with)).refused(USAGE, &lacking);
    assert!(!run.join("prompts.jsonl").exists(), "nothing was written");
    // Unfinished: the rest would be of another kind.
    cut(&run, 5);
    let journal = fs::read(run.join("completions.jsonl")).unwrap();
    mwpbench(folder.path(), plan("run", &[]))
        .refused(USAGE, &["of its 5 finished", "asked for now are neither"]);
    mwpbench(folder.path(), plan("run", &with))
        .refused(USAGE, &["asked for now are token ids and"]);
    assert_eq!(fs::read(run.join("completions.jsonl")).unwrap(), journal);
    mwpbench(folder.path(), plan("run", &["--logprobs"])).ok();
    assert!(
        records(&run)
            .iter()
            .all(|record| record["logprobs"].is_array())
    );
    // Begun, but nothing finished: whatever is asked for now is kept.
    cut(&run, 0);
    mwpbench(folder.path(), plan("run", &with)).ok();
    assert!(
        records(&run)
            .iter()
            .all(|record| record["logprobs"].is_array() && record["token_ids"].is_array())
    );
    mwpbench(folder.path(), plan("run", &["--fresh"])).ok();
    assert!(
        records(&folder.path().join("run-2"))
            .iter()
            .all(|record| record.get("logprobs").is_none())
    );
}

#[test]
fn a_server_tells_no_token_ids() {
    let folder = tempfile::tempdir().unwrap();
    let server = ModelServer::start(good_answer);
    let what = [
        "eval",
        "--model",
        MODEL,
        "--tasks",
        "gsm8k",
        "--limit",
        "2",
        "--quiet",
        "--output-dir",
        "run",
    ];
    let args = [&what[..], &["--endpoint", &server.url, "--log-tokens"]].concat();
    mwpbench(folder.path(), args).refused(
        USAGE,
        &["does not report the token ids of its prompts. Leave out --log-tokens"],
    );
}

#[test]
fn only_eval_offers_what_it_writes_down() {
    let folder = tempfile::tempdir().unwrap();
    for command in [
        &["data", "translate"][..],
        &["mathscale", "generate"],
        &["mathscale", "validate"],
    ] {
        let help = mwpbench(folder.path(), command.iter().chain(&["--help"]))
            .ok()
            .stdout;
        assert!(
            help.contains("--endpoint")
                && !help.contains("--logprobs")
                && !help.contains("--log-tokens"),
            "{help}"
        );
        assert!(!help.contains("--stop"), "{help}");
    }
    let help = mwpbench(folder.path(), ["eval", "--help"]).ok().stdout;
    for flag in [
        "--logprobs",
        "--log-tokens",
        "--stop <STRING>",
        "--no-default-stop",
    ] {
        assert!(help.contains(flag), "{flag}: {help}");
    }
}
