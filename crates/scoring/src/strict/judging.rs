//! Answer and reference → judgement, and the account of how it came about.

use std::borrow::Cow;
use std::ops::Range;

use super::budget::{self, Budget, Terms};
use super::extraction::{self, ReferenceKind, Rules};
use super::policy::ListOrder;
use super::{
    Answer, Explanation, ExplanationStep, Profile, StrictJudgement, comparing, parser, prose,
    reading,
};

impl Profile {
    /// Judges an answer against a reference. The question, where it is known, tells whether the
    /// order of a list is part of the answer.
    pub fn judge(
        &self,
        answer: Answer<'_>,
        reference: &str,
        question: Option<&str>,
    ) -> StrictJudgement {
        if let Answer::Prediction(text) = answer
            && text.trim() == reference.trim()
            && !text.trim().is_empty()
        {
            let trace = vec!["extract/given", "equal/spelling"];
            return StrictJudgement {
                correct: true,
                answer: Some(text.trim().to_owned()),
                span: None,
                trace,
            };
        }
        let whole = reference.trim();
        let (reference, kind) = prepared(self.rules(), whole);
        let judgement = match self.found(answer, kind) {
            Some(found) => self.compare(found, &reference, question),
            None => StrictJudgement {
                correct: false,
                answer: None,
                span: None,
                trace: vec!["extract/nothing"],
            },
        };
        if judgement.correct || judgement.answer.is_none() {
            return judgement;
        }
        self.same_prose(answer, whole, question)
            .unwrap_or(judgement)
    }

    /// Where one side is words and formulas together, both are compared as such: the whole
    /// sentence, not its last formula.
    fn same_prose(
        &self,
        answer: Answer<'_>,
        reference: &str,
        question: Option<&str>,
    ) -> Option<StrictJudgement> {
        let found = match answer {
            Answer::Completion(_) => self.found(answer, ReferenceKind::Text)?,
            Answer::Prediction(text) => Found {
                text: Cow::Borrowed(text.trim()),
                span: None,
                rule: "extract/given",
            },
        };
        let budget = &mut Budget::on(self.terms(question));
        let same = (prose::is_prose(reference) || prose::is_prose(&found.text))
            && found.text.len() <= MAX_PROSE_BYTES
            && prose::same(&found.text, reference, budget).unwrap_or(false);
        same.then(|| StrictJudgement {
            correct: true,
            answer: Some(found.text.into_owned()),
            span: found.span.map(|span| [span.start, span.end]),
            trace: vec![found.rule, "equal/prose"],
        })
    }

    /// Judges, and tells every step of it with the purpose of its rule and what came of it.
    pub fn explain(
        &self,
        answer: Answer<'_>,
        reference: &str,
        question: Option<&str>,
    ) -> Explanation {
        let judgement = self.judge(answer, reference, question);
        let (reference, kind) = prepared(self.rules(), reference);
        let found = judgement.answer.as_deref();
        let value =
            |text: &str, other: &str| reading::read(text, other, &mut Vec::new()).to_string();
        let step = |&rule: &&'static str| ExplanationStep {
            rule,
            purpose: self.purpose(rule).unwrap_or_default().to_owned(),
        };
        Explanation {
            reference_kind: kind.name(),
            reference: reference.to_string(),
            reference_value: value(&reference, found.unwrap_or_default()),
            answer_value: found.map(|answer| value(answer, &reference)),
            list_order_counts: self.terms(question).ordered,
            steps: judgement.trace.iter().map(step).collect(),
            judgement,
        }
    }

    /// The answer itself, where there is one. An answer that was given and turns out to have a text
    /// around it is extracted from it.
    fn found<'t>(&self, answer: Answer<'t>, kind: ReferenceKind) -> Option<Found<'t>> {
        let extracted = |text: &'t str| {
            let found = extraction::extract(self.rules(), text, kind)?;
            Some(Found {
                text: found.text,
                span: Some(found.span),
                rule: found.rule,
            })
        };
        match answer {
            Answer::Completion(text) => extracted(text),
            Answer::Prediction(text) => {
                // Several option letters stand bare, as those of the reference do.
                if kind == ReferenceKind::Choice
                    && let Some(letters) =
                        extraction::option_letters(text).filter(|letters| letters.len() > 1)
                {
                    return Some(Found {
                        text: Cow::Owned(letters),
                        span: None,
                        rule: "extract/given",
                    });
                }
                let given = || {
                    Some(Found {
                        text: Cow::Borrowed(text.trim()),
                        span: None,
                        rule: "extract/given",
                    })
                };
                has_text_around(text, kind)
                    .then(|| extracted(text))
                    .flatten()
                    .or_else(given)
            }
        }
    }

    fn compare(
        &self,
        found: Found<'_>,
        reference: &str,
        question: Option<&str>,
    ) -> StrictJudgement {
        let mut trace = vec![found.rule];
        let answer = found.text;
        let correct = if answer == reference {
            trace.push("equal/spelling");
            !answer.is_empty()
        } else {
            let (left, right) = (
                reading::read(&answer, reference, &mut trace),
                reading::read(reference, &answer, &mut trace),
            );
            match comparing::compare(&left, &right, &mut Budget::on(self.terms(question))) {
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
        StrictJudgement {
            correct,
            answer: Some(answer.into_owned()),
            span: found.span.map(|span| [span.start, span.end]),
            trace,
        }
    }

    fn terms(&self, question: Option<&str>) -> Terms {
        let policy = self.policy();
        Terms {
            units: policy.units,
            percent: policy.percent,
            ordered: match policy.list_order {
                ListOrder::Kept => true,
                ListOrder::Any => false,
                ListOrder::AsAsked => question.is_some_and(parser::asks_for_order),
            },
        }
    }
}

/// A longer answer is no sentence.
const MAX_PROSE_BYTES: usize = 1_000;

/// An answer and how it was come by.
struct Found<'t> {
    text: Cow<'t, str>,
    span: Option<Range<usize>>,
    rule: &'static str,
}

/// The reference itself and its kind; option letters bare, as they are extracted from completions.
fn prepared<'r>(rules: &Rules, reference: &'r str) -> (Cow<'r, str>, ReferenceKind) {
    let reference = bare_reference(rules, reference);
    let kind = extraction::kind_of(&reference);
    match extraction::option_letters(&reference) {
        Some(letters) if kind == ReferenceKind::Choice => (Cow::Owned(letters), kind),
        _ => (reference, kind),
    }
}

/// The reference itself, where it stands at the end of a worked solution or before the text of an
/// option.
fn bare_reference<'r>(rules: &Rules, reference: &'r str) -> Cow<'r, str> {
    let reference = reference.trim();
    if let Some(letter) = option_before_text(reference) {
        return Cow::Borrowed(letter);
    }
    let formula = reference.contains('$') || reference.contains("\\(") || reference.contains("\\[");
    if (is_boxed(reference) || (formula && words(reference) >= 4))
        && let Some(found) = extraction::extract(rules, reference, ReferenceKind::Formula)
        // The last of several formulas is not what all of them say.
        && (found.rule != "extract/last-formula" || prose::formulas(reference) == 1)
    {
        return found.text;
    }
    Cow::Borrowed(reference)
}

/// The letter of `(D) Alina` or `C Cecile`.
fn option_before_text(reference: &str) -> Option<&str> {
    let (head, text) = reference.split_once(' ')?;
    let letter = head
        .trim_start_matches('(')
        .trim_end_matches([')', '.', ':']);
    let is_letter = letter.len() == 1 && letter.starts_with(|c: char| ('A'..='J').contains(&c));
    let is_text = text.len() > 1
        && text.chars().all(|c| c.is_alphabetic() || c == ' ')
        && text.starts_with(char::is_uppercase);
    (is_letter && is_text).then_some(letter)
}

fn is_boxed(text: &str) -> bool {
    text.contains("\\boxed") || text.contains("\\fbox")
}

/// Words of at least two letters.
fn words(text: &str) -> usize {
    let is_word = |word: &&str| {
        word.len() > 1
            && word
                .chars()
                .all(|c| c.is_alphabetic() || matches!(c, ',' | '.' | '\'' | ':'))
    };
    text.split_whitespace().filter(is_word).count()
}

/// Whether an answer is boxed, or stands in a text: a formula or an option letter among words.
fn has_text_around(text: &str, kind: ReferenceKind) -> bool {
    let formula = text.contains('$') || text.contains("\\(") || text.contains("\\[");
    let number = text.contains(|c: char| c.is_ascii_digit());
    let words = words(text);
    is_boxed(text)
        || (formula && words >= 2)
        || (number && words >= 4)
        || (kind == ReferenceKind::Choice && words >= 2)
}
