use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use dataset_loader::Benchmark;
use evaluation::{
    ComparedRun, MergeError, RunFolder, RunPlan, Shard, ShardRecord, merge, shard_folders,
};
use fault::{Class, Fault};
use generation::{FinishReason, Scripted};
use serde_json::Value;

use crate::scripted::{number, plan, problems, right, run};

const COUNT: u32 = 3;

fn whole_plan() -> RunPlan {
    let tasks = [
        ("gsm8k", 11),
        ("MATH.Algebra", 5),
        ("FreshGaokaoMath2023", 4),
    ];
    let mut plan = plan(problems(&Benchmark::published(), &tasks));
    plan.environment = BTreeMap::from([("os".to_string(), "linux".to_string())]);
    plan.tags = BTreeMap::from([("base".to_string(), "x".to_string())]);
    plan
}

fn shard_plan(index: u32) -> RunPlan {
    let shard = Shard::new(index, COUNT).unwrap();
    RunPlan {
        shard: Some(ShardRecord::new(shard, Some("the command".to_string()))),
        ..whole_plan()
    }
}

/// Right answers, but for some that fail or are wrong.
fn scripted() -> Scripted<'static> {
    Scripted::new(|prompt| match number(prompt) {
        2 => ("It is 7.".to_string(), FinishReason::Eos),
        3 => (String::new(), FinishReason::Error),
        _ => right(prompt),
    })
}

fn run_shard(folder: &Path, plan: &RunPlan) -> PathBuf {
    let shard = plan.shard.as_ref().unwrap().shard().unwrap();
    let folder = folder.join(shard.folder_name());
    run(plan, &mut scripted(), &folder).unwrap();
    folder
}

/// All shards of the run in a folder.
fn shards(folder: &Path) {
    (1..=COUNT).for_each(|index| drop(run_shard(folder, &shard_plan(index))));
}

/// The files of a run, without its times.
fn files(run: &Path) -> BTreeMap<String, Vec<u8>> {
    let read = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().unwrap();
        let bytes = fs::read(entry.path()).unwrap();
        match name.as_str() {
            "run.json" => {
                let mut manifest: Value = serde_json::from_slice(&bytes).unwrap();
                assert!(manifest["finished"].is_string());
                (manifest["started"], manifest["finished"]) = (Value::Null, Value::Null);
                (name, format!("{manifest:#}").into_bytes())
            }
            _ => (name, bytes),
        }
    };
    fs::read_dir(run).unwrap().flatten().map(read).collect()
}

fn merged(folder: &Path, output: &Path) -> Result<evaluation::Run, MergeError> {
    merge(&shard_folders(&[folder.to_path_buf()])?, output)
}

#[test]
fn merged_shards_are_the_run_of_one_machine() {
    let folder = tempfile::tempdir().unwrap();
    let (one, together, parts) = (
        folder.path().join("one"),
        folder.path().join("all"),
        folder.path().join("parts"),
    );
    let whole = run(&whole_plan(), &mut scripted(), &one).unwrap();
    shards(&parts);
    let run = merged(&parts, &together).unwrap();
    assert_eq!(run.summary, whole.summary);
    assert_eq!(run.failures, whole.failures);
    // They hold the locks, which say so.
    drop((whole, run));
    assert!(files(&one) == files(&together));
    // Once more: a merge that was broken off is repeated.
    fs::remove_file(together.join("summary.json")).unwrap();
    merged(&parts, &together).unwrap();
    assert!(files(&one) == files(&together));
    ComparedRun::open(&together).unwrap();
}

#[test]
fn samples_and_token_details_are_merged_too() {
    let folder = tempfile::tempdir().unwrap();
    let sampled = |mut plan: RunPlan| {
        plan.decoding.sampling = Some(generation::Sampling {
            temperature: 1.0,
            top_k: None,
            top_p: 1.0,
            min_p: 0.0,
            repetition_penalty: 1.0,
            seed: 0,
            samples: std::num::NonZeroU32::new(3).unwrap(),
        });
        plan
    };
    let one = folder.path().join("one");
    run(&sampled(whole_plan()), &mut scripted(), &one).unwrap();
    let parts = folder.path().join("parts");
    (1..=COUNT).for_each(|index| drop(run_shard(&parts, &sampled(shard_plan(index)))));
    let together = folder.path().join("all");
    merged(&parts, &together).unwrap();
    assert!(files(&one) == files(&together));
}

#[test]
fn a_shard_is_no_run() {
    let folder = tempfile::tempdir().unwrap();
    let shard = run_shard(folder.path(), &shard_plan(2));
    assert!(!shard.join("summary.json").exists() && !shard.join("verdicts.jsonl").exists());
    let open = RunFolder::open(&shard).unwrap();
    for error in [open.summary().unwrap_err(), open.verdicts().unwrap_err()] {
        assert_eq!(error.class(), Class::Incomplete);
        assert!(error.to_string().contains("shard 2 of 3"), "{error}");
    }
    assert!(ComparedRun::open(&shard).is_err());
    // Neither another shard nor the whole run goes on in its folder.
    let other = run(&shard_plan(1), &mut scripted(), &shard).unwrap_err();
    assert!(other.to_string().contains("holds shard 2 of 3"), "{other}");
    let whole = run(&whole_plan(), &mut scripted(), &shard).unwrap_err();
    assert!(
        whole.to_string().contains("asked for is the whole"),
        "{whole}"
    );
    run(&shard_plan(2), &mut scripted(), &shard).unwrap();
}

#[test]
fn more_shards_than_problems_are_merged_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let few = plan(problems(&Benchmark::published(), &[("gsm8k", 2)]));
    for index in 1..=COUNT {
        let shard = shard_plan(index).shard;
        run_shard(
            folder.path(),
            &RunPlan {
                shard,
                ..few.clone()
            },
        );
    }
    let together = folder.path().join("all");
    assert_eq!(merged(folder.path(), &together).unwrap().summary.items(), 2);
}

#[test]
fn a_shard_that_is_missing_or_unfinished_is_named_with_its_command() {
    let folder = tempfile::tempdir().unwrap();
    shards(folder.path());
    fs::remove_dir_all(folder.path().join("shard-1-of-3")).unwrap();
    let journal = folder.path().join("shard-3-of-3/completions.jsonl");
    let text = fs::read_to_string(&journal).unwrap();
    let end = text.find('\n').unwrap() + 1;
    fs::write(&journal, &text[..end]).unwrap();
    let output = folder.path().join("all");
    let error = merged(folder.path(), &output).unwrap_err();
    assert_eq!(error.class(), Class::Incomplete);
    let said = error.to_string();
    assert!(
        said.starts_with(
            "2 of 3 shards are not finished: shard 1 of 3 is missing, shard 3 of 3 has 1 of "
        ),
        "{said}"
    );
    let MergeError::Unfinished { open, .. } = error else {
        panic!("{said}");
    };
    assert!(
        open.iter()
            .all(|open| open.command.as_deref() == Some("the command"))
    );
    assert!(!output.exists());
}

#[test]
fn shards_of_other_runs_shards_there_twice_and_whole_runs_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    shards(folder.path());
    let output = folder.path().join("all");
    let refused = |shards: &[PathBuf], class: Class, part: &str| {
        let found = shard_folders(shards).and_then(|shards| merge(&shards, &output));
        let error = found.unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
        assert_eq!(error.class(), class, "{error}");
        assert!(!output.exists());
    };
    let elsewhere = folder.path().join("elsewhere");
    let mut other = shard_plan(2);
    other.decoding.max_tokens = 65;
    let other = run_shard(&elsewhere, &other);
    let own = |index: u32| folder.path().join(format!("shard-{index}-of-3"));
    refused(
        &[own(1), other, own(3)],
        Class::Integrity,
        "decoding.max_tokens is 64 in the one and 65 in the other",
    );
    let mut tagged = shard_plan(2);
    tagged.tags.clear();
    fs::remove_dir_all(&elsewhere).unwrap();
    let tagged = run_shard(&elsewhere, &tagged);
    refused(&[own(1), tagged, own(3)], Class::Integrity, "tags.base");
    fs::remove_dir_all(&elsewhere).unwrap();
    let again = run_shard(&elsewhere, &shard_plan(2));
    refused(
        &[folder.path().to_path_buf(), again],
        Class::Usage,
        "shard 2 of 3 is there twice",
    );
    let one = folder.path().join("one");
    run(&whole_plan(), &mut scripted(), &one).unwrap();
    refused(&[one], Class::Usage, "a whole run");
    refused(&[elsewhere.join("nothing")], Class::Usage, "no run");
    let empty = tempfile::tempdir().unwrap();
    refused(&[empty.path().to_path_buf()], Class::Usage, "no shard");
}

#[test]
fn a_completion_of_another_shard_is_found() {
    let folder = tempfile::tempdir().unwrap();
    shards(folder.path());
    let journal = |index: u32| {
        folder
            .path()
            .join(format!("shard-{index}-of-3/completions.jsonl"))
    };
    let (mut own, foreign) = (
        fs::read_to_string(journal(1)).unwrap(),
        fs::read_to_string(journal(2)).unwrap(),
    );
    own.push_str(&foreign[..=foreign.find('\n').unwrap()]);
    fs::write(journal(1), own).unwrap();
    let error = merged(folder.path(), &folder.path().join("all")).unwrap_err();
    assert!(error.to_string().contains("not this shard's"), "{error}");
    assert_eq!(error.class(), Class::Integrity);
}

#[test]
fn completions_that_the_shards_do_not_have_are_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    shards(folder.path());
    let output = folder.path().join("one");
    let mut wrong = Scripted::new(|_| ("It is 1.".to_string(), FinishReason::Eos));
    run(&whole_plan(), &mut wrong, &output).unwrap();
    let before = files(&output);
    let error = merged(folder.path(), &output).unwrap_err();
    assert!(
        error.to_string().contains("completions of its own"),
        "{error}"
    );
    assert!(files(&output) == before);
}
