//! What a fetch did.

use std::path::PathBuf;

use serde::Serialize;

use crate::lock_file::{Trust, Unpacked};

/// What a fetch did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FetchReport {
    /// The data folder.
    pub folder: PathBuf,
    /// Its lock file.
    pub lock_file: PathBuf,
    /// The files, in the order of the request.
    pub files: Vec<FetchedFile>,
    /// What is left to do with publishers' files, which are no records yet.
    pub imports: Vec<PendingImport>,
}

/// A file that is there and verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FetchedFile {
    /// Its name in the data folder.
    pub name: String,
    /// Its path.
    pub path: PathBuf,
    /// Whether it had to be fetched.
    pub state: FetchState,
    /// Its size.
    pub bytes: u64,
    /// Its git blob id.
    pub git_blob: String,
    /// Its BLAKE3.
    pub blake3: String,
    /// Why its content is held to be right.
    pub trust: Trust,
    /// The address or path that it came from.
    pub from: String,
    /// Its license, as its publisher states it.
    pub license: String,
    /// What was unpacked of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unpacked: Option<Unpacked>,
}

/// Whether a file had to be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FetchState {
    /// It was fetched.
    Fetched,
    /// It was there and verified.
    AlreadyThere,
}

/// Publishers' files that are still to be imported as records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PendingImport {
    /// The set.
    pub set: String,
    /// The folder with its files.
    pub folder: PathBuf,
    /// Whether the data folder holds published records of the set already: two kinds of the same
    /// problems do not go together in it.
    pub has_records: bool,
}
