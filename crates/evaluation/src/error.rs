//! What can stop a run.

use std::path::PathBuf;

use fault::{Class, Fault};
use generation::GenerationError;
use jobs::JobError;
use store::{Difference, FileError};

use crate::exclusion::ExclusionError;
use crate::shard::Shard;
use crate::token_details::TokenDetails;

/// What can stop a run, or the reading of a finished one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Something is wrong with a file or a folder.
    #[error(transparent)]
    File(#[from] FileError),
    /// Putting prompts to the model stopped.
    #[error(transparent)]
    Job(JobError),
    /// A folder that was named as a run's and is none.
    #[error("{}: this folder holds no run (no run.json)", .0.display())]
    NoRun(PathBuf),
    /// A folder with files that are not a run's.
    #[error("the output folder {} is not empty and holds no run (no run.json)", .0.display())]
    NotARunFolder(PathBuf),
    /// A folder that holds another run.
    #[error(
        "the output folder {} holds another run: {}",
        folder.display(),
        differences.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    )]
    OtherRun {
        /// The folder.
        folder: PathBuf,
        /// In what the two runs differ.
        differences: Vec<Difference>,
    },
    /// A folder that holds another shard of the run than is asked for, or the whole run.
    #[error(
        "the output folder {} holds {} of this run, and asked for is {}",
        folder.display(),
        part(there),
        part(asked)
    )]
    OtherShard {
        /// The folder.
        folder: PathBuf,
        /// What it holds; `None` for the whole run.
        there: Option<Shard>,
        /// What is asked for.
        asked: Option<Shard>,
    },
    /// One shard, where a run is needed.
    #[error("{} holds {shard} of a run, which has no result of its own", folder.display())]
    OneShard {
        /// The folder.
        folder: PathBuf,
        /// Which shard.
        shard: Shard,
    },
    /// A summary that is damaged or of another version, beside the verdicts that it is made of.
    #[error("{}: {message}", file.display())]
    DamagedSummary {
        /// The run's folder.
        folder: PathBuf,
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// The verdicts would replace the completions that they judge.
    #[error("{} is the input: name another file for the verdicts", .0.display())]
    OutputIsInput(PathBuf),
    /// A run folder in which completions are missing.
    #[error("the run in {} is incomplete: {done} of {total} completions are there. Start its command again to continue it", folder.display())]
    Incomplete {
        /// The folder.
        folder: PathBuf,
        /// Completions there are.
        done: usize,
        /// Completions there should be.
        total: usize,
    },
    /// Prompts that leave the model no room.
    #[error(
        "{count} of {total} prompts cannot be put to the model, the first is \"{first_id}\": {first_message}"
    )]
    LongPrompts {
        /// How many.
        count: usize,
        /// Of how many.
        total: usize,
        /// Id of the first.
        first_id: String,
        /// What is wrong with the first.
        first_message: String,
    },
    /// The chat template refuses a question.
    #[error("problem {id}: the question cannot be asked")]
    Template {
        /// The problem.
        id: String,
        /// What the template says.
        source: crate::template::TemplateError,
    },
    /// Some problems cannot be left out.
    #[error(transparent)]
    Exclusion(#[from] ExclusionError),
    /// Token ids were asked for, and the model does not report them.
    #[error("this model does not report the token ids of its prompts")]
    NoTokenIds,
    /// A run of whose completions other details are kept than are asked for now.
    #[error(
        "the run in {} keeps {there} of its {finished} finished completions, and asked for now are {asked}: what is kept is settled when a run begins",
        folder.display()
    )]
    OtherTokenDetails {
        /// The folder.
        folder: PathBuf,
        /// Finished completions.
        finished: usize,
        /// What is kept of them.
        there: TokenDetails,
        /// What is asked for now.
        asked: TokenDetails,
    },
    /// Nothing was selected.
    #[error("there is no problem to ask: the data or the limit leaves none")]
    NothingToDo,
}

/// A shard, or the whole run.
fn part(shard: &Option<Shard>) -> String {
    shard.map_or("the whole".to_string(), |shard| shard.to_string())
}

impl Error {
    /// The model failed.
    pub(crate) fn generation(source: GenerationError) -> Self {
        JobError::Generation(source).into()
    }
}

impl From<JobError> for Error {
    fn from(error: JobError) -> Self {
        match error {
            JobError::File(error) => Self::File(error),
            error => Self::Job(error),
        }
    }
}

impl Fault for Error {
    fn class(&self) -> Class {
        match self {
            Self::File(error) => error.class(),
            Self::Job(error) => error.class(),
            Self::NoRun(_)
            | Self::NotARunFolder(_)
            | Self::OutputIsInput(_)
            | Self::Exclusion(_)
            | Self::NoTokenIds
            | Self::OtherTokenDetails { .. }
            | Self::NothingToDo => Class::Usage,
            Self::Incomplete { .. } | Self::OneShard { .. } => Class::Incomplete,
            Self::OtherRun { .. }
            | Self::OtherShard { .. }
            | Self::DamagedSummary { .. }
            | Self::LongPrompts { .. }
            | Self::Template { .. } => Class::Integrity,
        }
    }
}
