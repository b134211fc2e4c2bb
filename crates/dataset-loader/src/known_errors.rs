//! Problems of the published sets that are known to have a fault: wrong references, ambiguous and
//! contradictory questions, each with its source.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::problem::Problem;

/// The lists, by set: `datasets/*/known_errors.jsonl`.
const LISTS: [(&str, &str); 1] = [(
    "gsm8k",
    include_str!("../../../datasets/gsm8k/known_errors.jsonl"),
)];

/// Hexadecimal digits of a question's digest.
const DIGITS: usize = 32;

/// What is wrong with a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KnownErrorKind {
    /// The reference is not the answer, which the list gives.
    WrongReference,
    /// The question has several readings with different answers.
    Ambiguous,
    /// The question contradicts itself or the facts it needs.
    Contradictory,
    /// The source leaves the problem out and we found no fault in it.
    Unconfirmed,
}

/// A problem at hand with a known fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KnownError {
    /// Id of the problem in the data at hand.
    pub id: String,
    /// Its set.
    pub set: String,
    /// What is wrong.
    pub kind: KnownErrorKind,
    /// The reference of the data at hand.
    pub reference: String,
    /// The right answer, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correct: Option<String>,
    /// Why, in a few words.
    pub reason: String,
    /// Who says so.
    pub sources: Vec<String>,
}

/// A line of a list. Questions are known by their digest, so that ids fit whatever file the
/// problems come from.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    question: String,
    /// The line in the publisher's test file, for readers of the list.
    #[allow(dead_code)]
    number: usize,
    reference: String,
    kind: KnownErrorKind,
    #[serde(default)]
    correct: Option<String>,
    reason: String,
    sources: Vec<String>,
}

/// The known faults among problems, in the order of the problems. A wrong reference that the data
/// at hand have corrected is none.
pub fn known_errors(problems: &[Problem]) -> Vec<KnownError> {
    let of_set = |(set, text): (&str, &str)| {
        let problems = problems.iter().filter(|problem| problem.set == set);
        matched(&entries(text), problems)
    };
    LISTS.into_iter().flat_map(of_set).collect()
}

fn entries(text: &str) -> Vec<Entry> {
    text.lines()
        .map(|line| serde_json::from_str(line).expect("an embedded list that a test has read"))
        .collect()
}

fn matched<'a>(entries: &[Entry], problems: impl Iterator<Item = &'a Problem>) -> Vec<KnownError> {
    let by_question: HashMap<&str, &Entry> = entries
        .iter()
        .map(|entry| (entry.question.as_str(), entry))
        .collect();
    let known = |problem: &Problem| {
        let entry = by_question.get(digest(&problem.question).as_str())?;
        let is_corrected = entry.kind == KnownErrorKind::WrongReference
            && plain(&problem.reference) != plain(&entry.reference);
        (!is_corrected).then(|| KnownError {
            id: problem.id.clone(),
            set: problem.set.clone(),
            kind: entry.kind,
            reference: problem.reference.clone(),
            correct: entry.correct.clone(),
            reason: entry.reason.clone(),
            sources: entry.sources.clone(),
        })
    };
    problems.filter_map(known).collect()
}

/// Digest of a question, whatever blanks and line ends stand in it.
fn digest(question: &str) -> String {
    let words: Vec<&str> = question.split_whitespace().collect();
    let mut digest = blake3::hash(words.join(" ").as_bytes())
        .to_hex()
        .to_string();
    digest.truncate(DIGITS);
    digest
}

/// A reference without blanks and commas within a number.
fn plain(reference: &str) -> String {
    reference
        .chars()
        .filter(|c| *c != ',' && !c.is_whitespace())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(question: &str, reference: &str) -> Problem {
        Problem {
            id: "gsm8k/7".to_string(),
            set: "gsm8k".to_string(),
            task: "gsm8k".to_string(),
            question: question.to_string(),
            reference: reference.to_string(),
        }
    }

    fn entry(kind: KnownErrorKind) -> Entry {
        Entry {
            question: digest("Two and three?"),
            number: 1,
            reference: "1,006".to_string(),
            kind,
            correct: Some("5".to_string()),
            reason: "2 + 3".to_string(),
            sources: vec!["a list".to_string()],
        }
    }

    #[test]
    fn a_problem_is_known_by_its_question_whatever_its_id_and_its_blanks() {
        let wrong = [entry(KnownErrorKind::WrongReference)];
        let found = matched(&wrong, [problem("Two  and\nthree? ", "1006")].iter());
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].id.as_str(), found[0].correct.as_deref()),
            ("gsm8k/7", Some("5"))
        );
        assert!(matched(&wrong, [problem("Two and four?", "1006")].iter()).is_empty());
    }

    #[test]
    fn a_reference_that_was_corrected_is_no_error_and_a_question_stays_ambiguous() {
        let corrected = [problem("Two and three?", "5")];
        let wrong = [entry(KnownErrorKind::WrongReference)];
        assert!(matched(&wrong, corrected.iter()).is_empty());
        let ambiguous = [entry(KnownErrorKind::Ambiguous)];
        assert_eq!(matched(&ambiguous, corrected.iter()).len(), 1);
    }

    #[test]
    fn every_entry_of_the_lists_is_whole() {
        for (set, text) in LISTS {
            let entries = entries(text);
            let mut questions = std::collections::BTreeSet::new();
            assert!(entries.is_sorted_by_key(|entry| entry.number), "{set}");
            for entry in &entries {
                assert_eq!(entry.question.len(), DIGITS, "{entry:?}");
                assert!(questions.insert(&entry.question), "twice: {entry:?}");
                assert!(
                    !entry.reason.is_empty() && !entry.sources.is_empty(),
                    "{entry:?}"
                );
                let is_wrong = entry.kind == KnownErrorKind::WrongReference;
                assert_eq!(is_wrong, entry.correct.is_some(), "{entry:?}");
                assert_ne!(entry.correct.as_deref(), Some(entry.reference.as_str()));
            }
        }
    }
}
