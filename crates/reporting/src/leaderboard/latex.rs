//! The leaderboard as a `table` of LaTeX with the rules of booktabs.

use super::rows::{Figure, Row};
use super::{Leaderboard, Scorers};
use crate::table::percent;

pub(crate) fn text(board: &Leaderboard) -> String {
    let both = board.plan.scorers == Scorers::Both;
    let mut header = vec!["Model".to_string()];
    header.extend(both.then(|| "Scorer".to_string()));
    let fixed = header.len();
    header.extend(board.columns.iter().map(|column| escaped(&column.short)));
    let alignment: String = (0..header.len())
        .map(|column| if column < fixed { 'l' } else { 'r' })
        .collect();
    let mut text =
        String::from("% In the preamble: \\usepackage[T1]{fontenc} \\usepackage{booktabs}\n");
    if board
        .rows()
        .any(|row| row.label.chars().any(|c| c > '\u{24f}'))
    {
        text.push_str(
            "% Names hold letters beyond the Latin ones: compile with xelatex or lualatex and a font that has them.\n",
        );
    }
    text.push_str("\\begin{table*}\n\\centering\n\\scriptsize\n\\setlength{\\tabcolsep}{3pt}\n");
    text.push_str(&format!("\\caption{{{}.}}\n", escaped(&board.title)));
    text.push_str(&format!(
        "\\begin{{tabular}}{{@{{}}{alignment}@{{}}}}\n\\toprule\n{}\\midrule\n",
        line(header.clone())
    ));
    for (index, group) in board.groups.iter().enumerate() {
        if board.headed() {
            let rule = if index == 0 { "" } else { "\\midrule\n" };
            text.push_str(&format!(
                "{rule}\\multicolumn{{{}}}{{@{{}}l}}{{\\emph{{{}}}}} \\\\\n",
                header.len(),
                escaped(&group.name)
            ));
        }
        for row in &group.rows {
            text.push_str(&line(cells(board, row, both)));
        }
    }
    text.push_str("\\bottomrule\n\\end{tabular}\n");
    let mut below: Vec<String> = board
        .legend(true, true)
        .iter()
        .map(|line| escaped(line))
        .collect();
    below.extend(
        board
            .lettered_notes()
            .iter()
            .map(|(letters, note)| format!("{}{}", raised(letters), escaped(note))),
    );
    if !below.is_empty() {
        text.push_str(&format!(
            "\n\\medskip\n\\raggedright\n{}\n",
            below.join("\\\\\n")
        ));
    }
    text.push_str("\\end{table*}\n");
    text
}

fn line(cells: Vec<String>) -> String {
    format!("{} \\\\\n", cells.join(" & "))
}

fn raised(marks: &str) -> String {
    if marks.is_empty() {
        String::new()
    } else {
        format!("\\textsuperscript{{{marks}}}")
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
            .map_or("--".to_string(), |figure| cell(board, figure))
    }));
    cells
}

fn cell(board: &Leaderboard, figure: &Figure) -> String {
    let accuracy = percent(figure.accuracy);
    let accuracy = if figure.best {
        format!("\\textbf{{{accuracy}}}")
    } else {
        accuracy
    };
    let accuracy = format!("{accuracy}{}", raised(&board.notes.marks(&figure.notes)));
    match figure.interval.filter(|_| board.plan.intervals) {
        // Below each other, or twelve columns are wider than a page.
        Some([low, high]) => {
            format!(
                "\\shortstack[r]{{{accuracy}\\\\{{\\tiny {}--{}}}}}",
                percent(low),
                percent(high)
            )
        }
        None => accuracy,
    }
}

/// Text that LaTeX sets as it is.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\textbackslash{}"),
            '~' => out.push_str("\\textasciitilde{}"),
            '^' => out.push_str("\\textasciicircum{}"),
            '<' => out.push_str("\\textless{}"),
            '>' => out.push_str("\\textgreater{}"),
            '|' => out.push_str("\\textbar{}"),
            '"' => out.push_str("\\textquotedbl{}"),
            '\'' => out.push_str("\\textquotesingle{}"),
            '`' => out.push_str("\\textasciigrave{}"),
            '–' => out.push_str("--"),
            '—' => out.push_str("---"),
            '…' => out.push_str("\\ldots{}"),
            // Two hyphens would become a dash.
            '-' if out.ends_with('-') => out.push_str("{}-"),
            // A line break takes what stands in brackets after it for a length.
            '[' => out.push_str("{[}"),
            ']' => out.push_str("{]}"),
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => out.extend(['\\', c]),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn a_name_is_set_as_it_is() {
        assert_eq!(escaped("a_b & 5% {x} --"), "a\\_b \\& 5\\% \\{x\\} -{}-");
        assert_eq!(
            escaped("~^\\[1]"),
            "\\textasciitilde{}\\textasciicircum{}\\textbackslash{}{[}1{]}"
        );
    }
}
