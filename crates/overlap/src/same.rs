//! Items of one set that are also in another.

use serde::Serialize;

use crate::error::Error;
use crate::index::{Index, Item, Options};
use crate::normal::Normal;

/// An item of one set and the same problem in another.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pair {
    /// Id of the item in the first set.
    pub id: String,
    /// Id of the item in the other set.
    pub same_as: String,
    /// Both have the same normal form.
    pub exact: bool,
    /// The Jaccard index of their shingles, in 0..=1; 1 for the same normal form.
    pub similarity: f64,
}

/// The items of `set` that are also in `other`: the same normal form, or near-duplicates with the same numbers in any order. An item with several
/// partners gets the most similar one. A problem with other numbers is another problem.
///
/// # Errors
///
/// Two items with one id.
pub fn same_items(items: &[Item], set: &str, other: &str) -> Result<Vec<Pair>, Error> {
    let others: Vec<Item> = items.iter().filter(|item| item.set == other).cloned().collect();
    if others.is_empty() {
        return Ok(Vec::new());
    }
    let index = Index::new(others, Options::default())?;
    let pairs = items.iter().filter(|item| item.set == set).filter_map(|item| {
        let numbers = numbers(&item.text);
        let mut hits = index.hits(&item.text);
        hits.retain(|hit| hit.exact || hit.near.is_some() && numbers == self::numbers(&index.items()[hit.item].text));
        let similarity = |exact: bool, near: Option<f64>| if exact { 1.0 } else { near.unwrap_or(0.0) };
        let best = hits.iter().reduce(|best, hit| {
            let better = (hit.exact, similarity(hit.exact, hit.near)) > (best.exact, similarity(best.exact, best.near));
            if better { hit } else { best }
        })?;
        Some(Pair {
            id: item.id.clone(),
            same_as: index.items()[best.item].id.clone(),
            exact: best.exact,
            similarity: similarity(best.exact, best.near),
        })
    });
    Ok(pairs.collect())
}

fn numbers(text: &str) -> Vec<String> {
    let mut numbers: Vec<String> = Normal::of(text).numbers().map(str::to_owned).collect();
    numbers.sort_unstable();
    numbers
}
