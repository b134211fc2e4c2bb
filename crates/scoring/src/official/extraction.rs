//! From a completion to its answer: each extractor of the profile in turn, the first that applies.
//!
//! All of them work from the end of the text, where answers are, and take time linear in its
//! length.

use super::profile::{Extractor, profile};
use crate::python::{is_digit, strip};

/// What an extractor that applies found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Extraction<'a> {
    Answer(&'a str),
    /// The rule applies and finds nothing: the original goes on to compare a missing answer.
    Missing,
    /// No rule that finds anything applies: the original ends here.
    Failed,
}

/// Finds the answer in a lower-cased completion, with the id of the rule that applied.
pub(crate) fn extract(
    completion: &str,
    reference_is_number: bool,
) -> (&'static str, Extraction<'_>) {
    let apply = |rule: &Extractor| {
        let extraction = match rule {
            Extractor::Boxed => Extraction::Answer(strip(last_boxed(completion)?)),
            Extractor::Number if reference_is_number => {
                last_number(completion).map_or(Extraction::Missing, Extraction::Answer)
            }
            Extractor::Number => return None,
            Extractor::AnswerIs => Extraction::Answer(statement_after("answer is", completion)?),
            Extractor::SolutionIs => {
                Extraction::Answer(statement_after("solution is", completion)?)
            }
            Extractor::Is => Extraction::Answer(statement_after("is", completion)?),
            Extractor::Nothing => Extraction::Failed,
        };
        Some((rule.id(), extraction))
    };
    profile()
        .extractors
        .iter()
        .find_map(apply)
        .unwrap_or((Extractor::Nothing.id(), Extraction::Failed))
}

const BOXED: &str = "\\boxed{";

/// What stands between the braces of the `\boxed{` that starts last among those with balanced
/// braces.
pub(crate) fn last_boxed(text: &str) -> Option<&str> {
    // A text that closes its last box ends here; only others pay for a pass from the front.
    let starts_last = text
        .rmatch_indices('\\')
        .find(|&(at, _)| text[at..].starts_with(BOXED))?
        .0
        + BOXED.len();
    let mut depth = 1_usize;
    for (offset, byte) in text[starts_last..].bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => continue,
        }
        if depth == 0 {
            return Some(&text[starts_last..starts_last + offset]);
        }
    }
    last_balanced(text)
}

/// The same in one pass from the front. A scan from each `\boxed{` in turn, as the original has it,
/// takes quadratic time on text that opens many and closes none; here the open braces wait on a
/// stack, and each closing one settles the innermost.
pub(crate) fn last_balanced(text: &str) -> Option<&str> {
    let mut open = Vec::new();
    let mut last: Option<(usize, usize)> = None;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => open.push(at + 1),
            // A closing brace too many belongs to no scan: those that began before it have ended.
            b'}' => {
                if let Some(start) = open.pop()
                    && last.is_none_or(|(latest, _)| latest < start)
                    && text[..start].ends_with(BOXED)
                {
                    last = Some((start, at));
                }
            }
            _ => {}
        }
    }
    last.map(|(start, end)| &text[start..end])
}

/// The last of all matches of `[\-+]?\d*[\.,/]?\d+`, taken from left to right without overlap.
fn last_number(text: &str) -> Option<&str> {
    // Where a match begins depends on the one before it, but no match leaves a run of these
    // characters.
    let in_run = |c: char| is_digit(c) || matches!(c, '-' | '+' | '.' | ',' | '/');
    let (at, digit) = text.char_indices().rfind(|&(_, c)| is_digit(c))?;
    let end = at + digit.len_utf8();
    let mut rest = text[..end].trim_end_matches(in_run).len();
    let mut last = None;
    while rest < end {
        let run = &text[rest..end];
        match number_prefix(run) {
            0 => rest += run.chars().next().map_or(1, char::len_utf8),
            length => {
                last = Some(&run[..length]);
                rest += length;
            }
        }
    }
    last
}

/// The length of the pattern's match at the start of the text, 0 where there is none.
fn number_prefix(text: &str) -> usize {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let after_whole = unsigned.trim_start_matches(is_digit);
    let rest = match after_whole.strip_prefix(['.', ',', '/']) {
        Some(fraction) if fraction.starts_with(is_digit) => fraction.trim_start_matches(is_digit),
        // Without digits behind the mark `\d*` gives one back, so that digits alone match too.
        _ if after_whole.len() < unsigned.len() => after_whole,
        _ => return 0,
    };
    text.len() - rest.len()
}

/// The answer after the last occurrence of `marker`: up to a full stop at a line's end, without the
/// punctuation around it.
fn statement_after<'a>(marker: &str, text: &'a str) -> Option<&'a str> {
    let (_, statement) = text.rsplit_once(marker)?;
    let statement = strip(strip(statement).trim_start_matches(':'));
    let sentence = statement
        .split_once(".\n")
        .map_or(statement, |(sentence, _)| sentence);
    Some(strip(strip(sentence).trim_matches('.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxed_counts_braces_from_the_last_start_that_balances() {
        for (text, boxed) in [
            ("\\boxed{1} and \\boxed{2}", Some("2")),
            ("\\boxed{1} and \\boxed{2", Some("1")),
            ("\\boxed{a\\boxed{b}}", Some("b")),
            ("\\boxed{a\\boxed{b}", Some("b")),
            ("\\boxed{a}\\boxed{b\\boxed{c", Some("a")),
            ("}}\\boxed{\\frac{1}{2}}", Some("\\frac{1}{2}")),
            ("\\boxed{\\{1\\}}", Some("\\{1\\}")),
            ("\\boxed {1}", None),
            ("", None),
        ] {
            assert_eq!(last_boxed(text), boxed, "{text}");
            assert_eq!(last_balanced(text), boxed, "{text}");
        }
    }

    #[test]
    fn number_is_the_last_match_from_left_to_right() {
        for (text, number) in [
            ("1,000,000", Some(",000")),
            ("1/2/3", Some("/3")),
            ("3.14.", Some("3.14")),
            ("5-3", Some("-3")),
            ("5--3", Some("-3")),
            ("+.5", Some("+.5")),
            ("1..5", Some(".5")),
            ("a- 7 -", Some("7")),
            ("٣٫٤", Some("٤")),
            ("１２ then −", Some("１２")),
            ("²", None),
            ("-.,/", None),
        ] {
            assert_eq!(last_number(text), number, "{text}");
        }
    }

    #[test]
    fn statement_loses_the_punctuation_around_it() {
        assert_eq!(
            statement_after("is", "is: : x = 2.\nIndeed."),
            Some(": x = 2")
        );
        assert_eq!(statement_after("is", "this"), Some(""));
        assert_eq!(statement_after("is", "is ...a.b..."), Some("a.b"));
        assert_eq!(statement_after("is", "hers"), None);
    }
}
