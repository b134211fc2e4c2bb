//! Completion → answer: which part of a text is its final answer.
//!
//! The rules are data, one idea a file, in `answer-normalizers/extractors/`; their order, one list
//! for every kind of reference, is in `answer-normalizers/profiles/strict.toml`. Here is the
//! engine: a few matchers that those files fill with phrases and marks. First what runs on after
//! the answer is cut off and code is passed over; then the first rule that finds an answer wins.
//! Every matcher looks from the end, for the final answer comes last, and takes time linear in the
//! text.
//!
//! - [`kinds`]: what a reference is: number, option letters, formula, words.
//! - [`rules`]: what a rule looks for, and rules in order.
//! - [`mending`]: completions that were damaged on their way.
//! - [`visible`], [`thoughts`]: what of a completion is looked at.
//! - [`boxes`], [`phrases`], [`last`]: the matchers.
//! - [`questions`]: which of several numbers a question asks for.
//! - [`refusals`]: completions that say that there is no answer.
//! - [`spans`]: where a sentence ends, and what is trimmed off an answer.
//! - [`numbers`], [`letters`], [`formulas`]: what is taken out of a sentence, by the kind of the
//!   reference.

mod boxes;
mod formulas;
mod kinds;
mod last;
mod letters;
mod mending;
mod numbers;
mod phrases;
mod questions;
mod refusals;
mod rules;
mod spans;
#[cfg(test)]
mod tests;
mod thoughts;
mod visible;

use std::{borrow::Cow, ops::Range};

use rules::Matcher;
use visible::Visible;

pub(crate) use kinds::ReferenceKind;
pub(crate) use questions::Question;
pub(super) use rules::{Layout, Order, OrderError, Rule, Rules};
pub(crate) use thoughts::Thoughts;
pub(crate) use {kinds::kind_of, letters::option_letters};

/// The answer found in a completion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Extracted<'t> {
    /// The answer's text; several spans that together are the answer are joined by `, `. Option
    /// letters stand bare, such as `B` or `ABD`.
    pub text: Cow<'t, str>,
    /// Id of the rule that took it, such as `extract/boxed`.
    pub rule: &'static str,
    /// Where it stands: bytes of the completion, from the first to the end of the last span.
    pub span: Range<usize>,
    /// The rule takes only what is announced as the answer.
    pub announced: bool,
    /// Id of the rule by which the question decided between several numbers.
    pub by_question: Option<&'static str>,
}

/// An answer before the rule's id is put to it; `span` counts from the start of the completion.
pub(crate) struct Found<'t> {
    text: Cow<'t, str>,
    span: Range<usize>,
    by_question: Option<&'static str>,
}

/// What a completion says.
pub(crate) struct Extraction<'t> {
    /// Its final answer.
    pub found: Option<Extracted<'t>>,
    /// Why that stands in thoughts, where nothing is said outside of them.
    pub only_thoughts: Option<Thoughts>,
}

/// A completion as the matchers see it.
pub(crate) struct Look<'t, 'r> {
    /// The whole completion.
    text: &'t str,
    /// The same with ASCII letters in lower case.
    lower: &'r str,
    /// The parts that are looked at, in their order.
    parts: &'r [Range<usize>],
    /// The last block of code.
    last_block: Option<Range<usize>>,
    /// The completion ends with it: whatever comes last before it is no answer.
    ends_in_block: bool,
    kind: ReferenceKind,
    /// The question that is answered, where it is known.
    question: Option<Question<'r>>,
}

/// Finds the final answer of a completion.
pub(crate) fn extract<'t>(
    rules: &Rules,
    completion: &'t str,
    kind: ReferenceKind,
    question: Option<Question<'_>>,
) -> Extraction<'t> {
    let found = extract_as_is(rules, completion, kind, question);
    if found.found.as_ref().is_some_and(|found| found.announced) {
        return found;
    }
    match mending::mended(completion) {
        Some(mended) => mended.restored(extract_as_is(rules, &mended.text, kind, question)),
        None => found,
    }
}

fn extract_as_is<'t>(
    rules: &Rules,
    completion: &'t str,
    kind: ReferenceKind,
    question: Option<Question<'_>>,
) -> Extraction<'t> {
    // Only ASCII letters change: every place of a match is one of the completion too.
    let lower = completion.to_ascii_lowercase();
    let visible = Visible::of(completion, &lower, &rules.layout);
    let look = Look {
        text: completion,
        lower: &lower,
        parts: &visible.parts,
        last_block: visible.last_block.clone(),
        ends_in_block: visible.ends_in_block,
        kind,
        question,
    };
    // The answer before a made-up problem goes first; without one the whole text is looked at, for
    // the line may have stated the problem that was asked.
    let found = before_further(rules, &look, &visible);
    let found = found.or_else(|| look.by_rules(rules, |_| true));
    Extraction {
        found,
        only_thoughts: visible.only_thoughts,
    }
}

/// The answer before a problem that the model makes up after it: one that is announced, or what a
/// calculation comes to. A text that only states its own problem in such a line has none there.
fn before_further<'t>(
    rules: &Rules,
    look: &Look<'t, '_>,
    visible: &Visible,
) -> Option<Extracted<'t>> {
    visible.further.iter().find_map(|&end| {
        let parts = visible.parts_before(end);
        let last_block = visible.last_block.clone();
        let before = Look {
            parts: &parts,
            last_block: last_block.filter(|block| block.end <= end),
            ends_in_block: false,
            ..*look
        };
        let announced = before.by_rules(rules, |rule| rule.announces);
        announced.or_else(|| {
            let calculates = |part: &Range<usize>| look.text[part.clone()].contains('=');
            let asked = |question: Question<'_>| restates(&look.text[end..], question.text);
            (parts.iter().any(calculates) && !look.question.is_some_and(asked))
                .then(|| before.by_rules(rules, |_| true))
                .flatten()
        })
    })
}

/// Whether a line that names a problem goes on with the one that was asked.
fn restates(named: &str, question: &str) -> bool {
    const COMPARED: usize = 24;
    let plain = |text: &str, most: usize| -> String {
        let letters = text.chars().filter(|c| c.is_alphanumeric());
        letters.flat_map(char::to_lowercase).take(most).collect()
    };
    let behind = named.split_once([':', '：', '.', ')', '】']);
    let said = plain(behind.map_or(named, |(_, rest)| rest), COMPARED);
    // A few letters occur in any question.
    said.len() >= COMPARED / 2 && plain(question, usize::MAX).contains(&said)
}

impl<'t> Look<'t, '_> {
    /// What the first rule of those that may that finds something finds.
    fn by_rules(&self, rules: &Rules, may: impl Fn(&Rule) -> bool) -> Option<Extracted<'t>> {
        rules.order(self.kind).iter().find_map(|step| {
            // Of several rules in one step, the one that finds its answer later in the text: each
            // looks behind the best so far.
            let latest = step.iter().filter(|rule| may(rule)).fold(
                None,
                |best: Option<(&Rule, Found)>, rule| {
                    let from = best.as_ref().map_or(0, |(_, found)| found.span.start);
                    match self.by(rule, from) {
                        // At the same place the rule that is listed first wins.
                        Some(found) if best.is_none() || found.span.start > from => {
                            Some((rule, found))
                        }
                        _ => best,
                    }
                },
            );
            latest.map(|(rule, found)| Extracted {
                text: found.text,
                rule: rule.id,
                span: found.span,
                announced: rule.announces,
                by_question: found.by_question,
            })
        })
    }

    /// What a rule finds; `from`: nothing that is announced before this place is of interest.
    fn by(&self, rule: &Rule, from: usize) -> Option<Found<'t>> {
        match &rule.matcher {
            Matcher::Boxed(boxed) => boxes::find(boxed, self),
            Matcher::Phrase(phrase) => phrases::find(phrase, self, from),
            Matcher::Bold(bold) => last::bold(bold, self),
            Matcher::Printed => last::printed(self),
            Matcher::LastFormula => last::formula(self),
            Matcher::LastNumber => last::number(self),
            Matcher::FirstLetters => letters::first(self),
            Matcher::LastLetters => letters::last(self),
            Matcher::LastLine => last::line(self),
            Matcher::LastEquation => last::equation(self),
            Matcher::Refusal(refusal) => refusals::find(refusal, self),
        }
    }

    /// The answer that a whole span is.
    fn whole(&self, span: Range<usize>) -> Option<Found<'t>> {
        let span = spans::trim(self.text, span);
        let text = &self.text[span.clone()];
        // Several answers, each in bold print of its own.
        let bold = text.contains("** ") && text.contains(" **");
        (!span.is_empty()).then(|| Found {
            text: match bold {
                true => Cow::Owned(text.replace("**", "")),
                false => Cow::Borrowed(text),
            },
            span,
            by_question: None,
        })
    }

    /// The answer within a span that may hold prose too: what the kind of the reference asks for.
    fn answer_within(&self, span: Range<usize>) -> Option<Found<'t>> {
        match self.kind {
            ReferenceKind::Number => {
                let (number, by_question) = numbers::within(self.text, span, self.question)?;
                let found = self.whole(number)?;
                Some(Found {
                    by_question,
                    ..found
                })
            }
            ReferenceKind::Choice => letters::leading(self.text, span),
            ReferenceKind::Formula => {
                let span = spans::without_note(self.text, span);
                self.whole(formulas::within(self.text, span))
            }
            ReferenceKind::Text => self.whole(span),
        }
    }
}
