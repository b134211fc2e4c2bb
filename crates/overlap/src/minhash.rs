//! Near-duplicates: sets of shingles, their MinHash signatures (Broder 1997), and bands of these as
//! keys of a table, so that sets that have much in common meet in some band. What meets is then
//! compared as sets.

use crate::filter::{Filter, Table, mix};
use crate::ngrams::RollingHashes;

/// Words of a shingle.
pub(crate) const SHINGLE: usize = 3;
/// Bands of rows: sets with Jaccard index s meet with probability 1 − (1 − s⁴)¹⁶, which is 0.999 at
/// 0.8, 0.98 at 0.7 and 0.64 at 0.5.
pub(crate) const BANDS: usize = 16;
const ROWS: usize = 4;
const HASHES: usize = BANDS * ROWS;

/// The distinct shingles of a text, sorted. A text with fewer words is one shingle as a whole.
pub(crate) fn shingles(runs: &RollingHashes, words: usize) -> Vec<u64> {
    let mut shingles: Vec<u64> = runs.of(SHINGLE.min(words.max(1))).collect();
    shingles.sort_unstable();
    shingles.dedup();
    shingles
}

/// |A ∩ B| / |A ∪ B| of two sorted sets; 0 where both are empty.
pub(crate) fn jaccard<T: Ord>(one: &[T], other: &[T]) -> f64 {
    let (mut i, mut j, mut both) = (0, 0, 0usize);
    while i < one.len() && j < other.len() {
        match one[i].cmp(&other[j]) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => {
                (i, j, both) = (i + 1, j + 1, both + 1);
            }
        }
    }
    let union = one.len() + other.len() - both;
    if union == 0 {
        0.0
    } else {
        both as f64 / union as f64
    }
}

/// The Jaccard index of two sorted sets where it is `min` or more, with `min` above 0. It stops as
/// soon as so much cannot be reached any more.
pub(crate) fn jaccard_at_least<T: Ord>(one: &[T], other: &[T], min: f64) -> Option<f64> {
    let total = one.len() + other.len();
    let index = |both: usize| both as f64 / (total - both) as f64;
    let most = one.len().min(other.len());
    // The fewest common elements that reach it: by the formula, then by the index itself, whose
    // rounding decides.
    let mut needed = ((min * total as f64 / (1.0 + min)) as usize).min(most);
    while needed > 0 && index(needed - 1) >= min {
        needed -= 1;
    }
    while needed <= most && (needed == 0 || index(needed) < min) {
        needed += 1;
    }
    // Elements of each that may be missing in the other.
    let mut spare_one = one.len().checked_sub(needed)?;
    let mut spare_other = other.len().checked_sub(needed)?;
    let (mut i, mut j, mut both) = (0, 0, 0);
    while i < one.len() && j < other.len() {
        match one[i].cmp(&other[j]) {
            std::cmp::Ordering::Less => {
                spare_one = spare_one.checked_sub(1)?;
                i += 1;
            }
            std::cmp::Ordering::Greater => {
                spare_other = spare_other.checked_sub(1)?;
                j += 1;
            }
            std::cmp::Ordering::Equal => (i, j, both) = (i + 1, j + 1, both + 1),
        }
    }
    // One of the sets is at its end, and of it no more is missing than may be.
    Some(index(both))
}

/// The least value of each of the hash functions over a set.
pub(crate) type Signature = [u32; HASHES];

/// The hash functions: x ↦ (x ⊕ m) · a on 32 bits.
#[derive(Clone, Debug)]
pub(crate) struct HashFunctions {
    masks: Signature,
    factors: Signature,
}

impl HashFunctions {
    pub(crate) fn new() -> Self {
        let random = |i: usize| mix((i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        Self {
            masks: std::array::from_fn(|i| random(i) as u32),
            // An odd factor makes each function a permutation of the 32 bits, as MinHash wants it.
            factors: std::array::from_fn(|i| random(i + HASHES) as u32 | 1),
        }
    }

    pub(crate) fn signature(&self, shingles: impl Iterator<Item = u64>) -> Signature {
        let mut least = [u32::MAX; HASHES];
        for shingle in shingles {
            let x = (shingle >> 32) as u32;
            for ((least, mask), factor) in least.iter_mut().zip(&self.masks).zip(&self.factors) {
                *least = (*least).min((x ^ mask).wrapping_mul(*factor));
            }
        }
        least
    }
}

pub(crate) fn band_keys(signature: &Signature) -> [u64; BANDS] {
    std::array::from_fn(|band| {
        let rows = &signature[band * ROWS..(band + 1) * ROWS];
        rows.iter()
            // Begun with the band, so that equal rows of two different bands do not meet.
            .fold(band as u64, |key, &row| mix(key ^ u64::from(row)))
    })
}

/// The items by their bands.
#[derive(Clone, Debug)]
pub(crate) struct LshIndex {
    functions: HashFunctions,
    filter: Filter,
    bands: Table<Vec<u32>>,
    shingles: Vec<Vec<u64>>,
    threshold: f64,
    /// Texts with more shingles than this are near no item.
    most: usize,
}

impl LshIndex {
    pub(crate) fn new<'a>(words: impl Iterator<Item = &'a [u64]>, threshold: f64) -> Self {
        let functions = HashFunctions::new();
        let mut runs = RollingHashes::default();
        let mut all = Vec::new();
        let mut bands = Table::<Vec<u32>>::default();
        for (item, words) in words.enumerate() {
            runs.read(words);
            let shingles = shingles(&runs, words.len());
            if !shingles.is_empty() {
                for key in band_keys(&functions.signature(shingles.iter().copied())) {
                    bands.entry(key).or_default().push(item as u32);
                }
            }
            all.push(shingles);
        }
        let longest = all.iter().map(Vec::len).max().unwrap_or(0);
        Self {
            functions,
            filter: Filter::new(bands.keys().copied().collect::<Vec<_>>().into_iter()),
            bands,
            shingles: all,
            threshold,
            most: (longest as f64 / threshold).ceil() as usize,
        }
    }

    /// The items near a text, with the Jaccard index, into `found`.
    pub(crate) fn find(&self, runs: &RollingHashes, words: usize, found: &mut Vec<(u32, f64)>) {
        found.clear();
        // A repeated shingle may hide a small set behind many words, so the bound allows for some.
        if words == 0 || words > self.most.saturating_mul(4) {
            return;
        }
        // Neither sorted nor distinct: a minimum does not mind, and only a text that meets a band
        // needs its set.
        let signature = self.functions.signature(runs.of(SHINGLE.min(words)));
        self.find_by_bands(&band_keys(&signature), runs, words, found);
    }

    /// The same for a text whose bands are known.
    pub(crate) fn find_by_bands(
        &self,
        keys: &[u64; BANDS],
        runs: &RollingHashes,
        words: usize,
        found: &mut Vec<(u32, f64)>,
    ) {
        found.clear();
        if words == 0 || words > self.most.saturating_mul(4) {
            return;
        }
        let held = keys.iter().filter(|&&key| self.filter.may_hold(key));
        let mut candidates: Vec<u32> = held
            .filter_map(|key| self.bands.get(key))
            .flatten()
            .copied()
            .collect();
        if candidates.is_empty() {
            return;
        }
        candidates.sort_unstable();
        candidates.dedup();
        let own = shingles(runs, words);
        for item in candidates {
            let other = &self.shingles[item as usize];
            let (less, more) = (own.len().min(other.len()), own.len().max(other.len()));
            // The index is at most the ratio of the sizes.
            if less as f64 >= self.threshold * more as f64 {
                let index = jaccard(&own, other);
                if index >= self.threshold {
                    found.push((item, index));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn runs(words: &[u64]) -> RollingHashes {
        let mut runs = RollingHashes::default();
        runs.read(words);
        runs
    }

    #[test]
    fn equal_texts_are_always_near() {
        for length in [1, 2, 3, 4, 40] {
            let words: Vec<u64> = (0..length).map(mix).collect();
            let near = LshIndex::new([words.as_slice()].into_iter(), 0.8);
            let mut found = Vec::new();
            near.find(&runs(&words), words.len(), &mut found);
            assert_eq!(found, [(0, 1.0)], "{length} words");
        }
    }

    /// The bands are chosen so that at the threshold hardly anything is missed; this measures it on
    /// random texts.
    #[test]
    fn hardly_any_near_text_is_missed() {
        let mut missed = 0;
        for text in 0..500u64 {
            let words: Vec<u64> = (0..45).map(|i| mix(text * 1000 + i)).collect();
            let near = LshIndex::new([words.as_slice()].into_iter(), 0.75);
            let mut changed = words.clone();
            changed[(text % 40) as usize + 2] = 7;
            changed[44] = 9;
            let runs = runs(&changed);
            assert!(jaccard(&shingles(&runs, 45), &near.shingles[0]) >= 0.75);
            let mut found = Vec::new();
            near.find(&runs, 45, &mut found);
            missed += usize::from(found.is_empty());
        }
        assert!(missed <= 5, "{missed} of 500 missed");
    }

    proptest! {
        #[test]
        fn the_index_is_symmetric_and_in_bounds(mut one in prop::collection::vec(0..30u64, 0..20), mut other in prop::collection::vec(0..30u64, 0..20)) {
            for set in [&mut one, &mut other] {
                set.sort_unstable();
                set.dedup();
            }
            let index = jaccard(&one, &other);
            prop_assert_eq!(index, jaccard(&other, &one));
            prop_assert!((0.0..=1.0).contains(&index));
            prop_assert_eq!(index == 1.0, one == other && !one.is_empty());
        }

        /// It is the index wherever that is large enough, at its bounds too, and nothing elsewhere.
        #[test]
        fn an_index_that_stops_early_is_the_same(mut one in prop::collection::vec(0..30u64, 0..25), mut other in prop::collection::vec(0..30u64, 0..25), a in 1..20usize, b in 1..20usize) {
            for set in [&mut one, &mut other] {
                set.sort_unstable();
                set.dedup();
            }
            let index = jaccard(&one, &other);
            for min in [0.5, 0.7, 0.8, 1.0, a.min(b) as f64 / a.max(b) as f64, index] {
                if min > 0.0 {
                    prop_assert_eq!(jaccard_at_least(&one, &other, min), (index >= min).then_some(index), "{}", min);
                }
            }
        }
    }
}
