//! What surrounds an answer: bold marks, final points, doubled backslashes, characters outside
//! ASCII.

use std::borrow::Cow;

use super::tables::tables;

/// The text without what surrounds it, with one notation for signs outside ASCII.
pub(super) fn prepared(text: &str) -> Cow<'_, str> {
    let text = without_marks(text);
    let text = without_bare_box(text);
    let text = if has_doubled_backslashes(text) {
        Cow::Owned(halved(text))
    } else {
        Cow::Borrowed(text)
    };
    let text = if text.bytes().any(|byte| matches!(byte, b'\x08' | b'\x0c')) {
        let mended = text.replace('\u{8}', "\\b").replace('\u{c}', "\\f");
        Cow::Owned(mended)
    } else {
        text
    };
    if text.is_ascii() {
        text
    } else {
        Cow::Owned(respelled(&text))
    }
}

/// What stands in a box that lost its backslash, where the box is the whole text.
fn without_bare_box(text: &str) -> &str {
    let inner = text
        .strip_prefix("boxed{")
        .and_then(|inner| inner.strip_suffix('}'));
    match inner {
        Some(inner) if !inner.contains(['{', '}']) || inner.starts_with('\\') => inner,
        _ => text,
    }
}

/// The plain form of a decimal digit of another script than ASCII's.
pub fn decimal_digit(c: char) -> Option<char> {
    // Signs of mathematics have digits too.
    let digit = if c.is_ascii() {
        None
    } else {
        letter_or_digit(c)
    };
    digit.filter(char::is_ascii_digit)
}

/// Marks around a whole answer that say nothing.
const MARKS: [(&str, &str); 8] = [
    ("**", "**"),
    ("__", "__"),
    ("`", "`"),
    ("_", "_"),
    ("'", "'"),
    ("«", "»"),
    ("‘", "’"),
    ("「", "」"),
];

/// Without white space, bold marks and the points at the end of a sentence.
fn without_marks(text: &str) -> &str {
    let mut text = text.trim();
    loop {
        let before = text.len();
        for (open, close) in MARKS {
            let inner = text
                .strip_prefix(open)
                .and_then(|inner| inner.strip_suffix(close));
            if let Some(inner) = inner.filter(|inner| !inner.trim().is_empty()) {
                text = inner.trim();
            }
        }
        if !text.ends_with("...") && !text.ends_with("\\,") && !text.ends_with("right.") {
            text = text
                .trim_end_matches(['.', ',', ';', '。', '，', '；', '．'])
                .trim_end();
        }
        if text.len() == before {
            return text;
        }
    }
}

/// Whether every command has two backslashes, as in a text that was escaped once too often.
fn has_doubled_backslashes(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (mut at, mut doubled) = (0, false);
    while let Some(next) = bytes[at..].iter().position(|byte| *byte == b'\\') {
        let start = at + next;
        let run = bytes[start..]
            .iter()
            .take_while(|byte| **byte == b'\\')
            .count();
        let letters = bytes[start + run..]
            .iter()
            .take_while(|byte| byte.is_ascii_alphabetic())
            .count();
        // One command as it should be, and the others are row breaks.
        if run % 2 == 1 {
            return false;
        }
        // One letter behind `\\` is the start of a row.
        doubled |= letters >= 2;
        at = start + run;
    }
    doubled
}

fn halved(text: &str) -> String {
    let mut half = String::with_capacity(text.len());
    let mut pending = false;
    for c in text.chars() {
        pending = c == '\\' && !pending;
        if !pending {
            half.push(c);
        }
    }
    half
}

/// Every character of the table by what stands for it there; full-width letters and digits by
/// theirs.
fn respelled(text: &str) -> String {
    let characters = &tables().characters;
    let mut plain = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            _ if c.is_ascii() => plain.push(c),
            '０'..='９' | 'Ａ'..='Ｚ' | 'ａ'..='ｚ' => {
                let ascii = u32::from(c) - 0xfee0;
                plain.push(
                    char::from_u32(ascii)
                        .expect("full-width forms lie above ASCII at a fixed distance"),
                );
            }
            _ => match characters.get(&c) {
                Some(same) => plain.push_str(same),
                None => match letter_or_digit(c) {
                    Some(letter) => match characters.get(&letter) {
                        Some(same) => plain.push_str(same),
                        None => plain.push(letter),
                    },
                    None => plain.push(c),
                },
            },
        }
    }
    plain
}

/// The plain form of a mathematical letter or of a decimal digit of any script.
fn letter_or_digit(c: char) -> Option<char> {
    /// The zeros of scripts whose digits stand in one row.
    const ZEROS: [u32; 20] = [
        0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6,
        0x0d66, 0x0e50, 0x0ed0, 0x0f20, 0x1040, 0x17e0, 0x1810, 0xa9d0, 0xff10,
    ];
    const GREEK: &str = "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΘΣΤΥΦΧΨΩ∇αβγδεζηθικλμνξοπρςστυφχψω∂εθκφρπ";
    let code = u32::from(c);
    match code {
        // Alphabets of 52 letters, styles of 58 Greek signs, digits in five styles.
        0x1d400..=0x1d6a3 => {
            let place = ((code - 0x1d400) % 52) as u8;
            Some(char::from(if place < 26 {
                b'A' + place
            } else {
                b'a' + place - 26
            }))
        }
        0x1d6a8..=0x1d7c9 => GREEK.chars().nth(((code - 0x1d6a8) % 58) as usize),
        0x1d7ce..=0x1d7ff => char::from_digit((code - 0x1d7ce) % 10, 10),
        0x210e => Some('h'),
        0x2113 => Some('l'),
        _ => ZEROS
            .iter()
            .find(|zero| (**zero..**zero + 10).contains(&code))
            .and_then(|zero| char::from_digit(code - zero, 10)),
    }
}
