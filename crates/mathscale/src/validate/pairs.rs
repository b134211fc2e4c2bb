//! The pairs of a project by their numbers. In memory are their ids and places, some 30 bytes a
//! pair, and never the pairs.

use std::cell::RefCell;
use std::path::Path;

use store::{FileError, IndexedLines};

use crate::ids::Ids;
use crate::pair::Pair;

/// The pairs of a file.
#[derive(Debug)]
pub(crate) struct PairFile {
    lines: RefCell<IndexedLines<Pair>>,
    ids: Ids,
}

impl PairFile {
    pub(crate) fn open(file: &Path) -> Result<Self, FileError> {
        let mut ids = Ids::default();
        let lines = IndexedLines::open(file, |pair: Pair| ids.push(&pair.id))?;
        Ok(Self {
            lines: RefCell::new(lines),
            ids,
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    pub(crate) fn id(&self, place: usize) -> &str {
        self.ids.get(place)
    }

    pub(crate) fn get(&self, place: usize) -> Result<Pair, FileError> {
        self.lines.borrow_mut().get(place)
    }
}
