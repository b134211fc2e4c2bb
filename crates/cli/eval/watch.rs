//! `--watch`: every checkpoint of a training run, as the trainer writes it.
//!
//! Folders are looked at again and again, since the file systems of clusters announce nothing. A
//! checkpoint is taken when its files say that they are whole ([`Written`]) and two looks in a row
//! find the same files.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use inference::{Stamp, Written};

use super::Args;
use super::questions::Questions;
use super::several::Several;
use crate::exit::Outcome;
use crate::sweep::{self, Subject};
use crate::{heading, interruption, place};

/// What trainers call a folder while they write it, before they rename it.
const UNFINISHED: [&str; 2] = [".", "tmp-"];
/// How long a signal may wait at most.
const NAP: Duration = Duration::from_millis(100);

/// Checkpoints that are still to come.
#[derive(clap::Args)]
#[command(next_help_heading = heading::MODEL)]
pub struct WatchArgs {
    /// Evaluate every checkpoint in a folder, such as checkpoint-500, each in a run of its own as
    /// soon as it is complete, in the order of the training steps, until a signal; finished runs in
    /// --output-dir are not asked again. Adapters need their base model as --model.
    #[arg(
        long,
        value_name = "DIR",
        conflicts_with_all = ["endpoint", "adapter", "shard", "dry_run", "fresh"]
    )]
    watch: Option<PathBuf>,
    /// End the watch when no checkpoint was written or evaluated for so many seconds.
    #[arg(long, value_name = "SECONDS", requires = "watch")]
    watch_timeout: Option<NonZeroU32>,
    /// Seconds between two looks at the folder.
    #[arg(long, value_name = "SECONDS", requires = "watch", default_value = "10")]
    watch_interval: NonZeroU32,
}

impl WatchArgs {
    /// The folder that is watched.
    pub fn folder(&self) -> Option<&Path> {
        self.watch.as_deref()
    }
}

/// Evaluates checkpoints as they appear in a folder.
pub(super) fn watch(args: Args, folder: &Path) -> anyhow::Result<Outcome> {
    anyhow::ensure!(
        !args.output.tags.has_name(),
        "--name is the name of one model, and --watch may find several"
    );
    anyhow::ensure!(
        args.generator.models().len() < 2,
        "--model is the base of the adapters in the folder that --watch names: give one"
    );
    anyhow::ensure!(
        folder.is_dir(),
        "there is no folder {}: make it first, so that a mistyped name is noticed (mkdir -p)",
        folder.display()
    );
    let questions = Questions::of(&args)?;
    let seconds = |seconds: NonZeroU32| Duration::from_secs(seconds.get().into());
    let watch = Watch {
        timeout: args.watch.watch_timeout.map(seconds),
        interval: seconds(args.watch.watch_interval),
        base: args.generator.models().first().cloned(),
        questions,
    };
    let folder = WatchedFolder::new(folder, !args.generator.has_tokenizer());
    let mut several = Several::new(args);
    let end = watch.until_the_end(folder, &mut several);
    // What was evaluated is shown whatever ended it.
    let outcome = several.finish()?;
    match end? {
        End::Signal => Ok(Outcome::Interrupted),
        End::Timeout { is_whole: false } => Ok(Outcome::Incomplete),
        End::Timeout { is_whole: true } => Ok(outcome),
    }
}

/// What ended a watch.
enum End {
    Signal,
    Timeout {
        /// Whether no checkpoint was left incomplete.
        is_whole: bool,
    },
}

/// How a folder is watched.
struct Watch {
    timeout: Option<Duration>,
    interval: Duration,
    /// The model that adapters are merged into.
    base: Option<String>,
    questions: Questions,
}

impl Watch {
    fn until_the_end(
        &self,
        mut folder: WatchedFolder,
        several: &mut Several,
    ) -> anyhow::Result<End> {
        let until = match self.timeout {
            Some(timeout) => format!("until none is new for {} s", timeout.as_secs()),
            None => "until a signal (--watch-timeout ends it without)".to_string(),
        };
        several.say(&format!(
            "watching {} for checkpoints, every {} s, {until}",
            folder.path.display(),
            self.interval.as_secs()
        ));
        let mut last_news = Instant::now();
        while interruption::may_go_on().is_continue() {
            let look = match folder.look() {
                Ok(look) => look,
                // A share that is away for a moment ends no watch.
                Err(error) => {
                    folder.tell(several, format!("{error:#}; looking again"));
                    Look::default()
                }
            };
            if let Some(next) = look.ready.first() {
                self.evaluate(next, several)?;
                folder.done.insert(next.path.clone(), next.stamp.clone());
                last_news = Instant::now();
                continue;
            }
            for (name, missing) in &look.parts {
                let line = format!("{name} is not complete yet: {missing}");
                folder.tell_once(several, name, &line);
            }
            if look.has_news {
                last_news = Instant::now();
            }
            if self
                .timeout
                .is_some_and(|timeout| last_news.elapsed() >= timeout)
            {
                return Ok(timed_out(&look, several));
            }
            self.sleep();
        }
        Ok(End::Signal)
    }

    fn evaluate(&self, next: &Ready, several: &mut Several) -> anyhow::Result<()> {
        let shown = next.path.display().to_string();
        let subject = match (next.is_adapter, &self.base) {
            (false, _) => Subject::model(shown.clone()),
            (true, Some(base)) => Subject {
                model: base.clone(),
                adapter: Some(shown.clone()),
            },
            (true, None) => anyhow::bail!(
                "{shown} is an adapter, and no base model is named. {}",
                place::instead_of(&next.path).unwrap_or_default()
            ),
        };
        let step = match sweep::step(&next.path) {
            u64::MAX => String::new(),
            step => format!(" (step {step})"),
        };
        several.say(&format!("model: {shown}{step}"));
        several.evaluate_once(&subject, &next.name, &self.questions)
    }

    /// Waits for the next look, or for a signal.
    fn sleep(&self) {
        let begun = Instant::now();
        while begun.elapsed() < self.interval && interruption::may_go_on().is_continue() {
            std::thread::sleep(NAP.min(self.interval));
        }
    }
}

fn timed_out(look: &Look, several: &Several) -> End {
    several.say("no new checkpoint: the watch ends");
    for (name, missing) in &look.parts {
        eprintln!("warning: {name} was never complete: {missing}");
    }
    End::Timeout {
        is_whole: look.parts.is_empty(),
    }
}

/// A folder in which checkpoints appear.
struct WatchedFolder {
    path: PathBuf,
    needs_tokenizer: bool,
    /// What the last look found.
    seen: BTreeMap<PathBuf, Written>,
    /// What was evaluated, or could not be: again only when its files change.
    done: BTreeMap<PathBuf, Stamp>,
    told: BTreeSet<String>,
}

/// What a look finds.
#[derive(Default)]
struct Look {
    /// Complete checkpoints that are not evaluated, in the order of their steps.
    ready: Vec<Ready>,
    /// Names of incomplete ones, and what is missing.
    parts: Vec<(String, String)>,
    /// Whether anything was written since the last look.
    has_news: bool,
}

/// A checkpoint to evaluate.
struct Ready {
    path: PathBuf,
    /// The last part of the path.
    name: String,
    is_adapter: bool,
    stamp: Stamp,
}

impl WatchedFolder {
    fn new(path: &Path, needs_tokenizer: bool) -> Self {
        Self {
            path: path.to_path_buf(),
            needs_tokenizer,
            seen: BTreeMap::new(),
            done: BTreeMap::new(),
            told: BTreeSet::new(),
        }
    }

    fn look(&mut self) -> anyhow::Result<Look> {
        let unreadable = || format!("{} cannot be read", self.path.display());
        let mut found = BTreeMap::new();
        for entry in std::fs::read_dir(&self.path).with_context(unreadable)? {
            let path = entry.with_context(unreadable)?.path();
            if path.is_dir() && !is_unfinished(&path) {
                let written = Written::of(&path, self.needs_tokenizer);
                found.insert(path, written);
            }
        }
        let mut look = Look {
            has_news: found != self.seen,
            ..Look::default()
        };
        for (path, written) in &found {
            let name = last_part(path);
            match written {
                Written::Part(missing) => look.parts.push((name, missing.clone())),
                Written::Whole { stamp, is_adapter }
                    if self.seen.get(path) == Some(written)
                        && self.done.get(path) != Some(stamp) =>
                {
                    look.ready.push(Ready {
                        path: path.clone(),
                        name,
                        is_adapter: *is_adapter,
                        stamp: stamp.clone(),
                    });
                }
                Written::Whole { .. } | Written::Nothing => {}
            }
        }
        look.ready
            .sort_by_cached_key(|ready| (sweep::step(&ready.path), ready.path.clone()));
        self.seen = found;
        Ok(look)
    }

    /// Says something that was not said before.
    fn tell(&mut self, several: &Several, line: String) {
        let key = line.clone();
        self.tell_once(several, &key, &line);
    }

    /// Says a line of a kind once: sizes that grow would make a line a look.
    fn tell_once(&mut self, several: &Several, kind: &str, line: &str) {
        if self.told.insert(kind.to_string()) {
            several.say(line);
        }
    }
}

fn last_part(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn is_unfinished(path: &Path) -> bool {
    let name = last_part(path);
    UNFINISHED.iter().any(|start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, file: &str, content: &[u8]) {
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(folder.join(file), content).unwrap();
    }

    /// The least that looks like a whole adapter.
    fn adapter(folder: &Path) {
        let head = br#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
        let weights = [&(head.len() as u64).to_le_bytes(), &head[..], &[0; 4]].concat();
        write(folder, "adapter_model.safetensors", &weights);
        write(folder, "adapter_config.json", b"{}");
    }

    fn ready(folder: &mut WatchedFolder) -> Vec<String> {
        let look = folder.look().unwrap();
        look.ready.into_iter().map(|ready| ready.name).collect()
    }

    #[test]
    fn a_checkpoint_is_ready_when_two_looks_find_the_same_whole_files() {
        let folder = tempfile::tempdir().unwrap();
        let mut watched = WatchedFolder::new(folder.path(), true);
        let at = |name: &str| folder.path().join(name);
        assert!(!watched.look().unwrap().has_news);
        adapter(&at("checkpoint-1000"));
        adapter(&at("checkpoint-90"));
        adapter(&at("tmp-checkpoint-1"));
        adapter(&at(".hidden"));
        write(&at("logs"), "events", b"x");
        write(&at("checkpoint-2000"), "adapter_config.json", b"{");
        assert_eq!(ready(&mut watched), [""; 0]);
        write(&at("checkpoint-1000"), "optimizer.pt", b"x");
        assert_eq!(ready(&mut watched), ["checkpoint-90"]);
        let look = watched.look().unwrap();
        let names: Vec<&str> = look.ready.iter().map(|ready| ready.name.as_str()).collect();
        assert_eq!(names, ["checkpoint-90", "checkpoint-1000"]);
        assert_eq!(look.parts.len(), 1);
        assert!(look.parts[0].1.contains("adapter_config.json is not whole"));
        assert!(!look.has_news);
        for ready in look.ready {
            watched.done.insert(ready.path, ready.stamp);
        }
        assert_eq!(ready(&mut watched), [""; 0]);
        // One that is written again is evaluated again.
        write(&at("checkpoint-90"), "adapter_config.json", b"{ }");
        assert!(watched.look().unwrap().has_news);
        assert_eq!(ready(&mut watched), ["checkpoint-90"]);
    }
}
