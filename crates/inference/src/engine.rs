//! Continuous batching: which rows go into each step, and what becomes of what they predict.
//!
//! A sequence joins as soon as there is room, reads its prompt in pieces, and leaves at the step that ends it. Since no
//! row depends on another (see [`crate::kernels`]), neither the order nor the company changes a completion.

use std::collections::VecDeque;

use rayon::ThreadPool;

use crate::error::Error;
use crate::kv_cache::{KvCache, Slot};
use crate::model::{Model, Row};
use crate::stop::StopWatch;
use crate::tokenizer::TextTokenizer;

/// Most rows of a step: bounds the memory of activations while prompts are read.
const STEP_ROWS: usize = 512;

/// Most sequences at a time when the user names no number.
const AUTO_BATCH_SIZE: usize = 64;

/// A prompt to continue.
pub(crate) struct Request {
    pub(crate) index: usize,
    pub(crate) prompt: Vec<u32>,
    /// Most new tokens, at least 1; prompt and new tokens together fit the context.
    pub(crate) limit: usize,
}

/// A finished request.
pub(crate) struct Answer {
    pub(crate) index: usize,
    /// New tokens, a final end-of-sequence token included.
    pub(crate) tokens: Vec<u32>,
    pub(crate) end: End,
}

/// Why a request is finished.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    Eos,
    Stop,
    Length,
    Failed(String),
}

/// What happened in a step.
pub(crate) enum Progress {
    Prefilled(usize),
    Decoded(usize),
    Answered(Answer),
}

/// What the engine works with.
pub(crate) struct Engine<'a> {
    pub(crate) model: &'a Model,
    pub(crate) tokenizer: &'a TextTokenizer,
    pub(crate) threads: &'a ThreadPool,
    pub(crate) batch_size: Option<usize>,
    pub(crate) stops: &'a [String],
}

struct Sequence<'a> {
    request: Request,
    slot: Slot,
    /// Tokens of prompt and completion that the cache holds.
    cached: usize,
    tokens: Vec<u32>,
    watch: StopWatch<'a>,
}

impl Engine<'_> {
    /// Answers all requests.
    ///
    /// # Errors
    /// Those of the computation, and whatever `report` returns, at once.
    pub(crate) fn run<E: From<Error>>(
        &self,
        requests: Vec<Request>,
        report: &mut dyn FnMut(Progress) -> Result<(), E>,
    ) -> Result<(), E> {
        let batch_size = self.batch_size.unwrap_or_else(|| self.auto_batch_size(&requests)).max(1);
        let mut cache = KvCache::new(self.model.config());
        let mut waiting = VecDeque::from(requests);
        let mut active: Vec<Sequence<'_>> = Vec::new();
        loop {
            while active.len() < batch_size
                && let Some(request) = waiting.pop_front()
            {
                let watch = StopWatch::new(self.tokenizer, self.stops);
                active.push(Sequence { request, slot: cache.open(), cached: 0, tokens: Vec::new(), watch });
            }
            if active.is_empty() {
                return Ok(());
            }
            let step = Step::plan(&active);
            step.rows.iter().for_each(|row| cache.reserve(row.slot, row.position + 1));
            let logits = self
                .threads
                .install(|| self.model.forward(&step.rows, &step.wanted, &mut cache)?.flatten_all()?.to_vec1::<f32>())
                .map_err(Error::from)?;
            step.taken.iter().for_each(|&(sequence, rows)| active[sequence].cached += rows);
            if step.prefilled > 0 {
                report(Progress::Prefilled(step.prefilled))?;
            }
            if !step.predicting.is_empty() {
                report(Progress::Decoded(step.predicting.len()))?;
            }
            let mut ended = Vec::new();
            for (&sequence, logits) in step.predicting.iter().zip(logits.chunks_exact(self.model.config().vocab_size)) {
                if let Some(end) = self.advance(&mut active[sequence], logits)? {
                    ended.push((sequence, end));
                }
            }
            ended.sort_unstable_by_key(|(sequence, _)| *sequence);
            // From the last, so that positions of those before stay valid.
            let mut answers: Vec<Answer> = Vec::new();
            for (sequence, end) in ended.into_iter().rev() {
                let Sequence { request, slot, tokens, .. } = active.remove(sequence);
                cache.close(slot);
                answers.push(Answer { index: request.index, tokens, end });
            }
            answers.into_iter().rev().try_for_each(|answer| report(Progress::Answered(answer)))?;
        }
    }

    /// Adds the most likely token to a sequence and says whether that ends it.
    fn advance(&self, sequence: &mut Sequence<'_>, logits: &[f32]) -> Result<Option<End>, Error> {
        let Some(token) = most_likely(logits) else {
            let place = sequence.tokens.len() + 1;
            return Ok(Some(End::Failed(format!("the model's logits are not numbers (NaN) at new token {place}"))));
        };
        sequence.tokens.push(token);
        if self.model.config().eos_token_ids.contains(&token) {
            Ok(Some(End::Eos))
        } else if sequence.watch.stops_at(&sequence.tokens)? {
            Ok(Some(End::Stop))
        } else if sequence.tokens.len() >= sequence.request.limit {
            Ok(Some(End::Length))
        } else {
            Ok(None)
        }
    }

    /// As many sequences as fit half the free memory, at most [`AUTO_BATCH_SIZE`].
    fn auto_batch_size(&self, requests: &[Request]) -> usize {
        let positions = requests.iter().map(|request| request.prompt.len() + request.limit).max().unwrap_or(1);
        let sequence_bytes = KvCache::bytes(self.model.config(), positions).max(1);
        (free_memory_bytes() / 2 / sequence_bytes).clamp(1, AUTO_BATCH_SIZE)
    }
}

/// The token with the largest logit, the lowest id of equals, as `torch.argmax` chooses; `None` if any is NaN.
fn most_likely(logits: &[f32]) -> Option<u32> {
    let mut best = 0;
    for (token, &logit) in logits.iter().enumerate() {
        if logit.is_nan() {
            return None;
        }
        if logit > logits[best] {
            best = token;
        }
    }
    u32::try_from(best).ok()
}

/// Memory that can be had without swapping; 4 GiB where the system does not say.
fn free_memory_bytes() -> usize {
    let available = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
        line.trim().strip_suffix("kB")?.trim().parse::<usize>().ok()
    });
    available.map_or(4 << 30, |kib| kib.saturating_mul(1024))
}

/// The rows of one step.
#[derive(Default)]
struct Step {
    rows: Vec<Row>,
    /// Rows whose logits are wanted, and the sequence that each belongs to.
    wanted: Vec<u32>,
    predicting: Vec<usize>,
    /// Sequences that take part, each with its number of rows.
    taken: Vec<(usize, usize)>,
    prefilled: usize,
}

impl Step {
    /// First a row for each sequence that is writing, then prompts as far as there is room.
    fn plan(active: &[Sequence<'_>]) -> Self {
        let mut step = Self::default();
        for (index, sequence) in active.iter().enumerate() {
            if let Some(&token) = sequence.tokens.last() {
                step.rows.push(Row { token, slot: sequence.slot, position: sequence.cached });
                step.end_sequence(index, 1, true);
            }
        }
        for (index, sequence) in active.iter().enumerate() {
            let unread = sequence.request.prompt.get(sequence.cached..).unwrap_or_default();
            let count = unread.len().min(STEP_ROWS.saturating_sub(step.rows.len()));
            if count == 0 || !sequence.tokens.is_empty() {
                continue;
            }
            let rows = unread[..count].iter().enumerate();
            step.rows.extend(rows.map(|(offset, &token)| {
                let position = sequence.cached + offset;
                Row { token, slot: sequence.slot, position }
            }));
            step.prefilled += count;
            step.end_sequence(index, count, count == unread.len());
        }
        step
    }

    fn end_sequence(&mut self, index: usize, rows: usize, predicts: bool) {
        self.taken.push((index, rows));
        if predicts {
            self.wanted.push((self.rows.len() - 1) as u32);
            self.predicting.push(index);
        }
    }
}
