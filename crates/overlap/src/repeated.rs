//! Items of one set that are also in another.

use serde::Serialize;

use crate::error::Error;
use crate::index::{Hit, Index, OverlapOptions, TestItem};
use crate::normal_form::NormalForm;

/// An item of one set and the same problem in another.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RepeatedItem {
    /// Id of the item.
    pub id: String,
    /// Id of the item in the other set.
    pub same_as: String,
    /// Both have the same normal form.
    pub exact: bool,
    /// The Jaccard index of their shingles, in 0..=1; 1 for the same normal form.
    pub similarity: f64,
}

/// The items of `set` that are also in `other`, each with the most similar item there. The same are
/// items with the same normal form, and near-duplicates with the same numbers in any order: a
/// problem with other numbers is another problem.
///
/// # Errors
///
/// Two items with one id.
pub fn same_items(items: &[TestItem], set: &str, other: &str) -> Result<Vec<RepeatedItem>, Error> {
    let others: Vec<TestItem> = items
        .iter()
        .filter(|item| item.set == other)
        .cloned()
        .collect();
    if others.is_empty() {
        return Ok(Vec::new());
    }
    let index = Index::new(others, OverlapOptions::default())?;
    Ok(items
        .iter()
        .filter(|item| item.set == set)
        .filter_map(|item| best_pair(&index, item, |_| true))
        .collect())
}

/// The items that are also in a set that comes before their own, in the order in which the sets
/// first occur.
///
/// # Errors
///
/// Two items with one id.
pub fn repeated_items(items: &[TestItem]) -> Result<Vec<RepeatedItem>, Error> {
    if items.is_empty() {
        return Ok(Vec::new());
    }
    let mut order: Vec<&str> = Vec::new();
    for item in items {
        if !order.contains(&item.set.as_str()) {
            order.push(&item.set);
        }
    }
    let rank = |set: &str| order.iter().position(|known| *known == set);
    let index = Index::new(items.to_vec(), OverlapOptions::default())?;
    let of_item =
        |item: &TestItem| best_pair(&index, item, |other| rank(&other.set) < rank(&item.set));
    Ok(items.iter().filter_map(of_item).collect())
}

/// The item most like this one among those that `is_asked`, if it is the same problem.
fn best_pair(
    index: &Index,
    item: &TestItem,
    is_asked: impl Fn(&TestItem) -> bool,
) -> Option<RepeatedItem> {
    let own_numbers = numbers(&item.text);
    let is_same = |hit: &Hit| {
        let other = &index.items()[hit.item];
        is_asked(other)
            && (hit.exact || (hit.near.is_some() && numbers(&other.text) == own_numbers))
    };
    let likeness = |hit: &Hit| {
        (
            hit.exact,
            if hit.exact {
                1.0
            } else {
                hit.near.unwrap_or(0.0)
            },
        )
    };
    let hits = index.hits(&item.text).into_iter().filter(is_same);
    // Of equals the first stays.
    let best = hits.reduce(|best, hit| {
        if likeness(&hit) > likeness(&best) {
            hit
        } else {
            best
        }
    })?;
    let (exact, similarity) = likeness(&best);
    Some(RepeatedItem {
        id: item.id.clone(),
        same_as: index.items()[best.item].id.clone(),
        exact,
        similarity,
    })
}

/// The numbers of a text, sorted.
fn numbers(text: &str) -> Vec<String> {
    let mut numbers: Vec<String> = NormalForm::of(text).numbers().map(str::to_owned).collect();
    numbers.sort_unstable();
    numbers
}
