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
use expr::Expr;
use extraction::ReferenceKind;
use value::{Quantity, Value};

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
    let (reference, kind) = prepared(reference);
    match extraction::extract(completion, kind) {
        Some(found) => compare(found.text, &reference, found.rule),
        None => Judgement { correct: false, answer: None, trace: vec!["extract/nothing"] },
    }
}

/// Judges an answer without a text around it against a reference. An answer that turns out to have a text around it is
/// extracted from it.
pub fn judge_prediction(prediction: &str, reference: &str) -> Judgement {
    let (reference, kind) = prepared(reference);
    if has_text_around(prediction, kind)
        && let Some(found) = extraction::extract(prediction, kind)
    {
        return compare(found.text, &reference, found.rule);
    }
    compare(Cow::Borrowed(prediction.trim()), &reference, "extract/given")
}

/// The reference itself and its kind; option letters bare, as they are extracted from completions.
fn prepared(reference: &str) -> (Cow<'_, str>, ReferenceKind) {
    let reference = bare_reference(reference);
    let kind = extraction::kind_of(&reference);
    match extraction::option_letters(&reference) {
        Some(letters) if kind == ReferenceKind::Choice => (Cow::Owned(letters), kind),
        _ => (reference, kind),
    }
}

/// The reference itself, where it stands at the end of a worked solution or before the text of an option.
fn bare_reference(reference: &str) -> Cow<'_, str> {
    let reference = reference.trim();
    if let Some(letter) = option_before_text(reference) {
        return Cow::Borrowed(letter);
    }
    let formula = reference.contains('$') || reference.contains("\\(") || reference.contains("\\[");
    if (is_boxed(reference) || (formula && words(reference) >= 4))
        && let Some(found) = extraction::extract(reference, ReferenceKind::Formula)
    {
        return found.text;
    }
    Cow::Borrowed(reference)
}

/// The letter of `(D) Alina` or `C Cecile`.
fn option_before_text(reference: &str) -> Option<&str> {
    let (head, text) = reference.split_once(' ')?;
    let letter = head.trim_start_matches('(').trim_end_matches([')', '.', ':']);
    let is_letter = letter.len() == 1 && letter.starts_with(|c: char| ('A'..='J').contains(&c));
    let is_text =
        text.len() > 1 && text.chars().all(|c| c.is_alphabetic() || c == ' ') && text.starts_with(char::is_uppercase);
    (is_letter && is_text).then_some(letter)
}

fn is_boxed(text: &str) -> bool {
    text.contains("\\boxed") || text.contains("\\fbox")
}

/// Words of at least two letters.
fn words(text: &str) -> usize {
    let is_word =
        |word: &&str| word.len() > 1 && word.chars().all(|c| c.is_alphabetic() || matches!(c, ',' | '.' | '\'' | ':'));
    text.split_whitespace().filter(is_word).count()
}

/// Whether an answer is boxed, or stands in a text: a formula or an option letter among words.
fn has_text_around(text: &str, kind: ReferenceKind) -> bool {
    let formula = text.contains('$') || text.contains("\\(") || text.contains("\\[");
    let number = text.contains(|c: char| c.is_ascii_digit());
    let words = words(text);
    is_boxed(text) || (formula && words >= 2) || (number && words >= 4) || (kind == ReferenceKind::Choice && words >= 2)
}

fn compare(answer: Cow<'_, str>, reference: &str, extracted_by: &'static str) -> Judgement {
    let mut trace = vec![extracted_by];
    let correct = if answer == reference {
        trace.push("equal/spelling");
        !answer.is_empty()
    } else {
        let (left, right) = (read(&answer, reference, &mut trace), read(reference, &answer, &mut trace));
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

/// Signs before the last conclusion of a derivation.
const CONCLUSIONS: [&str; 5] = ["\\implies", "\\Rightarrow", "\\Longrightarrow", "\\therefore", "⇒"];

/// The value of a text. Where it cannot be parsed as a whole, what follows the last conclusion is read, and words before an
/// equals sign name what follows it (`\text{Difference} = \$8,400`) unless the other side has an equals sign too.
fn read(text: &str, other: &str, trace: &mut Vec<&'static str>) -> Value {
    let conclusion = CONCLUSIONS.iter().filter_map(|sign| Some(text.rfind(sign)? + sign.len())).max();
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
        && !other.contains('=')
        && let Some((name, rest)) = text.rsplit_once('=')
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

/// The value of a text that is no formula as it stands but clearly meant as one: numbers with nothing but spaces between them,
/// which are in order (`-4 1 2`), a decimal that was torn apart (`0. 98`), a root in words (`根号3`).
fn read_as_meant(text: &str, trace: &mut Vec<&'static str>) -> Option<Value> {
    let numbers: Vec<Value> = text.split_whitespace().map(|part| parser::parse(part).value).collect();
    let is_number = |value: &Value| matches!(value, Value::Quantity(Quantity { expr: Expr::Number(_), unit: None }));
    if numbers.len() > 1 && !text.contains(". ") && numbers.iter().all(is_number) {
        trace.push("parse/spaced_numbers");
        return Some(Value::Tuple(numbers));
    }
    let mended = text.replace("根号", "\\sqrt ").replace("\\beginboxed", "\\boxed");
    let mended = match mended.split_once(". ") {
        Some((whole, rest))
            if whole.ends_with(|c: char| c.is_ascii_digit()) && rest.starts_with(|c: char| c.is_ascii_digit()) =>
        {
            format!("{whole}.{rest}")
        }
        _ => mended,
    };
    if mended == text { None } else { read_formula(&mended, trace) }
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
