use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use assert_cmd::cargo::CommandCargoExt;
use serde_json::Value;

use crate::command::mwpbench;

const PLAN: [&str; 10] = [
    "eval",
    "--model",
    "demo",
    "--tasks",
    "gsm8k,math23k",
    "--limit",
    "40",
    "--max-tokens",
    "96",
    "--output-dir",
];

/// Files that do not say when the run was made.
const LASTING: [&str; 4] = [
    "problems.jsonl",
    "completions.jsonl",
    "verdicts.jsonl",
    "summary.json",
];

fn contents(run: &Path) -> Vec<Vec<u8>> {
    LASTING
        .iter()
        .map(|file| fs::read(run.join(file)).unwrap_or_else(|error| panic!("{file}: {error}")))
        .collect()
}

/// What `run.json` says beside the times.
fn manifest(run: &Path) -> Value {
    let mut manifest: Value =
        serde_json::from_slice(&fs::read(run.join("run.json")).unwrap()).unwrap();
    (manifest["started"], manifest["finished"]) = (Value::Null, Value::Null);
    manifest
}

fn start(folder: &Path, run: &str) -> Child {
    let mut command = Command::cargo_bin("mwpbench").unwrap();
    command
        .current_dir(folder)
        .env("MWPBENCH_HOME", folder.join("home"))
        .args(PLAN)
        .arg(run);
    command
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Lines of the journal that have their end.
fn finished(run: &Path) -> usize {
    fs::read(run.join("completions.jsonl"))
        .map_or(0, |text| text.iter().filter(|&&byte| byte == b'\n').count())
}

#[test]
fn a_run_that_is_killed_again_and_again_ends_as_one_that_is_not() {
    let folder = tempfile::tempdir().unwrap();
    mwpbench(folder.path(), PLAN.iter().chain(&["whole"])).ok();
    let run = folder.path().join("killed");
    let (mut kills, mut before, mut seed) = (0, 0, 7u64);
    loop {
        let mut child = start(folder.path(), "killed");
        // 50 to 700 ms, the same ones every time; later ones are longer, so that there is an end.
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let pause = 50 + (seed >> 33) % (650 + 200 * kills);
        std::thread::sleep(Duration::from_millis(pause));
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success());
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
        let now = finished(&run);
        assert!(now >= before, "{before} finished records, then {now}");
        before = now;
    }
    assert!(kills >= 3, "killed {kills} times only");
    assert!(
        contents(&run) == contents(&folder.path().join("whole")),
        "after {kills} kills"
    );
    assert_eq!(manifest(&run), manifest(&folder.path().join("whole")));
}

#[cfg(unix)]
#[test]
fn a_signal_ends_a_run_in_order_and_the_second_writer_waits() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("stopped");
    let child = start(folder.path(), "stopped");
    // Until something is finished, at most a minute.
    for _ in 0..1200 {
        if finished(&run) > 0 {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let args = PLAN.iter().chain(&["stopped"]);
    let second = mwpbench(folder.path(), args.clone());
    if second.code != Some(0) {
        second.refused(2, &["is being written by process ", ", since "]);
    }
    let id = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &id])
            .status()
            .unwrap()
            .success()
    );
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    match output.status.code() {
        // It was over before the signal came.
        Some(0) => return,
        code => assert_eq!(code, Some(130), "{stderr}"),
    }
    assert!(
        stderr.contains("of 80 items are kept in stopped; start the same command again"),
        "{stderr}"
    );
    assert!(finished(&run) > 0);
    mwpbench(folder.path(), args).ok();
    mwpbench(folder.path(), PLAN.iter().chain(&["whole"])).ok();
    assert!(contents(&run) == contents(&folder.path().join("whole")));
}

#[test]
fn a_changed_record_is_found_and_a_fresh_run_leaves_the_old_one_alone() {
    let folder = tempfile::tempdir().unwrap();
    let plan = [
        "eval",
        "--model",
        "demo",
        "--tasks",
        "tal",
        "--limit",
        "3",
        "--max-tokens",
        "8",
        "--output-dir",
        "run",
    ];
    mwpbench(folder.path(), plan).ok();
    let journal = folder.path().join("run/completions.jsonl");
    let text = fs::read_to_string(&journal).unwrap();
    fs::write(&journal, text.replacen("\"sample\":0", "\"sample\":1", 2)).unwrap();
    let refusal = [
        "completions.jsonl, line 1: the line does not match its checksum",
        "start over in a new folder with --fresh",
    ];
    mwpbench(folder.path(), plan).refused(4, &refusal);
    mwpbench(folder.path(), ["score", "run"]).refused(4, &refusal);
    let done = mwpbench(folder.path(), plan.iter().chain(&["--fresh"])).ok();
    assert!(done.stderr.contains("run folder: run-2"), "{}", done.stderr);
    mwpbench(folder.path(), plan.iter().chain(&["--fresh"])).ok();
    let other = |name: &str| {
        fs::read_to_string(folder.path().join(name).join("completions.jsonl")).unwrap()
    };
    assert_eq!((other("run-2"), other("run-3")), (text.clone(), text));
    assert_ne!(other("run"), other("run-2"));
}

/// What interrupts a run says that the same command continues it, also where that is --fresh.
#[test]
fn a_fresh_run_that_was_interrupted_is_continued_by_the_same_command() {
    let folder = tempfile::tempdir().unwrap();
    let plan = [
        "eval",
        "--model",
        "demo",
        "--data",
        "bundled",
        "--tasks",
        "gsm8k",
        "--limit",
        "3",
        "--max-tokens",
        "8",
        "--output-dir",
        "run",
    ];
    let fresh = || {
        mwpbench(folder.path(), plan.iter().chain(&["--fresh"]))
            .ok()
            .stderr
    };
    // As after a kill: a completion is there, and the manifest knows no end.
    let interrupt = |name: &str| {
        let run = folder.path().join(name);
        let journal = fs::read_to_string(run.join("completions.jsonl")).unwrap();
        let first = journal.lines().next().unwrap();
        fs::write(run.join("completions.jsonl"), format!("{first}\n")).unwrap();
        let manifest = fs::read(run.join("run.json")).unwrap();
        let mut manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
        manifest["finished"] = serde_json::Value::Null;
        fs::write(run.join("run.json"), manifest.to_string()).unwrap();
    };
    for name in ["run", "run-2"] {
        let begun = fresh();
        assert!(begun.contains(&format!("run folder: {name}\n")), "{begun}");
        interrupt(name);
        let continued = fresh();
        assert!(
            continued.contains(&format!("run folder: {name}\n"))
                && continued.contains("(1 resumed)"),
            "{continued}"
        );
    }
    // One that was begun without it is left as it is.
    mwpbench(folder.path(), plan).ok();
    fs::remove_dir_all(folder.path().join("run")).unwrap();
    fs::remove_dir_all(folder.path().join("run-2")).unwrap();
    mwpbench(folder.path(), plan).ok();
    interrupt("run");
    let other = fresh();
    assert!(other.contains("run folder: run-2\n"), "{other}");
}
