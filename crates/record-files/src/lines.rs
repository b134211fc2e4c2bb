//! Files with a record a line: JSON Lines and plain text.

use serde_json::Value;

use crate::error::{ErrorKind, LocatedError};
use crate::source::{MAX_RECORD_BYTES, Source};
use crate::{Place, Record, parse};

pub(crate) struct Lines {
    source: Source,
    /// Text instead of JSON.
    plain: bool,
    /// The line last read, from 1.
    line: usize,
    bytes: Vec<u8>,
    ended: bool,
}

impl Lines {
    pub(crate) fn new(source: Source, plain: bool) -> Self {
        Self {
            source,
            plain,
            line: 0,
            bytes: Vec::new(),
            ended: false,
        }
    }

    pub(crate) fn position(&self) -> u64 {
        self.source.position()
    }

    pub(crate) fn next(&mut self) -> Option<Result<Record, LocatedError>> {
        while !self.ended {
            self.line += 1;
            if let Err(error) = self.read_line() {
                self.ended = true;
                return Some(Err(error));
            }
            // Concatenated files may have a byte order mark in the middle.
            let line = self
                .bytes
                .strip_prefix(b"\xEF\xBB\xBF")
                .unwrap_or(&self.bytes);
            if line.trim_ascii().is_empty() {
                continue;
            }
            let value = if self.plain {
                parse::text(line, self.line).map(|text| Value::String(text.to_owned()))
            } else {
                parse::json(line, self.line)
            };
            return Some(value.map(|value| Record {
                place: Place::Line(self.line),
                value,
            }));
        }
        None
    }

    /// Puts the next line into `bytes`, without its end.
    fn read_line(&mut self) -> Result<(), LocatedError> {
        self.bytes.clear();
        loop {
            let block = self.source.block(self.line)?;
            if block.is_empty() {
                self.ended = true;
                break;
            }
            let end = block.iter().position(|&b| b == b'\n');
            self.bytes
                .extend_from_slice(&block[..end.unwrap_or(block.len())]);
            let used = end.map_or(block.len(), |end| end + 1);
            self.source.consume(used);
            if self.bytes.len() > MAX_RECORD_BYTES {
                return Err(LocatedError::at_line(
                    self.line,
                    ErrorKind::TooLong {
                        limit: MAX_RECORD_BYTES,
                    },
                ));
            }
            if end.is_some() {
                break;
            }
        }
        if self.bytes.last() == Some(&b'\r') {
            self.bytes.pop();
        }
        Ok(())
    }
}
