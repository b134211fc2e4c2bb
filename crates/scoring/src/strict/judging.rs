//! Answer and reference → judgement, and the account of how it came about.

use std::borrow::Cow;
use std::ops::Range;

use math_equality::{Budget, EqualityDecision, Exhausted, Options};

use super::extraction::{self, Extraction, Question, ReferenceKind, Rules, Thoughts};
use super::policy::{self, ListOrder};
use super::{
    Answer, Explanation, ExplanationStep, Profile, StrictJudgement, ThoughtsAnswer, asked, options,
    parts, precision,
};

impl Profile {
    /// Judges an answer against a reference. The question, where it is known, tells whether the
    /// order of a list is part of the answer, which of several numbers is asked for, and what the
    /// letters of its options stand for.
    pub fn judge(
        &self,
        answer: Answer<'_>,
        reference: &str,
        question: Option<&str>,
    ) -> StrictJudgement {
        // An answer spelled like its reference needs no reading, which also holds where neither can
        // be read. Two empty texts agree on nothing.
        if let Answer::Prediction(text) = answer
            && text.trim() == reference.trim()
            && !text.trim().is_empty()
        {
            return StrictJudgement {
                correct: true,
                answer: Some(text.trim().to_owned()),
                span: None,
                trace: vec!["extract/given", "equal/spelling"],
                thoughts: None,
            };
        }
        let precision = self.policy().reference;
        let (whole, tolerance) = match precision::stated_tolerance(precision, reference) {
            Some((number, tolerance)) => (number, Some(tolerance)),
            None => (reference.trim(), None),
        };
        let (reference, kind) = prepared(self.rules(), whole);
        let looked = self.look(answer, kind, question);
        let announced = looked.found.as_ref().is_some_and(|found| found.announced);
        let judgement = match looked.found {
            Some(found) => self.compare(found, &reference, question),
            None => nothing(),
        };
        let judgement = match question {
            Some(question)
                if self.policy().question.options && !(judgement.correct && announced) =>
            {
                let asked = Asked {
                    answer,
                    reference: &reference,
                    question,
                    options: options::options(question),
                };
                let judged = self.by_options(&asked, &judgement, kind, announced);
                judged.unwrap_or(judgement)
            }
            _ => judgement,
        };
        // What follows only makes a wrong answer correct: other readings, once the plain one has
        // failed.
        let judgement = if judgement.correct || judgement.answer.is_none() {
            judgement
        } else {
            self.by_label(&judgement, &reference, question)
                .or_else(|| self.by_parts(&judgement, &reference, question))
                // The reference as it came: `reference` may be no more than the formula in its
                // sentence.
                .or_else(|| self.same_prose(answer, whole, question))
                .or_else(|| self.near(&judgement, &reference, tolerance))
                .unwrap_or(judgement)
        };
        let judgement = match question {
            Some(question) => self.as_asked(judgement, &reference, question),
            None => judgement,
        };
        // Last, so that the record tells what thoughts would have come to.
        match looked.only_thoughts {
            Some(thoughts) => self.of_thoughts(judgement, thoughts),
            None => judgement,
        }
    }

    /// The judgement once the question has said what its answer shall be.
    fn as_asked(
        &self,
        mut judgement: StrictJudgement,
        reference: &str,
        question: &str,
    ) -> StrictJudgement {
        let helps = self.policy().question;
        let Some(answer) = judgement.answer.as_deref() else {
            return judgement;
        };
        let found = if judgement.correct {
            let rule = judgement.trace.last().copied().unwrap_or_default();
            let contradicts = |unit: &str| {
                let with_unit = format!("{reference} {unit}");
                let budget = &mut Budget::on(self.options(Some(question), answer, &with_unit));
                math_equality::compare_texts(answer, &with_unit, &mut Vec::new(), budget)
                    .is_ok_and(|verdict| verdict.rule == "equal/unit")
            };
            asked::refused(helps, question, (answer, reference), rule, contradicts)
        } else {
            let places = helps.rounding.then(|| asked::places(question)).flatten();
            let rounds = |places| {
                let trace = &mut Vec::new();
                let exact = math_equality::read(reference, answer, trace);
                let rounded = math_equality::read(answer, reference, trace);
                math_equality::rounds_to(&exact, &rounded, places)
            };
            places
                .filter(|places| rounds(*places))
                .map(|_| asked::ROUNDING)
        };
        if let Some(rule) = found {
            judgement.correct = !judgement.correct;
            judgement.trace.push(rule);
        }
        judgement
    }

    /// The judgement where nothing is said outside of thoughts.
    fn of_thoughts(&self, mut judgement: StrictJudgement, thoughts: Thoughts) -> StrictJudgement {
        if self.policy().thoughts == policy::Thoughts::Count {
            judgement.trace.push("extract/thoughts");
            return judgement;
        }
        StrictJudgement {
            correct: false,
            answer: None,
            span: None,
            trace: vec!["extract/thoughts"],
            thoughts: Some(ThoughtsAnswer {
                answer: judgement.answer,
                correct: judgement.correct,
                unfinished: thoughts == Thoughts::Unfinished,
            }),
        }
    }

    /// What the options of the question make of a judgement: a letter that is announced stands for
    /// the text of its option, and where a letter is asked for and none is announced, the text of
    /// an option stands for its letter.
    fn by_options(
        &self,
        asked: &Asked<'_>,
        judgement: &StrictJudgement,
        kind: ReferenceKind,
        announced: bool,
    ) -> Option<StrictJudgement> {
        match kind {
            _ if asked.options.is_empty() => None,
            ReferenceKind::Choice if announced => self.letter_of_text(asked, judgement),
            ReferenceKind::Choice => self.letter_of_text(asked, &self.text_asked_for(asked)?),
            _ => {
                let label = judgement.answer.as_deref().and_then(options::after_label);
                let option = label.and_then(|(letter, own)| Some((own, asked.text_of(letter)?)));
                match option {
                    Some((own, text)) => self.text_of_label(asked, judgement, own, text),
                    None => self.text_of_letter(asked),
                }
            }
        }
    }

    /// The answer that is announced where a letter is asked for and the options are no letters.
    fn text_asked_for(&self, asked: &Asked<'_>) -> Option<StrictJudgement> {
        let (_, first) = asked.options.first()?;
        let kind = extraction::kind_of(first);
        let found = self.look(asked.answer, kind, Some(asked.question)).found?;
        found.announced.then(|| StrictJudgement {
            correct: false,
            answer: Some(found.text.into_owned()),
            span: found.span.map(|span| [span.start, span.end]),
            trace: vec![found.rule],
            thoughts: None,
        })
    }

    /// An answer that is no letter and equals the text of one option alone, as that option.
    fn letter_of_text(
        &self,
        asked: &Asked<'_>,
        judgement: &StrictJudgement,
    ) -> Option<StrictJudgement> {
        let answer = judgement.answer.as_deref()?;
        if extraction::option_letters(answer).is_some() {
            return None;
        }
        let mut equal = asked
            .options
            .iter()
            .filter(|(_, text)| self.equal(answer, text, Some(asked.question)));
        // Equal to two options it says neither.
        let (letter, _) = equal.next().filter(|_| equal.next().is_none())?;
        Some(StrictJudgement {
            correct: asked.reference == letter.to_string(),
            // Every trace begins with the rule of extraction, so that there is a first one.
            trace: vec![judgement.trace[0], "question/options", "equal/choice"],
            ..judgement.clone()
        })
    }

    /// An answer with the label of an option, as the text of that option, where the two agree.
    fn text_of_label(
        &self,
        asked: &Asked<'_>,
        judgement: &StrictJudgement,
        own: &str,
        text: &str,
    ) -> Option<StrictJudgement> {
        let agrees = self.equal(own, text, Some(asked.question));
        agrees.then(|| StrictJudgement {
            correct: self.equal(text, asked.reference, Some(asked.question)),
            trace: vec![judgement.trace[0], "question/options"],
            ..judgement.clone()
        })
    }

    /// An announced letter, as the text of its option.
    fn text_of_letter(&self, asked: &Asked<'_>) -> Option<StrictJudgement> {
        let said = self.look(asked.answer, ReferenceKind::Choice, None).found;
        let said = said.filter(|found| found.announced || found.rule == "extract/given")?;
        let letters =
            extraction::option_letters(&said.text).filter(|letters| letters.len() == 1)?;
        let text = asked.text_of(letters.chars().next()?)?;
        Some(StrictJudgement {
            correct: self.equal(text, asked.reference, Some(asked.question)),
            answer: Some(said.text.into_owned()),
            span: said.span.map(|span| [span.start, span.end]),
            trace: vec![said.rule, "question/options"],
            thoughts: None,
        })
    }

    /// An answer behind the label of its option: `(B) no`, `A. 12`.
    fn by_label(
        &self,
        judgement: &StrictJudgement,
        reference: &str,
        question: Option<&str>,
    ) -> Option<StrictJudgement> {
        let (_, text) = options::after_label(judgement.answer.as_deref()?)?;
        let labels = question
            .filter(|_| self.policy().question.options)
            .is_some_and(|question| !options::options(question).is_empty());
        // Where the options are known, the letter was looked up.
        (!labels && self.equal(text, reference, question)).then(|| StrictJudgement {
            correct: true,
            trace: vec![judgement.trace[0], "parse/option_label"],
            ..judgement.clone()
        })
    }

    /// Answers to parts, in the order of the parts.
    fn by_parts(
        &self,
        judgement: &StrictJudgement,
        reference: &str,
        question: Option<&str>,
    ) -> Option<StrictJudgement> {
        let answer = judgement.answer.as_deref()?;
        let (one, other) = (parts::joined(answer), parts::joined(reference));
        if one.is_none() && other.is_none() {
            return None;
        }
        let (one, other) = (
            one.unwrap_or(Cow::Borrowed(answer)),
            other.unwrap_or(Cow::Borrowed(reference)),
        );
        // `(a) 5 (b) 6` answers part by part: the order counts whatever the profile says.
        let options = Options {
            ordered: true,
            ..self.options(question, &one, &other)
        };
        self.equal_on(&one, &other, options)
            .then(|| StrictJudgement {
                correct: true,
                trace: vec![judgement.trace[0], "parse/parts"],
                ..judgement.clone()
            })
    }

    /// An answer that is near enough to a reference that is not exact.
    fn near(
        &self,
        judgement: &StrictJudgement,
        reference: &str,
        tolerance: Option<&str>,
    ) -> Option<StrictJudgement> {
        let answer = judgement.answer.as_deref()?;
        let rule = precision::near(self.policy().reference, answer, reference, tolerance)?;
        Some(StrictJudgement {
            correct: true,
            trace: vec![judgement.trace[0], rule],
            ..judgement.clone()
        })
    }

    /// Whether two texts denote the same.
    fn equal(&self, one: &str, other: &str, question: Option<&str>) -> bool {
        self.equal_on(one, other, self.options(question, one, other))
    }

    fn equal_on(&self, one: &str, other: &str, options: Options) -> bool {
        let trace = &mut Vec::new();
        let (left, right) = (
            math_equality::read(one, other, trace),
            math_equality::read(other, one, trace),
        );
        // A budget for each pair; options are ten at most.
        math_equality::compare(&left, &right, &mut Budget::on(options))
            .is_ok_and(|verdict| verdict.equal)
    }

    /// Where one side is words and formulas together, both are compared as such: the whole
    /// sentence, not its last formula.
    fn same_prose(
        &self,
        answer: Answer<'_>,
        reference: &str,
        question: Option<&str>,
    ) -> Option<StrictJudgement> {
        let (Answer::Completion(text) | Answer::Prediction(text)) = answer;
        let reference_is_prose = math_equality::is_prose(reference);
        // Prose has a formula between delimiters: most completions have none, and are not searched
        // once more.
        if !reference_is_prose && !may_hold_formula(text) {
            return None;
        }
        let found = match answer {
            Answer::Completion(_) => self.look(answer, ReferenceKind::Text, question).found?,
            Answer::Prediction(text) => given(Cow::Borrowed(text.trim())),
        };
        let budget = &mut Budget::on(self.options(question, &found.text, reference));
        let same = (reference_is_prose || math_equality::is_prose(&found.text))
            && found.text.len() <= MAX_PROSE_BYTES
            && math_equality::same_prose(&found.text, reference, budget).unwrap_or(false);
        same.then(|| StrictJudgement {
            correct: true,
            answer: Some(found.text.into_owned()),
            span: found.span.map(|span| [span.start, span.end]),
            trace: vec![found.rule, "equal/prose"],
            thoughts: None,
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
            |text: &str, other: &str| math_equality::read(text, other, &mut Vec::new()).to_string();
        let step = |&rule: &&'static str| ExplanationStep {
            rule,
            purpose: self.purpose(rule).unwrap_or_default().to_owned(),
        };
        Explanation {
            reference_kind: kind.name(),
            reference: reference.to_string(),
            reference_value: value(&reference, found.unwrap_or_default()),
            answer_value: found.map(|answer| value(answer, &reference)),
            list_order_counts: self.order_counts(question),
            steps: judgement.trace.iter().map(step).collect(),
            judgement,
        }
    }

    /// The answer itself, where there is one. An answer that was given and turns out to have a text
    /// around it is extracted from it.
    fn look<'t>(
        &self,
        answer: Answer<'t>,
        kind: ReferenceKind,
        question: Option<&str>,
    ) -> Looked<'t> {
        let helps = self.policy().question;
        let question = question.map(|text| Question {
            text,
            asked_quantity: helps.asked_quantity,
            given_numbers: helps.given_numbers,
        });
        let extracted = |text: &'t str| {
            let Extraction {
                found,
                only_thoughts,
            } = extraction::extract(self.rules(), text, kind, question);
            let found = found.map(|found| Found {
                text: found.text,
                span: Some(found.span),
                rule: found.rule,
                announced: found.announced,
                by_question: found.by_question,
            });
            Looked {
                found,
                only_thoughts,
            }
        };
        let text = match answer {
            Answer::Completion(text) => return extracted(text),
            Answer::Prediction(text) => text,
        };
        let bare = |text| Looked {
            found: Some(given(text)),
            only_thoughts: None,
        };
        // Several option letters stand bare, as those of the reference do.
        if kind == ReferenceKind::Choice
            && let Some(letters) =
                extraction::option_letters(text).filter(|letters| letters.len() > 1)
        {
            return bare(Cow::Owned(letters));
        }
        if has_text_around(text, kind) {
            let looked = extracted(text);
            // Else the text itself is the answer: it was given as one.
            if looked.found.is_some() {
                return looked;
            }
        }
        bare(Cow::Borrowed(text.trim()))
    }

    fn compare(
        &self,
        found: Found<'_>,
        reference: &str,
        question: Option<&str>,
    ) -> StrictJudgement {
        let mut trace = vec![found.rule];
        trace.extend(found.by_question);
        let answer = found.text;
        let correct = if answer == reference {
            trace.push("equal/spelling");
            !answer.is_empty()
        } else {
            let budget = &mut Budget::on(self.options(question, &answer, reference));
            match compared(&answer, reference, &mut trace, budget) {
                Ok(verdict) => {
                    trace.push(verdict.rule);
                    verdict.equal
                }
                Err(Exhausted) => {
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
            thoughts: None,
        }
    }

    /// What the comparison of two texts overlooks.
    fn options(&self, question: Option<&str>, one: &str, other: &str) -> Options {
        let policy = self.policy();
        Options {
            units: policy.units,
            percent: policy.percent,
            // A plain number is no list: its question need not be searched.
            ordered: !is_plain_number(one)
                && !is_plain_number(other)
                && self.order_counts(question),
        }
    }

    /// Whether the order of a list is part of the answer.
    fn order_counts(&self, question: Option<&str>) -> bool {
        match self.policy().list_order {
            ListOrder::Kept => true,
            ListOrder::Any => false,
            ListOrder::AsAsked => question.is_some_and(math_equality::asks_for_order),
        }
    }
}

/// Whether an answer is the reference. An answer may also say what a sum of letters is
/// (`m + n = 25` for 25), while such an equation as a reference wants more than the number.
fn compared(
    answer: &str,
    reference: &str,
    trace: &mut Vec<&'static str>,
    budget: &mut Budget,
) -> Result<EqualityDecision, Exhausted> {
    let verdict = math_equality::compare_texts(answer, reference, trace, budget)?;
    if verdict.equal || !answer.contains('=') {
        return Ok(verdict);
    }
    let rules = &mut Vec::new();
    // Only against a number: a reference that is an equation asks for more.
    let right = math_equality::read(reference, answer, rules);
    if !math_equality::is_number(&right) {
        return Ok(verdict);
    }
    let left = math_equality::read(answer, reference, rules);
    let Some(sum) = math_equality::stated_sum(&left) else {
        return Ok(verdict);
    };
    let stated = math_equality::compare(&sum, &right, budget)?;
    Ok(match stated.equal {
        true => EqualityDecision {
            equal: true,
            rule: "equal/stated_sum",
        },
        false => verdict,
    })
}

/// Digits, with a sign and a point at most.
fn is_plain_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    digits
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// Whether a text has signs that delimit a formula.
fn may_hold_formula(text: &str) -> bool {
    text.matches('$').nth(1).is_some() || text.contains("\\(") || text.contains("\\[")
}

/// A longer answer is no sentence.
const MAX_PROSE_BYTES: usize = 1_000;

/// An answer and how it was come by.
struct Found<'t> {
    text: Cow<'t, str>,
    span: Option<Range<usize>>,
    rule: &'static str,
    /// The rule takes only what is announced as the answer.
    announced: bool,
    by_question: Option<&'static str>,
}

/// An answer to a question with options.
struct Asked<'q> {
    answer: Answer<'q>,
    reference: &'q str,
    question: &'q str,
    options: Vec<options::Choice<'q>>,
}

impl<'q> Asked<'q> {
    /// The text of an option.
    fn text_of(&self, letter: char) -> Option<&'q str> {
        let mut options = self.options.iter();
        options
            .find(|(other, _)| *other == letter)
            .map(|(_, text)| *text)
    }
}

/// What was found in an answer.
struct Looked<'t> {
    found: Option<Found<'t>>,
    only_thoughts: Option<Thoughts>,
}

/// An answer without a text around it.
fn given(text: Cow<'_, str>) -> Found<'_> {
    Found {
        text,
        span: None,
        rule: "extract/given",
        announced: false,
        by_question: None,
    }
}

/// The judgement of a text without an answer.
fn nothing() -> StrictJudgement {
    StrictJudgement {
        correct: false,
        answer: None,
        span: None,
        trace: vec!["extract/nothing"],
        thoughts: None,
    }
}

/// The reference itself and its kind; option letters bare, as they are extracted from completions.
fn prepared<'r>(rules: &Rules, reference: &'r str) -> (Cow<'r, str>, ReferenceKind) {
    let reference = bare_reference(rules, reference);
    // Answers to parts are several, and no number even where each is one.
    let kind = match parts::joined(&reference) {
        Some(_) => ReferenceKind::Formula,
        None => extraction::kind_of(&reference),
    };
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
        && let Some(found) =
            extraction::extract(rules, reference, ReferenceKind::Formula, None).found
        // The last of several formulas is not what all of them say.
        && (found.rule != "extract/last-formula" || math_equality::formulas(reference, 0..reference.len()).count() == 1)
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
        // `A B D` are three letters.
        && text.contains(char::is_lowercase)
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
