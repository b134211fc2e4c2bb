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
use value::Value;

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
    let reference = bare_reference(reference);
    match extraction::extract(completion, extraction::kind_of(&reference)) {
        Some(found) => compare(found.text, &reference, found.rule),
        None => Judgement { correct: false, answer: None, trace: vec!["extract/nothing"] },
    }
}

/// Judges an answer without a text around it against a reference. An answer that turns out to have a text around it is
/// extracted from it.
pub fn judge_prediction(prediction: &str, reference: &str) -> Judgement {
    let reference = bare_reference(reference);
    if has_text_around(prediction)
        && let Some(found) = extraction::extract(prediction, extraction::kind_of(&reference))
    {
        return compare(found.text, &reference, found.rule);
    }
    compare(Cow::Borrowed(prediction.trim()), &reference, "extract/given")
}

/// The reference itself, where it stands at the end of a worked solution.
fn bare_reference(reference: &str) -> Cow<'_, str> {
    let reference = reference.trim();
    if has_text_around(reference)
        && let Some(found) = extraction::extract(reference, extraction::ReferenceKind::Formula)
    {
        return found.text;
    }
    Cow::Borrowed(reference)
}

/// Whether an answer is boxed, or stands in a text: a formula among words.
fn has_text_around(text: &str) -> bool {
    const FEW_WORDS: usize = 4;
    let boxed = text.contains("\\boxed") || text.contains("\\fbox");
    let formula = text.contains('$') || text.contains("\\(") || text.contains("\\[") || text.contains(|c: char| c.is_ascii_digit());
    let is_word = |word: &&str| word.len() > 1 && word.chars().all(|c| c.is_alphabetic() || matches!(c, ',' | '.' | '\'' | ':'));
    boxed || (formula && text.split_whitespace().filter(is_word).count() >= FEW_WORDS)
}

fn compare(answer: Cow<'_, str>, reference: &str, extracted_by: &'static str) -> Judgement {
    let mut trace = vec![extracted_by];
    let correct = if answer == reference {
        trace.push("equal/spelling");
        !answer.is_empty()
    } else {
        let (left, right) = (read(&answer, &mut trace), read(reference, &mut trace));
        match comparing::compare(&left, &right, &mut Budget::new()) {
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

/// The value of a text. Words before an equals sign name what follows it: `\text{Difference} = \$8,400`.
fn read(text: &str, trace: &mut Vec<&'static str>) -> Value {
    let parsed = parser::parse(text);
    if let Value::Text(_) = parsed.value
        && let Some((name, rest)) = text.rsplit_once('=')
        && !name.ends_with(['<', '>', '!', '\\'])
    {
        let tail = parser::parse(rest);
        if !matches!(tail.value, Value::Text(_)) {
            trace.push("parse/named");
            trace.extend(tail.rules);
            return tail.value;
        }
    }
    trace.extend(parsed.rules);
    parsed.value
}
