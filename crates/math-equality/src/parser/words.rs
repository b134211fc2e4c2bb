//! Answers in words, and option letters.

use super::tables::tables;
use crate::value::Value;

/// A text without dollar signs, fonts, braces and surplus spaces; letters keep their case.
pub(super) fn unwrapped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        match first {
            '\\' => rest = command(rest, &mut plain),
            '$' | '{' | '}' | '*' | '`' | '"' => rest = &rest[1..],
            _ if first.is_whitespace() || first == '~' => {
                if !plain.ends_with(' ') && !plain.is_empty() {
                    plain.push(' ');
                }
                rest = &rest[first.len_utf8()..];
            }
            _ => {
                plain.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    let end = plain.trim_end_matches([' ', '.', ',', ';', ':']).len();
    plain.truncate(end);
    plain
}

/// Takes the command that starts the text; one for a font or a space leaves nothing but a space.
fn command<'t>(text: &'t str, plain: &mut String) -> &'t str {
    let letters = 1 + text[1..]
        .bytes()
        .take_while(u8::is_ascii_alphabetic)
        .count();
    if letters == 1 {
        let second = text[1..].chars().next().map_or(0, char::len_utf8);
        let (sign, rest) = text.split_at(1 + second);
        match &sign[1..] {
            "," | ";" | ":" | " " | "!" | "(" | ")" | "[" | "]" | "\\" => {
                if !plain.ends_with(' ') && !plain.is_empty() {
                    plain.push(' ');
                }
            }
            sign => plain.push_str(sign),
        }
        return rest;
    }
    let (name, rest) = text.split_at(letters);
    match &name[1..] {
        "text" | "mbox" | "textrm" | "textbf" | "textit" | "textnormal" | "mathrm" | "mathbf"
        | "mathit" | "operatorname" | "boxed" | "fbox" | "left" | "right" | "rm" | "bf"
        | "boldsymbol" | "displaystyle" | "emph" | "underline" => rest,
        "quad" | "qquad" | "space" => {
            plain.push(' ');
            rest
        }
        name => {
            plain.push('\\');
            plain.push_str(name);
            rest
        }
    }
}

/// A text in the form in which texts are compared: unwrapped, in lower case, with one spelling of
/// synonyms.
pub(super) fn normalized(text: &str) -> String {
    let text = unwrapped(text).to_lowercase();
    match tables().synonyms.get(&text) {
        Some(same) => same.clone(),
        None => text,
    }
}

/// The notation of an answer in words, or its one spelling where it has another: for whole answers.
pub(super) fn phrase(text: &str) -> Option<Phrase> {
    let text = unwrapped(text).to_lowercase();
    let tables = tables();
    if let Some(notation) = tables.notations.get(&text) {
        return Some(Phrase::Notation(notation));
    }
    tables
        .synonyms
        .get(&text)
        .map(|same| Phrase::Word(Value::Text(same.clone())))
}

/// What a whole answer in words means.
pub(super) enum Phrase {
    Notation(&'static str),
    Word(Value),
}

/// An option letter: `B`, `(B)`, `B.`, `\text{(B)}`, `Option B`, `选B`.
pub(super) fn choice(text: &str) -> Option<char> {
    const OPENINGS: [&str; 9] = [
        "option",
        "choice",
        "answer",
        "the answer is",
        "answer is",
        "选项",
        "选",
        "答案",
        "故选",
    ];
    // Longer than any dress of one letter.
    if text.len() > 40 {
        return None;
    }
    let plain = unwrapped(text);
    let mut rest = plain.as_str();
    for opening in OPENINGS {
        if rest
            .get(..opening.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(opening))
        {
            let behind = &rest[opening.len()..];
            if !behind.starts_with(|c: char| c.is_ascii_alphanumeric()) || !opening.is_ascii() {
                rest = behind;
                break;
            }
        }
    }
    let letter = rest
        .trim()
        .trim_matches(['(', ')', '[', ']', ':', '.', ' ']);
    match letter.as_bytes() {
        [letter @ b'A'..=b'J'] => Some(char::from(*letter)),
        _ => None,
    }
}

/// A date by the name of a month: month, day and year, in one order.
pub(super) fn date(text: &str) -> Option<String> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    const MAX_BYTES: usize = 40;
    let names_month = |letters: &[u8]| {
        MONTHS
            .iter()
            .any(|month| letters.eq_ignore_ascii_case(&month.as_bytes()[..3]))
    };
    if text.len() > MAX_BYTES
        || !text.bytes().any(|byte| byte.is_ascii_digit())
        || !text.as_bytes().windows(3).any(names_month)
    {
        return None;
    }
    let plain = unwrapped(text).to_lowercase();
    let (mut month, mut numbers) = (None, Vec::new());
    for word in plain.split([' ', ',', '.']).filter(|word| !word.is_empty()) {
        let is_month = |name: &&&str| {
            **name == word
                || (word.len() == 3 && name.starts_with(word))
                || word == "sept" && name.starts_with("sept")
        };
        let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let ordinal = ["", "st", "nd", "rd", "th"].contains(&&word[digits.len()..]);
        match MONTHS.iter().find(is_month) {
            Some(name) if month.is_none() => month = Some(*name),
            None if matches!(word, "of" | "the") => {}
            None if ordinal && !digits.is_empty() => numbers.push(digits.parse::<u32>().ok()?),
            _ => return None,
        }
    }
    // The day is the smaller number wherever it stands, for a year has four digits.
    numbers.sort_unstable();
    let day = *numbers.first().filter(|day| (1..=31).contains(*day))?;
    match numbers.as_slice() {
        [_] => Some(format!("{} {day}", month?)),
        [_, year @ 1000..=2999] => Some(format!("{} {day} {year}", month?)),
        _ => None,
    }
}
