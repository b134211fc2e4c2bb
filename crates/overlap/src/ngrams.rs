//! n-grams of words and numbers: which items hold which.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::filter::{Filter, Table, mix};

/// Odd, and without a pattern in its bits.
const BASE: u64 = 0x9e37_79b9_7f4a_7c15;

/// The hashes of all runs of words of one length, each from two sums, whatever the length.
#[derive(Clone, Debug, Default)]
pub(crate) struct RollingHashes {
    /// `sums[i]` is the polynomial of the first `i` words.
    sums: Vec<u64>,
    words: usize,
}

impl RollingHashes {
    pub(crate) fn read(&mut self, words: &[u64]) {
        self.words = words.len();
        self.sums.clear();
        self.sums.push(0);
        let mut sum = 0u64;
        self.sums.extend(words.iter().map(|&word| {
            sum = sum.wrapping_mul(BASE).wrapping_add(word);
            sum
        }));
    }

    /// The hashes of the runs of `length` words, from the first to the last; none where there are
    /// fewer words.
    pub(crate) fn of(&self, length: usize) -> impl Iterator<Item = u64> {
        let power = BASE.wrapping_pow(length as u32);
        let ends = self.sums.get(length..).unwrap_or_default();
        ends.iter().zip(&self.sums).map(move |(end, start)| {
            // The length goes in: runs of two lengths share one table.
            mix(end
                .wrapping_sub(start.wrapping_mul(power))
                .wrapping_add(length as u64))
        })
    }
}

/// The n-grams of all items.
#[derive(Clone, Debug)]
pub(crate) struct NgramIndex {
    /// Lengths that occur: n, and those of items with fewer words.
    lengths: Vec<usize>,
    filter: Filter,
    /// Hash of a gram to its number.
    numbers: Table<u32>,
    /// The items of each gram: gram `g` has `items[starts[g]..starts[g + 1]]`.
    starts: Vec<u32>,
    items: Vec<u32>,
    /// The grams of each item, in the same way.
    item_starts: Vec<u32>,
    item_grams: Vec<u32>,
}

impl NgramIndex {
    /// `words`: those of each item. An item with fewer than `n` words is one gram as a whole, with
    /// fewer than `least` none.
    pub(crate) fn new<'a>(words: impl Iterator<Item = &'a [u64]>, n: usize, least: usize) -> Self {
        let mut runs = RollingHashes::default();
        let mut pairs = Vec::new();
        let mut lengths = Vec::new();
        let mut items = 0u32;
        for words in words {
            if words.len() >= least {
                let length = n.min(words.len());
                if !lengths.contains(&length) {
                    lengths.push(length);
                }
                runs.read(words);
                pairs.extend(runs.of(length).map(|hash| (hash, items)));
            }
            items += 1;
        }
        // By hash: the items of one gram stand together, and grams are numbered in the order of
        // their hashes.
        pairs.sort_unstable();
        pairs.dedup();
        lengths.sort_unstable();
        let mut numbers = Table::default();
        let mut starts = Vec::new();
        let mut by_item = Vec::with_capacity(pairs.len());
        for (at, &(hash, item)) in pairs.iter().enumerate() {
            let next = numbers.len() as u32;
            let number = *numbers.entry(hash).or_insert(next);
            if number == next {
                starts.push(at as u32);
            }
            by_item.push((item, number));
        }
        starts.push(pairs.len() as u32);
        by_item.sort_unstable();
        let item_starts = (0..=items)
            // Up to and with the number of items, whose place is the end of the last one.
            .map(|item| by_item.partition_point(|&(of, _)| of < item) as u32)
            .collect();
        Self {
            lengths,
            filter: Filter::new(numbers.keys().copied().collect::<Vec<_>>().into_iter()),
            numbers,
            starts,
            items: pairs.into_iter().map(|(_, item)| item).collect(),
            item_starts,
            item_grams: by_item.into_iter().map(|(_, gram)| gram).collect(),
        }
    }

    /// The distinct grams of a text that items hold, into `found`.
    pub(crate) fn find(&self, runs: &RollingHashes, found: &mut Vec<u32>) {
        found.clear();
        for &length in &self.lengths {
            let held = runs.of(length).filter(|&hash| self.filter.may_hold(hash));
            found.extend(held.filter_map(|hash| self.numbers.get(&hash)));
        }
        found.sort_unstable();
        found.dedup();
    }

    /// The items that hold a gram.
    pub(crate) fn items(&self, gram: u32) -> &[u32] {
        let gram = gram as usize;
        &self.items[self.starts[gram] as usize..self.starts[gram + 1] as usize]
    }

    /// The distinct grams of an item.
    pub(crate) fn of_item(&self, item: usize) -> &[u32] {
        &self.item_grams[self.item_starts[item] as usize..self.item_starts[item + 1] as usize]
    }

    fn count(&self) -> usize {
        self.numbers.len()
    }
}

/// Which grams have been found, marked from any thread.
#[derive(Debug)]
pub(crate) struct Coverage(Vec<AtomicU64>);

impl Coverage {
    pub(crate) fn new(grams: &NgramIndex) -> Self {
        Self(
            (0..grams.count().div_ceil(64))
                .map(|_| AtomicU64::new(0))
                .collect(),
        )
    }

    pub(crate) fn mark(&self, grams: &[u32]) {
        for &gram in grams {
            let (word, bit) = (&self.0[gram as usize / 64], 1 << (gram % 64));
            // Read first: in data that hold the test many times the mark is there already, and
            // reading shares the line.
            if word.load(Ordering::Relaxed) & bit == 0 {
                word.fetch_or(bit, Ordering::Relaxed);
            }
        }
    }

    /// How many of these grams were found.
    pub(crate) fn count(&self, grams: &[u32]) -> usize {
        // Relaxed is enough: it is read after the threads that mark have been joined.
        let found =
            |gram: u32| self.0[gram as usize / 64].load(Ordering::Relaxed) >> (gram % 64) & 1 == 1;
        grams.iter().filter(|&&gram| found(gram)).count()
    }
}
