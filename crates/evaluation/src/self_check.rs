//! Can the scorers judge by the references of a set?

use dataset_loader::{Benchmark, Data, Extras, KnownError, Problem};
use rayon::prelude::*;
use scoring::official;
use scoring::selfcheck::{self, Failure};
use scoring::strict::{Answer, Profile};
use serde::Serialize;
use serde_json::Value;

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
    /// References that what stands beside them contradicts: one of both is wrong.
    pub contradictions: Vec<Contradiction>,
    /// Problems that the list of known errors has (`dataset_loader::known_errors`).
    pub known_errors: usize,
}

/// A reference that its own record contradicts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Contradiction {
    /// Id of the problem.
    pub id: String,
    /// The reference.
    pub reference: String,
    /// What contradicts it.
    pub with: Witness,
    /// What that says: the answer of the solution, or the letters of the options.
    pub found: String,
}

/// What stands beside a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Witness {
    /// The worked solution announces another answer, behind `####` or in its last box.
    Solution,
    /// The reference is the letter of none of the options.
    Options,
}

impl Contradiction {
    fn of(profile: &Profile, problem: &Problem, extras: &Extras) -> Option<Self> {
        let reference = &problem.reference;
        let contradicted = |with, found| Self {
            id: problem.id.clone(),
            reference: reference.clone(),
            with,
            found,
        };
        let solution = extras.get("solution").and_then(Value::as_str);
        // Another solution announces nothing that could be compared.
        let solution = solution.filter(|text| text.contains("####") || text.contains("\\boxed"));
        if let Some(solution) = solution {
            let question = Some(problem.question.as_str());
            let judgement = profile.judge(Answer::Completion(solution), reference, question);
            if let Some(answer) = judgement.answer.filter(|_| !judgement.correct) {
                return Some(contradicted(Witness::Solution, answer));
            }
        }
        let options = extras.get("options").and_then(Value::as_object)?;
        let letters: Vec<&str> = options.keys().map(String::as_str).collect();
        let is_letter =
            reference.len() == 1 && reference.starts_with(|c: char| c.is_ascii_uppercase());
        (is_letter && !letters.contains(&reference.as_str()))
            .then(|| contradicted(Witness::Options, letters.join(", ")))
    }
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
    pub fn of(benchmark: &Benchmark, grader: &Grader, data: &Data) -> Self {
        let known = dataset_loader::known_errors(&data.problems);
        let check = |set: &dataset_loader::Set| {
            let of_set: Vec<&Problem> = data
                .problems
                .iter()
                .filter(|problem| problem.set == set.name)
                .collect();
            (!of_set.is_empty()).then(|| CheckedSet::of(&set.name, grader, &of_set, data, &known))
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
    fn of(
        set: &str,
        grader: &Grader,
        problems: &[&Problem],
        data: &Data,
        known: &[KnownError],
    ) -> Self {
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
        let contradiction =
            |problem: &&Problem| Contradiction::of(profile, problem, data.extras.get(&problem.id)?);
        Self {
            set: set.to_string(),
            contradictions: problems.par_iter().filter_map(contradiction).collect(),
            known_errors: known.iter().filter(|error| error.set == set).count(),
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
