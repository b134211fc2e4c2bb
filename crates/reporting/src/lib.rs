//! Renders what runs found: tables, leaderboards, charts, and one item from problem to verdict.
//!
//! In go summaries and records of `evaluation`; out comes text. This crate refuses to judge: it
//! never computes a verdict.
//!
//! ```
//! let benchmark = dataset_loader::Benchmark::published();
//! let table = reporting::set_list(&benchmark, &dataset_loader::bundled_problems(&benchmark), None);
//! assert!(table.contains("AGIEval-SAT-Math"));
//! ```

mod best; // the best of several runs
mod cases; // what came of the rules' cases
mod comparison; // two runs side by side
mod disagreements; // where the two scorers differ
mod escape; // text that each format shows as it is
mod explanation; // how one answer was judged
mod fetched_files; // what was fetched, and whether it still is what it was
mod gate; // what a gate says, in four forms
mod import_text; // what came of an import
mod inspection; // what a checkpoint is, and what is wrong with it
mod interval; // the intervals of averages
mod item; // one problem with prompt, completion, trace and verdict
mod item_list; // items of a run, a line each
mod known_errors; // problems that are known to have a fault
mod latency; // how long a server's requests took
mod leaderboard; // models × sets, as tables, charts and a model card's block
mod mathscale; // what the stages of the pipeline did, and the concept graph
mod mathscale_pairs; // what became of its pairs
mod overlap_text; // which test items training files contain
mod png; // charts as pixels
mod problem_text; // one problem as the data hold it
mod recipe_text; // a trainer's folder, and what to type next
mod scored_file; // completions of another program
mod self_check; // can the scorers judge by a set's references?
mod set_list; // which sets there are, and what the data at hand hold of them
mod stats_table; // what is at hand beside what the paper counts
mod summary_table; // the table of a finished run
mod svg; // shapes and texts of pictures
mod table; // the frame that all tables share
mod translation_text; // what came of a translation
mod wording; // words and numbers as a person reads them

pub use best::best_text;
pub use cases::cases_text;
pub use comparison::{comparison_text, contrast_text, flips_text};
pub use disagreements::disagreements_text;
pub use escape::shell;
pub use explanation::explanation_text;
pub use fetched_files::{fetched_text, verification_text};
pub use gate::{
    baseline_text, gate_annotations, gate_error_annotation, gate_error_junit, gate_error_markdown,
    gate_junit, gate_markdown, gate_text,
};
pub use import_text::import_text;
pub use inspection::{facts_text, inspection_text};
pub use item::{Item, item_text};
pub use item_list::item_list;
pub use known_errors::known_errors_text;
pub use latency::latency_line;
pub use leaderboard::{
    Entry, Leaderboard, LeaderboardError, LeaderboardFormat, LeaderboardPlan, Scorers, Subjects,
    leaderboard_schema,
};
pub use mathscale::{
    composed_text, extraction_text, graph_made_text, graph_stats_text, neighbourhoods_text,
    project_text,
};
pub use mathscale_pairs::{
    estimate_text, exported_text, generated_text, screened_text, validated_text,
};
pub use overlap_text::{OverlapLayout, overlap_text};
pub use png::{PngError, png};
pub use problem_text::problem_text;
pub use recipe_text::recipe_text;
pub use scored_file::scored_file_text;
pub use self_check::self_check_text;
pub use set_list::set_list;
pub use stats_table::stats_text;
pub use summary_table::{SummaryTable, summary_table};
pub use translation_text::translation_text;
pub use wording::{broken_lines, counted, plural};
