//! Whether an answer equals the reference: the original's `is_equiv`, each rule of the profile in
//! turn, the first that applies.

use super::profile::{Equality, profile};
use crate::python::float;

/// The two texts to compare.
pub(crate) struct Sides<'a> {
    /// `None` where nothing was extracted.
    pub(crate) answer: Option<&'a str>,
    pub(crate) reference: &'a str,
    /// The value of the clean reference where it is a number.
    pub(crate) reference_number: Option<f64>,
    /// Cleaning the answer raised: both texts are as they came, in lower case.
    pub(crate) uncleaned: bool,
}

impl Sides<'_> {
    /// The id of the rule that decided, and its decision.
    pub(crate) fn compare(&self) -> (&'static str, bool) {
        let answer = self.answer.unwrap_or_default();
        let answer_number = number(answer);
        let contained = |part: &str, part_number: Option<f64>, whole: &str| {
            part_number.is_none()
                // Python counts characters and not bytes: three at least.
                && part.chars().nth(2).is_some()
                && !part.starts_with('-')
                && !whole.starts_with('-')
                && whole.contains(part)
        };
        let decide = |rule: &Equality| {
            let decision = match rule {
                Equality::Missing => self.answer.is_none().then_some(false),
                Equality::Uncleaned => self.uncleaned.then(|| answer == self.reference),
                Equality::Number => answer_number
                    .zip(self.reference_number)
                    .map(|(answer, reference)| answer == reference),
                Equality::InlineFormula => is_inline_formula(self.reference).then(|| {
                    answer
                        .trim_matches('$')
                        .contains(self.reference.trim_matches('$'))
                }),
                Equality::AnswerInReference => {
                    contained(answer, answer_number, self.reference).then_some(true)
                }
                Equality::ReferenceInAnswer => {
                    contained(self.reference, self.reference_number, answer).then_some(true)
                }
                Equality::Identical => Some(answer == self.reference),
            };
            decision.map(|equal| (rule.id(), equal))
        };
        profile()
            .equalities
            .iter()
            .find_map(decide)
            // The last rule of the profile always applies, which a test holds: this is for the
            // type.
            .unwrap_or((Equality::Identical.id(), answer == self.reference))
    }
}

/// The value of a text that is a number, dollar signs around it apart.
pub(crate) fn number(text: &str) -> Option<f64> {
    float(text.trim_matches('$'))
}

/// Whether the text matches `^\$[^$]+\$$`, where the last `$` also matches before a final newline.
pub(crate) fn is_inline_formula(text: &str) -> bool {
    let text = text.strip_suffix('\n').unwrap_or(text);
    let inner = text
        .strip_prefix('$')
        .and_then(|rest| rest.strip_suffix('$'));
    inner.is_some_and(|inner| !inner.is_empty() && !inner.contains('$'))
}
