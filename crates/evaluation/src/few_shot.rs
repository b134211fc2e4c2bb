//! Examples before each question: for base models, which continue a pattern.
//!
//! The examples of a set are problems of its training split, or of that of the set that its
//! description names in its place. A seed decides which: all problems of the set get the same ones,
//! so that what stands before their questions is the same text and is computed once. No example is
//! a problem that is asked, or a near-duplicate of one.

use std::collections::{BTreeMap, BTreeSet};

use dataset_loader::{Benchmark, Problem};
use fault::{Class, Fault};
use overlap::{Index, OverlapOptions, TestItem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A training problem with its worked solution, where it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrainingRecord {
    /// The problem.
    pub problem: Problem,
    /// Its solution as the publisher writes it.
    pub solution: Option<String>,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FewShotPlan {
    /// Examples before each question, at least 1.
    pub examples: usize,
    /// Which examples.
    pub seed: u64,
    /// Whether answers end in a box, as the prompt asks for it.
    pub boxed: bool,
}

/// The examples of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FewShot {
    /// Examples before each question.
    pub examples: usize,
    /// The seed that chose them.
    pub seed: u64,
    /// BLAKE3 (hex) of the examples.
    pub digest: String,
    /// The examples, by set.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sets: BTreeMap<String, Vec<Example>>,
}

/// A question with its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// Id of the training problem.
    pub id: String,
    /// Its question.
    pub question: String,
    /// What stands for the model's answer: the worked solution, and the answer announced.
    pub answer: String,
}

/// Why there are no examples.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FewShotError {
    /// No training problems of a set.
    #[error("there are no training problems {of} at hand to be examples for {set}")]
    NoTraining {
        /// The set that is asked.
        set: String,
        /// Whose training problems are wanted.
        of: String,
    },
    /// Fewer than are asked for.
    #[error(
        "of the {at_hand} training problems for {set} only {usable} can be examples: the others are asked, or are near-duplicates of what is asked"
    )]
    TooFew {
        /// The set that is asked.
        set: String,
        /// Training problems at hand.
        at_hand: usize,
        /// Those among them that may be examples.
        usable: usize,
    },
}

impl Fault for FewShotError {
    fn class(&self) -> Class {
        Class::Usage
    }
}

impl FewShot {
    /// Chooses the examples of every set that is asked.
    ///
    /// # Errors
    /// A set without enough training problems.
    pub fn choose(
        benchmark: &Benchmark,
        asked: &[Problem],
        training: &[TrainingRecord],
        plan: FewShotPlan,
    ) -> Result<Self, FewShotError> {
        let names: BTreeSet<&str> = asked.iter().map(|problem| problem.set.as_str()).collect();
        let mut sets = BTreeMap::new();
        for name in names {
            let examples = examples_of(benchmark, name, asked, training, plan)?;
            sets.insert(name.to_string(), examples);
        }
        let text = serde_json::to_string(&sets).expect("examples are plain data");
        Ok(Self {
            examples: plan.examples,
            seed: plan.seed,
            digest: blake3::hash(text.as_bytes()).to_hex().to_string(),
            sets,
        })
    }

    /// The examples before a question of this set.
    pub fn of_set(&self, set: &str) -> &[Example] {
        self.sets.get(set).map_or(&[], Vec::as_slice)
    }
}

fn examples_of(
    benchmark: &Benchmark,
    set: &str,
    asked: &[Problem],
    training: &[TrainingRecord],
    plan: FewShotPlan,
) -> Result<Vec<Example>, FewShotError> {
    let of = |name: &str| -> Vec<&TrainingRecord> {
        let own = training.iter().filter(|record| record.problem.set == name);
        own.collect()
    };
    let mut pool = of(set);
    let from = benchmark
        .set(set)
        .and_then(|known| known.examples_from.as_deref());
    if let (true, Some(from)) = (pool.is_empty(), from) {
        pool = of(from);
    }
    if pool.is_empty() {
        let of = match from {
            Some(from) => format!("of {set} or {from}"),
            None => format!("of {set}"),
        };
        return Err(FewShotError::NoTraining {
            set: set.to_string(),
            of,
        });
    }
    let at_hand = pool.len();
    pool.sort_by_cached_key(|record| rank(plan.seed, record));
    let is_asked = AskedQuestions::of(asked, set);
    let usable = pool.into_iter().filter(|record| {
        // Of the same set by its id, as records that were asked may be at hand twice.
        let is_same = |problem: &Problem| problem.id == record.problem.id && problem.set == set;
        !asked.iter().any(is_same) && !is_asked.holds(&record.problem.question)
    });
    let examples: Vec<Example> = usable
        .take(plan.examples)
        .map(|record| Example::of(record, plan.boxed))
        .collect();
    match examples.len() == plan.examples {
        true => Ok(examples),
        false => Err(FewShotError::TooFew {
            set: set.to_string(),
            at_hand,
            usable: examples.len(),
        }),
    }
}

/// By hashes and not by a shuffle: problems that are added or removed change no other's rank.
fn rank(seed: u64, record: &TrainingRecord) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes());
    hasher.update(record.problem.id.as_bytes());
    hasher.update(&[0]);
    hasher.update(record.problem.question.as_bytes());
    *hasher.finalize().as_bytes()
}

/// The questions of a set that are asked.
struct AskedQuestions(Option<Index>);

impl AskedQuestions {
    fn of(asked: &[Problem], set: &str) -> Self {
        let own = asked.iter().filter(|problem| problem.set == set);
        let items = own.map(|problem| TestItem {
            id: problem.id.clone(),
            set: problem.set.clone(),
            text: problem.question.clone(),
        });
        // The ids of loaded problems are distinct: the data were refused otherwise.
        Self(Index::new(items.collect(), OverlapOptions::default()).ok())
    }

    /// Whether one of them is this question, or a near-duplicate of it.
    fn holds(&self, question: &str) -> bool {
        let Some(index) = &self.0 else {
            return true;
        };
        let options = index.options();
        index
            .hits(question)
            .iter()
            .any(|hit| hit.contaminates(&options))
    }
}

impl Example {
    fn of(record: &TrainingRecord, boxed: bool) -> Self {
        let Problem {
            id,
            question,
            reference,
            ..
        } = &record.problem;
        Self {
            id: id.clone(),
            question: question.clone(),
            answer: worked_answer(record.solution.as_deref(), reference, boxed),
        }
    }
}

/// The worked solution, if there is one, and at its end the answer as the prompt wants it.
fn worked_answer(solution: Option<&str>, reference: &str, boxed: bool) -> String {
    let solution = solution.map(without_marks).unwrap_or_default();
    if boxed && solution.contains("\\boxed") {
        return solution;
    }
    let bare = reference.trim();
    let announced = match boxed {
        true => format!("The answer is $\\boxed{{{}}}$.", bare.trim_matches('$')),
        false => format!("The answer is {}.", bare.trim_end_matches('.')),
    };
    match solution.is_empty() {
        true => announced,
        false => format!("{solution}\n{announced}"),
    }
}

/// A solution without GSM8K's marks: calculations between `<<` and `>>`, and the answer behind
/// `####`.
fn without_marks(solution: &str) -> String {
    let text = solution
        .rsplit_once("####")
        .map_or(solution, |(text, _)| text);
    let mut kept = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("<<") {
        let Some((_, after)) = behind.split_once(">>") else {
            break;
        };
        kept.push_str(before);
        rest = after;
    }
    kept.push_str(rest);
    kept.trim().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_solution_ends_in_the_answer_as_the_prompt_wants_it() {
        let gsm8k = "She has 3*4=<<3*4=12>>12 eggs.\nShe sells 12-2=<<12-2=10>>10.\n#### 10";
        let math = "So the sum is $\\boxed{\\frac{1}{2}}$.";
        for (solution, reference, boxed, expected) in [
            (
                Some(gsm8k),
                "10",
                false,
                "She has 3*4=12 eggs.\nShe sells 12-2=10.\nThe answer is 10.",
            ),
            (
                Some(gsm8k),
                "10",
                true,
                "She has 3*4=12 eggs.\nShe sells 12-2=10.\nThe answer is $\\boxed{10}$.",
            ),
            (Some(math), "\\frac{1}{2}", true, math),
            (
                Some(math),
                "\\frac{1}{2}",
                false,
                "So the sum is $\\boxed{\\frac{1}{2}}$.\nThe answer is \\frac{1}{2}.",
            ),
            (None, "$7$", true, "The answer is $\\boxed{7}$."),
            (None, "4 p.m.", false, "The answer is 4 p.m."),
            (Some("a << b"), "1", false, "a << b\nThe answer is 1."),
        ] {
            assert_eq!(worked_answer(solution, reference, boxed), expected);
        }
    }
}
