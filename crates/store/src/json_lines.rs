//! Records of JSON Lines, one at a time.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::error::FileError;

/// The records of a file, one at a time. Ends after its first error.
#[derive(Debug)]
pub struct JsonLines<T> {
    file: PathBuf,
    reader: BufReader<File>,
    line: Vec<u8>,
    /// Bytes before the line that is read next.
    start: u64,
    /// The line read last, from 1; `None` when no more is read.
    number: Option<usize>,
    kind: PhantomData<T>,
}

impl<T: DeserializeOwned> JsonLines<T> {
    /// Opens a file.
    ///
    /// # Errors
    /// [`FileError::Unreadable`].
    pub fn open(file: &Path) -> Result<Self, FileError> {
        let handle = File::open(file).map_err(FileError::unreadable(file))?;
        Ok(Self {
            file: file.to_path_buf(),
            reader: BufReader::with_capacity(1 << 18, handle),
            line: Vec::new(),
            start: 0,
            number: Some(0),
            kind: PhantomData,
        })
    }

    /// All records of a file.
    ///
    /// # Errors
    /// [`FileError::Unreadable`], or [`FileError::Corrupt`] with the line that is no such record.
    pub fn read_all(file: &Path) -> Result<Vec<T>, FileError> {
        Self::open(file)?.collect()
    }

    /// The position of the first byte of the record that comes next.
    pub fn position(&self) -> u64 {
        self.start
    }

    fn read(&mut self, number: usize) -> Result<Option<T>, FileError> {
        self.line.clear();
        let read = self.reader.read_until(b'\n', &mut self.line);
        let length = read.map_err(FileError::unreadable(&self.file))?;
        if length == 0 {
            return Ok(None);
        }
        self.start += length as u64;
        // A last line without its newline is no exception, as it is in a journal: these files
        // appear whole.
        let record = serde_json::from_slice(&self.line).map_err(|error| {
            FileError::corrupt(&self.file, Some(number), format!("damaged record: {error}"))
        })?;
        Ok(Some(record))
    }
}

impl<T: DeserializeOwned> Iterator for JsonLines<T> {
    type Item = Result<T, FileError>;

    fn next(&mut self) -> Option<Self::Item> {
        let number = self.number? + 1;
        let record = self.read(number);
        self.number = matches!(record, Ok(Some(_))).then_some(number);
        record.transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_damaged_line_ends_the_records_and_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("numbers.jsonl");
        std::fs::write(&file, "1\n2\nthree\n4\n").unwrap();
        let records: Vec<_> = JsonLines::<u32>::open(&file).unwrap().collect();
        assert_eq!(records.len(), 3);
        let message = records[2].as_ref().unwrap_err().to_string();
        assert!(
            message.contains("numbers.jsonl, line 3: damaged record: "),
            "{message}"
        );
        std::fs::write(&file, "1\n2").unwrap();
        assert_eq!(JsonLines::<u32>::read_all(&file).unwrap(), [1, 2]);
    }
}
