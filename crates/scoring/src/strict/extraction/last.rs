//! What an answer is taken from where nothing announces it: bold print, the last formula, the last number, the last line.

use std::ops::Range;

use super::{Found, Look, formulas, numbers, rules::Bold, spans};

/// What is set in bold last, in the last paragraph; a heading ends in a colon and is none.
pub(super) fn bold<'t>(rule: &Bold, look: &Look<'t, '_>) -> Option<Found<'t>> {
    let part = look.parts.last().filter(|_| look.last_block.is_none())?;
    let paragraph = last_paragraph(look.text, part.clone());
    let close = paragraph.start + look.text[paragraph.clone()].rfind(rule.mark.as_str())?;
    let open = paragraph.start + look.text[paragraph.start..close].rfind(rule.mark.as_str())?;
    let inside = open + rule.mark.len()..close;
    let heading = look.text[inside.clone()].trim_end().ends_with([':', '：']);
    let heading = heading || look.text[close + rule.mark.len()..part.end].trim_start().starts_with([':', '：']);
    if heading || inside.len() > spans::LONGEST { None } else { look.answer_within(inside) }
}

fn last_paragraph(text: &str, part: Range<usize>) -> Range<usize> {
    let end = part.start + text[part.clone()].trim_end().len();
    let start = text[part.start..end].rfind("\n\n").map_or(part.start, |at| part.start + at);
    start..end
}

/// The last line of the block of code that the completion ends with, or that only a sentence without digits follows; a
/// number, or a formula where one is asked for.
pub(super) fn printed<'t>(look: &Look<'t, '_>) -> Option<Found<'t>> {
    let block = look.last_block.clone()?;
    let end = block.start + look.text[block.clone()].trim_end().len();
    let start = look.text[block.start..end].rfind('\n').map_or(block.start, |at| block.start + at + 1);
    let line = look.text[start..end].trim();
    let digits = line.strip_prefix('-').unwrap_or(line);
    (numbers::at_start(digits) == Some(digits.len())).then(|| look.whole(start..end)).flatten()
}

/// The last formula between LaTeX delimiters.
pub(super) fn formula<'t>(look: &Look<'t, '_>) -> Option<Found<'t>> {
    if look.last_block.is_some() {
        return None;
    }
    look.parts.iter().rev().find_map(|part| look.whole(formulas::last(look.text, part.clone())?))
}

/// The last number that is no number of a list's item.
pub(super) fn number<'t>(look: &Look<'t, '_>) -> Option<Found<'t>> {
    if look.last_block.is_some() {
        return None;
    }
    look.parts.iter().rev().find_map(|part| {
        let last = numbers::numbers(look.text, part.clone()).filter(|number| !is_item(look.text, part, number)).last();
        look.whole(last.or_else(|| numbers::numbers(look.text, part.clone()).last())?)
    })
}

/// Whether a number only counts the items of a list: first in its line, and a full stop and text behind it.
fn is_item(text: &str, part: &Range<usize>, number: &Range<usize>) -> bool {
    let before = text[part.start..number.start].trim_end_matches([' ', '*', '#']);
    let after = &text[number.end..part.end];
    (before.is_empty() || before.ends_with('\n')) && (after.starts_with(". ") || after.starts_with(") "))
}

/// The last line that is not blank, from its last `is` on where it has one.
pub(super) fn line<'t>(look: &Look<'t, '_>) -> Option<Found<'t>> {
    let part = look.parts.last().filter(|_| look.last_block.is_none())?;
    let end = part.start + look.text[part.clone()].trim_end().len();
    let start = look.text[part.start..end].rfind('\n').map_or(part.start, |at| part.start + at + 1);
    let start = start.max(look.text.ceil_char_boundary(end.saturating_sub(spans::LONGEST)));
    look.whole(start..end)
}
