//! The strict scorer: what a careful mathematician would say.
//!
//! An answer is extracted from the completion ([`judge_completion`]) or given ([`judge_prediction`]), both sides are parsed into values, and
//! the values are compared, not their spelling. What cannot be parsed is compared as words. No clock is involved: a budget
//! of steps bounds the work, and an answer on which it runs out says so in its trace.

mod budget; // steps instead of a clock
mod comparing; // value = value?
mod equivalence; // expression = expression?
mod expr; // formulas
mod extraction; // completion → answer
mod parser; // text → value
#[cfg(test)]
mod show; // values in print, for tests
mod value; // what an answer denotes

use std::borrow::Cow;

use serde::Serialize;

use budget::Budget;

/// What the strict scorer says of one answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Judgement {
    /// Whether the answer and the reference denote the same.
    pub correct: bool,
    /// The answer as found in the completion; `None` where there is none.
    pub answer: Option<String>,
    /// Ids of the rules that decided, in order: extraction, parsing of the answer, parsing of the reference, comparison.
    pub trace: Vec<&'static str>,
}

/// Judges a whole completion against a reference.
pub fn judge_completion(completion: &str, reference: &str) -> Judgement {
    match extraction::extract(completion, extraction::kind_of(reference)) {
        Some(found) => compare(found.text, reference, found.rule),
        None => Judgement { correct: false, answer: None, trace: vec!["extract/nothing"] },
    }
}

/// Judges an answer without a text around it against a reference.
pub fn judge_prediction(prediction: &str, reference: &str) -> Judgement {
    compare(Cow::Borrowed(prediction.trim()), reference, "extract/given")
}

fn compare(answer: Cow<'_, str>, reference: &str, extracted_by: &'static str) -> Judgement {
    let mut trace = vec![extracted_by];
    let correct = if answer == reference.trim() {
        trace.push("equal/spelling");
        !answer.is_empty()
    } else {
        let (left, right) = (parser::parse(&answer), parser::parse(reference));
        trace.extend(left.rules);
        trace.extend(right.rules);
        match comparing::compare(&left.value, &right.value, &mut Budget::new()) {
            Ok(verdict) => {
                trace.push(verdict.rule);
                verdict.equal
            }
            Err(budget::Exhausted) => {
                trace.push("equal/out_of_budget");
                false
            }
        }
    };
    Judgement { correct, answer: Some(answer.into_owned()), trace }
}
