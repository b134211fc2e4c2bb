//! What was removed, pair by pair and counted; and by which test item.

use std::collections::BTreeMap;

use overlap::{Hit, Index, TextForm};
use serde::{Deserialize, Serialize};

use super::reason::RemovalReason;
use super::rules::ScreenRules;

/// Version of `screen.json`.
pub(crate) const SCHEMA: &str = "mwpbench.mathscale.screen.v1";

/// A line of `screen.removed.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Removed {
    /// Id of the pair.
    pub id: String,
    /// The first rule that it breaks.
    pub reason: RemovalReason,
    /// What exactly is wrong.
    pub detail: String,
    /// Id of the test item, the seed or the pair that it repeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_as: Option<String>,
    /// The question.
    pub question: String,
}

/// `screen.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScreenReport {
    /// Version of the file.
    pub schema: String,
    /// Pairs read.
    pub read: u64,
    /// Pairs kept.
    pub kept: u64,
    /// Pairs removed, by reason; reasons that removed nothing are there with 0.
    pub removed: BTreeMap<RemovalReason, u64>,
    /// Contaminated pairs by the set of the test item that was matched best.
    pub contaminated_by_set: BTreeMap<String, u64>,
    /// The test items; `None` where none were given.
    pub tests: Option<TestItems>,
    /// The rules.
    pub rules: ScreenRules,
}

/// Test items against which pairs were decontaminated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestItems {
    /// Items by set.
    pub sets: BTreeMap<String, u64>,
    /// BLAKE3 (hex) of sets, ids and texts.
    pub digest: String,
    /// Words of an n-gram.
    pub ngram: usize,
    /// Jaccard index from which texts are near-duplicates.
    #[serde(rename = "near")]
    pub min_jaccard: f64,
    /// Share of an item's n-grams that makes it contaminated.
    pub share: f64,
    /// Whether they are the bundled problems, which are not the benchmark.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bundled: bool,
}

/// Test items that must not be trained on.
pub struct Tests {
    /// The items.
    pub index: Index,
    /// Whether they are the bundled problems, which are not the benchmark.
    pub bundled: bool,
}

impl TestItems {
    /// Of these.
    pub fn of(tests: &Tests) -> Self {
        let Tests { index, bundled } = tests;
        let mut sets = BTreeMap::new();
        let mut hasher = blake3::Hasher::new();
        for item in index.items() {
            *sets.entry(item.set.clone()).or_insert(0) += 1;
            for text in [&item.set, &item.id, &item.text] {
                hasher
                    // With their lengths, so that no two lists of texts run into the same bytes.
                    .update(&(text.len() as u64).to_le_bytes())
                    .update(text.as_bytes());
            }
        }
        let options = index.options();
        Self {
            sets,
            digest: hasher.finalize().to_hex().to_string(),
            ngram: options.ngram,
            min_jaccard: options.min_jaccard,
            share: options.min_share,
            bundled: *bundled,
        }
    }
}

/// The test item that a text matches best, among those that it is contaminated by, with what they
/// have in common.
pub(crate) fn contamination(index: &Index, text: &TextForm) -> Option<(usize, String)> {
    let options = index.options();
    let rank = |hit: &Hit| (hit.exact, hit.near.unwrap_or(0.0), hit.share);
    let hits = index
        .hits_of(text)
        .into_iter()
        .filter(|hit| hit.contaminates(&options));
    // Of equals the first stays.
    let best = hits.reduce(|best, hit| if rank(&hit) > rank(&best) { hit } else { best })?;
    let id = &index.items()[best.item].id;
    let detail = match (best.exact, best.near) {
        (true, _) => format!("the same question as the test item {id}"),
        (_, Some(near)) => format!("near to the test item {id} (Jaccard index {near:.2})"),
        _ => format!(
            "{:.0} % of the {}-grams of the test item {id}",
            best.share * 100.0,
            options.ngram
        ),
    };
    Some((best.item, detail))
}
