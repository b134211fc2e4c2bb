//! The leaderboard as a `table` of LaTeX with the rules of booktabs, no wider than a page; figures
//! at the right edge of their columns, or aligned at their points by siunitx (version 3: columns
//! `S`, in which braces keep what is no number from being read as one).

use super::Leaderboard;
use super::markup::{self, Markup};
use crate::escape;
use crate::wording::percent;

/// Before a table in braces: smaller where it is wider than the page, else as it is.
const FITTED: &str = "\\resizebox{\\ifdim\\width>\\textwidth\\textwidth\\else\\width\\fi}{!}";

/// `aligned`: whether siunitx aligns the figures.
struct Latex {
    aligned: bool,
}

impl Markup for Latex {
    fn text(&self, text: &str) -> String {
        escape::latex(text)
    }

    fn raised(&self, letters: &str) -> String {
        match self.aligned {
            // Of no width: a column is as wide as its numbers.
            true => format!("{{\\rlap{{\\textsuperscript{{{letters}}}}}}}"),
            false => format!("\\textsuperscript{{{letters}}}"),
        }
    }

    fn bold(&self, figure: &str) -> String {
        match self.aligned {
            true => format!("\\bfseries {figure}"),
            false => format!("\\textbf{{{figure}}}"),
        }
    }

    /// Below each other, or twelve columns are wider than a page.
    fn with_interval(&self, figure: &str, low: &str, high: &str) -> String {
        let stacked = format!("\\shortstack[r]{{{figure}\\\\{{\\tiny {low}--{high}}}}}");
        match self.aligned {
            true => format!("{{{stacked}}}"),
            false => stacked,
        }
    }

    fn dash(&self) -> &'static str {
        if self.aligned { "{--}" } else { "--" }
    }
}

/// `aligned`: whether siunitx aligns the figures at their points.
pub(crate) fn text(board: &Leaderboard, aligned: bool) -> String {
    let latex = Latex { aligned };
    let mut header = markup::labels(board, "Model", "Scorer");
    let fixed = header.len();
    let titles = board.columns.iter().map(|column| {
        let title = latex.text(&column.short);
        if aligned {
            format!("{{{title}}}")
        } else {
            title
        }
    });
    header.extend(titles);
    let of_figures = if aligned {
        number_column(board)
    } else {
        "r".to_string()
    };
    let alignment = "l".repeat(fixed) + &of_figures.repeat(header.len() - fixed);
    let width = header.len();
    let mut text = preamble(board, aligned);
    text.push_str("\\begin{table*}\n\\centering\n\\scriptsize\n\\setlength{\\tabcolsep}{3pt}\n");
    text.push_str(&format!(
        "\\caption{{{}.}}\n\\label{{tab:mwpbench}}\n",
        latex.text(&board.title)
    ));
    text.push_str(&format!(
        "{FITTED}{{\\begin{{tabular}}{{@{{}}{alignment}@{{}}}}\n\\toprule\n{}\\midrule\n",
        line(header)
    ));
    for (index, group) in board.groups.iter().enumerate() {
        if board.headed() {
            let rule = if index == 0 { "" } else { "\\midrule\n" };
            let name = latex.text(&group.name);
            text.push_str(&format!(
                "{rule}\\multicolumn{{{width}}}{{@{{}}l}}{{\\emph{{{name}}}}} \\\\\n"
            ));
        }
        for row in &group.rows {
            let columns = 0..board.columns.len();
            text.push_str(&line(markup::cells(&latex, board, row, columns)));
        }
    }
    text.push_str("\\bottomrule\n\\end{tabular}}\n");
    let below = markup::lines_below(&latex, board, true, true, "");
    if !below.is_empty() {
        let below = below.join("\\\\\n");
        text.push_str(&format!("\n\\medskip\n\\raggedright\n{below}\n"));
    }
    text.push_str("\\end{table*}\n");
    text
}

/// A column of siunitx with room for the largest figure.
fn number_column(board: &Leaderboard) -> String {
    let figures = board.rows().flat_map(|row| row.figures.iter().flatten());
    let is_long = |accuracy: f64| percent(accuracy).len() > "99.9".len();
    let digits = if figures.map(|figure| figure.accuracy).any(is_long) {
        3
    } else {
        2
    };
    format!("S[table-format={digits}.1]")
}

/// What has to stand in the document's preamble.
fn preamble(board: &Leaderboard, aligned: bool) -> String {
    let mut text = String::from(
        "% In the preamble: \\usepackage[T1]{fontenc} \\usepackage{booktabs} \\usepackage{graphicx}\n",
    );
    if aligned {
        text.push_str(
            "% and \\usepackage{siunitx} \\sisetup{mode=text, reset-text-series=false, text-series-to-math=true}\n",
        );
    }
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
