//! Accuracy against training size on a logarithmic scale: a panel a base model, a line a column.

use super::axis::AccuracyAxis;
use super::{in_words, shown_interval, tops, write_below, write_title};
use crate::leaderboard::columns::ColumnKind;
use crate::leaderboard::error::LeaderboardError;
use crate::leaderboard::notes::raised;
use crate::leaderboard::rows::Row;
use crate::leaderboard::{Group, Leaderboard, Scorers};
use crate::svg::{Anchor, FONT, Look, Picture, text_width};

/// The tag that holds the number of training examples.
const TAG: &str = "train_size";

const WIDTH: f64 = 860.0;
const LEFT: f64 = 56.0;
const PLOT: f64 = 340.0;

/// A run with its training size.
struct Sized<'a> {
    row: &'a Row,
    size: f64,
}

pub(crate) fn picture(board: &Leaderboard) -> Result<String, LeaderboardError> {
    let scorer = board.plan.scorers.each()[0];
    let mut panels: Vec<(&Group, Vec<Sized>)> = Vec::new();
    let mut left_out = Vec::new();
    for group in &board.groups {
        let mut sized = Vec::new();
        for row in group
            .rows
            .iter()
            .filter(|row| row.scorer == scorer && row.folder.is_some())
        {
            match train_size(row)? {
                Some(size) => sized.push(Sized { row, size }),
                None => left_out.push(row.label.as_str()),
            }
        }
        sized.sort_by(|one, other| one.size.total_cmp(&other.size));
        if !sized.is_empty() {
            panels.push((group, sized));
        }
    }
    let chart = Chart {
        board,
        range: range(&panels)?,
        axis: axis(board, &panels),
        right: right(board),
    };
    let mut picture = Picture::new();
    let title = title(board);
    let mut y = write_title(&mut picture, &title, WIDTH);
    for (group, sized) in &panels {
        if panels.len() > 1 || board.headed() {
            y += 30.0;
            picture.text(LEFT, y, Anchor::Start, "", &group.name);
        }
        y += 20.0 + PLOT;
        chart.panel(&mut picture, sized, y);
        y += 52.0;
    }
    let below = lines_below(board, &panels, &left_out);
    y = write_below(&mut picture, &below, WIDTH, y);
    Ok(picture.finish(WIDTH, y + 20.0, &title, &description(board, &panels)))
}

/// What the panels have in common.
struct Chart<'a> {
    board: &'a Leaderboard,
    /// Logarithms of the smallest and the largest size.
    range: (f64, f64),
    axis: AccuracyAxis,
    /// Where the names of lines begin.
    right: f64,
}

fn title(board: &Leaderboard) -> String {
    // A curve of each scorer in one panel could not be read.
    let scorer = match board.plan.scorers {
        Scorers::Both => board
            .title
            .replace("by both scorers", "by the official scorer"),
        _ => board.title.clone(),
    };
    format!("{scorer}, against training size")
}

/// The number of training examples, where the run is tagged with one.
fn train_size(row: &Row) -> Result<Option<f64>, LeaderboardError> {
    let Some(value) = row.tags.get(TAG) else {
        return Ok(None);
    };
    parse_size(value)
        .map(Some)
        .ok_or_else(|| LeaderboardError::TrainSize {
            folder: row.folder.clone().unwrap_or_default(),
            value: value.clone(),
        })
}

/// `25000`, `25_000`, `25k` or `2M`; at least one.
fn parse_size(text: &str) -> Option<f64> {
    let text = text.trim().replace(['_', ','], "");
    let (number, factor) = match text.char_indices().last()? {
        (end, 'k' | 'K') => (&text[..end], 1e3),
        (end, 'm' | 'M') => (&text[..end], 1e6),
        _ => (text.as_str(), 1.0),
    };
    let plain = number.chars().all(|c| c.is_ascii_digit() || c == '.');
    let size = number.parse::<f64>().ok().filter(|_| plain)? * factor;
    (size.is_finite() && size >= 1.0).then_some(size)
}

fn printed_size(size: f64) -> String {
    let in_units = |unit: f64, name: &str| {
        let text = format!("{:.2}", size / unit);
        format!("{}{name}", text.trim_end_matches('0').trim_end_matches('.'))
    };
    match size {
        size if size >= 1e6 => in_units(1e6, "M"),
        size if size >= 1e3 => in_units(1e3, "k"),
        size => format!("{size:.0}"),
    }
}

/// Logarithms of the smallest and the largest size.
fn range(panels: &[(&Group, Vec<Sized>)]) -> Result<(f64, f64), LeaderboardError> {
    let mut sizes: Vec<f64> = panels
        .iter()
        .flat_map(|(_, sized)| sized.iter().map(|sized| sized.size))
        .collect();
    sizes.sort_by(f64::total_cmp);
    sizes.dedup();
    match sizes.as_slice() {
        [first, .., last] => Ok((first.ln(), last.ln())),
        few => Err(LeaderboardError::TooFewSizes { sizes: few.len() }),
    }
}

fn axis(board: &Leaderboard, panels: &[(&Group, Vec<Sized>)]) -> AccuracyAxis {
    let rows = panels
        .iter()
        .flat_map(|(_, sized)| sized.iter().map(|sized| sized.row));
    AccuracyAxis::new(tops(board, rows), PLOT)
}

/// Leaves room for the names of lines.
fn right(board: &Leaderboard) -> f64 {
    let names = board.columns.iter();
    let widths = names.map(|column| text_width(&column.title, FONT));
    WIDTH - 40.0 - widths.fold(0.0, f64::max)
}

impl Chart<'_> {
    fn x(&self, size: f64) -> f64 {
        let (first, last) = self.range;
        LEFT + 20.0 + (self.right - LEFT - 30.0) * (size.ln() - first) / (last - first)
    }

    /// The runs of one base model above a base line, sorted by size.
    fn panel(&self, picture: &mut Picture, sized: &[Sized], base: f64) {
        self.axis.draw(picture, [LEFT, self.right], base);
        self.sizes(picture, sized, base);
        let y = |accuracy: f64| base - self.axis.rise(accuracy);
        let mut names = Vec::new();
        for (index, column) in self.board.columns.iter().enumerate() {
            let look = Look::of(index);
            let points: Vec<(f64, f64)> = sized
                .chunk_by(|one, other| one.size == other.size)
                .filter_map(|sizes| Some((self.x(sizes[0].size), y(mean(sizes, index)?))))
                .collect();
            let Some(&last) = points.last() else { continue };
            let average = matches!(column.kind, ColumnKind::Micro | ColumnKind::Macro);
            picture.curve(&points, look, if average { 3.0 } else { 1.5 });
            for Sized { row, size } in sized {
                let Some(figure) = &row.figures[index] else {
                    continue;
                };
                let x = self.x(*size);
                if let Some([low, high]) = shown_interval(self.board, figure) {
                    picture.error_bar([x, y(low), y(high)], look);
                }
                let (label, title) = (&row.label, &column.title);
                let (words, size) = (in_words(self.board, figure), printed_size(*size));
                let tip = format!("{label}, {title}: {words} at {size}");
                picture.dot(x, y(figure.accuracy), look, &tip);
            }
            names.push((last, column.title.as_str(), look));
        }
        name_lines(picture, names, self.right, base);
    }

    /// The axis of sizes below the base line.
    fn sizes(&self, picture: &mut Picture, sized: &[Sized], base: f64) {
        let title = "training examples (logarithmic)";
        let middle = (LEFT + self.right) / 2.0;
        picture.text(middle, base + 38.0, Anchor::Middle, "", title);
        let mut free = f64::NEG_INFINITY;
        for sizes in sized.chunk_by(|one, other| one.size == other.size) {
            let (x, label) = (self.x(sizes[0].size), printed_size(sizes[0].size));
            picture.line([x, base, x, base + 4.0], "axis");
            let half = text_width(&label, FONT) / 2.0;
            // Of sizes close together the first is named.
            if x - half > free {
                picture.text(x, base + 18.0, Anchor::Middle, "", &label);
                free = x + half + 4.0;
            }
        }
    }
}

/// The mean over runs of one size.
fn mean(sizes: &[Sized], column: usize) -> Option<f64> {
    statistics::mean(sizes.iter().filter_map(|sized| sized.row.accuracy(column)))
}

/// Names at the ends of lines, moved apart where they would overlap, with a thin line to where
/// theirs ends.
fn name_lines(
    picture: &mut Picture,
    mut names: Vec<((f64, f64), &str, Look)>,
    right: f64,
    base: f64,
) {
    const HEIGHT: f64 = 15.0;
    names.sort_by(|one, other| one.0.1.total_cmp(&other.0.1));
    let mut places: Vec<f64> = names.iter().map(|((_, y), ..)| *y).collect();
    for index in 1..places.len() {
        places[index] = places[index].max(places[index - 1] + HEIGHT);
    }
    // What was pushed below the base line is pushed up again.
    let mut lowest = base;
    for place in places.iter_mut().rev() {
        *place = place.min(lowest);
        lowest = *place - HEIGHT;
    }
    for (((x, y), name, look), place) in names.into_iter().zip(places) {
        picture.leader([x + 5.0, y, right + 8.0, place], look);
        picture.text(right + 12.0, place + 4.0, Anchor::Start, "", name);
    }
}

fn lines_below(
    board: &Leaderboard,
    panels: &[(&Group, Vec<Sized>)],
    left_out: &[&str],
) -> Vec<String> {
    let rows = || {
        panels
            .iter()
            .flat_map(|(_, sized)| sized.iter().map(|sized| sized.row))
    };
    let mut lines = Vec::new();
    if board.plan.intervals {
        lines.push(board.on_intervals());
    }
    if !left_out.is_empty() {
        lines.push(format!(
            "Left out, without a tag {TAG}: {}.",
            left_out.join(", ")
        ));
    }
    for (index, (letters, note)) in board.lettered_notes().into_iter().enumerate() {
        let noted = |row: &&Row| {
            row.notes.contains(&index)
                || row
                    .figures
                    .iter()
                    .flatten()
                    .any(|figure| figure.notes.contains(&index))
        };
        let concerned: Vec<&str> = rows().filter(noted).map(|row| row.label.as_str()).collect();
        if !concerned.is_empty() {
            let who = if concerned.len() == rows().count() {
                "all".to_string()
            } else {
                concerned.join(", ")
            };
            lines.push(format!("{} {note} Concerns {who}.", raised(&letters)));
        }
    }
    lines
}

/// All points in words.
fn description(board: &Leaderboard, panels: &[(&Group, Vec<Sized>)]) -> String {
    let of_run = |sized: &Sized| {
        let figures = board.columns.iter().zip(&sized.row.figures);
        let figures = figures.filter_map(|(column, figure)| {
            Some(format!(
                "{} {}",
                column.title,
                in_words(board, figure.as_ref()?)
            ))
        });
        let size = printed_size(sized.size);
        format!(
            "{} trained on {size}: {}.",
            sized.row.label,
            figures.collect::<Vec<_>>().join(", ")
        )
    };
    let runs = panels
        .iter()
        .flat_map(|(_, sized)| sized.iter().map(of_run))
        .collect::<Vec<_>>();
    format!(
        "Line chart of accuracy in percent against the number of training examples. {}",
        runs.join(" ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_in_units() {
        let sizes = ["25000", "25_000", "25k", "0.5M", "2M"].map(parse_size);
        assert_eq!(sizes, [25e3, 25e3, 25e3, 5e5, 2e6].map(Some));
        assert!(
            ["", "k", "0", "-5", "many", "nan", "inf", "1e400"]
                .iter()
                .all(|text| parse_size(text).is_none())
        );
        assert_eq!(
            [500.0, 25e3, 2e6, 1.25e6].map(printed_size),
            ["500", "25k", "2M", "1.25M"]
        );
    }
}
