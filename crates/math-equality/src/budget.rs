//! A budget of steps in place of a clock, so that a verdict is the same on every machine.

use crate::options::Options;

/// Steps left, and what the comparison overlooks, which goes wherever it goes. One step is about a
/// microsecond of work on a current machine: an operation on exact numbers, the evaluation of a
/// node at one point, a comparison of two elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    steps: u32,
    options: Options,
}

/// The budget ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exhausted;

impl Default for Budget {
    fn default() -> Self {
        Self::new()
    }
}

impl Budget {
    /// What one answer may cost.
    pub const PER_ANSWER: u32 = 20_000;

    /// A full budget, on the usual options.
    pub fn new() -> Self {
        Self::on(Options::default())
    }

    /// A full budget.
    pub fn on(options: Options) -> Self {
        Self {
            // About 20 ms; the slowest of the labelled answers takes a tenth of it.
            steps: Self::PER_ANSWER,
            options,
        }
    }

    /// What the comparison overlooks.
    pub fn options(&self) -> Options {
        self.options
    }

    /// Takes steps.
    pub fn spend(&mut self, steps: u32) -> Result<(), Exhausted> {
        match self.steps.checked_sub(steps) {
            Some(left) => {
                self.steps = left;
                Ok(())
            }
            None => {
                // What is left is lost too: else a cheaper step could still succeed behind one that
                // failed.
                self.steps = 0;
                Err(Exhausted)
            }
        }
    }
}
