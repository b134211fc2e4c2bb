//! The cache as the hub's own client keeps it: contents by their checksums in `blobs`, links to them
//! by commit in `snapshots`, commits by branch or tag in `refs`.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::Error;
use crate::listing::{INDEX, Listing, Needed, RemoteFile};
use crate::name::{RepositoryName, is_commit};

/// How often a lock is tried that another process has.
const LOCK_EVERY: Duration = Duration::from_millis(200);

/// The part of the cache that holds a repository.
pub(crate) struct RepositoryCache {
    folder: PathBuf,
    locks: PathBuf,
}

impl RepositoryCache {
    pub(crate) fn new(cache: &Path, name: &RepositoryName) -> Self {
        Self {
            folder: cache.join(name.folder_name()),
            locks: cache.join(".locks").join(name.folder_name()),
        }
    }

    /// The folder of a commit.
    pub(crate) fn snapshot(&self, commit: &str) -> PathBuf {
        self.folder.join("snapshots").join(commit)
    }

    pub(crate) fn blob(&self, file: &RemoteFile) -> PathBuf {
        self.folder.join("blobs").join(file.checksum.digits())
    }

    /// Where a file is downloaded to.
    pub(crate) fn incomplete(&self, file: &RemoteFile) -> PathBuf {
        let name = format!("{}.incomplete", file.checksum.digits());
        self.folder.join("blobs").join(name)
    }

    /// Whether a commit has a file.
    pub(crate) fn has(&self, commit: &str, path: &str) -> bool {
        self.snapshot(commit).join(path).is_file()
    }

    /// The commit that a revision was when it was asked for last.
    pub(crate) fn known_commit(&self, name: &RepositoryName) -> Option<String> {
        if let Some(commit) = name.commit() {
            return Some(commit.to_string());
        }
        let commit = fs::read_to_string(self.folder.join("refs").join(name.revision())).ok()?;
        Some(commit.trim().to_string()).filter(|commit| is_commit(commit))
    }

    /// Remembers which commit a revision is.
    pub(crate) fn remember(&self, name: &RepositoryName, commit: &str) -> Result<(), Error> {
        if name.commit().is_some() || self.known_commit(name).as_deref() == Some(commit) {
            return Ok(());
        }
        let file = self.folder.join("refs").join(name.revision());
        make_parent(&file)?;
        store::write_atomic(&file, |out| out.write_all(commit.as_bytes()))
            .map_err(Error::writing(&file))?;
        Ok(())
    }

    /// Gives a content that is there its name in a commit.
    pub(crate) fn link(&self, commit: &str, file: &RemoteFile) -> Result<(), Error> {
        let place = self.snapshot(commit).join(&file.path);
        if place.is_file() {
            return Ok(());
        }
        make_parent(&place)?;
        // A link to a content that was removed.
        let _ = fs::remove_file(&place);
        let up = "../".repeat(2 + file.path.matches('/').count());
        let target = format!("{up}blobs/{}", file.checksum.digits());
        match link_or_move(Path::new(&target), &self.blob(file), &place) {
            // Another process was faster.
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                Err(Error::writing(&place)(error))
            }
            _ => Ok(()),
        }
    }

    /// The right to download a content, or `None` where the file system has no locks: the checksum
    /// then still finds what two processes wrote at once.
    pub(crate) fn lock(
        &self,
        file: &RemoteFile,
        mut on_wait: impl FnMut(),
    ) -> Result<Option<File>, Error> {
        let path = self.locks.join(format!("{}.lock", file.checksum.digits()));
        make_parent(&path)?;
        let opened = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path);
        let lock = opened.map_err(Error::writing(&path))?;
        let mut told = false;
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(Some(lock)),
                Err(TryLockError::WouldBlock) => {
                    if !std::mem::replace(&mut told, true) {
                        on_wait();
                    }
                    std::thread::sleep(LOCK_EVERY);
                }
                Err(TryLockError::Error(_)) => return Ok(None),
            }
        }
    }

    /// What a commit's folder lacks of what is needed, judged by what is there alone; `None` where it
    /// is whole.
    pub(crate) fn lacks(
        &self,
        name: &RepositoryName,
        needed: impl Fn(&Listing) -> Result<Needed, Error>,
        commit: &str,
    ) -> Option<String> {
        let folder = self.snapshot(commit);
        let listing = Listing::of_folder(commit, &folder);
        if listing.files.is_empty() {
            return Some(String::new());
        }
        let mut needed = match needed(&listing) {
            Ok(needed) => needed,
            Err(Error::Lacks { lacks, .. }) => return Some(lacks),
            Err(_) => return Some(format!("what is needed of {}", name.repository())),
        };
        if needed.index.is_some() {
            let index = fs::read(folder.join(INDEX)).unwrap_or_default();
            return match needed.missing_shard(&index, &listing) {
                Ok(missing) => missing,
                Err(reason) => Some(reason),
            };
        }
        needed.large.sort();
        missing_part(&needed.large)
    }
}

/// The first of numbered parts that is not there, such as `model-00002-of-00003.safetensors`.
fn missing_part(parts: &[String]) -> Option<String> {
    let (stem, rest) = parts.first()?.rsplit_once("-of-")?;
    let (stem, _) = stem.rsplit_once('-')?;
    let (count, end) = rest.split_once('.')?;
    let all = 1..=count.parse::<usize>().ok()?;
    let mut names = all.map(|number| format!("{stem}-{number:05}-of-{count}.{end}"));
    names.find(|name| !parts.contains(name))
}

fn make_parent(file: &Path) -> Result<(), Error> {
    let folder = file.parent().unwrap_or(file);
    fs::create_dir_all(folder).map_err(Error::writing(folder))
}

#[cfg(unix)]
fn link_or_move(target: &Path, _content: &Path, place: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, place)
}

/// Without links the content itself goes to its place, as the hub's own client has it.
#[cfg(not(unix))]
fn link_or_move(_target: &Path, content: &Path, place: &Path) -> io::Result<()> {
    fs::rename(content, place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_part_is_named() {
        let part = |number| format!("model-0000{number}-of-00003.safetensors");
        assert_eq!(missing_part(&[part(1), part(3)]), Some(part(2)));
        assert_eq!(missing_part(&[part(1), part(2), part(3)]), None);
        assert_eq!(missing_part(&["model.safetensors".to_string()]), None);
    }
}
