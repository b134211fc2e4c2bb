//! Bars of every row's accuracy, a group of bars a column, a colour a row.

use super::axis::AccuracyAxis;
use super::{MARGIN, description, in_words, label, shown_interval, tops, write_below, write_title};
use crate::leaderboard::Leaderboard;
use crate::leaderboard::columns::Column;
use crate::leaderboard::markup::lines_below;
use crate::leaderboard::notes::raised;
use crate::leaderboard::rows::{Figure, Row};
use crate::leaderboard::terminal::Plain;
use crate::svg::{Anchor, FONT, Look, Picture, text_width};
use crate::wording::percent;

const LEFT: f64 = 56.0;
const RIGHT: f64 = 20.0;
/// Width that panels keep to where a single group of bars lets them.
const MAX_WIDTH: f64 = 1100.0;
const MIN_WIDTH: f64 = 560.0;
/// Between two groups of bars.
const GAP: f64 = 18.0;
/// Thinner bars could not carry their figure.
const MIN_BAR: f64 = 12.0;
const MAX_BAR: f64 = 30.0;
/// From the base line to the top of the scale.
const PLOT: f64 = 260.0;
/// Room above the scale for figures of high bars.
const HEADROOM: f64 = 40.0;
const LINE: f64 = 18.0;

pub(crate) fn picture(board: &Leaderboard) -> String {
    Chart::new(board).draw()
}

/// All that the parts of the chart depend on.
struct Chart<'a> {
    board: &'a Leaderboard,
    rows: Vec<(String, &'a Row)>,
    sizes: Sizes,
    axis: AccuracyAxis,
}

/// What follows from the number of rows and columns.
struct Sizes {
    bar: f64,
    /// Width of a group of bars, its gap included.
    group: f64,
    columns_a_panel: usize,
    width: f64,
}

impl Sizes {
    fn of(board: &Leaderboard, rows: usize) -> Self {
        let columns = board.columns.len() as f64;
        let room = MAX_WIDTH - LEFT - RIGHT;
        let bar = ((room / columns - GAP) / rows as f64).clamp(MIN_BAR, MAX_BAR);
        let labels = board
            .columns
            .iter()
            .map(|column| text_width(&column.short, FONT) + 10.0)
            .fold(0.0, f64::max);
        let group = (bar * rows as f64 + GAP).max(labels);
        let fitting = ((room / group).floor() as usize).clamp(1, board.columns.len());
        // As many in every panel, as far as that goes.
        let panels = board.columns.len().div_ceil(fitting);
        let columns_a_panel = board.columns.len().div_ceil(panels);
        let width = (LEFT + RIGHT + group * columns_a_panel as f64).max(MIN_WIDTH);
        Self {
            bar,
            group,
            columns_a_panel,
            width,
        }
    }
}

impl<'a> Chart<'a> {
    fn new(board: &'a Leaderboard) -> Self {
        let rows = labelled(board);
        Self {
            board,
            sizes: Sizes::of(board, rows.len()),
            axis: AccuracyAxis::new(tops(board, board.rows()), PLOT),
            rows,
        }
    }

    fn draw(&self) -> String {
        let (board, width) = (self.board, self.sizes.width);
        let mut picture = Picture::new();
        let y = write_title(&mut picture, &board.title, width);
        let mut y = self.legend(&mut picture, y + 12.0);
        let panels = board.columns.chunks(self.sizes.columns_a_panel);
        for (panel, columns) in panels.enumerate() {
            y += HEADROOM + PLOT;
            self.panel(&mut picture, columns, panel * self.sizes.columns_a_panel, y);
            y += 40.0;
        }
        let below = lines_below(&Plain, board, true, false, " ");
        y = write_below(&mut picture, &below, width, y);
        picture.finish(
            width,
            y + 20.0,
            &board.title,
            &description(board, "Bar chart"),
        )
    }

    /// The colours with their rows; returns the y below them.
    fn legend(&self, picture: &mut Picture, mut y: f64) -> f64 {
        const SWATCH: f64 = 20.0;
        let name =
            |(label, row): &(String, &Row)| format!("{label} {}", raised(&self.marks(&row.notes)));
        let names: Vec<String> = self.rows.iter().map(name).collect();
        let widest = names
            .iter()
            .map(|name| text_width(name, FONT) + SWATCH + 16.0)
            .fold(0.0, f64::max);
        let room = self.sizes.width - 2.0 * MARGIN;
        let across = ((room / widest).floor() as usize).max(1);
        for (line, names) in names.chunks(across).enumerate() {
            y += LINE;
            for (column, name) in names.iter().enumerate() {
                let x = MARGIN + widest * column as f64;
                let look = Look::of(line * across + column);
                picture.bar([x, y - 10.0, 12.0, 12.0], look, "");
                picture.text(x + SWATCH, y, Anchor::Start, "", name);
            }
        }
        y
    }

    /// The columns from the index `first` on, above a base line.
    fn panel(&self, picture: &mut Picture, columns: &[Column], first: usize, base: f64) {
        let Sizes { bar, group, .. } = self.sizes;
        let end = LEFT + group * columns.len() as f64;
        self.axis.draw(picture, [LEFT, end], base);
        for (index, column) in columns.iter().enumerate() {
            let middle = LEFT + group * (index as f64 + 0.5);
            picture.text(middle, base + 18.0, Anchor::Middle, "", &column.short);
            let left = middle - bar * self.rows.len() as f64 / 2.0;
            for (place, (label, row)) in self.rows.iter().enumerate() {
                let x = left + bar * place as f64;
                let Some(figure) = &row.figures[first + index] else {
                    let centre = x + bar / 2.0;
                    picture.text(centre, base - 4.0, Anchor::Middle, "faint", "–");
                    continue;
                };
                let tip = format!(
                    "{label}, {}: {}",
                    column.title,
                    in_words(self.board, figure)
                );
                let tall = self.axis.rise(figure.accuracy);
                let rectangle = [x + 1.0, base - tall, bar - 2.0, tall];
                picture.bar(rectangle, Look::of(place), &tip);
                self.above_bar(picture, figure, [x, base]);
            }
        }
    }

    /// The interval on a bar that begins at this point, and its figure above both: upwards where
    /// bars are too thin for any figure.
    fn above_bar(&self, picture: &mut Picture, figure: &Figure, [x, base]: [f64; 2]) {
        let bar = self.sizes.bar;
        let centre = x + bar / 2.0;
        let y = |accuracy: f64| base - self.axis.rise(accuracy);
        let mut top = y(figure.accuracy);
        if let Some([low, high]) = shown_interval(self.board, figure) {
            let cap = (bar / 4.0).min(4.0);
            top = y(high);
            picture.line([centre, y(low), centre, top], "error");
            for bound in [low, high] {
                picture.line([centre - cap, y(bound), centre + cap, y(bound)], "error");
            }
        }
        let marks = raised(&self.marks(&figure.notes));
        let text = format!("{}{marks}", percent(figure.accuracy));
        match text_width("88.8", 10.0) < bar + 2.0 {
            true => picture.text(centre, top - 4.0, Anchor::Middle, "small", &text),
            false => picture.small_upward_text(centre + 3.5, top - 4.0, &text),
        }
    }

    fn marks(&self, notes: &[usize]) -> String {
        self.board.notes.marks(notes)
    }
}

/// The rows, with names that distinguish all of them.
fn labelled(board: &Leaderboard) -> Vec<(String, &Row)> {
    let groups = board.groups.iter();
    groups
        .flat_map(|group| {
            group
                .rows
                .iter()
                .map(|row| (label(board, &group.name, row), row))
        })
        .collect()
}
