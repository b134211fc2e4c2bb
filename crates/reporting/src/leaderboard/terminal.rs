//! The leaderboard as plain text, as wide as the terminal: in several blocks below each other where
//! one is too wide.

use comfy_table::{Attribute, Cell, Table};

use super::Leaderboard;
use super::markup::{self, Markup};
use super::notes::raised;
use super::rows::Row;
use crate::table::framed;

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
    for columns in blocks(board, width) {
        let table = table(board, &columns, styled);
        text.push_str(&fitted(table, width).trim_fmt());
        text.push('\n');
    }
    for line in markup::lines_below(&Plain, board, true, styled, " ") {
        text.push_str(&format!("{line}\n"));
    }
    text
}

/// The columns of each block: as many as fit, and at least one.
fn blocks(board: &Leaderboard, width: Option<u16>) -> Vec<Vec<usize>> {
    let mut blocks: Vec<Vec<usize>> = vec![Vec::new()];
    for column in 0..board.columns.len() {
        let block = blocks.last_mut().expect("there is always a block");
        block.push(column);
        if block.len() > 1
            && width.is_some_and(|width| columns_needed(board, block) > usize::from(width))
        {
            block.pop();
            blocks.push(vec![column]);
        }
    }
    blocks
}

/// The border of a table is as long as its widest line.
fn columns_needed(board: &Leaderboard, columns: &[usize]) -> usize {
    table(board, columns, false)
        .lines()
        .next()
        .map_or(0, |border| border.chars().count())
}

/// Names of models are broken where even one column is too wide.
fn fitted(mut table: Table, width: Option<u16>) -> Table {
    if let Some(width) = width {
        table
            .set_content_arrangement(comfy_table::ContentArrangement::Dynamic)
            .set_width(width);
    }
    table
}

fn table(board: &Leaderboard, columns: &[usize], styled: bool) -> Table {
    let mut header = markup::labels(board, "model", "scorer");
    let fixed = header.len();
    header.extend(
        columns
            .iter()
            .map(|&column| board.columns[column].short.clone()),
    );
    let mut table = framed([""; 0], &[], None);
    table.set_header(header.iter().map(Cell::new));
    for column in fixed..header.len() {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(comfy_table::CellAlignment::Right);
        }
    }
    if styled {
        // The caller knows better than the table whether this goes to a terminal.
        table.enforce_styling();
    }
    for group in &board.groups {
        if board.headed() {
            table.add_row([Cell::new(&group.name)]);
        }
        for row in &group.rows {
            table.add_row(cells(board, row, columns, styled));
        }
    }
    table
}

fn cells(board: &Leaderboard, row: &Row, columns: &[usize], styled: bool) -> Vec<Cell> {
    let texts = markup::cells(&Plain, board, row, columns.iter().copied());
    let fixed = texts.len() - columns.len();
    let mut cells: Vec<Cell> = texts.into_iter().map(Cell::new).collect();
    let indent = if board.headed() { "  " } else { "" };
    let marks = markup::marks(&Plain, board, &row.notes);
    let space = if marks.is_empty() { "" } else { " " };
    cells[0] = Cell::new(format!("{indent}{}{space}{marks}", row.label));
    for (place, &column) in columns.iter().enumerate() {
        let is_best = row.figures[column]
            .as_ref()
            .is_some_and(|figure| figure.best);
        if styled && is_best {
            let cell = cells[fixed + place].clone();
            cells[fixed + place] = cell.add_attribute(Attribute::Bold);
        }
    }
    cells
}
