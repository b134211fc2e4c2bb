//! What can be wrong with data, and where.

use std::fmt;
use std::path::{Path, PathBuf};

/// An error in the data: what is wrong, in which file and line.
#[derive(Debug, thiserror::Error)]
#[error("{}: {kind}", Place { file, line: *line })]
pub struct Error {
    file: PathBuf,
    line: Option<usize>,
    #[source]
    kind: ErrorKind,
}

impl Error {
    pub(crate) fn in_file(file: &Path, kind: ErrorKind) -> Self {
        Self { file: file.to_path_buf(), line: None, kind }
    }

    pub(crate) fn at(file: &Path, line: usize, kind: ErrorKind) -> Self {
        Self { file: file.to_path_buf(), line: Some(line), kind }
    }

    /// What is wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    /// The file or folder in which it is wrong.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The line, from 1, where one is at fault.
    pub fn line(&self) -> Option<usize> {
        self.line
    }
}

struct Place<'a> {
    file: &'a Path,
    line: Option<usize>,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        match self.line {
            Some(line) => write!(f, ", line {line}"),
            None => Ok(()),
        }
    }
}

/// What is wrong with the data.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No such file or folder.
    #[error("there is no such file or folder")]
    NotFound,
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(std::io::Error),
    /// A folder without any data file.
    #[error(
        "this folder holds no data: expected files that end in .jsonl or .json (training files, *train*, are passed over)"
    )]
    EmptyFolder,
    /// A file without any record.
    #[error("this file holds no record")]
    EmptyFile,
    /// The line is not UTF-8.
    #[error("not UTF-8 text (byte {column} of the line): save the file as UTF-8")]
    NotUtf8 {
        /// Position of the first wrong byte in the line, from 1.
        column: usize,
    },
    /// The line is not a JSON object.
    #[error("not a JSON object: {0} (expected one record a line)")]
    NotAnObject(String),
    /// A required field is not there.
    #[error("the field \"{0}\" is missing")]
    MissingField(&'static str),
    /// A field has another type than the record form demands.
    #[error("the field \"{field}\" must be {expected}, found {found}")]
    WrongType {
        /// Name of the field.
        field: &'static str,
        /// The type demanded.
        expected: &'static str,
        /// The type there is.
        found: &'static str,
    },
    /// A required field holds nothing but white space.
    #[error("the field \"{0}\" is empty")]
    BlankField(&'static str),
    /// The task belongs to no set.
    #[error("the field \"data_topic\" names no known task: \"{task}\" (known: {known})")]
    UnknownTask {
        /// The name found.
        task: String,
        /// The known names, separated by commas.
        known: String,
    },
    /// Two records have the same id.
    #[error(
        "the id \"{id}\" was used before, in {first_file} line {first_line}: give each record of a task its own \"question_number\""
    )]
    DuplicateId {
        /// The repeated id.
        id: String,
        /// File of the first record with it.
        first_file: String,
        /// Line of the first record with it.
        first_line: usize,
    },
}
