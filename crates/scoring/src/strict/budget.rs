//! A budget of steps in place of a clock, so that a verdict is the same on every machine.

use super::policy::{Percent, Units};

/// What a comparison overlooks, settled for one question.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Terms {
    pub units: Units,
    pub percent: Percent,
    /// The order of a list is part of the answer.
    pub ordered: bool,
}

/// Steps left, and the terms of the comparison, which go wherever it goes. One step is about a
/// microsecond of work on a current machine: an operation on exact numbers, the evaluation of a
/// node at one point, a comparison of two elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Budget {
    steps: u32,
    terms: Terms,
}

/// The budget ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exhausted;

impl Budget {
    /// What one answer may cost.
    pub(crate) const PER_ANSWER: u32 = 20_000;

    /// A full budget, on the usual terms.
    pub(crate) fn new() -> Self {
        Self::on(Terms::default())
    }

    /// A full budget.
    pub(crate) fn on(terms: Terms) -> Self {
        Self {
            steps: Self::PER_ANSWER,
            terms,
        }
    }

    /// What the comparison overlooks.
    pub(crate) fn terms(&self) -> Terms {
        self.terms
    }

    /// Takes steps.
    pub(crate) fn spend(&mut self, steps: u32) -> Result<(), Exhausted> {
        match self.steps.checked_sub(steps) {
            Some(left) => {
                self.steps = left;
                Ok(())
            }
            None => {
                self.steps = 0;
                Err(Exhausted)
            }
        }
    }
}
