//! Why replies cannot be used, in a few kinds that a user can act upon.
//!
//! The reason of each reply is kept in the journal, in words for the model. Many of them quote the
//! reply: thousands of reasons that differ say less than five kinds.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::project::StageRecord;

/// Why a reply cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// It had as many tokens as it may have, and no end.
    CutOff,
    /// What was asked for is not in it, or not in a form that is recognised.
    OtherForm,
    /// A part of it is empty, or repeats the words of the form.
    EmptyPart,
    /// It names more concepts than asked for.
    TooManyConcepts,
    /// It names a concept that cannot be the name of one.
    NoName,
    /// A solution that comes to no final answer.
    NoAnswer,
    /// The prompt does not fit into the context of the model, which was never asked.
    LongPrompt,
    /// Anything else.
    Other,
}

impl FaultKind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::CutOff,
        Self::OtherForm,
        Self::EmptyPart,
        Self::TooManyConcepts,
        Self::NoName,
        Self::NoAnswer,
        Self::LongPrompt,
        Self::Other,
    ];

    /// Of a reason as the journal has it.
    pub fn of(reason: &str) -> Self {
        let begins = |start: &str| reason.starts_with(start);
        let holds = |part: &str| reason.contains(part);
        if begins("the reply was cut off") {
            Self::CutOff
        } else if begins("there is no ") {
            Self::OtherForm
        } else if holds(" is empty") || begins("in place of the ") {
            Self::EmptyPart
        } else if begins("it names ") || holds(" are allowed") && !holds("a name of ") {
            Self::TooManyConcepts
        } else if holds("without a name") || holds("a name of ") || holds("a name with ") {
            Self::NoName
        } else if begins("it comes to no final answer") {
            Self::NoAnswer
        } else if begins("the prompt has ") && holds("context") {
            Self::LongPrompt
        } else {
            Self::Other
        }
    }

    /// Its name in the counts of a stage, behind `refused_`.
    pub fn name(self) -> &'static str {
        match self {
            Self::CutOff => "cut_off",
            Self::OtherForm => "other_form",
            Self::EmptyPart => "empty_part",
            Self::TooManyConcepts => "too_many_concepts",
            Self::NoName => "no_name",
            Self::NoAnswer => "no_answer",
            Self::LongPrompt => "long_prompt",
            Self::Other => "other",
        }
    }

    /// What is wrong with such replies, behind their number: `12 were cut off …`.
    pub fn label(self) -> &'static str {
        match self {
            Self::CutOff => "cut off: they had as many tokens as allowed, and no end",
            Self::OtherForm => "not in the form that was asked for",
            Self::EmptyPart => "with an empty part, or with the words of the form in its place",
            Self::TooManyConcepts => "with more concepts than asked for",
            Self::NoName => "with something that is no name of a concept",
            Self::NoAnswer => "without a final answer",
            Self::LongPrompt => "never asked for: the prompt is too long for the model",
            Self::Other => "for other reasons",
        }
    }

    /// What may help against it; `None` where nothing in general does.
    pub fn remedy(self) -> Option<&'static str> {
        match self {
            Self::CutOff => Some(
                "allow more new tokens; a model that goes on all the same does not stop by itself",
            ),
            Self::OtherForm | Self::EmptyPart => Some(
                "is the model made to follow instructions, and is it asked in its own chat form? A larger one may",
            ),
            Self::LongPrompt => Some("give fewer examples, or take a model with a longer context"),
            _ => None,
        }
    }
}

/// Replies that could not be used for one kind of reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct RefusedReplies {
    /// Why.
    pub kind: FaultKind,
    /// How many.
    pub count: u64,
}

/// How many replies of a stage could be used, and why the others could not.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReplyCounts {
    /// Replies.
    pub replies: u64,
    /// Those that could be used.
    pub usable: u64,
    /// The share of these, in 0..=1; `None` without replies.
    pub usable_share: Option<f64>,
    /// Those that could not, the most frequent kind first.
    pub refused: Vec<RefusedReplies>,
}

impl ReplyCounts {
    /// The count of all refused replies, which is there where refusals were counted at all.
    pub(crate) const REFUSED: &'static str = "refused";

    /// The counts of a finished stage; `None` where no model was asked, or by a version of the
    /// program that did not count.
    pub fn of_record(record: &StageRecord) -> Option<Self> {
        record.counts.get(Self::REFUSED)?;
        let refused = FaultKind::ALL.map(|kind| (kind, record.count(&Self::key(kind))));
        Some(Self::new(record.count("replies"), refused))
    }

    /// The counts of journals of replies, of a stage that is not finished; `None` where they cannot
    /// be read or hold nothing.
    pub(crate) fn of_journals(
        journals: impl IntoIterator<Item = impl AsRef<Path>>,
    ) -> Option<Self> {
        #[derive(Deserialize)]
        struct Line {
            #[serde(default)]
            fault: Option<String>,
        }
        let (mut replies, mut refused) = (0, FaultKind::ALL.map(|kind| (kind, 0)));
        for journal in journals {
            store::for_each_record(journal.as_ref(), |_, line: Line| {
                replies += 1;
                if let Some(fault) = line.fault {
                    let kind = FaultKind::of(&fault);
                    let counts = refused.iter_mut().filter(|(other, _)| *other == kind);
                    counts.for_each(|(_, count)| *count += 1);
                }
                Ok(())
            })
            .ok()?;
        }
        (replies > 0).then(|| Self::new(replies, refused))
    }

    /// The name of a count.
    pub(crate) fn key(kind: FaultKind) -> String {
        format!("{}_{}", Self::REFUSED, kind.name())
    }

    fn new(replies: u64, refused: impl IntoIterator<Item = (FaultKind, u64)>) -> Self {
        let refused = refused.into_iter().filter(|&(_, count)| count > 0);
        let mut refused: Vec<RefusedReplies> = refused
            .map(|(kind, count)| RefusedReplies { kind, count })
            .collect();
        refused.sort_by_key(|refused| (std::cmp::Reverse(refused.count), refused.kind));
        let usable = replies.saturating_sub(refused.iter().map(|refused| refused.count).sum());
        Self {
            replies,
            usable,
            usable_share: (replies > 0).then(|| usable as f64 / replies as f64),
            refused,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::reply_fault;
    use crate::generate::parse_reply;
    use crate::validate::{solution_fault, verdict_fault};

    /// What the readers of replies say is of a kind that a user is told, and not "other".
    #[test]
    fn every_fault_that_is_said_has_its_kind() {
        use FaultKind::{EmptyPart, NoAnswer, NoName, OtherForm, TooManyConcepts};
        let generated = |text: &str| parse_reply(text).unwrap_err();
        for (text, kind) in [
            ("I cannot.", OtherForm),
            ("Question: 1 + 1?", OtherForm),
            ("Question:\nSolution: 2", EmptyPart),
            (
                "Question: (the text of the question)\nSolution: 2",
                EmptyPart,
            ),
        ] {
            assert_eq!(FaultKind::of(&generated(text)), kind, "{}", generated(text));
        }
        let long = "x".repeat(300);
        let many = "\n- a".to_string() + &(0..70).map(|n| format!("\n- k{n}")).collect::<String>();
        for (text, kind) in [
            ("I cannot.".to_string(), OtherForm),
            ("Topics: Money".to_string(), OtherForm),
            ("Topics:\n- A\nKnowledge points:\n-".to_string(), EmptyPart),
            (
                "Topics:\n- A\n- B\n- C\nKnowledge points:\n- x".to_string(),
                TooManyConcepts,
            ),
            (format!("Topics:\n- {long}\nKnowledge points:\n- x"), NoName),
            (
                format!("Topics:{many}\nKnowledge points:\n- x"),
                TooManyConcepts,
            ),
        ] {
            let fault = reply_fault(&text);
            assert_eq!(FaultKind::of(&fault), kind, "{fault}");
        }
        assert_eq!(FaultKind::of(&solution_fault("I do not know")), NoAnswer);
        assert_eq!(FaultKind::of(&verdict_fault("Perhaps")), OtherForm);
        assert_eq!(
            FaultKind::of("the reply was cut off after 24 tokens"),
            FaultKind::CutOff
        );
    }

    #[test]
    fn counts_say_the_share_and_the_most_frequent_kind_first() {
        let counts = ReplyCounts::new(
            40,
            [
                (FaultKind::CutOff, 3),
                (FaultKind::Other, 0),
                (FaultKind::OtherForm, 7),
            ],
        );
        assert_eq!((counts.usable, counts.usable_share), (30, Some(0.75)));
        let kinds = counts
            .refused
            .iter()
            .map(|refused| (refused.kind, refused.count));
        assert_eq!(
            kinds.collect::<Vec<_>>(),
            [(FaultKind::OtherForm, 7), (FaultKind::CutOff, 3)]
        );
        assert_eq!(ReplyCounts::new(0, []).usable_share, None);
    }
}
