//! The files of a folder that hold records.

use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind};

/// The data files of a folder, in order of name.
pub(crate) fn data_files(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    Ok(json_files(folder)?
        .into_iter()
        .filter(|file| !is_training_file(file))
        .collect())
}

pub(crate) fn json_files(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = std::fs::read_dir(folder).map_err(|error| unreadable(folder, error))?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| unreadable(folder, error))?.path();
        if path.is_file() && is_json_file(&path) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn is_json_file(path: &Path) -> bool {
    let hidden = path
        .file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with('.'));
    !hidden
        && path
            .extension()
            .is_some_and(|extension| extension == "jsonl" || extension == "json")
}

pub(crate) fn is_training_file(path: &Path) -> bool {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase()
        .contains("train")
}

pub(crate) fn unreadable(path: &Path, error: std::io::Error) -> Error {
    let kind = match error.kind() {
        std::io::ErrorKind::NotFound => ErrorKind::NotFound,
        _ => ErrorKind::Unreadable(error),
    };
    Error::in_file(path, kind)
}
