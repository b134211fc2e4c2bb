//! The leaderboard as plain text, as wide as the terminal: in several blocks below each other where
//! one is too wide.

use comfy_table::{Attribute, Cell, Table};

use super::notes::raised;
use super::rows::{Figure, Row};
use super::{Leaderboard, Scorers};
use crate::table::{framed, percent};

pub(crate) fn text(board: &Leaderboard, width: Option<u16>, styled: bool) -> String {
    let mut text = format!("{}\n", board.title);
    for columns in blocks(board, width) {
        let table = table(board, &columns, styled);
        text.push_str(&fitted(table, width).trim_fmt());
        text.push('\n');
    }
    for line in board.legend(true, styled) {
        text.push_str(&format!("{line}\n"));
    }
    for (letters, note) in board.lettered_notes() {
        text.push_str(&format!("{} {note}\n", raised(&letters)));
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
    let both = board.plan.scorers == Scorers::Both;
    let mut header = vec!["model".to_string()];
    header.extend(both.then(|| "scorer".to_string()));
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
            table.add_row(cells(board, row, columns, both, styled));
        }
    }
    table
}

fn cells(board: &Leaderboard, row: &Row, columns: &[usize], both: bool, styled: bool) -> Vec<Cell> {
    let indent = if board.headed() { "  " } else { "" };
    let marks = raised(&board.notes.marks(&row.notes));
    let space = if marks.is_empty() { "" } else { " " };
    let mut cells = vec![Cell::new(format!("{indent}{}{space}{marks}", row.label))];
    cells.extend(both.then(|| Cell::new(row.scorer.name())));
    for &column in columns {
        let figure = row.figures[column].as_ref();
        let cell = Cell::new(figure.map_or("–".to_string(), |figure| cell(board, figure)));
        let bold = styled && figure.is_some_and(|figure| figure.best);
        cells.push(if bold {
            cell.add_attribute(Attribute::Bold)
        } else {
            cell
        });
    }
    cells
}

fn cell(board: &Leaderboard, figure: &Figure) -> String {
    let marks = raised(&board.notes.marks(&figure.notes));
    let accuracy = format!("{}{marks}", percent(figure.accuracy));
    match figure.interval.filter(|_| board.plan.intervals) {
        Some([low, high]) => format!("{accuracy}\n{}–{}", percent(low), percent(high)),
        None => accuracy,
    }
}
