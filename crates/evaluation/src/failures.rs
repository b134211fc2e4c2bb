//! Items of a run that failed, by reason.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use generation::FinishReason;

use crate::run_folder::Completions;

/// Items of a run that failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failures {
    /// Those whose prompt leaves the model no room, which were never asked.
    pub too_long: usize,
    /// All of them, by reason, the most frequent first. Reasons that differ in numbers alone are one,
    /// with `…` in place of those numbers.
    pub reasons: Vec<(String, usize)>,
}

impl Failures {
    pub(crate) fn of(completions: &Completions, too_long: usize) -> Self {
        let failed = completions
            .values()
            .filter(|record| record.finish_reason == FinishReason::Error);
        let errors = failed.map(|record| record.error.as_deref().unwrap_or("no reason was given"));
        Self {
            too_long,
            reasons: counted(errors),
        }
    }

    /// All items that failed.
    pub fn items(&self) -> usize {
        self.reasons.iter().map(|(_, items)| items).sum()
    }
}

/// Reasons with how often each was given.
fn counted<'a>(errors: impl Iterator<Item = &'a str>) -> Vec<(String, usize)> {
    // By what is left without numbers.
    let mut alike: BTreeMap<Vec<&str>, (Vec<&str>, usize)> = BTreeMap::new();
    for error in errors {
        let pieces = pieces(error);
        let without_numbers = pieces
            .iter()
            .map(|piece| if is_number(piece) { "0" } else { piece });
        let (common, items) = alike
            .entry(without_numbers.collect())
            .or_insert((pieces.clone(), 0));
        *items += 1;
        for (common, piece) in common.iter_mut().zip(pieces) {
            if *common != piece {
                *common = "…";
            }
        }
    }
    let mut reasons: Vec<(String, usize)> = alike
        .into_values()
        .map(|(common, items)| (common.concat(), items))
        .collect();
    reasons.sort_by_key(|(_, items)| Reverse(*items));
    reasons
}

/// A text cut before and behind each number.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let other = |c: char| c.is_ascii_digit() != first.is_ascii_digit();
        let (piece, behind) = rest.split_at(rest.find(other).unwrap_or(rest.len()));
        pieces.push(piece);
        rest = behind;
    }
    pieces
}

fn is_number(piece: &str) -> bool {
    piece.starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_that_differ_in_numbers_alone_are_one() {
        let errors = [
            "400 Bad Request: a prompt of 245 bytes",
            "400 Bad Request: a prompt of 99 bytes",
            "no reason",
            "400 Bad Request: a prompt of 245 bytes",
            "5",
            "no reason 5",
        ];
        let reasons = [
            ("400 Bad Request: a prompt of … bytes", 3),
            ("5", 1),
            ("no reason", 1),
            ("no reason 5", 1),
        ];
        assert_eq!(
            counted(errors.into_iter()),
            reasons.map(|(reason, items)| (reason.to_string(), items))
        );
    }
}
