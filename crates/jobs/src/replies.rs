//! What a generator has replied, in the order of its items.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek};
use std::path::{Path, PathBuf};

use generation::FinishReason;
use serde::{Deserialize, Serialize};
use store::{FileError, for_each_record, parse_record};

use crate::task::JobTask;

/// Reasons that are counted one by one.
const MAX_REASONS: usize = 100;
const OTHER_REASONS: &str = "other reasons";

/// A line of the journal: one reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    /// Number of the item, from 0.
    pub item: usize,
    /// Name of the item.
    pub id: String,
    /// Number of the attempt, from 0.
    pub attempt: u32,
    /// The reply.
    pub text: String,
    /// Why it ended; `error` for a prompt that does not fit and was not asked.
    pub finish_reason: FinishReason,
    /// Tokens of the prompt.
    pub prompt_tokens: usize,
    /// New tokens.
    pub completion_tokens: usize,
    /// BLAKE3 (hex) of what the generator read.
    pub prompt_hash: String,
    /// Why it cannot be read; `None` where it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// What became of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemOutcome {
    /// A reply that can be read.
    Answered(Reply),
    /// Every attempt gave a reply that cannot; this is the last one, and its `fault` says why.
    SetAside(Reply),
    /// Generation failed for this reason, or never came to it: the same call asks again.
    Open(Option<String>),
}

/// Counts over a job, of all its starts together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Items with a reply that can be read.
    pub answered: usize,
    /// Items whose replies cannot.
    pub set_aside: usize,
    /// Replies in all.
    pub replies: usize,
    /// Tokens of all prompts.
    pub prompt_tokens: u64,
    /// New tokens of all replies.
    pub completion_tokens: u64,
}

/// All replies of a job, on the disk, with their places.
#[derive(Debug)]
pub struct Replies {
    file: PathBuf,
    attempts: u32,
    states: Vec<State>,
    failed: BTreeMap<usize, String>,
    tally: Tally,
    /// Why replies were refused.
    reasons: BTreeMap<String, Refused>,
    /// How many were, by the kind of the fault.
    kinds: BTreeMap<&'static str, usize>,
    reader: Option<BufReader<File>>,
}

/// Replies that were refused for one reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Refused {
    count: usize,
    /// Where the first of them stands in the journal.
    first: u64,
}

/// Why replies were refused: one reason, with an example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusalExample {
    /// The reason.
    pub reason: String,
    /// Replies that were refused for it.
    pub count: usize,
    /// Name of the first item whose reply was.
    pub id: String,
    /// That reply.
    pub text: String,
}

/// What is known of an item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct State {
    /// Where the last reply stands in the journal.
    place: u64,
    /// Replies so far.
    replies: u32,
    standing: Standing,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Standing {
    #[default]
    Open,
    Answered,
    SetAside,
}

impl Replies {
    /// Reads a journal, which may be empty.
    pub(crate) fn read(
        file: PathBuf,
        attempts: u32,
        task: &dyn JobTask,
    ) -> Result<Self, FileError> {
        let states = vec![State::default(); task.items()];
        let mut replies = Self {
            file: file.clone(),
            attempts,
            states,
            failed: BTreeMap::new(),
            tally: Tally::default(),
            reasons: BTreeMap::new(),
            kinds: BTreeMap::new(),
            reader: None,
        };
        for_each_record(&file, |place, reply: Reply| {
            let Some(state) = replies.states.get(reply.item) else {
                return Err(format!(
                    "item {} does not exist: there are {}",
                    reply.item,
                    replies.states.len()
                ));
            };
            if task.id(reply.item) != reply.id {
                let expected = task.id(reply.item);
                return Err(format!(
                    "item {} is \"{expected}\" and not \"{}\"",
                    reply.item, reply.id
                ));
            }
            // Each start writes the attempts at an item in turn. Two writers on a file system
            // without locks would not, nor would lines that were put together by hand.
            if state.standing != Standing::Open || state.replies != reply.attempt {
                return Err(format!(
                    "attempt {} at item {} is out of order",
                    reply.attempt, reply.item
                ));
            }
            replies.note(place, &reply, task);
            Ok(())
        })?;
        Ok(replies)
    }

    /// Takes note of a reply that stands in the journal.
    pub(crate) fn note(&mut self, place: u64, reply: &Reply, task: &dyn JobTask) {
        let state = &mut self.states[reply.item];
        (state.place, state.replies) = (place, reply.attempt + 1);
        // The journal has this reason only for a prompt that does not fit. Asked again it would fit
        // no better.
        let never_asked = reply.finish_reason == FinishReason::Error;
        state.standing = match &reply.fault {
            None => Standing::Answered,
            Some(_) if never_asked || state.replies >= self.attempts => Standing::SetAside,
            Some(_) => Standing::Open,
        };
        match state.standing {
            Standing::Open => {}
            Standing::Answered => self.tally.answered += 1,
            Standing::SetAside => self.tally.set_aside += 1,
        }
        self.failed.remove(&reply.item);
        if let Some(fault) = &reply.fault {
            self.count_reason(fault, place);
            *self.kinds.entry(task.kind(fault)).or_default() += 1;
        }
        self.tally.replies += 1;
        self.tally.prompt_tokens += reply.prompt_tokens as u64;
        self.tally.completion_tokens += reply.completion_tokens as u64;
    }

    /// Counts a reason. Some quote the reply, so that there may be as many as replies: those beyond
    /// [`MAX_REASONS`] count together.
    fn count_reason(&mut self, reason: &str, place: u64) {
        let is_known = self.reasons.contains_key(reason);
        let name = if is_known || self.reasons.len() < MAX_REASONS {
            reason
        } else {
            OTHER_REASONS
        };
        let new = Refused {
            count: 0,
            first: place,
        };
        self.reasons.entry(name.to_string()).or_insert(new).count += 1;
    }

    /// Why replies were refused, with the number of replies, the most frequent reason first.
    pub fn reasons(&self) -> Vec<(String, usize)> {
        let reasons = self.reasons.iter();
        let mut reasons: Vec<(String, usize)> = reasons
            .map(|(reason, refused)| (reason.clone(), refused.count))
            .collect();
        reasons.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
        reasons
    }

    /// The most frequent reasons, at most `max` of them, each with the first reply that was refused
    /// for it.
    ///
    /// # Errors
    /// The journal cannot be read, or was changed meanwhile.
    pub fn examples(&mut self, max: usize) -> Result<Vec<RefusalExample>, FileError> {
        let mut examples = Vec::new();
        for (reason, count) in self.reasons().into_iter().take(max) {
            let reply = self.at(self.reasons[&reason].first)?;
            examples.push(RefusalExample {
                reason,
                count,
                id: reply.id,
                text: reply.text,
            });
        }
        Ok(examples)
    }

    /// How many replies were refused, by the kind that the task gives a fault.
    pub fn kinds(&self) -> &BTreeMap<&'static str, usize> {
        &self.kinds
    }

    /// Whether an item has a reply that can be read.
    pub fn is_answered(&self, item: usize) -> bool {
        self.states[item].standing == Standing::Answered
    }

    /// Replies that were refused, of all.
    pub(crate) fn refused(&self) -> usize {
        self.kinds.values().sum()
    }

    /// Takes note of a failure, which the journal does not keep.
    pub(crate) fn fail(&mut self, item: usize, reason: String) {
        self.failed.insert(item, reason);
    }

    pub(crate) fn is_settled(&self, item: usize) -> bool {
        self.states[item].standing != Standing::Open
    }

    pub(crate) fn settled(&self) -> usize {
        self.tally.answered + self.tally.set_aside
    }

    /// The last reply to an item, if there is any.
    pub(crate) fn last(&mut self, item: usize) -> Result<Option<Reply>, FileError> {
        let State { place, replies, .. } = self.states[item];
        if replies == 0 {
            return Ok(None);
        }
        let reply = self.at(place)?;
        match reply.item == item {
            true => Ok(Some(reply)),
            false => Err(self.corrupt("it was changed while it was read".to_string())),
        }
    }

    /// The reply at a place of the journal.
    fn at(&mut self, place: u64) -> Result<Reply, FileError> {
        let unreadable = |source| FileError::Unreadable {
            file: self.file.clone(),
            source,
        };
        // One reader does while the journal grows: what was appended since its buffer was filled
        // follows in the file on what the buffer holds.
        let reader = match &mut self.reader {
            Some(reader) => reader,
            none => none.insert(BufReader::new(File::open(&self.file).map_err(unreadable)?)),
        };
        let mut line = Vec::new();
        // A seek within the buffer keeps it: replies are mostly asked for in the order of the
        // journal.
        let step = reader
            .stream_position()
            .map(|position| place as i64 - position as i64);
        let read = step
            .and_then(|step| reader.seek_relative(step))
            .and_then(|()| reader.read_until(b'\n', &mut line));
        read.map_err(unreadable)?;
        parse_record(&line).map_err(|message| self.corrupt(message))
    }

    fn corrupt(&self, message: String) -> FileError {
        FileError::Corrupt {
            file: self.file.clone(),
            line: None,
            message,
        }
    }

    /// What became of an item.
    ///
    /// # Errors
    /// The journal cannot be read, or was changed meanwhile.
    pub fn outcome(&mut self, item: usize) -> Result<ItemOutcome, FileError> {
        let standing = self.states[item].standing;
        if standing == Standing::Open {
            return Ok(ItemOutcome::Open(self.failed.get(&item).cloned()));
        }
        // What is settled has a reply.
        let last = self.last(item)?;
        Ok(match (standing, last) {
            (_, None) => ItemOutcome::Open(None),
            (Standing::Answered, Some(reply)) => ItemOutcome::Answered(reply),
            (_, Some(reply)) => ItemOutcome::SetAside(reply),
        })
    }

    /// Items.
    pub fn len(&self) -> usize {
        self.states.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.states.is_empty()
    }

    /// The counts.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// Items that could not be generated in this start, with the reasons.
    pub fn failed(&self) -> &BTreeMap<usize, String> {
        &self.failed
    }

    /// Where the journal lies.
    pub fn file(&self) -> &Path {
        &self.file
    }
}
