//! Why a pair is removed.

use serde::{Deserialize, Serialize};

/// Why a pair is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RemovalReason {
    /// Empty, unreadable, or with marks of a prompt in it.
    Malformed,
    /// Longer than the rules allow.
    TooLong,
    /// The strict scorer finds no final answer in the solution.
    NoFinalAnswer,
    /// The question occurs in a test set.
    Contaminated,
    /// The question is that of a seed, or nearly.
    SeedCopy,
    /// An earlier pair has the same question.
    Duplicate,
    /// An earlier pair has nearly the same question.
    NearDuplicate,
}

impl RemovalReason {
    /// All, in the order in which they are checked.
    pub const ALL: [Self; 7] = [
        Self::Malformed,
        Self::TooLong,
        Self::NoFinalAnswer,
        Self::Contaminated,
        Self::SeedCopy,
        Self::Duplicate,
        Self::NearDuplicate,
    ];

    /// Its name in tables.
    pub fn label(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::TooLong => "too long",
            Self::NoFinalAnswer => "without a final answer",
            Self::Contaminated => "contaminated",
            Self::SeedCopy => "copy of a seed",
            Self::Duplicate => "duplicate",
            Self::NearDuplicate => "near-duplicate",
        }
    }
}
