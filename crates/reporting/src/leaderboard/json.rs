//! The leaderboard as one JSON object.

use serde_json::{Map, Value, json};

use super::Leaderboard;
use super::rows::Row;

/// Version of this form.
const SCHEMA: &str = "mwpbench.leaderboard.v1";

pub(crate) fn text(board: &Leaderboard) -> String {
    let columns: Vec<Value> = board
        .columns
        .iter()
        .map(|column| json!({ "name": column.name, "title": column.title }))
        .collect();
    let notes: Map<String, Value> = board
        .notes
        .lettered()
        .map(|(letters, note)| {
            (
                letters,
                json!({ "text": note.text, "comparable": note.comparable }),
            )
        })
        .collect();
    let rows: Vec<Value> = board
        .groups
        .iter()
        .flat_map(|group| {
            group
                .rows
                .iter()
                .map(|row| row_json(board, &group.name, row))
        })
        .collect();
    let object = json!({ "schema": SCHEMA, "title": board.title, "columns": columns, "rows": rows, "notes": notes });
    format!("{object:#}\n")
}

fn row_json(board: &Leaderboard, group: &str, row: &Row) -> Value {
    let letters = |notes: &[usize]| -> Vec<String> {
        notes
            .iter()
            .map(|&note| board.notes.marks(&[note]))
            .collect()
    };
    let figures: Map<String, Value> = board
        .columns
        .iter()
        .zip(&row.figures)
        .map(|(column, figure)| {
            let figure = figure.as_ref().map(|figure| {
                json!({
                    "accuracy": figure.accuracy,
                    "interval": figure.interval,
                    "n": figure.n,
                    "best": figure.best,
                    "comparable": figure.class.is_empty(),
                    "notes": letters(&figure.notes),
                })
            });
            (column.name.clone(), figure.unwrap_or(Value::Null))
        })
        .collect();
    json!({
        "model": row.label,
        "base": row.base,
        "group": group,
        "source": if row.folder.is_some() { "run" } else { "paper" },
        "run": row.folder.as_ref().map(|folder| folder.display().to_string()),
        "scorer": row.scorer,
        "samples": row.samples,
        "tags": row.tags,
        "notes": letters(&row.notes),
        "figures": figures,
    })
}
