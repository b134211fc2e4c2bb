//! The options of a multiple-choice question, in whatever layout.

/// An option: its letter and its text.
pub(super) type Choice<'q> = (char, &'q str);

/// No question has more options.
const MAX_OPTIONS: usize = 10;

/// What may stand behind the letter of an option, and before it.
const LABELS: [(&str, &str); 10] = [
    ("\\textbf{(", ")}"),
    ("\\mathrm{(", ")}"),
    ("\\text{(", ")}"),
    ("(", ")"),
    ("（", "）"),
    ("", ")"),
    ("", "."),
    ("", ":"),
    ("", "、"),
    ("", "．"),
];

/// The options that a question names; empty where it names none.
pub(super) fn options(question: &str) -> Vec<Choice<'_>> {
    // Most questions have none: a look at the second option is cheap.
    if !["B)", "B）", "B.", "B:", "B、", "B．", "s: ["]
        .iter()
        .any(|label| question.contains(label))
    {
        return Vec::new();
    }
    listed(question)
        .or_else(|| LABELS.iter().find_map(|label| labelled(question, *label)))
        .unwrap_or_default()
}

/// A list in brackets behind `Options:` or `Choices:`, whose letters are left to the reader.
fn listed(question: &str) -> Option<Vec<Choice<'_>>> {
    let at = ["Options: [", "options: [", "Choices: [", "choices: ["]
        .iter()
        .find_map(|head| Some(question.rfind(head)? + head.len()))?;
    let inside = question[at..].split_once(']')?.0;
    let texts = inside
        .split(", ")
        .map(|text| text.trim().trim_matches(['\'', '"']));
    let options: Vec<Choice<'_>> = ('A'..='J').zip(texts).collect();
    (options.len() >= 2).then_some(options)
}

/// Options that all have labels of one form, one behind the other, from A on; the last such row.
fn labelled<'q>(question: &'q str, label: (&str, &str)) -> Option<Vec<Choice<'q>>> {
    let mut starts = Vec::new();
    let mut from = last_row(question, label)?;
    for letter in ('A'..='J').take(MAX_OPTIONS) {
        let Some((start, end)) = find(question, from, letter, label) else {
            break;
        };
        starts.push((letter, start, end));
        from = end;
    }
    if starts.len() < 2 {
        return None;
    }
    let text = |at: usize| {
        let (letter, _, start) = starts[at];
        // No label ends the last option; its line does.
        let end = match starts.get(at + 1) {
            Some(next) => next.1,
            None => question[start..]
                .trim_start()
                .find('\n')
                .map_or(question.len(), |end| {
                    question.len() - question[start..].trim_start().len() + end
                }),
        };
        (letter, bare(&question[start..end]))
    };
    let options: Vec<Choice<'q>> = (0..starts.len()).map(text).collect();
    options
        .iter()
        .all(|(_, text)| !text.is_empty())
        .then_some(options)
}

/// Where the last label with the letter A stands.
fn last_row(question: &str, label: (&str, &str)) -> Option<usize> {
    let mut last = None;
    let mut from = 0;
    while let Some((start, end)) = find(question, from, 'A', label) {
        (last, from) = (Some(start), end);
    }
    last
}

/// The first label with a letter: where it starts and ends.
fn find(
    question: &str,
    from: usize,
    letter: char,
    (open, close): (&str, &str),
) -> Option<(usize, usize)> {
    let label = format!("{open}{letter}{close}");
    question[from..]
        .match_indices(&label)
        .map(|(at, _)| (from + at, from + at + label.len()))
        .find(|&(start, end)| {
            let before = question[..start].chars().next_back();
            let after = question[end..].chars().next();
            let begins = open.starts_with('\\')
                || before.is_none_or(|c| {
                    c.is_whitespace() || matches!(c, '$' | '{' | '[' | ',' | ';' | '\'')
                });
            begins
                && (!open.is_empty()
                    || close == "、"
                    || after.is_none_or(|c| !c.is_alphanumeric() || !close.starts_with('.')))
        })
}

/// Without the spaces, commas and commands that divide options.
fn bare(text: &str) -> &str {
    let mut bare = text.trim();
    loop {
        if bare.matches('$').count() % 2 == 1 {
            bare = bare.trim_matches('$').trim();
        }
        let inner = ["\\qquad", "\\quad", "\\\\", "\\ ", "~", ",", ";", "'", "\""]
            .iter()
            .find_map(|mark| bare.strip_suffix(mark).or_else(|| bare.strip_prefix(mark)));
        match inner {
            Some(inner) => bare = inner.trim(),
            None => return bare,
        }
    }
}

/// The letter and the rest of an answer that begins with an option's label: `(B) no`, `A. 12`.
pub(super) fn after_label(answer: &str) -> Option<(char, &str)> {
    let bare = answer.trim();
    let bare = ["\\text{", "\\textbf{", "\\mathbf{", "\\mathrm{"]
        .iter()
        .find_map(|command| bare.strip_prefix(command))
        .unwrap_or(bare);
    let open = bare.strip_prefix(['(', '[']);
    let inside = open.unwrap_or(bare);
    let letter = inside.chars().next().filter(char::is_ascii_alphabetic)?;
    let rest = inside[1..].strip_prefix([')', '.', ':', ']'])?;
    let divided = rest.starts_with([' ', '}', '\\', '$']);
    let rest = rest.trim_start_matches([' ', '}']);
    let rest = ["\\ ", "\\;", "\\,", "\\quad"]
        .iter()
        .find_map(|space| rest.strip_prefix(space))
        .unwrap_or(rest)
        .trim_start();
    let text = if bare.len() < answer.trim().len() && !rest.contains('{') {
        rest.trim_end_matches('}')
    } else {
        rest
    };
    // `(a) + 5` is a sum, not the option A.
    let is_product = rest.starts_with(['+', '-', '*', '/', '=', '^', '(']);
    let letter = letter.to_ascii_uppercase();
    (divided && !text.is_empty() && !is_product && ('A'..='J').contains(&letter))
        .then_some((letter, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_in_every_layout() {
        let three = vec![('A', "3"), ('B', "4 cm"), ('C', "none")];
        for question in [
            "How long is it?\n(A) 3\n(B) 4 cm\n(C) none",
            "How long is it? (A) 3 (B) 4 cm (C) none",
            "How long is it?\nA. 3\nB. 4 cm\nC. none\n",
            "How long is it?\nA) 3\nB) 4 cm\nC) none",
            "How long is it?\nChoices:\n  A: 3\n  B: 4 cm\n  C: none\n",
            "How long is it? A、3 B、4 cm C、none",
            "How long is it?\nOptions: ['3', '4 cm', 'none']",
            "How long? $\\textbf{(A)}\\ 3 \\qquad\\textbf{(B)}\\ 4 cm \\qquad\\textbf{(C)}\\ none",
        ] {
            let found: Vec<Choice<'_>> = options(question)
                .into_iter()
                .map(|(letter, text)| (letter, text.trim_matches('$')))
                .collect();
            assert_eq!(found, three, "{question}");
        }
        for question in ["How long is it?", "Is A. Smith older than B?", "(A) only"] {
            assert!(options(question).is_empty(), "{question}");
        }
    }

    #[test]
    fn labels_of_answers() {
        for (answer, found) in [
            ("(B) no", Some(('B', "no"))),
            ("A. 12", Some(('A', "12"))),
            ("c) 12", Some(('C', "12"))),
            ("\\text{(B) no}", Some(('B', "no"))),
            ("\\text{(B) }12", Some(('B', "12"))),
            ("(a) + 5", None),
            ("(a)(b)", None),
            ("A.12", None),
            ("12", None),
            ("(K) 12", None),
        ] {
            assert_eq!(after_label(answer), found, "{answer}");
        }
    }
}
