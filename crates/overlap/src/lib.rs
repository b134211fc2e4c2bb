//! Which test items occur in other texts: training files, or questions that a model made.
//!
//! Items go in as plain id, set and question; out comes what each text has in common with them: the
//! same normal form, n-grams of words and numbers, or shingles enough to be a near-duplicate. This
//! crate refuses to know data sets, answers and scores.
//!
//! ```
//! use overlap::{Index, Item, Options};
//!
//! let item = Item { id: "gsm8k/1".into(), set: "gsm8k".into(), text: "Ann has $1,000 and spends 3/4 of it.".into() };
//! let index = Index::new(vec![item], Options::default()).unwrap();
//! assert!(index.hits("ANN has 1000 and\nspends 3/4 of it")[0].exact);
//! assert!(index.hits("Bob has 5 apples.").is_empty());
//! ```

mod distinct; // the first of each text in a stream
mod error;
mod filter; // nearly all hashes that are looked up are not there
mod grams; // which items hold which n-grams
mod index; // the items, ready to be looked up in
mod latex; // what commands and signs stand for
mod minhash; // near-duplicates
mod normal; // the normal form of a text
mod report; // what was found
mod same; // items of one set that are in another
mod scan; // training files, streamed and looked up
mod training; // the questions of a training record
mod wrapping; // templates around a question

pub use distinct::{Distinct, Fingerprint, Original};
pub use error::Error;
pub use index::{Hit, Index, Item, Options};
pub use report::{Found, Match, Report, SetCounts, TrainingFile};
pub use same::{Pair, repeated_items, same_items};
pub use scan::{Progress, scan};

/// The normal form by which texts are compared: words, numbers and signs of arithmetic, parted by
/// single spaces. `docs/overlap.md` tells what has no influence on it.
pub fn normal_form(text: &str) -> String {
    normal::Normal::of(text).text().to_owned()
}
