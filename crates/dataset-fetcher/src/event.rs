//! Progress of a fetch.

use std::time::Duration;

use crate::report::FetchedFile;

/// What happens, as it happens. Names are those in the data folder, sizes are bytes.
#[derive(Debug)]
#[non_exhaustive]
pub enum FetchEvent<'a> {
    /// The first bytes of a file arrive.
    Begin {
        /// The file.
        name: &'a str,
        /// The address or path they come from.
        from: &'a str,
        /// What an earlier attempt left.
        have: u64,
        /// The whole size, as far as it is known.
        total: Option<u64>,
    },
    /// More bytes arrived.
    Bytes {
        /// The file.
        name: &'a str,
        /// How many are there now.
        done: u64,
        /// The whole size, as far as it is known.
        total: Option<u64>,
    },
    /// An attempt failed; another follows after a delay.
    Retry {
        /// The file.
        name: &'a str,
        /// What happened.
        reason: &'a str,
        /// How long the delay is.
        delay: Duration,
        /// Which attempt follows, from 2.
        attempt: u32,
    },
    /// A file is there and verified.
    Finished(&'a FetchedFile),
}
