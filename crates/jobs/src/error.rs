//! What can stop a job.

use std::path::PathBuf;

use fault::{Class, Fault};
use generation::GenerationError;
use store::{Difference, FileError};

/// What can stop a job.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JobError {
    /// Something is wrong with a file of it.
    #[error(transparent)]
    File(#[from] FileError),
    /// The folder holds replies to something else.
    #[error(
        "{} holds other work: {}. Take another folder, or move that file away to begin anew",
        file.display(),
        differences.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    )]
    OtherJob {
        /// The file that says what the work there is.
        file: PathBuf,
        /// In what the two differ.
        differences: Vec<Difference>,
    },
    /// The user stopped it.
    #[error("interrupted: {done} of {total} items are kept in {}; start the same command again to continue", folder.display())]
    Interrupted {
        /// The folder.
        folder: PathBuf,
        /// Items done.
        done: usize,
        /// Items in all.
        total: usize,
    },
    /// The first replies are all refused.
    #[error("none of the first {replies} replies can be used: {}. They are kept in {}", tally_text(reasons), journal.display())]
    AllRefused {
        /// The journal.
        journal: PathBuf,
        /// How many replies there are.
        replies: usize,
        /// Why they were refused, with the number of replies, the most frequent reason first.
        reasons: Vec<(String, usize)>,
    },
    /// The generator failed.
    #[error("the model failed; what was finished before is kept, and the same command continues")]
    Generation(#[source] GenerationError),
}

impl Fault for JobError {
    fn class(&self) -> Class {
        match self {
            Self::File(error) => error.class(),
            Self::OtherJob { .. } => Class::Integrity,
            Self::Interrupted { .. } => Class::Interrupted,
            Self::AllRefused { .. } => Class::Incomplete,
            Self::Generation(_) => Class::Backend,
        }
    }
}

/// The most frequent reasons, each with its number.
fn tally_text(reasons: &[(String, usize)]) -> String {
    const MAX_SHOWN: usize = 5;
    let shown = reasons.iter().take(MAX_SHOWN);
    let mut parts: Vec<String> = shown
        .map(|(reason, count)| format!("{count} × {reason}"))
        .collect();
    let others: usize = reasons.iter().skip(MAX_SHOWN).map(|(_, count)| count).sum();
    if others > 0 {
        parts.push(format!("{others} × other reasons"));
    }
    parts.join("; ")
}
