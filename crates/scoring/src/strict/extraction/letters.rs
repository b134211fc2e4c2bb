//! Option letters in their markup: `(B)`, `**B**`, `\text{B}`, `B. 12`, `option B`, `A、C`, `ABD`.

use std::{borrow::Cow, ops::Range};

use super::{Found, Look, spans};

/// Options go from A to this letter.
const LAST: char = 'J';

/// What may stand between a phrase and its letter: words and LaTeX, the longer ones first.
const OPTION_MARKUP: [&str; 32] = [
    "\\boxed", "\\textbf", "\\mathbf", "\\mathrm", "\\text", "\\bf", "\\rm", "\\(", "\\[", "\\ ",
    "options", "option", "Options", "Option", "choices", "choice", "Choice", "answer", "letter",
    "选项", "选择", "选", "为", "是", "the", "is", "（", "【", "：", "“", "「", "、",
];

/// What divides two letters of one answer.
const JOINTS: [&str; 13] = [
    ",",
    "，",
    "、",
    ";",
    "；",
    "and",
    "&",
    "和",
    "与",
    ")",
    "(",
    "\\text{and}",
    "}",
];

/// The letters of a reference or an answer that is nothing but option letters, or one marked
/// letter with its content (`(D) Alina`): upper case, one after the other.
pub(crate) fn option_letters(text: &str) -> Option<String> {
    let bare = text.trim().trim_matches(['$', '.', '*', ' ', '。']);
    let (letters, end) = read(bare)?;
    let rest = bare[end..].trim_matches([')', '}', ' ', '.', ']', '）', '*', '$', '\\', '】']);
    let after = bare[end..].strip_prefix([')', '）']);
    let in_parentheses = bare.starts_with(['(', '（'])
        && after.is_some_and(|rest| {
            rest.starts_with(' ')
                && !rest
                    .trim_start()
                    .starts_with(['+', '-', '*', '/', '=', '\\', '^', '('])
        });
    let marked = in_parentheses && letters.len() == 1
        || bare[end..].starts_with(['.', ':', '、']) && letters.len() == 1;
    (rest.is_empty() || marked).then_some(letters)
}

/// The letters at the start of a span, and how many bytes of it they take.
fn read(text: &str) -> Option<(String, usize)> {
    let start = text.len() - strip_markup(text).len();
    let opened = text[..start].ends_with(['(', '（', '{', '[']);
    let (mut letters, mut end) = (String::new(), start);
    loop {
        let run = &text[end..];
        let count = run.chars().take_while(char::is_ascii_alphabetic).count();
        let word = &run[..count];
        let lower = opened && count == 1 && letters.is_empty();
        let is_option = |c: char| {
            ('A'..=LAST).contains(&c) || lower && ('A'..=LAST).contains(&c.to_ascii_uppercase())
        };
        let ascending = word.as_bytes().windows(2).all(|pair| pair[0] < pair[1]);
        let stands_alone = !run[count..].starts_with(|c: char| {
            c.is_ascii_digit() || matches!(c, '\'' | '’' | '_' | '^' | '=' | '+' | '*')
        });
        if count == 0 || !word.chars().all(is_option) || !ascending || !stands_alone {
            break;
        }
        letters.push_str(&word.to_ascii_uppercase());
        end += count;
        match joint(&text[end..]) {
            // "D, it" and "A and the" go on with a word, no letter.
            Some(length) if letter_follows(&text[end + length..]) => end += length,
            _ => return Some((letters, end)),
        }
    }
    None
}

fn letter_follows(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| ('A'..=LAST).contains(&c))
        && !chars
            .next()
            .is_some_and(|c| c.is_alphanumeric() || c == '.')
}

/// How many bytes stand between one letter and the next, if they do not end the answer.
fn joint(text: &str) -> Option<usize> {
    let mut rest = text.trim_start_matches(' ');
    let blank = rest.len();
    while let Some(joint) = JOINTS.iter().find(|joint| rest.starts_with(**joint)) {
        rest = rest[joint.len()..].trim_start_matches(' ');
    }
    (rest.len() < blank).then_some(text.len() - rest.len())
}

/// Without the markup before a letter.
fn strip_markup(text: &str) -> &str {
    let mut rest = text;
    loop {
        let bare = rest.trim_start_matches(|c: char| {
            c.is_whitespace()
                || matches!(
                    c,
                    '(' | '[' | '{' | '*' | '$' | '"' | '\'' | ':' | '_' | '`'
                )
        });
        let bare = OPTION_MARKUP
            .iter()
            .find_map(|markup| {
                let after = bare.strip_prefix(markup)?;
                let word = markup.ends_with(|c: char| c.is_ascii_alphabetic())
                    && after.starts_with(|c: char| c.is_ascii_alphabetic());
                (!word).then_some(after)
            })
            .unwrap_or(bare);
        if bare.len() == rest.len() {
            return rest;
        }
        rest = bare;
    }
}

/// The letters at the start of a span.
pub(super) fn leading<'t>(text: &'t str, span: Range<usize>) -> Option<Found<'t>> {
    let inside = &text[spans::reach(text, span.start, span.end)];
    let (letters, end) = read(inside)?;
    let start = span.start + (inside.len() - strip_markup(inside).len());
    let span = start..span.start + end;
    let text = match &text[span.clone()] {
        plain if plain == letters => Cow::Borrowed(plain),
        _ => Cow::Owned(letters),
    };
    Some(Found { text, span })
}

/// Letters at the start of the text that their markup makes an option: `D. …`, `(D) …`, or alone.
pub(super) fn first<'t>(look: &Look<'t, '_>) -> Option<Found<'t>> {
    let part = look.parts.first()?.clone();
    let inside = &look.text[spans::reach(look.text, part.start, part.end)];
    let (_, end) = read(inside)?;
    let rest = inside[end..].trim_start_matches(['*', '$', '}', ' ']);
    let is_option = rest.is_empty() || rest.starts_with(['.', ')', ':', '）', '\n', '、']);
    if is_option {
        leading(look.text, part)
    } else {
        None
    }
}

/// The last upper-case option letter that stands alone and is neither an article nor denied.
pub(super) fn last<'t>(look: &Look<'t, '_>) -> Option<Found<'t>> {
    look.parts.iter().rev().find_map(|part| {
        let text = &look.text[part.clone()];
        let at = text
            .bytes()
            .enumerate()
            .rev()
            .map(|(at, _)| at)
            .find(|&at| is_option(text, at))?;
        let span = part.start + at..part.start + at + 1;
        Some(Found {
            text: Cow::Borrowed(&look.text[span.clone()]),
            span,
        })
    })
}

fn is_option(text: &str, at: usize) -> bool {
    let byte = text.as_bytes()[at];
    if !(b'A'..=LAST as u8).contains(&byte) {
        return false;
    }
    let (before, after) = (&text[..at], &text[at + 1..]);
    let glued = |c: char| {
        c.is_ascii_alphanumeric() || matches!(c, '\'' | '’' | '_' | '^' | '\\' | '=' | '+' | '|')
    };
    let article = matches!(byte, b'A' | b'I')
        && after.starts_with(' ')
        && after[1..].starts_with(|c: char| c.is_ascii_lowercase());
    !before.ends_with(glued)
        && !after.starts_with(glued)
        && !after.starts_with(['(', '['])
        && !article
        && !before.ends_with("not ")
}
