//! Paths in the data folder.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::error::Error;
use crate::names::{STAGING, is_safe};

/// The path of a name in a folder.
///
/// # Errors
/// [`Error::Folder`] where the name, or a link on the way to it, leads out of the folder.
pub(crate) fn path_of(folder: &Path, name: &str) -> Result<PathBuf, Error> {
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

/// Creates a folder with all above it.
pub(crate) fn create(path: &Path) -> Result<(), Error> {
    fs::create_dir_all(path).map_err(|error| Error::Folder {
        path: path.to_path_buf(),
        reason: error.to_string(),
    })
}

/// Creates the folder that a file lies in.
pub(crate) fn create_parent(path: &Path) -> Result<(), Error> {
    path.parent().map_or(Ok(()), create)
}

/// A folder to prepare files in, beside the place where they will stand. It goes with the value; what
/// a killed process leaves is removed by [`remove_staging`].
pub(crate) fn staging_beside(target: &Path) -> Result<TempDir, Error> {
    let parent = target.parent().unwrap_or(Path::new("."));
    tempfile::Builder::new()
        .prefix(STAGING)
        .tempdir_in(parent)
        .map_err(Error::write(parent))
}

/// Removes what a killed fetch was preparing in a folder. Only called under the folder's lock.
pub(crate) fn remove_staging(folder: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(folder).map_err(Error::read(folder))? {
        let entry = entry.map_err(Error::read(folder))?;
        if entry.file_name().to_string_lossy().starts_with(STAGING) {
            remove_all(&entry.path())?;
        }
    }
    Ok(())
}

/// Removes a file, a link (not what it leads to), or a folder with all in it.
pub(crate) fn remove_all(path: &Path) -> Result<(), Error> {
    let is_folder = fs::symlink_metadata(path).is_ok_and(|found| found.is_dir());
    let removed = if is_folder {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    removed.map_err(Error::write(path))
}

#[cfg(test)]
mod tests {
    #[test]
    #[cfg(unix)]
    fn links_on_the_way_are_not_followed() {
        use super::path_of;
        let folder = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(outside.path(), folder.path().join("native")).unwrap();
        assert!(
            path_of(folder.path(), "native/gsm8k/test.jsonl")
                .unwrap_err()
                .to_string()
                .contains("not followed")
        );
        assert!(path_of(folder.path(), "full_test.json").is_ok());
    }
}
