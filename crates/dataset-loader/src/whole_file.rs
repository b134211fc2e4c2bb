//! Files that appear whole or not at all.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use tempfile::NamedTempFile;

/// A file of JSON Lines in the making: a temporary file in the folder where it will stand.
pub(crate) struct LinesInTheMaking {
    out: BufWriter<NamedTempFile>,
}

impl LinesInTheMaking {
    /// The folder is made where it is missing.
    pub(crate) fn begin(folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(".mwpbench-");
        // Temporary files are private by default; what is put in place is an ordinary one (the
        // umask applies).
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        Ok(Self {
            out: BufWriter::new(builder.tempfile_in(folder)?),
        })
    }

    /// Adds a line.
    pub(crate) fn add(&mut self, value: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.out, value)?;
        self.out.write_all(b"\n")
    }

    /// Puts the file in its place, on the same disk.
    pub(crate) fn put(self, file: &Path) -> io::Result<()> {
        let folder = folder_of(file);
        std::fs::create_dir_all(&folder)?;
        let temporary = self
            .out
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        temporary.as_file().sync_all()?;
        temporary.persist(file)?;
        // The name is on the disk when its folder is.
        #[cfg(unix)]
        File::open(folder)?.sync_all()?;
        Ok(())
    }
}

/// The folder that a file is in.
pub(crate) fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    }
}
