//! An unfinished download and what is known of it.
//!
//! `NAME.part` holds the bytes so far, `NAME.part.note` where they came from: without the note
//! nobody could say what the bytes are the beginning of, so it is written before the first byte.
//! Nothing is ever loaded from either name.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::client::ByteRange;
use crate::error::Error;
use crate::names::{NOTE, PART};

/// An unfinished download.
#[derive(Debug)]
pub(crate) struct PartialDownload {
    path: PathBuf,
    note_path: PathBuf,
    note: Option<Note>,
    bytes: u64,
    /// Whether the bytes came with several responses.
    pieced: bool,
}

/// What is known of the file whose beginning is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Note {
    /// Its address.
    pub(crate) url: String,
    /// Its size in bytes, as far as the server said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) total: Option<u64>,
    /// The strong `ETag`, else the date of the last change: the server compares it when the download is resumed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) validator: Option<String>,
}

impl PartialDownload {
    /// What an earlier attempt left for this file, or nothing.
    pub(crate) fn open(target: &Path) -> Result<Self, Error> {
        let named = |ending: &str| {
            let mut name = target.as_os_str().to_os_string();
            name.push(ending);
            PathBuf::from(name)
        };
        let mut part = Self {
            path: named(PART),
            note_path: named(NOTE),
            note: None,
            bytes: 0,
            pieced: false,
        };
        match (regular_size(&part.path), read_note(&part.note_path)) {
            (Some(bytes), Some(note)) if bytes > 0 => {
                part.bytes = bytes;
                part.note = Some(note);
                part.pieced = true;
            }
            // A note without bytes is what a kill in `begin` or `publish` leaves. A link of either
            // name counts as nothing.
            _ => part.discard()?,
        }
        Ok(part)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether the bytes came with several responses, so that they may not belong together.
    pub(crate) fn is_pieced(&self) -> bool {
        self.pieced
    }

    /// The size of the file, as far as it is known.
    pub(crate) fn total(&self) -> Option<u64> {
        self.note.as_ref().and_then(|note| note.total)
    }

    /// The range to request next; `None` where nothing can be resumed. Without a validator by which
    /// the server can decide whether the file is still the same, only a content whose id is known
    /// (`pinned`) is resumed: there the id decides in the end. That also allows to resume from
    /// another address.
    pub(crate) fn resume(&self, url: &str, pinned: bool) -> Option<ByteRange> {
        let note = self.note.as_ref().filter(|_| self.bytes > 0)?;
        let validator = note.validator.clone().filter(|_| note.url == url);
        (pinned || validator.is_some()).then_some(ByteRange {
            from: self.bytes,
            validator,
        })
    }

    /// Whether a later attempt can resume from here.
    pub(crate) fn is_resumable(&self, pinned: bool) -> bool {
        self.note
            .as_ref()
            .is_some_and(|note| self.resume(&note.url, pinned).is_some())
    }

    /// Starts over, with nothing.
    pub(crate) fn begin(&mut self, note: Note) -> Result<File, Error> {
        self.discard()?;
        self.write_note(note)?;
        // A link that appears here in between is not followed: the file must be new.
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&self.path)
            .map_err(Error::write(&self.path))
    }

    /// Appends to the bytes that are there.
    pub(crate) fn append(&mut self, note: Note) -> Result<File, Error> {
        self.pieced = true;
        if self.note.as_ref() != Some(&note) {
            self.write_note(note)?;
        }
        OpenOptions::new()
            .append(true)
            .open(&self.path)
            .map_err(Error::write(&self.path))
    }

    /// Adds bytes to a file that `begin` or `append` gave.
    pub(crate) fn write(&mut self, file: &mut File, bytes: &[u8]) -> Result<(), Error> {
        file.write_all(bytes).map_err(Error::write(&self.path))?;
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Removes what there is.
    pub(crate) fn discard(&mut self) -> Result<(), Error> {
        for path in [&self.path, &self.note_path] {
            remove(path).map_err(Error::write(path))?;
        }
        self.note = None;
        self.bytes = 0;
        self.pieced = false;
        Ok(())
    }

    /// Gives the finished file its name.
    pub(crate) fn publish(self, target: &Path) -> Result<(), Error> {
        // The name first: a note that a kill leaves behind is removed by `open`, while bytes
        // without their note could not be resumed.
        store::publish(&self.path, target).map_err(Error::write(target))?;
        remove(&self.note_path).map_err(Error::write(&self.note_path))
    }

    fn write_note(&mut self, note: Note) -> Result<(), Error> {
        let write = || {
            let text = toml::to_string(&note).map_err(io::Error::other)?;
            store::write_atomic(&self.note_path, |out| out.write_all(text.as_bytes()))
        };
        write().map_err(Error::write(&self.note_path))?;
        self.note = Some(note);
        Ok(())
    }
}

/// Removes a file or a link, not what it leads to; nothing there is no error.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn regular_size(path: &Path) -> Option<u64> {
    fs::symlink_metadata(path)
        .ok()
        .filter(fs::Metadata::is_file)
        .map(|found| found.len())
}

fn read_note(path: &Path) -> Option<Note> {
    regular_size(path).filter(|size| *size < 1 << 16)?;
    toml::from_str(&fs::read_to_string(path).ok()?).ok()
}
