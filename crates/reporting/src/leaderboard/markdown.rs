//! The leaderboard as a table of GitHub's Markdown.

use super::Leaderboard;
use super::markup::{self, Markup};
use crate::escape;

struct Markdown;

impl Markup for Markdown {
    fn text(&self, text: &str) -> String {
        escape::markdown(text)
    }

    fn raised(&self, letters: &str) -> String {
        format!("<sup>{letters}</sup>")
    }

    fn bold(&self, figure: &str) -> String {
        format!("**{figure}**")
    }

    fn with_interval(&self, figure: &str, low: &str, high: &str) -> String {
        format!("{figure}<br>{low}–{high}")
    }
}

pub(crate) fn text(board: &Leaderboard) -> String {
    let mut header = markup::labels(board, "model", "scorer");
    let fixed = header.len();
    let titles = board
        .columns
        .iter()
        .map(|column| Markdown.text(&column.title));
    header.extend(titles);
    let rule = (0..header.len()).map(|column| if column < fixed { ":--" } else { "--:" });
    let rule = rule.map(str::to_string).collect();
    let mut text = format!("**{}**\n\n", Markdown.text(&board.title));
    let width = header.len();
    text.extend([line(header), line(rule)]);
    for group in &board.groups {
        if board.headed() {
            let mut heading = vec![String::new(); width];
            heading[0] = format!("*{}*", Markdown.text(&group.name));
            text.push_str(&line(heading));
        }
        for row in &group.rows {
            let columns = 0..board.columns.len();
            text.push_str(&line(markup::cells(&Markdown, board, row, columns)));
        }
    }
    let below = markup::lines_below(&Markdown, board, false, true, " ");
    if !below.is_empty() {
        text.push_str(&format!("\n{}\n", below.join("<br>\n")));
    }
    text
}

fn line(cells: Vec<String>) -> String {
    format!("| {} |\n", cells.join(" | "))
}
