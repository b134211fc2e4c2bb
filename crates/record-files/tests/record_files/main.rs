//! Files of records, whole and damaged.

/// Forms are recognised, values survive each of them, places are right.
mod forms;

/// Damage is named with file, line and column.
mod damaged;

/// Parquet: types, nesting, compressions, damage.
mod parquet;

/// Published files, where they are at hand.
mod real;

use std::path::PathBuf;

use record_files::{Error, Record};

/// A file with this content in a folder of its own.
pub(crate) struct TempFile {
    _folder: tempfile::TempDir,
    pub(crate) path: PathBuf,
}

pub(crate) fn file(name: &str, content: impl AsRef<[u8]>) -> TempFile {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    TempFile {
        _folder: folder,
        path,
    }
}

pub(crate) fn all(file: &TempFile) -> Result<Vec<Record>, Error> {
    record_files::open(&file.path)?.collect()
}

/// The first error, without the file's folder.
pub(crate) fn error(file: &TempFile) -> String {
    let text = all(file).expect_err("an error was expected").to_string();
    let folder = file.path.parent().unwrap().display().to_string();
    text.replace(&format!("{folder}/"), "")
}
