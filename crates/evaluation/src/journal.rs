//! The journal of a run: `completions.jsonl`, a line for each finished completion.
//!
//! It only grows. What was appended is on the disk a second later at most. Every line carries a checksum of itself, so
//! that damage is found where it is; a last line without its end was torn by an interruption and is done again.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::record::CompletionRecord;

/// How long a record may be in the system's memory only.
const SYNC_EVERY: Duration = Duration::from_secs(1);

/// What stands between a record and its checksum. The checksum is the first half of BLAKE3 (hex) of the record without it.
const MARK: &[u8] = b",\"check\":\"";
const CHECK_DIGITS: usize = 32;

/// The growing file.
pub(crate) struct Journal {
    file: PathBuf,
    handle: File,
    /// When the disk was last known to have everything.
    synced: Instant,
    dirty: bool,
}

impl Journal {
    /// Opens a file for appending.
    pub(crate) fn open(file: PathBuf) -> Result<Self, Error> {
        match File::options().create(true).append(true).open(&file) {
            Ok(handle) => Ok(Self { file, handle, synced: Instant::now(), dirty: false }),
            Err(source) => Err(Error::WriteFailed { file, source }),
        }
    }

    /// Appends a record in one write.
    pub(crate) fn append(&mut self, record: &CompletionRecord) -> Result<(), Error> {
        let mut line = Vec::with_capacity(record.completion.len() + 256);
        let written = write_checked(&mut line, record).and_then(|()| self.handle.write_all(&line));
        self.dirty = true;
        written.map_err(|source| self.failed(source))?;
        self.tick()
    }

    /// Sees to it that the disk has what was appended more than a second ago.
    pub(crate) fn tick(&mut self) -> Result<(), Error> {
        match self.dirty && self.synced.elapsed() >= SYNC_EVERY {
            true => self.sync(),
            false => Ok(()),
        }
    }

    /// Sees to it that the disk has everything.
    pub(crate) fn sync(&mut self) -> Result<(), Error> {
        self.handle.sync_data().map_err(|source| self.failed(source))?;
        (self.synced, self.dirty) = (Instant::now(), false);
        Ok(())
    }

    fn failed(&self, source: io::Error) -> Error {
        Error::WriteFailed { file: self.file.clone(), source }
    }
}

/// A record as a line with its checksum.
pub(crate) fn write_checked(mut out: impl Write, record: &CompletionRecord) -> io::Result<()> {
    let mut line = serde_json::to_vec(record)?;
    let check = checksum(&line);
    line.pop();
    line.extend_from_slice(MARK);
    line.extend_from_slice(check.as_bytes());
    line.extend_from_slice(b"\"}\n");
    out.write_all(&line)
}

fn checksum(record: &[u8]) -> String {
    let mut digits = blake3::hash(record).to_hex().to_string();
    digits.truncate(CHECK_DIGITS);
    digits
}

/// The record of a line, or what is wrong with it.
fn read_checked(line: &[u8]) -> Result<CompletionRecord, String> {
    const LOST: &str =
        "the line does not end in its checksum: it was changed after it was written, or written by something else";
    let body = line.strip_suffix(b"\n").unwrap_or(line).strip_suffix(b"\"}").ok_or(LOST)?;
    let (rest, digits) = body.split_at_checked(body.len().saturating_sub(CHECK_DIGITS)).ok_or(LOST)?;
    let mut record = rest.strip_suffix(MARK).ok_or(LOST)?.to_vec();
    record.push(b'}');
    if checksum(&record).as_bytes() != digits {
        return Err("the line does not match its checksum: it was changed or damaged after it was written".to_string());
    }
    serde_json::from_slice(&record).map_err(|error| format!("not a record of this version: {error}"))
}

/// All records of a journal in the order of its lines, a torn last line left out.
///
/// # Errors
/// An unreadable file, or a line that is not what was written, by its number and with the way out.
pub(crate) fn read(file: &Path) -> Result<Vec<CompletionRecord>, Error> {
    let unreadable = |source| Error::Unreadable { file: file.to_path_buf(), source };
    let mut reader = BufReader::new(File::open(file).map_err(unreadable)?);
    let (mut records, mut line) = (Vec::new(), Vec::new());
    loop {
        line.clear();
        reader.read_until(b'\n', &mut line).map_err(unreadable)?;
        if !line.ends_with(b"\n") {
            return Ok(records);
        }
        let record = read_checked(&line).map_err(|fault| Error::Corrupt {
            file: file.to_path_buf(),
            line: Some(records.len() + 1),
            message: format!("{fault}. Take the line out to have the item done again, or start anew with --fresh"),
        })?;
        records.push(record);
    }
}

/// Cuts off what follows the last newline.
pub(crate) fn drop_torn_line(file: &Path) -> Result<(), Error> {
    let cut = || -> io::Result<()> {
        let mut handle = File::options().read(true).write(true).open(file)?;
        let whole = handle.metadata()?.len();
        let mut end = whole;
        let mut buffer = [0; 4096];
        while end > 0 {
            let start = end.saturating_sub(buffer.len() as u64);
            let chunk = &mut buffer[..(end - start) as usize];
            handle.seek(SeekFrom::Start(start))?;
            io::Read::read_exact(&mut handle, chunk)?;
            if let Some(newline) = chunk.iter().rposition(|&byte| byte == b'\n') {
                end = start + newline as u64 + 1;
                break;
            }
            end = start;
        }
        if end < whole { handle.set_len(end) } else { Ok(()) }
    };
    cut().map_err(|source| Error::WriteFailed { file: file.to_path_buf(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use generation::FinishReason;
    use proptest::prelude::*;

    fn record(id: &str, completion: &str) -> CompletionRecord {
        CompletionRecord {
            id: id.to_string(),
            set: "gsm8k".to_string(),
            task: "gsm8k".to_string(),
            sample: 0,
            completion: completion.to_string(),
            finish_reason: FinishReason::Eos,
            prompt_tokens: 3,
            completion_tokens: 4,
            prompt_hash: "00".to_string(),
            error: None,
        }
    }

    fn line(id: &str, completion: &str) -> Vec<u8> {
        let mut line = Vec::new();
        write_checked(&mut line, &record(id, completion)).unwrap();
        line
    }

    proptest! {
        #[test]
        fn a_line_is_read_as_it_was_written(id in ".*", completion in "(?s).*") {
            let line = line(&id, &completion);
            prop_assert_eq!(line.iter().filter(|&&byte| byte == b'\n').count(), 1);
            prop_assert!(serde_json::from_slice::<serde_json::Value>(&line).is_ok());
            prop_assert_eq!(read_checked(&line), Ok(record(&id, &completion)));
        }

        #[test]
        fn any_changed_byte_is_found(at in any::<prop::sample::Index>(), flip in 1u8..=255) {
            let mut line = line("gsm8k/1", "The answer is 7.");
            let at = at.index(line.len() - 1);
            line[at] ^= flip;
            prop_assert!(read_checked(&line).is_err());
        }
    }

    #[test]
    fn damage_is_told_by_its_line_and_a_torn_end_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("completions.jsonl");
        let lines = [line("a", "1"), line("b", "2"), line("c", "3")].concat();
        for torn in 1..line("c", "3").len() {
            std::fs::write(&file, &lines[..lines.len() - torn]).unwrap();
            assert_eq!(read(&file).unwrap().len(), 2);
            drop_torn_line(&file).unwrap();
            assert_eq!(std::fs::read(&file).unwrap(), [line("a", "1"), line("b", "2")].concat());
        }
        let mut damaged = lines.clone();
        damaged[line("a", "1").len() + 8] ^= 1;
        std::fs::write(&file, &damaged).unwrap();
        let message = read(&file).unwrap_err().to_string();
        assert!(message.contains("completions.jsonl, line 2: the line does not match its checksum"), "{message}");
    }
}
