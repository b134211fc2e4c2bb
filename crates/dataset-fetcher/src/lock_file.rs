//! `mwpbench-data.lock`: what lies in a data folder, and where it came from.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::digest::is_digest;
use crate::error::Error;
use crate::names::{LOCK_FILE, is_safe};
use crate::source::PublishedBy;

const VERSION: u32 = 1;
/// What the file begins with, as comments.
const HEADER: &str = include_str!("lock_file_header.toml");

/// The lock file: TOML.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockFile {
    /// Version of this format: 1.
    pub version: u32,
    /// The files, in order of name.
    #[serde(default, rename = "file")]
    pub files: Vec<LockedFile>,
}

/// A file in the data folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedFile {
    /// Where it lies below the data folder, with `/` between folders.
    pub name: String,
    /// The sets that it holds problems of.
    pub sets: Vec<String>,
    /// Who published it.
    pub published_by: PublishedBy,
    /// Its address at its publisher.
    pub url: String,
    /// The address or the path that it was fetched from.
    pub fetched_from: String,
    /// `owner/name` on GitHub, where it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// Commit or branch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// Path in the repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Git blob id.
    pub git_blob: String,
    /// BLAKE3.
    pub blake3: String,
    /// SHA-256.
    pub sha256: String,
    /// Size in bytes.
    pub bytes: u64,
    /// Why the content is trusted.
    pub trust: Trust,
    /// When it was fetched.
    pub fetched: Timestamp,
    /// License, as its publisher states it.
    pub license: String,
    /// What was unpacked of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unpacked: Option<Unpacked>,
}

/// Why a content is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// Its id was known beforehand.
    PublishedId,
    /// No id was known: it is what came at the first fetch.
    FirstUse,
}

/// What was unpacked of an archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unpacked {
    /// The folder, below the data folder.
    pub folder: String,
    /// How many files are in it.
    pub files: u64,
    /// BLAKE3 over a line `<blake3 of the content>  <path below the folder>\n` for each file, in
    /// order of path.
    pub blake3: String,
}

impl Default for LockFile {
    fn default() -> Self {
        Self {
            version: VERSION,
            files: Vec::new(),
        }
    }
}

impl LockFile {
    /// Reads the lock file of a data folder; `None` where there is none.
    ///
    /// # Errors
    /// [`Error::LockFile`] where it cannot be understood, or names something outside the folder.
    pub fn load(data: &Path) -> Result<Option<Self>, Error> {
        let path = data.join(LOCK_FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                return Err(Error::LockFile {
                    path,
                    reason: "it is not UTF-8 text".to_string(),
                });
            }
            Err(source) => return Err(Error::Read { path, source }),
        };
        Self::parse(&text)
            .map(Some)
            .map_err(|reason| Error::LockFile { path, reason })
    }

    fn parse(text: &str) -> Result<Self, String> {
        let lock: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| {
                text[..span.start.min(text.len())].matches('\n').count() + 1
            });
            format!("line {line}: {}", error.message())
        })?;
        if lock.version != VERSION {
            return Err(format!(
                "version {} is not known: this program writes version {VERSION}",
                lock.version
            ));
        }
        match lock
            .files
            .iter()
            .find_map(|entry| entry.fault().map(|fault| (entry, fault)))
        {
            Some((entry, fault)) => Err(format!(
                "the file \"{}\": {fault}",
                entry.name.escape_default()
            )),
            None => Ok(lock),
        }
    }

    /// The entry of a file.
    pub fn entry(&self, name: &str) -> Option<&LockedFile> {
        self.files.iter().find(|entry| entry.name == name)
    }

    /// Adds an entry, in place of another of its name.
    pub(crate) fn insert(&mut self, entry: LockedFile) {
        match self
            .files
            .binary_search_by(|other| other.name.cmp(&entry.name))
        {
            Ok(at) => self.files[at] = entry,
            Err(at) => self.files.insert(at, entry),
        }
    }

    /// Writes it into a data folder, atomically.
    pub(crate) fn save(&self, data: &Path) -> Result<PathBuf, Error> {
        let path = data.join(LOCK_FILE);
        let text = toml::to_string(self).map_err(|error| Error::Write {
            path: path.clone(),
            source: std::io::Error::other(error),
        })?;
        let text = format!("{HEADER}{text}");
        store::write_atomic(&path, |out| out.write_all(text.as_bytes()))
            .map_err(Error::write(&path))?;
        Ok(path)
    }
}

impl LockedFile {
    fn fault(&self) -> Option<&'static str> {
        let unpacked = self.unpacked.as_ref();
        match () {
            () if !is_safe(&self.name) => Some("the name leads out of the data folder"),
            () if unpacked.is_some_and(|unpacked| !is_safe(&unpacked.folder)) => {
                Some("the folder of what was unpacked leads out of the data folder")
            }
            () if !is_digest(&self.git_blob, 40) => {
                Some("\"git_blob\" is not 40 hexadecimal digits")
            }
            () if !is_digest(&self.blake3, 64) => Some("\"blake3\" is not 64 hexadecimal digits"),
            () if !is_digest(&self.sha256, 64) => Some("\"sha256\" is not 64 hexadecimal digits"),
            () if unpacked.is_some_and(|unpacked| !is_digest(&unpacked.blake3, 64)) => {
                Some("\"blake3\" of what was unpacked is not 64 hexadecimal digits")
            }
            () => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str) -> LockedFile {
        LockedFile {
            name: name.to_string(),
            sets: vec!["gsm8k".to_string()],
            published_by: PublishedBy::Publisher,
            url: "https://example.org/x".to_string(),
            fetched_from: "/mnt/x".to_string(),
            repository: None,
            revision: None,
            path: None,
            git_blob: "a".repeat(40),
            blake3: "b".repeat(64),
            sha256: "c".repeat(64),
            bytes: 7,
            trust: Trust::FirstUse,
            fetched: "2026-11-01T12:00:00Z".parse().unwrap(),
            license: "MIT".to_string(),
            unpacked: Some(Unpacked {
                folder: "native/x".to_string(),
                files: 2,
                blake3: "d".repeat(64),
            }),
        }
    }

    #[test]
    fn what_is_saved_is_loaded_in_order_of_name() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(LockFile::load(folder.path()).unwrap(), None);
        let mut lock = LockFile::default();
        for name in ["b.json", "native/a.json", "a.json", "b.json"] {
            lock.insert(entry(name));
        }
        lock.save(folder.path()).unwrap();
        let loaded = LockFile::load(folder.path()).unwrap().unwrap();
        assert_eq!(loaded, lock);
        let names: Vec<&str> = loaded
            .files
            .iter()
            .map(|entry| entry.name.as_str())
            .collect();
        assert_eq!(names, ["a.json", "b.json", "native/a.json"]);
    }

    #[test]
    fn a_damaged_lock_file_is_refused_with_its_place() {
        let mut lock = LockFile::default();
        lock.insert(entry("a.json"));
        let text = toml::to_string(&lock).unwrap();
        for (from, to, part) in [
            ("version = 1", "version = 2", "version 2 is not known"),
            ("a.json", "../a.json", "leads out of the data folder"),
            ("native/x", "/etc", "unpacked leads out"),
            ("aaaa", "AAAA", "40 hexadecimal"),
            ("bytes = 7", "bytes = -7", "line "),
            ("license", "licence", "licence"),
        ] {
            assert!(text.contains(from), "{text}");
            let error = LockFile::parse(&text.replace(from, to)).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}
