//! Tells what runs found: tables for a terminal and the story of one item.
//!
//! In go summaries and records of `evaluation`; out comes text. This crate refuses to judge: it never computes a verdict.
//!
//! ```
//! let benchmark = dataset_loader::Benchmark::published();
//! let table = reporting::set_list(&benchmark, &dataset_loader::samples(&benchmark), None);
//! assert!(table.contains("AGIEval-SAT-Math"));
//! ```

mod cases; // what came of the rules' cases
mod disagreements; // where the two scorers differ
mod explanation; // how one answer was judged
mod item; // one problem with prompt, completion, trace and verdict
mod self_check; // can the scorers judge by a set's references?
mod set_list; // which sets there are, and what the data at hand hold of them
mod summary_table; // the table of a finished run
mod table; // the frame that all tables share

pub use cases::cases_text;
pub use disagreements::disagreements_text;
pub use explanation::explanation_text;
pub use item::{Item, item_text};
pub use self_check::self_check_text;
pub use set_list::set_list;
pub use summary_table::{SummaryTable, summary_table};
