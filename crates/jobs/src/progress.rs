//! How far work is.

use generation::{Completion, FinishReason};

/// How far work is: counts that only grow, but for `running`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Items in all.
    pub total: usize,
    /// Items that were there before this start.
    pub resumed: usize,
    /// Items finished since.
    pub finished: usize,
    /// Completions that came since: more than items where some are asked again, fewer where some
    /// could not be generated.
    pub completions: usize,
    /// New tokens of these completions.
    pub finished_tokens: usize,
    /// Prompt tokens read since.
    pub prompt_tokens: usize,
    /// New tokens produced since, those of completions under way included.
    pub completion_tokens: usize,
    /// Completions under way, where the generator tells.
    pub running: usize,
}

impl Progress {
    /// Takes note of a completion that is final.
    pub fn note(&mut self, completion: &Completion) {
        self.running = self.running.saturating_sub(1);
        if completion.finish_reason != FinishReason::Error {
            self.completions += 1;
            self.finished_tokens += completion.completion_tokens;
        }
    }

    /// Items that are not finished.
    pub fn open(&self) -> usize {
        self.total.saturating_sub(self.resumed + self.finished)
    }
}
