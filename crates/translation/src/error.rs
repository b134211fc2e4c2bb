//! What can stop a translation.

use std::path::PathBuf;

use fault::{Class, Fault};
use jobs::JobError;
use store::FileError;

/// What can stop a translation.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The records cannot be read, or the output has no place.
    #[error(transparent)]
    Data(#[from] dataset_loader::Error),
    /// The file holds nothing to translate.
    #[error("{}: no record says that it is in another language than English (\"language\": \"zh\"): there is nothing to translate", .0.display())]
    NothingToTranslate(PathBuf),
    /// A language that the checks do not know.
    #[error("{}: \"{id}\" is in the language \"{language}\": only Chinese (\"zh\") is translated", file.display())]
    OtherLanguage {
        /// The file.
        file: PathBuf,
        /// Id of the problem.
        id: String,
        /// What its record says.
        language: String,
    },
    /// The translated records would replace what they were made of.
    #[error("{} is the input: the output needs a file of its own", .0.display())]
    OutputIsInput(PathBuf),
    /// The work itself stopped.
    #[error(transparent)]
    Job(#[from] JobError),
    /// Some texts could not be generated; what was finished is kept.
    #[error(
        "{failed} of {total} texts could not be generated, the first ({id}): {reason}. The same command asks for these again"
    )]
    Failed {
        /// How many.
        failed: usize,
        /// Of how many.
        total: usize,
        /// The first of them.
        id: String,
        /// Why that one failed.
        reason: String,
    },
    /// Nothing came of it that could be asked.
    #[error("none of {total} problems is left after translation, the first ({id}): {reason}. See {} for the replies", journal.display())]
    NothingLeft {
        /// Problems.
        total: usize,
        /// The first of them.
        id: String,
        /// The reason for that one.
        reason: String,
        /// Where the replies are.
        journal: PathBuf,
    },
    /// The records cannot be written.
    #[error(transparent)]
    File(#[from] FileError),
}

impl Fault for Error {
    fn class(&self) -> Class {
        match self {
            Self::Data(error) => error.class(),
            Self::Job(error) => error.class(),
            Self::File(error) => error.class(),
            Self::Failed { .. } | Self::NothingLeft { .. } => Class::Incomplete,
            Self::NothingToTranslate(_) | Self::OtherLanguage { .. } | Self::OutputIsInput(_) => {
                Class::Usage
            }
        }
    }
}
