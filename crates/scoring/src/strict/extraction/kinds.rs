//! What a reference is, as far as it steers extraction.

use super::{letters, numbers};

/// What the reference is, as far as it steers extraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ReferenceKind {
    /// A plain number, perhaps with a unit, a currency or a per cent sign.
    Number,
    /// An option letter, or several.
    Choice,
    /// Any other formula: expressions, tuples, intervals, equations, matrices, lists.
    Formula,
    /// Words.
    Text,
}

impl ReferenceKind {
    /// The name in profiles and reports.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Choice => "choice",
            Self::Formula => "formula",
            Self::Text => "text",
        }
    }
}

/// Decides the kind of a reference from its text.
pub(crate) fn kind_of(reference: &str) -> ReferenceKind {
    let bare = without_markup(reference);
    // First: a lone `B` would pass for a formula, and several letters for a word.
    if letters::option_letters(reference).is_some() {
        ReferenceKind::Choice
    } else if is_number(bare) {
        ReferenceKind::Number
    } else if is_words(bare) {
        ReferenceKind::Text
    } else {
        ReferenceKind::Formula
    }
}

/// Without the dollar signs, `\( \)`, `\[ \]` and the full stop around a reference.
fn without_markup(reference: &str) -> &str {
    let mut bare = reference.trim().trim_end_matches(['.', '。']).trim();
    loop {
        let inner = [
            ("$$", "$$"),
            ("$", "$"),
            ("\\(", "\\)"),
            ("\\[", "\\]"),
            ("\\text{", "}"),
        ]
        .iter()
        .find_map(|(open, close)| bare.strip_prefix(open)?.strip_suffix(close));
        match inner {
            Some(inner) if !inner.contains('$') => bare = inner.trim().trim_end_matches('.').trim(),
            _ => return bare,
        }
    }
}

/// One number with a currency before it or a unit behind it: `-3`, `\$1,250`, `12.5 %`, `3/4`,
/// `5 \text{ cm}`, `20 dollars`.
fn is_number(bare: &str) -> bool {
    let bare = bare.trim_start_matches(['(', '+']).trim_end_matches(')');
    let bare = bare.strip_prefix('-').unwrap_or(bare).trim_start();
    let digits = bare
        .strip_prefix("\\$")
        .unwrap_or(bare)
        .trim_start_matches(['$', '€', '£', '¥', ' ']);
    let Some(number) = numbers::at_start(digits) else {
        return false;
    };
    let unit = digits[number..].trim();
    let unit = unit.strip_prefix("^").unwrap_or(unit);
    let plain = |c: char| {
        c.is_alphabetic() || matches!(c, ' ' | '.' | '/' | '%' | '°' | '$' | '²' | '³' | '}' | ')')
    };
    let unit = [
        "\\text{",
        "\\mathrm{",
        "\\mbox{",
        "\\textnormal{",
        "\\,",
        "\\ ",
        "\\%",
        "{\\circ}",
        "\\circ",
        "\\$",
    ]
    .iter()
    .fold(unit, |unit, command| {
        unit.strip_prefix(command).unwrap_or(unit).trim_start()
    });
    let unit = ["^2", "^3", "^{2}", "^{3}"]
        .iter()
        .find_map(|power| unit.strip_suffix(power))
        .unwrap_or(unit);
    // One letter behind a number is a variable: `6x`.
    unit.chars().all(plain) && !(unit.len() == 1 && unit.chars().all(|c| c.is_ascii_alphabetic()))
}

/// Words: more letters than a formula has in one place, and no sign of one.
fn is_words(bare: &str) -> bool {
    let has_word = bare
        .split(|c: char| !c.is_alphabetic())
        .any(|word| word.chars().count() >= 2 || !word.is_ascii());
    let formula = |c: char| {
        c.is_ascii_digit()
            || matches!(
                c,
                '\\' | '=' | '<' | '>' | '^' | '_' | '+' | '*' | '(' | '[' | '{'
            )
    };
    has_word && !bare.contains(formula)
}
