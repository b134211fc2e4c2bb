//! All compositions in little memory: each name is stored once.

use std::collections::HashMap;
use std::path::Path;

use store::JsonLines;

use crate::error::{Error, ErrorKind};
use crate::records::Composition;

/// Compositions in the order of their file.
#[derive(Debug, Default)]
pub(crate) struct Compositions {
    names: Vec<Box<str>>,
    /// Numbers of the names of all compositions, topics before knowledge points.
    numbers: Vec<u32>,
    /// Where each begins, and where its knowledge points begin.
    starts: Vec<[u32; 2]>,
}

impl Compositions {
    /// At most `limit` of a file.
    pub(crate) fn read(file: &Path, limit: Option<usize>) -> Result<Self, Error> {
        let mut compositions = Self::default();
        let mut known: HashMap<String, u32> = HashMap::new();
        for composition in JsonLines::<Composition>::open(file)?.take(limit.unwrap_or(usize::MAX)) {
            let Composition {
                topics,
                knowledge_points,
            } = composition?;
            let start = compositions.numbers.len() as u32;
            compositions
                .starts
                .push([start, start + topics.len() as u32]);
            for name in topics.into_iter().chain(knowledge_points) {
                let next = compositions.names.len() as u32;
                let number = *known.entry(name).or_insert_with_key(|name| {
                    compositions.names.push(name.as_str().into());
                    next
                });
                compositions.numbers.push(number);
            }
        }
        match compositions.starts.is_empty() {
            true => Err(Error::in_file(file, ErrorKind::NoRecords)),
            false => Ok(compositions),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.starts.len()
    }

    pub(crate) fn get(&self, place: usize) -> Composition {
        let [start, middle] = self.starts[place];
        let end = self
            .starts
            .get(place + 1)
            .map_or(self.numbers.len(), |next| next[0] as usize);
        let names = |numbers: &[u32]| {
            numbers
                .iter()
                .map(|&number| self.names[number as usize].to_string())
                .collect()
        };
        Composition {
            topics: names(&self.numbers[start as usize..middle as usize]),
            knowledge_points: names(&self.numbers[middle as usize..end]),
        }
    }
}
