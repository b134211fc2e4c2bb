//! The leaderboard as plain text, as wide as the terminal: in several blocks below each other where
//! one is too wide.

use comfy_table::{Attribute, Cell};

use super::Leaderboard;
use super::markup::{self, Markup};
use super::notes::raised;
use super::rows::Row;
use crate::table::{Frame, framed};

/// Plain text.
pub(crate) struct Plain;

impl Markup for Plain {
    fn text(&self, text: &str) -> String {
        text.to_string()
    }

    fn raised(&self, letters: &str) -> String {
        raised(letters)
    }

    /// The cell is bold, and not its text: control sequences would count as columns.
    fn bold(&self, figure: &str) -> String {
        figure.to_string()
    }

    fn with_interval(&self, figure: &str, low: &str, high: &str) -> String {
        format!("{figure}\n{low}–{high}")
    }
}

pub(crate) fn text(board: &Leaderboard, width: Option<u16>, styled: bool) -> String {
    let mut text = format!("{}\n", board.title);
    text.push_str(&table(board, styled).text(width));
    for line in markup::lines_below(&Plain, board, true, styled, " ") {
        text.push_str(&format!("{line}\n"));
    }
    text
}

fn table(board: &Leaderboard, styled: bool) -> Frame {
    let labels = markup::labels(board, "model", "scorer");
    let fixed = labels.len();
    let figures = board.columns.iter().map(|column| &column.short);
    let header: Vec<&String> = labels.iter().chain(figures).collect();
    let numbers: Vec<usize> = (fixed..header.len()).collect();
    let mut table = framed(header.iter().map(|label| label.as_str()), &numbers)
        .repeated(fixed)
        .styled(styled);
    for group in &board.groups {
        if board.headed() {
            table.add_row([Cell::new(&group.name)]);
        }
        for row in &group.rows {
            table.add_row(cells(board, row, styled));
        }
    }
    table
}

fn cells(board: &Leaderboard, row: &Row, styled: bool) -> Vec<Cell> {
    let texts = markup::cells(&Plain, board, row, 0..board.columns.len());
    let fixed = texts.len() - board.columns.len();
    let mut cells: Vec<Cell> = texts.into_iter().map(Cell::new).collect();
    let indent = if board.headed() { "  " } else { "" };
    let marks = markup::marks(&Plain, board, &row.notes);
    let space = if marks.is_empty() { "" } else { " " };
    cells[0] = Cell::new(format!("{indent}{}{space}{marks}", row.label));
    for (place, figure) in row.figures.iter().enumerate() {
        let is_best = figure.as_ref().is_some_and(|figure| figure.best);
        if styled && is_best {
            let cell = cells[fixed + place].clone();
            cells[fixed + place] = cell.add_attribute(Attribute::Bold);
        }
    }
    cells
}
