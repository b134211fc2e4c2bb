//! Keys under which a plural and its singular, a hyphen and a space are equal.

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

/// Signs of arithmetic keep names apart: `a+b` is not `a-b`. A hyphen does not, between words; see
/// [`singular`].
fn is_sign(c: char) -> bool {
    matches!(
        c,
        '+' | '*' | '/' | '=' | '<' | '>' | '^' | '%' | '×' | '÷' | '±' | '≤' | '≥' | '≠' | '√'
    )
}

fn singular_word(word: &str) -> String {
    const MIN_CHARS: usize = 4;
    if word.chars().count() < MIN_CHARS || !word.chars().all(char::is_alphabetic) {
        return word.to_string();
    }
    let hissing = ["ches", "shes", "sses", "xes", "zes"];
    match word {
        _ if word.ends_with("ies") && word.len() > MIN_CHARS => {
            format!("{}y", &word[..word.len() - 3])
        }
        _ if hissing.iter().any(|end| word.ends_with(end)) => word[..word.len() - 2].to_string(),
        _ if ["ss", "us", "is"].iter().any(|end| word.ends_with(end)) => word.to_string(),
        _ => word.strip_suffix('s').unwrap_or(word).to_string(),
    }
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
}
