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
const JOINTS: [&str; 14] = [
    "/",
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
    if let Some(letters) = spaced(bare) {
        return Some(letters);
    }
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

/// `A B D`: letters that only blanks divide, one after the other. Later letters are points.
fn spaced(text: &str) -> Option<String> {
    let inside = ["\\(", "\\["]
        .iter()
        .find_map(|open| text.strip_prefix(open));
    let inside = inside.unwrap_or(text).trim_end_matches([')', ']', '\\']);
    let words: Vec<&str> = inside.split_whitespace().collect();
    let are_letters = words
        .iter()
        .all(|word| matches!(word, &("A" | "B" | "C" | "D")));
    let ascend = words.windows(2).all(|pair| pair[0] < pair[1]);
    (words.len() >= 2 && are_letters && ascend).then(|| words.concat())
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
        let lower = count == 1 && letters.is_empty() && (opened || ends_label(&run[count..]));
        let is_option = |c: char| {
            ('A'..=LAST).contains(&c) || lower && ('A'..=LAST).contains(&c.to_ascii_uppercase())
        };
        let ascending = word.as_bytes().windows(2).all(|pair| pair[0] < pair[1]);
        let stands_alone = !run[count..]
            .starts_with(|c: char| c.is_ascii_digit() || matches!(c, '\'' | '’' | '_' | '^' | '+'))
            && !run[count..].trim_start_matches(' ').starts_with(['=', '≈'])
            && !is_multiplied(&run[count..]);
        let is_word = letters.is_empty() && !opened && begins_sentence(word, &run[count..]);
        if count == 0 || !word.chars().all(is_option) || !ascending || !stands_alone || is_word {
            break;
        }
        letters.push_str(&word.to_ascii_uppercase());
        end += count;
        let rest = text[end..].trim_start_matches(' ');
        if let Some(other) = rest
            .strip_prefix("or ")
            .filter(|other| letter_follows(other))
        {
            letters.push('/');
            end = text.len() - other.len();
            continue;
        }
        match joint(&text[end..]) {
            // One letter or the other: not both.
            Some(length)
                if text[end..].starts_with('/') && letter_follows(&text[end + length..]) =>
            {
                letters.push('/');
                end += length;
            }
            // "D, it" and "A and the" go on with a word, no letter.
            Some(length) if letter_follows(&text[end + length..]) => end += length,
            _ => return Some((letters, end)),
        }
    }
    None
}

/// Whether a label ends behind its letter: `c)`, `d.`, or nothing more.
fn ends_label(after: &str) -> bool {
    let rest = after.trim_start_matches(['*', '$', '}']);
    match rest.strip_prefix(['.', ')', '\n', '）']) {
        Some(rest) => !rest.starts_with(|c: char| c.is_alphanumeric()),
        None => rest.is_empty(),
    }
}

/// A sign of multiplication, and not of emphasis, behind a letter.
fn is_multiplied(after: &str) -> bool {
    after
        .strip_prefix('*')
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_alphanumeric()))
}

/// Whether a capital letter is no option but the article or the pronoun that a sentence begins
/// with: `A mistake was made`, `I believe`.
fn begins_sentence(word: &str, after: &str) -> bool {
    const BEHIND_OPTIONS: [&str; 24] = [
        "because", "since", "as", "is", "was", "and", "or", "but", "for", "which", "with", "due",
        "by", "not", "if", "so", "given", "based", "has", "would", "the", "that", "only", "in",
    ];
    let Some(rest) = after.strip_prefix(' ') else {
        return false;
    };
    let next: &str = rest
        .split(|c: char| !c.is_alphabetic())
        .next()
        .unwrap_or_default();
    next.starts_with(|c: char| c.is_ascii_lowercase())
        && match word {
            "I" => true,
            "A" => !BEHIND_OPTIONS.contains(&next),
            _ => false,
        }
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
    let whole = spans::trim(text, span.clone());
    if let Some(letters) = spaced(&text[whole.clone()]) {
        return Some(Found {
            text: Cow::Owned(letters),
            span: whole,
            by_question: None,
        });
    }
    let (letters, end) = read(inside)?;
    // `DA` is the choice `AD`, as the reference is written.
    let letters = in_any_order(&letters).unwrap_or(letters);
    let start = span.start + (inside.len() - strip_markup(inside).len());
    let span = start..span.start + end;
    let text = match &text[span.clone()] {
        plain if plain == letters => Cow::Borrowed(plain),
        _ => Cow::Owned(letters),
    };
    Some(Found {
        text,
        span,
        by_question: None,
    })
}

/// The letters of several options that are nothing but these, whatever their order. All letters from
/// A on are an order of things, and no choice among them.
pub(super) fn in_any_order(text: &str) -> Option<String> {
    let mut letters: Vec<char> = text
        .chars()
        .filter(|c| !matches!(c, ' ' | ',' | '、' | '，' | ';' | '$'))
        .collect();
    letters.sort_unstable();
    let distinct = letters.windows(2).all(|pair| pair[0] < pair[1]);
    let options = letters.iter().all(|c| ('A'..=LAST).contains(c));
    let all = letters.len() >= 3 && letters.iter().copied().eq(('A'..='J').take(letters.len()));
    ((2..=5).contains(&letters.len()) && !all && distinct && options)
        .then(|| letters.into_iter().collect())
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
        let said_last = last_paragraphs(text);
        let at = text
            .bytes()
            .enumerate()
            .rev()
            .map(|(at, _)| at)
            .find(|&at| is_option(text, at) && (at >= said_last || is_marked(text, at)))?;
        let span = part.start + at..part.start + at + 1;
        Some(Found {
            text: Cow::Borrowed(&look.text[span.clone()]),
            span,
            by_question: None,
        })
    })
}

/// Where the last paragraphs begin: further up a letter without marks is a name in the question
/// (`trees of type B`) more often than an option.
fn last_paragraphs(text: &str) -> usize {
    const PARAGRAPHS: usize = 2;
    let text = text.trim_end();
    let breaks = text.rmatch_indices("\n\n").map(|(at, _)| at);
    breaks
        .take(PARAGRAPHS)
        .last()
        .filter(|_| text.matches("\n\n").count() >= PARAGRAPHS)
        .unwrap_or(0)
}

/// Whether a letter stands in parentheses or bold print, or before a full stop or a colon.
fn is_marked(text: &str, at: usize) -> bool {
    let (before, after) = (&text[..at], &text[at + 1..]);
    before.ends_with(['(', '*', '{', '[', '（']) || after.starts_with([')', ':', '*', '）', '、'])
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
