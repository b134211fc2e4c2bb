//! Accuracy beside what it took in tokens: a model that thinks longer does not win unseen.

use evaluation::{RunFolder, TokensSpent};

use super::axis::AccuracyAxis;
use super::write_title;
use crate::leaderboard::Leaderboard;
use crate::leaderboard::columns::Column;
use crate::leaderboard::error::LeaderboardError;
use crate::leaderboard::rows::Row;
use crate::svg::{Anchor, FONT, Look, Picture, text_width};
use crate::table::framed;
use crate::wording::percent;

const WIDTH: f64 = 860.0;
const LEFT: f64 = 56.0;
const PLOT: f64 = 340.0;

/// A row with the tokens of its completions in the sets of the columns that are shown.
struct Priced<'a> {
    row: &'a Row,
    accuracy: f64,
    spent: TokensSpent,
    /// Mean tokens of a completion.
    mean: f64,
}

/// The table: accuracy in the column by which rows are sorted, and mean tokens of a completion.
pub(crate) fn text(board: &Leaderboard, width: Option<u16>) -> Result<String, LeaderboardError> {
    let column = board.token_column();
    let priced = priced(board, column)?;
    let title = &board.columns[column].title;
    let header = [
        "model",
        title.as_str(),
        "tokens",
        "thinking",
        "answer",
        "per point",
    ];
    let mut table = framed(header, &[1, 2, 3, 4, 5]);
    for run in &priced {
        let thinking = run.spent.mean_thinking().unwrap_or(0.0);
        let points = run.accuracy * 100.0;
        table.add_row([
            run.row.label.clone(),
            percent(run.accuracy),
            format!("{:.0}", run.mean),
            format!("{thinking:.0}"),
            format!("{:.0}", run.mean - thinking),
            // Nothing right has no price.
            match points > 0.0 {
                true => format!("{:.0}", run.mean / points),
                false => "–".to_string(),
            },
        ]);
    }
    Ok(format!(
        "Accuracy against tokens: {title}, mean new tokens of a completion over all sets of the run, and tokens a percentage point.\n{}",
        table.text(width)
    ))
}

/// The picture: a dot a run, tokens on a logarithmic scale.
pub(crate) fn picture(board: &Leaderboard) -> Result<String, LeaderboardError> {
    let column = board.token_column();
    let priced = priced(board, column)?;
    let (first, last) = range(&priced);
    let title = format!("{}, against tokens of a completion", board.title);
    let right = WIDTH - 40.0;
    let tops = priced.iter().map(|run| run.accuracy).fold(0.0, f64::max);
    let axis = AccuracyAxis::new(std::iter::once(tops), PLOT);
    let mut picture = Picture::new();
    let base = write_title(&mut picture, &title, WIDTH) + 20.0 + PLOT;
    axis.draw(&mut picture, [LEFT, right], base);
    let words = "mean new tokens of a completion (logarithmic)";
    picture.text((LEFT + right) / 2.0, base + 38.0, Anchor::Middle, "", words);
    let x =
        |tokens: f64| LEFT + 20.0 + (right - LEFT - 140.0) * (tokens.ln() - first) / (last - first);
    let mut sentences = Vec::new();
    for (index, run) in priced.iter().enumerate() {
        let (dot_x, dot_y) = (x(run.mean), base - axis.rise(run.accuracy));
        let label = format!("{:.0}", run.mean);
        let sentence = format!(
            "{}: {} % at {label} tokens",
            run.row.label,
            percent(run.accuracy)
        );
        picture.line([dot_x, base, dot_x, base + 4.0], "axis");
        picture.dot(dot_x, dot_y, Look::of(index), &sentence);
        picture.text(dot_x + 7.0, dot_y + 4.0, Anchor::Start, "", &run.row.label);
        let half = text_width(&label, FONT) / 2.0;
        // Below the axis in two lines by turns, so that runs close together stay readable.
        let line = base + 16.0 + if index % 2 == 0 { 0.0 } else { 10.0 };
        picture.text(dot_x.max(LEFT + half), line, Anchor::Middle, "", &label);
        sentences.push(sentence);
    }
    let description = format!(
        "Scatter plot of accuracy in percent against mean new tokens of a completion. {}.",
        sentences.join(". ")
    );
    Ok(picture.finish(WIDTH, base + 60.0, &title, &description))
}

/// The runs among the rows that have a figure in the column.
fn priced(board: &Leaderboard, column: usize) -> Result<Vec<Priced<'_>>, LeaderboardError> {
    let mut found = Vec::new();
    for row in board.rows() {
        let (Some(folder), Some(accuracy)) = (&row.folder, row.accuracy(column)) else {
            continue;
        };
        let run = RunFolder::open(folder).map_err(LeaderboardError::Run)?;
        let completions = run.completions().map_err(LeaderboardError::Run)?;
        let spent = TokensSpent::of(completions.values());
        if let Some(mean) = spent.mean().filter(|mean| *mean > 0.0) {
            found.push(Priced {
                row,
                accuracy,
                spent,
                mean,
            });
        }
    }
    match found.is_empty() {
        true => Err(LeaderboardError::NoTokens),
        false => Ok(found),
    }
}

/// Logarithms of the fewest and the most tokens, a little apart where they are the same.
fn range(priced: &[Priced<'_>]) -> (f64, f64) {
    let logarithms = || priced.iter().map(|run| run.mean.ln());
    let (first, last) = (
        logarithms().fold(f64::INFINITY, f64::min),
        logarithms().fold(f64::NEG_INFINITY, f64::max),
    );
    match last - first > 1e-9 {
        true => (first, last),
        false => (first - 0.5, last + 0.5),
    }
}

impl Leaderboard {
    /// The column whose figures stand against tokens: that by which rows are sorted.
    fn token_column(&self) -> usize {
        Column::find(&self.columns, self.plan.sort.as_deref()).unwrap_or(0)
    }
}
