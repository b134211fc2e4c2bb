//! Many items, one generator, one folder.

use std::collections::VecDeque;
use std::num::{NonZeroU32, NonZeroUsize};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use generation::{Completion, Decoding, FinishReason, Generator, Prompt, PromptIssue};
use serde_json::{Value, json};
use store::{
    FileError, FolderLock, Journal, differences, read_manifest, truncate_partial_line, write_json,
};

use crate::error::JobError;
use crate::generation_loop::{GenerationLoop, Recorder};
use crate::progress::Progress;
use crate::replies::{Replies, Reply};
use crate::task::{JobTask, UnreadableReply};

/// Version of the files.
const SCHEMA: &str = "mwpbench.job.v1";

/// Prompts that are rendered and handed over at once: enough for any batch, and little memory
/// whatever the number of items.
const WAVE: usize = 4096;

/// Work for a generator in a folder. It keeps three files there: `NAME.job.json` says what the work
/// is, `NAME.replies.jsonl` is the journal of all replies, `NAME.lock` keeps a second writer out.
#[derive(Clone, Debug)]
pub struct Job<'a> {
    /// Where the files lie; made where it is missing.
    pub folder: &'a Path,
    /// What their names begin with.
    pub name: &'a str,
    /// What decides prompts and how replies are read, as plain data: digests of inputs and of the
    /// prompt's wording, options. A folder with another binding is refused.
    pub binding: Value,
    /// How tokens are chosen. Each attempt at an item is a sample of its own.
    pub decoding: Decoding,
    /// Most replies asked for an item before it is set aside.
    pub attempts: NonZeroU32,
    /// The job is given up where so many replies have come and all are refused; `None` for never.
    /// What was replied stays, and with a larger number the same call goes on.
    pub max_refused: Option<NonZeroUsize>,
    /// The job is given up where [`MIN_JUDGED`] replies or more have come and a larger share of them
    /// than this is refused, in 0..1; `None` for never. What was replied stays, as above.
    pub max_rejected: Option<f64>,
}

/// Replies before their share of refused ones says anything.
pub const MIN_JUDGED: usize = 50;

impl Job<'_> {
    /// Puts every item to the generator until its reply can be read or the attempts are used up,
    /// and continues where the folder holds replies already. What becomes of an item depends on
    /// that item alone: not on the others, on order or on interruptions.
    ///
    /// A prompt that does not fit is set aside unasked. An item whose generation failed is neither
    /// answered nor set aside: the same call asks it again.
    ///
    /// # Errors
    /// A folder that cannot be used or that holds other work, a damaged journal, a generator that
    /// fails, a full disk, [`JobError::AllRefused`], [`JobError::TooManyRefused`], or
    /// [`JobError::Interrupted`] when `on_progress` breaks off. What was finished before stays.
    ///
    /// A folder with fewer items of the same work is continued: items may be added at the end.
    pub fn run(
        &self,
        task: &dyn JobTask,
        generator: &mut dyn Generator,
        on_progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<Replies, JobError> {
        let _lock = FolderLock::acquire(self.folder, &format!("{}.lock", self.name))?;
        // Before the journal is made, so that no reply is without the word of what it replies to.
        self.bind(task, generator)?;
        let file = self.file("replies.jsonl");
        if file.exists() {
            truncate_partial_line(&file)?;
        }
        // Opened before it is read: this makes the file, without which there is nothing to read.
        let journal = Journal::open(file.clone())?;
        let replies = Replies::read(file, self.attempts.get(), task)?;
        let counts = (replies.settled(), task.items());
        let folder = self.folder.to_path_buf();
        let mut generation_loop = GenerationLoop::new(folder, journal, counts, on_progress);
        let mut queue = Queue {
            task,
            replies,
            next: 0,
            again: VecDeque::new(),
            max_refused: self.max_refused,
            max_rejected: self.max_rejected,
        };
        // Before anything is asked again, in vain.
        if let Some(error) = queue.give_up() {
            return Err(queue.with_examples(error)?);
        }
        loop {
            let wave = queue.wave()?;
            if wave.is_empty() {
                return Ok(queue.replies);
            }
            let prompts = wave.iter().map(|request| queue.prompt(request));
            let prompts: Vec<Prompt> = prompts.collect::<Result<_, _>>()?;
            let issues = generator
                .check(&prompts, &self.decoding)
                .map_err(JobError::Generation)?;
            let mut recorder = Wave {
                queue: &mut queue,
                requests: wave,
            };
            let decoding = &self.decoding;
            let asked = generation_loop.run(&prompts, &issues, decoding, generator, &mut recorder);
            if let Err(error) = asked {
                return Err(queue.with_examples(error)?);
            }
        }
    }

    fn file(&self, suffix: &str) -> PathBuf {
        self.folder.join(format!("{}.{suffix}", self.name))
    }

    /// Notes what the work is, or compares it with what is noted.
    fn bind(&self, task: &dyn JobTask, generator: &dyn Generator) -> Result<(), JobError> {
        let file = self.file("job.json");
        // The number of attempts belongs here, as it decides what is set aside. `max_refused` and
        // `max_rejected` do not: they change no reply, and with larger ones the work goes on.
        let here = json!({
            "schema": SCHEMA,
            "model": generator.info(),
            "decoding": self.decoding,
            "attempts": self.attempts,
            "items": task.items(),
            "binding": self.binding,
        });
        if !file.exists() {
            let written = write_json(&file, &here);
            written.map_err(FileError::write_failed(&file))?;
            return Ok(());
        }
        let there: Value = read_manifest(&file, SCHEMA, "a job's manifest")?;
        let mut differences = differences(&there, &here);
        // A label: the details of the model decide.
        differences.retain(|difference| difference.field != "model.name");
        // Replies name their items by number and id: items added at the end change neither, and
        // each id is compared when the journal is read.
        let is_larger = there["items"].as_u64() < here["items"].as_u64();
        match differences.as_slice() {
            [] => Ok(()),
            [items] if items.field == "items" && is_larger => {
                let written = write_json(&file, &here);
                written.map_err(FileError::write_failed(&file))?;
                Ok(())
            }
            _ => Err(JobError::OtherJob { file, differences }),
        }
    }
}

/// What is left to ask, and what was replied.
struct Queue<'a> {
    task: &'a dyn JobTask,
    replies: Replies,
    /// The first item that was not looked at yet.
    next: usize,
    /// Items whose last reply could not be read.
    again: VecDeque<Request>,
    max_refused: Option<NonZeroUsize>,
    max_rejected: Option<f64>,
}

/// An item to be asked, and what was wrong with the reply before.
struct Request {
    item: usize,
    /// From 0.
    attempt: u32,
    unreadable: Option<UnreadableReply>,
}

impl Queue<'_> {
    /// The requests to make next: at most [`WAVE`], those that are asked again first.
    fn wave(&mut self) -> Result<Vec<Request>, FileError> {
        let mut wave = Vec::new();
        while wave.len() < WAVE {
            if let Some(request) = self.again.pop_front() {
                wave.push(request);
            } else if self.next < self.task.items() {
                wave.extend(self.open(self.next)?);
                self.next += 1;
            } else {
                break;
            }
        }
        Ok(wave)
    }

    /// What is left to ask of an item.
    fn open(&mut self, item: usize) -> Result<Option<Request>, FileError> {
        if self.replies.is_settled(item) {
            return Ok(None);
        }
        // From the journal: a job that is continued asks what it would have asked uninterrupted.
        let last = self.replies.last(item)?;
        Ok(Some(Request {
            item,
            attempt: last.as_ref().map_or(0, |reply| reply.attempt + 1),
            unreadable: last.and_then(unreadable),
        }))
    }

    /// Why the rest is not asked: of enough replies none could be read so far, or too few.
    fn give_up(&self) -> Option<JobError> {
        let tally = self.replies.tally();
        if self.replies.settled() >= self.replies.len() {
            return None;
        }
        let journal = || self.replies.file().to_path_buf();
        let is_enough = |max: NonZeroUsize| max.get() <= tally.replies;
        if tally.answered == 0 && self.max_refused.is_some_and(is_enough) {
            return Some(JobError::AllRefused {
                journal: journal(),
                replies: tally.replies,
                reasons: self.replies.reasons(),
            });
        }
        let max_share = self.max_rejected?;
        let refused = self.replies.refused();
        let is_too_much = refused as f64 > max_share * tally.replies as f64;
        (is_too_much && tally.replies >= MIN_JUDGED).then(|| JobError::TooManyRefused {
            journal: journal(),
            replies: tally.replies,
            refused,
            max_share,
            examples: Vec::new(),
        })
    }

    /// An error that lacks its examples with them: only here the journal can be read.
    fn with_examples(&mut self, mut error: JobError) -> Result<JobError, FileError> {
        const MAX_EXAMPLES: usize = 3;
        if let JobError::TooManyRefused { examples, .. } = &mut error {
            *examples = self.replies.examples(MAX_EXAMPLES)?;
        }
        Ok(error)
    }

    fn prompt(&self, request: &Request) -> Result<Prompt, FileError> {
        let text = self
            .task
            .prompt(request.item, request.unreadable.as_ref())?;
        Ok(Prompt {
            id: self.task.id(request.item),
            sample: request.attempt,
            text,
        })
    }
}

/// The requests that are being answered.
struct Wave<'q, 't> {
    queue: &'q mut Queue<'t>,
    requests: Vec<Request>,
}

impl Recorder for Wave<'_, '_> {
    fn reject(&mut self, journal: &mut Journal, issue: &PromptIssue) -> Result<bool, FileError> {
        let completion = Completion::failed(issue.index, issue.prompt_tokens, None);
        self.append(
            journal,
            issue.index,
            completion,
            Some(issue.message.clone()),
        )
    }

    fn record(
        &mut self,
        journal: &mut Journal,
        index: usize,
        completion: Completion,
    ) -> Result<bool, FileError> {
        let item = self.requests[index].item;
        let fault = match completion.finish_reason {
            FinishReason::Error => {
                // A server or a machine failed, and the item is not to blame: nothing is journaled,
                // so that the failure costs the item no attempt.
                let reason = completion.error;
                let reason = reason.unwrap_or_else(|| "no reason was given".to_string());
                self.queue.replies.fail(item, reason);
                return Ok(false);
            }
            // Never judged: what can be read of a cut reply may lack its end.
            FinishReason::Length => Some(format!(
                "the reply was cut off after {} tokens",
                completion.completion_tokens
            )),
            FinishReason::Eos | FinishReason::Stop => {
                self.queue.task.judge(item, &completion.text).err()
            }
        };
        self.append(journal, index, completion, fault)
    }

    fn give_up(&self) -> Option<JobError> {
        self.queue.give_up()
    }
}

impl Wave<'_, '_> {
    /// Writes a reply down, and has its item asked again where that is not settled by it.
    fn append(
        &mut self,
        journal: &mut Journal,
        index: usize,
        completion: Completion,
        fault: Option<String>,
    ) -> Result<bool, FileError> {
        let &Request { item, attempt, .. } = &self.requests[index];
        let reply = Reply {
            item,
            id: self.queue.task.id(item),
            attempt,
            text: completion.text,
            finish_reason: completion.finish_reason,
            prompt_tokens: completion.prompt_tokens,
            completion_tokens: completion.completion_tokens,
            prompt_hash: completion.prompt_hash,
            fault,
        };
        let place = journal.append(&reply)?;
        self.queue.replies.note(place, &reply, self.queue.task);
        let settled = self.queue.replies.is_settled(item);
        if !settled {
            self.queue.again.push_back(Request {
                item,
                attempt: attempt + 1,
                unreadable: unreadable(reply),
            });
        }
        Ok(settled)
    }
}

fn unreadable(reply: Reply) -> Option<UnreadableReply> {
    Some(UnreadableReply {
        reason: reply.fault?,
        text: reply.text,
    })
}
