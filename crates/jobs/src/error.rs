//! What can stop a job.

use std::path::PathBuf;

use fault::{Class, Fault};
use generation::GenerationError;
use store::{Difference, FileError};

use crate::replies::RefusalExample;

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
    /// A larger share of the first replies is refused than is allowed.
    #[error(
        "{refused} of the first {replies} replies cannot be used, which is more than {} %:{}\nAll of them are in {}",
        rounded_percent(*max_share),
        examples_text(examples, *refused),
        journal.display()
    )]
    TooManyRefused {
        /// The journal.
        journal: PathBuf,
        /// How many replies there are.
        replies: usize,
        /// How many of them were refused.
        refused: usize,
        /// The share of refused replies that is allowed, in 0..1.
        max_share: f64,
        /// The most frequent reasons, each with a reply.
        examples: Vec<RefusalExample>,
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
            Self::AllRefused { .. } | Self::TooManyRefused { .. } => Class::Incomplete,
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

/// A share in percent, without decimals that say nothing.
fn rounded_percent(share: f64) -> f64 {
    (share * 1000.0).round() / 10.0
}

/// A line for each reason, with an example.
fn examples_text(examples: &[RefusalExample], refused: usize) -> String {
    let line = |example: &RefusalExample| {
        let RefusalExample {
            reason,
            count,
            id,
            text,
        } = example;
        format!(
            "\n  {count} × {reason}; {id} was answered {}",
            excerpt(text)
        )
    };
    let mut text: String = examples.iter().map(line).collect();
    let shown: usize = examples.iter().map(|example| example.count).sum();
    if refused > shown {
        text.push_str(&format!("\n  {} × something else", refused - shown));
    }
    text
}

/// The beginning of a reply, on one line and in quotation marks.
fn excerpt(text: &str) -> String {
    const MAX_CHARS: usize = 80;
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    if line.is_empty() {
        return "with nothing".to_string();
    }
    let start: String = line.chars().take(MAX_CHARS).collect();
    let more = if start.len() < line.len() { " …" } else { "" };
    format!("{:?}", format!("{start}{more}"))
}
