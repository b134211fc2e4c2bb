//! The strict scorer: what a careful mathematician would say.
//!
//! An answer is extracted from the completion or given ([`Answer`]), both sides are parsed into
//! values, and the values are compared, not their spelling (`math-equality`). What cannot be parsed is compared as
//! words. No clock is involved: a budget of steps bounds the work, and an answer on which it runs
//! out says so in its trace.
//!
//! A [`Profile`] says which rules find an answer and what a comparison overlooks; a user may bring
//! one.

mod asked;
mod extraction; // completion → answer
mod final_answer; // solution → answer, without a reference
mod judging; // answer, reference → judgement
mod options; // the options of a question
mod parts; // answers to the parts of a question
mod policy; // what a comparison overlooks
mod precision; // references that state a tolerance or were rounded
mod profile; // rules and policy, as data

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use final_answer::FinalAnswer;
pub use policy::{Helps, ListOrder, Percent, Policy, ReferencePrecision, Thoughts, Units};
pub(crate) use profile::{ExtractionCase, extraction_cases};
pub use profile::{Profile, ProfileError};

/// What is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer<'a> {
    /// A whole response: the answer is somewhere in it.
    Completion(&'a str),
    /// An answer without a text around it.
    Prediction(&'a str),
}

/// What the strict scorer says of one answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StrictJudgement {
    /// Whether the answer and the reference denote the same.
    pub correct: bool,
    /// The answer as found in the completion; `None` where there is none.
    pub answer: Option<String>,
    /// Where it was found: first byte and the byte after the last; `None` for an answer that was
    /// given.
    pub span: Option<[usize; 2]>,
    /// Ids of the rules that decided, in order: extraction, parsing of the answer, parsing of the
    /// reference, comparison.
    pub trace: Vec<&'static str>,
    /// What the thoughts of a model come to that says nothing outside of them; it counts for
    /// nothing, unless the profile says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thoughts: Option<ThoughtsAnswer>,
}

/// What thoughts come to outside of which nothing is said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ThoughtsAnswer {
    /// The answer as found in the thoughts; `None` where there is none.
    pub answer: Option<String>,
    /// Whether it and the reference denote the same.
    pub correct: bool,
    /// The thoughts are never closed: the model was cut off, or lost its way.
    pub unfinished: bool,
}

/// How a judgement came about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The judgement itself.
    pub judgement: StrictJudgement,
    /// What the reference is, which picks the extraction rules: `number`, `choice`, `formula` or
    /// `text`.
    pub reference_kind: &'static str,
    /// The reference as it is compared: out of its box or solution.
    pub reference: String,
    /// The value read from the reference, in the scorer's own notation.
    pub reference_value: String,
    /// The value read from the answer.
    pub answer_value: Option<String>,
    /// Whether the order of a list was part of the answer.
    pub list_order_counts: bool,
    /// The rules of the trace with what they are for.
    pub steps: Vec<ExplanationStep>,
}

/// A rule of a trace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExplanationStep {
    /// Its id.
    pub rule: &'static str,
    /// What it is for.
    pub purpose: String,
}

/// Judges a whole completion against a reference by the standard profile.
pub fn judge_completion(completion: &str, reference: &str) -> StrictJudgement {
    Profile::standard().judge(Answer::Completion(completion), reference, None)
}

/// Judges an answer without a text around it against a reference by the standard profile.
pub fn judge_prediction(prediction: &str, reference: &str) -> StrictJudgement {
    Profile::standard().judge(Answer::Prediction(prediction), reference, None)
}
