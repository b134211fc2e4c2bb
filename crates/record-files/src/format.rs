//! Which format a file has: by its content, and where that leaves it open, by its name.

use std::path::Path;

use serde_json::Value;

use crate::source::Start;

/// How records are written in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileFormat {
    /// A JSON value a line; blank lines are passed over.
    JsonLines,
    /// One JSON array; its elements are the records.
    JsonArray,
    /// JSON values one after the other, each over as many lines as it likes, without commas between
    /// them; a single value too.
    JsonStream,
    /// Apache parquet; its rows are the records, as JSON objects.
    ///
    /// Lists become arrays, groups objects, and so do maps whose keys are strings (other maps
    /// become arrays of `{"key", "value"}`). Binary columns are strings where they are UTF-8, else
    /// `0x` and hexadecimal digits. Decimals, dates and times are strings, so are numbers that JSON
    /// cannot write (`NaN`, `inf`, `-inf`).
    Parquet,
    /// A table of comma-separated values (RFC 4180; tabs in a file called `.tsv`) whose first row
    /// names the fields; each further row is an object of strings.
    Table,
    /// Plain text: each line that is not blank is a record, a string without its line end.
    ///
    /// Not a paragraph: a file without blank lines would be a single record, and no place in it
    /// could be named.
    Text,
}

const TEXT_EXTENSIONS: [&str; 4] = ["txt", "text", "md", "markdown"];
const JSON_EXTENSIONS: [&str; 4] = ["json", "jsonl", "ndjson", "jsonlines"];

/// Parquet has its magic bytes. A file called `.csv` or `.tsv` is a table, one called `.txt` or `.md` is text. Else a file is JSON where it
/// is called so or begins like an object, or an array of them, and text otherwise.
pub(crate) fn detect(path: &Path, start: &Start) -> FileFormat {
    let extension = path
        .extension()
        .and_then(|e| e.to_str())
        .map(str::to_ascii_lowercase);
    let is = |known: &[&str]| extension.as_deref().is_some_and(|e| known.contains(&e));
    if start.bytes().starts_with(b"PAR1") || is(&["parquet"]) {
        return FileFormat::Parquet;
    }
    if is(&["csv", "tsv"]) {
        return FileFormat::Table;
    }
    if is(&TEXT_EXTENSIONS) || !(is(&JSON_EXTENSIONS) || begins_like_json(start.bytes())) {
        return FileFormat::Text;
    }
    json_format(start, is(&["jsonl", "ndjson", "jsonlines"]))
}

fn begins_like_json(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii_start();
    let Some((&first, rest)) = text.split_first() else {
        return false;
    };
    let next = rest.trim_ascii_start().first();
    match first {
        b'{' => matches!(next, Some(b'"' | b'}')),
        // Prose may begin with a bracket as well: `[1] Smith`.
        b'[' => matches!(next, Some(b'{')),
        _ => false,
    }
}

fn json_format(start: &Start, called_lines: bool) -> FileFormat {
    let text = start.bytes().trim_ascii_start();
    let (line, after) = match text.iter().position(|&b| b == b'\n') {
        Some(end) => (&text[..end], &text[end..]),
        None if start.is_whole() => (text, [].as_slice()),
        // The first line is longer than what was inspected. A stream of values reads lines as well.
        None if text.starts_with(b"[") => return FileFormat::JsonArray,
        None => return FileFormat::JsonStream,
    };
    let whole_line = serde_json::from_slice::<Value>(line).is_ok();
    let alone = after.trim_ascii_start().is_empty();
    if text.starts_with(b"[") {
        // Lines may be arrays themselves: then there are several that are whole.
        return if whole_line && !alone {
            FileFormat::JsonLines
        } else {
            FileFormat::JsonArray
        };
    }
    // A first line that goes on in the next one ends so; otherwise a line in a file called `.jsonl`
    // is only damaged, and the error should speak of that line.
    let goes_on = matches!(line.trim_ascii_end().last(), Some(b'{' | b'[' | b','));
    if whole_line || (called_lines && !goes_on) {
        FileFormat::JsonLines
    } else {
        FileFormat::JsonStream
    }
}
