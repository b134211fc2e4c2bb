//! Records of JSON Lines in any order: of each only its place is in memory.

use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::error::FileError;
use crate::json_lines::JsonLines;

/// The records of a file by their numbers, from 0. It takes eight bytes of memory a record.
#[derive(Debug)]
pub struct IndexedLines<T> {
    file: PathBuf,
    reader: BufReader<File>,
    /// Where the reader stands; `None` after an error.
    at: Option<u64>,
    /// Where each record begins.
    starts: Vec<u64>,
    line: Vec<u8>,
    kind: PhantomData<T>,
}

impl<T: DeserializeOwned> IndexedLines<T> {
    /// Reads a file once to its end; `each` is given its records.
    ///
    /// # Errors
    /// [`FileError::Unreadable`], or [`FileError::Corrupt`] with the line that is no such record.
    pub fn open(file: &Path, mut each: impl FnMut(T)) -> Result<Self, FileError> {
        // Opened first: both readers then have the same file, also where it is replaced meanwhile.
        let handle = File::open(file).map_err(FileError::unreadable(file))?;
        let mut records = JsonLines::open(file)?;
        let mut starts = Vec::new();
        loop {
            let start = records.position();
            let Some(record) = records.next() else {
                break;
            };
            each(record?);
            starts.push(start);
        }
        Ok(Self {
            file: file.to_path_buf(),
            reader: BufReader::with_capacity(1 << 16, handle),
            at: Some(0),
            starts,
            line: Vec::new(),
            kind: PhantomData,
        })
    }

    /// Records.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// A record; those that follow each other are read without a seek.
    ///
    /// # Errors
    /// As for [`IndexedLines::open`], where the file has changed since.
    ///
    /// # Panics
    /// If there is no record of this number.
    pub fn get(&mut self, number: usize) -> Result<T, FileError> {
        let start = self.starts[number];
        self.line.clear();
        let read = self.seek(start).and_then(|()| {
            let length = self.reader.read_until(b'\n', &mut self.line)?;
            self.at = Some(start + length as u64);
            Ok(())
        });
        read.map_err(FileError::unreadable(&self.file))?;
        serde_json::from_slice(&self.line).map_err(|error| {
            let message =
                format!("damaged record, it has changed since it was first read: {error}");
            FileError::corrupt(&self.file, Some(number + 1), message)
        })
    }

    fn seek(&mut self, start: u64) -> std::io::Result<()> {
        match self.at.take() {
            // What the buffer holds stays in it.
            Some(at) => self.reader.seek_relative(start as i64 - at as i64),
            None => self.reader.seek(SeekFrom::Start(start)).map(|_| ()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_found_in_any_order_and_damage_is_named_by_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("words.jsonl");
        let words: Vec<String> = (0..5000)
            .map(|n| "ä".repeat(n % 40) + &n.to_string())
            .collect();
        let lines: String = words.iter().map(|word| format!("{word:?}\n")).collect();
        std::fs::write(&file, lines.trim_end()).unwrap();
        let mut first = Vec::new();
        let mut records = IndexedLines::<String>::open(&file, |word| first.push(word)).unwrap();
        assert_eq!((records.len(), &first), (5000, &words));
        for number in [0, 1, 2, 4999, 17, 16, 3000, 3001, 0] {
            assert_eq!(records.get(number).unwrap(), words[number]);
        }
        std::fs::write(&file, "1\n").unwrap();
        let error = IndexedLines::<String>::open(&file, |_| {}).unwrap_err();
        assert!(
            error.to_string().contains("line 1: damaged record"),
            "{error}"
        );
    }

    #[test]
    fn a_file_that_was_cut_short_since_is_an_error_and_no_panic() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("words.jsonl");
        let line = format!("\"{}\"\n", "x".repeat(100_000));
        std::fs::write(&file, line.repeat(3)).unwrap();
        let mut records = IndexedLines::<String>::open(&file, |_| {}).unwrap();
        std::fs::write(&file, "").unwrap();
        let error = records.get(2).unwrap_err().to_string();
        assert!(
            error.contains("words.jsonl, line 3: damaged record, it has changed"),
            "{error}"
        );
    }
}
