//! The bytes of one record to its value, with errors that say line and column.

use serde_json::Value;

use crate::error::{ErrorKind, LocatedError};

/// Checks that the bytes are text: UTF-8 without NUL.
pub(crate) fn text(bytes: &[u8], first_line: usize) -> Result<&str, LocatedError> {
    let text = std::str::from_utf8(bytes).map_err(|e| {
        let (line, column) = place(bytes, e.valid_up_to(), first_line);
        LocatedError::at_line(line, ErrorKind::NotUtf8 { column })
    })?;
    match text.find('\0') {
        Some(nul) => {
            let (line, column) = place(bytes, nul, first_line);
            Err(LocatedError::at_line(line, ErrorKind::Nul { column }))
        }
        None => Ok(text),
    }
}

/// Parses one JSON value, at most 128 levels deep.
pub(crate) fn json(bytes: &[u8], first_line: usize) -> Result<Value, LocatedError> {
    serde_json::from_str(text(bytes, first_line)?).map_err(|e| {
        let line = first_line + e.line().saturating_sub(1);
        let message = e.to_string();
        // The parser counts its lines from the record's first; ours are the file's.
        let reason = message
            .split(" at line ")
            .next()
            .unwrap_or(&message)
            .to_owned();
        let begins = (line != first_line).then_some(first_line);
        LocatedError::at_line(
            line,
            ErrorKind::NotJson {
                reason,
                column: e.column(),
                begins,
            },
        )
    })
}

/// Line and column of a byte, both from 1.
fn place(bytes: &[u8], at: usize, first_line: usize) -> (usize, usize) {
    let before = &bytes[..at];
    let line_start = before
        .iter()
        .rposition(|&b| b == b'\n')
        .map_or(0, |end| end + 1);
    (first_line + count_lines(before), at - line_start + 1)
}

pub(crate) fn count_lines(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&b| b == b'\n').count()
}
