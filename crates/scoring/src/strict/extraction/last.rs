//! What an answer is taken from where nothing announces it: bold print, the last formula, the last
//! number, the last line.

use std::ops::Range;

use super::{Found, Look, formulas, numbers, rules::Bold, spans};

/// How many closing paragraphs may follow the one with the answer.
const MAX_CLOSING: usize = 3;

/// How a paragraph begins that says something about the answer above it.
const EXPLAINS: [&str; 6] = [
    "Note",
    "Please note",
    "This is the",
    "Check",
    "Verification",
    "Remember",
];

/// What is set in bold last, in the last paragraph before those that only take leave; a heading
/// ends in a colon and is none.
pub(super) fn bold<'t>(rule: &Bold, look: &Look<'t, '_>) -> Option<Found<'t>> {
    let part = look.parts.last().filter(|_| !look.ends_in_block)?;
    let paragraph = answer_paragraph(rule, look.text, part.clone());
    let close = paragraph.start + look.text[paragraph.clone()].rfind(rule.mark.as_str())?;
    let open = paragraph.start + look.text[paragraph.start..close].rfind(rule.mark.as_str())?;
    let inside = open + rule.mark.len()..close;
    let heading = look.text[inside.clone()].trim_end().ends_with([':', '：']);
    let heading = heading
        || look.text[close + rule.mark.len()..part.end]
            .trim_start()
            .starts_with([':', '：']);
    if heading || inside.len() > spans::LONGEST {
        None
    } else {
        look.answer_within(inside)
    }
}

/// The last paragraph that has something in bold, behind which others say nothing of numbers:
/// `I hope this helps!`.
fn answer_paragraph(rule: &Bold, text: &str, part: Range<usize>) -> Range<usize> {
    let last = last_paragraph(text, part.clone());
    let mut paragraph = last.clone();
    for _ in 0..MAX_CLOSING {
        let said = &text[paragraph.clone()];
        if said.contains(rule.mark.as_str()) {
            return paragraph;
        }
        let speaks = |c: char| c.is_ascii_digit() || matches!(c, '$' | '\\' | '=');
        let bare = said.trim_start_matches(['\n', ' ', '*', '(', '_']);
        let explains = EXPLAINS.iter().any(|start| bare.starts_with(start));
        if said.contains(speaks) && !explains || paragraph.start == part.start {
            break;
        }
        paragraph = last_paragraph(text, part.start..paragraph.start);
    }
    last
}

fn last_paragraph(text: &str, part: Range<usize>) -> Range<usize> {
    let end = part.start + text[part.clone()].trim_end().len();
    let start = text[part.start..end]
        .rfind("\n\n")
        .map_or(part.start, |at| part.start + at);
    start..end
}

/// The number that the last block of code prints in its last line, unless what is said after it
/// names other numbers only.
pub(super) fn printed<'t>(look: &Look<'t, '_>) -> Option<Found<'t>> {
    let block = look.last_block.clone()?;
    let end = block.start + look.text[block.clone()].trim_end().len();
    let start = look.text[block.start..end]
        .rfind('\n')
        .map_or(block.start, |at| block.start + at + 1);
    let line = look.text[start..end].trim();
    let value = line.parse::<f64>().ok()?;
    let after = look
        .parts
        .last()
        .filter(|part| !look.ends_in_block && part.start >= block.end);
    let mut said = after
        .into_iter()
        .flat_map(|part| numbers::numbers(look.text, part.clone()))
        .peekable();
    // Behind more than a few sentences the same number is there by chance.
    const FEW_SENTENCES: usize = 400;
    let after_all = look
        .parts
        .last()
        .is_none_or(|part| part.end <= block.end + FEW_SENTENCES);
    // What a program prints counts only while the text behind it does not correct it.
    let agrees = said.peek().is_none()
        || after_all && said.any(|number| look.text[number].replace(',', "").parse() == Ok(value));
    (agrees && line.contains(|c: char| c.is_ascii_digit()))
        .then(|| look.whole(start..end))
        .flatten()
}

/// The last formula between LaTeX delimiters.
pub(super) fn formula<'t>(look: &Look<'t, '_>) -> Option<Found<'t>> {
    if look.ends_in_block {
        return None;
    }
    look.parts
        .iter()
        .rev()
        .find_map(|part| look.whole(formulas::last(look.text, part.clone())?))
}

/// The last number that is no number of a list's item, with the formula it stands in; none where it
/// is part of an expression without delimiters. Of several numbers in its sentence it may be
/// another one that is meant.
pub(super) fn number<'t>(look: &Look<'t, '_>) -> Option<Found<'t>> {
    if look.ends_in_block {
        return None;
    }
    look.parts.iter().rev().find_map(|part| {
        // `3. Therefore …` counts steps; where all numbers do so, the last one is taken after all.
        let counts = |number: &Range<usize>| !is_item(look.text, part, number);
        let last = numbers::last_operation(look.text, part.clone(), counts);
        let last = last.or_else(|| numbers::numbers(look.text, part.clone()).last())?;
        // `at least $9$` is no 9.
        if numbers::is_change(&look.text[part.start..last.start]) {
            return look.whole(part.start..part.end);
        }
        let sentence = spans::sentence_around(look.text, part.clone(), &last);
        let around = |span: Range<usize>| look.text[span].trim_matches([' ', '\n', '\r', '.', '!']);
        let alone = around(part.start..sentence.start).is_empty()
            && around(sentence.end..part.end).is_empty();
        let number = numbers::meant(look.text, sentence, last, alone);
        let paragraph = paragraph_around(look.text, part, &number);
        look.whole(numbers::with_formula(look.text, paragraph, number)?)
    })
}

/// The last line with an equals sign, without the words before its formula, where nothing but a
/// clause on constants follows it.
pub(super) fn equation<'t>(look: &Look<'t, '_>) -> Option<Found<'t>> {
    let part = look.parts.last().filter(|_| !look.ends_in_block)?;
    let equals = part.start + look.text[part.clone()].rfind('=')?;
    let reach = look
        .text
        .ceil_char_boundary(equals.saturating_sub(spans::LONGEST).max(part.start));
    let start = look.text[reach..equals]
        .rfind('\n')
        .map_or(reach, |at| reach + at + 1);
    let sentence = start..spans::sentence_end(look.text, spans::reach(look.text, start, part.end));
    if sentence.end < equals {
        return None;
    }
    let after = look.text[sentence.end..part.end].trim_matches(['.', ',', ' ', '\n', '\r']);
    let is_where_clause = after
        .get(..5)
        .is_some_and(|word| word.eq_ignore_ascii_case("where"))
        && spans::is_note(after);
    let goes_on = !after.is_empty() && !is_where_clause;
    let sentence = spans::without_note(look.text, sentence);
    // Of an integral and its value, the value.
    let left = &look.text[sentence.start..equals];
    let sentence = match left
        .find(['='])
        .or(left.contains('∫').then_some(left.len()))
    {
        Some(end) if left[..end].contains('∫') => sentence.start + end + 1..sentence.end,
        _ => sentence,
    };
    (!goes_on && sentence.end > equals)
        .then(|| look.whole(without_words(look.text, sentence)))
        .flatten()
}

/// Without the words that a line begins with: `so we get y = 2x` is `y = 2x`.
fn without_words(text: &str, span: Range<usize>) -> Range<usize> {
    let is_word = |word: &str| {
        let bare = word.trim_end_matches([',', ':']);
        bare.chars().count() >= 2 && bare.chars().all(char::is_alphabetic) || bare != word
    };
    let mut start = span.start;
    loop {
        let rest = &text[start..span.end];
        let bare = rest.trim_start();
        let word = bare.split(' ').next().unwrap_or_default();
        if word.is_empty() || word.len() == bare.len() || !is_word(word) {
            return start..span.end;
        }
        start += rest.len() - bare.len() + word.len();
    }
}

/// The paragraph, no longer than twice an answer, that a span stands in.
fn paragraph_around(text: &str, part: &Range<usize>, span: &Range<usize>) -> Range<usize> {
    let first = text.ceil_char_boundary(span.start.saturating_sub(spans::LONGEST).max(part.start));
    let start = text[first..span.start]
        .rfind("\n\n")
        .map_or(first, |at| first + at + 2);
    let reach = spans::reach(text, span.end, part.end);
    let end = text[reach.clone()]
        .find("\n\n")
        .map_or(reach.end, |at| reach.start + at);
    start..end
}

/// Whether a number only counts the items of a list: first in its line, and a full stop and text
/// behind it.
fn is_item(text: &str, part: &Range<usize>, number: &Range<usize>) -> bool {
    let before = text[part.start..number.start].trim_end_matches([' ', '*', '#']);
    let after = &text[number.end..part.end];
    (before.is_empty() || before.ends_with('\n'))
        && (after.starts_with(". ") || after.starts_with(") "))
}

/// The last line that is not blank, from its last `is` on where it has one.
pub(super) fn line<'t>(look: &Look<'t, '_>) -> Option<Found<'t>> {
    let part = look.parts.last().filter(|_| !look.ends_in_block)?;
    let end = part.start + look.text[part.clone()].trim_end().len();
    let start = look.text[part.start..end]
        .rfind('\n')
        .map_or(part.start, |at| part.start + at + 1);
    let start = start.max(
        look.text
            .ceil_char_boundary(end.saturating_sub(spans::LONGEST)),
    );
    look.whole(start..end)
}
