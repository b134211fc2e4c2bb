//! Runs → one page of HTML that shows them item by item: no network, no script from elsewhere.
//!
//! The page has the summary as HTML, and the items in compressed blocks that its script reads as
//! they are needed. Everything that comes from models and data is a text node by the time it is
//! shown; formulas are MathML that was made here and is rebuilt element by element. A
//! Content-Security-Policy allows the page's own script and style, by their digests, and
//! nothing else.
//!
//! This crate must never compute a verdict.

mod blocks; // items → compressed blocks
mod charts; // figures → SVG
mod codes; // MathML → one character an element
mod formulas; // where formulas stand, and their MathML
mod html; // elements and escapes
mod page; // the whole page
mod seven_bits; // bytes → characters of a page
mod summary; // tables and facts
mod table; // values by number
mod training_curve; // accuracy over training steps

use std::collections::{BTreeMap, HashMap};

use dataset_loader::Problem;
use evaluation::{CompletionRecord, RunManifest, Summary, VerdictRecord};

/// One run of a report.
pub struct ReportRun {
    /// How it is called on the page, unlike the others.
    pub name: String,
    /// Where it is, as the user wrote it.
    pub folder: String,
    /// What it is bound to.
    pub manifest: RunManifest,
    /// Its figures; of an unfinished run those of what is done.
    pub summary: Summary,
    /// Completions by id and sample.
    pub completions: HashMap<(String, u32), CompletionRecord>,
    /// A verdict for each completion that is there, in the order of the problems.
    pub verdicts: Vec<VerdictRecord>,
    /// What the model read for each problem, in the order of the problems.
    pub prompts: Vec<String>,
    /// Completions that it was to have.
    pub expected: usize,
}

impl ReportRun {
    /// Whether completions are missing.
    pub fn is_unfinished(&self) -> bool {
        self.verdicts.len() < self.expected
    }
}

/// What a page shows: one run, or several over the same problems.
pub struct Report {
    /// The problems, which are those of every run.
    pub problems: Vec<Problem>,
    /// At least one.
    pub runs: Vec<ReportRun>,
    /// What the rules that occur in traces are for, by their ids.
    pub purposes: BTreeMap<String, String>,
    /// Version of the program.
    pub version: String,
}

impl Report {
    /// The page, in UTF-8.
    pub fn html(&self) -> String {
        page::page(self)
    }
}
