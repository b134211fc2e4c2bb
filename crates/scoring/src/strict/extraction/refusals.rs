//! Completions that say, last, that there is no answer: a number that was named on the way is none.

use super::{Found, Look, rules::Refusal, spans};

/// The words lie no further from the end, in bytes.
const MAX_FROM_END: usize = 400;

/// What is said behind these is a guess.
const HEDGES: [&str; 6] = [
    " whether ",
    "maybe ",
    "perhaps ",
    "might be ",
    "may be ",
    "could be ",
];

/// The clause that refuses, where no number and no formula follows it but a guess.
pub(super) fn find<'t>(rule: &Refusal, look: &Look<'t, '_>) -> Option<Found<'t>> {
    let part = look.parts.last().filter(|_| !look.ends_in_block)?;
    let near = look
        .text
        .ceil_char_boundary(part.end.saturating_sub(MAX_FROM_END).max(part.start));
    // As long as the text itself, so that its places are those of the text from `near` on.
    let lower = look.text[near..part.end].to_ascii_lowercase();
    let start = rule
        .words
        .iter()
        .filter_map(|words| lower.rfind(words.as_str()))
        .max()?;
    let says_more = |c: char| c.is_ascii_digit() || matches!(c, '$' | '\\' | '=' | '*');
    let rest = &lower[start..];
    let hedged = HEDGES.iter().filter_map(|hedge| rest.find(hedge)).min();
    // A last sentence that only guesses gives no answer either.
    let certain =
        match hedged.filter(|_| !rest.trim_end().contains(['\n', '。']) && !rest.contains(". ")) {
            Some(hedge) => &rest[..hedge],
            None => rest,
        };
    if certain.contains(says_more) {
        return None;
    }
    let start = near + start;
    let sentence = start..spans::sentence_end(look.text, start..part.end);
    look.whole(sentence)
}
