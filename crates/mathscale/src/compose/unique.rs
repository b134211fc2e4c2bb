//! The compositions found before: sets of whole keys, so that no two are ever confused.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use super::walk::{Id, Key};

/// Sets that share the work. Their number does not change the result.
const SHARDS: usize = 32;

/// The compositions found so far.
pub(crate) struct Found<I> {
    shards: Vec<HashSet<Key<I>, BuildHasherDefault<Mixed>>>,
}

impl<I: Id> Found<I> {
    /// With room for so many.
    pub(crate) fn with_room(compositions: usize) -> Self {
        // Shards do not fill evenly; a table that is too small by one doubles.
        let room = compositions / SHARDS + compositions / SHARDS / 32;
        Self {
            shards: (0..SHARDS)
                .map(|_| HashSet::with_capacity_and_hasher(room, BuildHasherDefault::default()))
                .collect(),
        }
    }

    /// Inserts a round of walks; says of each whether it is the first with its composition.
    /// `shards` is [`shard`] of each.
    pub(crate) fn insert(&mut self, keys: &[Key<I>], shards: &[u8], is_new: &[AtomicBool]) {
        let (order, ends) = by_shard(shards);
        self.shards
            .par_iter_mut()
            .enumerate()
            .for_each(|(number, found)| {
                for &at in &order[ends[number]..ends[number + 1]] {
                    // Atomic because the places of a shard lie scattered; each is written by one
                    // thread only, and read after all of them have ended.
                    is_new[at as usize].store(found.insert(keys[at as usize]), Ordering::Relaxed);
                }
            });
    }
}

/// The places of a round by their shards, in order within each, and where each shard begins and
/// ends.
fn by_shard(shards: &[u8]) -> (Vec<u32>, [usize; SHARDS + 1]) {
    let mut ends = [0; SHARDS + 1];
    for &shard in shards.iter().filter(|&&shard| shard != NO_SHARD) {
        ends[usize::from(shard) + 1] += 1;
    }
    for shard in 0..SHARDS {
        ends[shard + 1] += ends[shard];
    }
    // A counting sort, which is stable: in a shard the earliest walk comes first and is the new
    // one.
    let mut next = ends;
    let mut order = vec![0; ends[SHARDS]];
    for (at, &shard) in shards
        .iter()
        .enumerate()
        .filter(|&(_, &shard)| shard != NO_SHARD)
    {
        order[next[usize::from(shard)]] = at as u32;
        next[usize::from(shard)] += 1;
    }
    (order, ends)
}

/// Number of the shard of a composition; [`NO_SHARD`] of nothing.
#[inline]
pub(crate) fn shard<I: Id>(key: &Key<I>) -> u8 {
    // Not the highest bits nor the lowest: the sets use those.
    if key.is_nothing() {
        NO_SHARD
    } else {
        (key.mixed() >> 40) as u8 % SHARDS as u8
    }
}

/// The shard of a walk without a KP.
pub(crate) const NO_SHARD: u8 = u8::MAX;

/// Keys are mixed already.
#[derive(Default)]
pub(crate) struct Mixed(u64);

impl Hasher for Mixed {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, mixed: u64) {
        self.0 = mixed;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
