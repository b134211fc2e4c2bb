//! Several models, each in a run of its own: one that fails does not stop the others, and at the end
//! stand the leaderboard and the best of them.

use std::path::PathBuf;

use evaluation::RunFolder;
use inference::LocalModel;

use super::questions::Questions;
use super::{Args, evaluate};
use crate::exit::{self, Outcome};
use crate::sweep::{self, Subject};
use crate::{best, leaderboard};

/// Evaluates models in turn.
pub(super) fn each(args: Args, subjects: &[Subject]) -> anyhow::Result<Outcome> {
    anyhow::ensure!(
        !args.output.tags.has_name(),
        "--name is the name of one model, and there are {}",
        subjects.len()
    );
    let questions = Questions::of(&args)?;
    let names = sweep::run_names(subjects.iter().map(Subject::name));
    let mut several = Several::new(args);
    for (number, (subject, name)) in subjects.iter().zip(names).enumerate() {
        let (number, count) = (number + 1, subjects.len());
        several.say(&format!("model {number} of {count}: {}", subject.name()));
        several.evaluate(subject, &name, &questions)?;
    }
    several.finish()
}

/// What came of the models so far.
pub(super) struct Several {
    args: Args,
    /// The folder of all runs.
    folder: Option<PathBuf>,
    /// The folders of runs that are whole.
    finished: Vec<PathBuf>,
    /// The models whose runs are not.
    failed: Vec<String>,
}

impl Several {
    pub fn new(mut args: Args) -> Self {
        Self {
            folder: args.output.output_dir.take(),
            args,
            finished: Vec::new(),
            failed: Vec::new(),
        }
    }

    /// Says something of the progress, as a line on stderr.
    pub fn say(&self, line: &str) {
        if !self.args.output.quiet {
            eprintln!("{line}");
        }
    }

    /// Evaluates a model into the folder of this name.
    ///
    /// # Errors
    /// An interruption; all else is told and noted.
    pub fn evaluate(
        &mut self,
        subject: &Subject,
        name: &str,
        questions: &Questions,
    ) -> anyhow::Result<()> {
        self.take(subject, name);
        match evaluate(&self.args, questions) {
            Ok((Outcome::Done, folder)) => self.note_finished(subject, folder),
            Ok(_) => self.note_failed(subject),
            Err(error) if exit::is_interruption(&error) => return Err(error),
            Err(error) => self.fail(subject, &error),
        }
        Ok(())
    }

    /// The same, but a run that is finished already is only noted.
    pub fn evaluate_once(
        &mut self,
        subject: &Subject,
        name: &str,
        questions: &Questions,
    ) -> anyhow::Result<()> {
        self.take(subject, name);
        match finished(&self.args, questions) {
            Ok(Some(folder)) => {
                let line = format!("evaluated already: run folder {}", folder.display());
                self.say(&line);
                self.note_finished(subject, folder);
                Ok(())
            }
            Ok(None) => self.evaluate(subject, name, questions),
            Err(error) => {
                self.fail(subject, &error);
                Ok(())
            }
        }
    }

    /// Prints the figures of all, and the best of them.
    pub fn finish(self) -> anyhow::Result<Outcome> {
        let output = &self.args.output;
        let is_run = output.shard.is_none() && !output.dry_run;
        if is_run && self.finished.len() > 1 {
            if !output.json {
                leaderboard::print_runs(&self.finished)?;
            }
            // Of runs that are there and cannot be compared the figures stand above.
            if let Err(error) =
                best::print(&self.finished, evaluation::Scorer::Official, output.json)
            {
                eprintln!("warning: no best model is named: {}", exit::message(&error));
            }
        }
        if self.failed.is_empty() {
            return Ok(Outcome::Done);
        }
        eprintln!("warning: not whole: {}", self.failed.join(", "));
        Ok(Outcome::Incomplete)
    }

    fn take(&mut self, subject: &Subject, name: &str) {
        self.args.generator.set_subject(subject.clone());
        self.args.output.output_dir = self.folder.as_ref().map(|folder| folder.join(name));
    }

    fn note_finished(&mut self, subject: &Subject, folder: PathBuf) {
        self.failed.retain(|failed| failed != subject.name());
        if !self.finished.contains(&folder) {
            self.finished.push(folder);
        }
    }

    fn note_failed(&mut self, subject: &Subject) {
        if !self.failed.iter().any(|failed| failed == subject.name()) {
            self.failed.push(subject.name().to_string());
        }
    }

    fn fail(&mut self, subject: &Subject, error: &anyhow::Error) {
        let (message, name) = (exit::message(error), subject.name());
        match message.contains(name) {
            true => eprintln!("warning: {message}"),
            false => eprintln!("warning: {name}: {message}"),
        }
        self.note_failed(subject);
    }
}

/// The folder where the run that the arguments name is finished, with nothing failed in it and
/// nothing asked for that it lacks. The checkpoint is identified and not loaded.
fn finished(args: &Args, questions: &Questions) -> anyhow::Result<Option<PathBuf>> {
    // Without a folder it is the identity of a loaded model that names the run.
    let folder = args.output.output_dir.as_ref();
    let Some(folder) = folder.filter(|folder| RunFolder::is_run(folder)) else {
        return Ok(None);
    };
    // What cannot be read is told when the run is continued.
    let Ok(run) = RunFolder::open(folder) else {
        return Ok(None);
    };
    let Some(summary) = run.summary().ok().filter(|summary| summary.failed() == 0) else {
        return Ok(None);
    };
    let plan = questions.plan(args)?;
    let manifest = run.manifest();
    let has_tag = |(key, value): (&String, &String)| manifest.tags.get(key) == Some(value);
    let has_everything = manifest.finished.is_some()
        && summary.items() > 0
        && manifest.shard.is_none()
        && manifest.token_details.includes(plan.token_details)
        && plan.tags.iter().all(has_tag);
    if !has_everything {
        return Ok(None);
    }
    let info = args
        .generator
        .identify(&plan.template, plan.token_details)?;
    let mut there = manifest.identity.clone();
    there.model.details.remove(LocalModel::ARITHMETIC);
    let is_same = there.differences(&plan.identity(info)).is_empty();
    Ok(is_same.then(|| folder.clone()))
}
