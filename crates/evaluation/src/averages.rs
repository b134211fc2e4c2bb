//! Micro and macro average over the sets of a run.

use schemars::JsonSchema;
use scoring::Scorer;
use serde::{Deserialize, Serialize};
use statistics::{Bootstrap, Stratum, macro_average, micro_average};

use crate::record::VerdictRecord;
use crate::set_summary::{Accuracy, Counts, SetSummary};

/// An average by each scorer, in 0..=1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Averages {
    /// By the official scorer.
    pub official: f64,
    /// By the strict scorer.
    pub strict: f64,
    /// A 95 % interval of the official one by a stratified bootstrap ([`Bootstrap::default`]), in
    /// 0..=1; `None` in summaries of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub official_interval: Option<[f64; 2]>,
    /// The same of the strict one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strict_interval: Option<[f64; 2]>,
}

impl Averages {
    /// The average by one scorer, in 0..=1.
    pub fn by(&self, scorer: Scorer) -> f64 {
        match scorer {
            Scorer::Official => self.official,
            Scorer::Strict => self.strict,
        }
    }
}

/// Micro and macro average over the sets that take part. `verdicts` are those that the sets were
/// summed up from, those of one problem beside each other.
pub(crate) fn averages(
    sets: &[SetSummary],
    verdicts: &[VerdictRecord],
) -> (Option<Averages>, Option<Averages>) {
    let official = Resampling::of(sets, verdicts, |verdict| verdict.official.correct);
    let strict = Resampling::of(sets, verdicts, |verdict| verdict.strict.correct);
    let micro = |by: fn(&Counts) -> Accuracy| {
        micro_average(averaged(sets).map(|set| (set.counts.n, by(&set.counts).accuracy)))
    };
    let macro_ = |by: fn(&Counts) -> Accuracy| {
        macro_average(averaged(sets).map(|set| by(&set.counts).accuracy))
    };
    let both = |of: &dyn Fn(fn(&Counts) -> Accuracy) -> Option<f64>,
                interval: fn(&Resampling) -> Option<[f64; 2]>| {
        Some(Averages {
            official: of(|counts| counts.official)?,
            strict: of(|counts| counts.strict)?,
            official_interval: interval(&official),
            strict_interval: interval(&strict),
        })
    };
    (
        both(&micro, |resampling| resampling.micro),
        both(&macro_, |resampling| resampling.macro_),
    )
}

fn averaged(sets: &[SetSummary]) -> impl Iterator<Item = &SetSummary> {
    sets.iter().filter(|set| set.in_average)
}

/// Intervals of the two averages by one scorer.
struct Resampling {
    micro: Option<[f64; 2]>,
    macro_: Option<[f64; 2]>,
}

impl Resampling {
    fn of(
        sets: &[SetSummary],
        verdicts: &[VerdictRecord],
        is_correct: fn(&VerdictRecord) -> bool,
    ) -> Self {
        let stratum = |set: &SetSummary| {
            let own: Vec<&VerdictRecord> = verdicts
                .iter()
                .filter(|verdict| verdict.set == set.set)
                .collect();
            let problems: Vec<&[&VerdictRecord]> =
                own.chunk_by(|one, next| one.id == next.id).collect();
            let samples = problems.first()?.len();
            let correct = |problem: &&[&VerdictRecord]| {
                problem.iter().filter(|verdict| is_correct(verdict)).count()
            };
            Stratum::of_correct(&problems.iter().map(correct).collect::<Vec<_>>(), samples).ok()
        };
        // An interval that cannot be had is left out, and the averages stay.
        let strata: Option<Vec<Stratum>> = averaged(sets).map(stratum).collect();
        let resampled = strata.and_then(|strata| Bootstrap::default().averages(&strata).ok());
        let interval = |resampled: Option<statistics::Resampled>| {
            resampled.map(|resampled| resampled.interval)
        };
        Self {
            micro: interval(resampled.as_ref().and_then(|averages| averages.micro)),
            macro_: interval(resampled.as_ref().and_then(|averages| averages.macro_)),
        }
    }
}
