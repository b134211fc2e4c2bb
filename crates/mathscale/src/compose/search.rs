//! Walks in rounds, until there are as many compositions as asked for or the graph has no more to
//! give.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::ThreadPool;
use rayon::prelude::*;

use super::unique::{Found, NO_SHARD, shard};
use super::walk::{Id, Key, Walker};
use crate::graph::Graph;

/// How many compositions are searched for, and with which random numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WalkOptions {
    /// Compositions, at least 1.
    pub count: u64,
    /// Random seed.
    pub seed: u64,
}

/// How far a search is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WalkProgress {
    /// Compositions asked for.
    pub count: u64,
    /// Compositions found.
    pub found: u64,
    /// Walks made.
    pub walks: u64,
}

/// Why a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// As many were found as were asked for.
    Count,
    /// So many walks in a row found no new one.
    NothingNew,
    /// The maximum of walks for so many compositions was made.
    MaxWalks,
    /// The caller interrupted it.
    Interrupted,
}

/// The result of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Searched {
    pub(crate) stop_reason: StopReason,
    pub(crate) found: u64,
    /// Walks up to the one that ended it.
    pub(crate) walks: u64,
    /// Of these, walks that found no KP.
    pub(crate) without_kp: u64,
}

/// Walks that a round makes at once.
const ROUND: usize = 1 << 17;
/// Walks that a thread makes at once.
const PART: usize = 1 << 11;
/// Walks in a row without anything new that end a search, at least.
const MIN_IDLE_WALKS: u64 = 1 << 20;
/// Walks for each composition asked for, and beside these, after which a search ends.
const MAX_WALKS_PER_COMPOSITION: u64 = 100;
const MAX_FURTHER_WALKS: u64 = 1 << 24;
/// Compositions for which memory is reserved before anything is known of the graph.
const MAX_RESERVED: u64 = 1 << 22;

/// Receives the new compositions of a round.
type OnNew<'a, I> = &'a mut dyn FnMut(&[Key<I>], WalkProgress) -> ControlFlow<()>;

/// Searches; gives each round's new compositions to `on_new`, in order, until that breaks off.
pub(crate) fn search<I: Id>(
    graph: &Graph,
    options: WalkOptions,
    pool: &ThreadPool,
    on_new: OnNew<'_, I>,
) -> Searched {
    let walker = Walker::new(graph, options.seed);
    let mut round = Round::new(options.count.min(MAX_RESERVED) as usize);
    let mut searched = Searched {
        stop_reason: StopReason::Count,
        found: 0,
        walks: 0,
        without_kp: 0,
    };
    let mut new = Vec::with_capacity(ROUND);
    let mut last_new = 0;
    loop {
        // A whole round, although the search may end within it: the counts below stop at the walk
        // that ends it, so that the size of a round is not seen in the result.
        pool.install(|| round.walk(&walker, searched.walks));
        new.clear();
        let mut stop_reason = None;
        for (key, is_new) in round.keys.iter().zip(&round.is_new) {
            stop_reason = stop(options.count, &searched, last_new);
            if stop_reason.is_some() {
                break;
            }
            searched.walks += 1;
            searched.without_kp += u64::from(key.is_nothing());
            if is_new.load(Ordering::Relaxed) {
                new.push(*key);
                searched.found += 1;
                last_new = searched.walks;
            }
        }
        let progress = WalkProgress {
            count: options.count,
            found: searched.found,
            walks: searched.walks,
        };
        if on_new(&new, progress).is_break() {
            stop_reason = Some(StopReason::Interrupted);
        }
        if let Some(stop_reason) = stop_reason {
            searched.stop_reason = stop_reason;
            return searched;
        }
    }
}

/// Whether a search ends before its next walk; `last_new` is the number of the walk that found
/// something new last.
#[inline]
fn stop(count: u64, searched: &Searched, last_new: u64) -> Option<StopReason> {
    let max_walks = count
        .saturating_mul(MAX_WALKS_PER_COMPOSITION)
        .saturating_add(MAX_FURTHER_WALKS);
    match searched.walks {
        _ if searched.found == count => Some(StopReason::Count),
        walks if walks >= max_walks => Some(StopReason::MaxWalks),
        walks if walks - last_new >= MIN_IDLE_WALKS.max(count) => Some(StopReason::NothingNew),
        _ => None,
    }
}

/// The memory of a round of walks.
struct Round<I> {
    found: Found<I>,
    keys: Vec<Key<I>>,
    shards: Vec<u8>,
    is_new: Vec<AtomicBool>,
}

impl<I: Id> Round<I> {
    fn new(reserved: usize) -> Self {
        Self {
            found: Found::with_room(reserved),
            keys: vec![Key::NOTHING; ROUND],
            shards: vec![NO_SHARD; ROUND],
            is_new: (0..ROUND).map(|_| AtomicBool::new(false)).collect(),
        }
    }

    /// Makes the walks from number `first` on, and marks those that found something new.
    fn walk(&mut self, walker: &Walker, first: u64) {
        let parts = self.keys.par_chunks_mut(PART).enumerate();
        let parts = parts.zip(self.shards.par_chunks_mut(PART));
        parts
            .zip(self.is_new.par_chunks(PART))
            .for_each(|(((part, keys), shards), is_new)| {
                walker.walks(first + (part * PART) as u64, keys);
                for ((key, number), is_new) in keys.iter().zip(shards).zip(is_new) {
                    *number = shard(key);
                    // From the round before: walks that found nothing are not visited by `insert`.
                    is_new.store(false, Ordering::Relaxed);
                }
            });
        // After all walks of the round: which of two equal ones is new must not depend on threads.
        self.found.insert(&self.keys, &self.shards, &self.is_new);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::records::Extraction;

    /// One walk after the other, each kept where it is the first that found what it found.
    #[test]
    fn rounds_and_threads_give_what_walks_in_turn_give() {
        let seed = |n: u32| Extraction {
            id: String::new(),
            topics: vec![format!("t{}", n % 5), format!("t{}", n % 7)],
            knowledge_points: (0..=n % 3)
                .map(|k| format!("k{}", n * (k + 2) % 17))
                .collect(),
        };
        let graph = Graph::of(&(0..60).map(seed).collect::<Vec<_>>());
        let options = WalkOptions {
            count: u64::MAX,
            seed: 4,
        };
        let walker = Walker::new(&graph, options.seed);
        let mut seen = HashSet::new();
        // Three rounds, and more repetitions than new ones.
        let mut in_turn = vec![Key::<u16>::NOTHING; 3 * ROUND];
        walker.walks(0, &mut in_turn);
        in_turn.retain(|key| !key.is_nothing() && seen.insert(key.0));
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(3)
            .build()
            .unwrap();
        let mut found = Vec::new();
        let mut rounds = 0;
        let searched = search::<u16>(&graph, options, &pool, &mut |new, _| {
            found.extend_from_slice(new);
            rounds += 1;
            if rounds == 3 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        assert_eq!(
            (searched.stop_reason, searched.walks),
            (StopReason::Interrupted, 3 * ROUND as u64)
        );
        assert!(
            in_turn.len() > 1000 && in_turn.len() < ROUND,
            "{}",
            in_turn.len()
        );
        assert!(found == in_turn, "{} and {}", found.len(), in_turn.len());
        let count = WalkOptions {
            count: in_turn.len() as u64 / 2,
            ..options
        };
        let half = search::<u16>(&graph, count, &pool, &mut |_, _| ControlFlow::Continue(()));
        assert_eq!(
            (half.stop_reason, half.found),
            (StopReason::Count, count.count)
        );
    }
}
