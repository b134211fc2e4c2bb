//! Verdict records → accuracies and averages.

use std::collections::HashMap;

use dataset_loader::{Benchmark, Problem, Set};
use scoring::{Scorer, Verdict, scorer_version};
use serde::{Deserialize, Serialize};
use statistics::{
    Bootstrap, Stratum, macro_average, micro_average, sampled_interval, wilson_interval,
};

use crate::counted_once::CountedOnce;
use crate::grader::Grader;
use crate::manifest::Manifest;
use crate::protocol::{MAX_TOKENS, deviating_stop_strings};
use crate::record::VerdictRecord;
use crate::several_samples::SeveralSamples;

/// Version of `summary.json`.
pub(crate) const SCHEMA: &str = "mwpbench.summary.v1";

/// What a run found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// Version of this file.
    pub schema: String,
    /// Name of the model.
    pub model: String,
    /// Name of the protocol.
    pub protocol: String,
    /// In what the run departs from the protocol, such as `limit 100`; empty where it does not.
    pub deviations: Vec<String>,
    /// Name of the data: `samples`, or its path.
    pub data: String,
    /// Name of the strict profile, where one was asked for in place of the sets' own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strict_profile: Option<String>,
    /// Version of both scorers; summaries that do not say are by the first one.
    #[serde(default = "first_version")]
    pub scorer_version: u32,
    /// The sets that were asked, in the benchmark's order.
    pub sets: Vec<SetSummary>,
    /// Mean over the averaged sets weighted by their items; `None` where none of them was asked.
    pub micro: Option<Averages>,
    /// Plain mean over the averaged sets; `None` where none of them was asked.
    #[serde(rename = "macro")]
    pub macro_: Option<Averages>,
    /// The averages with each problem counted once, where averaged sets have problems in common.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted_once: Option<CountedOnce>,
    /// Whether all ten real sets were asked in full and every item was answered.
    pub complete: bool,
    /// The averaged sets that were not asked.
    pub missing: Vec<String>,
    /// The averaged sets of which not exactly the published number of items was asked.
    pub partial: Vec<String>,
    /// Items whose reference makes the original scorer raise an exception (the original then drops
    /// the whole task; here the item counts as wrong).
    pub reference_errors: Vec<String>,
}

fn first_version() -> u32 {
    1
}

/// What a run found on one set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    pub several_samples: Option<SeveralSamples>,
}

/// What a run found on one task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accuracy {
    /// Correct completions.
    pub correct: usize,
    /// Correct completions over all completions, in 0..=1.
    pub accuracy: f64,
    /// A 95 % interval, in 0..=1: Wilson's, or [`sampled_interval`].
    pub interval: [f64; 2],
}

/// An average by each scorer, in 0..=1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
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

impl Summary {
    /// Sums up the verdicts of a run.
    pub(crate) fn new(
        benchmark: &Benchmark,
        grader: &Grader,
        manifest: &Manifest,
        verdicts: &[VerdictRecord],
    ) -> Self {
        let identity = &manifest.identity;
        let cap = identity.protocol.task_cap();
        let sets: Vec<SetSummary> = benchmark
            .sets()
            .iter()
            .filter_map(|set| SetSummary::new(set, cap, verdicts))
            .collect();
        let averaged = || sets.iter().filter(|set| set.in_average);
        let (micro, macro_) = averages(&sets, verdicts);
        let missing: Vec<String> = benchmark
            .sets()
            .iter()
            .filter(|set| set.in_average && !sets.iter().any(|asked| asked.set == set.name))
            .map(|set| set.name.clone())
            .collect();
        let partial: Vec<String> = averaged()
            .filter(|set| set.counts.n != set.expected)
            .map(|set| set.set.clone())
            .collect();
        let failed: usize = averaged().map(|set| set.counts.failed).sum();
        let complete =
            !identity.data.samples && missing.is_empty() && partial.is_empty() && failed == 0;
        Self {
            schema: SCHEMA.to_string(),
            model: identity.model.name.clone(),
            protocol: identity.protocol.name().to_string(),
            deviations: deviations(manifest),
            data: identity.data.name.clone(),
            strict_profile: grader.given().map(str::to_string),
            scorer_version: scorer_version(),
            micro,
            macro_,
            counted_once: None,
            complete,
            missing,
            partial,
            reference_errors: verdicts
                .iter()
                .filter(|verdict| verdict.official.exception.is_some())
                .map(|verdict| verdict.id.clone())
                .collect(),
            sets,
        }
    }

    /// Adds pass@k and maj@k where several completions were drawn. `problems` are those that the
    /// verdicts judge, in their order.
    pub(crate) fn add_several_samples(
        &mut self,
        grader: &Grader,
        problems: &[Problem],
        verdicts: &[VerdictRecord],
    ) {
        let by_problem: HashMap<&str, &[VerdictRecord]> = verdicts
            .chunk_by(|one, next| one.id == next.id)
            .map(|own| (own[0].id.as_str(), own))
            .collect();
        for set in &mut self.sets {
            let own = problems.iter().filter(|problem| problem.set == set.set);
            let own: Vec<_> = own
                .filter_map(|problem| Some((problem, *by_problem.get(problem.id.as_str())?)))
                .collect();
            set.several_samples = SeveralSamples::of(grader.profile(&set.set), &own);
        }
    }

    /// Whether the data are the program's own samples.
    pub fn on_samples(&self) -> bool {
        self.data == crate::run::SAMPLES
    }

    /// Items asked.
    pub fn items(&self) -> usize {
        self.sets.iter().map(|set| set.counts.n).sum()
    }

    /// Items that could not be generated.
    pub fn failed(&self) -> usize {
        self.sets.iter().map(|set| set.counts.failed).sum()
    }
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

/// In what a run departs from the official protocol's prompt, decoding and items.
fn deviations(manifest: &Manifest) -> Vec<String> {
    let identity = &manifest.identity;
    let mut found = Vec::new();
    if let Some(limit) = identity.limit {
        found.push(format!("limit {limit} a set"));
    }
    if let Some(excluded) = &identity.excluded {
        let items = if excluded.problems == 1 {
            "item"
        } else {
            "items"
        };
        found.push(format!("{} {items} excluded", excluded.problems));
    }
    if identity.template.name != "alpaca" {
        found.push(format!("template {}", identity.template.name));
    }
    if identity.decoding.max_tokens != MAX_TOKENS {
        found.push(format!(
            "at most {} new tokens",
            identity.decoding.max_tokens
        ));
    }
    if let Some(sampling) = &identity.decoding.sampling {
        found.push(format!(
            "sampled at temperature {}, {} a problem",
            sampling.temperature, sampling.samples
        ));
    }
    if identity
        .model
        .details
        .get("api")
        .is_some_and(|api| api == "chat")
    {
        found.push("asked as a chat, in the server's template".to_string());
    }
    if let Some(kind) = identity.model.details.get("quantization") {
        found.push(format!("weights rounded to {kind}"));
    }
    found.extend(deviating_stop_strings(&identity.decoding.stop));
    found
}
