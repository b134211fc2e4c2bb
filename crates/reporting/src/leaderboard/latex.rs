//! The leaderboard as a `table` of LaTeX with the rules of booktabs, no wider than a page.

use super::Leaderboard;
use super::markup::{self, Markup};
use crate::escape;

/// Before a table in braces: smaller where it is wider than the page, else as it is.
const FITTED: &str = "\\resizebox{\\ifdim\\width>\\textwidth\\textwidth\\else\\width\\fi}{!}";

struct Latex;

impl Markup for Latex {
    fn text(&self, text: &str) -> String {
        escape::latex(text)
    }

    fn raised(&self, letters: &str) -> String {
        format!("\\textsuperscript{{{letters}}}")
    }

    fn bold(&self, figure: &str) -> String {
        format!("\\textbf{{{figure}}}")
    }

    /// Below each other, or twelve columns are wider than a page.
    fn with_interval(&self, figure: &str, low: &str, high: &str) -> String {
        format!("\\shortstack[r]{{{figure}\\\\{{\\tiny {low}--{high}}}}}")
    }

    fn dash(&self) -> &'static str {
        "--"
    }
}

pub(crate) fn text(board: &Leaderboard) -> String {
    let mut header = markup::labels(board, "Model", "Scorer");
    let fixed = header.len();
    let titles = board.columns.iter().map(|column| Latex.text(&column.short));
    header.extend(titles);
    let alignment = "l".repeat(fixed) + &"r".repeat(header.len() - fixed);
    let width = header.len();
    let mut text = preamble(board);
    text.push_str("\\begin{table*}\n\\centering\n\\scriptsize\n\\setlength{\\tabcolsep}{3pt}\n");
    text.push_str(&format!(
        "\\caption{{{}.}}\n\\label{{tab:mwpbench}}\n",
        Latex.text(&board.title)
    ));
    text.push_str(&format!(
        "{FITTED}{{\\begin{{tabular}}{{@{{}}{alignment}@{{}}}}\n\\toprule\n{}\\midrule\n",
        line(header)
    ));
    for (index, group) in board.groups.iter().enumerate() {
        if board.headed() {
            let rule = if index == 0 { "" } else { "\\midrule\n" };
            let name = Latex.text(&group.name);
            text.push_str(&format!(
                "{rule}\\multicolumn{{{width}}}{{@{{}}l}}{{\\emph{{{name}}}}} \\\\\n"
            ));
        }
        for row in &group.rows {
            let columns = 0..board.columns.len();
            text.push_str(&line(markup::cells(&Latex, board, row, columns)));
        }
    }
    text.push_str("\\bottomrule\n\\end{tabular}}\n");
    let below = markup::lines_below(&Latex, board, true, true, "");
    if !below.is_empty() {
        let below = below.join("\\\\\n");
        text.push_str(&format!("\n\\medskip\n\\raggedright\n{below}\n"));
    }
    text.push_str("\\end{table*}\n");
    text
}

/// What has to stand in the document's preamble.
fn preamble(board: &Leaderboard) -> String {
    let mut text = String::from(
        "% In the preamble: \\usepackage[T1]{fontenc} \\usepackage{booktabs} \\usepackage{graphicx}\n",
    );
    let beyond_latin = |label: &str| label.chars().any(|c| c > '\u{24f}');
    if board.rows().any(|row| beyond_latin(&row.label)) {
        text.push_str(
            "% Names hold letters beyond the Latin ones: compile with xelatex or lualatex and a font that has them.\n",
        );
    }
    text
}

fn line(cells: Vec<String>) -> String {
    format!("{} \\\\\n", cells.join(" & "))
}
