//! Files that survive an interruption.
//!
//! * [`AtomicFile`], [`write_atomic`]: a file appears whole or not at all.
//! * [`Journal`]: a line of JSON with a checksum for each finished record; it only grows.
//! * [`FolderLock`]: one writer a folder.
//! * [`JsonLines`]: records, one at a time, each error with its line; [`IndexedLines`]: in any order.
//! * [`read_manifest`], [`differences`]: what a folder is bound to, and in what two bindings differ.
//!
//! **Order of writes.** A file is synced to the disk before it is renamed, and its folder after
//! that; a manifest is written after the files that it speaks of. So a power failure leaves the old
//! state or the new one, and never a manifest without its files.
//!
//! This crate refuses to know what the records are.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! let _lock = store::FolderLock::acquire(folder, "run.lock")?;
//! let mut journal = store::Journal::open(folder.join("replies.jsonl"))?;
//! journal.append(&serde_json::json!({ "id": "gsm8k/1", "text": "The answer is 7." }))?;
//! journal.sync()?;
//! let records: Vec<serde_json::Value> = store::read_journal(&folder.join("replies.jsonl"))?;
//! assert_eq!(records[0]["id"], "gsm8k/1");
//! # Ok(())
//! # }
//! ```

mod atomic_file; // files that appear whole
mod differences; // in what two records of settings differ
mod error; // what can be wrong with a file
mod folder_lock; // one writer a folder
mod indexed_lines; // records in any order
mod journal; // finished records, line by line, with checksums
mod json_lines; // records, one at a time
mod manifest; // JSON files that begin with their schema

pub use atomic_file::{
    AtomicFile, FileDigest, TEMPORARY_PREFIX, digest_file, publish, remove_temporary_files,
    write_atomic, write_json, write_line,
};
pub use differences::{Difference, compare_maps, differences};
pub use error::FileError;
pub use folder_lock::FolderLock;
pub use indexed_lines::IndexedLines;
pub use journal::{
    Journal, for_each_record, parse_record, read_journal, truncate_partial_line, write_record,
};
pub use json_lines::JsonLines;
pub use manifest::read_manifest;
