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

/// The sentence, no longer than an answer, that a span stands in.
pub(super) fn sentence_around(text: &str, part: Range<usize>, span: &Range<usize>) -> Range<usize> {
    let first = text.ceil_char_boundary(span.start.saturating_sub(LONGEST).max(part.start));
    let before = &text[first..span.start];
    let stops = [
        ("? ", 2),
        ("! ", 2),
        ("\n", 1),
        ("。", 3),
        ("！", 3),
        ("？", 3),
    ];
    let stop = stops
        .iter()
        .filter_map(|(stop, length)| Some(before.rfind(stop)? + length))
        .max();
    let full_stop = before
        .rmatch_indices(". ")
        .map(|(at, _)| first + at)
        .find(|&at| ends_sentence(text, at, first))
        .map(|at| at + 2 - first);
    let start = stop.max(full_stop).unwrap_or(0);
    let end = sentence_end(text, reach(text, span.end, part.end));
    first + start..end
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
                // What is escaped ends nothing.
                None if bytes[at] == b'\\' => at += 1,
                None => {}
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

/// Without the clause at the end that only says which letter is a constant:
/// `…, where C is the constant of integration`.
pub(super) fn without_note(text: &str, span: Range<usize>) -> Range<usize> {
    let inside = &text[span.clone()];
    let end = ["where ", "Where "]
        .iter()
        .filter_map(|word| inside.rfind(word))
        .filter(|&at| at > 0 && is_note(&inside[at..]))
        .min();
    span.start..span.start + end.unwrap_or(inside.len())
}

/// Whether a clause that begins with `where` says no more than that letters are constants.
pub(super) fn is_note(clause: &str) -> bool {
    const VERBS: [&str; 4] = [" is ", " are ", " denotes ", " represents "];
    const MAX_LETTERS_BYTES: usize = 32;
    const MAX_REST_BYTES: usize = 96;
    VERBS.iter().any(|verb| {
        clause.split_once(verb).is_some_and(|(letters, rest)| {
            letters.len() <= MAX_LETTERS_BYTES
                && rest.len() <= MAX_REST_BYTES
                && rest.contains("constant")
                && !rest.contains('=')
        })
    })
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
