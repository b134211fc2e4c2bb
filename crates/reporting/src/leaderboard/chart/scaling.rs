//! Accuracy against training size on a logarithmic scale, or over training steps: a panel a base
//! model, a line a column.

use super::axis::AccuracyAxis;
use super::{in_words, shown_interval, write_below, write_title};
use crate::leaderboard::columns::Column;
use crate::leaderboard::error::LeaderboardError;
use crate::leaderboard::notes::raised;
use crate::leaderboard::rows::{Figure, Row};
use crate::leaderboard::{Group, Leaderboard, Scorers};
use crate::svg::{Anchor, FONT, Look, Picture, text_width};

/// The tag that holds the number of training examples.
const TAG: &str = "train_size";

const WIDTH: f64 = 860.0;
const LEFT: f64 = 56.0;
const PLOT: f64 = 340.0;

/// What accuracy stands against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Against {
    /// The number of training examples, on a logarithmic scale.
    TrainingSize,
    /// The number of optimizer steps after which a checkpoint was written.
    TrainingStep,
}

impl Against {
    /// Where the run stands on the axis; `None` where it does not say.
    fn value(self, row: &Row) -> Result<Option<f64>, LeaderboardError> {
        match self {
            Self::TrainingSize => train_size(row),
            Self::TrainingStep => Ok(row.step.map(|step| step as f64)),
        }
    }

    /// A value as a distance on the axis.
    fn scaled(self, value: f64) -> f64 {
        match self {
            Self::TrainingSize => value.ln(),
            Self::TrainingStep => value,
        }
    }

    fn printed(self, value: f64) -> String {
        match self {
            Self::TrainingSize => printed_size(value),
            Self::TrainingStep => format!("{value:.0}"),
        }
    }

    /// Behind the title of the board.
    fn title(self) -> &'static str {
        match self {
            Self::TrainingSize => "against training size",
            Self::TrainingStep => "over training steps",
        }
    }

    fn axis_title(self) -> &'static str {
        match self {
            Self::TrainingSize => "training examples (logarithmic)",
            Self::TrainingStep => "training step",
        }
    }

    /// What the runs lack that are left out.
    fn lacking(self) -> String {
        match self {
            Self::TrainingSize => format!("a tag {TAG}"),
            Self::TrainingStep => "a known training step".to_string(),
        }
    }

    /// The chart and its runs, for those who cannot see it.
    fn in_words(self) -> [&'static str; 2] {
        match self {
            Self::TrainingSize => ["against the number of training examples", "trained on"],
            Self::TrainingStep => ["over training steps", "at step"],
        }
    }

    fn too_few(self, count: usize) -> LeaderboardError {
        match self {
            Self::TrainingSize => LeaderboardError::TooFewSizes { sizes: count },
            Self::TrainingStep => LeaderboardError::TooFewSteps { steps: count },
        }
    }
}

/// A run with its training size or step.
struct Sized<'a> {
    row: &'a Row,
    size: f64,
}

pub(crate) fn picture(board: &Leaderboard, against: Against) -> Result<String, LeaderboardError> {
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
            match against.value(row)? {
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
        against,
        range: range(&panels, against)?,
        axis: axis(board, against, &panels),
        right: right(board),
    };
    let mut picture = Picture::new();
    let title = title(board, against);
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
    let below = lines_below(board, against, &panels, &left_out);
    y = write_below(&mut picture, &below, WIDTH, y);
    let description = description(board, against, &panels);
    Ok(picture.finish(WIDTH, y + 20.0, &title, &description))
}

/// What the panels have in common.
struct Chart<'a> {
    board: &'a Leaderboard,
    against: Against,
    /// Scaled values of the first and the last run.
    range: (f64, f64),
    axis: AccuracyAxis,
    /// Where the names of lines begin.
    right: f64,
}

fn title(board: &Leaderboard, against: Against) -> String {
    // A curve of each scorer in one panel could not be read.
    let scorer = match board.plan.scorers {
        Scorers::Both => board
            .title
            .replace("by both scorers", "by the official scorer"),
        _ => board.title.clone(),
    };
    format!("{scorer}, {}", against.title())
}

/// The interval that is drawn: over training steps that of averages always, since the line alone
/// would show noise as progress; those of all sets would hide each other.
fn drawn_interval(
    board: &Leaderboard,
    against: Against,
    column: usize,
    figure: &Figure,
) -> Option<[f64; 2]> {
    let is_average = |column: &Column| column.kind.is_average();
    let any_average = board.columns.iter().any(is_average);
    let always = is_average(&board.columns[column]) || !any_average;
    match against == Against::TrainingStep && always {
        true => figure.interval,
        false => shown_interval(board, figure),
    }
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

/// Scaled values of the smallest and the largest.
fn range(
    panels: &[(&Group, Vec<Sized>)],
    against: Against,
) -> Result<(f64, f64), LeaderboardError> {
    let mut sizes: Vec<f64> = panels
        .iter()
        .flat_map(|(_, sized)| sized.iter().map(|sized| sized.size))
        .collect();
    sizes.sort_by(f64::total_cmp);
    sizes.dedup();
    match sizes.as_slice() {
        [first, .., last] => Ok((against.scaled(*first), against.scaled(*last))),
        few => Err(against.too_few(few.len())),
    }
}

fn axis(board: &Leaderboard, against: Against, panels: &[(&Group, Vec<Sized>)]) -> AccuracyAxis {
    let rows = panels
        .iter()
        .flat_map(|(_, sized)| sized.iter().map(|sized| sized.row));
    let tops = rows.flat_map(|row| {
        let figures = row.figures.iter().enumerate();
        figures.filter_map(|(column, figure)| {
            let figure = figure.as_ref()?;
            let interval = drawn_interval(board, against, column, figure);
            Some(interval.map_or(figure.accuracy, |[_, high]| high))
        })
    });
    AccuracyAxis::new(tops, PLOT)
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
        let share = (self.against.scaled(size) - first) / (last - first);
        LEFT + 20.0 + (self.right - LEFT - 30.0) * share
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
            let width = if column.kind.is_average() { 3.0 } else { 1.5 };
            picture.curve(&points, look, width);
            for Sized { row, size } in sized {
                let Some(figure) = &row.figures[index] else {
                    continue;
                };
                let x = self.x(*size);
                let interval = drawn_interval(self.board, self.against, index, figure);
                if let Some([low, high]) = interval {
                    picture.error_bar([x, y(low), y(high)], look);
                }
                let (label, title) = (&row.label, &column.title);
                let words = in_words(self.board, figure);
                let size = self.against.printed(*size);
                let tip = format!("{label}, {title}: {words} at {size}");
                picture.dot(x, y(figure.accuracy), look, &tip);
            }
            names.push((last, column.title.as_str(), look));
        }
        name_lines(picture, names, self.right, base);
    }

    /// The axis of sizes below the base line.
    fn sizes(&self, picture: &mut Picture, sized: &[Sized], base: f64) {
        let middle = (LEFT + self.right) / 2.0;
        let title = self.against.axis_title();
        picture.text(middle, base + 38.0, Anchor::Middle, "", title);
        let mut free = f64::NEG_INFINITY;
        for sizes in sized.chunk_by(|one, other| one.size == other.size) {
            let (x, label) = (self.x(sizes[0].size), self.against.printed(sizes[0].size));
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
    against: Against,
    panels: &[(&Group, Vec<Sized>)],
    left_out: &[&str],
) -> Vec<String> {
    let rows = || {
        panels
            .iter()
            .flat_map(|(_, sized)| sized.iter().map(|sized| sized.row))
    };
    let mut lines = Vec::new();
    if board.plan.intervals || against == Against::TrainingStep {
        lines.push(board.on_intervals());
    }
    if !left_out.is_empty() {
        lines.push(format!(
            "Left out, without {}: {}.",
            against.lacking(),
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
fn description(board: &Leaderboard, against: Against, panels: &[(&Group, Vec<Sized>)]) -> String {
    let [what, at] = against.in_words();
    let of_run = |sized: &Sized| {
        let figures = board.columns.iter().zip(&sized.row.figures);
        let figures = figures.filter_map(|(column, figure)| {
            Some(format!(
                "{} {}",
                column.title,
                in_words(board, figure.as_ref()?)
            ))
        });
        let size = against.printed(sized.size);
        format!(
            "{} {at} {size}: {}.",
            sized.row.label,
            figures.collect::<Vec<_>>().join(", ")
        )
    };
    let runs = panels
        .iter()
        .flat_map(|(_, sized)| sized.iter().map(of_run))
        .collect::<Vec<_>>();
    format!(
        "Line chart of accuracy in percent {what}. {}",
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
