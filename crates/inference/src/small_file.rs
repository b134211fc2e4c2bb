//! Reading the small files of a checkpoint, with errors that name them.

use std::path::Path;

use crate::error::{Error, ErrorKind};

/// The error about a file that is not there.
pub(crate) fn missing_file(name: &str) -> Error {
    Error::new(ErrorKind::Missing, "no such file").in_file(name)
}

/// The content of a file that messages call `name`, or `None` where there is none.
pub(crate) fn read_small(path: &Path, name: &str) -> Result<Option<Vec<u8>>, Error> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            Err(Error::new(ErrorKind::Io, format!("cannot be read: {error}")).in_file(name))
        }
    }
}
