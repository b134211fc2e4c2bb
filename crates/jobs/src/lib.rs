//! Work that outlives an interruption.
//!
//! The pieces: a [`Journal`] of finished records that only grows, a [`WriterLock`] for one writer a
//! folder, files that appear whole ([`replace_file`]). On top of them a [`Job`]: many items put to
//! any `Generator`, each reply read by a [`Task`], what cannot be read asked again with the reason,
//! what stays unreadable set aside, and everything kept in a folder from which the same call
//! continues.
//!
//! A [`Forecast`] says when work will be done, from its [`Progress`].
//!
//! This crate refuses to know what is asked: problems, concepts, references and scores.

mod differences; // in what two records of settings differ
mod error; // what can stop a job, and what can be wrong with a file
mod forecast; // when work will be done
mod job; // many items, one generator, one folder
mod journal; // finished records, line by line
mod progress; // how far work is
mod replies; // what a job has been told, in the order of its items
mod whole_file; // files that appear at once
mod writer_lock; // one writer a folder

pub use differences::{Difference, differences};
pub use error::{FileError, JobError};
pub use forecast::{Forecast, Speeds};
pub use job::{Job, Refusal, Task};
pub use journal::{Journal, drop_torn_line, read_journal, write_checked};
pub use progress::Progress;
pub use replies::{Outcome, Replies, Reply, Tally};
pub use whole_file::{replace_file, write_line};
pub use writer_lock::WriterLock;
