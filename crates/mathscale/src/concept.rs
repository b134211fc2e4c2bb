//! Names of concepts: one spelling for what differs in white space, trailing punctuation or Unicode
//! form; one key for what differs in case; and names that no concept may have.

use std::borrow::Cow;
use std::fmt;

use unicode_normalization::UnicodeNormalization;

/// Most characters of a name. The longest of 5,000 annotated questions has 72.
pub(crate) const LONGEST_NAME: usize = 200;

/// Why a text cannot name a concept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameFault {
    /// Nothing but white space and punctuation.
    Blank,
    /// A character that steers a terminal or a text's direction, or that no file format can carry.
    Control(char),
    /// So many characters.
    TooLong(usize),
}

impl fmt::Display for NameFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blank => f.write_str("a concept without a name"),
            Self::Control(c) => write!(
                f,
                "a name with the control character U+{:04X}",
                u32::from(*c)
            ),
            Self::TooLong(length) => write!(
                f,
                "a name of {length} characters, of which {LONGEST_NAME} are allowed"
            ),
        }
    }
}

impl NameFault {
    /// The start of a faulty name, with what cannot be printed escaped.
    pub(crate) fn shown(self, name: &str) -> String {
        const SHOWN: usize = 40;
        let start: String = name
            .chars()
            .take(SHOWN)
            .flat_map(char::escape_default)
            .collect();
        if name.chars().nth(SHOWN).is_some() {
            format!("{start}…")
        } else {
            start
        }
    }
}

/// The name as it is kept: NFC, single spaces, none at the ends, no punctuation of sentences behind
/// it, no invisible characters. Doing it twice changes nothing. An exclamation mark stays: `n!`.
pub(crate) fn written(name: &str) -> Result<String, NameFault> {
    let mut text = String::with_capacity(name.len());
    let composed = if name.is_ascii() {
        Cow::Borrowed(name)
    } else {
        Cow::Owned(name.nfc().collect())
    };
    for c in composed.chars().filter(|c| !is_invisible(*c)) {
        if c.is_whitespace() {
            if !text.is_empty() && !text.ends_with(' ') {
                text.push(' ');
            }
        } else if is_control(c) {
            return Err(NameFault::Control(c));
        } else {
            text.push(c);
        }
    }
    text.truncate(text.trim_end_matches(is_trailing).len());
    match text.chars().count() {
        0 => Err(NameFault::Blank),
        length if length > LONGEST_NAME => Err(NameFault::TooLong(length)),
        // What was taken out may have parted characters that belong together.
        _ if text.is_ascii() => Ok(text),
        _ => Ok(text.nfc().collect()),
    }
}

/// Equal for names that differ in case only.
pub(crate) fn key(written: &str) -> String {
    written.to_lowercase()
}

fn is_trailing(c: char) -> bool {
    c == ' '
        || matches!(
            c,
            '.' | ',' | ';' | ':' | '?' | '。' | '，' | '；' | '：' | '？' | '、' | '…'
        )
}

/// Zero-width spaces, byte order marks and soft hyphens.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{00AD}' | '\u{200B}' | '\u{2060}' | '\u{FEFF}')
}

fn is_control(c: char) -> bool {
    let of_direction =
        matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    let no_character = u32::from(c) & 0xFFFE == 0xFFFE || matches!(c, '\u{FDD0}'..='\u{FDEF}');
    c.is_control() || of_direction || no_character
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spellings_of_one_name() {
        for name in [
            "Law of  cosines",
            " Law of cosines.",
            "Law\u{A0}of\tcosines:",
            "Law of cos\u{200B}ines ; ",
        ] {
            assert_eq!(written(name).unwrap(), "Law of cosines", "{name:?}");
        }
        assert_eq!(written("Me\u{301}thode").unwrap(), "M\u{E9}thode");
        assert_eq!(written("Factorial n!").unwrap(), "Factorial n!");
        assert_eq!(key("Law of Cosines"), key("LAW OF COSINES"));
    }

    #[test]
    fn names_that_no_concept_may_have() {
        assert_eq!(written(" ... "), Err(NameFault::Blank));
        assert_eq!(written("a\u{1B}[31mred"), Err(NameFault::Control('\u{1B}')));
        assert_eq!(written("a\0b"), Err(NameFault::Control('\0')));
        assert_eq!(written("a\u{202E}b"), Err(NameFault::Control('\u{202E}')));
        assert_eq!(written("a\u{FFFF}b"), Err(NameFault::Control('\u{FFFF}')));
        assert_eq!(
            written(&"x".repeat(10_000)),
            Err(NameFault::TooLong(10_000))
        );
        assert_eq!(NameFault::Blank.shown("a\u{1B}b"), "a\\u{1b}b");
    }

    proptest! {
        #[test]
        fn written_twice_is_written_once(name in "\\PC{0,30}|[ a-z.,\u{301}\u{200B}\u{AC00}\u{11A8}]{0,12}") {
            if let Ok(once) = written(&name) {
                prop_assert_eq!(written(&once), Ok(once));
            }
        }
    }
}
