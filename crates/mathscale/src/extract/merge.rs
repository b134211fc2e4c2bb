//! The names of all seeds, merged: one canonical name for all spellings, plurals merged by option,
//! singletons removed.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::plurals::singular;
use super::report::{
    CanonicalName, ConceptReport, KindReport, Merge, MergeMode, MergeOptions, MergeRule, SCHEMA,
};
use super::{Name, SeedConcepts};
use crate::concept;
use crate::records::Extraction;

/// The concepts of each seed, and what became of the names.
pub(crate) fn merge_names(
    seeds: &[SeedConcepts],
    options: MergeOptions,
) -> (Vec<Extraction>, ConceptReport) {
    let (topics, topic_report) = merge_kind(seeds.iter().map(|seed| &seed.topics), options);
    let (kps, kp_report) = merge_kind(seeds.iter().map(|seed| &seed.knowledge_points), options);
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
        options,
        seeds: extractions.len(),
        seeds_without_topic_or_kp: extractions.iter().filter(poor).count(),
        topics: topic_report,
        knowledge_points: kp_report,
    };
    (extractions, report)
}

/// The spellings of one name, which differ in case only once they are canonical.
#[derive(Default)]
struct Spellings {
    /// How often each canonical form was used.
    canonical: BTreeMap<String, usize>,
    /// The forms as they were found.
    raw: BTreeSet<String>,
    /// Seeds that name it.
    seeds: usize,
}

impl Spellings {
    /// The canonical form that is used most; of equals the first in their order, which puts
    /// capitals first.
    fn name(&self) -> &str {
        let forms = self.canonical.iter();
        let best = forms.max_by(|a, b| a.1.cmp(b.1).then(b.0.cmp(a.0)));
        best.map_or("", |(name, _)| name)
    }
}

/// Names by their key.
type Names = BTreeMap<String, Spellings>;

fn merge_kind<'a>(
    seeds: impl ExactSizeIterator<Item = &'a Vec<Name>> + Clone,
    options: MergeOptions,
) -> (Vec<Vec<String>>, KindReport) {
    let (names, found) = collect(seeds.clone());
    let (into, merges) = match options.merge {
        MergeMode::None => (HashMap::new(), Vec::new()),
        MergeMode::Plurals => merge_plurals(&names),
    };
    let target = |name: &Name| {
        let key = concept::case_key(&name.canonical);
        into.get(&key).cloned().unwrap_or(key)
    };
    // A concept's seeds can only be counted once its names are merged.
    let keys: Vec<BTreeSet<String>> = seeds
        .map(|names| names.iter().map(target).collect())
        .collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for key in keys.iter().flatten() {
        *counts.entry(key).or_default() += 1;
    }
    let merged = counts.len();
    let singletons = counts.into_iter().filter(|&(_, count)| count == 1);
    let singletons = singletons.filter(|_| !options.keep_singletons);
    let removed: BTreeSet<&str> = singletons.map(|(key, _)| key).collect();
    let kept = |keys: &BTreeSet<String>| {
        let kept = keys.iter().filter(|key| !removed.contains(key.as_str()));
        // Every key that is kept is one of `names`: what is merged goes into a name that stays.
        // Sorted anew, as keys are in lower case and names are not.
        let mut kept: Vec<String> = kept.map(|key| names[key].name().to_string()).collect();
        kept.sort_unstable();
        kept
    };
    let report = KindReport {
        found,
        spelled: names.len(),
        merged,
        singletons: removed.len(),
        kept: merged - removed.len(),
        spellings: several_spellings(&names),
        merges,
        removed: removed
            .iter()
            .map(|key| names[*key].name().to_string())
            .collect(),
    };
    (keys.iter().map(kept).collect(), report)
}

/// All names by key, and the number of different names as they were found.
fn collect<'a>(seeds: impl Iterator<Item = &'a Vec<Name>>) -> (Names, usize) {
    let mut all = Names::new();
    let mut found = BTreeSet::new();
    for names in seeds {
        let mut keys = BTreeSet::new();
        for Name { raw, canonical } in names {
            let key = concept::case_key(canonical);
            let spellings = all.entry(key.clone()).or_default();
            *spellings.canonical.entry(canonical.clone()).or_default() += 1;
            spellings.raw.insert(raw.clone());
            found.insert(raw);
            spellings.seeds += usize::from(keys.insert(key));
        }
    }
    (all, found.len())
}

fn several_spellings(names: &Names) -> Vec<CanonicalName> {
    let several = names.values().filter(|spellings| spellings.raw.len() > 1);
    several
        .map(|spellings| {
            let name = spellings.name();
            let also = spellings.raw.iter().filter(|raw| *raw != name);
            CanonicalName {
                name: name.to_string(),
                also: also.cloned().collect(),
            }
        })
        .collect()
}

/// Which keys go into which others, and the list of it. The more frequent name stays; none goes
/// into one that itself goes.
fn merge_plurals(names: &Names) -> (HashMap<String, String>, Vec<Merge>) {
    let mut by_frequency: Vec<(&String, &Spellings)> = names.iter().collect();
    // The key decides between equals, so that the order of the seeds changes no name.
    by_frequency.sort_by(|a, b| b.1.seeds.cmp(&a.1.seeds).then(a.0.cmp(b.0)));
    let mut into = HashMap::new();
    let mut merges = Vec::new();
    let mut staying: HashMap<String, (&String, &Spellings)> = HashMap::new();
    for (key, spellings) in by_frequency {
        let singular = singular(key);
        if singular.is_empty() {
            // Nothing but punctuation has no singular by which it could be compared.
            continue;
        }
        match staying.entry(singular) {
            Entry::Vacant(place) => {
                place.insert((key, spellings));
            }
            Entry::Occupied(place) => {
                let (target, kept) = *place.get();
                into.insert(key.clone(), target.clone());
                merges.push(Merge {
                    into: kept.name().to_string(),
                    from: spellings.name().to_string(),
                    seeds: spellings.seeds,
                    rule: MergeRule::Plural,
                });
            }
        }
    }
    merges.sort_by(|a, b| (&a.into, &a.from).cmp(&(&b.into, &b.from)));
    (into, merges)
}
