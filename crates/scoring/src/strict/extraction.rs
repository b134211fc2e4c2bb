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
//! - [`visible`]: what of a completion is looked at.
//! - [`boxes`], [`phrases`], [`last`]: the matchers.
//! - [`spans`]: where a sentence ends, and what is trimmed off an answer.
//! - [`numbers`], [`letters`], [`formulas`]: what is taken out of a sentence, by the kind of the
//!   reference.

mod boxes;
mod formulas;
mod kinds;
mod last;
mod letters;
mod numbers;
mod phrases;
mod rules;
mod spans;
#[cfg(test)]
mod tests;
mod visible;

use std::{borrow::Cow, ops::Range};

use rules::Matcher;
use visible::Visible;

pub(crate) use kinds::ReferenceKind;
pub(super) use rules::{Layout, Order, OrderError, Rule, Rules};
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
}

/// An answer before the rule's id is put to it; `span` counts from the start of the completion.
pub(crate) struct Found<'t> {
    text: Cow<'t, str>,
    span: Range<usize>,
}

/// The formulas between LaTeX delimiters, with these.
pub(crate) fn formulas(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    formulas::formulas(text, 0..text.len())
}

/// A completion as the matchers see it.
pub(crate) struct Look<'t, 'r> {
    /// The whole completion.
    text: &'t str,
    /// The parts that are looked at, in their order.
    parts: &'r [Range<usize>],
    /// The last block of code.
    last_block: Option<Range<usize>>,
    /// The completion ends with it: whatever comes last before it is no answer.
    ends_in_block: bool,
    kind: ReferenceKind,
}

/// Finds the final answer of a completion. `None`: it has none.
pub(crate) fn extract<'t>(
    rules: &Rules,
    completion: &'t str,
    kind: ReferenceKind,
) -> Option<Extracted<'t>> {
    let Visible {
        parts,
        last_block,
        ends_in_block,
    } = Visible::of(completion, &rules.layout);
    let look = Look {
        text: completion,
        parts: &parts,
        last_block,
        ends_in_block,
        kind,
    };
    rules.order(kind).iter().find_map(|step| {
        // Of several rules in one step, the one that finds its answer later in the text: each looks
        // behind the best so far.
        let latest = step
            .iter()
            .fold(None, |best: Option<(&Rule, Found)>, rule| {
                let from = best.as_ref().map_or(0, |(_, found)| found.span.start);
                match look.by(rule, from) {
                    Some(found) if best.is_none() || found.span.start > from => Some((rule, found)),
                    _ => best,
                }
            });
        latest.map(|(rule, found)| Extracted {
            text: found.text,
            rule: rule.id,
            span: found.span,
        })
    })
}

impl<'t> Look<'t, '_> {
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
        }
    }

    /// The answer that a whole span is.
    fn whole(&self, span: Range<usize>) -> Option<Found<'t>> {
        let span = spans::trim(self.text, span);
        (!span.is_empty()).then(|| Found {
            text: Cow::Borrowed(&self.text[span.clone()]),
            span,
        })
    }

    /// The answer within a span that may hold prose too: what the kind of the reference asks for.
    fn answer_within(&self, span: Range<usize>) -> Option<Found<'t>> {
        match self.kind {
            ReferenceKind::Number => self.whole(numbers::within(self.text, span)?),
            ReferenceKind::Choice => letters::leading(self.text, span),
            ReferenceKind::Formula => self.whole(formulas::within(self.text, span)),
            ReferenceKind::Text => self.whole(span),
        }
    }
}
