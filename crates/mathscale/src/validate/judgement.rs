//! How pairs are judged, and what a judgement says.

use std::num::NonZeroU32;

use scoring::strict::{Answer, Profile};
use serde::{Deserialize, Serialize};

use super::{consistency, reference};
use crate::pair::Pair;

/// How pairs are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValidationMethod {
    /// A reference solution of the generator, then its judgement on the pair's solution.
    Reference,
    /// So many solutions of the generator, and the answer that most of them reach.
    Consistency(NonZeroU32),
}

/// What becomes of a solution that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnWrong {
    /// The generator's own replaces it.
    Replace,
    /// The pair is rejected.
    Drop,
    /// It stays and is marked.
    Keep,
}

/// The judgement on a pair.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PairJudgement {
    /// Whether its solution is right; `None` where that is not known.
    pub(crate) right: Option<bool>,
    /// 1 or 0 by the judge, or the share of the samples that reach its answer.
    pub(crate) agreement: f64,
    /// Whether the strict scorer finds the final answers equal.
    pub(crate) scorer: Option<bool>,
    /// What speaks against it, or why nothing is known.
    pub(crate) reason: String,
    /// A solution that could replace its own.
    pub(crate) other: Option<String>,
}

/// What the model said about a pair.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Evidence {
    /// Nothing that can be used, for this reason.
    Nothing(&'static str),
    /// A reference solution, and the judgement on the pair's own against it.
    Reference {
        reference: String,
        judgement: String,
    },
    /// Solutions that were drawn.
    Samples(Vec<String>),
}

impl Evidence {
    pub(crate) fn judge(self, pair: &Pair) -> PairJudgement {
        match self {
            Self::Nothing(reason) => PairJudgement::unknown(reason),
            Self::Reference {
                reference,
                judgement,
            } => reference::judge(pair, reference, &judgement),
            Self::Samples(solutions) => consistency::judge(pair, solutions),
        }
    }
}

impl PairJudgement {
    pub(crate) fn unknown(reason: &str) -> Self {
        Self {
            right: None,
            agreement: 0.0,
            scorer: None,
            reason: reason.to_string(),
            other: None,
        }
    }
}

/// Whether the strict scorer finds a final answer in a pair's solution that equals this one.
pub(crate) fn reaches(pair: &Pair, answer: &str) -> bool {
    let solution = Answer::Completion(&pair.solution);
    let verdict = Profile::standard().judge(solution, answer, Some(&pair.question));
    verdict.correct
}
