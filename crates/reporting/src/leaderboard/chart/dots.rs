//! Dots of many rows' accuracies: a panel a column, a line a row, as wide as a page.

use super::axis::AccuracyAxis;
use super::{MARGIN, description, in_words, shown_interval, tops, with_scorer};
use super::{write_below, write_title};
use crate::leaderboard::Leaderboard;
use crate::leaderboard::markup::lines_below;
use crate::leaderboard::notes::raised;
use crate::leaderboard::rows::{Figure, Row};
use crate::leaderboard::terminal::Plain;
use crate::svg::{Anchor, FONT, Look, Picture, text_width};
use crate::wording::percent;

/// That of a page of a paper, margins left out.
const WIDTH: f64 = 760.0;
/// From one line to the next.
const LINE: f64 = 17.0;
/// Of a panel, from its base line to its right edge.
const PLOT: f64 = 96.0;
/// Between two panels, where figures beside high dots stand.
const GAP: f64 = 44.0;
/// Wider names are cut.
const MAX_NAME: f64 = 230.0;

pub(crate) fn picture(board: &Leaderboard) -> String {
    let chart = Chart::new(board);
    let mut picture = Picture::new();
    let mut y = write_title(&mut picture, &board.title, WIDTH);
    let all: Vec<usize> = (0..board.columns.len()).collect();
    for columns in all.chunks(chart.panels_a_strip()) {
        y = chart.strip(&mut picture, columns, y + 12.0);
    }
    let below = lines_below(&Plain, board, true, false, " ");
    y = write_below(&mut picture, &below, WIDTH, y);
    let description = description(board, "Dot plot");
    picture.finish(WIDTH, y + 20.0, &board.title, &description)
}

/// A line of every panel.
enum Line<'a> {
    /// The name of a group.
    Heading(&'a str),
    /// A row with its name in print, its index among the rows of its group, and its group's.
    Row {
        name: String,
        row: &'a Row,
        group: usize,
    },
}

/// What the panels have in common.
struct Chart<'a> {
    board: &'a Leaderboard,
    lines: Vec<Line<'a>>,
    /// Where the first panel begins.
    left: f64,
    axis: AccuracyAxis,
}

impl<'a> Chart<'a> {
    fn new(board: &'a Leaderboard) -> Self {
        let mut lines = Vec::new();
        for (group, of_group) in board.groups.iter().enumerate() {
            if board.headed() {
                lines.push(Line::Heading(&of_group.name));
            }
            lines.extend(of_group.rows.iter().map(|row| {
                let name = with_scorer(board, row.label.clone(), row);
                let marks = raised(&board.notes.marks(&row.notes));
                Line::Row {
                    name: format!(
                        "{} {marks}",
                        shortened(&name, MAX_NAME - text_width(&marks, FONT))
                    ),
                    row,
                    group,
                }
            }));
        }
        let widths = lines.iter().map(|line| match line {
            Line::Heading(name) => text_width(name, FONT),
            Line::Row { name, .. } => text_width(name, FONT),
        });
        Self {
            board,
            left: MARGIN + widths.fold(0.0, f64::max).min(MAX_NAME) + 12.0,
            axis: AccuracyAxis::new(tops(board, board.rows()), PLOT),
            lines,
        }
    }

    /// As many in every strip, as far as that goes.
    fn panels_a_strip(&self) -> usize {
        let columns = self.board.columns.len();
        let fitting = ((WIDTH - self.left - MARGIN + 8.0) / (PLOT + GAP)).floor() as usize;
        let strips = columns.div_ceil(fitting.clamp(1, columns));
        columns.div_ceil(strips)
    }

    /// Panels beside each other, the names of their lines on the left; returns the y below them.
    fn strip(&self, picture: &mut Picture, columns: &[usize], top: f64) -> f64 {
        let (first, base) = (top + 24.0, top + 24.0 + LINE * self.lines.len() as f64);
        for (place, &column) in columns.iter().enumerate() {
            let left = self.left + (PLOT + GAP) * place as f64;
            let title = &self.board.columns[column].short;
            picture.text(left, top + 14.0, Anchor::Start, "strong", title);
            self.axis.draw_across(picture, left, [first, base]);
        }
        for (place, line) in self.lines.iter().enumerate() {
            let y = first + LINE * (place as f64 + 0.5);
            match line {
                Line::Heading(name) => picture.text(MARGIN, y + 4.0, Anchor::Start, "faint", name),
                Line::Row { name, row, group } => {
                    picture.text(self.left - 8.0, y + 4.0, Anchor::End, "", name);
                    for (place, &column) in columns.iter().enumerate() {
                        let left = self.left + (PLOT + GAP) * place as f64;
                        self.figure(picture, row, column, Look::of(*group), [left, y]);
                    }
                }
            }
        }
        base + 26.0
    }

    /// A row's dot in a panel that begins at this point, with its figure and interval.
    fn figure(
        &self,
        picture: &mut Picture,
        row: &Row,
        column: usize,
        look: Look,
        [left, y]: [f64; 2],
    ) {
        picture.line([left, y, left + PLOT, y], "guide");
        let Some(figure) = &row.figures[column] else {
            return picture.text(left + 4.0, y + 4.0, Anchor::Start, "faint", "–");
        };
        let x = |accuracy: f64| left + self.axis.rise(accuracy);
        let mut end = x(figure.accuracy);
        if let Some([low, high]) = shown_interval(self.board, figure) {
            end = x(high);
            picture.line([x(low), y, end, y], "error");
        }
        let title = &self.board.columns[column].title;
        let tip = format!("{}, {title}: {}", row.label, in_words(self.board, figure));
        picture.dot(x(figure.accuracy), y, look, &tip);
        picture.text(
            end + 6.0,
            y + 3.5,
            Anchor::Start,
            "small",
            &self.printed(figure),
        );
    }

    fn printed(&self, figure: &Figure) -> String {
        let marks = raised(&self.board.notes.marks(&figure.notes));
        format!("{}{marks}", percent(figure.accuracy))
    }
}

/// A name that is no wider than this, its end cut where it would be.
fn shortened(name: &str, width: f64) -> String {
    if text_width(name, FONT) <= width {
        return name.to_string();
    }
    let mut short = String::new();
    for c in name.chars() {
        if text_width(&format!("{short}{c}…"), FONT) > width {
            break;
        }
        short.push(c);
    }
    format!("{short}…")
}
