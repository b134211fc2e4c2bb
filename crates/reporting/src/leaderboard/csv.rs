//! The leaderboard as comma-separated values by RFC 4180.

use super::Leaderboard;
use super::rows::{Figure, Row};
use crate::escape;

/// A header and a row a model. Accuracies and bounds are in 0..=1; a figure that is not there is
/// empty. The notes come last, in full, each with the column that it concerns.
pub(crate) fn text(board: &Leaderboard) -> String {
    let intervals = board.plan.intervals;
    let mut header: Vec<String> = ["base", "model", "source", "run", "scorer", "samples"]
        .map(str::to_string)
        .to_vec();
    for column in &board.columns {
        header.push(column.name.clone());
        if intervals {
            header.extend(["low", "high"].map(|bound| format!("{}_{bound}", column.name)));
        }
    }
    header.push("notes".to_string());
    let mut text = line(&header);
    for row in board.rows() {
        text.push_str(&line(&fields(board, row)));
    }
    text
}

fn fields(board: &Leaderboard, row: &Row) -> Vec<String> {
    let source = if row.folder.is_some() { "run" } else { "paper" };
    let run = row
        .folder
        .as_ref()
        .map(|folder| folder.display().to_string())
        .unwrap_or_default();
    let mut fields = vec![
        row.base.clone().unwrap_or_default(),
        row.label.clone(),
        source.to_string(),
        run,
        row.scorer.name().to_string(),
        row.samples.to_string(),
    ];
    for figure in &row.figures {
        fields.push(
            figure
                .as_ref()
                .map(|figure| number(figure.accuracy))
                .unwrap_or_default(),
        );
        if board.plan.intervals {
            let bounds = figure.as_ref().and_then(|figure: &Figure| figure.interval);
            fields.extend([0, 1].map(|bound| {
                bounds
                    .map(|bounds| number(bounds[bound]))
                    .unwrap_or_default()
            }));
        }
    }
    fields.push(notes(board, row));
    fields
}

/// Six decimals distinguish all proportions of 18,000 items.
fn number(proportion: f64) -> String {
    let text = format!("{proportion:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

fn notes(board: &Leaderboard, row: &Row) -> String {
    let all: Vec<_> = board.notes.lettered().map(|(_, note)| &note.text).collect();
    let mut notes: Vec<String> = row.notes.iter().map(|&note| all[note].clone()).collect();
    for (column, figure) in board.columns.iter().zip(&row.figures) {
        let own = figure.iter().flat_map(|figure| &figure.notes);
        notes.extend(own.map(|&note| format!("{}: {}", column.name, all[note])));
    }
    notes.join("; ")
}

fn line(fields: &[String]) -> String {
    let fields: Vec<String> = fields.iter().map(|field| escape::csv(field)).collect();
    format!("{}\r\n", fields.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proportion_has_no_idle_digits() {
        assert_eq!(
            [0.929, 0.0, 1.0, 1.0 / 3.0].map(number),
            ["0.929", "0", "1", "0.333333"]
        );
    }
}
