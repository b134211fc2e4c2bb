//! What a run keeps of each new token beside the text.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a run keeps of each new token beside the text. It changes no completion, so it is no part
/// of a run's identity; but a run has it of all its completions or of none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenDetails {
    /// Its id; the ids of prompts are kept too.
    pub token_ids: bool,
    /// The natural logarithm of its probability, where the model tells it.
    pub logprobs: bool,
}

impl TokenDetails {
    /// Whether nothing is kept.
    pub(crate) fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Whether all that `other` keeps is kept.
    pub fn includes(self, other: Self) -> bool {
        self.token_ids >= other.token_ids && self.logprobs >= other.logprobs
    }
}

impl fmt::Display for TokenDetails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.token_ids, self.logprobs) {
            (true, true) => "token ids and log-probabilities",
            (true, false) => "token ids and no log-probabilities",
            (false, true) => "log-probabilities and no token ids",
            (false, false) => "neither token ids nor log-probabilities",
        })
    }
}
