//! Which items two runs have in common.

use std::collections::BTreeMap;

use statistics::PairedSet;

use scoring::Scorer;

use super::compared_run::{ComparedItems, ComparedRun, ItemKey};
use super::error::ComparisonError;
use super::protocol::reasons;

/// The items of one set that both runs answered: their positions in each run.
#[derive(Clone, Debug)]
pub(crate) struct Pairing<'a> {
    pub(crate) a: &'a ComparedItems,
    pub(crate) b: &'a ComparedItems,
    positions: Vec<(usize, usize)>,
}

impl Pairing<'_> {
    /// Correct completions of each item by each run.
    pub(crate) fn correct(&self, scorer: Scorer) -> impl Iterator<Item = (usize, usize)> {
        let (a, b) = (self.a.correct(scorer), self.b.correct(scorer));
        self.positions
            .iter()
            .map(move |&(at_a, at_b)| (a[at_a], b[at_b]))
    }

    /// The same for the statistics.
    pub(crate) fn paired(
        &self,
        scorer: Scorer,
        samples: [usize; 2],
    ) -> Result<PairedSet, statistics::Error> {
        let (a, b) = self.correct(scorer).unzip();
        PairedSet::new(a, samples[0], b, samples[1])
    }

    /// Ids of the items, where either run has them.
    pub(crate) fn ids(&self) -> Option<Vec<&str>> {
        let positions = || self.positions.iter();
        match (&self.a.keys, &self.b.keys) {
            (Some(keys), _) => Some(positions().map(|&(at, _)| keys[at].id.as_str()).collect()),
            (None, Some(keys)) => Some(positions().map(|&(_, at)| keys[at].id.as_str()).collect()),
            (None, None) => None,
        }
    }
}

/// What two runs have in common.
pub(crate) struct Paired<'a> {
    /// Each set with items in both, in the order of the first run.
    pub(crate) sets: Vec<Pairing<'a>>,
    /// In what the items differ, in words: why first, then set by set.
    pub(crate) differences: Vec<String>,
}

/// Differences as a part of a sentence: the first of them, and how many more there are.
pub(crate) fn in_a_sentence(differences: &[String]) -> String {
    const MAX: usize = 6;
    let mut parts: Vec<String> = differences.iter().take(MAX).cloned().collect();
    match differences.len().saturating_sub(MAX) {
        0 => {}
        1 => parts.push("and one more such difference".to_string()),
        more => parts.push(format!("and {more} more such differences")),
    }
    parts.join("; ")
}

/// The items that are in both runs. `roles`: what the runs are called, such as A and B.
pub(crate) fn pair<'a>(a: &'a ComparedRun, b: &'a ComparedRun, roles: [&str; 2]) -> Paired<'a> {
    let (mut sets, mut differences) = (Vec::new(), Vec::new());
    let mut no_ids = false;
    for own in &a.sets {
        let Some(other) = b.set(&own.set) else {
            differences.push(format!(
                "{} ({}) is in {} only",
                own.set,
                items(own.n()),
                roles[0]
            ));
            continue;
        };
        // The digest covers the items in their order, so that they pair place by place, ids or not.
        if own.digest == other.digest && own.n() == other.n() {
            sets.push(Pairing {
                a: own,
                b: other,
                positions: (0..own.n()).map(|at| (at, at)).collect(),
            });
            continue;
        }
        let (Some(keys), Some(others)) = (&own.keys, &other.keys) else {
            differences.push(format!("{}, not all the same", numbers(own, other, roles)));
            no_ids = true;
            continue;
        };
        let positions = common(keys, others);
        differences.push(format!(
            "{}, {} of them in both{}",
            numbers(own, other, roles),
            positions.len(),
            changed(keys, others)
        ));
        if !positions.is_empty() {
            sets.push(Pairing {
                a: own,
                b: other,
                positions,
            });
        }
    }
    let only_b = b.sets.iter().filter(|set| a.set(&set.set).is_none());
    differences.extend(
        only_b.map(|set| format!("{} ({}) is in {} only", set.set, items(set.n()), roles[1])),
    );
    if !differences.is_empty() {
        let mut why = reasons(a, b, roles);
        if no_ids {
            why.push("a baseline keeps no ids, so that items in common cannot be told".to_string());
        }
        differences.splice(0..0, why);
    }
    Paired { sets, differences }
}

/// What both runs have in common where that is all there is, or where that is asked for.
pub(crate) fn pair_or_refuse<'a>(
    a: &'a ComparedRun,
    b: &'a ComparedRun,
    only_common: bool,
) -> Result<Paired<'a>, ComparisonError> {
    let paired = pair(a, b, ["A", "B"]);
    if !only_common && !paired.differences.is_empty() {
        return Err(ComparisonError::DifferentItems {
            differences: paired.differences,
        });
    }
    match paired.sets.is_empty() {
        true => Err(ComparisonError::NothingInCommon),
        false => Ok(paired),
    }
}

/// Positions of equal keys in two sorted lists.
fn common(a: &[ItemKey], b: &[ItemKey]) -> Vec<(usize, usize)> {
    // By id and content: an item whose reference was corrected is another item.
    let places: BTreeMap<&ItemKey, usize> =
        b.iter().enumerate().map(|(at, key)| (key, at)).collect();
    a.iter()
        .enumerate()
        .filter_map(|(at, key)| places.get(key).map(|other| (at, *other)))
        .collect()
}

fn numbers(a: &ComparedItems, b: &ComparedItems, roles: [&str; 2]) -> String {
    format!(
        "{} has {} in {} and {} in {}",
        a.set,
        items(a.n()),
        roles[0],
        items(b.n()),
        roles[1]
    )
}

/// An item to look at: the first that has another text under the same id.
fn changed(keys: &[ItemKey], others: &[ItemKey]) -> String {
    let texts: BTreeMap<&str, &ItemKey> = others.iter().map(|key| (key.id.as_str(), key)).collect();
    let changed = keys.iter().find(|key| {
        texts
            .get(key.id.as_str())
            .is_some_and(|other| other.content != key.content)
    });
    changed
        .map(|key| format!("; \"{}\" has another question or reference", key.id))
        .unwrap_or_default()
}

fn items(n: usize) -> String {
    format!("{n} item{}", if n == 1 { "" } else { "s" })
}
