//! The final answer of a worked solution to which there is no reference.

use serde::Serialize;

use super::Profile;
use super::extraction::{self, Extracted, ReferenceKind};

/// What a solution says its answer is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FinalAnswer {
    /// The answer's text; a formula may stand in its delimiters.
    pub text: String,
    /// Id of the rule that took it, such as `extract/boxed`.
    pub rule: &'static str,
}

/// Take words of which nothing says that they are an answer.
const PROSE: [&str; 3] = ["extract/last-line", "extract/last-is", "extract/refusal"];
/// Not announced: the last formula of the text.
const LAST_FORMULA: &str = "extract/last-formula";

impl Profile {
    /// The final answer of a solution: what it announces (boxed, after `####`, "The answer is …"),
    /// else its last formula or number, whichever comes later. `None` where there is nothing but
    /// prose.
    pub fn final_answer(&self, solution: &str) -> Option<FinalAnswer> {
        let by = |kind| {
            extraction::extract(self.rules(), solution, kind, None)
                .found
                .filter(|found| !PROSE.contains(&found.rule))
        };
        let end = |found: &Extracted<'_>| found.span.end;
        // Without a reference its kind is not known: both are tried, unless an answer is announced.
        let found = match by(ReferenceKind::Formula) {
            Some(formula) if formula.rule != LAST_FORMULA => formula,
            formula => match (formula, by(ReferenceKind::Number)) {
                (Some(formula), Some(number)) if end(&number) > end(&formula) => number,
                (formula, number) => formula.or(number)?,
            },
        };
        Some(FinalAnswer {
            text: found.text.into_owned(),
            rule: found.rule,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn announced_answers_come_first_and_prose_has_none() {
        for (solution, answer) in [
            ("2 + 3 = 5 and 5 + 1 = 6. The answer is 6.", Some("6")),
            (
                "So \\boxed{\\frac{1}{2}} of the 8 slices.",
                Some("\\frac{1}{2}"),
            ),
            ("48 + 24 = 72\n#### 72", Some("72")),
            ("Let $x$ be the number. Then Ann has 5 apples.", Some("5")),
            ("Adding 3 to it, we get $x^2 + 3$.", Some("$x^2 + 3$")),
            ("Because it is so.", None),
            ("I cannot make such a question.", None),
            ("", None),
        ] {
            let found = Profile::standard().final_answer(solution);
            assert_eq!(
                found.as_ref().map(|found| found.text.as_str()),
                answer,
                "{solution}: {found:?}"
            );
        }
    }
}
