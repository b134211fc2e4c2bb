//! One walk, and its composition as eight sorted numbers.

use std::hash::{Hash, Hasher};

use super::random::{Blocks, Draws};
use super::steps::Steps;
use crate::graph::{Graph, Kind};

/// Topics of a composition: the start and two steps.
const MAX_TOPICS: usize = 3;
/// KPs of a composition: the first and four steps.
const MAX_KPS: usize = 5;

/// A number of a concept: 16 bits where they suffice, which halves the memory.
pub(crate) trait Id: Copy + Ord + Send + Sync {
    /// No concept; larger than every number of one.
    const NONE: Self;
    fn of(id: u32) -> Self;
    fn id(self) -> u32;
}

impl Id for u16 {
    const NONE: Self = Self::MAX;
    fn of(id: u32) -> Self {
        id as Self
    }
    fn id(self) -> u32 {
        self.into()
    }
}

impl Id for u32 {
    const NONE: Self = Self::MAX;
    fn of(id: u32) -> Self {
        id
    }
    fn id(self) -> u32 {
        self
    }
}

/// A composition: sorted topics in the first three places, sorted KPs in the other five,
/// [`Id::NONE`] in what is left of each. Nothing is lost, so that equal keys are equal
/// compositions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key<I>(pub(crate) [I; MAX_TOPICS + MAX_KPS]);

impl<I: Id> Key<I> {
    /// The result of a walk without a KP.
    pub(crate) const NOTHING: Self = Self([I::NONE; MAX_TOPICS + MAX_KPS]);

    pub(crate) fn topics(&self) -> impl Iterator<Item = u32> + '_ {
        present(&self.0[..MAX_TOPICS])
    }

    pub(crate) fn kps(&self) -> impl Iterator<Item = u32> + '_ {
        present(&self.0[MAX_TOPICS..])
    }

    pub(crate) fn is_nothing(&self) -> bool {
        self.0[MAX_TOPICS] == I::NONE
    }

    /// Well mixed 64 bits.
    #[inline]
    pub(crate) fn mixed(&self) -> u64 {
        const FACTORS: [u64; 2] = [0x9E37_79B9_7F4A_7C15, 0xD6E8_FEB8_6659_FD93];
        let mut state = FACTORS[0];
        for pair in self.0.chunks_exact(4) {
            let words = [
                u64::from(pair[0].id()) | u64::from(pair[1].id()) << 32,
                u64::from(pair[2].id()) | u64::from(pair[3].id()) << 32,
            ];
            // Differs between the two widths of ids, by `NONE`. Only shards depend on it, and no
            // result does.
            let product = u128::from(words[0] ^ state) * u128::from(words[1] ^ FACTORS[1]);
            state = (product >> 64) as u64 ^ product as u64 ^ state.rotate_left(23);
        }
        (state ^ state >> 32).wrapping_mul(FACTORS[1])
    }
}

impl<I: Id> Hash for Key<I> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write_u64(self.mixed());
    }
}

fn present<I: Id>(ids: &[I]) -> impl Iterator<Item = u32> + '_ {
    ids.iter()
        .take_while(|id| **id != I::NONE)
        .map(|id| id.id())
}

/// Everything that walks in a graph need.
#[derive(Clone, Debug)]
pub(crate) struct Walker {
    topics: u32,
    topic_topic: Steps,
    topic_kp: Steps,
    kp_kp: Steps,
    seed: u64,
}

impl Walker {
    pub(crate) fn new(graph: &Graph, seed: u64) -> Self {
        let steps = |from, to| Steps::of(graph.links(from, to));
        Self {
            topics: graph.topics().len() as u32,
            topic_topic: steps(Kind::Topic, Kind::Topic),
            topic_kp: steps(Kind::Topic, Kind::KnowledgePoint),
            kp_kp: steps(Kind::KnowledgePoint, Kind::KnowledgePoint),
            seed,
        }
    }

    /// Makes as many walks as there is room for, from number `first` on.
    pub(crate) fn walks<I: Id>(&self, first: u64, keys: &mut [Key<I>]) {
        let mut blocks = Blocks::from_walk(self.seed, first);
        for (walk, key) in (first..).zip(keys) {
            *key = self.walk(walk, blocks.next());
        }
    }

    /// Walk number `walk`.
    #[inline]
    fn walk<I: Id>(&self, walk: u64, mut draws: Draws) -> Key<I> {
        let (topic_steps, kp_steps) = step_counts(&mut draws);
        let mut key = Key::<I>::NOTHING;
        // There is a topic: a graph without an edge from one is refused before.
        let mut topic = (walk % u64::from(self.topics)) as u32;
        insert(&mut key.0[..MAX_TOPICS], I::of(topic));
        for _ in 0..topic_steps {
            topic = self.topic_topic.step(topic, &mut draws).unwrap_or(topic);
            insert(&mut key.0[..MAX_TOPICS], I::of(topic));
        }
        let Some(mut kp) = self.topic_kp.step(topic, &mut draws) else {
            return Key::NOTHING;
        };
        insert(&mut key.0[MAX_TOPICS..], I::of(kp));
        for _ in 0..kp_steps {
            kp = self.kp_kp.step(kp, &mut draws).unwrap_or(kp);
            insert(&mut key.0[MAX_TOPICS..], I::of(kp));
        }
        key
    }
}

/// 1 or 2 steps among topics, 0 to 4 among KPs: ten pairs, all as likely.
#[inline]
fn step_counts(draws: &mut Draws) -> (u32, u32) {
    let (pair, _) = draws.below(2 * MAX_KPS as u32);
    (1 + pair % 2, pair / 2)
}

/// Inserts a number into sorted ones, unless it is there.
#[inline]
fn insert<I: Id>(sorted: &mut [I], id: I) {
    for at in 0..sorted.len() {
        if sorted[at] >= id {
            if sorted[at] > id {
                // What moves out at the end is `NONE`: no more is inserted than there are places.
                let mut moved = id;
                for place in &mut sorted[at..] {
                    moved = std::mem::replace(place, moved);
                }
            }
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;
    use statrs::distribution::{ChiSquared, ContinuousCDF};

    use super::*;
    use crate::records::Extraction;

    proptest! {
        #[test]
        fn inserted_numbers_are_sorted_and_unique(ids in proptest::collection::vec(0u16..6, 0..5)) {
            let mut sorted = [u16::NONE; 5];
            ids.iter().for_each(|&id| insert(&mut sorted, id));
            let expected: BTreeSet<u16> = ids.into_iter().collect();
            prop_assert!(sorted.iter().copied().take_while(|&id| id != u16::NONE).eq(expected));
        }
    }

    fn graph() -> Graph {
        let seed = |topics: &[&str], kps: &[&str]| Extraction {
            id: String::new(),
            topics: topics.iter().map(|name| name.to_string()).collect(),
            knowledge_points: kps.iter().map(|name| name.to_string()).collect(),
        };
        // c has no topic beside it, d no KP, t no KP beside it.
        Graph::of(&[
            seed(&["a", "b"], &["p", "q"]),
            seed(&["a", "b"], &["p"]),
            seed(&["b", "d"], &[]),
            seed(&["c"], &["t"]),
            seed(&["c"], &["q", "r"]),
            seed(&["b"], &["p", "r", "s"]),
        ])
    }

    type Found = (BTreeSet<u32>, BTreeSet<u32>);

    /// The probability of everything that a walk from a topic can find, by following every walk; by
    /// the empty sets that of finding no KP.
    fn exact(graph: &Graph, start: u32) -> BTreeMap<Found, f64> {
        let choices = |from: Kind, to: Kind, id: u32| -> Vec<(u32, f64)> {
            let edges: Vec<_> = graph.links(from, to).neighbours(id).collect();
            let total: f64 = edges
                .iter()
                .map(|&(_, seeds)| crate::edge_weight(seeds).exp())
                .sum();
            edges
                .into_iter()
                .map(|(to, seeds)| (to, crate::edge_weight(seeds).exp() / total))
                .collect()
        };
        fn extend(
            ways: Vec<(Found, u32, f64)>,
            kp: bool,
            choices: &dyn Fn(u32) -> Vec<(u32, f64)>,
        ) -> Vec<(Found, u32, f64)> {
            let step = |(found, at, p): (Found, u32, f64)| {
                let mut next = choices(at);
                if next.is_empty() {
                    next.push((at, 1.0));
                }
                next.into_iter().map(move |(to, share)| {
                    let mut found = found.clone();
                    if kp {
                        found.1.insert(to)
                    } else {
                        found.0.insert(to)
                    };
                    (found, to, p * share)
                })
            };
            ways.into_iter().flat_map(step).collect()
        }
        let mut found: BTreeMap<Found, f64> = BTreeMap::new();
        for topic_steps in 1..=2 {
            for kp_steps in 0..=4 {
                let mut ways = vec![((BTreeSet::from([start]), BTreeSet::new()), start, 0.1)];
                for _ in 0..topic_steps {
                    ways = extend(ways, false, &|at| choices(Kind::Topic, Kind::Topic, at));
                }
                let (with_kp, without): (Vec<_>, Vec<_>) =
                    ways.into_iter().partition(|(_, at, _)| {
                        !choices(Kind::Topic, Kind::KnowledgePoint, *at).is_empty()
                    });
                for (.., p) in without {
                    *found.entry(Found::default()).or_default() += p;
                }
                let mut ways = extend(with_kp, true, &|at| {
                    choices(Kind::Topic, Kind::KnowledgePoint, at)
                });
                for _ in 0..kp_steps {
                    ways = extend(ways, true, &|at| {
                        choices(Kind::KnowledgePoint, Kind::KnowledgePoint, at)
                    });
                }
                for (sets, _, p) in ways {
                    *found.entry(sets).or_default() += p;
                }
            }
        }
        found
    }

    /// Chi-square over everything that walks in a small graph can find.
    #[test]
    fn walks_find_what_they_should_as_often_as_they_should() {
        const EPOCHS: u64 = 400_000;
        let graph = graph();
        let walker = Walker::new(&graph, 5);
        let mut counts: Vec<BTreeMap<Found, u64>> = vec![BTreeMap::new(); graph.topics().len()];
        let walks = (EPOCHS * graph.topics().len() as u64) as usize;
        let (mut narrow, mut wide) = (vec![Key::<u16>::NOTHING; walks], vec![Key::NOTHING; walks]);
        walker.walks(0, &mut narrow);
        walker.walks::<u32>(0, &mut wide);
        for (walk, (key, wide)) in narrow.into_iter().zip(wide).enumerate() {
            let widened = |id: u16| match id {
                u16::NONE => u32::NONE,
                id => id.into(),
            };
            assert_eq!(wide.0, key.0.map(widened));
            let found = if key.is_nothing() {
                Found::default()
            } else {
                (key.topics().collect(), key.kps().collect())
            };
            *counts[walk % graph.topics().len()]
                .entry(found)
                .or_default() += 1;
        }
        let (mut statistic, mut freedom) = (0.0, 0.0);
        for (start, counts) in counts.iter().enumerate() {
            let exact = exact(&graph, start as u32);
            assert!((exact.values().sum::<f64>() - 1.0).abs() < 1e-9);
            assert!(
                counts.keys().all(|found| exact.contains_key(found)),
                "from topic {start}"
            );
            for (found, p) in &exact {
                let expected = p * EPOCHS as f64;
                assert!(expected > 5.0, "{found:?} is too rare for the test");
                statistic +=
                    (*counts.get(found).unwrap_or(&0) as f64 - expected).powi(2) / expected;
            }
            freedom += exact.len() as f64 - 1.0;
        }
        assert!(freedom > 70.0, "{freedom}");
        let p = 1.0 - ChiSquared::new(freedom).unwrap().cdf(statistic);
        assert!(
            p > 1e-4 && p < 1.0 - 1e-4,
            "chi-square {statistic} with {freedom} degrees of freedom, p = {p}"
        );
    }
}
