//! Answers to the parts of a question: `(a) 5 (b) 6`, `(i) 2, (ii) 3`, `Part a: 2; part b: 3`.

use std::borrow::Cow;

/// No question has more parts.
const MAX_PARTS: usize = 8;

/// How parts are counted.
const COUNTS: [[&str; MAX_PARTS]; 3] = [
    ["a", "b", "c", "d", "e", "f", "g", "h"],
    ["i", "ii", "iii", "iv", "v", "vi", "vii", "viii"],
    ["1", "2", "3", "4", "5", "6", "7", "8"],
];

/// What stands before and behind the count.
const LABELS: [(&str, &str); 6] = [
    ("part (", "):"),
    ("part (", ")"),
    ("part ", ":"),
    ("(", ")"),
    ("", ")"),
    ("", "."),
];

/// What is said of each part, in their order, with commas between; `None` for an answer without
/// labels of at least two parts.
pub(super) fn joined(text: &str) -> Option<Cow<'_, str>> {
    let text = text.trim();
    if !may_begin(text.strip_prefix("\\text{").unwrap_or(text)) || !text.contains([')', ':', '.']) {
        return None;
    }
    let said = COUNTS
        .iter()
        .find_map(|counts| LABELS.iter().find_map(|label| said(text, counts, *label)))?;
    Some(Cow::Owned(said.join(", ")))
}

/// Whether the first two bytes can be those of a label: most texts end here.
fn may_begin(text: &str) -> bool {
    let is_count = |byte: u8| matches!(byte.to_ascii_lowercase(), b'a' | b'i' | b'1');
    match *text.as_bytes() {
        [b'(', count, ..] => is_count(count),
        [b'p' | b'P', second, ..] => second.eq_ignore_ascii_case(&b'a'),
        [count, close, ..] => is_count(count) && matches!(close, b')' | b'.'),
        _ => false,
    }
}

fn said<'t>(
    text: &'t str,
    counts: &[&str; MAX_PARTS],
    label: (&str, &str),
) -> Option<Vec<&'t str>> {
    let bare = text.strip_prefix("\\text{").unwrap_or(text);
    let mut rest = &bare[first(bare, counts[0], label)?..];
    let mut said = Vec::new();
    for count in &counts[1..] {
        let Some((start, end)) = find(rest, count, label) else {
            break;
        };
        said.push(without_marks(&rest[..start]));
        rest = &rest[end..];
    }
    said.push(without_marks(rest));
    (said.len() >= 2 && said.iter().all(|part| !part.is_empty())).then_some(said)
}

/// Where the label with a count ends that the text begins with. Most texts begin with none, and are
/// not searched.
fn first(text: &str, count: &str, (open, close): (&str, &str)) -> Option<usize> {
    let starts = |text: &str, start: &str| {
        text.get(..start.len())
            .is_some_and(|text| text.eq_ignore_ascii_case(start))
    };
    let label_starts = starts(text, open) && starts(&text[open.len()..], count);
    let found = label_starts.then(|| find(text, count, (open, close)))?;
    found.and_then(|(start, end)| (start == 0).then_some(end))
}

/// Where the first label with a count starts and ends; ASCII letters in either case. It stands at
/// the start or behind a blank or a mark, and a number with a point behind it is none.
fn find(text: &str, count: &str, (open, close): (&str, &str)) -> Option<(usize, usize)> {
    let label = format!("{open}{count}{close}");
    // Only ASCII letters change, so that a place in one text is a place in the other.
    let lower = text.to_ascii_lowercase();
    lower
        .match_indices(&label)
        .map(|(at, _)| (at, at + label.len()))
        .find(|&(start, end)| {
            let begins = start == 0 || lower[..start].ends_with([' ', ',', ';', '\n', '{', '}']);
            let ends = close == "):" || open == "(" || lower[end..].starts_with([' ', '}']);
            begins && ends
        })
}

fn without_marks(text: &str) -> &str {
    let marks = [' ', ',', ';', ':', '\n', '}', '~', '.'];
    let bare = text.trim_matches(marks);
    let bare = bare
        .strip_suffix("\\text{")
        .unwrap_or(bare)
        .trim_end_matches(marks);
    let bare = bare.strip_suffix("and").unwrap_or(bare);
    bare.trim_end_matches("\\quad").trim_matches(marks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_joined_in_their_order() {
        for (text, answers) in [
            ("(a) 5 (b) 6", Some("5, 6")),
            ("(A) 5 (B) 6", Some("5, 6")),
            ("(a) 5, (b) 6 and (c) 7", Some("5, 6, 7")),
            ("(i) x+1; (ii) x-1", Some("x+1, x-1")),
            ("\\text{(a) }5 \\text{(b) }6", Some("5, 6")),
            ("(1) 5 (2) 6", Some("5, 6")),
            ("a) 5 b) 6", Some("5, 6")),
            ("a. 5, b. 6", Some("5, 6")),
            ("Part (a): 5; part (b): 6", Some("5, 6")),
            ("Part a: 5, Part b: 6", Some("5, 6")),
            ("(a) 5", None),
            ("(b) 5 (a) 6", None),
            ("(a)(b)", None),
            ("5, 6", None),
            ("1.5, 2.5", None),
        ] {
            assert_eq!(joined(text).as_deref(), answers, "{text}");
        }
    }
}
