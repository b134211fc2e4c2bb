//! What a line of each file of a project holds, as JSON.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use record_files::Place;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};

/// A line of `seeds.jsonl`: a question that compositions and few-shot examples come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seed {
    /// Unique in the project.
    pub id: String,
    /// The question.
    pub question: String,
    /// The answer, worked or bare; empty where the source has none.
    pub answer: String,
    /// A worked solution, where the source has one beside the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub solution: Option<String>,
}

/// A line of `extractions.jsonl`: the concepts of a seed, in the spelling of the project, those of
/// a single seed removed. Lists are sorted, hold no name twice and may be empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extraction {
    /// The seed's id.
    pub id: String,
    /// Subjects or chapters.
    pub topics: Vec<String>,
    /// Fine-grained knowledge points.
    pub knowledge_points: Vec<String>,
}

/// A line of `compositions.jsonl`: concepts to make a new question of. Lists are sorted by bytes
/// and hold no name twice; each has at least one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Composition {
    /// Subjects or chapters, at most 3.
    pub topics: Vec<String>,
    /// Fine-grained knowledge points, at most 5.
    pub knowledge_points: Vec<String>,
}

/// A line of a stage's file of what it could not use, such as `extract.set-aside.jsonl`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetAside {
    /// Id of the item.
    pub id: String,
    /// Where it stands in its file (`line 12`), where it came from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Why it could not be used.
    pub reason: String,
}

/// Opens a file of JSON Lines that a stage wrote.
///
/// # Errors
/// It cannot be opened.
pub fn read_lines<T: DeserializeOwned>(file: &Path) -> Result<Lines<T>, Error> {
    let handle =
        File::open(file).map_err(|source| Error::in_file(file, ErrorKind::Unreadable(source)))?;
    Ok(Lines {
        file: file.to_path_buf(),
        reader: BufReader::with_capacity(1 << 18, handle),
        line: Vec::new(),
        number: 0,
        kind: PhantomData,
    })
}

/// The records of a file, one at a time. Ends after its first error.
pub struct Lines<T> {
    file: PathBuf,
    reader: BufReader<File>,
    line: Vec<u8>,
    number: usize,
    kind: PhantomData<T>,
}

impl<T: DeserializeOwned> Lines<T> {
    fn read(&mut self) -> Result<Option<T>, Error> {
        self.line.clear();
        self.number += 1;
        let at = |kind| Error::at(&self.file, Place::Line(self.number), kind);
        match self.reader.read_until(b'\n', &mut self.line) {
            Ok(0) => Ok(None),
            Ok(_) => match serde_json::from_slice(&self.line) {
                Ok(record) => Ok(Some(record)),
                Err(error) => Err(at(ErrorKind::Corrupt(format!("damaged record: {error}")))),
            },
            Err(error) => Err(at(ErrorKind::Unreadable(error))),
        }
    }
}

impl<T: DeserializeOwned> Iterator for Lines<T> {
    type Item = Result<T, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.number == usize::MAX {
            return None;
        }
        let record = self.read();
        if !matches!(record, Ok(Some(_))) {
            self.number = usize::MAX;
        }
        record.transpose()
    }
}
