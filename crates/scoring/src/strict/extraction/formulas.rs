//! Formulas between LaTeX delimiters, in prose.

use std::ops::Range;

use math_equality::formulas;

/// What may stand between two formulas that together are the answer.
const JOINTS: [&str; 7] = [",", ";", "and", "or", "，", "和", "或"];

/// The formula that a span stands in. Dollar signs count only as Pandoc counts them, lest two sums
/// of money make a formula: no space inside next to either, and no digit behind the closing one.
pub(super) fn around(
    text: &str,
    within: Range<usize>,
    span: &Range<usize>,
) -> Option<Range<usize>> {
    let is_formula = |formula: &Range<usize>| {
        let inside = text[formula.clone()]
            .strip_prefix('$')
            .and_then(|rest| rest.strip_suffix('$'));
        let is_money = inside.is_some_and(|inside| {
            let double = inside.starts_with('$');
            !double
                && (inside.starts_with(' ')
                    || inside.ends_with(' ')
                    || text[formula.end..].starts_with(|c: char| c.is_ascii_digit()))
        });
        !is_money
    };
    let mut at = within.start;
    while at < span.start {
        let formula = formulas(text, at..within.end).next()?;
        if !is_formula(&formula) {
            // The second dollar sign of a sum of money may open a formula: only the first is
            // passed.
            at = formula.start + 1;
        } else if formula.start <= span.start && span.end <= formula.end {
            return Some(formula);
        } else {
            at = formula.end;
        }
    }
    None
}

/// The answer in a sentence: the sentence where it begins with a formula or has none, otherwise the
/// last formula, with those before it that belong to it.
pub(super) fn within(text: &str, span: Range<usize>) -> Range<usize> {
    let sentence = text[span.clone()].trim_start();
    let starts_with_word = sentence.chars().take_while(|c| c.is_alphabetic()).count() >= 2;
    match last(text, span.clone()) {
        Some(formula) if starts_with_word => formula,
        _ => span,
    }
}

/// The last formula, with those before it that only a comma or a word like `and` divides from it;
/// the one before it where it only says what that one is near.
pub(super) fn last(text: &str, span: Range<usize>) -> Option<Range<usize>> {
    let joined = |joined: Option<Range<usize>>, next: Range<usize>| match joined {
        Some(before) if joins(&text[before.end..next.start]) => Some(before.start..next.end),
        // The exact value is the answer, the decimal behind it only illustrates it.
        Some(before) if nears(&text[before.end..next.start]) => Some(before),
        _ => Some(next),
    };
    formulas(text, span).fold(None, joined)
}

/// Whether what stands between two formulas makes the second a decimal near the first:
/// `$\sqrt2$, which is approximately $1.41$`.
pub(super) fn nears(between: &str) -> bool {
    const MAX_BYTES: usize = 40;
    const WORDS: [&str; 6] = [
        "approximately",
        "about",
        "roughly",
        "around",
        "≈",
        "or nearly",
    ];
    let bare = between
        .trim_start_matches(['$', ')', '\\'])
        .trim_end_matches([' ', '(', '$', '\\']);
    bare.len() <= MAX_BYTES
        && !bare.contains(['.', '\n'])
        && bare.starts_with([' ', ','])
        && WORDS.iter().any(|word| bare.ends_with(word))
}

fn joins(between: &str) -> bool {
    let mut rest = between.trim();
    while let Some(joint) = JOINTS.iter().find(|joint| rest.starts_with(**joint)) {
        rest = rest[joint.len()..].trim_start();
    }
    rest.is_empty() && !between.trim().is_empty()
}
