//! Files that appear whole or not at all, with their digest taken on the way.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use super::manifest::Output;

/// How names of temporary files begin.
pub(crate) const TEMPORARY: &str = ".mwpbench-";

/// A file in the making: a temporary file in the folder where it will stand.
pub struct WholeFile {
    out: BufWriter<Hashed>,
}

struct Hashed {
    file: NamedTempFile,
    hasher: blake3::Hasher,
    bytes: u64,
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl WholeFile {
    /// Begins a file that will stand in this folder.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn begin(folder: &Path) -> io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(TEMPORARY);
        // Temporary files are private by default; what is put in place is an ordinary one (the
        // umask applies).
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let file = builder.tempfile_in(folder)?;
        Ok(Self {
            out: BufWriter::with_capacity(
                1 << 17,
                Hashed {
                    file,
                    hasher: blake3::Hasher::new(),
                    bytes: 0,
                },
            ),
        })
    }

    /// Puts the file in its place, which is in the folder that it was begun in.
    ///
    /// # Errors
    /// The disk is full, or the place cannot be written.
    pub fn put(self, file: &Path) -> io::Result<Output> {
        let hashed = self
            .out
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        hashed.file.as_file().sync_all()?;
        hashed.file.persist(file)?;
        // The name is on the disk when its folder is.
        #[cfg(unix)]
        File::open(
            file.parent()
                .filter(|folder| !folder.as_os_str().is_empty())
                .unwrap_or(Path::new(".")),
        )?
        .sync_all()?;
        Ok(Output {
            bytes: hashed.bytes,
            blake3: hashed.hasher.finalize().to_hex().to_string(),
        })
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
