//! What every HTTP client of the workspace has in common.
//!
//! In go the variables of the environment ([`Network`]); out comes a reqwest client with their
//! proxies and certificates. Beside it: how long to wait between attempts ([`Backoff`]), the wait
//! that a server asks for ([`retry_after`]), what went wrong with a request in words
//! ([`describe`]), which redirects are followed ([`redirects`]), and addresses without their secrets
//! ([`redact`]).
//!
//! This crate refuses to know what is requested, of whom, and how often.
//!
//! ```
//! use std::time::Duration;
//!
//! let backoff = http_client::Backoff { first: Duration::from_millis(500), max: Duration::from_secs(30) };
//! assert!(backoff.delays().next().unwrap() >= Duration::from_millis(500));
//! assert_eq!(http_client::redact("https://me:secret@host/v1?key=1"), "https://…@host/v1");
//! ```

mod backoff; // how long to wait between attempts
mod failure; // what went wrong with a request
mod network; // proxies and certificates of the environment
mod redaction; // addresses without their secrets
mod redirects; // which redirects are followed
mod retry_after; // the wait that a server asks for

pub use backoff::Backoff;
pub use failure::{describe, is_proxy_refusal, is_tls_failure};
pub use network::{Network, NetworkError};
pub use redaction::redact;
pub use redirects::{RefusedRedirect, check_address, redirect_fault, redirects};
pub use retry_after::retry_after;
