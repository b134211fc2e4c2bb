//! Whether a run can be compared with a baseline, before it is begun.

use dataset_loader::Benchmark;
use scoring::{Scorer, rules_digest, scorer_version};

use super::compared_run::{ComparedRun, planned_sets};
use super::error::ComparisonError;
use super::{differences, pair};
use crate::grader::Grader;
use crate::plan::RunPlan;

/// What the two are called.
const ROLES: [&str; 2] = ["the baseline", "this run"];

impl ComparedRun {
    /// Refuses a run that could not be compared with this one: another template, decoding, rules or
    /// items. The model may be another one: that is what is compared.
    ///
    /// # Errors
    /// [`ComparisonError::Unsuited`] with every such difference.
    pub fn check_suits(
        &self,
        benchmark: &Benchmark,
        grader: &Grader,
        plan: &RunPlan,
    ) -> Result<(), ComparisonError> {
        let identity = plan.identity(self.identity.model.clone());
        let planned = Self {
            source: self.source.clone(),
            name: self.name.clone(),
            identity,
            version: plan.version.clone(),
            strict_profile: grader.given().map(str::to_string),
            rules: rules_digest(),
            scorer_version: scorer_version(),
            sets: planned_sets(benchmark, &plan.problems),
            texts: None,
        };
        let mut found = pair(self, &planned, ROLES).differences;
        let differing = differences(self, &planned, Scorer::Official);
        let forbidding = differing
            .iter()
            .filter(|difference| difference.aspect.forbids_comparison());
        found.extend(forbidding.map(|difference| {
            let (a, b) = (&difference.a, &difference.b);
            format!(
                "{}: {a} in {}, {b} in {}",
                difference.what, ROLES[0], ROLES[1]
            )
        }));
        match found.is_empty() {
            true => Ok(()),
            false => Err(ComparisonError::Unsuited {
                baseline: self.source.clone(),
                differences: found,
            }),
        }
    }
}
