//! Many items, one generator, one folder.

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroU32;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use generation::{Completion, Decoding, Event, FinishReason, GenerationError, Generator, Prompt};
use serde_json::{Value, json};

use crate::differences::differences;
use crate::error::{FileError, JobError};
use crate::journal::{Journal, drop_torn_line};
use crate::progress::Progress;
use crate::replies::{Replies, Reply};
use crate::whole_file::replace_file;
use crate::writer_lock::WriterLock;

/// Version of the files.
const SCHEMA: &str = "mwpbench.job.v1";

/// Prompts that are rendered and handed over at once: enough for any batch, and little memory
/// whatever the number of items.
const WAVE: usize = 4096;

/// What is asked, and how replies are read. Items go by number, from 0.
pub trait Task {
    /// How many items there are.
    fn items(&self) -> usize;

    /// Name of an item, for messages and for the journal.
    fn id(&self, item: usize) -> String;

    /// What the generator reads. After a reply that could not be read, `refusal` says what was
    /// wrong with it.
    fn prompt(&self, item: usize, refusal: Option<&Refusal>) -> String;

    /// Whether a reply can be read. It is not asked about a reply that was cut off: that one never
    /// can.
    ///
    /// # Errors
    /// What is wrong with it, in words that the generator is told when it is asked again.
    fn judge(&self, item: usize, text: &str) -> Result<(), String>;
}

/// A reply that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The reply.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

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
}

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
    /// fails, a full disk, or [`JobError::Interrupted`] when `on_progress` breaks off. What was
    /// finished before stays.
    pub fn run(
        &self,
        task: &dyn Task,
        generator: &mut dyn Generator,
        on_progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<Replies, JobError> {
        let not_writable = |source| FileError::NotWritable {
            folder: self.folder.to_path_buf(),
            source,
        };
        std::fs::create_dir_all(self.folder).map_err(not_writable)?;
        let _lock = WriterLock::take(self.folder, &format!("{}.lock", self.name))?;
        self.bind(task, generator)?;
        let file = self.file("replies.jsonl");
        if file.exists() {
            drop_torn_line(&file)?;
        }
        let journal = Journal::open(file.clone())?;
        let replies = Replies::read(file, self.attempts.get(), task)?;
        let resumed = replies.settled();
        let progress = Progress {
            total: task.items(),
            resumed,
            ..Progress::default()
        };
        let mut worker = Worker {
            job: self,
            task,
            journal,
            replies,
            progress,
            on_progress,
            stopping: false,
        };
        worker.tell();
        let outcome = worker.work(generator);
        // Also where something failed: what is finished is kept.
        let kept = worker.journal.sync();
        outcome?;
        kept?;
        Ok(worker.replies)
    }

    fn file(&self, suffix: &str) -> PathBuf {
        self.folder.join(format!("{}.{suffix}", self.name))
    }

    /// Notes what the work is, or compares it with what is noted.
    fn bind(&self, task: &dyn Task, generator: &dyn Generator) -> Result<(), JobError> {
        let file = self.file("job.json");
        let here = json!({
            "schema": SCHEMA,
            "model": generator.info(),
            "decoding": self.decoding,
            "attempts": self.attempts,
            "items": task.items(),
            "binding": self.binding,
        });
        if !file.exists() {
            let written = replace_file(&file, |out| {
                serde_json::to_writer_pretty(&mut *out, &here)?;
                out.write_all(b"\n")
            });
            return written.map_err(|source| FileError::WriteFailed { file, source }.into());
        }
        let text = std::fs::read(&file).map_err(|source| FileError::Unreadable {
            file: file.clone(),
            source,
        })?;
        let there: Value = serde_json::from_slice(&text).map_err(|error| FileError::Corrupt {
            file: file.clone(),
            line: Some(error.line()),
            message: format!("not JSON: {error}"),
        })?;
        let mut differences = differences(&there, &here);
        // A label: the details of the model decide.
        differences.retain(|difference| difference.field != "model.name");
        match differences.is_empty() {
            true => Ok(()),
            false => Err(JobError::OtherJob { file, differences }),
        }
    }
}

struct Worker<'a> {
    job: &'a Job<'a>,
    task: &'a dyn Task,
    journal: Journal,
    replies: Replies,
    progress: Progress,
    on_progress: &'a mut dyn FnMut(&Progress) -> ControlFlow<()>,
    /// Whether to stop before the next step.
    stopping: bool,
}

/// An item to be asked, for the how-manieth time, and what was wrong before.
struct Ask {
    item: usize,
    attempt: u32,
    refusal: Option<Refusal>,
}

impl Worker<'_> {
    fn work(&mut self, generator: &mut dyn Generator) -> Result<(), JobError> {
        let mut again = VecDeque::new();
        let mut next = 0;
        loop {
            let mut wave = Vec::new();
            while wave.len() < WAVE {
                if let Some(ask) = again.pop_front() {
                    wave.push(ask);
                } else if next < self.task.items() {
                    wave.extend(self.open(next)?);
                    next += 1;
                } else {
                    break;
                }
            }
            if wave.is_empty() {
                return Ok(());
            }
            self.ask(wave, generator, &mut again)?;
        }
    }

    /// What is left to ask of an item.
    fn open(&mut self, item: usize) -> Result<Option<Ask>, JobError> {
        if self.replies.is_settled(item) {
            return Ok(None);
        }
        let last = self.replies.last(item)?;
        Ok(Some(match last {
            None => Ask {
                item,
                attempt: 0,
                refusal: None,
            },
            Some(reply) => Ask {
                item,
                attempt: reply.attempt + 1,
                refusal: refusal(&reply),
            },
        }))
    }

    fn ask(
        &mut self,
        wave: Vec<Ask>,
        generator: &mut dyn Generator,
        again: &mut VecDeque<Ask>,
    ) -> Result<(), JobError> {
        let prompt = |ask: &Ask| Prompt {
            id: self.task.id(ask.item),
            sample: ask.attempt,
            text: self.task.prompt(ask.item, ask.refusal.as_ref()),
        };
        let mut prompts: Vec<Prompt> = wave.iter().map(prompt).collect();
        let issues = generator
            .check(&prompts, &self.job.decoding)
            .map_err(JobError::Generation)?;
        let issues: BTreeMap<usize, _> = issues
            .into_iter()
            .map(|issue| (issue.index, issue))
            .collect();
        for (&index, issue) in &issues {
            let refused = Completion {
                index,
                text: String::new(),
                finish_reason: FinishReason::Error,
                prompt_tokens: issue.prompt_tokens,
                completion_tokens: 0,
                prompt_hash: String::new(),
                token_ids: None,
                logprobs: None,
                error: None,
            };
            self.keep(&wave[index], refused, Some(issue.message.clone()))?;
        }
        let mut position = 0..;
        prompts.retain(|_| !issues.contains_key(&position.next().expect("an open range")));
        let asked: Vec<&Ask> = wave
            .iter()
            .enumerate()
            .filter(|(index, _)| !issues.contains_key(index))
            .map(|(_, ask)| ask)
            .collect();
        let mut stopped = None;
        let outcome = generator.generate(&prompts, &self.job.decoding, &mut |event| {
            let taken = match event {
                Event::Prefilled(tokens) => self.advanced(tokens, 0),
                Event::Decoded(tokens) => self.advanced(0, tokens),
                Event::Running(completions) => {
                    self.progress.running = completions;
                    Ok(())
                }
                Event::Finished(completion) => {
                    let ask = asked[completion.index];
                    self.finished(ask, completion)
                        .map(|refused| again.extend(refused))
                }
            };
            taken.map_err(|error| {
                let message = error.to_string();
                stopped = Some(error);
                GenerationError::Receiver(message.into())
            })
        });
        match (outcome, stopped) {
            (_, Some(error)) => Err(error),
            (Err(error), None) => Err(JobError::Generation(error)),
            (Ok(()), None) => Ok(()),
        }
    }

    /// Takes note of tokens. Completions of a step come after its tokens, so that a stop waits for
    /// the next step.
    fn advanced(&mut self, prompt_tokens: usize, completion_tokens: usize) -> Result<(), JobError> {
        if self.stopping {
            let Progress {
                total,
                resumed,
                finished,
                ..
            } = self.progress;
            return Err(JobError::Interrupted {
                folder: self.job.folder.to_path_buf(),
                done: resumed + finished,
                total,
            });
        }
        self.progress.prompt_tokens += prompt_tokens;
        self.progress.completion_tokens += completion_tokens;
        self.tell();
        Ok(self.journal.tick()?)
    }

    /// Takes a completion; returns the item where it is to be asked again.
    fn finished(&mut self, ask: &Ask, completion: Completion) -> Result<Option<Ask>, JobError> {
        self.progress.note(&completion);
        let fault = match completion.finish_reason {
            FinishReason::Error => {
                self.replies.fail(
                    ask.item,
                    completion
                        .error
                        .unwrap_or_else(|| "no reason was given".to_string()),
                );
                return Ok(None);
            }
            FinishReason::Length => Some(format!(
                "the reply was cut off after {} tokens",
                completion.completion_tokens
            )),
            FinishReason::Eos | FinishReason::Stop => {
                self.task.judge(ask.item, &completion.text).err()
            }
        };
        self.keep(ask, completion, fault)
    }

    /// Writes a reply down; returns the item where it is to be asked again.
    fn keep(
        &mut self,
        ask: &Ask,
        completion: Completion,
        fault: Option<String>,
    ) -> Result<Option<Ask>, JobError> {
        let reply = Reply {
            item: ask.item,
            id: self.task.id(ask.item),
            attempt: ask.attempt,
            text: completion.text,
            finish_reason: completion.finish_reason,
            prompt_tokens: completion.prompt_tokens,
            completion_tokens: completion.completion_tokens,
            prompt_hash: completion.prompt_hash,
            fault,
        };
        let place = self.journal.append(&reply)?;
        self.replies.note(place, &reply);
        let settled = self.replies.is_settled(ask.item);
        self.progress.finished += usize::from(settled);
        self.tell();
        Ok((!settled).then(|| Ask {
            item: ask.item,
            attempt: ask.attempt + 1,
            refusal: refusal(&reply),
        }))
    }

    fn tell(&mut self) {
        self.stopping |= (self.on_progress)(&self.progress).is_break();
    }
}

fn refusal(reply: &Reply) -> Option<Refusal> {
    let reason = reply.fault.clone()?;
    Some(Refusal {
        text: reply.text.clone(),
        reason,
    })
}
