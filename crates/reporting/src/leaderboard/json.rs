//! The leaderboard as one JSON object.

use std::collections::BTreeMap;

use evaluation::Scorer;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::Leaderboard;
use super::rows::{Figure, Row};

/// Version of this form.
const SCHEMA: &str = "mwpbench.leaderboard.v1";

/// A leaderboard.
#[derive(Serialize, JsonSchema)]
struct LeaderboardJson<'a> {
    /// Version of this form.
    schema: &'static str,
    /// Which runs, which figures.
    title: &'a str,
    /// The columns, in order.
    columns: Vec<ColumnJson<'a>>,
    /// The rows, in order.
    rows: Vec<RowJson<'a>>,
    /// The notes by letter, in the order in which they first appear.
    #[schemars(with = "BTreeMap<String, NoteJson>")]
    notes: Map<String, Value>,
}

/// A column of figures.
#[derive(Serialize, JsonSchema)]
struct ColumnJson<'a> {
    /// Name in flags and files: a set, a task, `micro` or `macro`.
    name: &'a str,
    /// Name in print.
    title: &'a str,
}

/// One model by one scorer.
#[derive(Serialize, JsonSchema)]
struct RowJson<'a> {
    /// Name in print.
    model: &'a str,
    /// Base model, by the run's tag or the paper; null where it is not known.
    base: Option<&'a str>,
    /// Heading under which the row stands.
    group: &'a str,
    /// `run` or `paper`.
    source: &'static str,
    /// Folder of the run; null for rows of the paper.
    run: Option<String>,
    /// Whose verdicts count.
    scorer: Scorer,
    /// Whether the problems are the bundled ones and not MwpBench.
    samples: bool,
    /// Tags of the run.
    tags: &'a BTreeMap<String, String>,
    /// Letters of the notes on the whole row.
    notes: Vec<String>,
    /// A figure for each column; null where there is none.
    #[schemars(with = "BTreeMap<String, Option<FigureJson>>")]
    figures: Map<String, Value>,
}

/// One accuracy.
#[derive(Serialize, JsonSchema)]
struct FigureJson {
    /// In 0..=1.
    accuracy: f64,
    /// 95 %, in 0..=1; null for figures of the paper.
    interval: Option<[f64; 2]>,
    /// Items; null where that is not known.
    n: Option<usize>,
    /// Whether it is the best of its base model.
    best: bool,
    /// Whether it is of the whole set by the official protocol.
    comparable: bool,
    /// Letters of the notes on this figure.
    notes: Vec<String>,
}

/// What has to be said of rows or figures.
#[derive(Serialize, JsonSchema)]
struct NoteJson {
    /// A sentence without a full stop.
    text: String,
    /// Whether figures with this note can be compared with others.
    comparable: bool,
}

/// The schema (draft 2020-12) of a leaderboard as JSON.
pub fn leaderboard_schema() -> Schema {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    settings
        .into_generator()
        .into_root_schema_for::<LeaderboardJson<'static>>()
}

pub(crate) fn text(board: &Leaderboard) -> String {
    let columns = board.columns.iter().map(|column| ColumnJson {
        name: &column.name,
        title: &column.title,
    });
    let rows = board.groups.iter().flat_map(|group| {
        group
            .rows
            .iter()
            .map(|row| row_json(board, &group.name, row))
    });
    let notes = board.notes.lettered().map(|(letters, note)| {
        let note = NoteJson {
            text: note.text.clone(),
            comparable: note.comparable,
        };
        (letters, json!(note))
    });
    let object = json!(LeaderboardJson {
        schema: SCHEMA,
        title: &board.title,
        columns: columns.collect(),
        rows: rows.collect(),
        notes: notes.collect(),
    });
    format!("{object:#}\n")
}

fn row_json<'a>(board: &'a Leaderboard, group: &'a str, row: &'a Row) -> RowJson<'a> {
    let figures = board.columns.iter().zip(&row.figures);
    let figures = figures.map(|(column, figure)| {
        let figure = figure.as_ref().map(|figure| figure_json(board, figure));
        (column.name.clone(), json!(figure))
    });
    let folder = row.folder.as_ref();
    RowJson {
        model: &row.label,
        base: row.base.as_deref(),
        group,
        source: if folder.is_some() { "run" } else { "paper" },
        run: folder.map(|folder| folder.display().to_string()),
        scorer: row.scorer,
        samples: row.samples,
        tags: &row.tags,
        notes: letters(board, &row.notes),
        figures: figures.collect(),
    }
}

fn figure_json(board: &Leaderboard, figure: &Figure) -> FigureJson {
    FigureJson {
        accuracy: figure.accuracy,
        interval: figure.interval,
        n: figure.n,
        best: figure.best,
        comparable: figure.class.is_empty(),
        notes: letters(board, &figure.notes),
    }
}

fn letters(board: &Leaderboard, notes: &[usize]) -> Vec<String> {
    notes
        .iter()
        .map(|&note| board.notes.marks(&[note]))
        .collect()
}
