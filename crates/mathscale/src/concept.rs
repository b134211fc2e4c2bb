//! Names of concepts: one canonical form for what differs in white space, trailing punctuation or
//! Unicode form; one key for what differs in case; and names that no concept may have.

use std::borrow::Cow;
use std::fmt;

use unicode_normalization::UnicodeNormalization;

/// The longest of 5,000 annotated questions has 72.
pub(crate) const MAX_NAME_CHARS: usize = 200;

/// Why a text cannot name a concept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameFault {
    /// Nothing but white space and punctuation.
    Blank,
    /// A character that controls a terminal or a text's direction, or that no file format can carry.
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
                "a name of {length} characters, of which {MAX_NAME_CHARS} are allowed"
            ),
        }
    }
}

impl NameFault {
    /// The start of a faulty name for a message, with what cannot be printed escaped.
    pub(crate) fn excerpt(self, name: &str) -> String {
        const MAX_CHARS: usize = 40;
        let start = name.chars().take(MAX_CHARS).flat_map(char::escape_default);
        let more = name.chars().nth(MAX_CHARS).map(|_| '…');
        start.chain(more).collect()
    }
}

/// The canonical form of a name: NFC, single spaces, none at the ends, no punctuation of sentences behind
/// it, no invisible characters. Doing it twice changes nothing. An exclamation mark stays: `n!`.
pub(crate) fn canonical(name: &str) -> Result<String, NameFault> {
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
        length if length > MAX_NAME_CHARS => Err(NameFault::TooLong(length)),
        // What was removed may have stood between characters that compose.
        _ if text.is_ascii() => Ok(text),
        _ => Ok(text.nfc().collect()),
    }
}

/// Equal for names that differ in case only.
pub(crate) fn case_key(canonical: &str) -> String {
    canonical.to_lowercase()
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
    // Marks of direction can make a name look like another one. The last two code points of each
    // plane, and a block of 32, are no characters; XML refuses some of them even escaped.
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
            assert_eq!(canonical(name).unwrap(), "Law of cosines", "{name:?}");
        }
        assert_eq!(canonical("Me\u{301}thode").unwrap(), "M\u{E9}thode");
        assert_eq!(canonical("Factorial n!").unwrap(), "Factorial n!");
        assert_eq!(case_key("Law of Cosines"), case_key("LAW OF COSINES"));
    }

    #[test]
    fn names_that_no_concept_may_have() {
        assert_eq!(canonical(" ... "), Err(NameFault::Blank));
        assert_eq!(
            canonical("a\u{1B}[31mred"),
            Err(NameFault::Control('\u{1B}'))
        );
        assert_eq!(canonical("a\0b"), Err(NameFault::Control('\0')));
        assert_eq!(canonical("a\u{202E}b"), Err(NameFault::Control('\u{202E}')));
        assert_eq!(canonical("a\u{FFFF}b"), Err(NameFault::Control('\u{FFFF}')));
        assert_eq!(
            canonical(&"x".repeat(10_000)),
            Err(NameFault::TooLong(10_000))
        );
        assert_eq!(NameFault::Blank.excerpt("a\u{1B}b"), "a\\u{1b}b");
    }

    proptest! {
        #[test]
        fn canonical_twice_is_canonical_once(name in "\\PC{0,30}|[ a-z.,\u{301}\u{200B}\u{AC00}\u{11A8}]{0,12}") {
            if let Ok(once) = canonical(&name) {
                prop_assert_eq!(canonical(&once), Ok(once));
            }
        }
    }
}
