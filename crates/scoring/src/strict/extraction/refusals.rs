//! Completions that say, last, that there is no answer: a number that was named on the way is none.

use super::{Found, Look, rules::Refusal, spans};

/// The words lie no further from the end, in bytes.
const MAX_FROM_END: usize = 400;

/// The clause that refuses, where no number and no formula follows it.
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
    if lower[start..].contains(says_more) {
        return None;
    }
    let start = near + start;
    let sentence = start..spans::sentence_end(look.text, start..part.end);
    look.whole(sentence)
}
