//! One writer a folder: a file that is locked as long as something is written. Its text says who
//! holds it; the file stays.
//!
//! Some file systems of clusters have no locks (NFS without its lock daemon, Lustre without
//! `flock`). There the folder is written without one: to refuse would make the program useless in
//! such places, and a second writer is noticed when a journal is read, which has the same item
//! twice.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

use jiff::Timestamp;

use crate::error::FileError;

/// What is read of a lock file, which might be any file of that name.
const MAX_SIGNATURE_BYTES: u64 = 200;

/// The right to write to a folder.
#[derive(Debug)]
pub struct FolderLock {
    handle: File,
}

impl FolderLock {
    /// Takes the right, which ends with the value or with the process. The folder is made where it
    /// is missing.
    ///
    /// # Errors
    /// [`FileError::Locked`] where somebody else has it, [`FileError::NotWritable`] where the folder
    /// cannot be written.
    pub fn acquire(folder: &Path, name: &str) -> Result<Self, FileError> {
        let not_writable = |source| FileError::NotWritable {
            folder: folder.to_path_buf(),
            source,
        };
        std::fs::create_dir_all(folder).map_err(not_writable)?;
        // The file outlives the lock: were it removed, one process could hold the removed file and
        // another the new one. Nor is it emptied before the lock is had: its text names the holder.
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
                let mut start = (&mut handle).take(MAX_SIGNATURE_BYTES);
                let signed = start.read_to_string(&mut holder).is_ok() && !holder.trim().is_empty();
                let holder = match signed {
                    true => holder.trim().escape_debug().to_string(),
                    false => "another process".to_string(),
                };
                return Err(FileError::Locked {
                    folder: folder.to_path_buf(),
                    holder,
                });
            }
            Err(TryLockError::Error(source)) if has_no_locks(&source) => {}
            Err(TryLockError::Error(source)) => return Err(not_writable(source)),
        }
        let signature = format!(
            "process {}, since {}\n",
            std::process::id(),
            Timestamp::now()
        );
        let signed = handle
            .set_len(0)
            .and_then(|()| handle.rewind())
            .and_then(|()| handle.write_all(signature.as_bytes()));
        signed.map_err(not_writable)?;
        Ok(Self { handle })
    }
}

impl Drop for FolderLock {
    fn drop(&mut self) {
        // So that nobody is named who is gone; a failure costs no more than that.
        let _ = self.handle.rewind().and_then(|()| self.handle.set_len(0));
        // Closing the file is not enough where another thread is about to start a process: until
        // that has begun, it has the file open too.
        let _ = self.handle.unlock();
    }
}

/// Whether a file system cannot lock at all. `ENOLCK` is what NFS answers without a lock daemon.
fn has_no_locks(error: &std::io::Error) -> bool {
    const ENOLCK: i32 = 37;
    error.kind() == std::io::ErrorKind::Unsupported
        || (cfg!(target_os = "linux") && error.raw_os_error() == Some(ENOLCK))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = "run.lock";

    #[test]
    fn the_second_writer_is_told_who_the_first_is() {
        let folder = tempfile::tempdir().unwrap();
        let first = FolderLock::acquire(folder.path(), LOCK).unwrap();
        let message = FolderLock::acquire(folder.path(), LOCK)
            .unwrap_err()
            .to_string();
        assert!(
            message.contains(&format!("process {}, since ", std::process::id())),
            "{message}"
        );
        drop(first);
        assert_eq!(std::fs::read(folder.path().join(LOCK)).unwrap(), b"");
        FolderLock::acquire(folder.path(), LOCK).unwrap();
    }
}
