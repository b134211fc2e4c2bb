//! Loads mathematical word problems.
//!
//! In go files in MwpBench's record form (or nothing: the embedded samples); out come [`Problem`]s,
//! each assigned to one of the sets that `datasets/*/dataset.toml` describes, or to a set of one's
//! own ([`own_sets`]). The files that each set's own publisher gives out are turned into the record
//! form first ([`import`]). This crate refuses to know models, prompts and scores.
//!
//! ```
//! let benchmark = dataset_loader::Benchmark::published();
//! let data = dataset_loader::samples(&benchmark);
//! assert!(data.problems.iter().any(|problem| problem.set == "gsm8k"));
//! assert_eq!(benchmark.set("math").map(|set| set.tasks.len()), Some(7));
//! ```

mod benchmark; // which sets and tasks there are
mod choice; // multiple choice → word problem
mod error; // what can be wrong with data, and where
mod import; // publishers' files → the record form
mod native; // the publishers' own forms, one module each
mod own_set; // sets of one's own: a folder with a description
mod problem; // one word problem
mod reason; // why a publisher's record does not become a problem
mod record; // the reader of MwpBench's record form
mod source; // files, folders and samples turned into data with a digest
mod stats; // what is at hand beside what the paper counts
mod template; // the folder of a new set of one's own
mod whole_file; // files that appear whole or not at all

pub use benchmark::{Benchmark, Fields, Provenance, Publisher, Set, Task};
pub use choice::{OPTION_PHRASES, needs_options};
pub use error::{Error, ErrorKind};
pub use import::{
    ALL_SETS, Destination, Dropped, ImportPlan, Imported, UNTRANSLATED_FOLDER, check_alone, import,
};
pub use own_set::{check_name, own_sets};
pub use problem::Problem;
pub use reason::Reason;
pub use record::Extras;
pub use source::{Data, Origin, holds_data, load, load_training, samples};
pub use stats::{Counted, SetStats, Stats, TaskStats, grouped};
pub use template::{NewSet, new_set};
