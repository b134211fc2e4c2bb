//! The seeds nearest to a composition: Jaccard distance 1 − |A∩B| / |A∪B| of sets of knowledge
//! points, exactly.
//!
//! An inverted index counts what each seed has in common with the composition, the rarest point
//! first. A seed that was not found so far can have at most the points that are left in common;
//! once enough of those that were found are nearer than that allows, the long lists of common
//! points are not read at all.

use std::cmp::Ordering;
use std::collections::HashMap;

/// Sets of knowledge points, ready to be looked up in. It can be shared between threads.
#[derive(Clone, Debug, Default)]
pub struct NearestSeeds {
    numbers: HashMap<String, u32>,
    /// The sets that have each point, in order.
    holders: Vec<Vec<u32>>,
    /// The points of each set, sorted.
    sets: Vec<Box<[u32]>>,
}

impl NearestSeeds {
    /// An index of sets, which are numbered in their order.
    pub fn new<'a>(sets: impl IntoIterator<Item = &'a [String]>) -> Self {
        let mut index = Self::default();
        for (place, names) in sets.into_iter().enumerate() {
            let mut points: Vec<u32> = names.iter().map(|name| index.number(name)).collect();
            points.sort_unstable();
            points.dedup();
            for &point in &points {
                index.holders[point as usize].push(place as u32);
            }
            index.sets.push(points.into_boxed_slice());
        }
        index
    }

    fn number(&mut self, name: &str) -> u32 {
        if let Some(&number) = self.numbers.get(name) {
            return number;
        }
        let number = self.holders.len() as u32;
        self.numbers.insert(name.to_string(), number);
        self.holders.push(Vec::new());
        number
    }

    /// Number of sets.
    pub fn len(&self) -> usize {
        self.sets.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.sets.is_empty()
    }

    /// Something to look up with, for one thread.
    pub fn lookup(&self) -> Lookup<'_> {
        Lookup {
            index: self,
            common: vec![0; self.sets.len()],
            found: Vec::new(),
            points: Vec::new(),
            best: Vec::new(),
        }
    }
}

/// Looks sets up; reuses its memory between look-ups.
#[derive(Clone, Debug)]
pub struct Lookup<'a> {
    index: &'a NearestSeeds,
    /// How many points each set has in common with what is looked up; 0 between look-ups.
    common: Vec<u32>,
    /// The sets of which it is not 0.
    found: Vec<u32>,
    /// Points looked up, the rarest first.
    points: Vec<u32>,
    best: Vec<Near>,
}

/// How near a set is: `common` of `union` points.
#[derive(Clone, Copy, Debug)]
struct Near {
    set: u32,
    common: u32,
    union: u32,
}

impl Near {
    /// The nearer one first, of equals the one with the lower number.
    fn order(&self, other: &Self) -> Ordering {
        // Fractions compared crosswise: exact, and no product of two 32-bit numbers overflows.
        let (own, others) = (
            u64::from(self.common) * u64::from(other.union),
            u64::from(other.common) * u64::from(self.union),
        );
        others.cmp(&own).then(self.set.cmp(&other.set))
    }
}

impl Lookup<'_> {
    /// The numbers of the `count` nearest sets, the nearest first; of equally near ones the lowest
    /// numbers. All where there are fewer.
    pub fn nearest(&mut self, knowledge_points: &[String], count: usize) -> Vec<usize> {
        let count = count.min(self.index.len());
        if count == 0 {
            return Vec::new();
        }
        let size = self.prepare(knowledge_points);
        let mut read = 0;
        while read < self.points.len() {
            let holders = &self.index.holders[self.points[read] as usize];
            // The check of what was found must cost less than what it can save.
            if holders.len() > self.found.len()
                && self.is_decided(size, self.points.len() - read, count)
            {
                break;
            }
            for &set in holders {
                let common = &mut self.common[set as usize];
                if *common == 0 {
                    self.found.push(set);
                }
                *common += 1;
            }
            read += 1;
        }
        self.choose(size, read, count);
        let mut nearest: Vec<usize> = self.best.iter().map(|near| near.set as usize).collect();
        // With nothing in common all are equally far.
        let mut others = 0..self.index.len();
        while nearest.len() < count
            && let Some(set) = others.next()
        {
            if self.common[set] == 0 {
                nearest.push(set);
            }
        }
        // Only what was touched: to clear all counts would cost as much as the seeds are many.
        for set in self.found.drain(..) {
            self.common[set as usize] = 0;
        }
        nearest
    }

    /// Numbers the points that any set has; gives the number of distinct points.
    fn prepare(&mut self, names: &[String]) -> u32 {
        self.points.clear();
        self.points
            .extend(names.iter().filter_map(|name| self.index.numbers.get(name)));
        self.points.sort_unstable();
        self.points.dedup();
        self.points
            .sort_by_key(|&point| self.index.holders[point as usize].len());
        let unknown = |place: usize| !self.index.numbers.contains_key(&names[place]);
        let first = |place: usize| !names[..place].contains(&names[place]);
        let unknown_points = (0..names.len())
            .filter(|&place| unknown(place) && first(place))
            .count();
        (self.points.len() + unknown_points) as u32
    }

    fn near(&self, set: u32, common: u32, size: u32) -> Near {
        Near {
            set,
            common,
            union: size + self.index.sets[set as usize].len() as u32 - common,
        }
    }

    /// Whether `count` of the sets that were found are nearer than one can be that has the `left`
    /// points at most.
    fn is_decided(&self, size: u32, left: usize, count: usize) -> bool {
        let left = left as u64;
        // A set that was not found has at most `left` points in common, of a union of at least
        // `size`. Strictly nearer than that: of equals the lower number wins, which may be one not
        // found yet.
        let nearer = |&&set: &&u32| {
            let near = self.near(set, self.common[set as usize], size);
            u64::from(near.common) * u64::from(size) > left * u64::from(near.union)
        };
        self.found.iter().filter(nearer).take(count).count() == count
    }

    /// The best of the sets that were found, of which the first `read` points were counted.
    fn choose(&mut self, size: u32, read: usize, count: usize) {
        let mut best = std::mem::take(&mut self.best);
        best.clear();
        for &set in &self.found {
            let own = &self.index.sets[set as usize];
            // Of points whose lists were not read, the share in common is looked up set by set.
            let rest = self.points[read..]
                .iter()
                .filter(|point| own.binary_search(point).is_ok())
                .count();
            let near = self.near(set, self.common[set as usize] + rest as u32, size);
            let place = best.partition_point(|other: &Near| other.order(&near).is_lt());
            if place < count {
                best.truncate(count - 1);
                best.insert(place, near);
            }
        }
        self.best = best;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// By the definition.
    fn brute_force(sets: &[Vec<String>], asked: &[String], count: usize) -> Vec<usize> {
        let distinct = |names: &[String]| {
            names
                .iter()
                .cloned()
                .collect::<std::collections::BTreeSet<_>>()
        };
        let asked = distinct(asked);
        let mut order: Vec<(Near, usize)> = sets
            .iter()
            .enumerate()
            .map(|(place, set)| {
                let set = distinct(set);
                let common = set.intersection(&asked).count() as u32;
                let union = set.union(&asked).count().max(1) as u32;
                (
                    Near {
                        set: place as u32,
                        common,
                        union,
                    },
                    place,
                )
            })
            .collect();
        order.sort_by(|(one, _), (other, _)| one.order(other));
        order
            .into_iter()
            .map(|(_, place)| place)
            .take(count)
            .collect()
    }

    fn names(numbers: &[u32]) -> Vec<String> {
        numbers
            .iter()
            .map(|number| format!("kp {number}"))
            .collect()
    }

    #[test]
    fn nearer_sets_come_first_and_equals_in_their_order() {
        let sets: Vec<Vec<String>> = [&[1, 2, 3][..], &[1, 2], &[7], &[2, 1], &[]]
            .map(names)
            .to_vec();
        let index = NearestSeeds::new(sets.iter().map(Vec::as_slice));
        let mut lookup = index.lookup();
        assert_eq!(lookup.nearest(&names(&[1, 2]), 3), [1, 3, 0]);
        assert_eq!(lookup.nearest(&names(&[9]), 2), [0, 1]);
        assert_eq!(lookup.nearest(&names(&[7, 7, 9, 9]), 9), [2, 0, 1, 3, 4]);
        assert_eq!(lookup.nearest(&[], 1), [0]);
        assert_eq!(
            NearestSeeds::default().lookup().nearest(&names(&[1]), 3),
            [0; 0]
        );
    }

    proptest! {
        #[test]
        fn look_ups_equal_brute_force(
            // Small numbers are frequent, so that lists are long enough to be passed over.
            sets in prop::collection::vec(prop::collection::vec((0u32..6).prop_flat_map(|bits| 0..1u32 << bits), 0..6), 0..60),
            asked in prop::collection::vec(prop::collection::vec((0u32..6).prop_flat_map(|bits| 0..1u32 << bits), 0..7), 1..8),
            count in 0usize..6,
        ) {
            let sets: Vec<Vec<String>> = sets.iter().map(|set| names(set)).collect();
            let index = NearestSeeds::new(sets.iter().map(Vec::as_slice));
            let mut lookup = index.lookup();
            for asked in asked {
                let asked = names(&asked);
                prop_assert_eq!(lookup.nearest(&asked, count), brute_force(&sets, &asked, count));
            }
        }
    }
}
