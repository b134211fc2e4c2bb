//! Names that stay in the data folder, files that appear whole, one fetch at a time.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Component, Path, PathBuf};

use crate::error::Error;
use crate::lock_file::LOCK_FILE;
use crate::part;

/// The file whose lock a fetch holds. It stays when the fetch ends: taking it away would let two
/// others lock two files.
const GUARD: &str = ".mwpbench-fetch.guard";
/// What names of files that are still being written begin with.
pub(crate) const UNFINISHED: &str = ".mwpbench-unfinished-";
/// The folder of publishers' own files.
const NATIVE: &str = "native";

/// Whether an entry of a data folder is our own book-keeping, or publishers' files that are not
/// records: nothing that problems are loaded from.
pub fn is_housekeeping(name: &str) -> bool {
    let is_part = name.ends_with(part::PART) || name.ends_with(part::NOTE);
    name == LOCK_FILE || name == GUARD || name == NATIVE || name.starts_with(UNFINISHED) || is_part
}

/// Whether a name with `/` between its parts stays below the folder that it is joined to, on every
/// platform.
pub(crate) fn is_safe(name: &str) -> bool {
    let is_plain = |part: &str| {
        !part.is_empty()
            && part != "."
            && part != ".."
            && !part.contains(['\\', ':', '\0'])
            && !part.ends_with(['.', ' '])
    };
    name.split('/').all(is_plain)
        && Path::new(name)
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
}

/// The place of a name in a folder.
///
/// # Errors
/// [`Error::Folder`] where the name, or a link on the way to it, leads out of the folder.
pub(crate) fn place(folder: &Path, name: &str) -> Result<PathBuf, Error> {
    let mut path = folder.to_path_buf();
    if !is_safe(name) {
        let reason = format!("the name \"{}\" leads out of it", name.escape_default());
        return Err(Error::Folder { path, reason });
    }
    let parts: Vec<&str> = name.split('/').collect();
    for (at, part) in parts.iter().enumerate() {
        path.push(part);
        let is_folder = at + 1 < parts.len();
        if let (true, Ok(found)) = (is_folder, fs::symlink_metadata(&path))
            && !found.is_dir()
        {
            let reason = "it is no folder but a file or a link, which is not followed".to_string();
            return Err(Error::Folder { path, reason });
        }
    }
    Ok(path)
}

/// Makes a folder with all above it.
pub(crate) fn make(path: &Path) -> Result<(), Error> {
    fs::create_dir_all(path).map_err(|error| Error::Folder {
        path: path.to_path_buf(),
        reason: error.to_string(),
    })
}

/// Makes the folder that a file lies in.
pub(crate) fn make_parent(path: &Path) -> Result<(), Error> {
    path.parent().map_or(Ok(()), make)
}

/// Gives a finished file its name, over another of that name, and sees to it that this outlasts a
/// loss of power.
pub(crate) fn put(unfinished: &Path, path: &Path) -> Result<(), Error> {
    File::open(unfinished)
        .and_then(|file| file.sync_all())
        .map_err(Error::write(unfinished))?;
    fs::rename(unfinished, path).map_err(Error::write(path))?;
    keep_entries(path)
}

/// A file without a name to rely on, gone when it is dropped. Whoever may read the folder's files
/// may read it, once it has its name.
pub(crate) fn unfinished_in(folder: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(UNFINISHED);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder
            .permissions(fs::Permissions::from_mode(0o666))
            .tempfile_in(folder)
    }
    #[cfg(not(unix))]
    builder.tempfile_in(folder)
}

/// Writes a small file that is there whole or not at all.
pub(crate) fn write_whole(path: &Path, text: &str) -> Result<(), Error> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let write = || {
        let mut file = unfinished_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)
    };
    write().map_err(Error::write(path))?;
    keep_entries(path)
}

/// Sees to it that the folder's entry for a file outlasts a loss of power, where the platform can.
fn keep_entries(path: &Path) -> Result<(), Error> {
    if cfg!(unix) {
        let folder = path.parent().unwrap_or(Path::new("."));
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(Error::write(folder))?;
    }
    Ok(())
}

/// The right to fetch into a folder, given back when this is dropped or the process ends.
#[derive(Debug)]
pub(crate) struct Guard {
    file: File,
}

impl Drop for Guard {
    /// Closing the file is not enough where another thread is about to start a process: until that
    /// has begun, it has the file open too.
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

impl Guard {
    /// Takes the right.
    ///
    /// # Errors
    /// [`Error::Busy`] where another has it.
    pub(crate) fn take(folder: &Path) -> Result<Self, Error> {
        make(folder)?;
        let path = folder.join(GUARD);
        let open = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path);
        let mut file = open.map_err(|error| Error::Folder {
            path: path.clone(),
            reason: error.to_string(),
        })?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::Busy {
                    folder: folder.to_path_buf(),
                    holder: holder(&mut file),
                });
            }
            // A file system without locks: better one fetch without a guard than none.
            Err(TryLockError::Error(error)) if error.kind() == std::io::ErrorKind::Unsupported => {}
            Err(TryLockError::Error(error)) => {
                return Err(Error::Folder {
                    path,
                    reason: error.to_string(),
                });
            }
        }
        let note = format!(
            "process {}, since {}",
            std::process::id(),
            jiff::Timestamp::now().strftime("%FT%TZ")
        );
        let write = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(note.as_bytes()));
        write.map_err(Error::write(&path))?;
        Ok(Self { file })
    }
}

fn holder(file: &mut File) -> String {
    let mut note = String::new();
    match file.take(200).read_to_string(&mut note) {
        Ok(count) if count > 0 => note.escape_debug().to_string(),
        _ => "it does not say which".to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_elsewhere_are_not_safe() {
        for name in [
            "full_test.json",
            "native/gsm8k/test.jsonl",
            "native/2010-2022_Math_I_MCQs.json",
            "...a",
            "题目.json",
        ] {
            assert!(is_safe(name), "{name}");
        }
        let bad = [
            "",
            "/etc/passwd",
            "../x",
            "a/../x",
            "a/..",
            "a//b",
            "a/",
            "./a",
            "C:/x",
            "C:x",
            "a\\b",
            "a\0b",
            "a/. /b",
            "x.",
            "..",
        ];
        for name in bad {
            assert!(!is_safe(name), "{name:?}");
        }
    }

    #[test]
    fn one_fetch_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let guard = Guard::take(folder.path()).unwrap();
        let text = Guard::take(folder.path()).unwrap_err().to_string();
        assert!(
            text.contains(&format!("process {}, since 20", std::process::id())),
            "{text}"
        );
        drop(guard);
        Guard::take(folder.path()).unwrap();
    }

    #[test]
    #[cfg(unix)]
    fn links_on_the_way_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(outside.path(), folder.path().join("native")).unwrap();
        assert!(
            place(folder.path(), "native/gsm8k/test.jsonl")
                .unwrap_err()
                .to_string()
                .contains("not followed")
        );
        assert!(place(folder.path(), "full_test.json").is_ok());
    }

    #[test]
    fn housekeeping_is_nothing_to_load() {
        for name in [
            "mwpbench-data.lock",
            "full_test.json.part",
            "full_test.json.part.note",
            GUARD,
            "native",
        ] {
            assert!(is_housekeeping(name), "{name}");
        }
        assert!(!is_housekeeping("full_test.json") && !is_housekeeping("own.jsonl"));
    }
}
