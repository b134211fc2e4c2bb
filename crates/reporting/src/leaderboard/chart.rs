//! The charts.

mod axis; // accuracy in percent, upwards
mod bars; // a few rows: accuracy in each column, a colour a row
mod dots; // many rows: a panel a column, a line a row
pub(crate) mod scaling; // accuracy against training size
pub(crate) mod tokens; // accuracy against what it took in tokens

use super::rows::{Figure, Row};
use super::{Leaderboard, Scorers};
use crate::svg::{Anchor, COLOUR_COUNT, FONT, Picture, wrapped};
use crate::wording::percent;

/// Space left and right of texts.
const MARGIN: f64 = 20.0;

/// Every row's accuracy in each column: bars as long as each row can have a colour of its own.
pub(crate) fn accuracy(board: &Leaderboard) -> String {
    match board.rows().count() <= COLOUR_COUNT {
        true => bars::picture(board),
        false => dots::picture(board),
    }
}

/// Names that distinguish the rows of a group of this name.
fn label(board: &Leaderboard, group: &str, row: &Row) -> String {
    let mut label = row.label.clone();
    if board.headed() {
        label.push_str(&format!(", {group}"));
    }
    with_scorer(board, label, row)
}

/// A name with the scorer, where both judge.
fn with_scorer(board: &Leaderboard, label: String, row: &Row) -> String {
    match board.plan.scorers {
        Scorers::Both => format!("{label}, {}", row.scorer.name()),
        _ => label,
    }
}

/// The interval, where the board shows intervals and there is one.
fn shown_interval(board: &Leaderboard, figure: &Figure) -> Option<[f64; 2]> {
    figure.interval.filter(|_| board.plan.intervals)
}

/// The largest values that the figures of these rows reach, their intervals included.
fn tops<'a>(
    board: &'a Leaderboard,
    rows: impl Iterator<Item = &'a Row>,
) -> impl Iterator<Item = f64> {
    rows.flat_map(|row| row.figures.iter().flatten())
        .map(|figure| shown_interval(board, figure).map_or(figure.accuracy, |[_, high]| high))
}

/// A figure with its interval and notes, in words.
fn in_words(board: &Leaderboard, figure: &Figure) -> String {
    let interval = shown_interval(board, figure)
        .map(|[low, high]| format!(" ({} to {})", percent(low), percent(high)))
        .unwrap_or_default();
    let notes: String = board
        .notes
        .lettered()
        .enumerate()
        .filter(|(index, _)| figure.notes.contains(index))
        .map(|(_, (_, note))| format!("; {}", note.text))
        .collect();
    format!("{}{interval}{notes}", percent(figure.accuracy))
}

/// All figures in words, behind what `kind` of chart they stand in.
fn description(board: &Leaderboard, kind: &str) -> String {
    let groups = board.groups.iter();
    let rows = groups.flat_map(|group| group.rows.iter().map(move |row| (&group.name, row)));
    let of_row = |(group, row): (&String, &Row)| {
        let figures = board.columns.iter().zip(&row.figures);
        let figures: Vec<String> = figures
            .filter_map(|(column, figure)| Some((column, figure.as_ref()?)))
            .map(|(column, figure)| format!("{} {}", column.title, in_words(board, figure)))
            .collect();
        format!("{}: {}.", label(board, group, row), figures.join(", "))
    };
    let rows: Vec<String> = rows.map(of_row).collect();
    format!("{kind} of accuracy in percent. {}", rows.join(" "))
}

/// Writes the title at the top of a picture of this width; returns the y below it.
fn write_title(picture: &mut Picture, title: &str, width: f64) -> f64 {
    const LINE: f64 = 18.0;
    // Letters of a heading are larger than those that `wrapped` measures.
    const SHARE: f64 = 0.75;
    let mut y = 12.0;
    for line in wrapped(title, (width - 2.0 * MARGIN) * SHARE, FONT) {
        y += LINE;
        picture.text(MARGIN, y, Anchor::Start, "heading", &line);
    }
    y
}

/// Writes faint lines below everything; returns the y below them.
fn write_below(picture: &mut Picture, lines: &[String], width: f64, mut y: f64) -> f64 {
    const LINE: f64 = 16.0;
    const SMALL: f64 = 11.0;
    for line in lines
        .iter()
        .flat_map(|line| wrapped(line, width - 2.0 * MARGIN, SMALL))
    {
        y += LINE;
        picture.text(MARGIN, y, Anchor::Start, "faint", &line);
    }
    y
}
