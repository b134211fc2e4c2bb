//! Repositories of the Hugging Face hub, as folders of its cache.
//!
//! In go a name ([`RepositoryName`]), what of the repository is needed ([`Contents`]) and the
//! settings of the environment ([`HubSettings`]); out comes a [`Snapshot`]: the folder of one commit
//! in the cache that transformers, vLLM and the hub's own client share. What is there already is
//! used, what is missing is downloaded, resumed and checked against the hub's checksums, and what we
//! download the others find.
//!
//! This crate refuses to know what is in the files, but for the list of shards beside a checkpoint.
//!
//! ```
//! use hub::RepositoryName;
//!
//! let name = RepositoryName::parse("org/name@v1.0").unwrap().unwrap();
//! assert_eq!((name.repository(), name.revision()), ("org/name", "v1.0"));
//! assert!(RepositoryName::parse("./models/mine").is_none());
//! ```

mod cache; // the folders and files of the cache, and its locks
mod checksum; // SHA-256 or git's id of a file
mod client; // requests, redirects, retries
mod download; // one file: continued, checked, put in its place
mod error; // what can go wrong
mod event; // what happens meanwhile
mod fetch; // the whole way from a name to a folder
mod listing; // what a repository holds, and what of it is needed
mod name; // names of repositories
mod settings; // the variables of the environment

pub use error::{Error, Refusal};
pub use event::HubEvent;
pub use fetch::{Snapshot, fetch};
pub use listing::Contents;
pub use name::{NameError, RepositoryName};
pub use settings::HubSettings;
