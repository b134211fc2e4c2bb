//! What can be wrong with a chat template.

use std::path::PathBuf;

use fault::{Class, Fault};

/// Steps that a template may take for one conversation, and with them the memory that it can fill:
/// a step pays for 64 bytes. A long conversation takes some thousands.
pub(crate) const MAX_STEPS: u64 = 4_000_000;

/// Why a chat template cannot be used, or a conversation not be written with it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file is there and cannot be read.
    #[error("{}: cannot be read", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file that is not what it should be.
    #[error("{file}: {message}")]
    Malformed {
        /// The file.
        file: String,
        /// What is wrong, with the field.
        message: String,
    },
    /// A checkpoint without a chat template.
    #[error("{place} has no chat template")]
    NoTemplate {
        /// The checkpoint.
        place: String,
    },
    /// A checkpoint with several templates, none of which is the default.
    #[error("{place} has several chat templates and no default: {names}")]
    NoDefault {
        /// The checkpoint.
        place: String,
        /// Their names.
        names: String,
    },
    /// A template that is not there.
    #[error(
        "there is no file or folder {requested}, and no chat template of that name (the checkpoint's: {names})"
    )]
    Unknown {
        /// What was requested.
        requested: String,
        /// The names of the checkpoint's templates.
        names: String,
    },
    /// The template is not valid Jinja.
    #[error("{file}, line {line}: the chat template cannot be understood: {message}")]
    Syntax {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What was expected.
        message: String,
    },
    /// The template itself refuses the conversation (`raise_exception`).
    #[error("{file}, line {line}: the chat template refuses the conversation: {message}")]
    Refused {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The template's own words.
        message: String,
    },
    /// The template does what fails in Jinja, such as reading a field of something that is not
    /// there.
    #[error("{file}, line {line}: the chat template fails: {message}")]
    Failed {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What failed.
        message: String,
    },
    /// The template takes more steps, or makes more text, than any conversation needs.
    #[error("{file}, line {line}: the chat template does not come to an end: it was stopped after {} million steps", MAX_STEPS / 1_000_000)]
    StepLimit {
        /// The file.
        file: String,
        /// The line at which it was stopped, from 1.
        line: usize,
    },
    /// A variable that templates are given already.
    #[error("the variable \"{name}\" cannot be given: it holds what the conversation is made of")]
    Reserved {
        /// Its name.
        name: String,
    },
}

impl Fault for Error {
    fn class(&self) -> Class {
        match self {
            Self::Malformed { .. }
            | Self::Syntax { .. }
            | Self::Failed { .. }
            | Self::StepLimit { .. } => Class::Integrity,
            Self::Unreadable { .. }
            | Self::NoTemplate { .. }
            | Self::NoDefault { .. }
            | Self::Unknown { .. }
            | Self::Refused { .. }
            | Self::Reserved { .. } => Class::Usage,
        }
    }
}
