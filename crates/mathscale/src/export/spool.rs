//! All records in a temporary file, so that they can be read in any order in little memory.

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::pair::Pair;

/// A record on its way to a training file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ExportRecord {
    pub(crate) id: String,
    pub(crate) question: String,
    pub(crate) solution: String,
    pub(crate) topics: Vec<String>,
    pub(crate) knowledge_points: Vec<String>,
    /// `mathscale`, or the name of the file that was mixed in.
    pub(crate) source: String,
}

impl ExportRecord {
    pub(crate) fn of(pair: Pair, source: &str) -> Self {
        Self {
            id: pair.id,
            question: pair.question,
            solution: pair.solution,
            topics: pair.topics,
            knowledge_points: pair.knowledge_points,
            source: source.to_string(),
        }
    }
}

/// Where a record stands, and its place in the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    /// Its place in the order.
    rank: u64,
    start: u64,
    length: u32,
    held_out: bool,
}

/// Numbers that a seed and an id give: the place in the order, and one for whether the record is
/// held out.
pub(crate) fn draw(seed: u64, id: &str) -> [u64; 2] {
    let mut hasher = blake3::Hasher::new();
    let hash = hasher
        .update(&seed.to_le_bytes())
        .update(id.as_bytes())
        .finalize();
    let number = |from: usize| {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&hash.as_bytes()[from..from + 8]);
        u64::from_le_bytes(bytes)
    };
    [number(0), number(8)]
}

/// Whether a random number of 64 bits draws a record of this share, in 0..=1.
pub(crate) fn is_drawn(number: u64, share: f64) -> bool {
    (number as f64) < share * 2f64.powi(64)
}

/// The records while they are gathered.
pub(crate) struct Spool {
    out: BufWriter<File>,
    end: u64,
    entries: Vec<Entry>,
    seed: u64,
    held_out: f64,
}

/// The records, ready to be read.
pub(crate) struct Spooled {
    file: File,
    entries: Vec<Entry>,
}

impl Spool {
    /// `held_out`: the share of the records that is held out, in 0..1.
    pub(crate) fn new(folder: &Path, seed: u64, held_out: f64) -> io::Result<Self> {
        // A file without a name, of which a kill leaves nothing. Beside the project and not in the
        // folder of the system for such files, which may be small or in memory.
        let file = tempfile::tempfile_in(folder)?;
        Ok(Self {
            out: BufWriter::with_capacity(1 << 18, file),
            end: 0,
            entries: Vec::new(),
            seed,
            held_out,
        })
    }

    pub(crate) fn add(&mut self, record: &ExportRecord) -> io::Result<()> {
        let line = serde_json::to_vec(record)?;
        let length = u32::try_from(line.len())
            .map_err(|_| io::Error::other("a record of more than 4 GiB"))?;
        let [rank, chance] = draw(self.seed, &record.id);
        self.entries.push(Entry {
            rank,
            start: self.end,
            length,
            held_out: is_drawn(chance, self.held_out),
        });
        self.end += u64::from(length);
        self.out.write_all(&line)
    }

    pub(crate) fn finish(mut self) -> io::Result<Spooled> {
        // Of records with one id, and so one rank, the one that was gathered first comes first.
        self.entries.sort_unstable();
        let file = self
            .out
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        Ok(Spooled {
            file,
            entries: self.entries,
        })
    }
}

impl Spooled {
    /// How many records are held out, or are not.
    pub(crate) fn count(&self, held_out: bool) -> u64 {
        self.entries
            .iter()
            .filter(|entry| entry.held_out == held_out)
            .count() as u64
    }

    /// The records that are held out, or those that are not, in their shuffled order.
    pub(crate) fn each(
        &mut self,
        held_out: bool,
        mut receive: impl FnMut(ExportRecord) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut text = Vec::new();
        for entry in self
            .entries
            .iter()
            .filter(|entry| entry.held_out == held_out)
        {
            text.resize(entry.length as usize, 0);
            self.file.seek(SeekFrom::Start(entry.start))?;
            self.file.read_exact(&mut text)?;
            receive(serde_json::from_slice(&text)?)?;
        }
        Ok(())
    }
}
