//! The test items, ready to be looked up in: what a text has in common with them.

use std::collections::HashMap;

use serde::Serialize;

use crate::error::Error;
use crate::minhash::LshIndex;
use crate::ngrams::{Coverage, NgramIndex, RollingHashes};
use crate::normal_form::NormalForm;
use crate::text_form::TextForm;

/// A test item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestItem {
    /// Unique among the items.
    pub id: String,
    /// Name of the set it belongs to.
    pub set: String,
    /// The question.
    pub text: String,
}

/// How items are matched.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct OverlapOptions {
    /// Words and numbers of an n-gram, in 5..=50. An item with fewer is one gram as a whole if it
    /// has at least [`OverlapOptions::min_words`].
    pub ngram: usize,
    /// The Jaccard index of their shingles (three words) from which two texts are near-duplicates,
    /// in 0.5..=1: below, the bands miss too much.
    #[serde(rename = "near")]
    pub min_jaccard: f64,
    /// The share of its n-grams in one text from which an item counts as contaminated, in 0..=1; at 0
    /// one n-gram is enough.
    #[serde(rename = "share")]
    pub min_share: f64,
}

impl Default for OverlapOptions {
    /// 13-grams, as in the paper of GPT-3 (arXiv:2005.14165, appendix C), half of which make an
    /// item contaminated; and an index of 0.7, which one changed word in nineteen leaves.
    fn default() -> Self {
        Self {
            ngram: 13,
            min_jaccard: 0.7,
            min_share: 0.5,
        }
    }
}

impl OverlapOptions {
    /// The fewest words of an item that takes part in n-gram matching: five eighths of n, which is
    /// 8 of 13 and 5 of 8. With fewer, commonplaces ("What is the area of the circle?") would be
    /// found everywhere; such an item is matched exactly and as a near-duplicate only.
    pub fn min_words(&self) -> usize {
        self.ngram * 5 / 8
    }

    fn validate(self) -> Result<Self, Error> {
        if !(5..=50).contains(&self.ngram) {
            return Err(Error::Ngram(self.ngram));
        }
        if !(0.5..=1.0).contains(&self.min_jaccard) {
            return Err(Error::MinJaccard(self.min_jaccard));
        }
        if !(0.0..=1.0).contains(&self.min_share) {
            return Err(Error::MinShare(self.min_share));
        }
        Ok(self)
    }
}

/// What a text has in common with an item: one of the three at least.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// The item, as its place in [`Index::items`].
    pub item: usize,
    /// Text and item have the same normal form.
    pub exact: bool,
    /// The share of the item's distinct n-grams that the text holds, in 0..=1.
    pub share: f64,
    /// The Jaccard index of their shingles where it reaches the threshold.
    pub near: Option<f64>,
}

/// Test items, ready to be looked up in. It can be shared between threads.
#[derive(Clone, Debug)]
pub struct Index {
    items: Vec<TestItem>,
    options: OverlapOptions,
    exact: HashMap<u128, Vec<u32>>,
    grams: NgramIndex,
    near: LshIndex,
}

/// What looking a text up needs beside the index; kept between texts to spare memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scratch {
    normal: NormalForm,
    runs: RollingHashes,
    grams: Vec<u32>,
    near: Vec<(u32, f64)>,
    items: Vec<u32>,
}

impl Hit {
    /// Whether this much makes an item contaminated: the same normal form, a near-duplicate, or
    /// [`OverlapOptions::min_share`] of its n-grams.
    pub fn contaminates(&self, options: &OverlapOptions) -> bool {
        self.exact || self.near.is_some() || (self.share > 0.0 && self.share >= options.min_share)
    }
}

impl Index {
    /// # Errors
    ///
    /// No item, two items with one id, or options out of their range.
    pub fn new(items: Vec<TestItem>, options: OverlapOptions) -> Result<Self, Error> {
        let options = options.validate()?;
        if items.is_empty() {
            return Err(Error::NoItems);
        }
        let mut ids: Vec<&str> = items.iter().map(|item| item.id.as_str()).collect();
        ids.sort_unstable();
        if let Some(pair) = ids.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Error::DuplicateId(pair[0].to_owned()));
        }
        let normals: Vec<NormalForm> = items
            .iter()
            .map(|item| NormalForm::of(&item.text))
            .collect();
        let mut exact = HashMap::<u128, Vec<u32>>::new();
        for (item, normal) in normals
            .iter()
            .enumerate()
            .filter(|(_, normal)| !normal.text().is_empty())
        {
            exact.entry(normal.key()).or_default().push(item as u32);
        }
        let words = || normals.iter().map(NormalForm::words);
        let grams = NgramIndex::new(words(), options.ngram, options.min_words());
        let near = LshIndex::new(words(), options.min_jaccard);
        Ok(Self {
            items,
            options,
            exact,
            grams,
            near,
        })
    }

    /// The items, in the order given.
    pub fn items(&self) -> &[TestItem] {
        &self.items
    }

    /// How items are matched.
    pub fn options(&self) -> OverlapOptions {
        self.options
    }

    /// What a text has in common with items, in their order; empty where it has nothing.
    pub fn hits(&self, text: &str) -> Vec<Hit> {
        self.look_up(text, &mut Scratch::default(), None)
    }

    /// The same for a text that was read.
    pub fn hits_of(&self, text: &TextForm) -> Vec<Hit> {
        let (normal, runs) = (&text.normal, &text.runs);
        if normal.text().is_empty() {
            return Vec::new();
        }
        let (mut grams, mut near) = (Vec::new(), Vec::new());
        self.grams.find(runs, &mut grams);
        let words = normal.words().len();
        self.near.find_by_bands(&text.bands, runs, words, &mut near);
        self.gather(normal, &grams, &near, &mut Vec::new())
    }

    /// Marks the grams found in `coverage`.
    pub(crate) fn look_up(
        &self,
        text: &str,
        scratch: &mut Scratch,
        coverage: Option<&Coverage>,
    ) -> Vec<Hit> {
        let Scratch {
            normal,
            runs,
            grams,
            near,
            items,
        } = scratch;
        normal.read(text);
        if normal.text().is_empty() {
            return Vec::new();
        }
        runs.read(normal.words());
        self.grams.find(runs, grams);
        self.near.find(runs, normal.words().len(), near);
        if let Some(coverage) = coverage {
            coverage.mark(grams);
        }
        self.gather(normal, grams, near, items)
    }

    /// The hits of a text with these grams and near items; `items` is memory to work in.
    fn gather(
        &self,
        normal: &NormalForm,
        grams: &[u32],
        near: &[(u32, f64)],
        items: &mut Vec<u32>,
    ) -> Vec<Hit> {
        let exact = self.exact.get(&normal.key()).map_or(&[][..], Vec::as_slice);
        // Both lists are distinct, so an item stands here once for each of its distinct grams in
        // the text: the length of its run over their number is the share.
        items.clear();
        items.extend(grams.iter().flat_map(|&gram| self.grams.items(gram)));
        items.sort_unstable();
        let mut hits: Vec<Hit> = items
            .chunk_by(|one, next| one == next)
            .map(|run| {
                let item = run[0] as usize;
                let share = run.len() as f64 / self.grams.of_item(item).len() as f64;
                Hit {
                    item,
                    exact: false,
                    share,
                    near: None,
                }
            })
            .collect();
        // The runs gave the items in ascending order, which the search in `hit` depends on.
        for &item in exact {
            hit(&mut hits, item).exact = true;
        }
        for &(item, index) in near.iter() {
            hit(&mut hits, item).near = Some(index);
        }
        hits
    }

    pub(crate) fn coverage(&self) -> Coverage {
        Coverage::new(&self.grams)
    }

    /// The share of an item's n-grams that were found in all texts together, in 0..=1.
    pub(crate) fn covered(&self, item: usize, coverage: &Coverage) -> f64 {
        match self.grams.of_item(item) {
            // An item of too few words has no grams.
            [] => 0.0,
            grams => coverage.count(grams) as f64 / grams.len() as f64,
        }
    }
}

/// The hit of an item in a list that is kept in the items' order.
fn hit(hits: &mut Vec<Hit>, item: u32) -> &mut Hit {
    let item = item as usize;
    let at = match hits.binary_search_by_key(&item, |hit| hit.item) {
        Ok(at) => at,
        Err(at) => {
            hits.insert(
                at,
                Hit {
                    item,
                    exact: false,
                    share: 0.0,
                    near: None,
                },
            );
            at
        }
    };
    &mut hits[at]
}
