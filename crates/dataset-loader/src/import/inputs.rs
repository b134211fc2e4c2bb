//! Which files of a folder are read, and in which order.

use std::path::{Path, PathBuf};

use crate::benchmark::Set;
use crate::error::{Error, ErrorKind};
use crate::files::unreadable;
use crate::native::PublishedFormat;

/// A file to read, and its name in its folder.
pub(super) struct Input {
    pub(super) path: PathBuf,
    pub(super) name: PathBuf,
}

/// The file itself, or of a folder the files of the split that are called as the publisher calls
/// them.
pub(super) fn find(
    input: &Path,
    split: &str,
    set: Option<&Set>,
    native: &PublishedFormat,
) -> Result<Vec<Input>, Error> {
    let name = |path: &Path| PathBuf::from(path.file_name().unwrap_or_default());
    if !input.is_dir() {
        return Ok(vec![Input {
            path: input.to_path_buf(),
            name: name(input),
        }]);
    }
    let mut found = Vec::new();
    walk(input, &name(input), &mut found)?;
    let lower = |path: &Path| PathBuf::from(path.to_string_lossy().to_lowercase());
    found.retain(|file| (native.belongs)(&lower(&file.name), split));
    // Of `2.json` and `10.json` the first comes first.
    found.sort_by_cached_key(|file| natural_order(&file.name));
    // `train.jsonl` and `train.parquet` are the same records twice; in order of name the JSON Lines
    // come first.
    found.dedup_by_key(|file| file.name.with_extension(""));
    match found.is_empty() {
        false => Ok(found),
        true => Err(Error::in_file(
            input,
            ErrorKind::NoFileOfSplit {
                title: set.map_or("MwpBench", |set| &set.title).to_string(),
                split: split.to_string(),
                expected: native.file_names,
            },
        )),
    }
}

/// Every file below a folder but hidden ones; links to folders are not followed, so that this ends.
fn walk(folder: &Path, name: &Path, found: &mut Vec<Input>) -> Result<(), Error> {
    for entry in std::fs::read_dir(folder).map_err(|error| unreadable(folder, error))? {
        let entry = entry.map_err(|error| unreadable(folder, error))?;
        let kind = entry
            .file_type()
            .map_err(|error| unreadable(&entry.path(), error))?;
        let own = entry.file_name();
        if own.to_string_lossy().starts_with('.') {
            continue;
        }
        match kind.is_dir() {
            true => walk(&entry.path(), &name.join(&own), found)?,
            false if entry.path().is_file() => found.push(Input {
                path: entry.path(),
                name: name.join(&own),
            }),
            false => {}
        }
    }
    Ok(())
}

/// A key that sorts numbers in names by value: digits are filled up with zeros.
fn natural_order(name: &Path) -> String {
    const DIGITS: usize = 12;
    let mut key = String::new();
    let mut digits = String::new();
    // The last character flushes digits at the end of a name.
    for c in name.to_string_lossy().chars().chain(['\0']) {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        if !digits.is_empty() {
            key.push_str(&format!("{digits:0>DIGITS$}"));
            digits.clear();
        }
        key.push(c);
    }
    key
}
