//! What the search found.

use std::path::{Path, PathBuf};

use record_files::Place;
use serde::Serialize;

use crate::index::OverlapOptions;

/// Version of the report.
pub(crate) const SCHEMA: &str = "mwpbench.overlap.v1";

/// Which test items occur in training files.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OverlapReport {
    /// Version of this format.
    pub schema: &'static str,
    /// How items were matched.
    pub options: OverlapOptions,
    /// The files that were read.
    pub training: Vec<TrainingFile>,
    /// Counts a set, in the order in which the sets first occur among the items.
    pub sets: Vec<SetCounts>,
    /// The items of which anything was found, in their order.
    pub items: Vec<MatchedItem>,
}

/// A file that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TrainingFile {
    /// Its path as given.
    pub path: PathBuf,
    /// Its records.
    pub records: usize,
    /// The questions in them: a chat may have several, a record without a user's words none.
    pub questions: usize,
}

/// How many items of a set were found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SetCounts {
    /// Name of the set.
    pub set: String,
    /// Items searched for.
    pub items: usize,
    /// Items whose normal form is that of a training question.
    pub exact: usize,
    /// Items of which a training question holds an n-gram at least.
    pub ngram: usize,
    /// Items that have a near-duplicate.
    pub near: usize,
    /// Items that count as contaminated ([`MatchedItem::contaminated`]).
    pub contaminated: usize,
}

/// An item of which something was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MatchedItem {
    /// The item's id.
    pub id: String,
    /// Its set.
    pub set: String,
    /// Its question.
    pub question: String,
    /// It occurs as it is, has a near-duplicate, or one training question holds at least
    /// [`OverlapOptions::min_share`] of its n-grams.
    pub contaminated: bool,
    /// The share of its distinct n-grams that occur in any training question, in 0..=1.
    pub covered: f64,
    /// The first training question with the same normal form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exact: Option<TrainingMatch>,
    /// The training question with the largest share of its n-grams.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ngram: Option<TrainingMatch>,
    /// The training question with the largest Jaccard index.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub near: Option<TrainingMatch>,
}

/// A training question that matches.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TrainingMatch {
    /// How well: 1 for an exact match, the share of n-grams or the Jaccard index otherwise, in
    /// 0..=1.
    pub score: f64,
    /// How many training questions match the item in this way.
    pub times: usize,
    /// The file.
    pub file: PathBuf,
    /// Its line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// Its row, from 1, in a parquet file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<usize>,
    /// The question, cut after 2,000 characters.
    pub question: String,
}

impl TrainingMatch {
    pub(crate) fn new(
        score: f64,
        times: usize,
        file: &Path,
        place: Place,
        question: String,
    ) -> Self {
        let (line, row) = match place {
            Place::Line(line) => (Some(line), None),
            Place::Row(row) => (None, Some(row)),
        };
        Self {
            score,
            times,
            file: file.to_path_buf(),
            line,
            row,
            question,
        }
    }

    /// File and line or row, for people.
    pub fn place(&self) -> String {
        let file = self.file.display();
        match (self.line, self.row) {
            (Some(line), _) => format!("{file}, line {line}"),
            (None, Some(row)) => format!("{file}, row {row}"),
            (None, None) => file.to_string(),
        }
    }
}

impl OverlapReport {
    /// The ids of the items that count as contaminated, one a line.
    pub fn ids(&self) -> String {
        self.items
            .iter()
            .filter(|item| item.contaminated)
            .map(|item| format!("{}\n", item.id))
            .collect()
    }
}

impl MatchedItem {
    /// The best match: the exact one, else the nearest, else the one with most n-grams.
    pub fn best(&self) -> Option<&TrainingMatch> {
        self.exact
            .as_ref()
            .or(self.near.as_ref())
            .or(self.ngram.as_ref())
    }
}
