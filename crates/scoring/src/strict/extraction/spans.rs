//! Where the sentence with the answer ends, and what is trimmed off an answer.

use std::ops::Range;

/// No answer is longer, in bytes; what is looked at behind a phrase ends here, which keeps the work
/// linear.
pub(super) const LONGEST: usize = 4096;

/// Formulas that stand on lines of their own: a line's end within them is no sentence's end.
const DISPLAYS: [(&str, &str); 3] = [("\\[", "\\]"), ("$$", "$$"), ("\\begin{", "\\end{")];

/// Words that end in a full stop, in the middle of a sentence.
const ABBREVIATIONS: [&str; 14] = [
    "approx", "sq", "cu", "vs", "Mr", "Mrs", "Ms", "Dr", "No", "no", "in", "ft", "hrs", "St",
];

/// The largest character boundary that is not beyond `at`.
pub(super) fn floor(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at)
}

/// The part of `range` behind `start`, cut to the length that an answer may have.
pub(super) fn reach(text: &str, start: usize, end: usize) -> Range<usize> {
    start..floor(text, end.min(start + LONGEST))
}

/// Where the sentence that begins at `range.start` ends.
///
/// It ends with its line, except within a display, and at a full stop that a space follows, except
/// after an abbreviation and a letter (`4 p.m. today`). No number has a space after its point, so
/// that decimals stay whole.
pub(super) fn sentence_end(text: &str, range: Range<usize>) -> usize {
    let bytes = text.as_bytes();
    let mut at = range.start;
    while at < range.end {
        match bytes[at] {
            // A calculation may go on in the next line.
            b'\n'
                if !text[range.start..at]
                    .trim_end_matches([' ', '\r', '\n'])
                    .ends_with('=') =>
            {
                return at;
            }
            b'\\' | b'$' => match display_end(text, at..range.end) {
                Some(end) => {
                    at = end;
                    continue;
                }
                None => at += 1,
            },
            b'.' | b'?' if ends_sentence(text, at, range.start) => return at,
            // The first byte of `。`, `？`, `！` and of other wide characters.
            0xE3 | 0xEF
                if ["。", "？", "！", "；"]
                    .iter()
                    .any(|stop| text[at..].starts_with(stop)) =>
            {
                return at;
            }
            _ => {}
        }
        at += 1;
        while at < range.end && !text.is_char_boundary(at) {
            at += 1;
        }
    }
    range.end
}

fn display_end(text: &str, range: Range<usize>) -> Option<usize> {
    let rest = &text[range.clone()];
    let (open, close) = DISPLAYS.iter().find(|(open, _)| rest.starts_with(open))?;
    let end = rest[open.len()..].find(close)? + open.len() + close.len();
    Some(range.start + end)
}

/// Whether the stop at `at` ends the sentence that began at `start`.
fn ends_sentence(text: &str, at: usize, start: usize) -> bool {
    let mut after = text[at + 1..].chars();
    match after.next() {
        None | Some('\n' | '\r') => return true,
        Some(c)
            if c.is_whitespace() || matches!(c, '"' | '\'' | '*' | ')' | '$') || !c.is_ascii() => {}
        Some(_) => return false,
    }
    let word = text[start..at]
        .rsplit(|c: char| !(c.is_ascii_alphanumeric() || c == '.'))
        .next()
        .unwrap_or("");
    !(ABBREVIATIONS.contains(&word)
        || word.contains('.') && word.ends_with(|c: char| c.is_ascii_alphabetic()))
}

/// Without white space, emphasis, quotes and punctuation around an answer.
pub(super) fn trim(text: &str, span: Range<usize>) -> Range<usize> {
    let whole = &text[span.clone()];
    let front = |c: char| {
        c.is_whitespace()
            || matches!(
                c,
                '*' | '"' | '“' | '”' | '`' | ':' | '：' | ',' | '，' | ';'
            )
    };
    let back = |c: char| {
        c.is_whitespace()
            || matches!(
                c,
                '*' | '"'
                    | '“'
                    | '”'
                    | '`'
                    | '.'
                    | ','
                    | ';'
                    | ':'
                    | '。'
                    | '，'
                    | '；'
                    | '：'
                    | '？'
            )
    };
    let start = span.start + (whole.len() - whole.trim_start_matches(front).len());
    let mut end = start + text[start..span.end].trim_end_matches(back).len();
    // A sentence that ends within its formula: `$18.$`.
    if let Some(formula) = text[start..end].strip_suffix('$')
        && formula.starts_with('$')
        && formula.ends_with(['.', ','])
        && !formula[1..].contains('$')
    {
        let bare = formula[1..].trim_end_matches(['.', ',', ' ']);
        return start + 1..start + 1 + bare.len();
    }
    end = end.max(start);
    start..end
}
