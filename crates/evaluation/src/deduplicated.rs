//! Deduplicated averages: each problem counts once. Sets of the benchmark overlap: all of AGIEval-MATH
//! is in MATH as published, for instance.

use std::collections::{BTreeMap, HashMap, HashSet};

use dataset_loader::{Benchmark, Problem, Stats, grouped};
use overlap::{RepeatedItem, TestItem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::averages::{Averages, averages};
use crate::record::VerdictRecord;
use crate::set_summary::SetSummary;

/// The averages over the items that are in no earlier set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeduplicatedAverages {
    /// Items left out, by the set in which they occur again.
    pub repeated: Vec<RepeatedItems>,
    /// Items that stay.
    pub n: usize,
    /// Sets of which any item stays.
    pub sets: usize,
    /// Mean over those sets weighted by their items.
    pub micro: Averages,
    /// Plain mean over those sets.
    #[serde(rename = "macro")]
    pub macro_: Averages,
}

/// How many items of a set are in an earlier one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RepeatedItems {
    /// Name of the set.
    pub set: String,
    /// Items of it that are in a set before it.
    pub items: usize,
}

impl DeduplicatedAverages {
    /// `None` where no averaged item is in two sets, or nothing would stay. `problems` are those
    /// that the verdicts judge.
    pub(crate) fn of(
        benchmark: &Benchmark,
        task_cap: Option<usize>,
        problems: &[Problem],
        verdicts: &[VerdictRecord],
    ) -> Option<Self> {
        let items = averaged_items(benchmark, problems);
        let pairs = repeated(&items);
        if pairs.is_empty() {
            return None;
        }
        let again: HashSet<&str> = pairs.iter().map(|pair| pair.id.as_str()).collect();
        let stay: Vec<VerdictRecord> = verdicts
            .iter()
            .filter(|verdict| !again.contains(verdict.id.as_str()))
            .cloned()
            .collect();
        let sets: Vec<SetSummary> = benchmark
            .sets()
            .iter()
            .filter_map(|set| SetSummary::new(set, task_cap, &stay))
            .collect();
        let (micro, macro_) = averages(&sets, &stay);
        let repeated = benchmark.sets().iter().filter_map(|set| {
            let is_repeated =
                |item: &&TestItem| item.set == set.name && again.contains(item.id.as_str());
            let count = items.iter().filter(is_repeated).count();
            (count > 0).then(|| RepeatedItems {
                set: set.name.clone(),
                items: count,
            })
        });
        let averaged = || sets.iter().filter(|set| set.in_average);
        Some(Self {
            repeated: repeated.collect(),
            n: averaged().map(|set| set.counts.n).sum(),
            sets: averaged().count(),
            micro: micro?,
            macro_: macro_?,
        })
    }
}

fn averaged_items(benchmark: &Benchmark, problems: &[Problem]) -> Vec<TestItem> {
    let averaged = benchmark.sets().iter().filter(|set| set.in_average);
    let items = averaged.flat_map(|set| {
        problems
            .iter()
            .filter(move |problem| problem.set == set.name)
    });
    let item = |problem: &Problem| TestItem {
        id: problem.id.clone(),
        set: problem.set.clone(),
        text: problem.question.clone(),
    };
    items.map(item).collect()
}

fn repeated(items: &[TestItem]) -> Vec<RepeatedItem> {
    // The ids of loaded problems are distinct: the data were refused otherwise.
    overlap::repeated_items(items).unwrap_or_default()
}

/// Notes at each averaged set, and at each further one, how many of its problems at hand are also in
/// such a set before it.
pub fn note_repeated(stats: &mut Stats, benchmark: &Benchmark, problems: &[Problem]) {
    let noted = benchmark.averaging(|set| set.in_average || set.on_request);
    let items = averaged_items(&noted, problems);
    let set_of: HashMap<&str, &str> = items
        .iter()
        .map(|item| (item.id.as_str(), item.set.as_str()))
        .collect();
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let pairs = repeated(&items);
    for pair in &pairs {
        *counts
            .entry((set_of[pair.id.as_str()], set_of[pair.same_as.as_str()]))
            .or_default() += 1;
    }
    for set in &mut stats.sets {
        for ((_, earlier), count) in counts.iter().filter(|((own, _), _)| *own == set.set) {
            let title = benchmark
                .set(earlier)
                .map_or(*earlier, |set| set.title.as_str());
            set.notes.push(format!(
                "{} of these are also in {title}; a run gives the averages with each problem counted once too",
                grouped(*count)
            ));
        }
    }
}
