//! Many items put to any `Generator`, and nothing of it lost.
//!
//! A [`GenerationLoop`] puts prompts to a generator, hands over each completion as it finishes,
//! counts, and stops between two steps when it is asked to. On top of it a [`Job`]: each reply is
//! read by a [`JobTask`], what cannot be read is asked again with the reason, what stays unreadable is
//! set aside, and everything is kept in a folder from which the same call continues.
//!
//! A [`Forecast`] says when work will be done, from its [`Progress`].
//!
//! This crate refuses to know what is asked: problems, concepts, references and scores.

mod error; // what can stop a job
mod forecast; // when work will be done
mod generation_loop; // prompts → completions, recorded as they finish
mod job; // many items, one generator, one folder
mod progress; // how far work is
mod replies; // what a generator has replied, in the order of its items
mod task; // what is asked, and how replies are read

pub use error::JobError;
pub use forecast::{Forecast, Speeds};
pub use generation_loop::{GenerationLoop, Recorder};
pub use job::{Job, MIN_JUDGED};
pub use progress::Progress;
pub use replies::{ItemOutcome, RefusalExample, Replies, Reply, Tally};
pub use task::{JobTask, UnreadableReply};
