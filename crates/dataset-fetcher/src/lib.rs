//! Fetches published data and keeps it verifiable.
//!
//! In goes a [`FetchRequest`]: which sets, from whom, into which folder. Out come files whose
//! content is verified, a lock file that records what lies in the folder and where it came from,
//! and a [`FetchReport`]. [`verify`] hashes everything again. This crate refuses to know records,
//! models and scores: to it, data are bytes with a name.
//!
//! ```
//! use dataset_fetcher::{PublishedBy, sources};
//! let full = sources().iter().find(|source| source.name == "full_test.json").unwrap();
//! assert_eq!(full.published_by, PublishedBy::Mwpbench);
//! assert!(full.url().starts_with("https://raw.githubusercontent.com/microsoft/unilm/768a3c87"));
//! ```

mod archive; // a publisher's tar file → files in one folder
mod client; // one HTTP request: redirects, proxies, statuses
mod digest; // git blob id, BLAKE3 and SHA-256 of a content
mod download; // one file over HTTP: resumed, retried, bounded
mod error; // what can go wrong
mod event; // progress of a fetch
mod fetch; // the whole request
mod folder; // paths in the data folder
mod lock_file; // mwpbench-data.lock
mod names; // which names of a data folder are our own, and which stay in it
mod partial; // an unfinished download and what is known of it
mod policy; // attempts, timeouts and limits of a download
mod report; // what a fetch did
mod request; // what to fetch, where from and where to
mod source; // sources.toml: where data are published
mod verify; // hashing everything again

pub use digest::{Digests, git_blob_id};
pub use error::Error;
pub use event::FetchEvent;
pub use fetch::fetch;
pub use http_client::{Backoff, Network};
pub use lock_file::{LockFile, LockedFile, Trust, Unpacked};
pub use names::{LOCK_FILE, is_internal};
pub use policy::DownloadPolicy;
pub use report::{FetchReport, FetchState, FetchedFile, PendingImport};
pub use request::{FetchRequest, Origin};
pub use source::{PublishedBy, Source, Split, sources};
pub use verify::{CheckResult, CheckedFile, Verification, verify};
