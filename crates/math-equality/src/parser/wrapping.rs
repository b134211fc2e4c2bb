//! What surrounds an answer: bold marks, final points, doubled backslashes, characters outside
//! ASCII.

use std::borrow::Cow;

use super::tables::tables;

/// The text without what surrounds it, with one notation for signs outside ASCII.
pub(super) fn prepared(text: &str) -> Cow<'_, str> {
    let text = without_marks(text);
    let text = if has_doubled_backslashes(text) {
        Cow::Owned(halved(text))
    } else {
        Cow::Borrowed(text)
    };
    if text.is_ascii() {
        text
    } else {
        Cow::Owned(respelled(&text))
    }
}

/// Without white space, bold marks and the points at the end of a sentence.
fn without_marks(text: &str) -> &str {
    let mut text = text.trim();
    loop {
        let before = text.len();
        for mark in ["**", "__", "`"] {
            if text.len() > 2 * mark.len() && text.starts_with(mark) && text.ends_with(mark) {
                text = text[mark.len()..text.len() - mark.len()].trim();
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
                None => plain.push(c),
            },
        }
    }
    plain
}
