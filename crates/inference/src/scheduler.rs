//! Continuous batching: which rows go into each step, and what becomes of the tokens they predict.
//!
//! A request joins the batch as soon as the KV cache has room for it, is prefilled in chunks,
//! decodes one token a step, and leaves at the step that ends it. Prefixes that prompts share are
//! computed once ([`crate::prefixes`]). When the cache is full the youngest sequence is preempted:
//! its blocks are freed, and it is computed again later. Few sequences decode several tokens a step
//! where these can be guessed ([`crate::draft`]). A device works on a step while the host reads what
//! the one before chose ([`Schedule::runs_ahead`]). Since no row depends on another (see
//! [`crate::kernels`]), none of this changes a completion; on a device ([`crate::device`]) its last
//! bits may differ.

mod pending; // requests that nobody has taken yet
mod plan; // the rows of a step
mod sequence; // one request on its way

use std::collections::VecDeque;
use std::sync::OnceLock;
use std::time::Instant;

use candle_core::Tensor;
use generation::{Completion, Event};

use self::plan::StepPlan;
use self::sequence::{Finish, NextToken, Sequence};
use crate::backend::Backend;
use crate::batch_size::BatchSizeTuner;
use crate::error::{Error, ErrorKind};
use crate::kv_cache::{BLOCK, KvCache};
use crate::memory::human_size;
use crate::model::Model;
use crate::prefixes::SharedPrefix;
use crate::row::{Row, RowToken, SeqId};
use crate::sampling::Draw;
use crate::tokenizer::TextTokenizer;

pub(crate) use pending::Pending;
pub use sequence::Listener;
pub(crate) use sequence::{Request, prompt_hash};

/// Rows of a step: bounds the memory of activations during prefill.
const MAX_STEP_ROWS: usize = 512;

/// What requests are run with.
pub(crate) struct Scheduler<'a, B: Backend> {
    pub(crate) model: &'a Model<B>,
    pub(crate) options: RunOptions<'a>,
}

/// How requests are run.
#[derive(Clone, Copy)]
pub(crate) struct RunOptions<'a> {
    pub(crate) tokenizer: &'a TextTokenizer,
    /// Sequences at a time; `None` to find the fastest number.
    pub(crate) batch_size: Option<usize>,
    /// Bytes that the KV cache may take; `None` for half of what is free.
    pub(crate) kv_memory: Option<usize>,
    /// Completions go on after an end-of-sequence token.
    pub(crate) ignore_eos: bool,
}

/// A sequence in the cache.
struct Running<'a> {
    sequence: Sequence<'a>,
    seq: SeqId,
    /// Which joining of a sequence this is, from 0: ids in the cache are used again.
    number: u64,
    /// Tokens of prompt and completion that the cache holds.
    cached: usize,
    /// The place of its next token among those that are still to be read.
    chosen: Option<u32>,
}

impl Running<'_> {
    /// Tokens of prompt and completion, with one that was chosen and not read.
    fn length(&self) -> usize {
        self.sequence.length() + usize::from(self.chosen.is_some())
    }
}

/// A step whose tokens the host has not read.
struct InFlight<B: Backend> {
    chosen: B::Chosen,
    /// Of each token the sequence ([`Running::number`]) and the row that it was chosen for.
    predicted: Vec<(u64, Row)>,
    started: Instant,
    /// Its rows, where none was of a prompt.
    decode_rows: Option<usize>,
}

/// What a step gave.
struct Decoded {
    /// Sequences that got tokens.
    sequences: usize,
    tokens: usize,
    /// Of those that ended.
    finished: Vec<Completion>,
}

/// Everything that changes while requests are run.
struct Schedule<'a, 'e, B: Backend> {
    scheduler: &'e Scheduler<'a, B>,
    cache: KvCache<B::Memory>,
    /// Blocks that the cache was promised.
    capacity: usize,
    /// Those of a run that nobody has taken yet, here or on another device.
    pending: Option<&'e Pending>,
    /// Requests that came to a server so far.
    arrived: usize,
    /// Taken and not running: preempted, or come to a server.
    waiting: VecDeque<Sequence<'a>>,
    /// In the order in which they joined.
    running: Vec<Running<'a>>,
    /// Sequences that joined so far.
    joined: u64,
    /// The latest step, while its tokens are to be read.
    in_flight: Option<InFlight<B>>,
    /// When tokens were last read.
    last_read: Instant,
    /// Shared prefixes that no request has needed yet, the next one last.
    pending_prefixes: Vec<SharedPrefix>,
    /// Shared prefixes in the cache, each within the one before.
    cached_prefixes: Vec<(SharedPrefix, SeqId)>,
    tuner: BatchSizeTuner,
    /// The number of running sequences that was reported last.
    reported_running: usize,
}

impl<'a, B: Backend> Scheduler<'a, B> {
    /// Takes requests as there is room for them, until there are no more, and reports what happens.
    ///
    /// # Errors
    /// A cache too small for the longest request, failures of the computation, and whatever
    /// `on_event` returns, at once.
    pub(crate) fn run(
        &self,
        pending: &Pending,
        on_event: &mut dyn FnMut(Event) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut schedule = Schedule::new(self, Some(pending))?;
        while schedule.admit()? {
            schedule.step(on_event)?;
            // A run of a single step would lay out panels that nobody reads.
            if !schedule.is_done() {
                self.model.prepack()?;
            }
        }
        Ok(())
    }

    /// Runs requests as they come, until no more will. What becomes of each its listener is told.
    ///
    /// # Errors
    /// Failures of the computation.
    pub(crate) fn serve(
        &self,
        source: &mut dyn FnMut(bool) -> Option<Vec<Request>>,
    ) -> Result<(), Error> {
        self.model.prepack()?;
        let mut schedule = Schedule::new(self, None)?;
        while let Some(requests) = source(schedule.is_done()) {
            schedule.drop_abandoned();
            for request in requests {
                schedule.enqueue(request);
            }
            if schedule.admit()? {
                schedule.step(&mut |_| Ok(()))?;
            }
        }
        Ok(())
    }

    /// Blocks that the KV cache may have.
    fn capacity(&self) -> usize {
        let given = self.options.kv_memory;
        let kv_memory = given.unwrap_or_else(|| self.model.default_kv_memory());
        self.model.blocks_within(kv_memory)
    }

    /// # Errors
    /// [`ErrorKind::KvCacheTooSmall`] when a cache of so many blocks cannot hold `tokens` tokens.
    fn check_fits(&self, tokens: usize, capacity: usize) -> Result<(), Error> {
        let blocks = tokens.div_ceil(BLOCK);
        if blocks <= capacity {
            return Ok(());
        }
        let block_bytes = self.model.backend.block_bytes();
        let room = self.options.kv_memory.unwrap_or(capacity * block_bytes);
        let message = format!(
            "the longest prompt and completion have {tokens} tokens, whose KV cache needs {}; there is room for {}",
            human_size(blocks * block_bytes),
            human_size(room)
        );
        Err(Error::new(ErrorKind::KvCacheTooSmall, message))
    }

    /// The tokens that end a completion.
    fn eos_token_ids(&self) -> &[u32] {
        match self.options.ignore_eos {
            true => &[],
            false => &self.model.config().eos_token_ids,
        }
    }
}

impl<'a, 'e, B: Backend> Schedule<'a, 'e, B> {
    /// # Errors
    /// [`ErrorKind::KvCacheTooSmall`] when the longest request does not fit.
    fn new(scheduler: &'e Scheduler<'a, B>, pending: Option<&'e Pending>) -> Result<Self, Error> {
        let capacity = scheduler.capacity();
        let longest = pending.map_or(0, |pending| pending.longest);
        scheduler.check_fits(longest, capacity)?;
        Ok(Self {
            scheduler,
            cache: scheduler.model.new_cache(capacity),
            capacity,
            pending,
            arrived: 0,
            waiting: VecDeque::new(),
            running: Vec::new(),
            joined: 0,
            in_flight: None,
            last_read: Instant::now(),
            pending_prefixes: pending.map_or(Vec::new(), |pending| pending.prefixes.clone()),
            cached_prefixes: Vec::new(),
            tuner: BatchSizeTuner::new(scheduler.options.batch_size),
            reported_running: 0,
        })
    }

    /// The next sequence to join: one that was here before, else a request that nobody has taken.
    fn next_waiting(&mut self) -> Option<Sequence<'a>> {
        self.waiting.pop_front().or_else(|| {
            let (order, request) = self.pending?.take()?;
            let tokenizer = self.scheduler.options.tokenizer;
            Some(Sequence::new(request, order, tokenizer))
        })
    }

    /// Whether any request is not running.
    fn is_waiting(&self) -> bool {
        !self.waiting.is_empty() || self.pending.is_some_and(|pending| !pending.is_empty())
    }

    /// Lets sequences join as long as there is room; `false` when there is nothing left to do.
    fn admit(&mut self) -> Result<bool, Error> {
        while self.running.len() < self.tuner.batch_size()
            && let Some(sequence) = self.next_waiting()
        {
            if let Some(sequence) = self.join(sequence)? {
                self.waiting.push_front(sequence);
                if !self.running.is_empty() {
                    break;
                }
                // No running sequence will leave: then the prefixes have to.
                // They do not come back, so that the next try joins without one and cannot fail.
                self.cached_prefixes
                    .drain(..)
                    .for_each(|(_, seq)| self.cache.free(seq));
            }
        }
        Ok(!self.running.is_empty())
    }

    /// Adds a request that came later; one that can never fit is answered at once.
    fn enqueue(&mut self, mut request: Request) {
        let fits = self
            .scheduler
            .check_fits(request.most_tokens(), self.capacity);
        match (fits, request.listener.take()) {
            (Err(error), Some(mut listener)) => {
                let (index, tokens) = (request.index, request.prompt.len());
                listener.finished(Completion::failed(index, tokens, Some(error.to_string())));
            }
            (Err(_), None) => {}
            (Ok(()), listener) => {
                request.listener = listener;
                let tokenizer = self.scheduler.options.tokenizer;
                let sequence = Sequence::new(request, self.arrived, tokenizer);
                self.arrived += 1;
                self.waiting.push_back(sequence);
            }
        }
    }

    /// Gives up the requests that nobody waits for any more.
    fn drop_abandoned(&mut self) {
        self.waiting.retain(|sequence| !sequence.is_abandoned());
        let cache = &mut self.cache;
        self.running.retain(|running| {
            let abandoned = running.sequence.is_abandoned();
            if abandoned {
                cache.free(running.seq);
            }
            !abandoned
        });
    }

    fn is_done(&self) -> bool {
        self.running.is_empty() && !self.is_waiting()
    }

    /// Lets a sequence join; returns it when there is no room.
    fn join(&mut self, sequence: Sequence<'a>) -> Result<Option<Sequence<'a>>, Error> {
        let blocks = sequence.length().div_ceil(BLOCK) + 1;
        // Each running sequence may soon need one more; a lone sequence fits in any case.
        let needed = blocks + self.running.len();
        if !self.running.is_empty() && self.cache.available_blocks() < needed {
            return Ok(Some(sequence));
        }
        // Prefixes are computed by the frequencies of the prompts.
        let restarted = sequence.is_restarted(self.scheduler.model.config().restart_length());
        if !restarted {
            self.cache_prefixes(&sequence)?;
        }
        let (seq, cached) = match self.cached_prefixes.last() {
            Some(&(SharedPrefix { length, .. }, seq)) if !restarted => {
                match self.cache.fork(seq, length) {
                    Some(seq) => (seq, length),
                    None => return Ok(Some(sequence)),
                }
            }
            _ => (self.cache.add_sequence(), 0),
        };
        self.running.push(Running {
            sequence,
            seq,
            number: self.joined,
            cached,
            chosen: None,
        });
        self.joined += 1;
        Ok(None)
    }

    /// Frees the cached prefixes that `sequence` does not begin with, and prefills those that it
    /// does.
    fn cache_prefixes(&mut self, sequence: &Sequence<'a>) -> Result<(), Error> {
        let order = sequence.order;
        while let Some(&(prefix, seq)) = self.cached_prefixes.last()
            && !(prefix.start..prefix.end).contains(&order)
        {
            self.cache.free(seq);
            self.cached_prefixes.pop();
        }
        while let Some(prefix) = self.pending_prefixes.pop_if(|prefix| prefix.start <= order) {
            if order >= prefix.end {
                continue;
            }
            let outer = self
                .cached_prefixes
                .last()
                .map(|&(outer, seq)| (outer.length, seq));
            let (length, seq) = match outer {
                Some((length, seq)) => (length, self.cache.fork(seq, length)),
                None => (0, Some(self.cache.add_sequence())),
            };
            // Without its prefix a prompt is computed whole: slower, and the same. So a lack of
            // room is no error here, nor below.
            let Some(seq) = seq else { return Ok(()) };
            if !self.cache.reserve(seq, prefix.length) {
                self.cache.free(seq);
                return Ok(());
            }
            let rows: Vec<Row> = (length..prefix.length)
                .map(|position| sequence.row(position, seq, None, None))
                .collect();
            for rows in rows.chunks(MAX_STEP_ROWS) {
                self.scheduler.model.forward(rows, &[], &mut self.cache)?;
            }
            self.cached_prefixes.push((prefix, seq));
        }
        Ok(())
    }

    /// Computes one step, or begins it and ends the one before.
    fn step(&mut self, on_event: &mut dyn FnMut(Event) -> Result<(), Error>) -> Result<(), Error> {
        let Some(earlier) = self.in_flight.take() else {
            return self.begin_step(None, on_event);
        };
        if self.runs_ahead() {
            self.begin_step(Some(&earlier.chosen), on_event)?;
        } else {
            self.running
                .iter_mut()
                .for_each(|running| running.chosen = None);
        }
        self.end_step(earlier, on_event)
    }

    /// Whether a step may begin before the host has read the tokens of the one before: the device
    /// chooses them, and nothing that is planned depends on which they are. A sequence that turns out
    /// to have ended has a row too many then, which nobody looks at.
    fn runs_ahead(&self) -> bool {
        let model = self.scheduler.model;
        model.backend.runs_ahead()
            && model.config().restart_length().is_none()
            && self.running.iter().all(|running| running.sequence.is_choosable())
            && !self.drafts()
            // Nothing is preempted that might end.
            && self.cache.available_blocks() >= self.running.len()
    }

    /// Begins a step behind one that chose these tokens, and ends it unless it may stay in flight.
    fn begin_step(
        &mut self,
        chosen: Option<&B::Chosen>,
        on_event: &mut dyn FnMut(Event) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let started = Instant::now();
        let stays_in_flight = chosen.is_some() || self.runs_ahead();
        let plan = self.plan();
        let draws = stays_in_flight.then(|| self.draws(&plan)).flatten();
        self.running
            .iter_mut()
            .for_each(|running| running.chosen = None);
        if plan.rows.is_empty() {
            // All end with the tokens that are to be read.
            if chosen.is_some() {
                return Ok(());
            }
            // Some sequence is running: no row at all means that even a lone one found no block, so
            // that the system has less memory than the capacity promised.
            let message = "the system has no memory for the KV cache";
            return Err(Error::new(ErrorKind::KvCacheUnavailable, message));
        }
        let model = self.scheduler.model;
        let hidden = model.forward_after(chosen, &plan.rows, &plan.wanted, &mut self.cache)?;
        let predicted = plan.predicting.iter().zip(&plan.wanted);
        let predicted = predicted.map(|(&index, &row)| (index, plan.rows[row as usize]));
        let predicted: Vec<(usize, Row)> = predicted.collect();
        if !predicted.is_empty() && stays_in_flight {
            let prefilled = self.advance_prefill(&plan);
            for (&index, place) in plan.predicting.iter().zip(0..) {
                self.running[index].chosen = Some(place);
            }
            let numbers = predicted.into_iter();
            self.in_flight = Some(InFlight {
                chosen: match draws {
                    None => model.argmax(&hidden)?,
                    Some(draws) => model.sample(&hidden, &draws)?,
                },
                predicted: numbers
                    .map(|(index, row)| (self.running[index].number, row))
                    .collect(),
                started,
                decode_rows: (prefilled == 0).then_some(plan.rows.len()),
            });
            return report_prefilled(prefilled, on_event);
        }
        let next_tokens = match predicted.is_empty() {
            true => Vec::new(),
            false => self.next_tokens(&hidden, &plan.predicting)?,
        };
        let prefilled = self.advance_prefill(&plan);
        report_prefilled(prefilled, on_event)?;
        // Steps with prefill or drafts are not measured: their rows are more than sequences.
        if prefilled == 0 && plan.rows.len() == plan.scheduled.len() {
            let waiting = self.is_waiting();
            self.tuner
                .record_step(plan.rows.len(), started.elapsed(), waiting);
        }
        self.take_tokens(&predicted, next_tokens, on_event)
    }

    /// How the tokens of a step are drawn; `None` where all are the likeliest.
    fn draws(&self, plan: &StepPlan) -> Option<Vec<Draw>> {
        let of = |&index: &usize| {
            let Running {
                sequence, chosen, ..
            } = &self.running[index];
            sequence.draw(usize::from(chosen.is_some()))
        };
        let draws: Vec<Option<Draw>> = plan.predicting.iter().map(of).collect();
        draws.iter().any(Option::is_some).then(|| {
            let draws = draws.into_iter();
            draws.map(|draw| draw.unwrap_or(Draw::GREEDY)).collect()
        })
    }

    /// Reads the tokens of a step.
    fn end_step(
        &mut self,
        step: InFlight<B>,
        on_event: &mut dyn FnMut(Event) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let tokens = self.scheduler.model.backend.read(step.chosen)?;
        // The device began it when it had ended the one before, or when it was told.
        let began = step.started.max(self.last_read);
        self.last_read = Instant::now();
        if let Some(rows) = step.decode_rows {
            let waiting = self.is_waiting();
            self.tuner
                .record_step(rows, self.last_read - began, waiting);
        }
        // Those that are gone need no token, and those that were preempted choose it again.
        let of = |number: u64| {
            self.running
                .iter()
                .position(|running| running.number == number)
        };
        let found = step.predicted.into_iter().zip(tokens);
        let found = found.filter_map(|((number, row), token)| {
            Some(((of(number)?, row), NextToken::plain(token)))
        });
        let (predicted, tokens): (Vec<_>, Vec<_>) = found.unzip();
        self.take_tokens(&predicted, tokens, on_event)
    }

    /// Gives sequences their tokens, and reports it.
    fn take_tokens(
        &mut self,
        predicted: &[(usize, Row)],
        next_tokens: Vec<NextToken>,
        on_event: &mut dyn FnMut(Event) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Decoded {
            sequences,
            tokens,
            finished,
        } = self.advance_decode(predicted, next_tokens)?;
        if tokens > 0 {
            self.report_decoded(sequences, tokens, on_event)?;
        }
        // A listener subtracts each of them from the number of those running.
        self.reported_running = self.reported_running.saturating_sub(finished.len());
        finished
            .into_iter()
            .try_for_each(|completion| on_event(Event::Finished(completion)))
    }

    /// Records which tokens the cache holds now; how many of prompts are new among them. Tokens
    /// that are computed again after a preemption are not.
    fn advance_prefill(&mut self, plan: &StepPlan) -> usize {
        let mut new = 0;
        for &(index, count) in &plan.scheduled {
            let Running {
                sequence, cached, ..
            } = &mut self.running[index];
            *cached += count;
            let prefilled = (*cached).min(sequence.request.prompt.len());
            new += prefilled.saturating_sub(sequence.prefilled);
            sequence.prefilled = sequence.prefilled.max(prefilled);
        }
        new
    }

    /// Adds their next tokens to the sequences that predict some: one each, and those behind drafted
    /// tokens as far as these are what comes next.
    fn advance_decode(
        &mut self,
        predicted: &[(usize, Row)],
        next_tokens: Vec<NextToken>,
    ) -> Result<Decoded, Error> {
        let scheduler = self.scheduler;
        let mut finishes: Vec<Option<Finish>> = self.running.iter().map(|_| None).collect();
        let (mut sequences, mut tokens) = (0, 0);
        let mut last = None;
        for (&(index, row), next) in predicted.iter().zip(next_tokens) {
            let Running {
                sequence, cached, ..
            } = &mut self.running[index];
            if last == Some(index) {
                // A row of a draft, whose token the cache holds behind those that are sure.
                let last = sequence.tokens.last().copied().map(RowToken::Known);
                let follows = row.position + 1 == sequence.length() && last == Some(row.token);
                if finishes[index].is_some() || !follows {
                    continue;
                }
                *cached += 1;
            } else {
                sequences += 1;
            }
            last = Some(index);
            tokens += 1;
            finishes[index] = sequence.push(next, scheduler.eos_token_ids())?;
        }
        let mut finished = Vec::new();
        for (running, finish) in std::mem::take(&mut self.running).into_iter().zip(finishes) {
            match finish {
                None => {
                    let running = self.restarted(running);
                    self.running.push(running);
                }
                Some(finish) => {
                    self.cache.free(running.seq);
                    let tokenizer = scheduler.options.tokenizer;
                    let (completion, listener) = running.sequence.completion(finish, tokenizer);
                    match listener {
                        Some(mut listener) => listener.finished(completion),
                        None => finished.push(completion),
                    }
                }
            }
        }
        Ok(Decoded {
            sequences,
            tokens,
            finished,
        })
    }

    /// The sequence as it goes on after a new token: without what is cached of it where that token
    /// makes it longer than what its frequencies are for, as transformers too drops the cache
    /// (`Phi3ForCausalLM.prepare_inputs_for_generation`).
    fn restarted(&mut self, running: Running<'a>) -> Running<'a> {
        let restart_length = self.scheduler.model.config().restart_length();
        // Later tokens find it computed anew.
        if restart_length.is_none_or(|most| running.sequence.length() != most + 1) {
            return running;
        }
        self.cache.free(running.seq);
        Running {
            seq: self.cache.add_sequence(),
            cached: 0,
            ..running
        }
    }

    /// Reports that so many sequences got so many tokens, and how many are running where that number
    /// has changed.
    fn report_decoded(
        &mut self,
        sequences: usize,
        tokens: usize,
        on_event: &mut dyn FnMut(Event) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if self.reported_running != sequences {
            self.reported_running = sequences;
            on_event(Event::Running(sequences))?;
        }
        on_event(Event::Decoded(tokens))
    }

    /// The next token of each of the sequences `predicting`, whose hidden states are given.
    ///
    /// # Shapes
    /// `hidden` `[predicting, hidden]`, f32.
    fn next_tokens(&self, hidden: &Tensor, predicting: &[usize]) -> Result<Vec<NextToken>, Error> {
        let model = self.scheduler.model;
        let running = &self.running;
        let sequence = |row: usize| &running[predicting[row]].sequence;
        if (0..predicting.len()).all(|row| sequence(row).is_greedy()) {
            let tokens = model.backend.read(model.argmax(hidden)?)?;
            return Ok(tokens.into_iter().map(NextToken::plain).collect());
        }
        let logits = model.logits(hidden)?.flatten_all()?.to_vec1::<f32>()?;
        let rows: Vec<&[f32]> = logits.chunks_exact(model.config().vocab_size).collect();
        let next: Vec<OnceLock<NextToken>> = rows.iter().map(|_| OnceLock::new()).collect();
        let threads = &model.backend.compute().threads;
        threads.for_each(rows.len(), |_, row| {
            let token = sequence(row).next_token(rows[row]);
            let _ = next[row].set(token.unwrap_or(NextToken::NONE));
        });
        Ok(next
            .into_iter()
            .map(|next| next.into_inner().unwrap_or(NextToken::NONE))
            .collect())
    }
}

fn report_prefilled(
    tokens: usize,
    on_event: &mut dyn FnMut(Event) -> Result<(), Error>,
) -> Result<(), Error> {
    match tokens {
        0 => Ok(()),
        _ => on_event(Event::Prefilled(tokens)),
    }
}

impl<B: Backend> Drop for Schedule<'_, '_, B> {
    fn drop(&mut self) {
        self.scheduler.model.backend.recycle_cache(&mut self.cache);
    }
}
