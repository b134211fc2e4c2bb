//! Tokens of thinking and of answers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::record::CompletionRecord;
use crate::run_folder::Completions;

/// The tokens that completions took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokensSpent {
    /// Completions, failed ones apart.
    pub completions: usize,
    /// Their new tokens.
    pub tokens: usize,
    /// Of these, tokens of thinking, as far as anybody could tell.
    pub thinking: usize,
    /// Completions that think.
    pub thinking_completions: usize,
}

impl TokensSpent {
    /// Of these completions.
    pub fn of<'a>(completions: impl IntoIterator<Item = &'a CompletionRecord>) -> Self {
        let mut spent = Self::default();
        for record in completions {
            if record.error.is_some() {
                continue;
            }
            spent.completions += 1;
            spent.tokens += record.completion_tokens;
            spent.thinking += record.thinking_tokens.unwrap_or(0);
            let thinks = record.thinking_tokens.is_some() || record.thinking.is_some();
            spent.thinking_completions += usize::from(thinks);
        }
        spent
    }

    /// Of the completions of a set; `None` where none of them thinks.
    pub(crate) fn of_thinking_set(completions: &Completions, set: &str) -> Option<Self> {
        let own = completions.values().filter(|record| record.set == set);
        Some(Self::of(own)).filter(|spent| spent.thinking_completions > 0)
    }

    /// Mean tokens of a completion; `None` where there is none.
    pub fn mean(&self) -> Option<f64> {
        (self.completions > 0).then(|| self.tokens as f64 / self.completions as f64)
    }

    /// Mean tokens of thinking of a completion; `None` where there is none.
    pub fn mean_thinking(&self) -> Option<f64> {
        (self.completions > 0).then(|| self.thinking as f64 / self.completions as f64)
    }
}
