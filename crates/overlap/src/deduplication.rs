//! Deduplication of a stream: a text that equals an earlier one, or is a near-duplicate, is reported
//! with its original.
//!
//! Fingerprints can be taken on any thread; they are added one after the other, because what counts
//! as a repetition depends on what was kept before. A kept text takes about four bytes a word and
//! 300 bytes more, so that two million questions fit into a gigabyte.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::error::Error;
use crate::minhash::{BANDS, HashFunctions, band_keys, jaccard, shingles};
use crate::ngrams::RollingHashes;
use crate::normal_form::NormalForm;

/// Kept texts that one text is compared with. More share its bands only where a template of many
/// words stands around all of them, and then the latest ones are taken.
const MAX_COMPARED: usize = 1024;

/// The end of a chain.
const NONE: u32 = u32::MAX;

static FUNCTIONS: LazyLock<HashFunctions> = LazyLock::new(HashFunctions::new);

/// What a text is compared by.
#[derive(Clone, Debug)]
pub struct Fingerprint {
    /// Of the normal form; `None` for a text without a word or sign.
    key: Option<u128>,
    /// Sorted and distinct.
    shingles: Box<[u32]>,
    bands: [u32; BANDS],
}

impl Fingerprint {
    /// Of a text.
    pub fn of(text: &str) -> Self {
        let normal = NormalForm::of(text);
        let mut runs = RollingHashes::default();
        runs.read(normal.words());
        let long = shingles(&runs, normal.words().len());
        let bands = match long.is_empty() {
            true => [0; BANDS],
            false => {
                band_keys(&FUNCTIONS.signature(long.iter().copied())).map(|key| (key >> 32) as u32)
            }
        };
        // The upper halves of sorted hashes are sorted still, in half the memory. That two shingles
        // of a text become one is rare, and changes the index by little.
        let mut shingles: Vec<u32> = long.iter().map(|shingle| (shingle >> 32) as u32).collect();
        shingles.dedup();
        let key = (!normal.text().is_empty()).then(|| normal.key());
        Self {
            key,
            shingles: shingles.into_boxed_slice(),
            bands,
        }
    }

    /// Leaves it equal to texts with the same normal form only.
    pub fn compare_exactly(&mut self) {
        self.shingles = Box::default();
    }
}

/// The kept text that another one repeats.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Original {
    /// Its number: how many texts had been kept before it.
    pub number: usize,
    /// Both have the same normal form.
    pub exact: bool,
    /// The Jaccard index of their shingles (three words), in 0..=1; 1 for the same normal form.
    pub similarity: f64,
}

/// Texts of which none repeats another.
#[derive(Debug)]
pub struct Deduplicator {
    min_jaccard: f64,
    exact: HashMap<u128, u32>,
    shingles: Vec<Box<[u32]>>,
    bands: Vec<[u32; BANDS]>,
    /// The kept text before this one in the same bucket of a band.
    next: Vec<[u32; BANDS]>,
    /// The last kept text of each bucket, band by band; as many buckets as a power of two.
    heads: Vec<u32>,
    buckets: usize,
}

impl Deduplicator {
    /// `min_jaccard`: the Jaccard index of their shingles from which two texts are near-duplicates, in
    /// 0.5..=1.
    ///
    /// # Errors
    /// A threshold out of its range.
    pub fn new(min_jaccard: f64) -> Result<Self, Error> {
        if !(0.5..=1.0).contains(&min_jaccard) {
            return Err(Error::MinJaccard(min_jaccard));
        }
        // A power of two, and doubled when there are as many texts: a mask finds the bucket.
        let buckets = 1 << 10;
        Ok(Self {
            min_jaccard,
            exact: HashMap::new(),
            shingles: Vec::new(),
            bands: Vec::new(),
            next: Vec::new(),
            heads: vec![NONE; buckets * BANDS],
            buckets,
        })
    }

    /// Keeps a text, unless it repeats one that was kept. A text without words or signs is kept and
    /// repeats nothing.
    pub fn add(&mut self, text: Fingerprint) -> Option<Original> {
        let original = self.original(&text);
        if original.is_none() {
            self.keep(text);
        }
        original
    }

    /// Texts kept.
    pub fn len(&self) -> usize {
        self.shingles.len()
    }

    /// Whether none was kept.
    pub fn is_empty(&self) -> bool {
        self.shingles.is_empty()
    }

    fn original(&self, text: &Fingerprint) -> Option<Original> {
        if let Some(&number) = text.key.as_ref().and_then(|key| self.exact.get(key)) {
            return Some(Original {
                number: number as usize,
                exact: true,
                similarity: 1.0,
            });
        }
        let mut best: Option<Original> = None;
        for number in self.candidates(text) {
            let other = &self.shingles[number as usize];
            let (less, more) = (
                other.len().min(text.shingles.len()),
                other.len().max(text.shingles.len()),
            );
            // The index is at most the ratio of the sizes.
            if (less as f64) < self.min_jaccard * more as f64 {
                continue;
            }
            let similarity = jaccard(&text.shingles, other);
            if similarity >= self.min_jaccard
                && best.is_none_or(|best| similarity > best.similarity)
            {
                best = Some(Original {
                    number: number as usize,
                    exact: false,
                    similarity,
                });
            }
        }
        best
    }

    /// The kept texts that share a band, the first ones first.
    fn candidates(&self, text: &Fingerprint) -> Vec<u32> {
        let mut found = Vec::new();
        if text.shingles.is_empty() {
            return found;
        }
        for band in 0..BANDS {
            let key = text.bands[band];
            let mut at = self.heads[self.bucket(band, key)];
            let mut compared = 0;
            while at != NONE && compared < MAX_COMPARED {
                // A bucket mixes several keys; only texts with this one have the band in common.
                if self.bands[at as usize][band] == key {
                    found.push(at);
                    compared += 1;
                }
                at = self.next[at as usize][band];
            }
        }
        found.sort_unstable();
        found.dedup();
        // The first places are the oldest texts: the latest ones stay, as in each chain.
        let surplus = found.len().saturating_sub(MAX_COMPARED);
        found.drain(..surplus);
        found
    }

    fn keep(&mut self, text: Fingerprint) {
        let number = self.shingles.len() as u32;
        if let Some(key) = text.key {
            self.exact.insert(key, number);
        }
        // Before the text is added: `widen` links those that are complete, and this one follows
        // below.
        if self.shingles.len() >= self.buckets {
            self.widen();
        }
        self.bands.push(text.bands);
        self.next.push([NONE; BANDS]);
        if !text.shingles.is_empty() {
            self.link(number);
        }
        self.shingles.push(text.shingles);
    }

    fn link(&mut self, number: u32) {
        let bands = self.bands[number as usize];
        for (band, key) in bands.into_iter().enumerate() {
            let bucket = self.bucket(band, key);
            self.next[number as usize][band] = std::mem::replace(&mut self.heads[bucket], number);
        }
    }

    fn widen(&mut self) {
        self.buckets *= 2;
        self.heads = vec![NONE; self.buckets * BANDS];
        for number in 0..self.shingles.len() {
            self.next[number] = [NONE; BANDS];
            if !self.shingles[number].is_empty() {
                self.link(number as u32);
            }
        }
    }

    fn bucket(&self, band: usize, key: u32) -> usize {
        band * self.buckets + (key as usize & (self.buckets - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn distinct(near: f64, texts: &[&str]) -> Vec<Option<Original>> {
        let mut distinct = Deduplicator::new(near).unwrap();
        texts
            .iter()
            .map(|text| distinct.add(Fingerprint::of(text)))
            .collect()
    }

    /// `words` words; the text of that number has nothing in common with another's.
    fn text(number: usize, words: usize) -> String {
        (0..words)
            .map(|word| format!("w{}x ", number * 1000 + word))
            .collect()
    }

    #[test]
    fn the_first_of_equal_and_near_texts_is_kept() {
        let (long, other) = (text(1, 40), text(2, 40));
        let near = long.replacen("w1039x", "else", 1);
        let found = distinct(
            0.8,
            &[
                &long,
                &other,
                &long.to_uppercase(),
                &near,
                "",
                "",
                "one word",
                "One word!",
            ],
        );
        assert_eq!(
            found[2],
            Some(Original {
                number: 0,
                exact: true,
                similarity: 1.0
            })
        );
        let original = found[3].unwrap();
        assert!(
            original.number == 0 && !original.exact && original.similarity > 0.9,
            "{original:?}"
        );
        assert_eq!(found[7].map(|original| original.number), Some(4));
        assert!(
            [0, 1, 4, 5, 6].iter().all(|&kept| found[kept].is_none()),
            "{found:?}"
        );
        assert!(Deduplicator::new(0.4).is_err());
    }

    #[test]
    fn what_is_near_to_a_removed_text_only_is_kept() {
        // Each is near the one before and not near the one before that.
        let chain: Vec<String> = (0..3)
            .map(|step| {
                text(1, 60)
                    .split(' ')
                    .skip(step * 8)
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect();
        let found = distinct(0.8, &chain.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(
            found[1].is_some() && found[0].is_none() && found[2].is_none(),
            "{found:?}"
        );
    }

    #[test]
    fn tables_grow_without_a_loss() {
        let mut distinct = Deduplicator::new(0.8).unwrap();
        for number in 0..5000 {
            assert_eq!(distinct.add(Fingerprint::of(&text(number, 12))), None);
        }
        for number in 0..5000 {
            let changed = text(number, 12) + "more";
            let original = distinct.add(Fingerprint::of(&changed)).unwrap();
            assert_eq!((original.number, original.exact), (number, false));
        }
        assert_eq!(distinct.len(), 5000);
    }

    proptest! {
        /// What is kept differs from all that is kept by brute force too, and what is not has a
        /// near original.
        #[test]
        fn kept_texts_agree_with_brute_force(texts in prop::collection::vec(prop::collection::vec(0u8..12, 1..12), 1..30)) {
            let texts: Vec<String> = texts.iter().map(|words| words.iter().map(|word| format!("w{word} ")).collect()).collect();
            let mut distinct = Deduplicator::new(1.0).unwrap();
            let mut kept: Vec<Fingerprint> = Vec::new();
            for text in &texts {
                let print = Fingerprint::of(text);
                let same = kept.iter().any(|other| other.shingles == print.shingles);
                prop_assert_eq!(distinct.add(print.clone()).is_some(), same);
                if !same {
                    kept.push(print);
                }
            }
        }
    }
}
