//! The figures of one set.

use dataset_loader::Set;
use schemars::JsonSchema;
use scoring::Verdict;
use serde::{Deserialize, Serialize};
use statistics::{sampled_interval, wilson_interval};

use crate::pass_at_k::SampledFigures;
use crate::record::VerdictRecord;
use crate::tokens::TokensSpent;

/// What a run found on one set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetSummary {
    /// Name of the set.
    pub set: String,
    /// Name in print.
    pub title: String,
    /// School level.
    pub level: String,
    /// Whether it takes part in the averages.
    pub in_average: bool,
    /// Items that the protocol asks for.
    pub expected: usize,
    /// The figures.
    #[serde(flatten)]
    pub counts: Counts,
    /// The same for each task, where the set has several.
    pub tasks: Vec<TaskSummary>,
    /// pass@k and maj@k, where several completions were drawn for each problem.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub several_samples: Option<SampledFigures>,
    /// What its completions took in tokens, where the model thinks before it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<TokensSpent>,
}

/// What a run found on one task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskSummary {
    /// Name of the task.
    pub task: String,
    /// The figures.
    #[serde(flatten)]
    pub counts: Counts,
}

/// Figures over items. Where several completions were drawn for each, all but `n` count
/// completions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// Items.
    pub n: usize,
    /// By the official scorer.
    pub official: Accuracy,
    /// By the strict scorer.
    pub strict: Accuracy,
    /// Items from whose completion nothing could be extracted.
    pub no_answer: usize,
    /// Items whose completion was cut at the token limit, whatever their verdict.
    pub truncated: usize,
    /// Items that could not be generated.
    pub failed: usize,
}

/// A proportion of items.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Accuracy {
    /// Correct completions.
    pub correct: usize,
    /// Correct completions over all completions, in 0..=1.
    pub accuracy: f64,
    /// A 95 % interval, in 0..=1: Wilson's, or [`sampled_interval`].
    pub interval: [f64; 2],
}

impl SetSummary {
    /// `None` where the set was not asked.
    pub(crate) fn new(set: &Set, cap: Option<usize>, verdicts: &[VerdictRecord]) -> Option<Self> {
        let own: Vec<&VerdictRecord> = verdicts
            .iter()
            .filter(|verdict| verdict.set == set.name)
            .collect();
        let task = |name: &str| {
            let own: Vec<&VerdictRecord> = own
                .iter()
                .copied()
                .filter(|verdict| verdict.task == name)
                .collect();
            (!own.is_empty()).then(|| TaskSummary {
                task: name.to_string(),
                counts: Counts::of(&own),
            })
        };
        let expected = set
            .tasks
            .iter()
            .map(|task| cap.map_or(task.count, |cap| task.count.min(cap)))
            .sum();
        let tasks: Vec<TaskSummary> = set.tasks.iter().filter_map(|own| task(&own.name)).collect();
        (!own.is_empty()).then(|| Self {
            set: set.name.clone(),
            title: set.title.clone(),
            level: set.level.clone(),
            in_average: set.in_average,
            expected,
            counts: Counts::of(&own),
            tasks: if set.tasks.len() > 1 {
                tasks
            } else {
                Vec::new()
            },
            several_samples: None,
            tokens: None,
        })
    }
}

impl Counts {
    /// `verdicts`: those of one problem beside each other.
    fn of(verdicts: &[&VerdictRecord]) -> Self {
        let count = |holds: fn(&VerdictRecord) -> bool| {
            verdicts.iter().filter(|verdict| holds(verdict)).count()
        };
        let problems: Vec<&[&VerdictRecord]> =
            verdicts.chunk_by(|one, next| one.id == next.id).collect();
        Self {
            n: problems.len(),
            official: Accuracy::of(&problems, |verdict| verdict.official.correct),
            strict: Accuracy::of(&problems, |verdict| verdict.strict.correct),
            no_answer: count(|verdict| verdict.no_answer),
            truncated: count(|verdict| verdict.truncated),
            failed: count(|verdict| verdict.official.verdict == Verdict::Failed),
        }
    }
}

impl Accuracy {
    fn of(problems: &[&[&VerdictRecord]], is_correct: fn(&VerdictRecord) -> bool) -> Self {
        let of_problem = |samples: &&[&VerdictRecord]| {
            samples.iter().filter(|verdict| is_correct(verdict)).count()
        };
        let by_problem: Vec<usize> = problems.iter().map(of_problem).collect();
        let correct = by_problem.iter().sum();
        let samples = problems.first().map_or(1, |samples| samples.len());
        let interval = match samples {
            1 => wilson_interval(correct, problems.len()),
            _ => sampled_interval(&by_problem, samples),
        };
        Self {
            correct,
            accuracy: correct as f64 / (problems.len() * samples) as f64,
            interval,
        }
    }
}
