//! Streams records from files: JSON Lines, a JSON array, JSON values one after the other, parquet,
//! comma-separated values, plain text.
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

mod error; // what can be wrong with a file, and where
mod format; // which format a file has
mod lines; // a record a line
mod parse; // one record of JSON or text
mod rows; // parquet
mod source; // the bytes of a file, in blocks
mod table; // comma- or tab-separated values
mod values; // JSON values over any number of lines

use std::path::{Path, PathBuf};

use serde_json::Value;

pub use error::{Error, ErrorKind};
pub use fault::Place;
pub use format::FileFormat;
pub use source::MAX_RECORD_BYTES;

use lines::Lines;
use rows::Rows;
use source::Source;
use table::Table;
use values::Values;

/// A record of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Where it begins.
    pub place: Place,
    /// What it holds: an object in most files, a string for each line of plain text.
    pub value: Value,
}

/// Opens a file in the format that its content and name speak for ([`FileFormat`]).
///
/// # Errors
///
/// The file cannot be read, is UTF-16, or is parquet with a compression that is not supported.
pub fn open(path: &Path) -> Result<Records, Error> {
    let start = source::start(path)?;
    let format = format::detect(path, &start);
    read(path, format, start)
}

/// Opens a file in a format that the caller knows.
///
/// # Errors
///
/// As [`open`]; also a file asked for as parquet or as an array that is none.
pub fn open_as(path: &Path, format: FileFormat) -> Result<Records, Error> {
    let start = source::start(path)?;
    read(path, format, start)
}

fn read(path: &Path, format: FileFormat, start: source::Start) -> Result<Records, Error> {
    let reader = match format {
        FileFormat::Parquet => Reader::Rows(Box::new(Rows::open(path)?)),
        FileFormat::Table => {
            let is_tabbed = path
                .extension()
                .is_some_and(|e| e.eq_ignore_ascii_case("tsv"));
            let delimiter = if is_tabbed { b'\t' } else { b',' };
            Reader::Table(Box::new(Table::open(path, delimiter)?))
        }
        FileFormat::JsonLines | FileFormat::Text => {
            Reader::Lines(Lines::new(Source::new(start), format == FileFormat::Text))
        }
        FileFormat::JsonArray | FileFormat::JsonStream => {
            Reader::Values(Values::new(Source::new(start), format))
        }
    };
    Ok(Records {
        path: path.to_path_buf(),
        format,
        reader,
    })
}

/// The records of a file, in its order.
///
/// An error that concerns one record alone (a line that is not JSON, bytes that are not UTF-8) does
/// not end the iteration: the next item is the next record. Other errors end it.
pub struct Records {
    path: PathBuf,
    format: FileFormat,
    reader: Reader,
}

enum Reader {
    Lines(Lines),
    Values(Values),
    Rows(Box<Rows>),
    Table(Box<Table>),
}

impl Records {
    /// The format in which the file is read.
    pub fn format(&self) -> FileFormat {
        self.format
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
            Reader::Table(table) => table.position(),
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
            Reader::Table(table) => table.next(),
        };
        item.map(|record| record.map_err(|error| error.in_file(&self.path)))
    }
}
