//! Which rows go into a step, and which of their hidden states are wanted.

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
