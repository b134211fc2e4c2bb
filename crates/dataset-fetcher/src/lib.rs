//! Fetches published data and keeps it verifiable.
//!
//! In goes an [`Order`]: which sets, from whom, into which folder. Out come files whose content is
//! known, a lock file that says what lies in the folder and where it came from, and a [`Report`].
//! [`verify`] hashes everything again. This crate refuses to know records, models and scores: to
//! it, data are bytes with a name.
//!
//! ```
//! use dataset_fetcher::{PublishedBy, sources};
//! let full = sources().iter().find(|source| source.name == "full_test.json").unwrap();
//! assert_eq!(full.published_by, PublishedBy::Mwpbench);
//! assert!(full.url().starts_with("https://raw.githubusercontent.com/microsoft/unilm/768a3c87"));
//! ```

mod archive; // a publisher's tar file → files in one folder
mod client; // one request: redirects, proxies, certificates
mod digest; // what identifies a content
mod download; // one file over the network: continued, tried again, bounded
mod error; // what can go wrong, and the way out
mod fetch; // the whole order
mod folder; // names that stay in the data folder, files that appear whole, one fetch at a time
mod lock_file; // mwpbench-data.lock
mod network; // proxies and certificates of the environment
mod order; // what is asked for
mod part; // an unfinished download and what is known of it
mod patience; // how often, how long, how much
mod source; // sources.toml: where data are published
mod url; // addresses that we follow
mod verify; // hashing everything again

pub use digest::{Digests, git_blob_id};
pub use error::{Error, ErrorKind};
pub use fetch::{Event, Fetched, Import, Report, State, fetch};
pub use folder::is_housekeeping;
pub use lock_file::{Entry, LOCK_FILE, LockFile, Trust, Unpacked};
pub use network::Network;
pub use order::{Order, Origin};
pub use patience::Patience;
pub use source::{PublishedBy, Source, Split, sources};
pub use verify::{Check, Checked, Verification, verify};
