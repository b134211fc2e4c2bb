//! A parquet file, by the format's own crate without arrow.

use std::io;
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use store::AtomicFile;

use super::spool::ExportRecord;

/// Rows that are held in memory before they are written together.
const ROWS: usize = 16_384;

const SCHEMA: &str = "message pair {
  required binary id (STRING);
  required binary question (STRING);
  required binary solution (STRING);
  required group topics (LIST) { repeated group list { required binary element (STRING); } }
  required group knowledge_points (LIST) { repeated group list { required binary element (STRING); } }
  required binary source (STRING);
}";

/// A file that is being written.
pub(crate) struct ParquetWriter {
    out: SerializedFileWriter<AtomicFile>,
    rows: Vec<ExportRecord>,
}

fn failed(error: ParquetError) -> io::Error {
    match error {
        // The disk's own error, where it is one.
        ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(source) => *source,
            Err(source) => io::Error::other(source.to_string()),
        },
        error => io::Error::other(error.to_string()),
    }
}

impl ParquetWriter {
    pub(crate) fn new(out: AtomicFile) -> io::Result<Self> {
        let schema = Arc::new(parse_message_type(SCHEMA).map_err(failed)?);
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .build();
        let out = SerializedFileWriter::new(out, schema, Arc::new(properties)).map_err(failed)?;
        Ok(Self {
            out,
            rows: Vec::new(),
        })
    }

    pub(crate) fn add(&mut self, record: &ExportRecord) -> io::Result<()> {
        self.rows.push(record.clone());
        if self.rows.len() >= ROWS {
            self.flush()
        } else {
            Ok(())
        }
    }

    pub(crate) fn finish(mut self) -> io::Result<AtomicFile> {
        self.flush()?;
        self.out.into_inner().map_err(failed)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let rows = std::mem::take(&mut self.rows);
        self.write(&rows).map_err(failed)
    }

    /// The columns in the order of the schema.
    fn write(&mut self, rows: &[ExportRecord]) -> Result<(), ParquetError> {
        let text = |of: fn(&ExportRecord) -> &str| {
            rows.iter()
                .map(|row| ByteArray::from(of(row)))
                .collect::<Vec<_>>()
        };
        let columns = [
            Column::plain(text(|row| &row.id)),
            Column::plain(text(|row| &row.question)),
            Column::plain(text(|row| &row.solution)),
            Column::lists(rows.iter().map(|row| row.topics.as_slice())),
            Column::lists(rows.iter().map(|row| row.knowledge_points.as_slice())),
            Column::plain(text(|row| &row.source)),
        ];
        let mut group = self.out.next_row_group()?;
        for Column { values, levels } in &columns {
            let Some(mut writer) = group.next_column()? else {
                break;
            };
            let (definitions, repetitions) = match levels {
                Some((definitions, repetitions)) => {
                    (Some(definitions.as_slice()), Some(repetitions.as_slice()))
                }
                None => (None, None),
            };
            writer
                .typed::<ByteArrayType>()
                .write_batch(values, definitions, repetitions)?;
            writer.close()?;
        }
        group.close()?;
        Ok(())
    }
}

struct Column {
    values: Vec<ByteArray>,
    /// Definition levels (0: an empty list, 1: an element) and repetition levels (0: a new row, 1:
    /// the same list).
    levels: Option<(Vec<i16>, Vec<i16>)>,
}

impl Column {
    fn plain(values: Vec<ByteArray>) -> Self {
        Self {
            values,
            levels: None,
        }
    }

    fn lists<'a>(lists: impl Iterator<Item = &'a [String]>) -> Self {
        let (mut values, mut definitions, mut repetitions) = (Vec::new(), Vec::new(), Vec::new());
        for list in lists {
            if list.is_empty() {
                definitions.push(0);
                repetitions.push(0);
            }
            for (place, name) in list.iter().enumerate() {
                values.push(ByteArray::from(name.as_str()));
                definitions.push(1);
                repetitions.push(i16::from(place > 0));
            }
        }
        Self {
            values,
            levels: Some((definitions, repetitions)),
        }
    }
}
