//! Files whose records are values of any number of lines: the elements of one array, or values one
//! after the other.
//!
//! A value's end is found by counting brackets outside of strings, without recursion; then the
//! value is parsed alone.

use crate::error::{ErrorKind, LocatedError};
use crate::format::FileFormat;
use crate::source::{MAX_RECORD_BYTES, Source};
use crate::{Place, Record, parse};

pub(crate) struct Values {
    source: Source,
    state: State,
    /// The line of the next byte, from 1.
    line: usize,
    /// The number of bytes of that line that were taken.
    column: usize,
    bytes: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    /// Before the bracket that opens the array.
    ArrayStart,
    /// After that bracket: an element, or the end.
    FirstElement,
    /// After a comma: an element.
    Element,
    /// After an element: a comma or the end.
    AfterElement,
    /// After the array: nothing.
    ArrayEnd,
    /// Between the values of a run.
    Run,
    Ended,
}

impl Values {
    pub(crate) fn new(source: Source, format: FileFormat) -> Self {
        let state = if format == FileFormat::JsonArray {
            State::ArrayStart
        } else {
            State::Run
        };
        Self {
            source,
            state,
            line: 1,
            column: 0,
            bytes: Vec::new(),
        }
    }

    pub(crate) fn position(&self) -> u64 {
        self.source.position()
    }

    pub(crate) fn next(&mut self) -> Option<Result<Record, LocatedError>> {
        if self.state == State::Ended {
            return None;
        }
        match self.find_value() {
            Ok(true) => {}
            Ok(false) => {
                self.state = State::Ended;
                return None;
            }
            Err(error) => {
                self.state = State::Ended;
                return Some(Err(error));
            }
        }
        let line = self.line;
        // The parser counts columns from the value's first byte; spaces in its place keep them
        // right.
        self.bytes.clear();
        self.bytes.resize(self.column.min(MAX_RECORD_BYTES), b' ');
        if let Err(error) = self.read_value() {
            self.state = State::Ended;
            return Some(Err(error));
        }
        Some(parse::json(&self.bytes, line).map(|value| Record {
            place: Place::Line(line),
            value,
        }))
    }

    /// Goes to the first byte of the next value; false where there is none.
    fn find_value(&mut self) -> Result<bool, LocatedError> {
        while let Some(byte) = self.peek()? {
            self.state = match (self.state, byte) {
                (_, b' ' | b'\t' | b'\r' | b'\n') => self.state,
                (State::ArrayStart, b'[') => State::FirstElement,
                (State::ArrayStart, _) => {
                    return Err(LocatedError::at_line(self.line, ErrorKind::NotAnArray));
                }
                (State::FirstElement | State::AfterElement, b']') => State::ArrayEnd,
                (State::AfterElement, b',') => State::Element,
                (State::AfterElement, _) => {
                    return Err(self.error("expected \",\" or \"]\" after the record"));
                }
                (State::ArrayEnd, _) => {
                    return Err(self.error("something follows the end of the array"));
                }
                (State::Element, b']') => {
                    return Err(self.error("a comma before the end of the array"));
                }
                (State::FirstElement | State::Element | State::Run, b',' | b'}' | b']') => {
                    return Err(
                        self.error(&format!("expected a record, found \"{}\"", byte as char))
                    );
                }
                (State::FirstElement | State::Element, _) => {
                    self.state = State::AfterElement;
                    return Ok(true);
                }
                (State::Run, _) => return Ok(true),
                (State::Ended, _) => return Ok(false),
            };
            self.step(byte);
        }
        match self.state {
            State::ArrayStart | State::ArrayEnd | State::Run | State::Ended => Ok(false),
            _ => Err(LocatedError::at_line(self.line, ErrorKind::UnclosedArray)),
        }
    }

    fn peek(&mut self) -> Result<Option<u8>, LocatedError> {
        Ok(self.source.block(self.line)?.first().copied())
    }

    fn step(&mut self, byte: u8) {
        self.source.consume(1);
        if byte == b'\n' {
            self.line += 1;
            self.column = 0;
        } else {
            self.column += 1;
        }
    }

    fn error(&self, reason: &str) -> LocatedError {
        let kind = ErrorKind::NotJson {
            reason: reason.to_owned(),
            column: self.column + 1,
            begins: None,
        };
        LocatedError::at_line(self.line, kind)
    }

    /// Appends the value that begins at the next byte to `bytes`.
    fn read_value(&mut self) -> Result<(), LocatedError> {
        let first_line = self.line;
        let before = self.bytes.len();
        let mut shape = Shape::default();
        loop {
            let block = self.source.block(first_line)?;
            if block.is_empty() {
                let kind = ErrorKind::Unclosed;
                return if shape.is_open() {
                    Err(LocatedError::at_line(first_line, kind))
                } else {
                    Ok(())
                };
            }
            let end = shape.end(block);
            let taken = &block[..end.unwrap_or(block.len())];
            self.bytes.extend_from_slice(taken);
            self.line += parse::count_lines(taken);
            self.column = match taken.iter().rposition(|&b| b == b'\n') {
                Some(newline) => taken.len() - newline - 1,
                None => self.column + taken.len(),
            };
            let used = taken.len();
            self.source.consume(used);
            if self.bytes.len() - before > MAX_RECORD_BYTES {
                return Err(LocatedError::at_line(
                    first_line,
                    ErrorKind::TooLong {
                        limit: MAX_RECORD_BYTES,
                    },
                ));
            }
            if end.is_some() {
                return Ok(());
            }
        }
    }
}

/// How deep in brackets and strings the bytes so far end.
#[derive(Default)]
struct Shape {
    depth: usize,
    in_string: bool,
    escaped: bool,
    begun: bool,
}

impl Shape {
    fn is_open(&self) -> bool {
        self.depth > 0 || self.in_string
    }

    /// Where in the block the value ends, if it does.
    fn end(&mut self, block: &[u8]) -> Option<usize> {
        for (i, &byte) in block.iter().enumerate() {
            if self.in_string {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => {
                        self.in_string = false;
                        if self.depth == 0 {
                            return Some(i + 1);
                        }
                    }
                    _ => {}
                }
                continue;
            }
            match byte {
                // What begins while a number or word goes on is the next value.
                b'"' | b'{' | b'[' if self.depth == 0 && self.begun => return Some(i),
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                // Brackets of both kinds count alike: whether they match is left to the parser,
                // which says it better.
                b'}' | b']' if self.depth > 1 => self.depth -= 1,
                b'}' | b']' if self.depth == 1 => return Some(i + 1),
                b'}' | b']' | b',' | b' ' | b'\t' | b'\r' | b'\n' if self.depth == 0 => {
                    return Some(i);
                }
                _ => {}
            }
            self.begun = true;
        }
        None
    }
}
