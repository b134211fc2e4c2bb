//! Completions that were damaged on their way: control characters where a program took `\b` and
//! `\f` for escapes, a box that lost its backslash, digits of other scripts.
//!
//! Only where nothing is announced as the answer is a completion looked at once more without the
//! damage.

use std::borrow::Cow;
use std::ops::Range;

use super::{Extracted, Extraction};

/// A completion without its damage.
pub(super) struct Mended {
    pub text: String,
    /// Where the two run in step again: places in the mended text and in the completion.
    steps: Vec<(usize, usize)>,
}

/// What a control character and the letters behind it were.
const ESCAPES: [(&str, &str); 6] = [
    ("\u{8}oxed", "\\boxed"),
    ("\u{8}inom", "\\binom"),
    ("\u{8}eta", "\\beta"),
    ("\u{8}egin", "\\begin"),
    ("\u{c}rac", "\\frac"),
    ("\u{c}box", "\\fbox"),
];

/// Commands that no text has without their backslash, with the brace of their argument.
const BARE_COMMANDS: [&str; 4] = ["frac{", "dfrac{", "tfrac{", "sqrt{"];

/// What stands before a name that is no beginning of one.
fn goes_on(before: char) -> bool {
    before.is_alphanumeric() || before == '\\'
}

/// The completion without its damage; `None` where it has none.
pub(super) fn mended(completion: &str) -> Option<Mended> {
    let escaped = memchr::memchr2(b'\x08', b'\x0c', completion.as_bytes()).is_some();
    // Most completions that come here have no box at all.
    let boxless = completion.contains("boxed{") && !completion.contains("\\boxed");
    let foreign = !completion.is_ascii()
        && completion
            .chars()
            .any(|c| math_equality::decimal_digit(c).is_some());
    let bare = BARE_COMMANDS.iter().any(|name| {
        let begins = |(at, _): (usize, &str)| !completion[..at].ends_with(goes_on);
        completion.contains(name) && completion.match_indices(name).any(begins)
    });
    if !escaped && !boxless && !foreign && !bare {
        return None;
    }
    let mut text = String::with_capacity(completion.len() + 8);
    let mut steps = Vec::new();
    let mut at = 0;
    while let Some(c) = completion[at..].chars().next() {
        let rest = &completion[at..];
        let starts_word = !text.ends_with(goes_on);
        let escape = ESCAPES
            .iter()
            .find(|(lost, _)| c.is_ascii_control() && rest.starts_with(lost));
        let length = if let Some((lost, command)) = escape {
            text.push_str(command);
            lost.len()
        } else if boxless && starts_word && is_bare_box(rest) {
            text.push_str("\\boxed");
            "boxed".len()
        } else if let Some(name) = BARE_COMMANDS
            .iter()
            .find(|name| bare && starts_word && rest.starts_with(**name))
        {
            text.push('\\');
            text.push_str(name);
            name.len()
        } else if let Some(digit) = math_equality::decimal_digit(c) {
            text.push(digit);
            c.len_utf8()
        } else if let Some(mark) = mark_within_digits(&text, c, &rest[c.len_utf8()..]) {
            text.push(mark);
            c.len_utf8()
        } else {
            text.push(c);
            at += c.len_utf8();
            continue;
        };
        at += length;
        steps.push((text.len(), at));
    }
    Some(Mended { text, steps })
}

/// Whether a text begins with a box that lost its backslash, and that does not only say in which
/// form an answer is wanted: `put it in boxed{42} form`.
fn is_bare_box(text: &str) -> bool {
    const FORMS: [&str; 4] = ["form", "format", "notation", "style"];
    let Some(argument) = text.strip_prefix("boxed{") else {
        return false;
    };
    let behind = argument.split_once('}').map_or("", |(_, behind)| behind);
    let next = behind.trim_start_matches(['`', '"', '\'', ' ', '$']);
    let next = next
        .split(|c: char| !c.is_alphabetic())
        .next()
        .unwrap_or("");
    !FORMS.contains(&next.to_ascii_lowercase().as_str())
}

/// The decimal mark and the mark of thousands of Arabic, and the full-width ones, between digits.
fn mark_within_digits(before: &str, mark: char, behind: &str) -> Option<char> {
    let plain = match mark {
        '٫' | '．' => '.',
        '٬' | '，' => ',',
        _ => return None,
    };
    let digit = behind.chars().next().and_then(math_equality::decimal_digit);
    (before.ends_with(|c: char| c.is_ascii_digit()) && digit.is_some()).then_some(plain)
}

impl Mended {
    /// What was found in the mended text, as found in the completion.
    pub(super) fn restored<'t>(&self, found: Extraction<'_>) -> Extraction<'t> {
        Extraction {
            found: found.found.map(|found| Extracted {
                text: Cow::Owned(found.text.into_owned()),
                span: self.place(found.span),
                ..found
            }),
            only_thoughts: found.only_thoughts,
        }
    }

    fn place(&self, span: Range<usize>) -> Range<usize> {
        let place = |at: usize| {
            let step = self.steps.partition_point(|(mended, _)| *mended <= at);
            match step.checked_sub(1).map(|step| self.steps[step]) {
                Some((mended, original)) => original + at - mended,
                None => at,
            }
        };
        // Within what was mended there is no place: it begins where it began.
        let start = place(span.start);
        start..place(span.end).max(start)
    }
}

#[cfg(test)]
mod tests {
    use super::mended;

    #[test]
    fn spans_lie_in_the_completion() {
        for (completion, text, span, there) in [
            ("x \u{8}oxed{42}", "x \\boxed{42}", 9..11, "42"),
            ("so ٤٢ apples", "so 42 apples", 3..5, "٤٢"),
            ("a ４ and 7 b", "a 4 and 7 b", 8..9, "7"),
        ] {
            let mended = mended(completion).unwrap();
            assert_eq!(mended.text, text);
            assert_eq!(&completion[mended.place(span)], there);
        }
        assert!(mended("so \\boxed{42}").is_none());
    }
}
