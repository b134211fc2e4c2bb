//! One writer a folder: a file that is locked as long as something is written. Its text says who
//! holds it; the file stays.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

use jiff::Timestamp;

use crate::error::FileError;

/// The right to write to a folder.
#[derive(Debug)]
pub struct WriterLock {
    handle: File,
}

impl WriterLock {
    /// Takes the right, which ends with the value or with the process.
    ///
    /// # Errors
    /// [`FileError::Locked`] where somebody else has it, [`FileError::NotWritable`] where there can
    /// be no lock.
    pub fn take(folder: &Path, name: &str) -> Result<Self, FileError> {
        let not_writable = |source| FileError::NotWritable {
            folder: folder.to_path_buf(),
            source,
        };
        let options = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(folder.join(name));
        let mut handle = options.map_err(not_writable)?;
        match handle.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Whoever has just taken it may not have signed yet.
                let signed =
                    handle.read_to_string(&mut holder).is_ok() && !holder.trim().is_empty();
                let holder = if signed {
                    holder.trim().to_string()
                } else {
                    "another process".to_string()
                };
                return Err(FileError::Locked {
                    folder: folder.to_path_buf(),
                    holder,
                });
            }
            Err(TryLockError::Error(source)) => return Err(not_writable(source)),
        }
        let signature = format!(
            "process {}, since {}\n",
            std::process::id(),
            Timestamp::now()
        );
        let signed = handle
            .set_len(0)
            .and_then(|()| handle.write_all(signature.as_bytes()));
        signed.map_err(not_writable)?;
        Ok(Self { handle })
    }
}

impl Drop for WriterLock {
    fn drop(&mut self) {
        // So that nobody is named who is gone; a failure costs no more than that.
        let _ = self.handle.rewind().and_then(|()| self.handle.set_len(0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = "run.lock";

    #[test]
    fn the_second_writer_is_told_who_the_first_is() {
        let folder = tempfile::tempdir().unwrap();
        let first = WriterLock::take(folder.path(), LOCK).unwrap();
        let message = WriterLock::take(folder.path(), LOCK)
            .unwrap_err()
            .to_string();
        assert!(
            message.contains(&format!("process {}, since ", std::process::id())),
            "{message}"
        );
        drop(first);
        assert_eq!(std::fs::read(folder.path().join(LOCK)).unwrap(), b"");
        WriterLock::take(folder.path(), LOCK).unwrap();
    }
}
