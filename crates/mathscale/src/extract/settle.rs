//! The names of all seeds, put together: one spelling a name, near-duplicates merged by option,
//! singletons taken out.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::folding::{Near, singular};
use super::report::{ConceptReport, KindReport, Merge, MergeRule, SCHEMA, Spelling};
use super::{Name, Named};
use crate::concept;
use crate::records::Extraction;

/// How names are settled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settling {
    /// Which names are taken for one.
    pub merge: Merging,
    /// Whether concepts that a single seed names stay.
    pub keep_singletons: bool,
}

/// Which names are taken for one, beside those that differ in case, white space or trailing
/// punctuation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Merging {
    /// No others.
    #[default]
    None,
    /// Singular and plural; hyphens, articles and punctuation apart.
    Plurals,
    /// As `Plurals`, and names that differ by one letter of a long word.
    Near,
}

/// The concepts of each seed, and what became of the names.
pub(crate) fn settle(seeds: &[Named], settling: Settling) -> (Vec<Extraction>, ConceptReport) {
    let (topics, topic_report) = settle_kind(seeds.iter().map(|seed| &seed.topics), settling);
    let (kps, kp_report) = settle_kind(seeds.iter().map(|seed| &seed.knowledge_points), settling);
    let extractions: Vec<Extraction> = seeds
        .iter()
        .zip(topics.into_iter().zip(kps))
        .map(|(seed, (topics, knowledge_points))| Extraction {
            id: seed.seed.id.clone(),
            topics,
            knowledge_points,
        })
        .collect();
    let poor = |seed: &&Extraction| seed.topics.is_empty() || seed.knowledge_points.is_empty();
    let report = ConceptReport {
        schema: SCHEMA.to_string(),
        settling,
        seeds: extractions.len(),
        seeds_without_topic_or_kp: extractions.iter().filter(poor).count(),
        topics: topic_report,
        knowledge_points: kp_report,
    };
    (extractions, report)
}

/// A name by its key.
#[derive(Default)]
struct Entry {
    /// How often each written form was used.
    written: BTreeMap<String, usize>,
    /// The forms as they were found.
    found: BTreeSet<String>,
    /// Seeds that name it.
    seeds: usize,
}

impl Entry {
    /// The written form that is used most; of equals the first in their order, which puts capitals
    /// first.
    fn name(&self) -> &str {
        let best = self
            .written
            .iter()
            .max_by(|a, b| a.1.cmp(b.1).then(b.0.cmp(a.0)));
        best.map_or("", |(name, _)| name)
    }
}

fn settle_kind<'a>(
    seeds: impl ExactSizeIterator<Item = &'a Vec<Name>> + Clone,
    settling: Settling,
) -> (Vec<Vec<String>>, KindReport) {
    let mut entries: BTreeMap<String, Entry> = BTreeMap::new();
    let mut found = BTreeSet::new();
    for names in seeds.clone() {
        let mut keys = BTreeSet::new();
        for name in names {
            let key = concept::key(&name.written);
            let entry = entries.entry(key.clone()).or_default();
            *entry.written.entry(name.written.clone()).or_default() += 1;
            entry.found.insert(name.found.clone());
            found.insert(&name.found);
            entry.seeds += usize::from(keys.insert(key));
        }
    }
    let (into, merges) = merge(&entries, settling.merge);
    let target = |key: &str| into.get(key).cloned().unwrap_or_else(|| key.to_string());
    // How many seeds name a concept can only be counted when it is settled what is one concept.
    let keys: Vec<BTreeSet<String>> = seeds
        .map(|names| {
            names
                .iter()
                .map(|name| target(&concept::key(&name.written)))
                .collect()
        })
        .collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for key in keys.iter().flatten() {
        *counts.entry(key).or_default() += 1;
    }
    let merged = counts.len();
    let removed: BTreeSet<&str> = counts
        .iter()
        .filter(|&(_, &count)| count == 1 && !settling.keep_singletons)
        .map(|(key, _)| *key)
        .collect();
    let named = |keys: &BTreeSet<String>| {
        let mut names: Vec<String> = keys
            .iter()
            .filter(|key| !removed.contains(key.as_str()))
            .map(|key| entries[key].name().to_string())
            .collect();
        names.sort_unstable();
        names
    };
    let spellings = entries
        .values()
        .filter(|entry| entry.found.len() > 1)
        .map(|entry| Spelling {
            name: entry.name().to_string(),
            also: entry
                .found
                .iter()
                .filter(|found| *found != entry.name())
                .cloned()
                .collect(),
        });
    let report = KindReport {
        found: found.len(),
        spelled: entries.len(),
        merged,
        singletons: removed.len(),
        kept: merged - removed.len(),
        spellings: spellings.collect(),
        merges,
        removed: removed
            .iter()
            .map(|key| entries[*key].name().to_string())
            .collect(),
    };
    (keys.iter().map(named).collect(), report)
}

/// Which keys go into which others, and the list of it. The more frequent name stays; none goes
/// into one that itself goes.
fn merge(
    entries: &BTreeMap<String, Entry>,
    merging: Merging,
) -> (HashMap<String, String>, Vec<Merge>) {
    let mut into = HashMap::new();
    let mut merges = Vec::new();
    if merging == Merging::None {
        return (into, merges);
    }
    let mut by_frequency: Vec<(&String, &Entry)> = entries.iter().collect();
    by_frequency.sort_by(|a, b| b.1.seeds.cmp(&a.1.seeds).then(a.0.cmp(b.0)));
    let mut singulars: HashMap<String, usize> = HashMap::new();
    let mut near = Near::default();
    let mut staying: Vec<(&String, &Entry)> = Vec::new();
    for (key, entry) in by_frequency {
        let singular = singular(key);
        // Nothing but punctuation has no singular by which it could be told from others.
        let same = singulars
            .get(&singular)
            .copied()
            .filter(|_| !singular.is_empty());
        let one_letter = || {
            if merging == Merging::Near {
                near.find(&singular)
            } else {
                None
            }
        };
        let target = same.map(|place| (place, MergeRule::Plural));
        match target.or_else(|| one_letter().map(|place| (place, MergeRule::Letter))) {
            Some((place, rule)) => {
                let (target, kept) = staying[place];
                into.insert(key.clone(), target.clone());
                let names = [kept, entry].map(|entry| entry.name().to_string());
                let [to, from] = names;
                merges.push(Merge {
                    into: to,
                    from,
                    seeds: entry.seeds,
                    rule,
                });
            }
            None => {
                near.add(&singular);
                singulars.insert(singular, staying.len());
                staying.push((key, entry));
            }
        }
    }
    merges.sort_by(|a, b| (&a.into, &a.from).cmp(&(&b.into, &b.from)));
    (into, merges)
}
