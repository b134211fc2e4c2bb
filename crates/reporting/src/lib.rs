//! Tells what runs found: tables for a terminal and the story of one item.
//!
//! In go summaries and records of `evaluation`; out comes text. This crate refuses to judge: it never computes a verdict.
//!
//! ```
//! let benchmark = dataset_loader::Benchmark::published();
//! let table = reporting::set_list(&benchmark, &dataset_loader::samples(&benchmark), None);
//! assert!(table.contains("AGIEval-SAT-Math"));
//! ```

mod disagreements; // where the two scorers differ
mod item; // one problem with prompt, completion, trace and verdict
mod set_list;
mod summary_table; // the table of a finished run
mod table; // the frame that all tables share // which sets there are, and what the data at hand hold of them

pub use disagreements::disagreements_text;
pub use item::{Item, item_text};
pub use set_list::set_list;
pub use summary_table::{SummaryTable, summary_table};
