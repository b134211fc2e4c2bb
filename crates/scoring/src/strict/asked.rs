//! What a question asks its answer to be: rounded, in a unit, solved for a letter, in a form.
//!
//! A question is read by a few phrases. Where it asks for two things of one kind, such as the
//! nearest tenth and the nearest cent, it is taken to ask for neither.

use super::policy::Helps;

/// Ids in traces.
pub(super) const ROUNDING: &str = "question/rounding";
pub(super) const SOLVED_FOR: &str = "question/solved_for";
pub(super) const ASKED_UNIT: &str = "question/asked_unit";
pub(super) const ASKED_FORM: &str = "question/asked_form";

/// Why an answer that equals the reference is not what was asked for, and the id of the rule.
///
/// `rule` is the rule of equality that made it correct; `contradicts` tells whether the answer
/// contradicts the reference with that unit behind it.
pub(super) fn refused(
    helps: Helps,
    question: &str,
    (answer, reference): (&str, &str),
    rule: &str,
    contradicts: impl FnOnce(&str) -> bool,
) -> Option<&'static str> {
    if helps.solved_for
        && rule == "equal/equation"
        && let Some(letter) = asked_letter(question)
        && is_solved(reference, letter)
        && !is_solved(answer, letter)
    {
        return Some(SOLVED_FOR);
    }
    if helps.asked_unit
        && is_bare_number(reference)
        && answer.contains(|c: char| c.is_alphabetic())
        && let Some(unit) = unit(question)
        && contradicts(&unit)
    {
        return Some(ASKED_UNIT);
    }
    let other_form = || match form(question)? {
        Form::Fraction => {
            let bytes = answer.as_bytes();
            let point =
                |at: usize| bytes[at] == b'.' && bytes.get(at + 1).is_some_and(u8::is_ascii_digit);
            Some((0..bytes.len()).any(point) || answer.contains('%'))
        }
        Form::Decimal => Some(answer.contains('/') || answer.contains("frac")),
    };
    (helps.asked_form && other_form() == Some(true)).then_some(ASKED_FORM)
}

/// Whether an equation has a name, that letter where one is asked for, or a function of letters
/// alone on one side.
fn is_solved(text: &str, letter: Option<char>) -> bool {
    let bare = text.trim_matches(['$', ' ', '.']);
    let bare = bare.trim_start_matches("\\(").trim_start_matches("\\[");
    let bare = bare.trim_end_matches("\\)").trim_end_matches("\\]");
    let Some((left, right)) = bare.split_once('=') else {
        return false;
    };
    let is_name = |side: &str, other: &str| {
        let side = side.trim_matches([' ', '$', '&']);
        let name = side.split(['(', '_', '\'']).next().unwrap_or_default();
        let name = name.trim_start_matches('\\');
        let letters = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic());
        let signs = side.contains(['+', '-', '*', '/', '^', '=', '<', '>']);
        // `xy` is a product, `y = x + y` is not solved.
        let one = name.len() == 1 || side.starts_with('\\');
        let asked = letter.is_none_or(|letter| name.chars().eq([letter]));
        letters && one && !signs && asked && !(name.len() == 1 && other.contains(name))
    };
    is_name(left, right) || is_name(right, left)
}

/// Whether the question wants one letter by others, and which, where it names it.
fn asked_letter(question: &str) -> Option<Option<char>> {
    const HEADS: [&str; 3] = ["olve for ", "olved for ", "olving for "];
    let only = |word: &str| {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric());
        let mut letters = word.chars();
        let letter = letters.next().filter(char::is_ascii_alphabetic)?;
        letters.next().is_none().then_some(letter)
    };
    for head in HEADS {
        if let Some((_, behind)) = question.split_once(head) {
            // `solve for all values` asks for none.
            return only(behind.split_whitespace().next()?).map(Some);
        }
    }
    let (before, _) = question.split_once(" in terms of ")?;
    Some(before.split_whitespace().next_back().and_then(only))
}

fn is_bare_number(text: &str) -> bool {
    let text = text.trim_matches(['$', ' ']);
    text.bytes().any(|byte| byte.is_ascii_digit())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b".,-/".contains(&byte))
}

/// The unit that the question asks for, in its words.
fn unit(question: &str) -> Option<String> {
    let question = question.to_ascii_lowercase();
    let mut asked: Option<String> = None;
    for behind in question.split("how many ").skip(1) {
        let unit = measure(behind)?;
        if asked.as_ref().is_some_and(|other| *other != unit) {
            return None;
        }
        asked = Some(unit);
    }
    let last = question
        .trim_end_matches(['?', '.', '$', ' ', '\n'])
        .rsplit_once(" in ")
        .map(|(_, words)| words);
    let last = last.filter(|words| words.split_whitespace().count() <= 4);
    match (asked, last.and_then(measure)) {
        (Some(asked), Some(last)) => (asked == last).then_some(asked),
        (asked, last) => asked.or(last),
    }
}

/// The words of a unit at the start of a text: one, or more for squares, cubes and rates.
fn measure(text: &str) -> Option<String> {
    let mut words = text
        .split_whitespace()
        .map(|word| word.trim_matches(|c: char| !c.is_alphabetic()))
        .take_while(|word| !word.is_empty());
    let mut unit = words.next()?.to_owned();
    if matches!(unit.as_str(), "square" | "cubic") {
        unit = format!("{unit} {}", words.next()?);
    }
    if words.next() == Some("per") {
        unit = format!("{unit} per {}", words.next()?);
    }
    Some(unit)
}

/// The form of number that a question asks for.
enum Form {
    Fraction,
    Decimal,
}

fn form(question: &str) -> Option<Form> {
    const FRACTIONS: [&str; 6] = [
        "as a fraction",
        "as a common fraction",
        "as an improper fraction",
        "as a mixed number",
        "as a reduced fraction",
        "as a simplified fraction",
    ];
    let question = question.to_ascii_lowercase();
    let fraction = FRACTIONS.iter().any(|phrase| question.contains(phrase));
    let decimal = ["as a decimal", "in decimal form"]
        .iter()
        .any(|phrase| question.contains(phrase));
    match (fraction, decimal) {
        (true, false) => Some(Form::Fraction),
        (false, true) => Some(Form::Decimal),
        _ => None,
    }
}

/// How many decimal places the question asks to round to; tens are −1.
pub(super) fn places(question: &str) -> Option<i32> {
    const NEAREST: [(&str, i32); 15] = [
        ("tenth", 1),
        ("hundredth", 2),
        ("thousandth", 3),
        ("ten-thousandth", 4),
        ("ten thousandth", 4),
        ("whole", 0),
        ("integer", 0),
        ("unit", 0),
        ("dollar", 0),
        ("degree", 0),
        ("cent", 2),
        ("penny", 2),
        ("ten", -1),
        ("hundred", -2),
        ("thousand", -3),
    ];
    const NUMBERS: [(&str, i32); 6] = [
        ("one", 1),
        ("two", 2),
        ("three", 3),
        ("four", 4),
        ("five", 5),
        ("six", 6),
    ];
    /// Words that make another number of the ones behind "nearest", or another rounding.
    const SCALES: [&str; 5] = ["thousand", "million", "billion", "trillion", "cent"];
    const OTHERWISE: [&str; 11] = [
        "exact",
        "not round",
        "n't round",
        "without rounding",
        "round up",
        "rounded up",
        "rounding up",
        "round down",
        "rounded down",
        "rounding down",
        "truncat",
    ];
    // Most questions round nothing.
    if !question.contains("nearest ") && !question.contains("decimal place") {
        return None;
    }
    let question = question.to_ascii_lowercase();
    if OTHERWISE.iter().any(|words| question.contains(words)) {
        return None;
    }
    let mut found: Option<i32> = None;
    let nearest = question.split("nearest ").skip(1).map(|behind| {
        let word = behind
            .split(|c: char| !(c.is_ascii_alphabetic() || c == '-'))
            .next()
            .unwrap_or_default();
        let two = behind.starts_with("ten thousandth");
        let word = if two { "ten thousandth" } else { word };
        // `hundred thousand`, `tenth of a million`, `ten cents`
        let rest = behind[word.len()..].trim_start();
        let rest = rest.strip_prefix("of a ").unwrap_or(rest);
        if SCALES.iter().any(|scale| rest.starts_with(scale)) {
            return None;
        }
        let known = NEAREST.iter().find(|(name, _)| *name == word);
        known.map(|(_, places)| *places)
    });
    let decimals = question.match_indices(" decimal place").map(|(at, _)| {
        let word = question[..at].rsplit(' ').next().unwrap_or_default();
        let named = NUMBERS.iter().find(|(name, _)| *name == word);
        let named = named.map(|(_, places)| *places);
        named.or_else(|| word.parse().ok().filter(|places| (0..=12).contains(places)))
    });
    for places in nearest.chain(decimals) {
        // What is not known may ask for anything.
        let places = places?;
        if found.is_some_and(|other| other != places) {
            return None;
        }
        found = Some(places);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_that_questions_ask_for() {
        for (question, expected) in [
            ("Round to the nearest tenth.", Some(1)),
            ("to the nearest ten thousandth", Some(4)),
            ("Give your answer to two decimal places.", Some(2)),
            ("correct to 3 decimal places", Some(3)),
            ("to the nearest hundred dollars", Some(-2)),
            ("the nearest tenth or the nearest cent", None),
            ("walks to the nearest shop", None),
            ("to the nearest hundred thousand", None),
            ("to the nearest hundred thousandth", None),
            ("to the nearest tenth of a million", None),
            ("to the nearest ten cents", None),
            ("Round up to the nearest whole number.", None),
            ("Bags to the nearest tenth: what is the exact mass?", None),
            ("How far is it?", None),
        ] {
            assert_eq!(places(question), expected, "{question}");
        }
    }

    #[test]
    fn units_that_questions_ask_for() {
        for (question, expected) in [
            ("How many minutes does it take?", Some("minutes")),
            ("How many square feet is it?", Some("square feet")),
            (
                "What is its speed in miles per hour?",
                Some("miles per hour"),
            ),
            ("What is the area, in square meters?", Some("square meters")),
            ("How many hours is that in minutes?", None),
            ("How many hours and how many days?", None),
            ("What is its length?", None),
        ] {
            assert_eq!(unit(question).as_deref(), expected, "{question}");
        }
    }

    #[test]
    fn letters_that_questions_ask_for() {
        for (question, expected) in [
            ("Express y in terms of x.", Some(Some('y'))),
            ("Solve for $y$.", Some(Some('y'))),
            ("What is the area in terms of r?", Some(None)),
            ("Solve for all x.", None),
            ("What is x?", None),
        ] {
            assert_eq!(asked_letter(question), expected, "{question}");
        }
    }

    #[test]
    fn equations_that_are_solved() {
        for (text, solved) in [
            ("y = \\frac{x-1}{2}", true),
            ("$y=2x$", true),
            ("f(x) = 2x", true),
            ("\\theta = 2x", true),
            ("2x = y", true),
            ("x + y = 3", false),
            ("2y = 3x", false),
            ("xy = 3", false),
            ("y = x + y", false),
            ("3", false),
        ] {
            assert_eq!(is_solved(text, None), solved, "{text}");
        }
        assert!(!is_solved("x = 2y", Some('y')));
        assert!(is_solved("y = 2x", Some('y')));
    }
}
