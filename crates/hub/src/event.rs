//! What happens while a repository is fetched.

use std::time::Duration;

/// What happens while a repository is fetched.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum HubEvent<'a> {
    /// Files are about to be downloaded.
    Begin {
        /// The repository.
        name: &'a str,
        /// How many files are missing.
        files: usize,
        /// Bytes of theirs that are there from an earlier attempt.
        have: u64,
        /// Bytes of these files.
        total: u64,
    },
    /// More bytes came.
    Bytes {
        /// The file.
        file: &'a str,
        /// Bytes of all missing files that are there.
        done: u64,
        /// Bytes of all of them.
        total: u64,
    },
    /// Another process downloads this file: its end is waited for.
    Waiting {
        /// The file.
        file: &'a str,
    },
    /// Something failed and is tried again.
    Retry {
        /// The file, or what is asked of the hub.
        file: &'a str,
        /// What happened.
        reason: &'a str,
        /// How long is waited.
        delay: Duration,
        /// The number of the next attempt, from 1.
        attempt: u32,
    },
    /// The hub cannot be reached, and what is in the cache is used.
    FromCache {
        /// The repository.
        name: &'a str,
        /// The commit that is used.
        commit: &'a str,
        /// Why the hub was not asked.
        reason: &'a str,
    },
    /// All files are there.
    Done {
        /// Bytes that were downloaded.
        bytes: u64,
    },
}
