//! Runs and published figures → rows with notes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use evaluation::{Accuracy, Counts, Scorer, SetSummary};

use super::columns::{Column, ColumnKind};
use super::entry::Entry;
use super::error::LeaderboardError;
use super::notes::{Note, Notes};
use super::published::{INCONSISTENT, PublishedRow};
use super::suite;
use crate::interval::{Average, average_interval};
use crate::wording::counted;

/// One model by one scorer.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// Name in print.
    pub label: String,
    /// Its base model, where that is known.
    pub base: Option<String>,
    /// The run's folder; `None` for figures of the paper.
    pub folder: Option<PathBuf>,
    /// Who judged.
    pub scorer: Scorer,
    /// Whether its problems are the bundled ones.
    pub samples: bool,
    /// Notes on the whole row.
    pub notes: Vec<usize>,
    /// One figure a column; `None` where there is none.
    pub figures: Vec<Option<Figure>>,
    /// The run's tags.
    pub tags: BTreeMap<String, String>,
    /// The training step of its checkpoint, where that is known.
    pub step: Option<u64>,
}

/// One accuracy.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    /// In 0..=1.
    pub accuracy: f64,
    /// 95 %, in 0..=1; `None` for published figures and averages of earlier versions.
    pub interval: Option<[f64; 2]>,
    /// Items; `None` where that is not known.
    pub n: Option<usize>,
    /// Notes on this figure alone.
    pub notes: Vec<usize>,
    /// What it can be compared with: figures of the same column with the same text here. Empty for
    /// figures of the whole set by the official protocol.
    pub class: String,
    /// Whether it is the best of its base model.
    pub best: bool,
}

impl Row {
    /// The row of a run.
    pub fn of_run(
        entry: &Entry,
        label: String,
        scorer: Scorer,
        columns: &[Column],
        notes: &mut Notes,
    ) -> Self {
        let on_row = notes_on_run(entry, scorer);
        let figure = |column: &Column, notes: &mut Notes| {
            let (accuracy, interval, n) = value(entry, column, scorer)?;
            let on_figure = notes_on_figure(entry, column);
            let apart: Vec<&str> = on_row
                .iter()
                .chain(&on_figure)
                .filter(|note| !note.comparable)
                .map(|note| note.text.as_str())
                .collect();
            // Figures of a part can only be compared where it is the same part.
            let class = match apart.is_empty() {
                true => String::new(),
                false => format!(
                    "{}\n{}",
                    entry.manifest.identity.data.problems_digest,
                    apart.join("\n")
                ),
            };
            let notes = on_figure.iter().map(|note| notes.index(note)).collect();
            Some(Figure {
                accuracy,
                interval,
                n: Some(n),
                notes,
                class,
                best: false,
            })
        };
        let row_notes = on_row.iter().map(|note| notes.index(note)).collect();
        Self {
            label,
            base: entry.tag("base").map(str::to_string),
            folder: Some(entry.folder.clone()),
            scorer,
            samples: entry.on_samples(),
            notes: row_notes,
            figures: columns.iter().map(|column| figure(column, notes)).collect(),
            tags: entry.manifest.tags.clone(),
            step: entry.manifest.training_step(),
        }
    }

    /// A row of the paper; `None` where it has none of the columns' figures but that of the whole
    /// set.
    pub fn of_paper(
        published: &PublishedRow,
        columns: &[Column],
        notes: &mut Notes,
    ) -> Option<Self> {
        let subjects = columns
            .iter()
            .any(|column| matches!(column.kind, ColumnKind::Task { .. }));
        let has = |column: &Column| published.figures.contains_key(column.name.as_str());
        if !columns.iter().any(|column| {
            has(column) && (!subjects || matches!(column.kind, ColumnKind::Task { .. }))
        }) {
            return None;
        }
        let row_notes = notes_on_published(columns)
            .iter()
            .map(|note| notes.index(note))
            .collect();
        let inconsistent = (published.base, published.model) == INCONSISTENT;
        let figure = |column: &Column, notes: &mut Notes| {
            let accuracy = *published.figures.get(column.name.as_str())?;
            let average = matches!(column.kind, ColumnKind::Micro | ColumnKind::Macro);
            let odd = (inconsistent && average).then(|| {
                notes.index(&Note::remark(
                    "as printed in the paper, but its own ten accuracies give a micro average of 16.0 and a macro average of 18.2",
                ))
            });
            let notes = odd.into_iter().collect();
            Some(Figure {
                accuracy,
                interval: None,
                n: None,
                notes,
                class: String::new(),
                best: false,
            })
        };
        Some(Self {
            label: published.model.to_string(),
            base: Some(published.base.to_string()),
            folder: None,
            scorer: Scorer::Official,
            samples: false,
            notes: row_notes,
            figures: columns.iter().map(|column| figure(column, notes)).collect(),
            tags: BTreeMap::new(),
            step: None,
        })
    }

    /// The accuracy in a column.
    pub fn accuracy(&self, column: usize) -> Option<f64> {
        self.figures[column].as_ref().map(|figure| figure.accuracy)
    }
}

/// The rows whose names hold any of these parts, in any case.
///
/// # Errors
/// A part that no name holds.
pub(crate) fn chosen(rows: Vec<Row>, parts: &[String]) -> Result<Vec<Row>, LeaderboardError> {
    let holds = |row: &Row, part: &str| row.label.to_lowercase().contains(&part.to_lowercase());
    for part in parts {
        if !rows.iter().any(|row| holds(row, part)) {
            let known: Vec<&str> = rows.iter().map(|row| row.label.as_str()).collect();
            return Err(LeaderboardError::UnknownRow {
                part: part.clone(),
                known: known.join(", "),
            });
        }
    }
    let is_chosen = |row: &Row| parts.iter().any(|part| holds(row, part));
    Ok(rows.into_iter().filter(is_chosen).collect())
}

fn set_of<'a>(entry: &'a Entry, name: &str) -> Option<&'a SetSummary> {
    entry.summary.sets.iter().find(|set| set.set == name)
}

/// Accuracy, interval and items of a column.
fn value(entry: &Entry, column: &Column, scorer: Scorer) -> Option<(f64, Option<[f64; 2]>, usize)> {
    let of_counts = |counts: &Counts| {
        let Accuracy {
            accuracy, interval, ..
        } = match scorer {
            Scorer::Official => counts.official,
            Scorer::Strict => counts.strict,
        };
        (accuracy, Some(interval), counts.n)
    };
    let (kind, average) = match &column.kind {
        ColumnKind::Set => return set_of(entry, &column.name).map(|set| of_counts(&set.counts)),
        ColumnKind::Task { set } => {
            let task = set_of(entry, set)?
                .tasks
                .iter()
                .find(|task| task.task == column.name)?;
            return Some(of_counts(&task.counts));
        }
        ColumnKind::Micro => (Average::Micro, entry.summary.micro?),
        ColumnKind::Macro => (Average::Macro, entry.summary.macro_?),
        ColumnKind::Suite { suite, is_macro } => {
            return suite::average(entry, suite, *is_macro, scorer);
        }
    };
    let averaged = entry.summary.sets.iter().filter(|set| set.in_average);
    let n = averaged.map(|set| set.counts.n).sum();
    let interval = average_interval(&entry.summary, kind, scorer);
    Some((average.by(scorer), interval, n))
}

fn notes_on_run(entry: &Entry, scorer: Scorer) -> Vec<Note> {
    let summary = &entry.summary;
    let mut notes = Vec::new();
    if entry.on_samples() {
        notes.push(Note::apart(
            "on the bundled problems, which are not MwpBench",
        ));
    }
    if !entry.on_samples() && !entry.manifest.is_of_published_data() {
        notes.push(Note::remark(
            "own data: not the published files byte for byte, whatever the number of problems",
        ));
    }
    if summary.protocol != evaluation::Protocol::Official.name() {
        notes.push(Note::apart(format!(
            "protocol {}, not the official one",
            summary.protocol
        )));
    }
    notes.extend(
        summary
            .deviations
            .iter()
            .map(|deviation| Note::apart(format!("not the official protocol: {deviation}"))),
    );
    if let (Scorer::Strict, Some(profile)) = (scorer, &summary.strict_profile) {
        notes.push(Note::apart(format!(
            "judged by the strict profile {profile}"
        )));
    }
    let failed = summary.failed();
    if failed > 0 {
        let count = if failed == 1 { "counts" } else { "count" };
        notes.push(Note::apart(format!(
            "{} that failed {count} as wrong",
            counted(failed, "item")
        )));
    }
    notes
}

/// What concerns some figures of a run only.
fn notes_on_figure(entry: &Entry, column: &Column) -> Vec<Note> {
    let summary = &entry.summary;
    // A row on samples or with a limit has been marked as a whole.
    let marked = entry.on_samples() || entry.manifest.identity.limit.is_some();
    let is_part = |set: &&SetSummary| !marked && set.counts.n != set.expected;
    let in_part = match &column.kind {
        ColumnKind::Set => set_of(entry, &column.name).filter(is_part).is_some(),
        ColumnKind::Task { set } => set_of(entry, set).filter(is_part).is_some(),
        ColumnKind::Micro | ColumnKind::Macro => !marked && !summary.partial.is_empty(),
        ColumnKind::Suite { suite, .. } => return suite::notes(entry, suite, marked),
    };
    let mut notes = Vec::new();
    if matches!(column.kind, ColumnKind::Micro | ColumnKind::Macro) && !summary.missing.is_empty() {
        let averaged = summary.sets.iter().filter(|set| set.in_average).count();
        notes.push(Note::apart(format!(
            "average over {averaged} of {} sets, without {}",
            averaged + summary.missing.len(),
            summary.missing.join(", ")
        )));
    }
    if in_part {
        // One note for all of them: there is one a run, and not one a set.
        let parts: Vec<String> = summary
            .sets
            .iter()
            .filter(is_part)
            .map(|set| {
                format!(
                    "{} {} in place of {}",
                    set.title, set.counts.n, set.expected
                )
            })
            .collect();
        notes.push(Note::apart(format!(
            "other numbers of problems than the protocol's: {}",
            parts.join(", ")
        )));
    }
    notes
}

fn notes_on_published(columns: &[Column]) -> Vec<Note> {
    let has = |name: &str| columns.iter().any(|column| column.name == name);
    let subjects_of = |name: &str| {
        columns
            .iter()
            .any(|column| matches!(&column.kind, ColumnKind::Task { set } if set == name))
    };
    let (tables, inferred) = match (
        subjects_of("math"),
        subjects_of("college_math"),
        has("fresh_gaokao_2023"),
    ) {
        (true, _, _) => ("tables 5 and 9", true),
        (_, true, _) => ("tables 5 and 10", false),
        (_, _, true) => ("tables 5 and 8", false),
        _ => ("table 5", false),
    };
    let text = format!(
        "published figures, not run here: MathScale paper, arXiv:2403.02884v1, {tables}, official scorer"
    );
    let mut notes = vec![Note::remark(text)];
    if inferred {
        notes.push(Note::remark(
            "the header of the paper's table 9 is broken: the order of its last four subjects is inferred from table 5",
        ));
    }
    notes
}
