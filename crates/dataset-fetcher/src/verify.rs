//! Hashing everything again.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::archive;
use crate::digest::Digests;
use crate::error::Error;
use crate::folder;
use crate::lock_file::{LockFile, LockedFile, Unpacked};
use crate::names::{PART, STAGING, is_internal};
use crate::source::sources;

/// What a data folder holds, against its lock file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// The data folder.
    pub folder: PathBuf,
    /// Files in the order of the lock file, then those that are not in it, in order of name.
    pub files: Vec<CheckedFile>,
}

/// A file, or a folder of unpacked files (its name ends in `/`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckedFile {
    /// Its name in the data folder.
    pub name: String,
    /// What was found.
    pub check: CheckResult,
    /// Size in bytes, where it was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// What its id should be, where it is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What its id is, or why it cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
}

/// What was found of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckResult {
    /// Its content is what the lock file says, and what was published.
    Ok,
    /// Its content is another.
    Changed,
    /// It is not there.
    Missing,
    /// It is there and cannot be read.
    Unreadable,
    /// An unfinished download, which the same fetch resumes: no fault.
    Unfinished,
    /// The lock file does not name it, such as a file of the user's: no fault.
    NotInLock,
}

impl CheckResult {
    /// Whether something is wrong.
    pub fn is_fault(self) -> bool {
        matches!(self, Self::Changed | Self::Missing | Self::Unreadable)
    }
}

impl Verification {
    /// Whether everything that the lock file names is there and unchanged.
    pub fn is_good(&self) -> bool {
        self.files.iter().all(|file| !file.check.is_fault())
    }
}

/// Hashes every file again that the lock file of a data folder names.
///
/// # Errors
/// [`Error::NoLockFile`], and [`Error::LockFile`] where it cannot be understood. What is wrong with
/// a file is no error but a result.
pub fn verify(data: &Path) -> Result<Verification, Error> {
    let lock = LockFile::load(data)?.ok_or_else(|| Error::NoLockFile {
        folder: data.to_path_buf(),
    })?;
    let mut files: Vec<CheckedFile> = Vec::new();
    for entry in &lock.files {
        files.push(check(data, entry));
        files.extend(
            entry
                .unpacked
                .as_ref()
                .map(|unpacked| check_unpacked(data, unpacked)),
        );
    }
    let mut others = Vec::new();
    let known: BTreeSet<String> = files.iter().map(|file| file.name.clone()).collect();
    list_others(data, "", &known, &mut others)?;
    others.sort_by(|one, other| one.name.cmp(&other.name));
    files.extend(others);
    Ok(Verification {
        folder: data.to_path_buf(),
        files,
    })
}

fn check(data: &Path, entry: &LockedFile) -> CheckedFile {
    let checked = |check, bytes, expected, found| CheckedFile {
        name: entry.name.clone(),
        check,
        bytes,
        expected,
        found,
    };
    let digests = match find(data, &entry.name, false)
        .and_then(|path| path.map(|path| Digests::of_file(&path)).transpose())
    {
        Ok(Some(digests)) => digests,
        Ok(None) => {
            return checked(
                CheckResult::Missing,
                None,
                Some(format!("git blob {}", entry.git_blob)),
                None,
            );
        }
        Err(error) => return checked(CheckResult::Unreadable, None, None, Some(error.to_string())),
    };
    let bytes = Some(digests.bytes);
    // What was published decides, should the lock file say something else.
    let published = sources().iter().find(|source| source.name == entry.name);
    if let Some((expected, found)) = published.and_then(|source| source.mismatch(&digests)) {
        return checked(CheckResult::Changed, bytes, Some(expected), Some(found));
    }
    let same = [
        (&digests.git_blob, &entry.git_blob),
        (&digests.blake3, &entry.blake3),
        (&digests.sha256, &entry.sha256),
    ];
    match same.iter().all(|(found, expected)| found == expected) && digests.bytes == entry.bytes {
        true => checked(CheckResult::Ok, bytes, None, None),
        false => {
            let (expected, found) = (
                format!("git blob {}", entry.git_blob),
                format!("git blob {}", digests.git_blob),
            );
            checked(CheckResult::Changed, bytes, Some(expected), Some(found))
        }
    }
}

fn check_unpacked(data: &Path, unpacked: &Unpacked) -> CheckedFile {
    let name = format!("{}/", unpacked.folder);
    let checked = |check, expected, found| CheckedFile {
        name: name.clone(),
        check,
        bytes: None,
        expected,
        found,
    };
    let describe = |unpacked: &Unpacked| {
        Some(format!(
            "{} files, BLAKE3 {}",
            unpacked.files, unpacked.blake3
        ))
    };
    let found = find(data, &unpacked.folder, true).and_then(|path| {
        path.map(|path| archive::contents(&path, &unpacked.folder))
            .transpose()
    });
    match found {
        Ok(Some(found)) if found == *unpacked => checked(CheckResult::Ok, None, None),
        Ok(Some(found)) => checked(CheckResult::Changed, describe(unpacked), describe(&found)),
        Ok(None) => checked(CheckResult::Missing, describe(unpacked), None),
        Err(error) => checked(CheckResult::Unreadable, None, Some(error.to_string())),
    }
}

/// The path of a name, where a file (or a folder) is there and no link on the way.
fn find(data: &Path, name: &str, is_folder: bool) -> Result<Option<PathBuf>, Error> {
    let path = folder::path_of(data, name)?;
    match fs::symlink_metadata(&path) {
        Ok(found) if found.is_dir() == is_folder && !found.is_symlink() => Ok(Some(path)),
        Ok(_) => Err(Error::Folder {
            path,
            reason: "it is a link, or no file where there should be one".to_string(),
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::read(&path)(error)),
    }
}

/// Files that the lock file does not name; folders of unpacked files are named as a whole.
fn list_others(
    folder: &Path,
    below: &str,
    known: &BTreeSet<String>,
    others: &mut Vec<CheckedFile>,
) -> Result<(), Error> {
    for entry in fs::read_dir(folder).map_err(Error::read(folder))? {
        let entry = entry.map_err(Error::read(folder))?;
        let file_name = entry.file_name().to_string_lossy().into_owned();
        let name = format!("{below}{file_name}");
        let kind = entry.file_type().map_err(Error::read(&entry.path()))?;
        let checked = |check| CheckedFile {
            name: name.clone(),
            check,
            bytes: None,
            expected: None,
            found: None,
        };
        if kind.is_dir() {
            if !known.contains(&format!("{name}/")) && !file_name.starts_with(STAGING) {
                list_others(&entry.path(), &format!("{name}/"), known, others)?;
            }
        } else if file_name.ends_with(PART) {
            others.push(checked(CheckResult::Unfinished));
        } else if !known.contains(&name) && !is_internal(&file_name) {
            others.push(checked(CheckResult::NotInLock));
        }
    }
    Ok(())
}
