//! Which rows go into a step, and which of their hidden states are wanted; who leaves when there is no
//! room for them.

use super::{MAX_STEP_ROWS, Running, Schedule};
use crate::backend::Backend;
use crate::draft;
use crate::row::{Row, SeqId};

/// The rows of one step.
#[derive(Default)]
pub(super) struct StepPlan {
    pub(super) rows: Vec<Row>,
    /// Rows whose hidden states are wanted, and the sequence that each belongs to.
    pub(super) wanted: Vec<u32>,
    pub(super) predicting: Vec<usize>,
    /// Sequences that take part, each with its number of rows.
    pub(super) scheduled: Vec<(usize, usize)>,
}

impl StepPlan {
    /// Wants the hidden state of the last row, which belongs to a sequence.
    pub(super) fn predict(&mut self, index: usize) {
        self.wanted.push((self.rows.len() - 1) as u32);
        self.predicting.push(index);
    }

    /// Takes the last sequence out again.
    pub(super) fn remove_sequence(&mut self, index: usize, seq: SeqId) {
        let Some(first) = self.rows.iter().position(|row| row.seq == seq) else {
            return;
        };
        // One run: `plan` adds the rows of a sequence at once.
        let count = self.rows.iter().filter(|row| row.seq == seq).count();
        self.rows.drain(first..first + count);
        self.scheduled.retain(|&(scheduled, _)| scheduled != index);
        let mut of_others = self.predicting.iter().map(|&other| other != index);
        self.wanted
            .retain(|_| of_others.next().expect("there is a sequence for each"));
        self.predicting.retain(|&other| other != index);
        for wanted in &mut self.wanted {
            if *wanted as usize > first {
                *wanted -= count as u32;
            }
        }
    }
}

impl<B: Backend> Schedule<'_, '_, B> {
    /// The rows of the next step: one for each sequence that decodes, then prompts as far as there
    /// is room.
    pub(super) fn plan(&mut self) -> StepPlan {
        let mut plan = StepPlan::default();
        let restart_length = self.scheduler.model.config().restart_length();
        let drafts = self.drafts();
        // Decode first: running completions get a token each step, however long the prompts that
        // wait.
        for decode in [true, false] {
            let mut index = 0;
            while index < self.running.len() {
                let running = &self.running[index];
                let (seq, cached, chosen) = (running.seq, running.cached, running.chosen);
                // Its last token may be what is to be read.
                let ends = chosen.is_some() && running.sequence.ends_with_next();
                let uncached = if ends { 0 } else { running.length() - cached };
                let count = uncached.min(MAX_STEP_ROWS.saturating_sub(plan.rows.len()));
                if (uncached == 1) == decode && count > 0 {
                    if !self.cache.reserve(seq, cached + count) {
                        // Looks at the same index again: the sequence there may itself be the one
                        // that left.
                        self.preempt(index, &mut plan);
                        continue;
                    }
                    let sequence = &self.running[index].sequence;
                    let row = |position| sequence.row(position, seq, chosen, restart_length);
                    plan.rows.extend((cached..cached + count).map(row));
                    plan.scheduled.push((index, count));
                    if count == uncached {
                        plan.predict(index);
                        if decode && drafts {
                            self.draft(index, &mut plan);
                        }
                    }
                }
                index += 1;
            }
        }
        plan
    }

    /// Whether tokens are drafted: only greedy decoding takes what is likeliest, and with more
    /// sequences rows have their price.
    pub(super) fn drafts(&self) -> bool {
        let sampled = |running: &Running<'_>| running.sequence.request.sampling.is_some();
        self.running.len() <= draft::MAX_SEQUENCES
            && self.scheduler.model.backend.rows_are_independent()
            && !self.running.iter().any(sampled)
    }

    /// Adds rows for the tokens that are drafted behind the last one of a sequence, where there is
    /// room for them.
    fn draft(&mut self, index: usize, plan: &mut StepPlan) {
        let Running { sequence, seq, .. } = &self.running[index];
        let rows = sequence.draft_rows(*seq, self.scheduler.model.config().restart_length());
        if !self.cache.reserve(*seq, sequence.length() + rows.len()) {
            return;
        }
        for row in rows {
            plan.rows.push(row);
            plan.predict(index);
        }
    }

    /// Frees the blocks that can be spared best, so that the sequence at `index` can go on: cached
    /// prefixes that only later requests need, else the youngest sequence, which may be the one at
    /// `index`.
    fn preempt(&mut self, index: usize, plan: &mut StepPlan) {
        if let Some((prefix, seq)) = self.cached_prefixes.pop() {
            self.cache.free(seq);
            // Running sequences may share its blocks, so that few or none get free: then more is
            // freed in the next round.
            self.pending_prefixes.push(prefix);
            return;
        }
        let youngest = self.running.len() - 1;
        debug_assert!(index <= youngest);
        if let Some(Running { sequence, seq, .. }) = self.running.pop() {
            self.cache.free(seq);
            // The last one, so that the numbers of the others in the plan stay.
            plan.remove_sequence(youngest, seq);
            // Its new tokens stay, and with them its place in the random stream: only keys and
            // values are computed again.
            self.waiting.push_front(sequence);
        }
    }
}
