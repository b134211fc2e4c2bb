//! A journal: a line of JSON for each finished record.
//!
//! It only grows. What was appended is on the disk a second later at most. Every line carries a
//! checksum of itself, so that damage is found where it is; a last line without its end was cut short by
//! an interruption and is done again.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::atomic_file::{folder_of, sync_folder};
use crate::error::FileError;

/// How long a record may be in the system's memory only.
const SYNC_EVERY: Duration = Duration::from_secs(1);

/// What stands between a record and its checksum. The checksum is the first half of BLAKE3 (hex) of
/// the record without it.
const MARK: &[u8] = b",\"check\":\"";
const CHECK_DIGITS: usize = 32;

/// The growing file.
#[derive(Debug)]
pub struct Journal {
    file: PathBuf,
    handle: File,
    /// Bytes in it.
    end: u64,
    /// When the disk was last known to have everything.
    synced: Instant,
    dirty: bool,
}

impl Journal {
    /// Opens a file for appending, and makes it where there is none. A partial last line is the
    /// caller's to drop first ([`truncate_partial_line`]).
    ///
    /// # Errors
    /// [`FileError::WriteFailed`].
    pub fn open(file: PathBuf) -> Result<Self, FileError> {
        match Self::opened(&file) {
            Ok((handle, end)) => Ok(Self {
                file,
                handle,
                end,
                synced: Instant::now(),
                dirty: false,
            }),
            Err(source) => Err(FileError::WriteFailed { file, source }),
        }
    }

    fn opened(file: &Path) -> io::Result<(File, u64)> {
        let is_new = !file.exists();
        let handle = File::options().create(true).append(true).open(file)?;
        let end = handle.metadata()?.len();
        if is_new {
            // Records that are synced are lost all the same where the name of their file is.
            sync_folder(folder_of(file))?;
        }
        Ok((handle, end))
    }

    /// Appends a record in one write. Returns the position of its line's first byte.
    ///
    /// # Errors
    /// [`FileError::WriteFailed`].
    pub fn append(&mut self, record: &impl Serialize) -> Result<u64, FileError> {
        // One write a line, without a buffer between: a process that is killed loses nothing that
        // was appended, and leaves at most its last line in part.
        let mut line = Vec::with_capacity(1024);
        let written = write_record(&mut line, record).and_then(|()| self.handle.write_all(&line));
        // Also where the write failed: a part of the line may be in the file.
        self.dirty = true;
        written.map_err(|source| self.failed(source))?;
        let start = self.end;
        self.end += line.len() as u64;
        self.tick()?;
        Ok(start)
    }

    /// Sees to it that the disk has what was appended more than a second ago.
    ///
    /// # Errors
    /// [`FileError::WriteFailed`].
    pub fn tick(&mut self) -> Result<(), FileError> {
        // Only a power failure or a crash of the system can take what was written but not synced. A
        // sync waits for the disk, so that it is not made for each record.
        match self.dirty && self.synced.elapsed() >= SYNC_EVERY {
            true => self.sync(),
            false => Ok(()),
        }
    }

    /// Sees to it that the disk has everything.
    ///
    /// # Errors
    /// [`FileError::WriteFailed`].
    pub fn sync(&mut self) -> Result<(), FileError> {
        self.handle
            // Records and length, which reading needs. Time stamps are not worth another write.
            .sync_data()
            .map_err(|source| self.failed(source))?;
        (self.synced, self.dirty) = (Instant::now(), false);
        Ok(())
    }

    fn failed(&self, source: io::Error) -> FileError {
        FileError::WriteFailed {
            file: self.file.clone(),
            source,
        }
    }
}

/// A record, which must be a JSON object with at least one field, as a line with its checksum.
///
/// # Errors
/// As of `out`, or a record that is no such object.
pub fn write_record(mut out: impl Write, record: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(record)?;
    if line.len() <= 2 || line.pop_if(|last| *last == b'}').is_none() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "a record of a journal must be an object with fields",
        ));
    }
    // The checksum is the last field of the object: a line stays plain JSON, and the bytes that it
    // covers are one piece.
    let check = checksum(&line);
    line.extend_from_slice(MARK);
    line.extend_from_slice(check.as_bytes());
    line.extend_from_slice(b"\"}\n");
    out.write_all(&line)
}

/// Of a record whose closing brace is left out.
fn checksum(record: &[u8]) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut digits = hasher
        .update(record)
        .update(b"}")
        .finalize()
        .to_hex()
        .to_string();
    digits.truncate(CHECK_DIGITS);
    digits
}

/// The record of a line.
///
/// # Errors
/// What is wrong with the line, in words.
pub fn parse_record<T: DeserializeOwned>(line: &[u8]) -> Result<T, String> {
    const LOST: &str = "the line does not end in its checksum: it was changed after it was written, or written by something else";
    let body = line
        .strip_suffix(b"\n")
        .unwrap_or(line)
        .strip_suffix(b"\"}")
        .ok_or(LOST)?;
    // By length from the end and not by a search for MARK, which an object within the record may
    // hold too.
    let (rest, digits) = body
        .split_at_checked(body.len().saturating_sub(CHECK_DIGITS))
        .ok_or(LOST)?;
    let record = rest.strip_suffix(MARK).ok_or(LOST)?;
    if checksum(record).as_bytes() != digits {
        return Err(
            "the line does not match its checksum: it was changed or damaged after it was written"
                .to_string(),
        );
    }
    let whole = [record, b"}"].concat();
    serde_json::from_slice(&whole).map_err(|error| format!("not a record of this version: {error}"))
}

/// All records of a journal in the order of its lines, a partial last line left out.
///
/// # Errors
/// An unreadable file, or a line that is not what was written, by its number and with the way out.
pub fn read_journal<T: DeserializeOwned>(file: &Path) -> Result<Vec<T>, FileError> {
    let mut records = Vec::new();
    for_each_record(file, |_, record| {
        records.push(record);
        Ok(())
    })?;
    Ok(records)
}

/// Gives each record of a journal with the position of its line's first byte, a partial last line
/// left out.
///
/// # Errors
/// An unreadable file, a line that is not what was written, or what `receive` has to say against a
/// record, with its line.
pub fn for_each_record<T: DeserializeOwned>(
    file: &Path,
    mut receive: impl FnMut(u64, T) -> Result<(), String>,
) -> Result<(), FileError> {
    let unreadable = |source| FileError::Unreadable {
        file: file.to_path_buf(),
        source,
    };
    let mut reader = BufReader::new(File::open(file).map_err(unreadable)?);
    let (mut start, mut lines, mut line) = (0, 0, Vec::new());
    loop {
        line.clear();
        let length = reader.read_until(b'\n', &mut line).map_err(unreadable)?;
        // The end, or a line that was cut short, or one that a run which still goes on is writing.
        if !line.ends_with(b"\n") {
            return Ok(());
        }
        lines += 1;
        parse_record(&line)
            .and_then(|record| receive(start, record))
            .map_err(|fault| FileError::Corrupt {
                file: file.to_path_buf(),
                line: Some(lines),
                message: format!("{fault}. Take the line out to have the item done again"),
            })?;
        start += length as u64;
    }
}

/// Cuts off what follows the last newline.
///
/// # Errors
/// [`FileError::WriteFailed`].
pub fn truncate_partial_line(file: &Path) -> Result<(), FileError> {
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
        if end < whole {
            handle.set_len(end)
        } else {
            Ok(())
        }
    };
    cut().map_err(|source| FileError::WriteFailed {
        file: file.to_path_buf(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Record {
        id: String,
        completion: String,
    }

    fn record(id: &str, completion: &str) -> Record {
        Record {
            id: id.to_string(),
            completion: completion.to_string(),
        }
    }

    fn line(id: &str, completion: &str) -> Vec<u8> {
        let mut line = Vec::new();
        write_record(&mut line, &record(id, completion)).unwrap();
        line
    }

    proptest! {
        #[test]
        fn a_line_is_read_as_it_was_written(id in ".*", completion in "(?s).*") {
            let line = line(&id, &completion);
            prop_assert_eq!(line.iter().filter(|&&byte| byte == b'\n').count(), 1);
            prop_assert!(serde_json::from_slice::<serde_json::Value>(&line).is_ok());
            prop_assert_eq!(parse_record(&line), Ok(record(&id, &completion)));
        }

        #[test]
        fn any_changed_byte_is_found(at in any::<prop::sample::Index>(), flip in 1u8..=255) {
            let mut line = line("gsm8k/1", "The answer is 7.");
            let at = at.index(line.len() - 1);
            line[at] ^= flip;
            prop_assert!(parse_record::<Record>(&line).is_err());
        }
    }

    #[test]
    fn only_objects_with_fields_are_records() {
        let mut line = Vec::new();
        assert!(write_record(&mut line, &7).is_err());
        assert!(write_record(&mut line, &serde_json::json!({})).is_err());
        assert!(write_record(&mut line, &serde_json::json!([1, 2])).is_err());
        assert_eq!(line, b"");
    }

    #[test]
    fn damage_is_told_by_its_line_and_a_partial_line_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("completions.jsonl");
        let lines = [line("a", "1"), line("b", "2"), line("c", "3")].concat();
        for partial in 1..line("c", "3").len() {
            std::fs::write(&file, &lines[..lines.len() - partial]).unwrap();
            assert_eq!(read_journal::<Record>(&file).unwrap().len(), 2);
            truncate_partial_line(&file).unwrap();
            assert_eq!(
                std::fs::read(&file).unwrap(),
                [line("a", "1"), line("b", "2")].concat()
            );
        }
        let mut damaged = lines.clone();
        damaged[line("a", "1").len() + 8] ^= 1;
        std::fs::write(&file, &damaged).unwrap();
        let message = read_journal::<Record>(&file).unwrap_err().to_string();
        assert!(
            message.contains("completions.jsonl, line 2: the line does not match its checksum"),
            "{message}"
        );
    }
}
