//! What can stop a run.

use std::path::PathBuf;

use generation::GenerationError;
use jobs::{Difference, FileError};

use crate::exclusion::ExclusionError;
use crate::token_details::TokenDetails;

/// What can stop a run, or the reading of a finished one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A folder that cannot be made or written to, noticed before anything was generated.
    #[error("cannot write to the output folder {}: {source} (choose another with --output-dir)", folder.display())]
    FolderNotWritable {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A folder that another process writes to.
    #[error("the run in {} is being written by {holder}: wait until that has ended, or choose another folder with --output-dir", folder.display())]
    Locked {
        /// The folder.
        folder: PathBuf,
        /// Who writes to it.
        holder: String,
    },
    /// The user stopped the run.
    #[error("interrupted: {done} of {total} completions are kept in {}; start the same command again to continue", folder.display())]
    Interrupted {
        /// The folder.
        folder: PathBuf,
        /// Completions there are.
        done: usize,
        /// Completions there should be.
        total: usize,
    },
    /// A folder that was named as a run's and is none.
    #[error("{}: this folder holds no run (no run.json): name a folder that `mwpbench eval` has written", .0.display())]
    NoRun(PathBuf),
    /// A folder with files that are not a run's.
    #[error("the output folder {} is not empty and holds no run (no run.json): choose another with --output-dir", .0.display())]
    NotARunFolder(PathBuf),
    /// A folder that holds another run.
    #[error(
        "the output folder {} holds another run: {}. Choose another folder with --output-dir",
        folder.display(),
        differences.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    )]
    OtherRun {
        /// The folder.
        folder: PathBuf,
        /// In what the two runs differ.
        differences: Vec<Difference>,
    },
    /// A file of a run folder is not what it should be.
    #[error("{}{}: {message}", file.display(), line.map(|line| format!(", line {line}")).unwrap_or_default())]
    Corrupt {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: Option<usize>,
        /// What is wrong and what to do.
        message: String,
    },
    /// A file cannot be read.
    #[error("cannot read {}: {source}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The verdicts would replace what they are about.
    #[error("{} is the input: name another file with --output", .0.display())]
    OutputIsInput(PathBuf),
    /// Writing failed while the run was going on.
    #[error(
        "cannot write {}: {source}. Finished completions are kept; give the disk room and start the same command again to continue",
        file.display()
    )]
    WriteFailed {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
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
        "{count} of {total} prompts do not fit into the model's context, the first is \"{first_id}\": {first_message}. \
         Leave the set out with --tasks, or count such items as failed with --on-long-prompt fail"
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
    /// The model failed.
    #[error("the model failed; completions finished before are kept")]
    Generation(#[source] GenerationError),
    /// Something else is wrong with a file.
    #[error(transparent)]
    File(FileError),
    /// The chat template refuses a question.
    #[error("problem {id}: the question cannot be asked")]
    Template {
        /// The problem.
        id: String,
        /// Why.
        source: crate::template::TemplateError,
    },
    /// Some problems cannot be left out.
    #[error(transparent)]
    Exclusion(#[from] ExclusionError),
    /// Token ids were asked for, and the model does not tell them.
    #[error("this model does not tell the token ids of its prompts: leave out --log-tokens")]
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

impl From<FileError> for Error {
    fn from(error: FileError) -> Self {
        match error {
            FileError::NotWritable { folder, source } => Self::FolderNotWritable { folder, source },
            FileError::Locked { folder, holder } => Self::Locked { folder, holder },
            FileError::Corrupt {
                file,
                line,
                message,
            } => Self::Corrupt {
                file,
                line,
                message,
            },
            FileError::Unreadable { file, source } => Self::Unreadable { file, source },
            FileError::WriteFailed { file, source } => Self::WriteFailed { file, source },
            other => Self::File(other),
        }
    }
}
