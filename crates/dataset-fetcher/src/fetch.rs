//! The whole request, file after file: inspect what is there, download or copy, verify, record.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use http_client::redact;
use jiff::Timestamp;
use store::FolderLock;

use crate::archive;
use crate::client::{Client, parse_url};
use crate::digest::Digests;
use crate::download::{Wanted, download};
use crate::error::Error;
use crate::event::FetchEvent;
use crate::folder;
use crate::lock_file::{LockFile, LockedFile, Trust, Unpacked};
use crate::names::{GUARD, LOCK_FILE};
use crate::partial::PartialDownload;
use crate::report::{FetchReport, FetchState, FetchedFile, PendingImport};
use crate::request::{FetchRequest, FileLocation, Origin};
use crate::source::{PublishedBy, Source};

/// Fetches what is requested. Each file is verified before it replaces anything, and is in the lock
/// file before it has its name: a fetch that is killed in between leaves an entry without a file,
/// which the next one fetches, and never a file of unknown origin. A file that fails does not keep
/// the others from being fetched, unless they would fail in the same way.
///
/// # Errors
/// Why the request cannot be met, or what failed. Files that did not fail are there and in the lock
/// file.
pub fn fetch(
    request: &FetchRequest,
    on_event: &mut dyn FnMut(FetchEvent<'_>),
) -> Result<FetchReport, Error> {
    let sources = request.files()?;
    let _lock = FolderLock::acquire(&request.folder, GUARD)?;
    folder::remove_staging(&request.folder)?;
    let lock = LockFile::load(&request.folder)?.unwrap_or_default();
    let mut run = Run {
        request,
        lock,
        client: None,
    };
    let mut files = Vec::new();
    let mut errors = Vec::new();
    for source in &sources {
        match run.get(source, on_event) {
            Ok(fetched) => {
                on_event(FetchEvent::Finished(&fetched));
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
            let (folder, lock_file) = (request.folder.clone(), request.folder.join(LOCK_FILE));
            Ok(FetchReport {
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

/// A fetch at work.
struct Run<'a> {
    request: &'a FetchRequest,
    lock: LockFile,
    /// Made for the first address: an offline folder needs no certificates.
    client: Option<Client>,
}

/// How a content compares with what is known of the file.
enum Verification {
    Verified(Trust),
    /// Not the published content.
    Mismatch {
        expected: String,
        found: String,
    },
    /// Not the content of the first fetch, whose git blob id this is.
    Changed(String),
    /// Nothing is known of it.
    Unknown,
}

impl Run<'_> {
    fn get(
        &mut self,
        source: &Source,
        on_event: &mut dyn FnMut(FetchEvent<'_>),
    ) -> Result<FetchedFile, Error> {
        let target = folder::path_of(&self.request.folder, &source.name)?;
        folder::create_parent(&target)?;
        if let Some(parent) = target.parent() {
            folder::remove_staging(parent)?;
        }
        let location = Origin::locate(self.request.from.as_ref(), source);
        if let Some((digests, trust)) = self.present(source, &target)? {
            let entry = match self.lock.entry(&source.name) {
                // The same content keeps its entry: when and where from it was first fetched stays
                // known.
                Some(entry) if entry.blake3 == digests.blake3 => entry.clone(),
                _ => self.record(locked_file(
                    source,
                    &digests,
                    trust,
                    &target.display().to_string(),
                ))?,
            };
            return self.finish(source, entry, &target, FetchState::AlreadyThere);
        }
        let entry = match &location {
            FileLocation::Url(url) => self.download(source, url, &target, on_event)?,
            FileLocation::Path(path) => self.copy(source, path, &target, on_event)?,
        };
        self.finish(source, entry, &target, FetchState::Fetched)
    }

    /// The content that is there already, where it is verified and need not be fetched.
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
        match self.verify(source, &digests) {
            // Under `force` a file that its publisher may have changed is fetched again.
            Verification::Verified(Trust::FirstUse) if self.request.force => Ok(None),
            Verification::Verified(trust) => Ok(Some((digests, trust))),
            _ if self.request.force => Ok(None),
            // A content that nothing is known of as well: a file of the user's own may have this
            // name.
            _ => Err(Error::InTheWay {
                path: target.to_path_buf(),
                found: digests.git_blob,
            }),
        }
    }

    fn verify(&self, source: &Source, digests: &Digests) -> Verification {
        if let Some((expected, found)) = source.mismatch(digests) {
            return Verification::Mismatch { expected, found };
        }
        match self.lock.entry(&source.name) {
            // The published id was compared above and outranks the lock file, which may hold what
            // an earlier revision of the table pinned.
            _ if source.is_pinned() => Verification::Verified(Trust::PublishedId),
            Some(entry) if entry.blake3 == digests.blake3 => {
                Verification::Verified(Trust::FirstUse)
            }
            Some(entry) => Verification::Changed(entry.git_blob.clone()),
            None => Verification::Unknown,
        }
    }

    /// Why a content that was fetched is trusted.
    fn accept(&self, source: &Source, digests: &Digests, from: &str) -> Result<Trust, Error> {
        let (name, from) = (source.name.clone(), from.to_string());
        match self.verify(source, digests) {
            Verification::Verified(trust) => Ok(trust),
            Verification::Unknown => Ok(Trust::FirstUse),
            Verification::Changed(_) if self.request.force => Ok(Trust::FirstUse),
            Verification::Changed(expected) => Err(Error::Changed {
                name,
                from,
                expected,
                found: digests.git_blob.clone(),
            }),
            Verification::Mismatch { expected, found } => Err(Error::WrongContent {
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
        on_event: &mut dyn FnMut(FetchEvent<'_>),
    ) -> Result<LockedFile, Error> {
        let policy = &self.request.policy;
        if self.client.is_none() {
            self.client = Some(Client::new(&self.request.network, policy)?);
        }
        let Some(client) = &self.client else {
            unreachable!("made above")
        };
        let address = parse_url(url).map_err(|reason| Error::BadOrigin {
            given: redact(url),
            reason,
        })?;
        let wanted = Wanted {
            name: &source.name,
            url: &address,
            bytes: source.bytes,
            pinned: source.is_pinned(),
        };
        let mut part = PartialDownload::open(target)?;
        download(client, &wanted, &mut part, policy, on_event)?;
        // Read again from the disk and not hashed on arrival: an earlier process may have written
        // the first bytes.
        let mut digests = Digests::of_file(part.path())?;
        let mut accepted = self.accept(source, &digests, url);
        if accepted.is_err() && part.is_pieced() {
            // Pieces that do not belong together are not the server's fault: once more, from the
            // start.
            part.discard()?;
            download(client, &wanted, &mut part, policy, on_event)?;
            digests = Digests::of_file(part.path())?;
            accepted = self.accept(source, &digests, url);
        }
        let trust = match accepted {
            Ok(trust) => trust,
            Err(error) => {
                // Refused bytes are the beginning of nothing: the next fetch must not resume from
                // them.
                part.discard()?;
                return Err(error);
            }
        };
        let entry = self.record(locked_file(source, &digests, trust, url))?;
        part.publish(target)?;
        Ok(entry)
    }

    fn copy(
        &mut self,
        source: &Source,
        path: &Path,
        target: &Path,
        on_event: &mut dyn FnMut(FetchEvent<'_>),
    ) -> Result<LockedFile, Error> {
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Error::NotOffline {
                    path: path.to_path_buf(),
                });
            }
            Err(error) => return Err(Error::read(path)(error)),
        };
        let bytes = file.metadata().map_err(Error::read(path))?.len();
        let limit = self.request.policy.max_file_bytes;
        if bytes > limit {
            let reason = format!("it has {bytes} bytes, and no file may have more than {limit}");
            return Err(Error::TooLarge {
                url: path.display().to_string(),
                reason,
            });
        }
        let from = path.display().to_string();
        on_event(FetchEvent::Begin {
            name: &source.name,
            from: &from,
            have: 0,
            total: Some(bytes),
        });
        let staging = folder::staging_beside(target)?;
        let staged = staging.path().join("copy");
        // The limit again: the file may have grown since its size was read.
        let copied = File::create(&staged)
            .and_then(|mut copy| io::copy(&mut (&mut file).take(limit), &mut copy))
            .map_err(Error::write(&staged))?;
        on_event(FetchEvent::Bytes {
            name: &source.name,
            done: copied,
            total: Some(bytes),
        });
        let digests = Digests::of_file(&staged)?;
        let trust = self.accept(source, &digests, &from)?;
        let entry = self.record(locked_file(source, &digests, trust, &from))?;
        store::publish(&staged, target).map_err(Error::write(target))?;
        Ok(entry)
    }

    /// Records an entry in the lock file.
    fn record(&mut self, entry: LockedFile) -> Result<LockedFile, Error> {
        self.lock.insert(entry.clone());
        self.lock.save(&self.request.folder)?;
        Ok(entry)
    }

    /// What is left to import, once for each set and folder.
    fn imports(&self, sources: &[&Source]) -> Vec<PendingImport> {
        let mut imports: Vec<PendingImport> = Vec::new();
        for source in sources
            .iter()
            .filter(|source| source.published_by == PublishedBy::Publisher)
        {
            let folder = self.request.folder.join(
                source
                    .name
                    .rsplit_once('/')
                    .map_or("", |(folder, _)| folder),
            );
            let holds = |entry: &LockedFile, set| {
                entry.published_by == PublishedBy::Mwpbench && entry.sets.contains(set)
            };
            for set in &source.sets {
                let import = PendingImport {
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

    /// Unpacks an archive, and reports the file.
    fn finish(
        &mut self,
        source: &Source,
        mut entry: LockedFile,
        target: &Path,
        state: FetchState,
    ) -> Result<FetchedFile, Error> {
        if let Some(inner) = &source.unpack {
            let unpacked = self.unpack(source, &entry, target, inner)?;
            if entry.unpacked.as_ref() != Some(&unpacked) {
                entry.unpacked = Some(unpacked);
                entry = self.record(entry)?;
            }
        }
        Ok(FetchedFile {
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
        entry: &LockedFile,
        archive: &Path,
        inner: &str,
    ) -> Result<Unpacked, Error> {
        let name = match source.name.rsplit_once('/') {
            Some((folder, _)) => format!("{folder}/{inner}"),
            None => inner.to_string(),
        };
        let target = folder::path_of(&self.request.folder, &name)?;
        if fs::symlink_metadata(&target).is_ok() {
            if let Some(unpacked) = &entry.unpacked
                && target.is_dir()
                && archive::contents(&target, &name)? == *unpacked
            {
                return Ok(unpacked.clone());
            }
            if !self.request.force {
                return Err(Error::UnpackedInTheWay { path: target });
            }
            folder::remove_all(&target)?;
        }
        // A fetch killed after this line leaves a folder that no entry vouches for: the next one
        // refuses it, and `force` unpacks again.
        archive::unpack(archive, inner, &target)?;
        archive::contents(&target, &name)
    }
}

fn locked_file(source: &Source, digests: &Digests, trust: Trust, from: &str) -> LockedFile {
    LockedFile {
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
