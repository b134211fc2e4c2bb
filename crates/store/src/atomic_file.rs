//! Files that appear whole or not at all, with their digest taken on the way.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

/// How names of temporary files begin.
pub const TEMPORARY_PREFIX: &str = ".mwpbench-";

/// Length and digest of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileDigest {
    /// Its length.
    pub bytes: u64,
    /// BLAKE3 (hex) of its bytes.
    pub blake3: String,
}

/// A file that is being written: a temporary file in the folder where it will stand.
#[derive(Debug)]
pub struct AtomicFile {
    out: BufWriter<Hashed>,
}

#[derive(Debug)]
struct Hashed {
    file: NamedTempFile,
    hasher: blake3::Hasher,
    bytes: u64,
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A write may take a part only: the digest is of what the file took.
        let written = self.file.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl AtomicFile {
    /// Begins a file that will stand in this folder, which is made where it is missing.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn create_in(folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        Self::begin(folder)
    }

    fn begin(folder: &Path) -> io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(TEMPORARY_PREFIX);
        // Temporary files are private by default; what takes its place is an ordinary file, to
        // which the umask applies.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let hashed = Hashed {
            // Where the file will stand: a rename is atomic only within one file system.
            file: builder.tempfile_in(folder)?,
            hasher: blake3::Hasher::new(),
            bytes: 0,
        };
        Ok(Self {
            out: BufWriter::with_capacity(1 << 17, hashed),
        })
    }

    /// Length and digest of what was written so far.
    ///
    /// # Errors
    /// The disk is full.
    pub fn digest(&mut self) -> io::Result<FileDigest> {
        // Bytes that wait in the buffer are not hashed yet.
        self.out.flush()?;
        let hashed = self.out.get_ref();
        Ok(FileDigest {
            bytes: hashed.bytes,
            blake3: hashed.hasher.finalize().to_hex().to_string(),
        })
    }

    /// Puts the file in its place, in the folder that it was begun in or another one on the same
    /// disk, over whatever stands there.
    ///
    /// # Errors
    /// The disk is full, or the place cannot be written; what stood there then stays.
    pub fn commit(mut self, file: &Path) -> io::Result<FileDigest> {
        let digest = self.digest()?;
        let hashed = self
            .out
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        let folder = folder_of(file);
        std::fs::create_dir_all(folder)?;
        // The bytes before the name: a file that has its name has its content.
        hashed.file.as_file().sync_all()?;
        hashed.file.persist(file)?;
        sync_folder(folder)?;
        Ok(digest)
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Writes a file that appears whole: readers find the old content or the new one.
///
/// # Errors
/// The folder is not there or cannot be written, or `fill` failed; the old file then stays.
pub fn write_atomic(
    file: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<FileDigest> {
    let mut out = AtomicFile::begin(folder_of(file))?;
    fill(&mut out)?;
    out.commit(file)
}

/// Writes a value as an indented JSON file that appears whole.
///
/// # Errors
/// As for [`write_atomic`].
pub fn write_json(file: &Path, value: &impl Serialize) -> io::Result<FileDigest> {
    write_atomic(file, |out| {
        serde_json::to_writer_pretty(&mut *out, value)?;
        out.write_all(b"\n")
    })
}

/// Writes a value as a line of JSON.
///
/// # Errors
/// As of `out`.
pub fn write_line(mut out: impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut out, value)?;
    out.write_all(b"\n")
}

/// Gives a finished file its name, over another of that name, so that it outlasts a power failure.
///
/// # Errors
/// Either path cannot be written, or they are on different disks.
pub fn publish(finished: &Path, file: &Path) -> io::Result<()> {
    // Whoever wrote the file may have closed it unsynced. A sync is of the file, whichever handle
    // asks for it.
    File::open(finished)?.sync_all()?;
    std::fs::rename(finished, file)?;
    sync_folder(folder_of(file))
}

/// Removes what a killed process left half-written in a folder. Only the holder of the folder's
/// lock may do so.
pub fn remove_temporary_files(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if name.to_string_lossy().starts_with(TEMPORARY_PREFIX) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Length and digest of a file that is there.
///
/// # Errors
/// It cannot be read.
pub fn digest_file(file: &Path) -> io::Result<FileDigest> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(File::open(file)?)?;
    Ok(FileDigest {
        bytes: hasher.count(),
        blake3: hasher.finalize().to_hex().to_string(),
    })
}

/// A new name is on the disk only when its folder is.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    match cfg!(unix) {
        // Windows opens no folder as a file.
        true => File::open(folder)?.sync_all(),
        false => Ok(()),
    }
}

pub(crate) fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("summary.json");
        let digest = write_json(&file, &[1, 2]).unwrap();
        assert_eq!(digest_file(&file).unwrap(), digest);
        let failed = write_atomic(&file, |out| {
            out.write_all(b"half")?;
            Err(io::Error::other("stop"))
        });
        assert_eq!(failed.unwrap_err().to_string(), "stop");
        assert_eq!(digest_file(&file).unwrap(), digest);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    #[cfg(unix)]
    fn a_file_is_no_more_private_than_any_other() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let mode = |name: &str| {
            let metadata = std::fs::metadata(folder.path().join(name)).unwrap();
            metadata.permissions().mode()
        };
        File::create(folder.path().join("ordinary")).unwrap();
        write_atomic(&folder.path().join("atomic"), |_| Ok(())).unwrap();
        assert_eq!(mode("atomic"), mode("ordinary"));
    }
}
