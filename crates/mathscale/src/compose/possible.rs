//! How many different compositions a graph can give, counted where that is cheap.
//!
//! A composition is a set of topics with a set of KPs. Which KP sets can follow a set of topics
//! depends only on the topics at which walks over it can end, so that the two are enumerated apart.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::walk::{KPS, TOPICS};
use crate::graph::{Graph, Kind, Links};

/// Steps that are followed before it is given up: about a second's worth.
const MOST_STEPS: u64 = 1 << 23;

/// Sorted numbers.
type Set = Vec<u32>;

/// The number; `None` where counting takes too long.
pub(crate) fn possible(graph: &Graph) -> Option<u64> {
    let mut budget = MOST_STEPS;
    let topics = graph.links(Kind::Topic, Kind::Topic);
    let mut ends: HashMap<Set, BTreeSet<u32>> = HashMap::new();
    for start in 0..topics.concepts() as u32 {
        let mut states = HashSet::from([(vec![start], start)]);
        for _ in 1..TOPICS {
            states = step(topics, &states, &mut budget)?;
            for (set, at) in &states {
                ends.entry(set.clone()).or_default().insert(*at);
            }
        }
    }
    let mut following: BTreeMap<u32, HashSet<Set>> = BTreeMap::new();
    let mut together: HashMap<Vec<u32>, u64> = HashMap::new();
    let mut sum = 0u64;
    for ends in ends.into_values() {
        for &end in &ends {
            if let Entry::Vacant(place) = following.entry(end) {
                place.insert(kp_sets(graph, end, &mut budget)?);
            }
        }
        let ends: Vec<u32> = ends.into_iter().collect();
        let count = match ends.as_slice() {
            [end] => following[end].len() as u64,
            several => match together.get(several) {
                Some(&count) => count,
                None => {
                    let all: HashSet<&Set> =
                        several.iter().flat_map(|end| &following[end]).collect();
                    budget = budget
                        .checked_sub(several.iter().map(|end| following[end].len() as u64).sum())?;
                    together.insert(several.to_vec(), all.len() as u64);
                    all.len() as u64
                }
            },
        };
        sum += count;
    }
    Some(sum)
}

/// The KP sets that walks from the end of their topics can find.
fn kp_sets(graph: &Graph, topic: u32, budget: &mut u64) -> Option<HashSet<Set>> {
    let first = graph
        .links(Kind::Topic, Kind::KnowledgePoint)
        .neighbours(topic);
    let mut states: HashSet<(Set, u32)> = first.map(|(kp, _)| (vec![kp], kp)).collect();
    let mut found: HashSet<Set> = states.iter().map(|(set, _)| set.clone()).collect();
    for _ in 1..KPS {
        states = step(
            graph.links(Kind::KnowledgePoint, Kind::KnowledgePoint),
            &states,
            budget,
        )?;
        found.extend(states.iter().map(|(set, _)| set.clone()));
    }
    Some(found)
}

/// All states one step further; `None` when the budget is spent.
fn step(
    links: &Links,
    states: &HashSet<(Set, u32)>,
    budget: &mut u64,
) -> Option<HashSet<(Set, u32)>> {
    let mut next = HashSet::new();
    for (set, at) in states {
        *budget = budget.checked_sub(1 + links.degree(*at) as u64)?;
        if links.degree(*at) == 0 {
            next.insert((set.clone(), *at));
        }
        for (to, _) in links.neighbours(*at) {
            let mut set = set.clone();
            if let Err(place) = set.binary_search(&to) {
                set.insert(place, to);
            }
            next.insert((set, to));
        }
    }
    Some(next)
}
