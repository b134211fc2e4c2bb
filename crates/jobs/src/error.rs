//! What can stop a job, and what can be wrong with a file.

use std::path::PathBuf;

use generation::GenerationError;

use crate::differences::Difference;

/// What can be wrong with a file or a folder.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// A folder that cannot be written to.
    #[error("cannot write to the folder {}: {source}", folder.display())]
    NotWritable {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A folder that another process writes to.
    #[error("{} is being written by {holder}: wait until that has ended", folder.display())]
    Locked {
        /// The folder.
        folder: PathBuf,
        /// Who writes to it.
        holder: String,
    },
    /// A file is not what it should be.
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
    /// A file cannot be written.
    #[error(
        "cannot write {}: {source}. What was finished is kept; give the disk room and start the same command again to continue",
        file.display()
    )]
    WriteFailed {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

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
    /// The generator failed.
    #[error("the model failed; what was finished before is kept, and the same command continues")]
    Generation(#[source] GenerationError),
}
