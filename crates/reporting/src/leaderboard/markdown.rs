//! The leaderboard as a table of GitHub's Markdown.

use super::rows::{Figure, Row};
use super::{Leaderboard, Scorers};
use crate::table::percent;

pub(crate) fn text(board: &Leaderboard) -> String {
    let both = board.plan.scorers == Scorers::Both;
    let mut header = vec!["model".to_string()];
    header.extend(both.then(|| "scorer".to_string()));
    let fixed = header.len();
    header.extend(board.columns.iter().map(|column| escaped(&column.title)));
    let rule = (0..header.len()).map(|column| {
        if column < fixed {
            ":--".to_string()
        } else {
            "--:".to_string()
        }
    });
    let mut text = format!(
        "**{}**\n\n{}{}",
        escaped(&board.title),
        line(header.clone()),
        line(rule)
    );
    for group in &board.groups {
        if board.headed() {
            let empty = std::iter::repeat_n(String::new(), header.len() - 1);
            text.push_str(&line(
                std::iter::once(format!("*{}*", escaped(&group.name))).chain(empty),
            ));
        }
        for row in &group.rows {
            text.push_str(&line(cells(board, row, both)));
        }
    }
    let mut below: Vec<String> = board
        .legend(false, true)
        .iter()
        .map(|line| escaped(line))
        .collect();
    below.extend(
        board
            .lettered_notes()
            .iter()
            .map(|(letters, note)| format!("<sup>{letters}</sup> {}", escaped(note))),
    );
    if !below.is_empty() {
        text.push_str(&format!("\n{}\n", below.join("<br>\n")));
    }
    text
}

fn line(cells: impl IntoIterator<Item = String>) -> String {
    format!(
        "| {} |\n",
        cells.into_iter().collect::<Vec<_>>().join(" | ")
    )
}

fn raised(marks: &str) -> String {
    if marks.is_empty() {
        String::new()
    } else {
        format!("<sup>{marks}</sup>")
    }
}

fn cells(board: &Leaderboard, row: &Row, both: bool) -> Vec<String> {
    let mut cells = vec![format!(
        "{}{}",
        escaped(&row.label),
        raised(&board.notes.marks(&row.notes))
    )];
    cells.extend(both.then(|| row.scorer.name().to_string()));
    cells.extend(row.figures.iter().map(|figure| {
        figure
            .as_ref()
            .map_or("–".to_string(), |figure| cell(board, figure))
    }));
    cells
}

fn cell(board: &Leaderboard, figure: &Figure) -> String {
    let accuracy = percent(figure.accuracy);
    let accuracy = if figure.best {
        format!("**{accuracy}**")
    } else {
        accuracy
    };
    let interval = figure.interval.filter(|_| board.plan.intervals);
    let interval = interval
        .map(|[low, high]| format!("<br>{}–{}", percent(low), percent(high)))
        .unwrap_or_default();
    format!(
        "{accuracy}{}{interval}",
        raised(&board.notes.marks(&figure.notes))
    )
}

/// Text that Markdown shows as it is, in a cell of a table too.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '|' | '*' | '_' | '`' | '[' | ']' | '<' | '>' | '~' | '#' | '&' | '$' => {
                out.extend(['\\', c])
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_name_cannot_break_the_table() {
        assert_eq!(super::escaped("a|b_c*\n<d>"), "a\\|b\\_c\\* \\<d\\>");
    }
}
