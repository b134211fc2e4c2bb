//! Streams records from files: JSON Lines, a JSON array, JSON values one after the other, parquet,
//! plain text.
//!
//! A path goes in; records come out one at a time, each with its place, so that a file of any size
//! needs the memory of its largest record. This crate does not know what a record means: it knows
//! no field and no data set.
//!
//! ```
//! # let folder = tempfile::tempdir().unwrap();
//! # let path = folder.path().join("questions.json");
//! std::fs::write(&path, "[{\"question\": \"1 + 1?\"},\n {\"question\": \"2 + 2?\"}]").unwrap();
//! let records: Vec<_> = record_files::open(&path).unwrap().collect::<Result<_, _>>().unwrap();
//! assert_eq!(records[1].value["question"], "2 + 2?");
//! assert_eq!(records[1].place, record_files::Place::Line(2));
//! ```

mod error;
mod form;
mod lines;
mod parse;
mod rows;
mod source;
mod values;

use std::fmt;
use std::path::{Path, PathBuf};

use serde_json::Value;

pub use error::{Error, ErrorKind};
pub use form::Form;
pub use source::RECORD_LIMIT;

use lines::Lines;
use rows::Rows;
use source::Source;
use values::Values;

/// A record of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Where it begins.
    pub place: Place,
    /// What it holds: an object in most files, a string for each line of plain text.
    pub value: Value,
}

/// Where a record is in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// The line, from 1.
    Line(usize),
    /// The row of a parquet file, from 1.
    Row(usize),
}

impl Place {
    /// The number of the line or row, from 1.
    pub fn number(self) -> usize {
        match self {
            Self::Line(number) | Self::Row(number) => number,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(number) => write!(f, "line {number}"),
            Self::Row(number) => write!(f, "row {number}"),
        }
    }
}

/// Opens a file in the form that its content and name speak for ([`Form`]).
///
/// # Errors
///
/// The file cannot be read, is UTF-16, or is parquet with a compression that is not supported.
pub fn open(path: &Path) -> Result<Records, Error> {
    let start = source::start(path)?;
    let form = form::detect(path, &start);
    read(path, form, start)
}

/// Opens a file in a form that the caller knows.
///
/// # Errors
///
/// As [`open`]; also a file asked for as parquet or as an array that is none.
pub fn open_as(path: &Path, form: Form) -> Result<Records, Error> {
    let start = source::start(path)?;
    read(path, form, start)
}

fn read(path: &Path, form: Form, start: source::Start) -> Result<Records, Error> {
    let reader = match form {
        Form::Parquet => Reader::Rows(Box::new(Rows::open(path)?)),
        Form::JsonLines | Form::Text => {
            Reader::Lines(Lines::new(Source::new(start), form == Form::Text))
        }
        Form::JsonArray | Form::JsonRun => Reader::Values(Values::new(Source::new(start), form)),
    };
    Ok(Records {
        path: path.to_path_buf(),
        form,
        reader,
    })
}

/// The records of a file, in its order.
///
/// An error that concerns one record alone (a line that is not JSON, bytes that are not UTF-8) does
/// not end the iteration: the next item is the next record. Other errors end it.
pub struct Records {
    path: PathBuf,
    form: Form,
    reader: Reader,
}

enum Reader {
    Lines(Lines),
    Values(Values),
    Rows(Box<Rows>),
}

impl Records {
    /// The form in which the file is read.
    pub fn form(&self) -> Form {
        self.form
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How far the reading has come, in bytes of the file; of a parquet file as if its rows were of
    /// one size.
    pub fn bytes_read(&self) -> u64 {
        match &self.reader {
            Reader::Lines(lines) => lines.position(),
            Reader::Values(values) => values.position(),
            Reader::Rows(rows) => rows.position(),
        }
    }
}

impl Iterator for Records {
    type Item = Result<Record, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let item = match &mut self.reader {
            Reader::Lines(lines) => lines.next(),
            Reader::Values(values) => values.next(),
            Reader::Rows(rows) => rows.next(),
        };
        item.map(|record| record.map_err(|fault| fault.in_file(&self.path)))
    }
}
