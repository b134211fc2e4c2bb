//! What can be wrong with the files of another program.

use std::path::{Path, PathBuf};

use fault::{Class, Fault};

use super::{At, Key, SourceFormat};

/// Files of another program that cannot become a run.
#[derive(Debug, thiserror::Error)]
#[error("{}", described(file, place.as_deref(), kind))]
pub struct ImportError {
    file: PathBuf,
    place: Option<String>,
    // Behind a pointer: results are moved a lot, and errors are few.
    kind: Box<ImportErrorKind>,
}

fn described(file: &Path, place: Option<&str>, kind: &ImportErrorKind) -> String {
    match (kind, place) {
        // It names the file itself, and the line in it.
        (ImportErrorKind::File(error), _) => error.to_string(),
        (kind, Some(place)) => format!("{}, {place}: {kind}", file.display()),
        (kind, None) => format!("{}: {kind}", file.display()),
    }
}

impl ImportError {
    pub(crate) fn of(file: &Path, kind: ImportErrorKind) -> Self {
        Self {
            file: file.to_path_buf(),
            place: None,
            kind: Box::new(kind),
        }
    }

    pub(crate) fn at(at: &At, kind: ImportErrorKind) -> Self {
        Self {
            file: at.file.clone(),
            place: Some(at.place.clone()),
            kind: Box::new(kind),
        }
    }

    /// What is wrong.
    pub fn kind(&self) -> &ImportErrorKind {
        &self.kind
    }
}

/// What is wrong with them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportErrorKind {
    /// A file that cannot be read, or is not what its name says.
    #[error(transparent)]
    File(#[from] record_files::Error),
    /// A file or folder that cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(std::io::Error),
    /// A run of this program.
    #[error("this folder holds a run of this program: there is nothing to import")]
    OwnRun,
    /// No format fits.
    #[error("this is in none of the known formats ({})", known())]
    NotRecognised,
    /// JSON Lines of which nobody knows what the fields are.
    #[error("no format is known by these fields: {}", .fields.join(", "))]
    UnknownFields {
        /// The fields of the first record.
        fields: Vec<String>,
    },
    /// A folder with the files of several runs.
    #[error("several runs are in this folder: {}", .files.join(", "))]
    Several {
        /// Files, one a run.
        files: Vec<String>,
    },
    /// Results without samples.
    #[error("these results come without their samples: no completion is in them")]
    NoSamples,
    /// A log without samples.
    #[error("this log holds no samples (its status is \"{status}\")")]
    EmptyLog {
        /// What it says of itself.
        status: String,
    },
    /// Nothing in it.
    #[error("there is no completion in it")]
    Empty,
    /// Another form than the format has.
    #[error("{0}")]
    Malformed(String),
    /// A field that is not there.
    #[error("the field \"{field}\" ({key}) is missing; the record has {}", .fields.join(", "))]
    MissingField {
        /// What it would be.
        key: Key,
        /// Its name, as asked for or as the format has it.
        field: String,
        /// Fields there are.
        fields: Vec<String>,
    },
    /// A field of another kind.
    #[error("the field \"{field}\" ({key}) is {found}, expected {expected}")]
    WrongKind {
        /// What it is.
        key: Key,
        /// Its name.
        field: String,
        /// What was found.
        found: &'static str,
        /// What was expected.
        expected: &'static str,
    },
    /// An item twice.
    #[error(
        "the item \"{id}\" of {task} is there twice, first in {first}; which of its completions counts?"
    )]
    Twice {
        /// Its id.
        id: String,
        /// Its task.
        task: String,
        /// Where it was before.
        first: String,
    },
    /// Two questions of one item.
    #[error("the item \"{id}\" of {task} has another question or reference in {first}")]
    OtherQuestion {
        /// Its id.
        id: String,
        /// Its task.
        task: String,
        /// Where it was before.
        first: String,
    },
    /// Items with different numbers of completions.
    #[error(
        "the item \"{id}\" of {task} has {found} completions, others have {expected}: a run has as many of each"
    )]
    Samples {
        /// Its id.
        id: String,
        /// Its task.
        task: String,
        /// Its completions.
        found: usize,
        /// Those of most items.
        expected: usize,
    },
    /// An entry of a field map that is none.
    #[error("{0}")]
    Map(String),
}

fn known() -> String {
    SourceFormat::ALL.map(SourceFormat::name).join(", ")
}

impl Fault for ImportError {
    fn class(&self) -> Class {
        match &*self.kind {
            ImportErrorKind::File(error) => error.class(),
            ImportErrorKind::Unreadable(error) => Class::of_reading(error),
            ImportErrorKind::OwnRun
            | ImportErrorKind::NotRecognised
            | ImportErrorKind::UnknownFields { .. }
            | ImportErrorKind::Several { .. }
            | ImportErrorKind::NoSamples
            | ImportErrorKind::Map(_) => Class::Usage,
            _ => Class::Integrity,
        }
    }
}
