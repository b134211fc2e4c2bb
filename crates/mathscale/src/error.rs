//! What can be wrong in the pipeline, and where.

use std::fmt;
use std::path::{Path, PathBuf};

use fault::{Class, Fault};
use jobs::JobError;
use record_files::Place;
use store::{Difference, FileError};

use crate::recipe::RecipeFault;
use crate::stage::Stage;

/// An error of the pipeline: what is wrong, in which file and line.
#[derive(Debug, thiserror::Error)]
pub struct Error {
    file: PathBuf,
    place: Option<Place>,
    #[source]
    kind: ErrorKind,
}

impl Error {
    pub(crate) fn in_file(file: &Path, kind: ErrorKind) -> Self {
        Self {
            file: file.to_path_buf(),
            place: None,
            kind,
        }
    }

    pub(crate) fn at(file: &Path, place: Place, kind: ErrorKind) -> Self {
        Self {
            file: file.to_path_buf(),
            place: Some(place),
            kind,
        }
    }

    /// Of no file in particular, or of one that the kind names itself.
    pub(crate) fn of(kind: ErrorKind) -> Self {
        Self::in_file(Path::new(""), kind)
    }

    /// What is wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    /// The file or folder in which it is wrong; empty where none is at fault.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The line or row at fault, where one is.
    pub fn place(&self) -> Option<Place> {
        self.place
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, place, kind } = self;
        // An error of the reader of records says its place itself.
        if matches!(kind, ErrorKind::Records(_)) || file.as_os_str().is_empty() {
            return write!(f, "{kind}");
        }
        match place {
            Some(place) => write!(f, "{}, {place}: {kind}", file.display()),
            None => write!(f, "{}: {kind}", file.display()),
        }
    }
}

impl Fault for Error {
    fn class(&self) -> Class {
        match &self.kind {
            ErrorKind::Records(error) => error.class(),
            ErrorKind::File(error) => error.class(),
            ErrorKind::Job(error) => error.class(),
            ErrorKind::Overlap(error) => error.class(),
            ErrorKind::Recipe(fault) => fault.class(),
            ErrorKind::NotAProject
            | ErrorKind::NoProject
            | ErrorKind::Threads(_)
            | ErrorKind::Option(_)
            | ErrorKind::NotYet { .. } => Class::Usage,
            ErrorKind::Failed { .. } => Class::Incomplete,
            ErrorKind::Interrupted { .. } => Class::Interrupted,
            _ => Class::Integrity,
        }
    }
}

impl From<record_files::Error> for Error {
    fn from(error: record_files::Error) -> Self {
        Self {
            file: error.file().to_path_buf(),
            place: error.place(),
            kind: ErrorKind::Records(Box::new(error)),
        }
    }
}

impl From<FileError> for Error {
    fn from(error: FileError) -> Self {
        Self::of(ErrorKind::File(error))
    }
}

impl From<JobError> for Error {
    fn from(error: JobError) -> Self {
        Self::of(ErrorKind::Job(error))
    }
}

/// What is wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A file of records that cannot be read at all.
    #[error("{0}")]
    Records(Box<record_files::Error>),
    /// A file or the folder cannot be read or written, is locked or damaged.
    #[error(transparent)]
    File(FileError),
    /// A model's work stopped.
    #[error(transparent)]
    Job(JobError),
    /// The search for near-duplicates and test items refuses an option.
    #[error(transparent)]
    Overlap(Box<overlap::Error>),
    /// A recipe that cannot be written.
    #[error(transparent)]
    Recipe(RecipeFault),
    /// A folder with other files than a project's.
    #[error(
        "this folder holds other files and no project.json: give an empty folder, or one that does not exist"
    )]
    NotAProject,
    /// No project where one is needed.
    #[error("there is no project here (no project.json)")]
    NoProject,
    /// A file of the project that is not what this program writes.
    #[error("{0}")]
    Corrupt(String),
    /// A file that was changed after its stage had written it.
    #[error("was changed or lost after the stage \"{stage}\" wrote it")]
    Changed {
        /// The stage that wrote it.
        stage: Stage,
    },
    /// An earlier stage has not been run to its end.
    #[error("the stage \"{stage}\" has not been run to its end here")]
    NotYet {
        /// The stage.
        stage: Stage,
    },
    /// An earlier stage was made of files that have changed since.
    #[error("the stage \"{stage}\" is stale, {input} has changed since")]
    Stale {
        /// The stage.
        stage: Stage,
        /// Its input that has changed.
        input: String,
    },
    /// The stage was run before with other inputs or options.
    #[error(
        "\"{stage}\" was run here with something else: {}",
        differences.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    )]
    Differs {
        /// The stage.
        stage: Stage,
        /// In what it differs.
        differences: Vec<Difference>,
    },
    /// A record that is no JSON object.
    #[error("{0} in place of a record: expected a JSON object")]
    NotAnObject(&'static str),
    /// A record without concepts.
    #[error(
        "no concepts are recognised in a record with the keys {0}: expected \"topics\" and \"knowledge_points\" (lists of strings), or \"knowledge_point_routes\" as TAL-SCQ5K has them"
    )]
    NoAnnotation(String),
    /// A required field is not there.
    #[error("the field \"{0}\" is missing")]
    MissingField(String),
    /// A field has another type than it should.
    #[error("the field \"{field}\" must be {expected}, found {found}")]
    WrongType {
        /// Name of the field.
        field: String,
        /// The type demanded.
        expected: &'static str,
        /// The type there is.
        found: &'static str,
    },
    /// A seed without a question.
    #[error("there is no question in a record with the keys {keys} (looked for {known})")]
    NoQuestion {
        /// Fields that may hold one.
        known: String,
        /// The fields there are.
        keys: String,
    },
    /// A record from elsewhere that is no pair of question and solution.
    #[error(
        "no question with a solution is recognised in {0}: expected \"question\" and \"solution\" or \"answer\", \"instruction\" and \"output\", \"prompt\" and \"completion\", or \"messages\""
    )]
    NoPair(String),
    /// Two records have the same id.
    #[error(
        "the id \"{id}\" was used before, in {first}: give each seed its own, or leave ids out"
    )]
    DuplicateId {
        /// The repeated id.
        id: String,
        /// Place of the first record with it.
        first: String,
    },
    /// A file without any record.
    #[error("this file holds no record")]
    NoRecords,
    /// No record of a file can be used.
    #[error("none of its {records} records can be used ({first})")]
    NothingUsable {
        /// Records read.
        records: usize,
        /// Place and fault of the first.
        first: String,
    },
    /// A graph of which nothing can be composed.
    #[error("{0}")]
    NothingToCompose(String),
    /// An option that cannot be used as it is.
    #[error("{0}")]
    Option(String),
    /// Threads cannot be started.
    #[error("threads cannot be started: {0}")]
    Threads(String),
    /// Some items could not be generated; what was finished is kept.
    #[error(
        "{failed} of {total} items of \"{stage}\" could not be generated, the first ({id}): {reason}. The same command asks for these again"
    )]
    Failed {
        /// The stage.
        stage: Stage,
        /// How many.
        failed: usize,
        /// Of how many.
        total: usize,
        /// The first of them.
        id: String,
        /// Why that one failed.
        reason: String,
    },
    /// The user stopped a stage that keeps nothing of unfinished work.
    #[error(
        "interrupted: \"{stage}\" had {done} {what} and keeps nothing of them; start the same command again"
    )]
    Interrupted {
        /// The stage.
        stage: Stage,
        /// How far it was.
        done: u64,
        /// What it counts: `pairs`, `compositions`.
        what: &'static str,
    },
}
