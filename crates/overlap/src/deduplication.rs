//! Deduplication of a stream: a text that equals an earlier one, or is a near-duplicate, is reported
//! with its original.
//!
//! Fingerprints can be taken on any thread; they are added one after the other, because what counts
//! as a repetition depends on what was kept before. A kept text takes four bytes a word and about
//! 180 bytes more, so that two million questions of 45 words fit into 750 MB.

use crate::error::Error;
use crate::minhash::{BANDS, jaccard_at_least, shingles};
use crate::text_form::TextForm;

/// Kept texts that one text is compared with. More share its bands only where a template of many
/// words stands around all of them, and then the latest ones are taken.
const MAX_COMPARED: usize = 1024;

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
        TextForm::of(text).fingerprint()
    }

    pub(crate) fn of_form(form: &TextForm) -> Self {
        let (normal, runs) = (&form.normal, &form.runs);
        let long = shingles(runs, normal.words().len());
        // The upper halves of sorted hashes are sorted still, in half the memory. That two shingles
        // of a text become one is rare, and changes the index by little.
        let mut shingles: Vec<u32> = long.iter().map(|shingle| (shingle >> 32) as u32).collect();
        shingles.dedup();
        let key = (!normal.text().is_empty()).then(|| normal.key());
        Self {
            key,
            shingles: shingles.into_boxed_slice(),
            bands: form.bands.map(|key| (key >> 32) as u32),
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
    /// Texts by their normal forms.
    exact: KeyTable,
    /// Texts by their bands.
    bands: BandTable,
    /// The shingles of all texts, one behind the other, and where each text's end.
    shingles: Vec<u32>,
    ends: Vec<usize>,
    /// Memory to work in.
    candidates: Vec<u32>,
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
        Ok(Self {
            min_jaccard,
            exact: KeyTable::new(),
            bands: BandTable::new(),
            shingles: Vec::new(),
            ends: Vec::new(),
            candidates: Vec::new(),
        })
    }

    /// Keeps a text, unless it repeats one that was kept. A text without words or signs is kept and
    /// repeats nothing.
    pub fn add(&mut self, text: Fingerprint) -> Option<Original> {
        let original = self.original(&text);
        if original.is_none() {
            self.keep(&text);
        }
        original
    }

    /// Texts kept.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether none was kept.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    fn original(&mut self, text: &Fingerprint) -> Option<Original> {
        if let Some(number) = text.key.and_then(|key| self.exact.find(key)) {
            return Some(Original {
                number: number as usize,
                exact: true,
                similarity: 1.0,
            });
        }
        if text.shingles.is_empty() {
            return None;
        }
        let mut candidates = std::mem::take(&mut self.candidates);
        self.bands.find(&text.bands, &mut candidates);
        let mut best: Option<Original> = None;
        for &number in &candidates {
            if let Some(similarity) = self.similarity(number as usize, &text.shingles)
                && best.is_none_or(|best| similarity > best.similarity)
            {
                best = Some(Original {
                    number: number as usize,
                    exact: false,
                    similarity,
                });
            }
        }
        self.candidates = candidates;
        best
    }

    /// The Jaccard index of a kept text's shingles and others, where it makes them near-duplicates.
    fn similarity(&self, number: usize, shingles: &[u32]) -> Option<f64> {
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        let other = &self.shingles[start..self.ends[number]];
        let (less, more) = (
            other.len().min(shingles.len()),
            other.len().max(shingles.len()),
        );
        // The index is at most the ratio of the sizes.
        if (less as f64) < self.min_jaccard * more as f64 {
            return None;
        }
        jaccard_at_least(shingles, other, self.min_jaccard)
    }

    fn keep(&mut self, text: &Fingerprint) {
        self.exact.push(text.key);
        let bands = (!text.shingles.is_empty()).then_some(&text.bands);
        self.bands.push(bands);
        self.shingles.extend_from_slice(&text.shingles);
        self.ends.push(self.shingles.len());
    }
}

/// The end of a chain.
const NONE: u32 = u32::MAX;
/// Buckets of a table at first. The low half of a band's key is known from the bucket from then on.
const MIN_BUCKETS: usize = 1 << 16;
/// Texts for each bucket before there are twice as many buckets.
const MAX_LOAD: usize = 2;

/// Texts by their whole keys: chains of texts with equal low bits, the latest first.
#[derive(Debug)]
struct KeyTable {
    /// Of each text; 0 for one without a key, which is in no chain.
    keys: Vec<u128>,
    /// The text before this one in its chain.
    next: Vec<u32>,
    /// The last text of each chain; as many as a power of two.
    heads: Vec<u32>,
}

impl KeyTable {
    fn new() -> Self {
        Self {
            keys: Vec::new(),
            next: Vec::new(),
            heads: vec![NONE; MIN_BUCKETS],
        }
    }

    fn bucket(&self, key: u128) -> usize {
        key as usize & (self.heads.len() - 1)
    }

    /// The text with this key; there is one at most.
    fn find(&self, key: u128) -> Option<u32> {
        let mut at = self.heads[self.bucket(key)];
        while at != NONE {
            if self.keys[at as usize] == key {
                return Some(at);
            }
            at = self.next[at as usize];
        }
        None
    }

    fn push(&mut self, key: Option<u128>) {
        if self.keys.len() >= self.heads.len() * MAX_LOAD {
            self.widen();
        }
        let number = self.keys.len() as u32;
        self.keys.push(key.unwrap_or_default());
        self.next.push(NONE);
        if let Some(key) = key {
            let bucket = self.bucket(key);
            self.next[number as usize] = std::mem::replace(&mut self.heads[bucket], number);
        }
    }

    fn widen(&mut self) {
        let heads = vec![NONE; self.heads.len() * 2];
        let old = std::mem::replace(&mut self.heads, heads);
        let mut chain = Vec::new();
        for head in old {
            // The oldest first, as they came.
            let mut at = head;
            while at != NONE {
                chain.push(at);
                at = self.next[at as usize];
            }
            for number in chain.drain(..).rev() {
                let bucket = self.bucket(self.keys[number as usize]);
                self.next[number as usize] = std::mem::replace(&mut self.heads[bucket], number);
            }
        }
    }
}

/// A text's place in the chain of one band: the text before it there in two halves, and the upper
/// half of the band's key. Six bytes, so that a step in a chain reads one place of memory.
type Link = [u16; 3];

/// Texts by the keys of their bands: for each band, chains of texts with equal low bits, the latest
/// first.
#[derive(Debug)]
struct BandTable {
    links: Vec<[Link; BANDS]>,
    /// The last text of each chain, band by band; `buckets` for each.
    heads: Vec<u32>,
    /// A power of two, at least [`MIN_BUCKETS`].
    buckets: usize,
}

impl BandTable {
    fn new() -> Self {
        Self {
            links: Vec::new(),
            heads: vec![NONE; MIN_BUCKETS * BANDS],
            buckets: MIN_BUCKETS,
        }
    }

    fn place(&self, band: usize, key: u32) -> usize {
        band * self.buckets + (key as usize & (self.buckets - 1))
    }

    /// The texts that share a band, each once, the first ones first, into `found`: the latest
    /// [`MAX_COMPARED`] of each band, and of all.
    fn find(&self, keys: &[u32; BANDS], found: &mut Vec<u32>) {
        found.clear();
        for (band, &key) in keys.iter().enumerate() {
            let mut at = self.heads[self.place(band, key)];
            let mut compared = 0;
            while at != NONE && compared < MAX_COMPARED {
                let link = self.links[at as usize][band];
                // A bucket mixes several keys; only texts with this one have the band in common.
                // The bucket has the low half of the key.
                if link[2] == (key >> 16) as u16 {
                    found.push(at);
                    compared += 1;
                }
                at = next_of(link);
            }
        }
        found.sort_unstable();
        found.dedup();
        // The first places are the oldest texts: the latest ones stay, as in each chain.
        let surplus = found.len().saturating_sub(MAX_COMPARED);
        found.drain(..surplus);
    }

    /// A text with these bands; one without is in no chain.
    fn push(&mut self, keys: Option<&[u32; BANDS]>) {
        if self.links.len() >= self.buckets * MAX_LOAD {
            self.widen();
        }
        let number = self.links.len() as u32;
        let mut links = [link_to(NONE, 0); BANDS];
        for (band, &key) in keys.into_iter().flatten().enumerate() {
            let place = self.place(band, key);
            let before = std::mem::replace(&mut self.heads[place], number);
            links[band] = link_to(before, (key >> 16) as u16);
        }
        self.links.push(links);
    }

    fn widen(&mut self) {
        let (old_buckets, heads) = (self.buckets, vec![NONE; self.heads.len() * 2]);
        let old = std::mem::replace(&mut self.heads, heads);
        self.buckets *= 2;
        let mut chain = Vec::new();
        for (place, head) in old.into_iter().enumerate() {
            let (band, bucket) = (place / old_buckets, place % old_buckets);
            let mut at = head;
            while at != NONE {
                let link = self.links[at as usize][band];
                chain.push((at, link[2]));
                at = next_of(link);
            }
            // The oldest first, as they came.
            for (number, upper) in chain.drain(..).rev() {
                let key = u32::from(upper) << 16 | (bucket as u32 & 0xffff);
                let place = self.place(band, key);
                let before = std::mem::replace(&mut self.heads[place], number);
                self.links[number as usize][band] = link_to(before, upper);
            }
        }
    }
}

fn link_to(number: u32, upper: u16) -> Link {
    [number as u16, (number >> 16) as u16, upper]
}

fn next_of(link: Link) -> u32 {
    u32::from(link[0]) | u32::from(link[1]) << 16
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
        // Beyond the first growth, with texts in between that are in no chain.
        let count = MIN_BUCKETS * MAX_LOAD + 5000;
        for number in 0..count {
            let text = match number % 1000 {
                7 => String::new(),
                _ => text(number, 12),
            };
            assert_eq!(distinct.add(Fingerprint::of(&text)), None);
        }
        assert!(distinct.bands.buckets > MIN_BUCKETS);
        for number in (0..count).step_by(11).filter(|number| number % 1000 != 7) {
            let changed = text(number, 12) + "more";
            let original = distinct.add(Fingerprint::of(&changed)).unwrap();
            assert_eq!((original.number, original.exact), (number, false));
            let same = distinct.add(Fingerprint::of(&text(number, 12))).unwrap();
            assert_eq!((same.number, same.exact), (number, true));
        }
        assert_eq!(distinct.len(), count);
    }

    /// Texts in the order in which they came, the latest first, before and after a growth.
    #[test]
    fn of_many_texts_in_one_bucket_the_latest_are_compared() {
        let mut table = BandTable::new();
        let key = |number: u32| [(number % 3) << 16 | 5; BANDS];
        for number in 0..6000 {
            table.push(Some(&key(number)));
        }
        let mut found = Vec::new();
        let expected: Vec<u32> = (0..6000).filter(|number| number % 3 == 1).collect();
        for _ in 0..3 {
            table.find(&key(1), &mut found);
            assert_eq!(found, expected[expected.len() - MAX_COMPARED..]);
            table.widen();
        }
        table.find(&[3 << 16 | 5; BANDS], &mut found);
        assert!(found.is_empty());
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
