//! Text → value, with what an answer around a formula may look like: a derivation's conclusion, a
//! name in words, torn numbers.

use super::expr::Expr;
use super::parser;
use super::value::{Quantity, Value};

/// Signs before the last conclusion of a derivation.
const CONCLUSIONS: [&str; 5] = [
    "\\implies",
    "\\Rightarrow",
    "\\Longrightarrow",
    "\\therefore",
    "⇒",
];

/// Whether the other side gives a value to the same name, blanks aside: `P(X=4) = 1/6`.
fn is_named_alike(name: &str, other: &str) -> bool {
    let letters = |text: &str| -> String { text.split_whitespace().collect() };
    other
        .rsplit_once('=')
        .is_some_and(|(other, _)| letters(name) == letters(other))
}

/// The value of a text. Where it cannot be parsed as a whole, what follows the last conclusion is
/// read, and words before an equals sign name what follows it (`\text{Difference} = \$8,400`)
/// unless the other side has an equals sign too, behind another name.
pub(super) fn read(text: &str, other: &str, trace: &mut Vec<&'static str>) -> Value {
    // What is too long for a formula is words, and no part of it is looked at.
    if text.len() > parser::LONGEST {
        let parsed = parser::parse(text);
        trace.extend(parsed.rules);
        return parsed.value;
    }
    if let Some(grouped) = without_blanks(text) {
        trace.push("parse/grouped_by_blanks");
        return parser::parse(&grouped).value;
    }
    if let Some(list) = parser::list_beside(text, other) {
        trace.push("parse/formula");
        return parser::parse(&list).value;
    }
    if let Some(exact) = before_approximation(text, other)
        && let Some(value) = read_formula(exact, &mut Vec::new())
    {
        trace.push("parse/before_approximation");
        return value;
    }
    let text = without_words_again(text).unwrap_or(text);
    // Most answers hold no sign that any of them begins with.
    let may_conclude = text.contains('\\') || !text.is_ascii();
    let conclusion = CONCLUSIONS
        .iter()
        .filter(|_| may_conclude)
        .filter_map(|sign| Some(text.rfind(sign)? + sign.len()))
        .max();
    // Only what reads as a formula: words behind the sign are no conclusion.
    if let Some(start) = conclusion
        && let Some(value) = read_formula(&text[start..], trace)
    {
        return value;
    }
    let parsed = parser::parse(text);
    if matches!(parsed.value, Value::Text(_))
        && let Some(value) = read_as_meant(text, trace)
    {
        return value;
    }
    if matches!(parsed.value, Value::Text(_))
        && let Some((name, rest)) = text.rsplit_once('=')
        && (!other.contains('=') || is_named_alike(name, other))
        // `<=`, `>=` and `!=` end in an equals sign too, and name nothing.
        && !name.ends_with(['<', '>', '!', '\\'])
    {
        if let Some(value) = read_formula(rest, trace) {
            return value;
        }
        // A variable may stand for words: `y = No`.
        if name.trim_matches([' ', '$']).chars().count() == 1 {
            trace.push("parse/conclusion");
            return parser::parse(rest).value;
        }
    }
    trace.extend(parsed.rules);
    parsed.value
}

/// What stands before the decimal that only says what it is near, where the other side is exact:
/// `\sqrt2 \approx 1.41`, `7/3 (about 2.33)`. A name alone is near a decimal and nothing else.
fn before_approximation<'t>(text: &'t str, other: &str) -> Option<&'t str> {
    const SIGNS: [&str; 9] = [
        "\\approx",
        "≈",
        "\\simeq",
        "\\doteq",
        "(about",
        "(approximately",
        "(approx",
        "(roughly",
        "(or about",
    ];
    let decimal = |text: &str| {
        let point = text.bytes().position(|byte| byte == b'.');
        point.is_some_and(|at| text[at + 1..].starts_with(|c: char| c.is_ascii_digit()))
    };
    // Each of the signs has one of these, and a decimal has a point; most answers have none, and
    // are not searched.
    if !text.contains(['\\', '≈', '(']) || !text.contains('.') || decimal(other) {
        return None;
    }
    let (at, sign) = SIGNS
        .iter()
        .find_map(|sign| Some((text.find(sign)?, sign)))?;
    let (exact, near) = (&text[..at], &text[at + sign.len()..]);
    if !decimal(near) || near.contains('=') || SIGNS.iter().any(|sign| other.contains(sign)) {
        return None;
    }
    let bare = exact.trim_matches(['$', ' ']);
    let bare = ["\\(", "\\[", "\\text{"]
        .iter()
        .find_map(|open| bare.strip_prefix(open))
        .unwrap_or(bare)
        .trim_end_matches("\\)")
        .trim();
    let mut letters = bare.chars();
    let named = letters.next().is_some_and(|c| c.is_ascii_alphabetic())
        && letters.next().is_none_or(|c| matches!(c, '(' | '_' | '\''));
    (!named && !bare.is_empty()).then_some(bare)
}

/// One number whose digits blanks divide into groups of three, without these: `2 602`, `1 250,5` is
/// none. Where the first group has three digits too (`100 200`) it may be a list.
fn without_blanks(text: &str) -> Option<String> {
    const BLANKS: [char; 4] = [' ', '\u{a0}', '\u{202f}', '\u{2009}'];
    let bare = text.trim();
    let digits = bare.trim_start_matches(['-', '−']);
    if !digits.contains(BLANKS) {
        return None;
    }
    let (whole, point) = digits
        .split_once('.')
        .map_or((digits, None), |(whole, part)| (whole, Some(part)));
    let mut groups = whole.split(BLANKS);
    let is_digits =
        |group: &str| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_digit());
    let first = groups.next()?;
    let grouped = is_digits(first)
        && first.len() <= 3
        && !first.starts_with('0')
        && groups
            .clone()
            .all(|group| group.len() == 3 && is_digits(group))
        && point.is_none_or(is_digits);
    (grouped && groups.next().is_some()).then(|| bare.replace(BLANKS, ""))
}

/// `42` of `42 (forty-two)`: what stands in brackets says the number once more.
fn without_words_again(text: &str) -> Option<&str> {
    let (number, words) = text.trim().strip_suffix(')')?.split_once(" (")?;
    if !number.bytes().all(|byte| byte.is_ascii_digit()) || words.contains(['\\', '(']) {
        return None;
    }
    let worded = words.contains(|c: char| c.is_ascii_lowercase());
    (worded && parser::parse(words).value == parser::parse(number).value).then_some(number)
}

/// The value of a text that is no formula as it stands but clearly meant as one: numbers with
/// nothing but spaces between them, which are in order (`-4 1 2`), a decimal that was torn apart
/// (`0. 98`), a root in words (`根号3`).
fn read_as_meant(text: &str, trace: &mut Vec<&'static str>) -> Option<Value> {
    let numbers: Vec<Value> = text
        .split_whitespace()
        .map(|part| parser::parse(part).value)
        .collect();
    let is_number = |value: &Value| {
        matches!(
            value,
            Value::Quantity(Quantity {
                expr: Expr::Number(_),
                unit: None
            })
        )
    };
    // `0. 98` would be two numbers here; it is one that was torn apart, and is mended below.
    if numbers.len() > 1 && !text.contains(". ") && numbers.iter().all(is_number) {
        trace.push("parse/spaced_numbers");
        return Some(Value::Tuple(numbers));
    }
    let mended = text
        .replace("根号", "\\sqrt ")
        .replace("\\beginboxed", "\\boxed");
    let mended = match mended.split_once(". ") {
        Some((whole, rest))
            if whole.ends_with(|c: char| c.is_ascii_digit())
                && rest.starts_with(|c: char| c.is_ascii_digit()) =>
        {
            format!("{whole}.{rest}")
        }
        _ => mended,
    };
    if mended == text {
        None
    } else {
        read_formula(&mended, trace)
    }
}

/// The value of a part of a text, where that is more than words.
fn read_formula(part: &str, trace: &mut Vec<&'static str>) -> Option<Value> {
    let parsed = parser::parse(part);
    if matches!(parsed.value, Value::Text(_)) {
        return None;
    }
    trace.push("parse/conclusion");
    trace.extend(parsed.rules);
    Some(parsed.value)
}
