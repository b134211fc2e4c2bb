//! One writer a project: `project.lock`, held as long as a stage runs. Its text says who holds it; the file stays.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

use jiff::Timestamp;

use crate::error::{Error, ErrorKind};

/// Name of the file.
pub(crate) const LOCK: &str = "project.lock";

/// The right to write to a project.
#[derive(Debug)]
pub(crate) struct ProjectLock {
    handle: File,
}

impl ProjectLock {
    /// Takes the right, which ends with the value or with the process.
    pub(crate) fn take(folder: &Path) -> Result<Self, Error> {
        let not_writable = |source| Error::in_file(folder, ErrorKind::NotWritable(source));
        let options = File::options().read(true).write(true).create(true).truncate(false).open(folder.join(LOCK));
        let mut handle = options.map_err(not_writable)?;
        match handle.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Whoever has just taken it may not have signed yet.
                let signed = handle.read_to_string(&mut holder).is_ok() && !holder.trim().is_empty();
                let holder = if signed { holder.trim().to_string() } else { "which has just begun".to_string() };
                return Err(Error::in_file(folder, ErrorKind::Locked { holder }));
            }
            Err(TryLockError::Error(source)) => return Err(not_writable(source)),
        }
        let signature = format!("process {}, since {}\n", std::process::id(), Timestamp::now());
        handle.set_len(0).and_then(|()| handle.write_all(signature.as_bytes())).map_err(not_writable)?;
        Ok(Self { handle })
    }
}

impl Drop for ProjectLock {
    fn drop(&mut self) {
        // So that nobody is named who is gone; a failure costs no more than that.
        let _ = self.handle.rewind().and_then(|()| self.handle.set_len(0));
    }
}
