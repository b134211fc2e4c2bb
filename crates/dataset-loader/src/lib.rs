//! Loads mathematical word problems.
//!
//! In go files in MwpBench's record form (or nothing: the embedded samples); out come [`Problem`]s, each assigned to one
//! of the sets that `datasets/*/dataset.toml` describes. This crate refuses to know models, prompts and scores.
//!
//! ```
//! let benchmark = dataset_loader::Benchmark::published();
//! let data = dataset_loader::samples(&benchmark);
//! assert!(data.problems.iter().any(|problem| problem.set == "gsm8k"));
//! assert_eq!(benchmark.set("math").map(|set| set.tasks.len()), Some(7));
//! ```

mod benchmark; // which sets and tasks there are
mod error; // what can be wrong with data, and where
mod problem; // one word problem
mod record; // the reader of MwpBench's record form
mod source; // files, folders and samples turned into data with a digest

pub use benchmark::{Benchmark, Fields, Provenance, Set, Task};
pub use error::{Error, ErrorKind};
pub use problem::Problem;
pub use source::{Data, Origin, load, samples};
