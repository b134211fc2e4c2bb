//! `mwpbench eval --watch`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use assert_cmd::cargo::CommandCargoExt;

use crate::checkpoint::{Checkpoint, adapter, demo};
use crate::command::{Done, mwpbench};

const WATCH: [&str; 13] = [
    "eval",
    "--watch",
    "runs",
    "--watch-interval",
    "1",
    "--tasks",
    "gsm8k",
    "--limit",
    "1",
    "--max-tokens",
    "4",
    "--output-dir",
    "evals",
];
/// Until what is written is evaluated, on a machine that does much else.
const LONG: Duration = Duration::from_secs(120);

/// A folder with an empty `runs`.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("runs")).unwrap();
    folder
}

/// Writes the demo checkpoint under another name.
fn write(parent: &Path, name: &str) -> PathBuf {
    let path = parent.join("runs").join(name);
    Checkpoint::copy_to(parent).rename(&path);
    path
}

fn until_the_timeout(folder: &Path, more: &[&str]) -> Done {
    let timeout = ["--watch-timeout", "2"];
    mwpbench(folder, WATCH.iter().chain(&timeout).chain(more))
}

fn changed(file: &Path) -> SystemTime {
    fs::metadata(file).unwrap().modified().unwrap()
}

#[test]
fn complete_checkpoints_are_evaluated_once_and_incomplete_ones_named() {
    let folder = folder();
    let path = folder.path();
    write(path, "checkpoint-20");
    write(path, "checkpoint-100");
    let incomplete = write(path, "checkpoint-30");
    fs::rename(incomplete.join("tokenizer.json"), path.join("kept")).unwrap();
    fs::create_dir(path.join("runs/logs")).unwrap();
    write(path, "tmp-checkpoint-40");
    let first = until_the_timeout(path, &[]);
    assert_eq!(first.code, Some(3), "{}", first.stderr);
    for part in [
        "watching runs for checkpoints, every 1 s, until none is new for 2 s",
        "checkpoint-30 is not complete yet: no tokenizer.json",
        "no new checkpoint: the watch ends",
        "warning: checkpoint-30 was never complete: no tokenizer.json",
    ] {
        assert!(first.stderr.contains(part), "{part}: {}", first.stderr);
    }
    assert!(!first.stderr.contains("checkpoint-40"), "{}", first.stderr);
    let steps = ["(step 20)", "(step 100)"].map(|step| first.stderr.find(step).unwrap());
    assert!(steps.is_sorted());
    assert!(
        first.stdout.contains("Best checkpoint: checkpoint-20"),
        "{}",
        first.stdout
    );

    let journal = path.join("evals/checkpoint-20/completions.jsonl");
    let before = changed(&journal);
    fs::rename(path.join("kept"), incomplete.join("tokenizer.json")).unwrap();
    let second = until_the_timeout(path, &[]).ok();
    let skipped = "evaluated already: run folder evals/checkpoint-";
    assert_eq!(
        second.stderr.matches(skipped).count(),
        2,
        "{}",
        second.stderr
    );
    assert_eq!(changed(&journal), before);
    assert!(path.join("evals/checkpoint-30/summary.json").exists());
    let board = second.stdout.split("Leaderboard").nth(1).unwrap();
    for step in ["checkpoint-20", "checkpoint-30", "checkpoint-100"] {
        assert!(board.contains(step), "{board}");
    }
}

#[test]
fn a_checkpoint_that_fails_stops_no_other_and_one_with_other_weights_is_another() {
    let folder = folder();
    let path = folder.path();
    let broken = write(path, "checkpoint-1");
    fs::write(
        broken.join("config.json"),
        r#"{"model_type": "unheard of"}"#,
    )
    .unwrap();
    let good = write(path, "checkpoint-2");
    let done = until_the_timeout(path, &[]);
    assert_eq!(done.code, Some(3), "{}", done.stderr);
    assert!(
        done.stderr.contains("not whole: runs/checkpoint-1"),
        "{}",
        done.stderr
    );
    assert!(path.join("evals/checkpoint-2/summary.json").exists());
    assert!(!path.join("evals/checkpoint-1").exists());
    // With another protocol the folder holds another run, which is seen and told.
    fs::remove_dir_all(&broken).unwrap();
    let done = until_the_timeout(path, &["--no-default-stop"]);
    assert_eq!(done.code, Some(3), "{}", done.stderr);
    assert!(done.stderr.contains("decoding.stop"), "{}", done.stderr);
    // So it is where the checkpoint was written anew.
    fs::remove_dir_all(&good).unwrap();
    let mut other = Checkpoint::copy_to(path);
    other.edit_tensors(|tensors| {
        tensors.values_mut().next().unwrap().data.fill(0);
    });
    other.rename(&good);
    let done = until_the_timeout(path, &[]);
    assert_eq!(done.code, Some(3), "{}", done.stderr);
    assert!(done.stderr.contains("weights_digest"), "{}", done.stderr);
}

#[test]
fn adapters_are_evaluated_with_their_base() {
    let folder = folder();
    let path = folder.path();
    adapter(&path.join("runs/checkpoint-7"), 0.5);
    let refused = until_the_timeout(path, &[]);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(
        refused
            .stderr
            .contains("--model demo --adapter runs/checkpoint-7"),
        "{}",
        refused.stderr
    );
    let base = Checkpoint::copy_to(path);
    until_the_timeout(path, &["--model", base.path().to_str().unwrap()]).ok();
    let manifest = fs::read_to_string(path.join("evals/checkpoint-7/run.json")).unwrap();
    assert!(manifest.contains("model+checkpoint-7"), "{manifest}");
}

#[test]
fn what_cannot_be_watched_is_refused() {
    let folder = folder();
    let path = folder.path();
    mwpbench(path, ["eval", "--watch", "none"]).refused(2, &["there is no folder none"]);
    mwpbench(path, ["eval"]).refused(2, &["--model"]);
    for more in [
        vec!["--watch", "runs", "--adapter", "x"],
        vec!["--watch", "runs", "--endpoint", "http://localhost:1"],
        vec!["--watch", "runs", "--dry-run"],
        vec!["--watch", "runs", "--watch-interval", "0"],
        vec!["--model", "demo", "--watch-timeout", "1"],
        vec!["--watch", "runs", "--name", "x"],
        vec!["--watch", "runs", "--model", "a", "--model", "b"],
    ] {
        let done = mwpbench(path, ["eval"].iter().chain(&more));
        assert_eq!(done.code, Some(2), "{more:?}: {}", done.stderr);
    }
}

/// A watch that ends by a signal alone, its outputs in files.
#[cfg(unix)]
struct Watching {
    child: Child,
    folder: PathBuf,
}

#[cfg(unix)]
impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(unix)]
impl Watching {
    fn start(folder: &Path) -> Self {
        let output = |name: &str| Stdio::from(fs::File::create(folder.join(name)).unwrap());
        let mut command = Command::cargo_bin("mwpbench").unwrap();
        command
            .current_dir(folder)
            .env("MWPBENCH_HOME", folder.join("home"))
            .args(WATCH)
            .stdout(output("stdout"))
            .stderr(output("stderr"));
        Self {
            child: command.spawn().unwrap(),
            folder: folder.to_path_buf(),
        }
    }

    fn said(&self) -> String {
        fs::read_to_string(self.folder.join("stderr")).unwrap()
    }

    fn wait_for(&self, what: &str, is_so: impl Fn() -> bool) {
        let begun = Instant::now();
        while !is_so() {
            assert!(begun.elapsed() < LONG, "no {what}: {}", self.said());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn wait_for_run(&self, step: &str) {
        let summary = self.folder.join("evals").join(step).join("summary.json");
        self.wait_for(step, || summary.exists());
    }

    /// The exit code after a signal.
    fn stop(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status();
        assert!(sent.unwrap().success());
        self.child.wait().unwrap().code()
    }
}

#[cfg(unix)]
#[test]
fn checkpoints_are_evaluated_as_they_are_written_until_a_signal() {
    let folder = folder();
    let path = folder.path();
    let watching = Watching::start(path);
    write(path, "checkpoint-5");
    watching.wait_for_run("checkpoint-5");
    // A trainer that takes its time: the weights come in parts.
    let slow = path.join("runs/checkpoint-10");
    fs::create_dir(&slow).unwrap();
    for file in ["config.json", "tokenizer.json", "tokenizer_config.json"] {
        fs::copy(demo().join(file), slow.join(file)).unwrap();
    }
    let weights = fs::read(demo().join("model.safetensors")).unwrap();
    fs::write(
        slow.join("model.safetensors"),
        &weights[..weights.len() / 2],
    )
    .unwrap();
    watching.wait_for("line", || {
        watching
            .said()
            .contains("checkpoint-10 is not complete yet")
    });
    std::thread::sleep(Duration::from_secs(3));
    assert!(!path.join("evals/checkpoint-10").exists());
    fs::write(slow.join("model.safetensors"), &weights).unwrap();
    watching.wait_for_run("checkpoint-10");
    watching.wait_for("end", || {
        watching.said().matches("run: evals/").count() == 2
    });
    assert_eq!(watching.stop(), Some(130));
    let printed = fs::read_to_string(path.join("stdout")).unwrap();
    assert!(
        printed.contains("Best checkpoint: checkpoint-5"),
        "{printed}"
    );
    let said = fs::read_to_string(path.join("stderr")).unwrap();
    assert_eq!(said.matches("is not complete yet").count(), 1, "{said}");
    assert!(!said.contains("error"), "{said}");
}
