//! Tables of comma- or tab-separated values: the first row names the fields.

use std::collections::HashSet;
use std::fs::File;
use std::path::Path;

use csv::{ErrorKind as CsvErrorKind, ReaderBuilder, StringRecord};
use serde_json::{Map, Value};

use crate::error::{Error, ErrorKind, LocatedError};
use crate::source::MAX_RECORD_BYTES;
use crate::{Place, Record};

pub(crate) struct Table {
    reader: csv::Reader<File>,
    fields: StringRecord,
    row: StringRecord,
    ended: bool,
}

impl Table {
    pub(crate) fn open(path: &Path, delimiter: u8) -> Result<Self, Error> {
        let unreadable = |error| Error::new(path, ErrorKind::Unreadable(error));
        let file = File::open(path).map_err(unreadable)?;
        let mut reader = ReaderBuilder::new().delimiter(delimiter).from_reader(file);
        let fields = reader
            .headers()
            .map_err(|error| located(error).in_file(path))?
            .clone();
        let mut seen = HashSet::new();
        if let Some(twice) = fields.iter().find(|field| !seen.insert(*field)) {
            let kind = ErrorKind::FieldTwice(twice.to_string());
            return Err(LocatedError::at_line(1, kind).in_file(path));
        }
        Ok(Self {
            reader,
            fields,
            row: StringRecord::new(),
            ended: false,
        })
    }

    pub(crate) fn position(&self) -> u64 {
        self.reader.position().byte()
    }

    pub(crate) fn next(&mut self) -> Option<Result<Record, LocatedError>> {
        if self.ended {
            return None;
        }
        match self.reader.read_record(&mut self.row) {
            Ok(true) => {
                let line = self.row.position().map_or(0, |position| position.line());
                let line = usize::try_from(line).unwrap_or(usize::MAX);
                if self.row.as_slice().len() > MAX_RECORD_BYTES {
                    let limit = MAX_RECORD_BYTES;
                    return Some(Err(LocatedError::at_line(
                        line,
                        ErrorKind::TooLong { limit },
                    )));
                }
                let cells = self.fields.iter().zip(self.row.iter());
                let object: Map<String, Value> = cells
                    .map(|(field, cell)| (field.to_string(), Value::String(cell.to_string())))
                    .collect();
                Some(Ok(Record {
                    place: Place::Line(line),
                    value: Value::Object(object),
                }))
            }
            Ok(false) => {
                self.ended = true;
                None
            }
            Err(error) => {
                // A row of another length is at fault alone; what cannot be read at all ends here.
                self.ended = matches!(error.kind(), CsvErrorKind::Io(_));
                Some(Err(located(error)))
            }
        }
    }
}

fn located(error: csv::Error) -> LocatedError {
    let line = error.position().map(|position| position.line());
    let place = line.map(|line| Place::Line(usize::try_from(line).unwrap_or(usize::MAX)));
    let kind = match error.into_kind() {
        CsvErrorKind::Io(error) => ErrorKind::Unreadable(error),
        CsvErrorKind::Utf8 { err, .. } => ErrorKind::NotUtf8 {
            column: err.valid_up_to() + 1,
        },
        CsvErrorKind::UnequalLengths {
            expected_len, len, ..
        } => ErrorKind::Cells {
            expected: expected_len,
            found: len,
        },
        other => ErrorKind::Table(format!("{other:?}")),
    };
    LocatedError { place, kind }
}
