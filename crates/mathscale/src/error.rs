//! What can be wrong in the pipeline, and where.

use std::fmt;
use std::path::{Path, PathBuf};

use jobs::JobError;
use record_files::Place;
use store::{Difference, FileError};

use crate::project::Stage;

/// An error of the pipeline: what is wrong, in which file and line.
#[derive(Debug, thiserror::Error)]
#[error("{}", Told(self))]
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

    /// Of no file in particular.
    pub(crate) fn of(kind: ErrorKind) -> Self {
        Self {
            file: PathBuf::new(),
            place: None,
            kind,
        }
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

    /// Whether the call is at fault (a name, a path, a flag, the order of the stages) and not the
    /// data.
    pub fn is_usage(&self) -> bool {
        match &self.kind {
            ErrorKind::Records(error) => {
                matches!(
                    error.kind(),
                    record_files::ErrorKind::NotFound | record_files::ErrorKind::Folder
                )
            }
            ErrorKind::Overlap(error) => !error.is_integrity(),
            // A path that was given; of the project's own files a lost one is told as changed.
            ErrorKind::Unreadable(source) => source.kind() == std::io::ErrorKind::NotFound,
            ErrorKind::NotAProject
            | ErrorKind::NoProject
            | ErrorKind::NotWritable(_)
            | ErrorKind::File(FileError::NotWritable { .. } | FileError::Locked { .. })
            | ErrorKind::Threads(_)
            | ErrorKind::Option(_)
            | ErrorKind::NotYet { .. } => true,
            _ => false,
        }
    }

    /// Whether the generator failed.
    pub fn is_of_generator(&self) -> bool {
        matches!(self.kind, ErrorKind::Job(JobError::Generation(_)))
    }

    /// Whether the user stopped it.
    pub fn is_interrupted(&self) -> bool {
        matches!(
            self.kind,
            ErrorKind::Interrupted { .. }
                | ErrorKind::Stopped { .. }
                | ErrorKind::Job(JobError::Interrupted { .. })
        )
    }

    /// Whether what was asked for is not whole, through no fault of the data: the disk is full, or
    /// items failed.
    pub fn is_incomplete(&self) -> bool {
        let kind = &self.kind;
        matches!(
            kind,
            ErrorKind::WriteFailed(_)
                | ErrorKind::File(FileError::WriteFailed { .. })
                | ErrorKind::Failed { .. }
        )
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

/// Such an error tells its file itself.
impl From<FileError> for Error {
    fn from(error: FileError) -> Self {
        Self {
            file: PathBuf::new(),
            place: None,
            kind: ErrorKind::File(error),
        }
    }
}

impl From<JobError> for Error {
    fn from(error: JobError) -> Self {
        match error {
            JobError::File(error) => error.into(),
            error => Self {
                file: PathBuf::new(),
                place: None,
                kind: ErrorKind::Job(error),
            },
        }
    }
}

/// The place and what is wrong there. An error of the files' reader tells its place itself.
struct Told<'a>(&'a Error);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Error { file, place, kind } = self.0;
        if matches!(kind, ErrorKind::Records(_)) || file.as_os_str().is_empty() {
            return write!(f, "{kind}");
        }
        match place {
            Some(place) => write!(f, "{}, {place}: {kind}", file.display()),
            None => write!(f, "{}: {kind}", file.display()),
        }
    }
}

/// What is wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A file of records that cannot be read at all.
    #[error("{0}")]
    Records(Box<record_files::Error>),
    /// A folder with other files than a project's.
    #[error(
        "this folder holds other files and no project.json: give an empty folder, or one that does not exist"
    )]
    NotAProject,
    /// No project where one is needed.
    #[error("there is no project here (no project.json): `mwpbench mathscale extract` begins one")]
    NoProject,
    /// The folder cannot be written.
    #[error("cannot be written: {0}")]
    NotWritable(std::io::Error),
    /// A file could not be written to its end.
    #[error("could not be written: {0}")]
    WriteFailed(std::io::Error),
    /// A file cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(std::io::Error),
    /// The lock, the journal or another file of work for a generator.
    #[error(transparent)]
    File(FileError),
    /// A file of the project that is not what this program writes.
    #[error("{0}")]
    Corrupt(String),
    /// A file that was changed after its stage had written it.
    #[error(
        "was changed or lost after \"{stage}\" wrote it: put it back, or run `mwpbench mathscale {stage} --fresh`"
    )]
    Changed {
        /// The stage that wrote it.
        stage: Stage,
    },
    /// An earlier stage has not been run to its end.
    #[error(
        "the stage \"{stage}\" has not been run to its end here: run `mwpbench mathscale {stage}` first"
    )]
    NotYet {
        /// The stage.
        stage: Stage,
    },
    /// An earlier stage was made of files that have changed since.
    #[error(
        "the stage \"{stage}\" is stale, {input} has changed since: run `mwpbench mathscale {stage} --fresh` first"
    )]
    Stale {
        /// The stage.
        stage: Stage,
        /// Its input that has changed.
        input: String,
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
    /// Work for a generator stopped.
    #[error(transparent)]
    Job(JobError),
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
    /// The user stopped a stage that keeps nothing.
    #[error("interrupted: \"{stage}\" had found {found} of {count}; start the same command again")]
    Interrupted {
        /// The stage.
        stage: Stage,
        /// What it had found.
        found: u64,
        /// What was asked for.
        count: u64,
    },
    /// Threads cannot be started.
    #[error("threads cannot be started: {0}")]
    Threads(String),
    /// A graph without a composition.
    #[error("{0}")]
    NothingToCompose(String),
    /// A record from elsewhere that is no pair of question and solution.
    #[error(
        "no question with a solution is recognised in {0}: expected \"question\" and \"solution\" or \"answer\", \"instruction\" and \"output\", \"prompt\" and \"completion\", or \"messages\""
    )]
    NoPair(String),
    /// An option that cannot be used as it is.
    #[error("{0}")]
    Option(String),
    /// The search for repetitions and test items refuses an option.
    #[error(transparent)]
    Overlap(Box<overlap::Error>),
    /// The user stopped a stage that keeps nothing.
    #[error(
        "interrupted: \"{stage}\" had read {done} pairs and keeps nothing of it; start the same command again"
    )]
    Stopped {
        /// The stage.
        stage: Stage,
        /// Pairs read.
        done: u64,
    },
    /// The stage was run before with other inputs or options.
    #[error(
        "\"{stage}\" was run here with something else: {}: give the same again, another --project, or --fresh to replace it (what is there is moved to replaced/)",
        List(differences)
    )]
    Differs {
        /// The stage.
        stage: Stage,
        /// In what it differs.
        differences: Vec<Difference>,
    },
}

struct List<'a>(&'a [Difference]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, difference) in self.0.iter().enumerate() {
            write!(f, "{}{difference}", if index == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}
