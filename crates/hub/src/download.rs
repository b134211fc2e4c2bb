//! One file: what is there of it is continued, the whole is checked and put in its place.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read, Write};
use std::time::Duration;

use crate::cache::RepositoryCache;
use crate::checksum::Hasher;
use crate::client::{Client, Failure, shown};
use crate::error::Error;
use crate::event::HubEvent;
use crate::listing::RemoteFile;
use crate::name::RepositoryName;
use crate::settings::HubSettings;

/// Attempts in all, however much each of them brings.
const MAX_TOTAL_ATTEMPTS: u32 = 1000;

/// What is downloaded, and with what.
pub(crate) struct Download<'a> {
    pub(crate) settings: &'a HubSettings,
    pub(crate) name: &'a RepositoryName,
    pub(crate) cache: &'a RepositoryCache,
    pub(crate) client: &'a Client<'a>,
    pub(crate) commit: &'a str,
    pub(crate) on_event: &'a mut dyn FnMut(HubEvent<'_>),
    /// Bytes of all files that are done.
    pub(crate) done: u64,
    /// Bytes of all files that were missing.
    pub(crate) total: u64,
}

/// A file as far as it came.
struct Part {
    file: File,
    bytes: u64,
    hasher: Hasher,
    /// Whether some of it is from an earlier process.
    pieced: bool,
}

impl Download<'_> {
    /// Sees to it that the commit has this file.
    pub(crate) fn file(&mut self, wanted: &RemoteFile) -> Result<(), Error> {
        let on_event = &mut *self.on_event;
        let _lock = self.cache.lock(wanted, || {
            on_event(HubEvent::Waiting { file: &wanted.path })
        })?;
        // Perhaps by the process that had the lock.
        if !self.cache.blob(wanted).is_file() && !self.cache.has(self.commit, &wanted.path) {
            self.content(wanted)?;
        }
        self.done += wanted.bytes;
        self.cache.link(self.commit, wanted)
    }

    fn content(&mut self, wanted: &RemoteFile) -> Result<(), Error> {
        let place = self.cache.incomplete(wanted);
        let folder = place.parent().unwrap_or(&place);
        fs::create_dir_all(folder).map_err(Error::writing(folder))?;
        for last in [false, true] {
            let mut part = self.open(wanted)?;
            self.receive_all(wanted, &mut part)?;
            let pieced = part.pieced;
            let found = part.hasher.digits();
            drop(part.file);
            if found == wanted.checksum.digits() {
                let blob = self.cache.blob(wanted);
                return fs::rename(&place, &blob).map_err(Error::writing(&blob));
            }
            // What another process began may be of anything: once more from the start.
            fs::remove_file(&place).map_err(Error::writing(&place))?;
            if last || !pieced {
                return Err(Error::WrongContent {
                    file: wanted.path.clone(),
                    name: self.name.to_string(),
                    expected: wanted.checksum.digits().to_string(),
                    found,
                });
            }
        }
        unreachable!("the second attempt returns")
    }

    /// What there is of a file.
    fn open(&self, wanted: &RemoteFile) -> Result<Part, Error> {
        let place = self.cache.incomplete(wanted);
        let opened = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .append(true)
            .open(&place);
        let file = opened.map_err(Error::writing(&place))?;
        let mut part = Part {
            bytes: file.metadata().map_err(Error::reading(&place))?.len(),
            file,
            hasher: wanted.checksum.hasher(wanted.bytes),
            pieced: false,
        };
        if part.bytes > wanted.bytes {
            part.start_over(wanted).map_err(Error::writing(&place))?;
        }
        part.pieced = part.bytes > 0;
        let mut content = BufReader::new(&part.file).take(part.bytes);
        part.hasher
            .update_from(&mut content)
            .map_err(Error::reading(&place))?;
        Ok(part)
    }

    fn receive_all(&mut self, wanted: &RemoteFile, part: &mut Part) -> Result<(), Error> {
        let url = self.client.file_url(self.commit, &wanted.path)?;
        let mut delays = self.settings.backoff.delays();
        let (mut fruitless, mut most) = (0, part.bytes);
        for attempt in 1.. {
            if part.bytes == wanted.bytes {
                return Ok(());
            }
            let (reason, wait) = match self.receive(&url, wanted, part) {
                Ok(()) => continue,
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Passing { reason, wait }) => (reason, wait),
            };
            fruitless += 1;
            if part.bytes > most {
                (most, fruitless) = (part.bytes, 1);
                delays = self.settings.backoff.delays();
            }
            if fruitless >= self.settings.max_attempts || attempt >= MAX_TOTAL_ATTEMPTS {
                return Err(Error::Unreachable {
                    url: shown(&url),
                    attempts: attempt,
                    reason,
                    kept: part.bytes,
                });
            }
            let delay = wait.or(delays.next()).unwrap_or(Duration::ZERO);
            (self.on_event)(HubEvent::Retry {
                file: &wanted.path,
                reason: &reason,
                delay,
                attempt: attempt + 1,
            });
            std::thread::sleep(delay);
        }
        unreachable!("the attempts are bounded")
    }

    /// One request, from where the file ends.
    fn receive(
        &mut self,
        url: &url::Url,
        wanted: &RemoteFile,
        part: &mut Part,
    ) -> Result<(), Failure> {
        let place = self.cache.incomplete(wanted);
        let passing = |reason: String| Failure::Passing { reason, wait: None };
        // The address of the content is asked for anew each time: it holds for minutes only.
        let mut answer = self.client.get(url, part.bytes)?;
        let announced = match (answer.status(), answer.content_range()) {
            (206, Some((from, size))) if from == part.bytes && part.bytes > 0 => Some(size),
            (200, _) => {
                if part.bytes > 0 {
                    part.start_over(wanted).map_err(Error::writing(&place))?;
                }
                answer.content_length()
            }
            _ => {
                part.start_over(wanted).map_err(Error::writing(&place))?;
                return Err(passing(
                    "the server continued elsewhere than asked: starting over".to_string(),
                ));
            }
        };
        if let Some(size) = announced.filter(|size| *size != wanted.bytes) {
            return Err(Error::Answer {
                url: shown(url),
                reason: format!(
                    "the server announces {size} bytes, and the hub lists {}",
                    wanted.bytes
                ),
            }
            .into());
        }
        loop {
            let bytes = match answer.chunk() {
                Ok(Some(bytes)) => bytes,
                Ok(None) if part.bytes == wanted.bytes => return Ok(()),
                Ok(None) => {
                    return Err(passing(format!(
                        "broken off at {} of {} bytes",
                        part.bytes, wanted.bytes
                    )));
                }
                Err(reason) => {
                    return Err(passing(format!(
                        "broken off at {} of {} bytes: {reason}",
                        part.bytes, wanted.bytes
                    )));
                }
            };
            if part.bytes + bytes.len() as u64 > wanted.bytes {
                part.start_over(wanted).map_err(Error::writing(&place))?;
                return Err(passing(format!(
                    "more than {} bytes came: starting over",
                    wanted.bytes
                )));
            }
            part.write(&bytes)
                .map_err(|error| self.write_failure(wanted, part.bytes, error))?;
            (self.on_event)(HubEvent::Bytes {
                file: &wanted.path,
                done: self.done + part.bytes,
                total: self.total,
            });
        }
    }

    fn write_failure(&self, wanted: &RemoteFile, there: u64, error: io::Error) -> Error {
        let place = self.cache.incomplete(wanted);
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::DiskFull {
                file: wanted.path.clone(),
                folder: place.parent().unwrap_or(&place).to_path_buf(),
                missing: wanted.bytes - there,
            },
            _ => Error::writing(&place)(error),
        }
    }
}

impl Part {
    fn start_over(&mut self, wanted: &RemoteFile) -> io::Result<()> {
        self.file.set_len(0)?;
        self.bytes = 0;
        self.pieced = false;
        self.hasher = wanted.checksum.hasher(wanted.bytes);
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(())
    }
}
