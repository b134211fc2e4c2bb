//! Why a record of a publisher's file does not become a problem.

use std::fmt;

use serde::Serialize;

/// Why a record of a publisher's file does not become a problem.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum DropReason {
    /// Its question speaks of its options.
    NeedsOptions {
        /// The phrase in which it does.
        phrase: &'static str,
    },
    /// A word problem has one answer.
    SeveralCorrect {
        /// The labels of the correct options.
        labels: String,
    },
    /// The correct option is not among the options.
    NoSuchOption {
        /// Its label.
        label: String,
    },
    /// The correct option has no text; it was a figure.
    EmptyOption {
        /// Its label.
        label: String,
    },
    /// Its solution does not end in an answer.
    NoAnswer {
        /// What marks the answer.
        expected: &'static str,
    },
    /// The same record was there before.
    Repeated,
    /// It is of another set, where one set was asked for.
    OtherSet {
        /// That set.
        set: String,
    },
}

impl DropReason {
    /// The reason without the particulars of one record, to count by.
    pub fn in_general(&self) -> String {
        match self {
            Self::SeveralCorrect { .. } => {
                "several options are correct; a word problem has one answer".to_string()
            }
            Self::NoSuchOption { .. } => "the correct option is not among its options".to_string(),
            Self::EmptyOption { .. } => "the correct option has no text".to_string(),
            Self::NeedsOptions { .. }
            | Self::NoAnswer { .. }
            | Self::Repeated
            | Self::OtherSet { .. } => self.to_string(),
        }
    }
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeedsOptions { phrase } => {
                write!(f, "cannot be asked without its options: \"{phrase}\"")
            }
            Self::SeveralCorrect { labels } => {
                write!(
                    f,
                    "several options are correct ({labels}); a word problem has one answer"
                )
            }
            Self::NoSuchOption { label } => {
                write!(f, "the correct option {label} is not among its options")
            }
            Self::EmptyOption { label } => write!(f, "the correct option {label} has no text"),
            Self::NoAnswer { expected } => write!(f, "no answer in its solution ({expected})"),
            Self::Repeated => f.write_str("the same record was there before"),
            Self::OtherSet { set } => write!(f, "of another set, {set}"),
        }
    }
}
