//! A file with weights, mapped or embedded.

use std::ops::{Deref, Range};
use std::path::{Path, PathBuf};

use memmap2::Mmap;

use crate::error::{Error, ErrorKind};
use crate::small_file::{missing_file, refuse_lfs_pointer};

pub(crate) enum FileBytes {
    Mapped(Mmap),
    Embedded(&'static [u8]),
}

impl Deref for FileBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(bytes) => bytes,
            Self::Embedded(bytes) => bytes,
        }
    }
}

/// An open weight file.
pub(crate) struct WeightFile {
    /// Without its folder.
    pub(crate) name: String,
    pub(crate) bytes: FileBytes,
    /// Where it lies; `None` where it is embedded.
    path: Option<PathBuf>,
}

impl WeightFile {
    /// A file in the binary itself.
    pub(crate) fn embedded(name: String, bytes: &'static [u8]) -> Self {
        Self {
            name,
            bytes: FileBytes::Embedded(bytes),
            path: None,
        }
    }

    /// Where it lies; `None` where it is embedded.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// # Errors
    /// [`ErrorKind::Missing`] or [`ErrorKind::Io`].
    pub(crate) fn map(path: &Path) -> Result<Self, Error> {
        let name = path
            .file_name()
            .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let file = std::fs::File::open(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => missing_file(&name),
            _ => Error::new(ErrorKind::Io, format!("cannot be opened: {error}")).in_file(&name),
        })?;
        // SAFETY: the mapping is only read, as plain bytes that are valid whatever they are.
        // Another process must not shorten the file while the model loads; that is the user's to
        // guarantee, as for any memory-mapped checkpoint.
        match unsafe { Mmap::map(&file) } {
            Ok(bytes) => refuse_lfs_pointer(&bytes, &name).map(|()| Self {
                name,
                bytes: FileBytes::Mapped(bytes),
                path: Some(path.to_path_buf()),
            }),
            Err(error) => {
                Err(Error::new(ErrorKind::Io, format!("cannot be mapped: {error}")).in_file(name))
            }
        }
    }

    /// Releases a part of the mapped file from this process's memory (`madvise`).
    pub(crate) fn release(&self, range: Range<usize>) {
        #[cfg(unix)]
        if let FileBytes::Mapped(map) = &self.bytes {
            // SAFETY: the mapping is of a file and only read, so that a page read again is the same
            // again. A failure costs memory and nothing else.
            let _ = unsafe {
                map.unchecked_advise_range(
                    memmap2::UncheckedAdvice::DontNeed,
                    range.start,
                    range.len(),
                )
            };
        }
    }
}
