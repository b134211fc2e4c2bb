//! What can be wrong with a file of records, and where.

use std::fmt;
use std::path::{Path, PathBuf};

use fault::{Class, Fault, Place};

/// An error in a file: what is wrong, in which file and line or row.
#[derive(Debug, thiserror::Error)]
#[error("{}: {kind}", Where { file, place: *place })]
pub struct Error {
    file: PathBuf,
    place: Option<Place>,
    #[source]
    kind: ErrorKind,
}

impl Error {
    pub(crate) fn new(file: &Path, kind: ErrorKind) -> Self {
        Self {
            file: file.to_path_buf(),
            place: None,
            kind,
        }
    }

    /// What is wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    /// The file in which it is wrong.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The line or row at fault, where one is. In a record of several lines it is the line of the
    /// error, not the first.
    pub fn place(&self) -> Option<Place> {
        self.place
    }
}

impl Fault for Error {
    /// A path that names no file is at fault itself; anything else is wrong with the file.
    fn class(&self) -> Class {
        match self.kind {
            ErrorKind::NotFound | ErrorKind::Folder => Class::Usage,
            _ => Class::Integrity,
        }
    }
}

/// An error before its file is known.
pub(crate) struct LocatedError {
    pub(crate) place: Option<Place>,
    pub(crate) kind: ErrorKind,
}

impl LocatedError {
    pub(crate) fn at_line(line: usize, kind: ErrorKind) -> Self {
        Self {
            place: Some(Place::Line(line)),
            kind,
        }
    }

    pub(crate) fn in_file(self, file: &Path) -> Error {
        Error {
            file: file.to_path_buf(),
            place: self.place,
            kind: self.kind,
        }
    }
}

struct Where<'a> {
    file: &'a Path,
    place: Option<Place>,
}

impl fmt::Display for Where<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        match self.place {
            Some(place) => write!(f, ", {place}"),
            None => Ok(()),
        }
    }
}

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No such file.
    #[error("there is no such file")]
    NotFound,
    /// A folder where a file is expected.
    #[error("this is a folder: name a file in it")]
    Folder,
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(std::io::Error),
    /// The file begins with the byte order mark of UTF-16 or UTF-32.
    #[error("UTF-16 or UTF-32 text: save the file as UTF-8")]
    Utf16,
    /// Bytes that are not UTF-8.
    #[error("not UTF-8 text (byte {column} of the line): save the file as UTF-8")]
    NotUtf8 {
        /// Position of the first wrong byte in its line, from 1.
        column: usize,
    },
    /// A NUL byte.
    #[error("a NUL byte (byte {column} of the line): the file is damaged, or not a text in UTF-8")]
    Nul {
        /// Position of the byte in its line, from 1.
        column: usize,
    },
    /// Not JSON.
    #[error("not JSON: {reason} (column {column}{})", Beginning(*begins))]
    NotJson {
        /// What the parser expected or found.
        reason: String,
        /// Position in the line at fault, in bytes, from 1.
        column: usize,
        /// The line in which the record begins, where it is another one.
        begins: Option<usize>,
    },
    /// The end of the file comes before the end of a record.
    #[error(
        "the record that begins here is not closed before the end of the file: the file is cut off, or a quotation mark is missing"
    )]
    Unclosed,
    /// The array has no end.
    #[error("the array is not closed before the end of the file: the file is cut off")]
    UnclosedArray,
    /// Read as an array, but none.
    #[error("not a JSON array: expected \"[\" first")]
    NotAnArray,
    /// A record longer than the limit.
    #[error("a record longer than {} MiB: give one record a line, or an array of records", limit >> 20)]
    TooLong {
        /// The limit, in bytes.
        limit: usize,
    },
    /// A row with another number of cells than the first.
    #[error("{found} cells where the first row names {expected} fields")]
    Cells {
        /// Fields that the first row names.
        expected: u64,
        /// Cells of the row.
        found: u64,
    },
    /// Two columns of a table have one name, so that a field would hide another.
    #[error("the first row names the field \"{0}\" twice: give each column a name of its own")]
    FieldTwice(String),
    /// A table that cannot be read.
    #[error("not a readable table of comma-separated values: {0}")]
    Table(String),
    /// A parquet column is compressed in a way that cannot be read.
    #[error(
        "the column \"{column}\" is compressed with {codec}, which is not supported: write the file with zstd, snappy, gzip, lz4 or none"
    )]
    Compression {
        /// The column's path.
        column: String,
        /// Name of the compression.
        codec: String,
    },
    /// A parquet file that is damaged, encrypted or of a kind that cannot be read.
    #[error("not a readable parquet file: {0}")]
    Parquet(String),
}

struct Beginning(Option<usize>);

impl fmt::Display for Beginning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(line) => write!(f, "; the record begins in line {line}"),
            None => Ok(()),
        }
    }
}
