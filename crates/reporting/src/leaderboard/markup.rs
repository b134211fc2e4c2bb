//! What the written formats have in common: a header, a row of cells for each model, and the notes
//! below.

use super::rows::{Figure, Row};
use super::{Leaderboard, Scorers};
use crate::wording::percent;

/// How a format writes a text, letters of notes, and the best figure.
pub(crate) trait Markup {
    /// A text as it is, escaped.
    fn text(&self, text: &str) -> String;

    /// Letters of notes, raised; never empty.
    fn raised(&self, letters: &str) -> String;

    /// A figure in bold.
    fn bold(&self, figure: &str) -> String;

    /// A figure with its interval.
    fn with_interval(&self, figure: &str, low: &str, high: &str) -> String;

    /// In place of a figure that is not there.
    fn dash(&self) -> &'static str {
        "–"
    }
}

/// Letters raised, or nothing.
pub(crate) fn marks(markup: &impl Markup, board: &Leaderboard, notes: &[usize]) -> String {
    let letters = board.notes.marks(notes);
    match letters.is_empty() {
        true => letters,
        false => markup.raised(&letters),
    }
}

/// The cells before the figures: `model`, and `scorer` where both judge.
pub(crate) fn labels(board: &Leaderboard, model: &str, scorer: &str) -> Vec<String> {
    let mut labels = vec![model.to_string()];
    if board.plan.scorers == Scorers::Both {
        labels.push(scorer.to_string());
    }
    labels
}

/// A row: the model with its notes, the scorer where both judge, and a figure a column.
pub(crate) fn cells(
    markup: &impl Markup,
    board: &Leaderboard,
    row: &Row,
    columns: impl Iterator<Item = usize>,
) -> Vec<String> {
    let name = markup.text(&row.label);
    let model = format!("{name}{}", marks(markup, board, &row.notes));
    let mut cells = labels(board, &model, row.scorer.name());
    cells.extend(columns.map(|column| match &row.figures[column] {
        Some(figure) => cell(markup, board, figure),
        None => markup.dash().to_string(),
    }));
    cells
}

fn cell(markup: &impl Markup, board: &Leaderboard, figure: &Figure) -> String {
    let accuracy = percent(figure.accuracy);
    let accuracy = match figure.best {
        true => markup.bold(&accuracy),
        false => accuracy,
    };
    let accuracy = format!("{accuracy}{}", marks(markup, board, &figure.notes));
    match figure.interval.filter(|_| board.plan.intervals) {
        Some([low, high]) => markup.with_interval(&accuracy, &percent(low), &percent(high)),
        None => accuracy,
    }
}

/// The lines below the table: its legend (short names where `abbreviated`), then each note behind
/// its letters and `space`.
pub(crate) fn lines_below(
    markup: &impl Markup,
    board: &Leaderboard,
    abbreviated: bool,
    bold: bool,
    space: &str,
) -> Vec<String> {
    let legend = board.legend(abbreviated, bold).into_iter();
    let mut lines: Vec<String> = legend.map(|line| markup.text(&line)).collect();
    lines.extend(
        board.lettered_notes().iter().map(|(letters, note)| {
            format!("{}{space}{}", markup.raised(letters), markup.text(note))
        }),
    );
    lines
}
