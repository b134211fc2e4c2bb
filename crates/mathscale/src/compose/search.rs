//! Walks in rounds, until there are as many compositions as asked for or the graph has no more to
//! give.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::ThreadPool;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::possible;
use super::unique::{Found, NO_SHARD, shard};
use super::walk::{Id, Key, Walker};
use crate::graph::Graph;

/// What is searched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Search {
    /// Compositions, at least 1.
    pub count: u64,
    /// Which of 2⁶⁴ sets of random numbers to use.
    pub seed: u64,
}

/// How far a search is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SearchProgress {
    /// Compositions asked for.
    pub count: u64,
    /// Compositions found.
    pub found: u64,
    /// Walks made.
    pub walks: u64,
}

/// How a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// As many were found as were asked for.
    Count,
    /// All were found that the graph can give.
    All,
    /// So many walks in a row found no new one.
    NothingNew,
    /// The most walks that are made for so many compositions.
    MostWalks,
    /// It was stopped.
    Stopped,
}

/// What a search did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Searched {
    pub(crate) ending: Ending,
    pub(crate) found: u64,
    /// Walks up to the one that ended it.
    pub(crate) walks: u64,
    /// Of these, walks that found no KP.
    pub(crate) nothing: u64,
    /// How many compositions the graph can give, where that was counted.
    pub(crate) possible: Option<u64>,
}

/// Walks that a round makes at once.
const ROUND: usize = 1 << 17;
/// Walks that a thread makes at once.
const PART: usize = 1 << 11;
/// Fewest walks without anything new that end a search.
const PATIENCE: u64 = 1 << 20;
/// Walks beside those for each composition after which a search ends.
const WALKS: u64 = 1 << 24;
const WALKS_A_COMPOSITION: u64 = 100;
/// Compositions for which room is made before anything is known of the graph.
const ROOM: u64 = 1 << 22;

/// Takes the new compositions of a round.
type OnNew<'a, I> = &'a mut dyn FnMut(&[Key<I>], SearchProgress) -> ControlFlow<()>;

/// Searches; hands each round's new compositions to `on_new`, in order, until that breaks off.
pub(crate) fn search<I: Id>(
    graph: &Graph,
    search: Search,
    pool: &ThreadPool,
    on_new: OnNew<'_, I>,
) -> Searched {
    let walker = Walker::new(graph, search.seed);
    let mut found = Found::with_room(search.count.min(ROOM) as usize);
    let most_walks = search
        .count
        .saturating_mul(WALKS_A_COMPOSITION)
        .saturating_add(WALKS);
    let patience = PATIENCE.max(search.count);
    let mut keys = vec![Key::<I>::NOTHING; ROUND];
    let mut shards = vec![NO_SHARD; ROUND];
    let is_new: Vec<AtomicBool> = (0..ROUND).map(|_| AtomicBool::new(false)).collect();
    let mut new = Vec::with_capacity(ROUND);
    let mut done = Searched {
        ending: Ending::Count,
        found: 0,
        walks: 0,
        nothing: 0,
        possible: None,
    };
    let mut was_counted = false;
    let mut last_new = 0;
    loop {
        pool.install(|| {
            make_walks(&walker, done.walks, &mut keys, &mut shards);
            is_new.par_chunks(PART).for_each(|flags| {
                flags
                    .iter()
                    .for_each(|flag| flag.store(false, Ordering::Relaxed))
            });
            found.take(&keys, &shards, &is_new);
        });
        new.clear();
        let mut ending = None;
        for (at, key) in keys.iter().enumerate() {
            let end = match done.walks {
                _ if done.found == search.count => Some(Ending::Count),
                _ if done.possible == Some(done.found) => Some(Ending::All),
                walks if walks >= most_walks => Some(Ending::MostWalks),
                walks if walks - last_new >= patience => Some(Ending::NothingNew),
                _ => None,
            };
            if end.is_some() {
                ending = end;
                break;
            }
            done.walks += 1;
            done.nothing += u64::from(key.is_nothing());
            if is_new[at].load(Ordering::Relaxed) {
                new.push(*key);
                done.found += 1;
                last_new = done.walks;
            }
        }
        let progress = SearchProgress {
            count: search.count,
            found: done.found,
            walks: done.walks,
        };
        if on_new(&new, progress).is_break() {
            return Searched {
                ending: Ending::Stopped,
                ..done
            };
        }
        if let Some(ending) = ending {
            return Searched { ending, ..done };
        }
        // Counting costs as much as some rounds: it is done once, when little is new.
        if !was_counted && new.len() < ROUND / 8 {
            was_counted = true;
            done.possible = possible::possible(graph);
        }
    }
}

/// Makes as many walks as there is room for, from number `first` on.
fn make_walks<I: Id>(walker: &Walker, first: u64, keys: &mut [Key<I>], shards: &mut [u8]) {
    keys.par_chunks_mut(PART)
        .zip(shards.par_chunks_mut(PART))
        .enumerate()
        .for_each(|(part, (keys, shards))| {
            let first = first + (part * PART) as u64;
            for (walk, (key, number)) in (first..).zip(keys.iter_mut().zip(shards)) {
                *key = walker.walk(walk);
                *number = shard(key);
            }
        });
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
        let plan = Search {
            count: u64::MAX,
            seed: 4,
        };
        let walker = Walker::new(&graph, plan.seed);
        let mut seen = HashSet::new();
        // Three rounds, and more repetitions than new ones.
        let walks = 0..3 * ROUND as u64;
        let in_turn: Vec<Key<u16>> = walks
            .map(|walk| walker.walk::<u16>(walk))
            .filter(|key| !key.is_nothing() && seen.insert(key.0))
            .collect();
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(3)
            .build()
            .unwrap();
        let mut found = Vec::new();
        let mut rounds = 0;
        let searched = search::<u16>(&graph, plan, &pool, &mut |new, _| {
            found.extend_from_slice(new);
            rounds += 1;
            if rounds == 3 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        assert_eq!(
            (searched.ending, searched.walks),
            (Ending::Stopped, 3 * ROUND as u64)
        );
        assert!(
            in_turn.len() > 1000 && in_turn.len() < ROUND,
            "{}",
            in_turn.len()
        );
        assert!(found == in_turn, "{} and {}", found.len(), in_turn.len());
        let count = Search {
            count: in_turn.len() as u64 / 2,
            ..plan
        };
        let half = search::<u16>(&graph, count, &pool, &mut |_, _| ControlFlow::Continue(()));
        assert_eq!((half.ending, half.found), (Ending::Count, count.count));
    }
}
