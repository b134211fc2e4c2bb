//! The bytes of a file: its start, inspected to detect the format, then all of it in buffered blocks.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};
use std::path::Path;

use crate::error::{Error, ErrorKind, LocatedError};

/// The longest record that is read, in bytes of JSON or text: 64 MiB. A longer one is an error, so
/// that no file fills the memory.
pub const MAX_RECORD_BYTES: usize = 64 << 20;

/// How much of a file is inspected to detect its format.
const MAX_START_BYTES: usize = 1 << 20;
const BLOCK_BYTES: usize = 256 << 10;
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The first bytes of an open file, a byte order mark taken off.
pub(crate) struct Start {
    file: File,
    bytes: Vec<u8>,
    /// The mark's length.
    skipped: usize,
    /// All of the file is in `bytes`.
    whole: bool,
}

impl Start {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.whole
    }
}

pub(crate) fn start(path: &Path) -> Result<Start, Error> {
    let fail = |e: io::Error| match e.kind() {
        io::ErrorKind::NotFound => Error::new(path, ErrorKind::NotFound),
        _ => Error::new(path, ErrorKind::Unreadable(e)),
    };
    let mut file = File::open(path).map_err(fail)?;
    if file.metadata().map_err(fail)?.is_dir() {
        return Err(Error::new(path, ErrorKind::Folder));
    }
    let mut bytes = Vec::new();
    let mut whole = false;
    while !whole && bytes.len() < MAX_START_BYTES && !has_two_lines(&bytes) {
        let read = (&mut file)
            .take(BLOCK_BYTES as u64)
            .read_to_end(&mut bytes)
            .map_err(fail)?;
        whole = read < BLOCK_BYTES;
    }
    // The third mark is of UTF-32; its little-endian one begins like that of UTF-16.
    if [b"\xFF\xFE".as_slice(), b"\xFE\xFF", b"\0\0\xFE\xFF"]
        .iter()
        .any(|mark| bytes.starts_with(mark))
    {
        return Err(Error::new(path, ErrorKind::Utf16));
    }
    let skipped = if bytes.starts_with(BYTE_ORDER_MARK) {
        BYTE_ORDER_MARK.len()
    } else {
        0
    };
    bytes.drain(..skipped);
    Ok(Start {
        file,
        bytes,
        skipped,
        whole,
    })
}

/// There is a line that is not blank and something after it.
fn has_two_lines(bytes: &[u8]) -> bool {
    let rest = bytes.trim_ascii_start();
    match rest.iter().position(|&b| b == b'\n') {
        Some(end) => !rest[end..].trim_ascii_start().is_empty(),
        None => false,
    }
}

/// A file as a stream of blocks. The start is not read again, so a pipe serves as well.
pub(crate) struct Source {
    reader: BufReader<Chain<Cursor<Vec<u8>>, File>>,
    taken: u64,
}

impl Source {
    pub(crate) fn new(start: Start) -> Self {
        let chain = Cursor::new(start.bytes).chain(start.file);
        Self {
            reader: BufReader::with_capacity(BLOCK_BYTES, chain),
            taken: start.skipped as u64,
        }
    }

    /// The next bytes, none at the end of the file.
    pub(crate) fn block(&mut self, line: usize) -> Result<&[u8], LocatedError> {
        loop {
            // Asked twice because the borrow of the first answer would outlive an interruption.
            match self.reader.fill_buf() {
                Ok(_) => break,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(LocatedError::at_line(line, ErrorKind::Unreadable(e))),
            }
        }
        Ok(self.reader.buffer())
    }

    pub(crate) fn consume(&mut self, bytes: usize) {
        self.reader.consume(bytes);
        self.taken += bytes as u64;
    }

    pub(crate) fn position(&self) -> u64 {
        self.taken
    }
}
