use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use parquet::basic::{Compression, GzipLevel, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, FloatType, Int32Type, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use record_files::{FileFormat, Place};
use serde_json::{Value, json};

use crate::{TempFile, error, file};

const SCHEMA: &str = "message records {
    REQUIRED BYTE_ARRAY question (UTF8);
    OPTIONAL INT64 level;
    REQUIRED FLOAT share;
    REQUIRED DOUBLE odd;
    REQUIRED INT32 day (DATE);
    REQUIRED BYTE_ARRAY raw;
    OPTIONAL GROUP messages (LIST) {
        REPEATED GROUP list {
            REQUIRED GROUP element {
                REQUIRED BYTE_ARRAY role (UTF8);
                OPTIONAL BYTE_ARRAY content (UTF8);
            }
        }
    }
    OPTIONAL GROUP notes (MAP) {
        REPEATED GROUP key_value {
            REQUIRED BYTE_ARRAY key (UTF8);
            REQUIRED INT32 value;
        }
    }
}";

/// Two rows, the second with nothing that may be missing, `groups` times.
fn write(path: &Path, compression: Compression, groups: usize) {
    let schema = Arc::new(parse_message_type(SCHEMA).unwrap());
    let properties = Arc::new(
        WriterProperties::builder()
            .set_compression(compression)
            .build(),
    );
    let mut writer =
        SerializedFileWriter::new(File::create(path).unwrap(), schema, properties).unwrap();
    let texts = |texts: &[&str]| {
        texts
            .iter()
            .map(|text| ByteArray::from(*text))
            .collect::<Vec<_>>()
    };
    for _ in 0..groups {
        let mut group = writer.next_row_group().unwrap();
        macro_rules! column {
            ($type:ty, $values:expr, $definition:expr, $repetition:expr) => {{
                let mut column = group.next_column().unwrap().unwrap();
                column
                    .typed::<$type>()
                    .write_batch($values, $definition, $repetition)
                    .unwrap();
                column.close().unwrap();
            }};
        }
        column!(
            ByteArrayType,
            &texts(&["1 + 1?", "2 \u{d7} 2?"]),
            None,
            None
        );
        column!(Int64Type, &[5], Some(&[1, 0]), None);
        column!(FloatType, &[0.1, 2.0], None, None);
        column!(DoubleType, &[f64::NAN, 1.5], None, None);
        column!(Int32Type, &[0, 19_000], None, None);
        column!(
            ByteArrayType,
            &[ByteArray::from("text"), ByteArray::from(vec![0xff, 0x01])],
            None,
            None
        );
        // Two messages in the first row, the second without content; no list in the second row.
        column!(
            ByteArrayType,
            &texts(&["user", "assistant"]),
            Some(&[2, 2, 0]),
            Some(&[0, 1, 0])
        );
        column!(
            ByteArrayType,
            &texts(&["hello"]),
            Some(&[3, 2, 0]),
            Some(&[0, 1, 0])
        );
        column!(
            ByteArrayType,
            &texts(&["a", "b"]),
            Some(&[2, 2, 0]),
            Some(&[0, 1, 0])
        );
        column!(Int32Type, &[1, 2], Some(&[2, 2, 0]), Some(&[0, 1, 0]));
        group.close().unwrap();
    }
    writer.close().unwrap();
}

fn fixture(compression: Compression, groups: usize) -> TempFile {
    let file = file("a.parquet", "");
    write(&file.path, compression, groups);
    file
}

fn expected() -> [Value; 2] {
    [
        json!({"question": "1 + 1?", "level": 5, "share": 0.1, "odd": "NaN", "day": "1970-01-01", "raw": "text",
            "messages": [{"role": "user", "content": "hello"}, {"role": "assistant", "content": null}], "notes": {"a": 1, "b": 2}}),
        json!({"question": "2 × 2?", "level": null, "share": 2.0, "odd": 1.5, "day": "2022-01-08", "raw": "0xff01",
            "messages": null, "notes": null}),
    ]
}

#[test]
fn rows_of_every_supported_compression_are_objects() {
    for compression in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::default()),
        Compression::ZSTD(ZstdLevel::default()),
        Compression::LZ4_RAW,
        Compression::LZ4,
    ] {
        let file = fixture(compression, 2);
        let mut records = record_files::open(&file.path).unwrap();
        assert_eq!(records.format(), FileFormat::Parquet);
        let read: Vec<_> = records.by_ref().map(Result::unwrap).collect();
        let values: Vec<_> = read.iter().map(|record| record.value.clone()).collect();
        assert_eq!(values, [expected(), expected()].concat(), "{compression:?}");
        assert_eq!(read[3].place, Place::Row(4));
        assert_eq!(
            records.bytes_read(),
            std::fs::metadata(&file.path).unwrap().len()
        );
    }
}

#[test]
fn the_magic_bytes_outweigh_the_name() {
    let parquet = fixture(Compression::SNAPPY, 1);
    let renamed = parquet.path.with_file_name("train.jsonl");
    std::fs::rename(&parquet.path, &renamed).unwrap();
    assert_eq!(
        record_files::open(&renamed).unwrap().format(),
        FileFormat::Parquet
    );
}

/// The compressions are numbers in the footer, which can be changed where a file has one column.
#[test]
fn other_compressions_are_refused_by_name() {
    let schema = Arc::new(parse_message_type("message m { REQUIRED INT32 n; }").unwrap());
    for (number, name) in [(3, "LZO"), (4, "Brotli")] {
        let file = file("a.parquet", "");
        let properties = Arc::new(
            WriterProperties::builder()
                .set_compression(Compression::SNAPPY)
                .build(),
        );
        let mut writer = SerializedFileWriter::new(
            File::create(&file.path).unwrap(),
            schema.clone(),
            properties,
        )
        .unwrap();
        let mut group = writer.next_row_group().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column
            .typed::<Int32Type>()
            .write_batch(&[1, 2], None, None)
            .unwrap();
        column.close().unwrap();
        group.close().unwrap();
        writer.close().unwrap();
        let mut bytes = std::fs::read(&file.path).unwrap();
        // In the column's metadata: its path (a list of one string, "n"), then the field "codec" as
        // an i32 in zigzag format.
        let at = bytes
            .windows(5)
            .rposition(|w| w == [0x18, 0x01, b'n', 0x15, 0x02])
            .expect("the codec in the footer");
        bytes[at + 4] = number * 2;
        std::fs::write(&file.path, bytes).unwrap();
        assert_eq!(
            error(&file),
            format!(
                "a.parquet: the column \"n\" is compressed with {name}, which is not supported: write the file with zstd, snappy, gzip, lz4 or none"
            )
        );
    }
}

#[test]
fn a_file_that_is_cut_off_or_empty_is_an_error() {
    let whole = std::fs::read(fixture(Compression::SNAPPY, 1).path).unwrap();
    for length in [0, 3, 4, 12, whole.len() / 2, whole.len() - 1] {
        let text = error(&file("a.parquet", &whole[..length]));
        assert!(
            text.starts_with("a.parquet: not a readable parquet file: "),
            "{length}: {text}"
        );
    }
}

#[test]
fn any_changed_byte_ends_in_records_or_an_error() {
    let whole = std::fs::read(fixture(Compression::SNAPPY, 1).path).unwrap();
    for at in 0..whole.len() {
        for change in [0x01, 0x80, 0xff] {
            let mut bytes = whole.clone();
            bytes[at] ^= change;
            if let Ok(records) = record_files::open(&file("a.parquet", bytes).path) {
                assert!(records.take(1000).count() < 1000);
            }
        }
    }
}
