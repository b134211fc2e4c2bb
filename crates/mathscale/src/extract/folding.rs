//! Keys under which near-duplicates are the same: a plural and its singular, a hyphen and a space,
//! one letter more or less.

use std::collections::HashMap;
use std::hash::Hasher;

use xxhash_rust::xxh3::Xxh3Default;

/// The key of a name in lower case with its words in the singular, without articles and
/// punctuation.
///
/// English only, and by rule: `ies` → `y` (`identities`), `es` after a hissing sound (`axes` would
/// need a dictionary and becomes `ax`; so does `axis` not: both stay apart), `s` elsewhere except
/// after `s`, `u` and `i` (`class`, `calculus`, `axis`).
pub(crate) fn singular(key: &str) -> String {
    let words = key
        .split(|c: char| !(c.is_alphanumeric() || is_sign(c)))
        .filter(|word| !word.is_empty());
    let words = words
        .filter(|word| !matches!(*word, "a" | "an" | "the"))
        .map(singular_word);
    words.collect::<Vec<_>>().join(" ")
}

/// Signs of arithmetic tell names apart: `a+b` is not `a-b`. A hyphen does not, between words; see
/// [`singular`].
fn is_sign(c: char) -> bool {
    matches!(
        c,
        '+' | '*' | '/' | '=' | '<' | '>' | '^' | '%' | '×' | '÷' | '±' | '≤' | '≥' | '≠' | '√'
    )
}

fn singular_word(word: &str) -> String {
    const SHORTEST: usize = 4;
    if word.chars().count() < SHORTEST || !word.chars().all(char::is_alphabetic) {
        return word.to_string();
    }
    let hissing = ["ches", "shes", "sses", "xes", "zes"];
    match word {
        _ if word.ends_with("ies") && word.len() > SHORTEST => {
            format!("{}y", &word[..word.len() - 3])
        }
        _ if hissing.iter().any(|end| word.ends_with(end)) => word[..word.len() - 2].to_string(),
        _ if ["ss", "us", "is"].iter().any(|end| word.ends_with(end)) => word.to_string(),
        _ => word.strip_suffix('s').unwrap_or(word).to_string(),
    }
}

/// Names of which some differ from a looked-up one by a single letter: added, left out, replaced,
/// or two changed places.
#[derive(Debug, Default)]
pub(crate) struct Near {
    keys: Vec<String>,
    /// Hash of a key, and of a key without one character, to its place.
    shorter: HashMap<u64, Vec<usize>>,
}

impl Near {
    /// Adds a name and gives its place.
    pub(crate) fn add(&mut self, key: &str) -> usize {
        let place = self.keys.len();
        self.keys.push(key.to_string());
        for hash in shortened(key) {
            self.shorter.entry(hash).or_default().push(place);
        }
        place
    }

    /// The first name added that differs from this one by a letter of a long word.
    pub(crate) fn find(&self, key: &str) -> Option<usize> {
        let places = shortened(key)
            .into_iter()
            .filter_map(|hash| self.shorter.get(&hash))
            .flatten();
        places
            .copied()
            .filter(|&place| is_near(&self.keys[place], key))
            .min()
    }
}

/// Hashes of the text and of it without each of its characters in turn.
fn shortened(text: &str) -> Vec<u64> {
    let hash = |left_out: Option<(usize, char)>| {
        let mut hasher = Xxh3Default::new();
        let (end, start) =
            left_out.map_or((text.len(), text.len()), |(at, c)| (at, at + c.len_utf8()));
        hasher.write(&text.as_bytes()[..end]);
        hasher.write(&text.as_bytes()[start..]);
        hasher.finish()
    };
    std::iter::once(hash(None))
        .chain(text.char_indices().map(|left_out| hash(Some(left_out))))
        .collect()
}

/// Words of fewer letters differ by one letter without being the same: `sine`, `line`.
const LONG_WORD: usize = 7;

/// Whether two texts differ in one word, and that by one letter which is not its first, and the
/// word is long.
fn is_near(a: &str, b: &str) -> bool {
    let words = |text: &str| text.split(' ').count();
    let mut differing = a.split(' ').zip(b.split(' ')).filter(|(a, b)| a != b);
    match (differing.next(), differing.next()) {
        (Some((a, b)), None) if words(a) == words(b) => is_near_word(a, b),
        _ => false,
    }
}

fn is_near_word(a: &str, b: &str) -> bool {
    let [a, b]: [Vec<char>; 2] = [a, b].map(|word| word.chars().collect());
    let front = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let back = a[front..]
        .iter()
        .rev()
        .zip(b[front..].iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    let long = a.len().min(b.len()) >= LONG_WORD
        && front > 0
        && a.iter().chain(&b).all(|c| c.is_alphabetic());
    let one_letter = match (&a[front..a.len() - back], &b[front..b.len() - back]) {
        ([_], [_]) | ([_], []) | ([], [_]) => true,
        ([a, b], [c, d]) => a == d && b == c,
        _ => false,
    };
    long && one_letter
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plurals_hyphens_and_articles() {
        for (a, b) in [
            ("properties of triangles", "property of triangle"),
            ("the right-angled triangle", "right angled triangles"),
            ("area of boxes", "area of a box"),
            ("trigonometric identities", "trigonometric identity"),
        ] {
            assert_eq!(singular(a), singular(b));
        }
        for (a, b) in [
            ("a+b", "a*b"),
            ("calculus", "calculu"),
            ("class", "clas"),
            ("1-digit numbers", "2-digit numbers"),
        ] {
            assert_ne!(singular(a), singular(b));
        }
    }

    #[test]
    fn one_letter_of_a_long_word() {
        let mut near = Near::default();
        for key in [
            "pythagorean theorem",
            "sine rule",
            "3 digit number of a kind",
            "interior angle",
        ] {
            near.add(key);
        }
        for typo in [
            "pythagoraen theorem",
            "pythagorea theorem",
            "pythagoorean theorem",
            "pythagorian theorem",
        ] {
            assert_eq!(near.find(typo), Some(0), "{typo}");
        }
        for other in [
            "line rule",
            "sine rules",
            "4 digit number of a kind",
            "pythagorean rule",
            "exterior angle",
            "anything",
        ] {
            assert_eq!(near.find(other), None, "{other}");
        }
    }
}
