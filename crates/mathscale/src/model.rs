//! How a model is asked: what the three stages that do so share.

use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroUsize};
use std::ops::ControlFlow;

use generation::{Decoding, Generator, GeneratorInfo};
use jobs::{ItemOutcome, Job, JobTask, Progress, Replies, Tally};
use serde_json::{Value, json};

use crate::driver::Outputs;
use crate::error::{Error, ErrorKind};
use crate::fault_kind::{FaultKind, ReplyCounts};
use crate::project::{Input, Project, StageIdentity};
use crate::stage::Stage;

/// How a model is asked.
pub struct Asking<'a> {
    /// How tokens are chosen. Each attempt at an item is a sample of its own.
    pub decoding: Decoding,
    /// Most replies asked for an item before it is rejected.
    pub attempts: NonZeroU32,
    /// Replies, all of them refused, at which a job is given up; `None` for never.
    pub max_refused: Option<NonZeroUsize>,
    /// Share of the replies, of 50 or more, above which a job is given up where they are refused,
    /// in 0..1; `None` for never.
    pub max_rejected: Option<f64>,
    /// Instruction → what the model reads.
    pub render: &'a (dyn Fn(&str) -> String + Sync),
    /// What identifies `render`, such as a digest of its template.
    pub rendering: String,
}

/// Takes how far a job is; a break stops it.
pub type OnProgress<'a> = &'a mut dyn FnMut(&Progress) -> ControlFlow<()>;

impl Asking<'_> {
    /// BLAKE3 (hex) of the stage's own wording and of what is rendered around it.
    pub(crate) fn prompt_digest(&self, wording: &str) -> String {
        // The wording is a digest of fixed length here, so that nothing has to part the two.
        let text = format!("{wording}{}", self.rendering);
        blake3::hash(text.as_bytes()).to_hex().to_string()
    }

    /// What decides the files of a stage that asks a model.
    pub(crate) fn identity(
        &self,
        inputs: BTreeMap<String, Input>,
        options: impl IntoIterator<Item = (&'static str, Value)>,
        wording: &str,
        generator: GeneratorInfo,
    ) -> StageIdentity {
        let own = [
            ("attempts", json!(self.attempts)),
            ("decoding", json!(self.decoding)),
        ];
        let options = own.into_iter().chain(options);
        StageIdentity {
            inputs,
            options: options
                .map(|(name, value)| (name.to_string(), value))
                .collect(),
            prompt: Some(self.prompt_digest(wording)),
            generator: Some(generator),
        }
    }
}

/// A job of a stage: a reply is asked for each of its items, and the journal of replies is a file
/// of the project.
pub(crate) struct StageJob<'a> {
    pub(crate) stage: Stage,
    /// What the names of its files begin with.
    pub(crate) name: &'a str,
    /// What decides prompts and how replies are read.
    pub(crate) binding: Value,
    /// Whether items that could not be generated are left to the caller, and are no error.
    pub(crate) allow_failed: bool,
}

impl StageJob<'_> {
    pub(crate) fn run(
        self,
        project: &Project,
        asking: &Asking<'_>,
        task: &dyn JobTask,
        generator: &mut dyn Generator,
        on_progress: OnProgress<'_>,
    ) -> Result<Replies, Error> {
        let job = Job {
            folder: project.folder(),
            name: self.name,
            binding: self.binding,
            decoding: asking.decoding.clone(),
            attempts: asking.attempts,
            max_refused: asking.max_refused,
            max_rejected: asking.max_rejected,
        };
        let replies = job.run(task, generator, on_progress)?;
        match replies.failed().first_key_value() {
            Some((&item, reason)) if !self.allow_failed => Err(Error::of(ErrorKind::Failed {
                stage: self.stage,
                failed: replies.failed().len(),
                total: replies.len(),
                id: task.id(item),
                reason: reason.clone(),
            })),
            _ => Ok(replies),
        }
    }
}

/// Counts over the replies of all jobs of a stage.
#[derive(Clone, Debug, Default)]
pub(crate) struct JobCounts {
    tally: Tally,
    /// Replies that were refused, by the name of a [`FaultKind`].
    refused: BTreeMap<&'static str, usize>,
}

impl JobCounts {
    pub(crate) fn of(replies: &Replies) -> Self {
        let mut counts = Self::default();
        counts.add(replies);
        counts
    }

    pub(crate) fn add(&mut self, replies: &Replies) {
        let tally = replies.tally();
        self.tally.replies += tally.replies;
        self.tally.prompt_tokens += tally.prompt_tokens;
        self.tally.completion_tokens += tally.completion_tokens;
        for (kind, count) in replies.kinds() {
            *self.refused.entry(kind).or_default() += count;
        }
    }

    /// What a stage's record says of its replies.
    pub(crate) fn record(&self, outputs: &mut Outputs<'_>) {
        outputs.count("replies", self.tally.replies as u64);
        outputs.count("prompt_tokens", self.tally.prompt_tokens);
        outputs.count("completion_tokens", self.tally.completion_tokens);
        let refused: usize = self.refused.values().sum();
        outputs.count(ReplyCounts::REFUSED, refused as u64);
        for kind in FaultKind::ALL {
            if let Some(&count) = self.refused.get(kind.name()) {
                outputs.count(&ReplyCounts::key(kind), count as u64);
            }
        }
    }
}

/// The reply to an item, or why there is none that can be read.
pub(crate) fn reply_text(outcome: ItemOutcome) -> Result<String, String> {
    match outcome {
        ItemOutcome::Answered(reply) => Ok(reply.text),
        ItemOutcome::SetAside(reply) => Err(reply
            .fault
            .unwrap_or_else(|| "the reply cannot be read".to_string())),
        // Only reached where the caller allowed for items that failed.
        ItemOutcome::Open(reason) => {
            Err(reason.unwrap_or_else(|| "it was never asked".to_string()))
        }
    }
}
