//! Which test items occur in other texts: training files, or questions that a model made.
//!
//! Items go in as plain id, set and question; out comes what each text has in common with them: the
//! same normal form, n-grams of words and numbers, or shingles enough to be a near-duplicate. This
//! crate refuses to know data sets, answers and scores.
//!
//! ```
//! use overlap::{Index, TestItem, OverlapOptions};
//!
//! let item = TestItem { id: "gsm8k/1".into(), set: "gsm8k".into(), text: "Ann has $1,000 and spends 3/4 of it.".into() };
//! let index = Index::new(vec![item], OverlapOptions::default()).unwrap();
//! assert!(index.hits("ANN has 1000 and\nspends 3/4 of it")[0].exact);
//! assert!(index.hits("Bob has 5 apples.").is_empty());
//! ```

mod deduplication; // the first of each text in a stream
mod error; // what can be wrong with the search
mod filter; // a Bloom filter: nearly all hashes that are looked up are not there
mod index; // the items, ready to be looked up in
mod latex; // what LaTeX commands and signs stand for
mod minhash; // near-duplicates by MinHash and bands (LSH)
mod ngrams; // which items hold which n-grams
mod normal_form; // the normal form of a text
mod prompt_templates; // templates around a question
mod repeated; // items of one set that are in another
mod report; // what was found
mod scan; // training files, streamed and looked up
mod text_form; // a text, read once for all comparisons
mod training; // the questions of a training record

pub use deduplication::{Deduplicator, Fingerprint, Original};
pub use error::Error;
pub use index::{Hit, Index, OverlapOptions, TestItem};
pub use repeated::{RepeatedItem, repeated_items, same_items};
pub use report::{MatchedItem, OverlapReport, SetCounts, TrainingFile, TrainingMatch};
pub use scan::{ScanProgress, scan};
pub use text_form::TextForm;

/// The normal form by which texts are compared: words, numbers and signs of arithmetic, parted by
/// single spaces. `docs/overlap.md` lists what has no influence on it.
pub fn normal_form(text: &str) -> String {
    normal_form::NormalForm::of(text).text().to_owned()
}
