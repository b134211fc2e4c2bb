//! A budget of steps in place of a clock, so that a verdict is the same on every machine.

/// Steps left. One step is about a microsecond of work on a current machine: an operation on exact numbers, the
/// evaluation of a node at one point, a comparison of two elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Budget {
    steps: u32,
}

/// The budget ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exhausted;

impl Budget {
    /// What one answer may cost.
    pub(crate) const PER_ANSWER: u32 = 20_000;

    /// A full budget.
    pub(crate) fn new() -> Self {
        Self { steps: Self::PER_ANSWER }
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
