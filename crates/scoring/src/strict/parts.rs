//! Answers to the parts of a question: `(a) 5 (b) 6`, `(i) 2, (ii) 3`.

use std::borrow::Cow;

/// No question has more parts.
const MAX_PARTS: usize = 8;

const LETTERS: [&str; MAX_PARTS] = ["a", "b", "c", "d", "e", "f", "g", "h"];
const ROMAN: [&str; MAX_PARTS] = ["i", "ii", "iii", "iv", "v", "vi", "vii", "viii"];
const DIGITS: [&str; MAX_PARTS] = ["1", "2", "3", "4", "5", "6", "7", "8"];

/// What is said of each part, in their order, with commas between; `None` for an answer without
/// labels of at least two parts.
pub(super) fn joined(text: &str) -> Option<Cow<'_, str>> {
    let text = text.trim();
    if !text.contains(')') {
        return None;
    }
    let said = [LETTERS, ROMAN, DIGITS]
        .into_iter()
        .find_map(|labels| said(text, &labels))?;
    Some(Cow::Owned(said.join(", ")))
}

fn said<'t>(text: &'t str, labels: &[&str; MAX_PARTS]) -> Option<Vec<&'t str>> {
    let first = format!("({})", labels[0]);
    let mut rest = text.strip_prefix("\\text{").unwrap_or(text).strip_prefix(&first)?;
    let mut said = Vec::new();
    for label in &labels[1..] {
        let Some((one, other)) = rest.split_once(&format!("({label})")) else {
            break;
        };
        said.push(bare(one));
        rest = other;
    }
    said.push(bare(rest));
    (said.len() >= 2 && said.iter().all(|part| !part.is_empty())).then_some(said)
}

fn bare(text: &str) -> &str {
    let marks = [' ', ',', ';', ':', '\n', '}', '~'];
    let bare = text.trim_matches(marks);
    let bare = bare.strip_suffix("\\text{").unwrap_or(bare);
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
            ("(a) 5, (b) 6 and (c) 7", Some("5, 6, 7")),
            ("(i) x+1; (ii) x-1", Some("x+1, x-1")),
            ("\\text{(a) }5 \\text{(b) }6", Some("5, 6")),
            ("(1) 5 (2) 6", Some("5, 6")),
            ("(a) 5", None),
            ("(b) 5 (a) 6", None),
            ("(a)(b)", None),
            ("5, 6", None),
        ] {
            assert_eq!(joined(text).as_deref(), answers, "{text}");
        }
    }
}
