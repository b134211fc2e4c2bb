//! Training files: `screened.jsonl` → `export/`, in the forms that trainers read as they are.
//!
//! The folder holds a data card and a sub-folder for each form, each with `train` and, where a
//! share is held out, `validation`; the head of the card tells Hugging Face `datasets` which files
//! belong to which form (the parquet files, which it cannot read beside JSON, are a folder of their
//! own to it). Whether a record is held out, and its place in the order, depends on the seed and
//! its id alone.

mod card; // the data card
mod forms; // a record in each form
mod mix; // records of other files
mod parquet; // a parquet file without arrow
mod spool; // all records, ready to be read in any order
mod stage; // mwpbench mathscale export

pub use forms::Form;
pub use mix::{Amount, Mix};
pub use stage::{ExportOutcome, ExportPlan, export};
