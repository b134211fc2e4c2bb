//! Loads mathematical word problems.
//!
//! In go files in MwpBench's record form (or nothing: the bundled problems); out come [`Problem`]s,
//! each assigned to one of the sets that `datasets/*/dataset.toml` describes, or to a set of one's
//! own ([`custom_sets`]). The files that each set's own publisher gives out are turned into the record
//! form first ([`import`]). This crate refuses to know models, prompts and scores.
//!
//! ```
//! let benchmark = dataset_loader::Benchmark::published();
//! let data = dataset_loader::bundled_problems(&benchmark);
//! assert!(data.problems.iter().any(|problem| problem.set == "gsm8k"));
//! assert_eq!(benchmark.set("math").map(|set| set.tasks.len()), Some(7));
//! ```

mod benchmark; // which sets and tasks there are
mod choice; // multiple choice → word problem
mod custom_set; // custom data sets: a folder with a description
mod error; // what can be wrong with data, and where
mod files; // the files of a folder that hold records
mod further; // the sets that people report beside MwpBench
mod import; // publishers' files → the record form
mod known_errors; // problems that are known to have a fault
mod native; // the publishers' own forms, one module each
mod new_set;
mod problem; // one word problem
mod reason; // why a publisher's record does not become a problem
mod record; // the reader of MwpBench's record form
mod source; // files, folders and bundled problems turned into data with a digest
mod stats; // what is at hand beside what the paper counts // the folder of a new custom data set

pub use benchmark::{Benchmark, Fields, Provenance, Publisher, Set, Task};
pub use choice::{OPTION_PHRASES, needs_options};
pub use custom_set::{check_name, custom_sets};
pub use error::{Error, ErrorKind};
pub use import::{
    ALL_SETS, Destination, Dropped, ImportPlan, Imported, UNTRANSLATED_FOLDER, check_alone, import,
};
pub use known_errors::{KnownError, KnownErrorKind, known_errors};
pub use new_set::{NewSet, new_set};
pub use problem::Problem;
pub use reason::DropReason;
pub use record::Extras;
pub use source::{
    Data, DataOrigin, WithFurther, all_bundled_problems, bundled_problems, holds_data, load,
    load_training, load_training_records,
};
pub use stats::{ProblemCount, SetStats, Stats, TaskStats, grouped};
