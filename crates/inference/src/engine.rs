//! Continuous batching: which rows go into each step, and what becomes of what they predict.
//!
//! A sequence joins as soon as there is room, reads its prompt in pieces, and leaves at the step
//! that ends it. What prompts have in common is computed once ([`crate::prefixes`]). When the cache
//! is full the youngest sequence gives its blocks up, and is computed again later. Since no row
//! depends on another (see [`crate::kernels`]), none of this changes a completion; on a device
//! ([`crate::device`]) its last bits may differ.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::OnceLock;
use std::time::Instant;

use candle_core::Tensor;
use generation::Sampling;

use crate::error::{Error, ErrorKind};
use crate::kv_cache::{BLOCK, KvCache, Slot};
use crate::logprobs::{log_probability, most_likely};
use crate::memory::human_size;
use crate::model::Model;
use crate::ops::NOT_A_TOKEN;
use crate::prefixes::{Prefix, shared_prefixes};
use crate::row::Row;
use crate::sampling::{Sampler, Stream};
use crate::stop::StopWatch;
use crate::tokenizer::TextTokenizer;

/// Most rows of a step: bounds the memory of activations while prompts are read.
const STEP_ROWS: usize = 512;

/// A prompt to continue.
pub(crate) struct Request {
    pub(crate) index: usize,
    pub(crate) prompt: Vec<u32>,
    /// Most new tokens, at least 1; prompt and new tokens together fit the context.
    pub(crate) limit: usize,
    /// Its random numbers, where tokens are drawn.
    pub(crate) stream: Option<Stream>,
}

/// A finished request.
pub(crate) struct Answer {
    pub(crate) index: usize,
    /// New tokens, a final end-of-sequence token included.
    pub(crate) tokens: Vec<u32>,
    /// Natural logarithm of the probability of each of them; empty where that was not asked for.
    pub(crate) logprobs: Vec<f32>,
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
    /// So many tokens of prompts were read.
    Prefilled(usize),
    /// So many sequences get a token in the step that is told next.
    Running(usize),
    /// So many tokens were written.
    Decoded(usize),
    Answered(Answer),
}

thread_local! {
    /// Memory for drawing tokens.
    static SAMPLER: RefCell<Sampler> = RefCell::default();
}

/// What the engine works with.
pub(crate) struct Engine<'a> {
    pub(crate) model: &'a Model,
    pub(crate) tokenizer: &'a TextTokenizer,
    /// Most sequences at a time; `None` to find the fastest number.
    pub(crate) batch_size: Option<usize>,
    /// Most bytes of keys and values.
    pub(crate) kv_memory: usize,
    pub(crate) stops: &'a [String],
    /// How tokens are drawn; `None` to take the most likely one.
    pub(crate) sampling: Option<Sampling>,
    /// Whether the log-probability of each new token is wanted: all logits are then stored.
    pub(crate) logprobs: bool,
    /// Whether end-of-sequence tokens end a completion.
    pub(crate) heeds_eos: bool,
}

/// A request on its way.
struct Sequence<'a> {
    request: Request,
    /// Its place in the order in which requests are taken.
    order: usize,
    tokens: Vec<u32>,
    /// As in [`Answer`].
    logprobs: Vec<f32>,
    watch: StopWatch<'a>,
    /// Tokens of the prompt that were counted as read.
    counted: usize,
}

/// A token that was chosen, and its log-probability where that is wanted.
#[derive(Clone, Copy)]
struct Choice {
    token: u32,
    logprob: Option<f32>,
}

impl Choice {
    const NONE: Self = Self {
        token: NOT_A_TOKEN,
        logprob: None,
    };
}

/// A sequence in the cache.
struct Active<'a> {
    sequence: Sequence<'a>,
    slot: Slot,
    /// Tokens of prompt and completion that the cache holds.
    cached: usize,
}

impl Sequence<'_> {
    /// Tokens of prompt and completion.
    fn length(&self) -> usize {
        self.request.prompt.len() + self.tokens.len()
    }

    /// The token at a position, as a row of a step.
    fn row(&self, position: usize, slot: Slot) -> Row {
        let prompt = &self.request.prompt;
        let token = prompt
            .get(position)
            .copied()
            .unwrap_or_else(|| self.tokens[position - prompt.len()]);
        Row {
            token,
            slot,
            position,
            length: prompt.len().max(position + 1),
        }
    }
}

/// Everything that changes while requests are answered.
struct Run<'a, 'e> {
    engine: &'e Engine<'a>,
    cache: KvCache,
    waiting: VecDeque<Sequence<'a>>,
    /// In the order in which they joined.
    active: Vec<Active<'a>>,
    /// Common starts that no request has needed yet, the next one last.
    unopened: Vec<Prefix>,
    /// Common starts in the cache, each within the one before.
    open: Vec<(Prefix, Slot)>,
    rows: RowCount,
    /// The last number of sequences that was reported as running.
    running: usize,
}

impl<'a> Engine<'a> {
    /// Answers all requests.
    ///
    /// # Errors
    /// A cache too small for the longest request, failures of the computation, and whatever
    /// `report` returns, at once.
    pub(crate) fn run<E: From<Error>>(
        &self,
        requests: Vec<Request>,
        report: &mut dyn FnMut(Progress) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut run = Run::new(self, requests)?;
        while run.admit()? {
            run.step(report)?;
            if !run.is_done() {
                self.model.lay_out().map_err(Error::from)?;
            }
        }
        Ok(())
    }
}

impl<'a, 'e> Run<'a, 'e> {
    fn new(engine: &'e Engine<'a>, mut requests: Vec<Request>) -> Result<Self, Error> {
        let (config, block_bytes) = (engine.model.config(), engine.model.block_bytes());
        let capacity = engine.model.blocks_within(engine.kv_memory);
        let longest = requests
            .iter()
            .map(|request| request.prompt.len() + request.limit)
            .max()
            .unwrap_or(0);
        if longest.div_ceil(BLOCK) > capacity {
            let message = format!(
                "the longest prompt and completion have {longest} tokens, whose KV cache needs {}; there is room for {}",
                human_size(longest.div_ceil(BLOCK) * block_bytes),
                human_size(engine.kv_memory)
            );
            return Err(Error::new(ErrorKind::KvCacheTooSmall, message));
        }
        requests.sort_by(|left, right| left.prompt.cmp(&right.prompt));
        let prompts: Vec<&[u32]> = requests
            .iter()
            .map(|request| request.prompt.as_slice())
            .collect();
        let independent = prompts
            .iter()
            .all(|prompt| prompt.len() <= config.plain_prompt_length());
        let mut unopened = if independent {
            shared_prefixes(&prompts)
        } else {
            Vec::new()
        };
        unopened.reverse();
        let sequence = |(order, request)| Sequence {
            request,
            order,
            tokens: Vec::new(),
            logprobs: Vec::new(),
            watch: StopWatch::new(engine.tokenizer, engine.stops),
            counted: 0,
        };
        Ok(Self {
            engine,
            cache: engine.model.open_cache(capacity),
            waiting: requests.into_iter().enumerate().map(sequence).collect(),
            active: Vec::new(),
            unopened,
            open: Vec::new(),
            rows: RowCount::new(engine.batch_size),
            running: 0,
        })
    }

    /// Lets sequences join as long as there is room; `false` when there is nothing left to do.
    fn admit(&mut self) -> Result<bool, Error> {
        while self.active.len() < self.rows.limit()
            && let Some(sequence) = self.waiting.pop_front()
        {
            if let Some(sequence) = self.join(sequence)? {
                self.waiting.push_front(sequence);
                if !self.active.is_empty() {
                    break;
                }
                // Nobody will leave: then what is shared has to.
                self.open
                    .drain(..)
                    .for_each(|(_, slot)| self.cache.close(slot));
            }
        }
        Ok(!self.active.is_empty())
    }

    fn is_done(&self) -> bool {
        self.waiting.is_empty() && self.active.is_empty()
    }

    /// Lets a sequence join; gives it back when there is no room.
    fn join(&mut self, sequence: Sequence<'a>) -> Result<Option<Sequence<'a>>, Error> {
        let blocks = sequence.length().div_ceil(BLOCK) + 1;
        // Each active sequence may soon need one more; a lone sequence fits in any case.
        if !self.active.is_empty() && self.cache.available() < blocks + self.active.len() {
            return Ok(Some(sequence));
        }
        self.open_prefixes(&sequence)?;
        let (slot, cached) = match self.open.last() {
            Some(&(Prefix { length, .. }, slot)) => match self.cache.open_like(slot, length) {
                Some(slot) => (slot, length),
                None => return Ok(Some(sequence)),
            },
            None => (self.cache.open(), 0),
        };
        self.active.push(Active {
            sequence,
            slot,
            cached,
        });
        Ok(None)
    }

    /// Closes the common starts that `sequence` has no part in, and computes those that it has.
    fn open_prefixes(&mut self, sequence: &Sequence<'a>) -> Result<(), Error> {
        let order = sequence.order;
        while let Some(&(prefix, slot)) = self.open.last()
            && !(prefix.start..prefix.end).contains(&order)
        {
            self.cache.close(slot);
            self.open.pop();
        }
        while let Some(prefix) = self.unopened.pop_if(|prefix| prefix.start <= order) {
            if order >= prefix.end {
                continue;
            }
            let outer = self.open.last().map(|&(outer, slot)| (outer.length, slot));
            let (length, slot) = match outer {
                Some((length, slot)) => (length, self.cache.open_like(slot, length)),
                None => (0, Some(self.cache.open())),
            };
            let Some(slot) = slot else { return Ok(()) };
            if !self.cache.reserve(slot, prefix.length) {
                self.cache.close(slot);
                return Ok(());
            }
            let rows: Vec<Row> = (length..prefix.length)
                .map(|position| sequence.row(position, slot))
                .collect();
            for rows in rows.chunks(STEP_ROWS) {
                self.engine.model.forward(rows, &[], &mut self.cache)?;
            }
            self.open.push((prefix, slot));
        }
        Ok(())
    }

    /// Computes one step.
    fn step<E: From<Error>>(
        &mut self,
        report: &mut dyn FnMut(Progress) -> Result<(), E>,
    ) -> Result<(), E> {
        let started = Instant::now();
        let plan = self.plan();
        if plan.rows.is_empty() {
            let message = "the system has no memory for the KV cache";
            return Err(Error::new(ErrorKind::KvCacheUnavailable, message).into());
        }
        let model = self.engine.model;
        let hidden = model
            .forward(&plan.rows, &plan.wanted, &mut self.cache)
            .map_err(Error::from)?;
        let choices = match plan.predicting.is_empty() {
            true => Vec::new(),
            false => self.choose(&hidden, &plan.predicting)?,
        };
        let mut prefilled = 0;
        for &(index, count) in &plan.taken {
            let Active {
                sequence, cached, ..
            } = &mut self.active[index];
            *cached += count;
            let read = (*cached).min(sequence.request.prompt.len());
            prefilled += read.saturating_sub(sequence.counted);
            sequence.counted = sequence.counted.max(read);
        }
        if prefilled > 0 {
            report(Progress::Prefilled(prefilled))?;
        } else {
            self.rows
                .learn(plan.rows.len(), started.elapsed(), !self.waiting.is_empty());
        }
        if !choices.is_empty() {
            self.report_decoded(choices.len(), report)?;
        }
        let mut ends: Vec<Option<End>> = self.active.iter().map(|_| None).collect();
        for (&index, &choice) in plan.predicting.iter().zip(&choices) {
            ends[index] = self
                .engine
                .advance(&mut self.active[index].sequence, choice)?;
        }
        let mut answers = Vec::new();
        let mut ends = ends.into_iter();
        let cache = &mut self.cache;
        self.active
            .retain_mut(|active| match ends.next().flatten() {
                None => true,
                Some(end) => {
                    cache.close(active.slot);
                    let Sequence {
                        request,
                        tokens,
                        logprobs,
                        ..
                    } = &mut active.sequence;
                    let (tokens, logprobs) = (std::mem::take(tokens), std::mem::take(logprobs));
                    answers.push(Answer {
                        index: request.index,
                        tokens,
                        logprobs,
                        end,
                    });
                    false
                }
            });
        // Whoever listens takes each of them off the number of those running.
        self.running = self.running.saturating_sub(answers.len());
        answers
            .into_iter()
            .try_for_each(|answer| report(Progress::Answered(answer)))
    }

    /// Reports that so many sequences got a token, and how many that are where it is another number
    /// than before.
    fn report_decoded<E>(
        &mut self,
        tokens: usize,
        report: &mut dyn FnMut(Progress) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.running != tokens {
            self.running = tokens;
            report(Progress::Running(tokens))?;
        }
        report(Progress::Decoded(tokens))
    }

    /// The next token of each of the sequences `predicting`, whose hidden states are given.
    fn choose(&self, hidden: &Tensor, predicting: &[usize]) -> Result<Vec<Choice>, Error> {
        let Engine {
            model,
            sampling,
            logprobs,
            ..
        } = self.engine;
        if sampling.is_none() && !logprobs {
            let tokens = model.most_likely(hidden)?.into_iter();
            return Ok(tokens
                .map(|token| Choice {
                    token,
                    logprob: None,
                })
                .collect());
        }
        let logits = model.logits(hidden)?.flatten_all()?.to_vec1::<f32>()?;
        let rows: Vec<&[f32]> = logits.chunks_exact(model.config().vocab_size).collect();
        let choices: Vec<OnceLock<Choice>> = rows.iter().map(|_| OnceLock::new()).collect();
        model.compute().threads.for_each(rows.len(), |_, row| {
            let choice = self
                .engine
                .choice(rows[row], &self.active[predicting[row]].sequence);
            let _ = choices[row].set(choice.unwrap_or(Choice::NONE));
        });
        Ok(choices
            .into_iter()
            .map(|choice| choice.into_inner().unwrap_or(Choice::NONE))
            .collect())
    }

    /// The rows of the next step: one for each sequence that is writing, then prompts as far as
    /// there is room.
    fn plan(&mut self) -> Plan {
        let mut plan = Plan::default();
        for writing in [true, false] {
            let mut index = 0;
            while index < self.active.len() {
                let Active {
                    sequence,
                    slot,
                    cached,
                } = &self.active[index];
                let unread = sequence.length() - cached;
                let count = unread.min(STEP_ROWS.saturating_sub(plan.rows.len()));
                if (unread == 1) == writing && count > 0 {
                    let (slot, cached) = (*slot, *cached);
                    if !self.cache.reserve(slot, cached + count) {
                        self.make_room(index, &mut plan);
                        continue;
                    }
                    let sequence = &self.active[index].sequence;
                    plan.rows.extend(
                        (cached..cached + count).map(|position| sequence.row(position, slot)),
                    );
                    plan.taken.push((index, count));
                    if count == unread {
                        plan.wanted.push((plan.rows.len() - 1) as u32);
                        plan.predicting.push(index);
                    }
                }
                index += 1;
            }
        }
        plan
    }

    /// Takes blocks from whoever can spare them best, so that the sequence at `index` can go on:
    /// common starts that only later requests need, else the youngest sequence, which may be the
    /// one at `index`.
    fn make_room(&mut self, index: usize, plan: &mut Plan) {
        if let Some((prefix, slot)) = self.open.pop() {
            self.cache.close(slot);
            self.unopened.push(prefix);
            return;
        }
        let youngest = self.active.len() - 1;
        debug_assert!(index <= youngest);
        if let Some(Active { sequence, slot, .. }) = self.active.pop() {
            self.cache.close(slot);
            plan.drop_sequence(youngest, slot);
            self.waiting.push_front(sequence);
        }
    }
}

impl Drop for Run<'_, '_> {
    fn drop(&mut self) {
        self.engine.model.close_cache(&mut self.cache);
    }
}

impl Engine<'_> {
    /// The token that these logits give a sequence; `None` where they give none, or no finite
    /// log-probability where one is wanted.
    fn choice(&self, logits: &[f32], sequence: &Sequence<'_>) -> Option<Choice> {
        let Sequence {
            request, tokens, ..
        } = sequence;
        let token = match (&self.sampling, &request.stream) {
            (Some(sampling), Some(stream)) => {
                let history = [request.prompt.as_slice(), tokens].concat();
                let step = tokens.len() as u64;
                SAMPLER.with_borrow_mut(|sampler| {
                    sampler.sample(logits, &history, sampling, stream, step)
                })
            }
            (Some(_), None) => None,
            (None, _) => most_likely(logits),
        }?;
        let logprob = if self.logprobs {
            Some(log_probability(logits, token)?)
        } else {
            None
        };
        Some(Choice { token, logprob })
    }

    /// Adds a token to a sequence and says whether that ends it.
    fn advance(&self, sequence: &mut Sequence<'_>, choice: Choice) -> Result<Option<End>, Error> {
        let Choice { token, logprob } = choice;
        if token == NOT_A_TOKEN {
            let place = sequence.tokens.len() + 1;
            return Ok(Some(End::Failed(format!(
                "the model's logits are not numbers (NaN) at new token {place}"
            ))));
        }
        sequence.tokens.push(token);
        sequence.logprobs.extend(logprob);
        if self.heeds_eos && self.model.config().eos_token_ids.contains(&token) {
            Ok(Some(End::Eos))
        } else if sequence.watch.stops_at(&sequence.tokens)? {
            Ok(Some(End::Stop))
        } else if sequence.tokens.len() >= sequence.request.limit {
            Ok(Some(End::Length))
        } else {
            Ok(None)
        }
    }
}

/// The rows of one step.
#[derive(Default)]
struct Plan {
    rows: Vec<Row>,
    /// Rows whose hidden states are wanted, and the sequence that each belongs to.
    wanted: Vec<u32>,
    predicting: Vec<usize>,
    /// Sequences that take part, each with its number of rows.
    taken: Vec<(usize, usize)>,
}

impl Plan {
    /// Takes the last sequence out again.
    fn drop_sequence(&mut self, index: usize, slot: Slot) {
        let place = self.rows.iter().position(|row| row.slot == slot);
        let Some(place) = place else { return };
        let count = self.rows.iter().filter(|row| row.slot == slot).count();
        self.rows.drain(place..place + count);
        self.taken.retain(|&(taken, _)| taken != index);
        if let Some(at) = self
            .predicting
            .iter()
            .position(|&predicting| predicting == index)
        {
            self.predicting.remove(at);
            self.wanted.remove(at);
        }
        for wanted in &mut self.wanted {
            if *wanted as usize > place {
                *wanted -= count as u32;
            }
        }
    }
}

/// How many sequences go at a time: as told, or as many as are fastest.
#[derive(Debug)]
struct RowCount {
    limit: usize,
    /// The next numbers to try, the next one last; none where the user has named a number.
    untried: Vec<usize>,
    /// The fastest number so far and its rate in rows a second.
    best: (usize, f64),
    /// Rows and seconds measured at the present number.
    rows: usize,
    seconds: f64,
    steps: usize,
}

impl RowCount {
    /// Steps after which a number is judged; the first ones of them are not measured.
    const TRIAL: usize = 24;
    const WARM_UP: usize = 4;
    /// A larger number must be faster by so much: it also delays whoever waits.
    const GAIN: f64 = 1.03;

    fn new(told: Option<usize>) -> Self {
        let (limit, untried) = match told {
            Some(limit) => (limit.max(1), Vec::new()),
            None => (64, vec![384, 256, 192, 128, 96]),
        };
        Self {
            limit,
            untried,
            best: (limit, 0.0),
            rows: 0,
            seconds: 0.0,
            steps: 0,
        }
    }

    fn limit(&self) -> usize {
        self.limit
    }

    /// Takes note of a step in which no prompt was read. `more`: there are sequences waiting.
    fn learn(&mut self, rows: usize, elapsed: std::time::Duration, more: bool) {
        if self.untried.is_empty() || !more || rows * 10 < self.limit * 9 {
            return;
        }
        self.steps += 1;
        if self.steps <= Self::WARM_UP {
            return;
        }
        self.rows += rows;
        self.seconds += elapsed.as_secs_f64();
        if self.steps < Self::TRIAL {
            return;
        }
        let rate = self.rows as f64 / self.seconds.max(1e-9);
        (self.rows, self.seconds, self.steps) = (0, 0.0, 0);
        if rate > self.best.1 * Self::GAIN {
            self.best = (self.limit, rate);
            self.limit = self.untried.pop().unwrap_or(self.limit);
        } else {
            self.limit = self.best.0;
            self.untried.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Where the search ends when a step takes `seconds(rows)`.
    fn found(told: Option<usize>, more: bool, seconds: impl Fn(usize) -> f64) -> usize {
        let mut rows = RowCount::new(told);
        for _ in 0..1_000 {
            let limit = rows.limit();
            rows.learn(limit, Duration::from_secs_f64(seconds(limit)), more);
        }
        rows.limit()
    }

    #[test]
    fn the_fastest_number_of_rows_is_found() {
        // Each row costs the same: more are no faster.
        assert_eq!(found(None, true, |rows| rows as f64), 64);
        // A step has a price of its own, which more rows share.
        assert_eq!(found(None, true, |rows| 100.0 + rows as f64), 384);
        // From 192 rows on something overflows.
        assert_eq!(
            found(None, true, |rows| 100.0
                + if rows >= 192 { 3.0 } else { 1.0 } * rows as f64),
            128
        );
    }

    #[test]
    fn nothing_is_tried_where_it_cannot_help() {
        assert_eq!(found(None, false, |rows| 100.0 + rows as f64), 64);
        assert_eq!(found(Some(7), true, |rows| 100.0 + rows as f64), 7);
    }
}
