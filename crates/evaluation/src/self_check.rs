//! Can the scorers judge by the references of a set?

use dataset_loader::{Benchmark, Problem};
use rayon::prelude::*;
use scoring::official;
use scoring::selfcheck::{self, Failure};
use serde::Serialize;

use crate::grader::Grader;

/// What came of the references of all sets.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SelfCheck {
    /// The sets at hand, in the benchmark's order.
    pub sets: Vec<CheckedSet>,
}

/// What came of the references of one set.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CheckedSet {
    /// Name of the set.
    pub set: String,
    /// References checked.
    pub references: usize,
    /// Those that equal themselves by the strict scorer.
    pub equal_themselves: usize,
    /// Forms tried: rewritings that must be equal, changed copies that must not.
    pub tried: usize,
    /// Forms that failed.
    pub failed: usize,
    /// References that the official scorer cannot read; it would drop their whole task.
    pub official_exceptions: Vec<ReferenceException>,
    /// The failures of the strict scorer.
    pub failures: Vec<FailedReference>,
}

/// A reference that makes the original scorer raise.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReferenceException {
    /// Id of the problem.
    pub id: String,
    /// The reference.
    pub reference: String,
    /// Class of the exception.
    pub exception: String,
}

/// A reference with a form that failed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FailedReference {
    /// Id of the problem.
    pub id: String,
    /// The reference.
    pub reference: String,
    /// The form, what was put, and what the scorer made of it.
    #[serde(flatten)]
    pub failure: Failure,
}

impl SelfCheck {
    /// Checks the references of problems, in parallel.
    pub fn of(benchmark: &Benchmark, grader: &Grader, problems: &[Problem]) -> Self {
        let check = |set: &dataset_loader::Set| {
            let of_set: Vec<&Problem> = problems
                .iter()
                .filter(|problem| problem.set == set.name)
                .collect();
            (!of_set.is_empty()).then(|| CheckedSet::of(&set.name, grader, &of_set))
        };
        Self {
            sets: benchmark.sets().iter().filter_map(check).collect(),
        }
    }

    /// Whether every reference equals itself.
    pub fn holds(&self) -> bool {
        self.sets
            .iter()
            .all(|set| set.equal_themselves == set.references)
    }
}

impl CheckedSet {
    fn of(set: &str, grader: &Grader, problems: &[&Problem]) -> Self {
        let profile = grader.profile(set);
        let checked: Vec<_> = problems
            .par_iter()
            .map(|problem| selfcheck::check(profile, &problem.reference))
            .collect();
        let exception = |problem: &&&Problem| {
            let exception =
                official::judge_prediction(&problem.reference, &problem.reference).exception?;
            Some(ReferenceException {
                id: problem.id.clone(),
                reference: problem.reference.clone(),
                exception: exception.to_string(),
            })
        };
        Self {
            set: set.to_string(),
            references: problems.len(),
            equal_themselves: checked
                .iter()
                .filter(|checked| checked.equals_itself())
                .count(),
            tried: checked.iter().map(|checked| checked.tried).sum(),
            failed: checked.iter().map(|checked| checked.failures.len()).sum(),
            official_exceptions: problems
                .iter()
                .filter_map(|problem| exception(&problem))
                .collect(),
            failures: problems
                .iter()
                .zip(checked)
                .flat_map(|(problem, checked)| {
                    let failed = |failure| FailedReference {
                        id: problem.id.clone(),
                        reference: problem.reference.clone(),
                        failure,
                    };
                    checked.failures.into_iter().map(failed).collect::<Vec<_>>()
                })
                .collect(),
        }
    }
}
