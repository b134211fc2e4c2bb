//! What can be wrong with a file.

use std::path::{Path, PathBuf};

use fault::{Class, Fault};

/// What can be wrong with a file or a folder.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// A folder that cannot be written to.
    #[error("cannot write to the folder {}: {source}", folder.display())]
    NotWritable {
        /// The folder.
        folder: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A folder that another process writes to.
    #[error("{} is being written by {holder}: wait until that has ended", folder.display())]
    Locked {
        /// The folder.
        folder: PathBuf,
        /// The process that writes to it.
        holder: String,
    },
    /// A file is not what it should be.
    #[error("{}{}: {message}", file.display(), line.map(|line| format!(", line {line}")).unwrap_or_default())]
    Corrupt {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: Option<usize>,
        /// What is wrong.
        message: String,
    },
    /// A file cannot be read.
    #[error("cannot read {}: {source}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {}: {source}", file.display())]
    WriteFailed {
        /// The file.
        file: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
}

impl FileError {
    /// A file that cannot be read.
    pub fn unreadable(file: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let file = file.to_path_buf();
        move |source| Self::Unreadable { file, source }
    }

    /// A file that cannot be written.
    pub fn write_failed(file: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let file = file.to_path_buf();
        move |source| Self::WriteFailed { file, source }
    }

    /// A file that is not what it should be.
    pub fn corrupt(file: &Path, line: Option<usize>, message: impl Into<String>) -> Self {
        Self::Corrupt {
            file: file.to_path_buf(),
            line,
            message: message.into(),
        }
    }
}

impl Fault for FileError {
    fn class(&self) -> Class {
        match self {
            Self::NotWritable { source, .. } => Class::of_writing(source),
            Self::Locked { .. } => Class::Usage,
            Self::Unreadable { source, .. } => Class::of_reading(source),
            Self::Corrupt { .. } => Class::Integrity,
            Self::WriteFailed { .. } => Class::Io,
        }
    }
}
