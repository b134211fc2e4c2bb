//! Parquet files: rows through the record interface of the parquet crate, without arrow.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use parquet::basic::Compression;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::reader::RowIter;
use parquet::record::{Field, Row};
use serde_json::{Map, Number, Value};

use crate::error::{Error, ErrorKind, LocatedError};
use crate::{Place, Record};

pub(crate) struct Rows {
    rows: RowIter<'static>,
    /// Rows read.
    read: u64,
    total: u64,
    file_bytes: u64,
    ended: bool,
}

impl Rows {
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let unreadable = |e| Error::new(path, ErrorKind::Unreadable(e));
        let file = File::open(path).map_err(unreadable)?;
        let file_bytes = file.metadata().map_err(unreadable)?.len();
        let reader =
            guarded(|| SerializedFileReader::new(file)).map_err(|kind| Error::new(path, kind))?;
        let metadata = reader.metadata();
        for group in metadata.row_groups() {
            for column in group.columns() {
                check_compression(column.compression())
                    .map_err(|codec| ErrorKind::Compression {
                        column: column.column_path().string(),
                        codec,
                    })
                    .map_err(|kind| Error::new(path, kind))?;
            }
        }
        let total = metadata
            .row_groups()
            .iter()
            // Signed in the file, so that a damaged one may say less than nothing.
            .map(|group| group.num_rows().max(0) as u64)
            .sum();
        let rows = guarded(|| Ok(RowIter::from_file_into(Box::new(reader))))
            .map_err(|kind| Error::new(path, kind))?;
        Ok(Self {
            rows,
            read: 0,
            total,
            file_bytes,
            ended: false,
        })
    }

    pub(crate) fn position(&self) -> u64 {
        match self.total {
            0 => self.file_bytes,
            total => {
                (u128::from(self.file_bytes) * u128::from(self.read.min(total)) / u128::from(total))
                    as u64
            }
        }
    }

    pub(crate) fn next(&mut self) -> Option<Result<Record, LocatedError>> {
        if self.ended {
            return None;
        }
        let place = Place::Row(self.read as usize + 1);
        let rows = &mut self.rows;
        // Its dates panic where they are out of the calendar, so the conversion is guarded too.
        match guarded(|| rows.next().map(|row| row.map(object)).transpose()) {
            Ok(Some(value)) => {
                self.read += 1;
                Some(Ok(Record { place, value }))
            }
            Ok(None) => {
                self.ended = true;
                None
            }
            Err(kind) => {
                self.ended = true;
                Some(Err(LocatedError {
                    place: Some(place),
                    kind,
                }))
            }
        }
    }
}

/// Runs the library, which asserts what a damaged file may well break, and makes an error of either
/// kind of failure.
fn guarded<T>(read: impl FnOnce() -> parquet::errors::Result<T>) -> Result<T, ErrorKind> {
    // Safe to assert: after an error of either kind the reader, whatever state it is in, is not
    // used again.
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(result) => result.map_err(|e| ErrorKind::Parquet(e.to_string())),
        Err(panic) => {
            let message = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or(panic.downcast_ref::<&str>().copied());
            Err(ErrorKind::Parquet(format!(
                "damaged ({})",
                message.unwrap_or("the reader gave up")
            )))
        }
    }
}

fn check_compression(compression: Compression) -> Result<(), String> {
    match compression {
        Compression::UNCOMPRESSED
        | Compression::SNAPPY
        | Compression::GZIP(_)
        | Compression::LZ4
        | Compression::LZ4_RAW
        | Compression::ZSTD(_) => Ok(()),
        Compression::LZO => Err("LZO".to_owned()),
        Compression::BROTLI(_) => Err("Brotli".to_owned()),
    }
}

fn object(row: Row) -> Value {
    Value::Object(
        row.into_columns()
            .into_iter()
            .map(|(name, field)| (name, value(field)))
            .collect(),
    )
}

fn value(field: Field) -> Value {
    match field {
        Field::Null => Value::Null,
        Field::Bool(b) => Value::Bool(b),
        Field::Byte(n) => n.into(),
        Field::Short(n) => n.into(),
        Field::Int(n) => n.into(),
        Field::Long(n) => n.into(),
        Field::UByte(n) => n.into(),
        Field::UShort(n) => n.into(),
        Field::UInt(n) => n.into(),
        Field::ULong(n) => n.into(),
        Field::Float16(n) => float(n.to_f64()),
        // By way of its shortest decimal format, so that 0.1 stays 0.1.
        Field::Float(n) => n.to_string().parse().map_or(Value::Null, float),
        Field::Double(n) => float(n),
        Field::Str(text) => Value::String(text),
        Field::Bytes(bytes) => binary(bytes.data()),
        field @ (Field::Decimal(_)
        | Field::Date(_)
        | Field::TimeMillis(_)
        | Field::TimeMicros(_)
        | Field::TimestampMillis(_)
        | Field::TimestampMicros(_)) => Value::String(field.to_string()),
        Field::Group(row) => object(row),
        Field::ListInternal(list) => list.elements().iter().cloned().map(value).collect(),
        Field::MapInternal(map) => entries(map.entries()),
    }
}

fn float(n: f64) -> Value {
    Number::from_f64(n).map_or_else(|| Value::String(n.to_string()), Value::Number)
}

fn binary(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => Value::String(text.to_owned()),
        Err(_) => {
            let digits: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
            Value::String(format!("0x{digits}"))
        }
    }
}

fn entries(entries: &[(Field, Field)]) -> Value {
    let pairs: Vec<(Value, Value)> = entries
        .iter()
        .map(|(key, of)| (value(key.clone()), value(of.clone())))
        .collect();
    if pairs.iter().all(|(key, _)| key.is_string()) {
        let object: Map<String, Value> = pairs
            .into_iter()
            .map(|(key, of)| (key.as_str().unwrap_or_default().to_owned(), of))
            .collect();
        return Value::Object(object);
    }
    let rows = pairs.into_iter().map(|(key, of)| {
        let entry: Map<String, Value> = [("key".to_owned(), key), ("value".to_owned(), of)]
            .into_iter()
            .collect();
        Value::Object(entry)
    });
    rows.collect()
}
