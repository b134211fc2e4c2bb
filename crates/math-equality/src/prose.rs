//! Answers that are words and formulas together: `concave up on $(0, \infty)$`,
//! `radius: 1, center: $(2, 3)$`.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::budget::{Budget, Exhausted};
use super::{comparing, delimiters, reading};

/// Words that may stand on one side only, whatever they are between.
const JOINTS: [&str; 16] = [
    "and", "or", "the", "an", "is", "are", "at", "on", "in", "to", "of", "by", "that", "answer",
    "equals", "equal",
];

/// Words that change what stands behind them: they must stand on both sides.
const CHANGING: [&str; 22] = [
    "not", "no", "never", "neither", "nor", "without", "except", "unless", "least", "most", "more",
    "less", "fewer", "greater", "half", "twice", "double", "triple", "negative", "minus", "cannot",
    "if",
];

/// A text taken apart.
struct Prose<'t> {
    /// Lower case, in no order.
    words: BTreeSet<String>,
    /// In order: what stands between delimiters, and numbers outside of them.
    formulas: Vec<Cow<'t, str>>,
}

/// Whether a text has words beside formulas between delimiters.
pub fn is_prose(text: &str) -> bool {
    delimiters::formulas(text, 0..text.len()).next().is_some() && !Prose::of(text).words.is_empty()
}

/// Whether two texts have equal formulas in the same order, and no words that the other
/// contradicts: one side may have fewer words, not other ones.
pub fn same(left: &str, right: &str, budget: &mut Budget) -> Result<bool, Exhausted> {
    let (left, right) = (Prose::of(left), Prose::of(right));
    let words_agree = left.words.is_subset(&right.words) || right.words.is_subset(&left.words);
    let changed = left
        .words
        .symmetric_difference(&right.words)
        .any(|word| CHANGING.contains(&word.as_str()));
    if changed
        || left.formulas.is_empty()
        || left.formulas.len() != right.formulas.len()
        || !words_agree
    {
        return Ok(false);
    }
    // In order: words have none here, so that only the formulas tell "up on A, down on B" from its
    // exchange.
    for (a, b) in left.formulas.iter().zip(&right.formulas) {
        let mut rules = Vec::new();
        let (a, b) = (
            reading::read(a, b, &mut rules),
            reading::read(b, a, &mut rules),
        );
        if !comparing::compare(&a, &b, budget)?.equal {
            return Ok(false);
        }
    }
    Ok(true)
}

impl<'t> Prose<'t> {
    fn of(text: &'t str) -> Self {
        let mut prose = Self {
            words: BTreeSet::new(),
            formulas: Vec::new(),
        };
        let mut at = 0;
        for formula in delimiters::formulas(text, 0..text.len()) {
            prose.add_words(&text[at..formula.start]);
            prose.formulas.push(Cow::Borrowed(&text[formula.clone()]));
            at = formula.end;
        }
        match at {
            // Without delimiters it is one formula, or none.
            0 => prose.formulas.push(Cow::Borrowed(text)),
            _ => prose.add_words(&text[at..]),
        }
        prose
    }

    fn add_words(&mut self, text: &'t str) {
        for part in text.split_whitespace() {
            let part = part.trim_matches([',', '.', ';', ':', '(', ')', '!', '?', '"', '\'']);
            if part.contains(|sign: char| sign.is_ascii_digit()) {
                self.formulas.push(Cow::Borrowed(part));
            } else if is_word(part) {
                let word = part.to_lowercase();
                if !JOINTS.contains(&word.as_str()) {
                    self.words.insert(word);
                }
            }
        }
    }
}

fn is_word(part: &str) -> bool {
    // A single letter may be an article or a variable, and loose LaTeX is no word: neither counts
    // for or against a side.
    part.chars().filter(|sign| sign.is_alphabetic()).count() >= 2
        && !part.contains(['\\', '{', '^', '_', '='])
}
