//! Why two runs cannot be compared.

use std::path::PathBuf;

use fault::{Class, Fault};
use store::FileError;

use super::pairing::in_a_sentence;
use crate::error::Error;
use crate::grader::GraderError;

/// Why two runs cannot be compared, or a run cannot be kept as a baseline.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ComparisonError {
    /// A run folder that cannot be read, is damaged or unfinished.
    #[error("{0}")]
    Run(#[from] Error),
    /// The profile by which a run was judged cannot be had.
    #[error("the run in {} cannot be judged: {source}", folder.display())]
    Profile {
        /// The run's folder.
        folder: PathBuf,
        /// Why.
        source: GraderError,
    },
    /// Neither a folder nor a file.
    #[error("{}: there is neither a run folder nor a baseline file of this name", .0.display())]
    NotThere(PathBuf),
    /// A run that has everything but its verdicts.
    #[error("the run in {} has all its completions but was not judged (no {file})", folder.display())]
    NotJudged {
        /// The run's folder.
        folder: PathBuf,
        /// The file that is missing.
        file: &'static str,
    },
    /// Verdicts or figures that are not those of the completions beside them.
    #[error("{}: {message}: it was edited, or judged by other rules", file.display())]
    Edited {
        /// The run's folder.
        folder: PathBuf,
        /// The file.
        file: PathBuf,
        /// What differs.
        message: String,
    },
    /// Nothing was asked.
    #[error("{}: this run asked no problem: there is nothing to compare", .0.display())]
    Empty(PathBuf),
    /// A baseline file that is not one, or was changed.
    #[error("{}: {message}", file.display())]
    Baseline {
        /// The file.
        file: PathBuf,
        /// What is wrong and what to do.
        message: String,
    },
    /// A baseline file cannot be written.
    #[error(transparent)]
    File(#[from] FileError),
    /// Averages over different items say nothing.
    #[error(
        "the runs did not answer the same items: {}. Averages over different items say nothing",
        in_a_sentence(differences)
    )]
    DifferentItems {
        /// Each set in which they differ, in words.
        differences: Vec<String>,
    },
    /// A run that is not begun yet and could not be compared with a baseline.
    #[error(
        "the run could not be compared with the baseline {}: {}",
        baseline.display(),
        in_a_sentence(differences)
    )]
    Unsuited {
        /// The baseline's file or folder.
        baseline: PathBuf,
        /// Each difference, in words.
        differences: Vec<String>,
    },
    /// An imported run that does not tell how it was asked.
    #[error(
        "the run in {} was imported, and its files do not tell how it was asked ({unknown}): a difference may come from that",
        run.display()
    )]
    UnknownProtocol {
        /// The run's folder, or a baseline of it.
        run: PathBuf,
        /// What is unknown, in words.
        unknown: String,
    },
    /// One item, put side by side, that is another in the other run.
    #[error("\"{id}\" has another question or reference in the other run")]
    OtherItem {
        /// Its id.
        id: String,
    },
    /// No item is in both runs.
    #[error("the runs have no item in common")]
    NothingInCommon,
    /// Only run folders hold texts.
    #[error("{}: a baseline keeps verdicts only: name the run's folder to see {what}", file.display())]
    NoTexts {
        /// The baseline file.
        file: PathBuf,
        /// What was asked for.
        what: &'static str,
    },
    /// An item that a run did not ask.
    #[error("the run in {} asked no problem \"{id}\"{near} ({problems} problems; the first is \"{first}\")", folder.display())]
    NoSuchItem {
        /// The run's folder.
        folder: PathBuf,
        /// What was asked for.
        id: String,
        /// The id that it may stand for, as a question.
        near: String,
        /// How many problems it asked.
        problems: usize,
        /// The first of them.
        first: String,
    },
    /// A sample that a run did not draw.
    #[error(
        "the run in {} drew {samples} completion{} a problem, there is no sample {sample} (the first is 0)",
        folder.display(),
        if *samples == 1 { "" } else { "s" }
    )]
    NoSuchSample {
        /// The run's folder.
        folder: PathBuf,
        /// What was asked for.
        sample: u32,
        /// How many it drew.
        samples: u32,
    },
    /// A level or margin that is none.
    #[error(transparent)]
    Statistics(#[from] statistics::Error),
}

impl Fault for ComparisonError {
    fn class(&self) -> Class {
        match self {
            Self::Run(error) => error.class(),
            Self::File(error) => error.class(),
            Self::NotJudged { .. } => Class::Incomplete,
            Self::NotThere(_)
            | Self::NoTexts { .. }
            | Self::NoSuchItem { .. }
            | Self::NoSuchSample { .. }
            | Self::Statistics(_) => Class::Usage,
            Self::Profile { .. }
            | Self::Edited { .. }
            | Self::Empty(_)
            | Self::Baseline { .. }
            | Self::DifferentItems { .. }
            | Self::Unsuited { .. }
            | Self::UnknownProtocol { .. }
            | Self::NothingInCommon
            | Self::OtherItem { .. } => Class::Integrity,
        }
    }
}
