//! Words and numbers as a person reads them.

/// A count with its noun: `1 item`, `2 items`, `1 checkpoint of 2`. The plural is regular.
pub fn counted(count: usize, noun: &str) -> String {
    format!("{count} {}", plural(count, noun))
}

/// A noun for a count: `item` for one, else `items`. The plural is regular.
pub fn plural(count: usize, noun: &str) -> String {
    match (count, noun.strip_suffix('y')) {
        (1, _) => noun.to_string(),
        (_, Some(stem)) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
        _ => format!("{noun}s"),
    }
}

/// Percent with one decimal, from a proportion in 0..=1.
pub(crate) fn percent(proportion: f64) -> String {
    format!("{:.1}", proportion * 100.0)
}

/// Two bounds in percent, from proportions in 0..=1.
pub(crate) fn percent_range([low, high]: [f64; 2]) -> String {
    format!("{} – {}", percent(low), percent(high))
}

/// A text on one line, cut with `…` after so many characters.
pub(crate) fn one_line(text: &str, max_chars: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(max_chars) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// The first names of a list, and how many more there are.
pub(crate) fn first_names(names: &[String], max: usize) -> String {
    match names.len() {
        len if len <= max => names.join(", "),
        len => format!("{} and {} more", names[..max].join(", "), len - max),
    }
}

/// The name of a task within its set: `Algebra` of `MATH.Algebra`.
pub(crate) fn task_of_set(task: &str) -> &str {
    task.split_once('.').map_or(task, |(_, task)| task)
}

/// A parsed value as a person reads it. The scorer's own form writes the number of significant
/// digits behind a decimal (`3/4#2`), which only its traces need.
pub(crate) fn value_text(value: &str) -> String {
    if value.starts_with("text(") {
        return value.to_string();
    }
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars().peekable();
    while let Some(c) = chars.next() {
        let after_number = out.ends_with(|last: char| last.is_ascii_digit());
        match c {
            '#' if after_number && chars.peek().is_some_and(char::is_ascii_digit) => {
                while chars.next_if(char::is_ascii_digit).is_some() {}
            }
            _ => out.push(c),
        }
    }
    out
}

/// A text whose lines are at most `width` columns wide wherever a blank allows it: a wider line goes
/// on below, where it is indented by two columns more than it is. A character counts as one column.
pub fn broken_lines(text: &str, width: usize) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (content, end) = match line.strip_suffix('\n') {
            Some(content) => (content, "\n"),
            None => (line, ""),
        };
        match visible_columns(content) > width {
            true => out.push_str(&broken_line(content, width)),
            false => out.push_str(content),
        }
        out.push_str(end);
    }
    out
}

/// Columns without the sequences that set attributes.
fn visible_columns(text: &str) -> usize {
    let mut columns = 0;
    let mut in_sequence = false;
    for c in text.chars() {
        match (in_sequence, c) {
            (false, '\u{1b}') => in_sequence = true,
            (true, 'm') => in_sequence = false,
            (true, _) => {}
            (false, _) => columns += 1,
        }
    }
    columns
}

fn broken_line(line: &str, width: usize) -> String {
    let indent = line.len() - line.trim_start_matches(' ').len();
    let further = match indent {
        0 => String::new(),
        _ => " ".repeat(indent + 2),
    };
    let mut out = " ".repeat(indent);
    let mut used = indent;
    for (place, word) in line[indent..].split(' ').enumerate() {
        let columns = visible_columns(word);
        match place {
            0 => {}
            _ if used + 1 + columns > width => {
                out.push('\n');
                out.push_str(&further);
                used = further.len();
            }
            _ => {
                out.push(' ');
                used += 1;
            }
        }
        out.push_str(word);
        used += columns;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_singular() {
        let cases = [(1, "item"), (0, "item"), (2, "query"), (3, "day")];
        assert_eq!(
            cases.map(|(count, noun)| counted(count, noun)),
            ["1 item", "0 items", "2 queries", "3 days"]
        );
    }

    #[test]
    fn the_count_of_digits_is_not_printed() {
        let cases = [
            ("3/4#2", "3/4"),
            ("list(1/2#1,6500#2)", "list(1/2,6500)"),
            ("qty(-3/4#2;cm)", "qty(-3/4;cm)"),
            ("text(item 5#5)", "text(item 5#5)"),
            ("18", "18"),
        ];
        for (value, text) in cases {
            assert_eq!(value_text(value), text);
        }
    }

    #[test]
    fn wide_lines_are_broken_between_words_and_others_stay() {
        let text = "short\n  one two three four\n\u{1b}[1mbold word\u{1b}[0m\nunbreakable";
        let broken =
            "short\n  one two\n    three\n    four\n\u{1b}[1mbold word\u{1b}[0m\nunbreakable";
        assert_eq!(broken_lines(text, 9), broken);
        assert_eq!(broken_lines(text, 80), text);
    }

    #[test]
    fn a_long_line_is_cut() {
        assert_eq!(one_line("a\n b  c", 10), "a b c");
        assert_eq!(one_line("abcdef", 3), "abc…");
        let names = ["a", "b", "c"].map(str::to_string);
        assert_eq!(
            (first_names(&names, 3), first_names(&names, 1)),
            ("a, b, c".to_string(), "a and 2 more".to_string())
        );
    }
}
