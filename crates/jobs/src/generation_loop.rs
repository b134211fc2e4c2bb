//! Prompts put to a generator, each completion recorded as it finishes.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::PathBuf;

use generation::{Completion, Decoding, Event, GenerationError, Generator, Prompt, PromptIssue};
use store::{FileError, Journal};

use crate::error::JobError;
use crate::progress::Progress;

/// What becomes of completions.
pub trait Recorder {
    /// Records that a prompt is not put to the generator. Returns whether its item is finished.
    ///
    /// # Errors
    /// The journal cannot be written.
    fn reject(&mut self, journal: &mut Journal, issue: &PromptIssue) -> Result<bool, FileError>;

    /// Records a completion. Returns whether its item is finished. `index` is the position of its
    /// prompt in the slice given to [`GenerationLoop::run`], as is that of an issue.
    ///
    /// # Errors
    /// The journal cannot be written.
    fn record(
        &mut self,
        journal: &mut Journal,
        index: usize,
        completion: Completion,
    ) -> Result<bool, FileError>;

    /// Why it is of no use to go on; asked after every completion.
    fn give_up(&self) -> Option<JobError> {
        None
    }
}

/// The loop that every piece of work for a generator runs in.
pub struct GenerationLoop<'a> {
    /// Where the journal lies, for messages.
    folder: PathBuf,
    journal: Journal,
    progress: Progress,
    on_progress: &'a mut dyn FnMut(&Progress) -> ControlFlow<()>,
    /// Whether to stop before the next step.
    stopping: bool,
}

impl<'a> GenerationLoop<'a> {
    /// A loop that has `resumed` of `total` items already. Reports that at once.
    pub fn new(
        folder: PathBuf,
        journal: Journal,
        (resumed, total): (usize, usize),
        on_progress: &'a mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Self {
        let progress = Progress {
            total,
            resumed,
            ..Progress::default()
        };
        let mut generation_loop = Self {
            folder,
            journal,
            progress,
            on_progress,
            stopping: false,
        };
        generation_loop.report();
        generation_loop
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        self.progress
    }

    /// Puts prompts to a generator but for those with an issue, and gives each completion to
    /// `recorder`. Whatever happens, what was recorded is on the disk when this returns.
    ///
    /// # Errors
    /// A generator that fails, a full disk, or [`JobError::Interrupted`] when `on_progress` breaks
    /// off.
    pub fn run(
        &mut self,
        prompts: &[Prompt],
        issues: &[PromptIssue],
        decoding: &Decoding,
        generator: &mut dyn Generator,
        recorder: &mut dyn Recorder,
    ) -> Result<(), JobError> {
        let outcome = self.generate(prompts, issues, decoding, generator, recorder);
        // Also where something failed: what is finished is kept.
        let synced = self.journal.sync();
        outcome?;
        Ok(synced?)
    }

    fn generate(
        &mut self,
        prompts: &[Prompt],
        issues: &[PromptIssue],
        decoding: &Decoding,
        generator: &mut dyn Generator,
        recorder: &mut dyn Recorder,
    ) -> Result<(), JobError> {
        let issues: BTreeMap<usize, &PromptIssue> =
            issues.iter().map(|issue| (issue.index, issue)).collect();
        for issue in issues.values() {
            let finished = recorder.reject(&mut self.journal, issue)?;
            self.count(finished);
        }
        let (asked, batch): (Vec<usize>, Vec<Prompt>) = prompts
            .iter()
            .enumerate()
            .filter(|(index, _)| !issues.contains_key(index))
            .map(|(index, prompt)| (index, prompt.clone()))
            .unzip();
        let mut stopped = None;
        let outcome = generator.generate(&batch, decoding, &mut |event| {
            let handled = match event {
                Event::Prefilled(tokens) => self.advance(tokens, 0),
                Event::Decoded(tokens) => self.advance(0, tokens),
                Event::Running(completions) => {
                    self.progress.running = completions;
                    Ok(())
                }
                Event::Finished(completion) => {
                    self.progress.note(&completion);
                    let index = asked[completion.index];
                    let finished = recorder.record(&mut self.journal, index, completion);
                    finished
                        .map(|finished| self.count(finished))
                        .map_err(JobError::from)
                        .and_then(|()| recorder.give_up().map_or(Ok(()), Err))
                }
            };
            // The generator carries a message through; the error itself is kept here.
            handled.map_err(|error| {
                let message = error.to_string();
                stopped = Some(error);
                GenerationError::Receiver(message.into())
            })
        });
        // The error kept here comes first: the generator returns it wrapped, or what followed from
        // it.
        match (outcome, stopped) {
            (_, Some(error)) => Err(error),
            (Err(error), None) => Err(JobError::Generation(error)),
            (Ok(()), None) => Ok(()),
        }
    }

    /// Counts the tokens of a step. Completions of a step come after its tokens, so that a stop
    /// waits for the next step.
    fn advance(&mut self, prompt_tokens: usize, completion_tokens: usize) -> Result<(), JobError> {
        if self.stopping {
            return Err(JobError::Interrupted {
                folder: self.folder.clone(),
                done: self.progress.resumed + self.progress.finished,
                total: self.progress.total,
            });
        }
        self.progress.prompt_tokens += prompt_tokens;
        self.progress.completion_tokens += completion_tokens;
        self.report();
        Ok(self.journal.tick()?)
    }

    fn count(&mut self, finished: bool) {
        self.progress.finished += usize::from(finished);
        self.report();
    }

    fn report(&mut self) {
        self.stopping |= (self.on_progress)(&self.progress).is_break();
    }
}
