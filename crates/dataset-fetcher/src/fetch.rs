//! The whole order, file after file: look, get, check, keep.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use crate::archive;
use crate::client::Client;
use crate::digest::Digests;
use crate::download::{Wanted, download};
use crate::error::Error;
use crate::folder::{self, Guard, UNFINISHED};
use crate::lock_file::{Entry, LockFile, Trust, Unpacked};
use crate::order::{Order, Origin, Place};
use crate::part::Part;
use crate::source::{PublishedBy, Source};
use crate::url::Url;

/// What happens, as it happens. Names are those in the data folder, sizes are bytes.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Bytes of a file begin to come.
    Begin {
        /// The file.
        name: &'a str,
        /// The address or path they come from.
        from: &'a str,
        /// What is there already.
        have: u64,
        /// The whole size, as far as it is known.
        total: Option<u64>,
    },
    /// Bytes came.
    Bytes {
        /// The file.
        name: &'a str,
        /// How many are there now.
        done: u64,
        /// The whole size, as far as it is known.
        total: Option<u64>,
    },
    /// An attempt failed; another follows after a wait.
    Waiting {
        /// The file.
        name: &'a str,
        /// What happened.
        reason: &'a str,
        /// How long the wait is.
        wait: Duration,
        /// Which attempt follows, from 2.
        attempt: u32,
    },
    /// A file is there and right.
    Finished(&'a Fetched),
}

/// What came of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The data folder.
    pub folder: PathBuf,
    /// Its lock file.
    pub lock_file: PathBuf,
    /// The files, in the order of the order.
    pub files: Vec<Fetched>,
    /// What is left to do with publishers' files, which are no records yet.
    pub imports: Vec<Import>,
}

/// A file that is there and right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fetched {
    /// Its name in the data folder.
    pub name: String,
    /// Its path.
    pub path: PathBuf,
    /// Whether it had to be fetched.
    pub state: State,
    /// Its size.
    pub bytes: u64,
    /// Its git blob id.
    pub git_blob: String,
    /// Its BLAKE3.
    pub blake3: String,
    /// Why its content is held to be right.
    pub trust: Trust,
    /// The address or path that it came from.
    pub from: String,
    /// Its license, as its publisher states it.
    pub license: String,
    /// What was unpacked of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unpacked: Option<Unpacked>,
}

/// Whether a file had to be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It was fetched.
    Fetched,
    /// It was there and right.
    AlreadyThere,
}

/// Publishers' files that `mwpbench data import` makes records of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Import {
    /// The set.
    pub set: String,
    /// The folder with its files.
    pub folder: PathBuf,
    /// Whether the data folder holds published records of the set already: two kinds of the same
    /// problems do not go together in it.
    pub has_records: bool,
}

/// Carries an order out. Each file is checked before it replaces anything, and is in the lock file
/// before it has its name. A file that fails does not keep the others from being fetched, unless
/// they would fail in the same way.
///
/// # Errors
/// Why the order could not be understood, or what failed: see [`Error::kind`]. Files that did not
/// fail are there and in the lock file.
pub fn fetch(order: &Order, tell: &mut dyn FnMut(Event<'_>)) -> Result<Report, Error> {
    let sources = order.files()?;
    let _guard = Guard::take(&order.folder)?;
    clean(&order.folder)?;
    let lock = LockFile::load(&order.folder)?.unwrap_or_default();
    let mut run = Run {
        order,
        lock,
        client: None,
    };
    let mut files = Vec::new();
    let mut errors = Vec::new();
    for source in &sources {
        match run.get(source, tell) {
            Ok(fetched) => {
                tell(Event::Finished(&fetched));
                files.push(fetched);
            }
            Err(error) => {
                let is_enough = error.concerns_all_files();
                errors.push(error);
                if is_enough {
                    break;
                }
            }
        }
    }
    match errors.len() {
        0 => {
            let (folder, lock_file) = (order.folder.clone(), order.folder.join(crate::LOCK_FILE));
            Ok(Report {
                folder,
                lock_file,
                files,
                imports: run.imports(&sources),
            })
        }
        1 => Err(errors.remove(0)),
        _ => Err(Error::Several(errors)),
    }
}

/// An order that is being carried out.
struct Run<'a> {
    order: &'a Order,
    lock: LockFile,
    /// Made when the first address is asked: an offline folder needs no certificates.
    client: Option<Client>,
}

/// What is to be thought of a content.
enum Judgement {
    Right(Trust),
    /// Not the published content: expected and found.
    Wrong(String, String),
    /// Not the content of the first fetch, whose git blob id this is.
    Changed(String),
    /// Nothing is known of it.
    Unknown,
}

impl Run<'_> {
    fn get(&mut self, source: &Source, tell: &mut dyn FnMut(Event<'_>)) -> Result<Fetched, Error> {
        let target = folder::place(&self.order.folder, &source.name)?;
        folder::make_parent(&target)?;
        if let Some(parent) = target.parent() {
            clean(parent)?;
        }
        let place = Origin::locate(self.order.from.as_ref(), source);
        if let Some((digests, trust)) = self.present(source, &target)? {
            let entry = match self.lock.entry(&source.name) {
                Some(entry) if entry.blake3 == digests.blake3 => entry.clone(),
                _ => self.keep(entry(
                    source,
                    &digests,
                    trust,
                    &target.display().to_string(),
                ))?,
            };
            return self.finish(source, entry, &target, State::AlreadyThere);
        }
        let entry = match &place {
            Place::Url(url) => self.download(source, url, &target, tell)?,
            Place::File(path) => self.copy(source, path, &target, tell)?,
        };
        self.finish(source, entry, &target, State::Fetched)
    }

    /// The content that is there already, where it is right and need not be fetched.
    fn present(&self, source: &Source, target: &Path) -> Result<Option<(Digests, Trust)>, Error> {
        match fs::symlink_metadata(target) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::read(target)(error)),
            Ok(found) if !found.is_file() => {
                let reason = "it is no file but a folder or a link: move it away".to_string();
                return Err(Error::Folder {
                    path: target.to_path_buf(),
                    reason,
                });
            }
            Ok(_) => {}
        }
        let digests = Digests::of_file(target)?;
        match self.judge(source, &digests) {
            // With --force a publisher's file that may have changed is looked at again.
            Judgement::Right(Trust::FirstUse) if self.order.force => Ok(None),
            Judgement::Right(trust) => Ok(Some((digests, trust))),
            _ if self.order.force => Ok(None),
            _ => Err(Error::InTheWay {
                path: target.to_path_buf(),
                found: digests.git_blob,
            }),
        }
    }

    fn judge(&self, source: &Source, digests: &Digests) -> Judgement {
        if let Some((expected, found)) = source.mismatch(digests) {
            return Judgement::Wrong(expected, found);
        }
        match self.lock.entry(&source.name) {
            _ if source.is_pinned() => Judgement::Right(Trust::PublishedId),
            Some(entry) if entry.blake3 == digests.blake3 => Judgement::Right(Trust::FirstUse),
            Some(entry) => Judgement::Changed(entry.git_blob.clone()),
            None => Judgement::Unknown,
        }
    }

    /// Whether a content that came may be kept.
    fn accept(&self, source: &Source, digests: &Digests, from: &str) -> Result<Trust, Error> {
        let (name, from) = (source.name.clone(), from.to_string());
        match self.judge(source, digests) {
            Judgement::Right(trust) => Ok(trust),
            Judgement::Unknown => Ok(Trust::FirstUse),
            Judgement::Changed(_) if self.order.force => Ok(Trust::FirstUse),
            Judgement::Changed(expected) => Err(Error::Changed {
                name,
                from,
                expected,
                found: digests.git_blob.clone(),
            }),
            Judgement::Wrong(expected, found) => Err(Error::WrongContent {
                name,
                from,
                expected,
                found,
                bytes: digests.bytes,
            }),
        }
    }

    fn download(
        &mut self,
        source: &Source,
        url: &str,
        target: &Path,
        tell: &mut dyn FnMut(Event<'_>),
    ) -> Result<Entry, Error> {
        let patience = &self.order.patience;
        if self.client.is_none() {
            self.client = Some(Client::new(&self.order.network, patience)?);
        }
        let Some(client) = &self.client else {
            unreachable!("made above")
        };
        let address = Url::parse(url).map_err(|reason| Error::BadOrigin {
            given: Url::without_password(url),
            reason,
        })?;
        let wanted = Wanted {
            name: &source.name,
            url: &address,
            bytes: source.bytes,
            pinned: source.is_pinned(),
        };
        let mut part = Part::open(target)?;
        download(client, &wanted, &mut part, patience, tell)?;
        let mut digests = Digests::of_file(part.path())?;
        let mut accepted = self.accept(source, &digests, url);
        if accepted.is_err() && part.is_pieced() {
            // Pieces that do not belong together are no fault of the server's: once more, from the
            // start.
            part.discard()?;
            download(client, &wanted, &mut part, patience, tell)?;
            digests = Digests::of_file(part.path())?;
            accepted = self.accept(source, &digests, url);
        }
        let trust = match accepted {
            Ok(trust) => trust,
            Err(error) => {
                part.discard()?;
                return Err(error);
            }
        };
        let entry = self.keep(entry(source, &digests, trust, url))?;
        part.put(target)?;
        Ok(entry)
    }

    fn copy(
        &mut self,
        source: &Source,
        path: &Path,
        target: &Path,
        tell: &mut dyn FnMut(Event<'_>),
    ) -> Result<Entry, Error> {
        let mut file = match fs::File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Error::NotOffline {
                    path: path.to_path_buf(),
                });
            }
            Err(error) => return Err(Error::read(path)(error)),
        };
        let bytes = file.metadata().map_err(Error::read(path))?.len();
        let limit = self.order.patience.largest_file;
        if bytes > limit {
            let reason = format!("it has {bytes} bytes, and no file may have more than {limit}");
            return Err(Error::TooLarge {
                url: path.display().to_string(),
                reason,
            });
        }
        let from = path.display().to_string();
        tell(Event::Begin {
            name: &source.name,
            from: &from,
            have: 0,
            total: Some(bytes),
        });
        let parent = target.parent().unwrap_or(Path::new("."));
        let mut unfinished = folder::unfinished_in(parent).map_err(Error::write(parent))?;
        let copied = io::copy(&mut (&mut file).take(limit), &mut unfinished)
            .map_err(Error::write(unfinished.path()))?;
        tell(Event::Bytes {
            name: &source.name,
            done: copied,
            total: Some(bytes),
        });
        let digests = Digests::of_file(unfinished.path())?;
        let trust = self.accept(source, &digests, &from)?;
        let entry = self.keep(entry(source, &digests, trust, &from))?;
        folder::put(unfinished.path(), target)?;
        // The file has another name by now: there is nothing left to remove.
        let _ = unfinished.into_temp_path().keep();
        Ok(entry)
    }

    /// Takes an entry into the lock file.
    fn keep(&mut self, entry: Entry) -> Result<Entry, Error> {
        self.lock.set(entry.clone());
        self.lock.save(&self.order.folder)?;
        Ok(entry)
    }

    /// What is left to do, once for each set and folder.
    fn imports(&self, sources: &[&Source]) -> Vec<Import> {
        let mut imports: Vec<Import> = Vec::new();
        for source in sources
            .iter()
            .filter(|source| source.published_by == PublishedBy::Publisher)
        {
            let folder = self.order.folder.join(
                source
                    .name
                    .rsplit_once('/')
                    .map_or("", |(folder, _)| folder),
            );
            let holds = |entry: &Entry, set| {
                entry.published_by == PublishedBy::Mwpbench && entry.sets.contains(set)
            };
            for set in &source.sets {
                let import = Import {
                    set: set.clone(),
                    folder: folder.clone(),
                    has_records: self.lock.files.iter().any(|entry| holds(entry, set)),
                };
                if !imports.contains(&import) {
                    imports.push(import);
                }
            }
        }
        imports
    }

    /// Unpacks what is an archive, and says what there is.
    fn finish(
        &mut self,
        source: &Source,
        mut entry: Entry,
        target: &Path,
        state: State,
    ) -> Result<Fetched, Error> {
        if let Some(inner) = &source.unpack {
            let unpacked = self.unpack(source, &entry, target, inner)?;
            if entry.unpacked.as_ref() != Some(&unpacked) {
                entry.unpacked = Some(unpacked);
                entry = self.keep(entry)?;
            }
        }
        Ok(Fetched {
            name: entry.name,
            path: target.to_path_buf(),
            state,
            bytes: entry.bytes,
            git_blob: entry.git_blob,
            blake3: entry.blake3,
            trust: entry.trust,
            from: entry.fetched_from,
            license: entry.license,
            unpacked: entry.unpacked,
        })
    }

    /// Unpacks an archive, unless that was done and nothing has changed since.
    fn unpack(
        &self,
        source: &Source,
        entry: &Entry,
        archive: &Path,
        inner: &str,
    ) -> Result<Unpacked, Error> {
        let name = match source.name.rsplit_once('/') {
            Some((folder, _)) => format!("{folder}/{inner}"),
            None => inner.to_string(),
        };
        let target = folder::place(&self.order.folder, &name)?;
        if fs::symlink_metadata(&target).is_ok() {
            if let Some(unpacked) = &entry.unpacked
                && target.is_dir()
                && archive::contents(&target, &name)? == *unpacked
            {
                return Ok(unpacked.clone());
            }
            if !self.order.force {
                return Err(Error::UnpackedInTheWay { path: target });
            }
            remove_all(&target)?;
        }
        archive::unpack(archive, inner, &target)?;
        archive::contents(&target, &name)
    }
}

fn entry(source: &Source, digests: &Digests, trust: Trust, from: &str) -> Entry {
    Entry {
        name: source.name.clone(),
        sets: source.sets.clone(),
        published_by: source.published_by,
        url: source.url(),
        fetched_from: from.to_string(),
        repository: source.repository.clone(),
        revision: source.revision.clone(),
        path: source.path.clone(),
        git_blob: digests.git_blob.clone(),
        blake3: digests.blake3.clone(),
        sha256: digests.sha256.clone(),
        bytes: digests.bytes,
        trust,
        fetched: Timestamp::now()
            .round(jiff::Unit::Second)
            .unwrap_or_else(|_| Timestamp::now()),
        license: source.license.clone(),
        unpacked: None,
    }
}

/// Removes what a fetch that was killed has left unfinished and nobody goes on with. Only called
/// under the guard.
fn clean(folder: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(folder).map_err(Error::read(folder))? {
        let entry = entry.map_err(Error::read(folder))?;
        if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            remove_all(&entry.path())?;
        }
    }
    Ok(())
}

/// Removes a file, a link (not what it leads to), or a folder with all in it.
fn remove_all(path: &Path) -> Result<(), Error> {
    let is_folder = fs::symlink_metadata(path).is_ok_and(|found| found.is_dir());
    let removed = if is_folder {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    removed.map_err(Error::write(path))
}
