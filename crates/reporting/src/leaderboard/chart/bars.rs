//! Bars of every row's accuracy, a group of bars a column, a colour a row.

use super::svg::{Anchor, FONT, Look, Picture, text_width, wrapped};
use crate::leaderboard::columns::Column;
use crate::leaderboard::notes::raised;
use crate::leaderboard::rows::{Figure, Row};
use crate::leaderboard::{Leaderboard, Scorers};
use crate::table::percent;

const LEFT: f64 = 56.0;
const RIGHT: f64 = 20.0;
/// Width that panels keep to where a single group of bars lets them.
const WIDEST: f64 = 1100.0;
/// Between two groups of bars.
const GAP: f64 = 18.0;
/// Thinner bars could not carry their figure.
const THINNEST: f64 = 12.0;
const THICKEST: f64 = 30.0;
/// From the base line to the top of the scale.
const PLOT: f64 = 260.0;
/// Room above the scale for figures of high bars.
const HEADROOM: f64 = 40.0;
const LINE: f64 = 18.0;

pub(crate) fn picture(board: &Leaderboard) -> String {
    let rows: Vec<(String, &Row)> = labelled(board);
    let sizes = Sizes::of(board, rows.len());
    let mut picture = Picture::new();
    let mut y = 12.0;
    for line in wrapped(&board.title, (sizes.width - 40.0) * 0.75, FONT) {
        y += LINE;
        picture.text(20.0, y, Anchor::Start, "heading", &line);
    }
    y = legend(&mut picture, board, &rows, sizes.width, y + 12.0);
    let top = highest(board, &rows);
    for columns in board.columns.chunks(sizes.columns_a_panel).enumerate() {
        let (panel, columns) = columns;
        let first = panel * sizes.columns_a_panel;
        y += HEADROOM;
        self::panel(&mut picture, board, &rows, columns, first, &sizes, y, top);
        y += PLOT + 40.0;
    }
    for line in below(board)
        .iter()
        .flat_map(|line| wrapped(line, sizes.width - 40.0, 11.0))
    {
        y += 16.0;
        picture.text(20.0, y, Anchor::Start, "faint", &line);
    }
    picture.finish(
        sizes.width,
        y + 20.0,
        &board.title,
        &description(board, &rows),
    )
}

/// Names that tell all rows apart.
fn labelled(board: &Leaderboard) -> Vec<(String, &Row)> {
    let headed = board.headed();
    let label = |group: &str, row: &Row| {
        let group = if headed {
            format!(", {group}")
        } else {
            String::new()
        };
        let scorer = match board.plan.scorers {
            Scorers::Both => format!(", {}", row.scorer.name()),
            _ => String::new(),
        };
        format!("{}{group}{scorer}", row.label)
    };
    board
        .groups
        .iter()
        .flat_map(|group| {
            group
                .rows
                .iter()
                .map(move |row| (label(&group.name, row), row))
        })
        .collect()
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
        let room = WIDEST - LEFT - RIGHT;
        let bar = ((room / columns - GAP) / rows as f64).clamp(THINNEST, THICKEST);
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
        let width = (LEFT + RIGHT + group * columns_a_panel as f64).max(560.0);
        Self {
            bar,
            group,
            columns_a_panel,
            width,
        }
    }
}

/// The top of the scale in percent: the next ten above all figures and bounds.
fn highest(board: &Leaderboard, rows: &[(String, &Row)]) -> f64 {
    let figures = rows
        .iter()
        .flat_map(|(_, row)| row.figures.iter().flatten());
    let tops = figures.map(
        |figure| match figure.interval.filter(|_| board.plan.intervals) {
            Some([_, high]) => high,
            None => figure.accuracy,
        },
    );
    ((tops.fold(0.0, f64::max) * 10.0 - 1e-9).ceil() * 10.0).max(10.0)
}

fn legend(
    picture: &mut Picture,
    board: &Leaderboard,
    rows: &[(String, &Row)],
    width: f64,
    mut y: f64,
) -> f64 {
    const SWATCH: f64 = 20.0;
    let names: Vec<String> = rows
        .iter()
        .map(|(label, row)| format!("{label} {}", raised(&board.notes.marks(&row.notes))))
        .collect();
    let widest = names
        .iter()
        .map(|name| text_width(name, FONT) + SWATCH + 16.0)
        .fold(0.0, f64::max);
    let across = (((width - 40.0) / widest).floor() as usize).max(1);
    for (line, names) in names.chunks(across).enumerate() {
        y += LINE;
        for (column, name) in names.iter().enumerate() {
            let x = 20.0 + widest * column as f64;
            picture.bar(
                [x, y - 10.0, 12.0, 12.0],
                Look::of(line * across + column),
                "",
            );
            picture.text(x + SWATCH, y, Anchor::Start, "", name);
        }
    }
    y
}

#[expect(
    clippy::too_many_arguments,
    reason = "the place of a panel in its picture; no two are of one kind elsewhere"
)]
fn panel(
    picture: &mut Picture,
    board: &Leaderboard,
    rows: &[(String, &Row)],
    columns: &[Column],
    first: usize,
    sizes: &Sizes,
    y: f64,
    top: f64,
) {
    let base = y + PLOT;
    let height = |proportion: f64| PLOT * proportion * 100.0 / top;
    let end = LEFT + sizes.group * columns.len() as f64;
    let step = if top > 50.0 {
        20.0
    } else if top > 20.0 {
        10.0
    } else {
        5.0
    };
    for tick in (0..)
        .map(|index| f64::from(index) * step)
        .take_while(|&tick| tick <= top)
    {
        let at = base - PLOT * tick / top;
        picture.line(
            [LEFT, at, end, at],
            if tick == 0.0 { "axis" } else { "grid" },
        );
        picture.text(LEFT - 6.0, at + 4.0, Anchor::End, "", &format!("{tick:.0}"));
    }
    picture.upward_text(16.0, y + PLOT / 2.0, "accuracy in percent");
    for (index, column) in columns.iter().enumerate() {
        let middle = LEFT + sizes.group * (index as f64 + 0.5);
        picture.text(middle, base + 18.0, Anchor::Middle, "", &column.short);
        let left = middle - sizes.bar * rows.len() as f64 / 2.0;
        for (place, (label, row)) in rows.iter().enumerate() {
            let x = left + sizes.bar * place as f64;
            let Some(figure) = &row.figures[first + index] else {
                picture.text(
                    x + sizes.bar / 2.0,
                    base - 4.0,
                    Anchor::Middle,
                    "faint",
                    "–",
                );
                continue;
            };
            let tip = format!("{label}, {}: {}", column.title, told(board, figure));
            let tall = height(figure.accuracy);
            picture.bar(
                [x + 1.0, base - tall, sizes.bar - 2.0, tall],
                Look::of(place),
                &tip,
            );
            let mut above = base - tall;
            if let Some([low, high]) = figure.interval.filter(|_| board.plan.intervals) {
                let (centre, cap) = (x + sizes.bar / 2.0, (sizes.bar / 4.0).min(4.0));
                above = base - height(high);
                picture.line([centre, base - height(low), centre, above], "error");
                for bound in [low, high] {
                    let at = base - height(bound);
                    picture.line([centre - cap, at, centre + cap, at], "error");
                }
            }
            figure_above(
                picture,
                board,
                figure,
                x + sizes.bar / 2.0,
                above,
                sizes.bar,
            );
        }
    }
}

/// The figure over its bar, running upwards where bars are too thin for any figure.
fn figure_above(
    picture: &mut Picture,
    board: &Leaderboard,
    figure: &Figure,
    x: f64,
    above: f64,
    bar: f64,
) {
    let text = format!(
        "{}{}",
        percent(figure.accuracy),
        raised(&board.notes.marks(&figure.notes))
    );
    match text_width("88.8", 10.0) < bar + 2.0 {
        true => picture.text(x, above - 4.0, Anchor::Middle, "small", &text),
        false => picture.small_upward_text(x + 3.5, above - 4.0, &text),
    }
}

fn told(board: &Leaderboard, figure: &Figure) -> String {
    let interval = figure.interval.filter(|_| board.plan.intervals);
    let interval = interval
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

fn below(board: &Leaderboard) -> Vec<String> {
    let mut lines = board.legend(true, false);
    lines.extend(
        board
            .lettered_notes()
            .iter()
            .map(|(letters, note)| format!("{} {note}", raised(letters))),
    );
    lines
}

/// All figures in words.
fn description(board: &Leaderboard, rows: &[(String, &Row)]) -> String {
    let of_row = |(label, row): &(String, &Row)| {
        let figures = board
            .columns
            .iter()
            .zip(&row.figures)
            .filter_map(|(column, figure)| {
                figure
                    .as_ref()
                    .map(|figure| format!("{} {}", column.title, told(board, figure)))
            });
        format!("{label}: {}.", figures.collect::<Vec<_>>().join(", "))
    };
    format!(
        "Bar chart of accuracy in percent. {}",
        rows.iter().map(of_row).collect::<Vec<_>>().join(" ")
    )
}
