//! Judges an answer: a completion's text and the dataset's reference go in, a [`Verdict`] comes
//! out.
//!
//! What this crate refuses to know: models, prompts, datasets, files. It never fails on an odd
//! text: whatever a model wrote is data, and becomes a verdict with the trace of rules that led to
//! it. Every judgement takes time linear in its input.
//!
//! ```
//! use scoring::{Ended, Verdict, official};
//!
//! let completion = "She bakes 16 - 3 - 4 = 9 muffins and sells them at $2. The answer is $18.";
//! let judgement = official::judge_completion(completion, "18");
//! assert!(judgement.correct);
//! assert_eq!(judgement.extracted.as_deref(), Some("18"));
//! assert_eq!(judgement.trace, ["extract/number", "equal/number"]);
//! assert_eq!(judgement.verdict(Ended::Complete), Verdict::Correct);
//! ```
//!
//! The modules, in reading order:
//!
//! - [`official`]: the published MwpBench scorer, verdict for verdict: extraction, cleaning,
//!   equality.
//! - [`strict`]: ours: extraction by rules, parsing into values, comparison of values.
//! - [`cases`]: the cases of `answer-normalizers/` and how they are run.
//! - [`selfcheck`]: what must hold for any reference.
//! - `rule_files`: the files of rules, and their digest.
//! - `version`: the version of both scorers, bound to their verdicts.
//! - `python`: the text semantics of the language it was written in (lower case, white space,
//!   digits, numbers).

pub mod cases;
pub mod official;
mod python;
mod rule_files;
pub mod selfcheck;
pub mod strict;
mod version;

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use rule_files::rules_digest;
pub use version::scorer_version;

/// Which scorer's verdicts count.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Scorer {
    /// The published one.
    #[default]
    Official,
    /// Ours.
    Strict,
}

impl Scorer {
    /// Both, the published one first.
    pub const ALL: [Self; 2] = [Self::Official, Self::Strict];

    /// The name in flags, files and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Official => "official",
            Self::Strict => "strict",
        }
    }
}

/// What is decided about one completion. Serialized, and displayed, in snake case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The answer equals the reference.
    Correct,
    /// An answer was found and it does not equal the reference, or the reference itself could not
    /// be read.
    Wrong,
    /// The completion is whole and holds no answer.
    NoAnswer,
    /// The completion was cut at the token limit, or within thoughts that are never closed, and what
    /// there is of it is not correct.
    Truncated,
    /// There is no completion: generation failed.
    Failed,
}

impl Verdict {
    /// The name in files and reports, such as `no_answer`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Correct => "correct",
            Self::Wrong => "wrong",
            Self::NoAnswer => "no_answer",
            Self::Truncated => "truncated",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// How the text that was judged came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ended {
    /// By itself: the model ended its turn, a stop string was met, or the text was made elsewhere.
    Complete,
    /// At the limit of tokens.
    Truncated,
    /// By an error: what text there is counts for nothing.
    Failed,
}

impl official::OfficialJudgement {
    /// Combines the judgement with how the completion ended; the first line that applies decides.
    ///
    /// 1. generation failed: [`Verdict::Failed`], whatever the text;
    /// 2. the judgement is correct: [`Verdict::Correct`], truncated or not, as the original counts
    ///    it;
    /// 3. the original raises an exception on the reference: [`Verdict::Wrong`], for the completion
    ///    is not to blame;
    /// 4. cut at the token limit: [`Verdict::Truncated`];
    /// 5. nothing was extracted: [`Verdict::NoAnswer`];
    /// 6. otherwise [`Verdict::Wrong`].
    pub fn verdict(&self, ended: Ended) -> Verdict {
        match ended {
            Ended::Failed => Verdict::Failed,
            _ if self.correct => Verdict::Correct,
            _ if self.exception.is_some() => Verdict::Wrong,
            Ended::Truncated => Verdict::Truncated,
            Ended::Complete if self.extracted.is_none() => Verdict::NoAnswer,
            Ended::Complete => Verdict::Wrong,
        }
    }
}

impl strict::StrictJudgement {
    /// Combines the judgement with how the completion ended; the first line that applies decides.
    ///
    /// 1. generation failed: [`Verdict::Failed`], whatever the text;
    /// 2. the judgement is correct: [`Verdict::Correct`], truncated or not;
    /// 3. cut at the token limit, or within thoughts that are never closed: [`Verdict::Truncated`];
    /// 4. nothing was extracted, or only from thoughts: [`Verdict::NoAnswer`];
    /// 5. otherwise [`Verdict::Wrong`].
    pub fn verdict(&self, ended: Ended) -> Verdict {
        let unfinished = self
            .thoughts
            .as_ref()
            .is_some_and(|thoughts| thoughts.unfinished);
        match ended {
            Ended::Failed => Verdict::Failed,
            _ if self.correct => Verdict::Correct,
            Ended::Truncated => Verdict::Truncated,
            Ended::Complete if unfinished => Verdict::Truncated,
            Ended::Complete if self.answer.is_none() => Verdict::NoAnswer,
            Ended::Complete => Verdict::Wrong,
        }
    }
}
