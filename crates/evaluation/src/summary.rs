//! Verdict records → accuracies and averages.

use std::collections::HashMap;

use dataset_loader::{Benchmark, Problem};
use schemars::JsonSchema;
use scoring::scorer_version;
use serde::{Deserialize, Serialize};

use crate::averages::{Averages, averages};
use crate::deduplicated::DeduplicatedAverages;
use crate::grader::Grader;
use crate::manifest::{BUNDLED, RunManifest};
use crate::pass_at_k::SampledFigures;
use crate::protocol::{MAX_TOKENS, deviating_stop_strings};
use crate::record::VerdictRecord;
use crate::set_summary::SetSummary;
use crate::suite::SuiteAverages;

/// Version of `summary.json`.
pub(crate) const SCHEMA: &str = "mwpbench.summary.v1";

/// What a run found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
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
    pub counted_once: Option<DeduplicatedAverages>,
    /// The averages of the suites that were asked for, MwpBench apart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suites: Vec<SuiteAverages>,
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

impl Summary {
    /// Sums up the verdicts of a run.
    pub(crate) fn new(
        benchmark: &Benchmark,
        grader: &Grader,
        manifest: &RunManifest,
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
            // More items than published are other data too, and not only fewer.
            .filter(|set| set.counts.n != set.expected)
            .map(|set| set.set.clone())
            .collect();
        let failed: usize = averaged().map(|set| set.counts.failed).sum();
        let complete =
            !identity.data.samples && missing.is_empty() && partial.is_empty() && failed == 0;
        // Once for all samples of a problem.
        let mut reference_errors: Vec<String> = verdicts
            .iter()
            .filter(|verdict| verdict.official.exception.is_some())
            .map(|verdict| verdict.id.clone())
            .collect();
        reference_errors.dedup();
        Self {
            schema: SCHEMA.to_string(),
            model: manifest.display_name().to_string(),
            protocol: identity.protocol.name().to_string(),
            deviations: deviations(manifest),
            data: identity.data.name.clone(),
            strict_profile: grader.given().map(str::to_string),
            scorer_version: scorer_version(),
            micro,
            macro_,
            counted_once: None,
            suites: Vec::new(),
            complete,
            missing,
            partial,
            reference_errors,
            sets,
        }
    }

    /// Adds pass@k and maj@k where several completions were drawn. `problems` are those that the
    /// verdicts judge, in their order.
    pub(crate) fn add_sampled_figures(
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
            set.several_samples = SampledFigures::of(grader.profile(&set.set), &own);
        }
    }

    /// Whether the data are the program's own bundled problems.
    pub fn on_bundled(&self) -> bool {
        self.data == BUNDLED
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

/// In what a run departs from the official protocol's prompt, decoding and items.
fn deviations(manifest: &RunManifest) -> Vec<String> {
    let identity = &manifest.identity;
    let mut found = Vec::new();
    if let Some(imported) = &identity.imported {
        found.push(format!("imported from {}", imported.format));
        let unknown = identity.unknown_protocol();
        if !unknown.is_empty() {
            found.push(format!("unknown: {}", unknown.join(", ")));
        }
    }
    if let Some(limit) = identity.limit {
        found.push(format!("limit {limit} a set"));
    }
    if let Some(few_shot) = &identity.few_shot {
        let examples = if few_shot.examples == 1 {
            "example"
        } else {
            "examples"
        };
        found.push(format!(
            "{} {examples} before each question",
            few_shot.examples
        ));
    }
    if let Some(budget) = identity.thinking_budget {
        found.push(format!("thinking ended after {budget} tokens"));
    }
    if let Some(excluded) = &identity.excluded {
        let items = if excluded.problems == 1 {
            "item"
        } else {
            "items"
        };
        found.push(format!("{} {items} excluded", excluded.problems));
    }
    if identity.template.name != "alpaca" && !identity.is_unknown("template") {
        found.push(format!("template {}", identity.template.name));
    }
    if identity.decoding.max_tokens != MAX_TOKENS && !identity.is_unknown("decoding.max_tokens") {
        found.push(format!(
            "at most {} new tokens",
            identity.decoding.max_tokens
        ));
    }
    if identity.is_unknown("decoding.sampling") {
        let samples = identity.decoding.samples();
        if samples > 1 {
            found.push(format!("{samples} completions a problem"));
        }
    } else if let Some(sampling) = &identity.decoding.sampling {
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
    if !identity.is_unknown("decoding.stop") {
        found.extend(deviating_stop_strings(&identity.decoding.stop));
    }
    found
}
