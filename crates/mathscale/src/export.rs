//! Training files: `screened.jsonl` → `export/`, in the formats that trainers read as they are.
//!
//! The folder holds a data card and a sub-folder for each format, each with `train` and, where a
//! share is held out, `validation`; the head of the card says to Hugging Face `datasets` which files
//! belong to which format (the parquet files, which it cannot read beside JSON, are a folder of their
//! own to it). Whether a record is held out, and its place in the order, depends on the seed and
//! its id alone.

mod card; // the data card
mod formats; // a record in each format
mod mix; // records of other files
mod parquet; // a parquet file without arrow
mod plan; // what the stage is to do
mod spool; // all records, ready to be read in any order
mod stage; // mwpbench mathscale export

pub use formats::ExportFormat;
pub use mix::{Amount, Mix};
pub use plan::ExportPlan;
pub use stage::{ExportOutcome, export};
