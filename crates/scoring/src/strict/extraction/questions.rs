//! Which of several numbers a question asks for.
//!
//! Only where a sentence names several numbers and nothing in it says which one is the answer: what
//! follows an equals sign, or what the sentence begins with, is never overruled.

use std::ops::Range;

/// The rules by which a question helps, and their ids in traces.
pub(crate) const ASKED_QUANTITY: &str = "question/asked_quantity";
pub(crate) const GIVEN_NUMBERS: &str = "question/given_numbers";

/// A question and what it may decide.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question<'q> {
    pub text: &'q str,
    /// What is counted in it decides between numbers.
    pub asked_quantity: bool,
    /// The numbers that it gives are not the answer.
    pub given_numbers: bool,
}

/// No sentence with more numbers is looked at.
const MAX_NUMBERS: usize = 12;

/// Words behind `how many` that are no name of what is counted.
const FILLERS: [&str; 12] = [
    "more",
    "fewer",
    "less",
    "total",
    "different",
    "of",
    "the",
    "additional",
    "other",
    "such",
    "his",
    "her",
];

/// Words that follow `how many` where what is counted is not named, as [`singular`] leaves them.
const NO_NOUNS: [&str; 17] = [
    "will", "did", "doe", "are", "was", "wer", "can", "could", "would", "should", "hav", "has",
    "had", "must", "might", "may", "ther",
];

/// The number among several that the question asks for, and the id of the rule that tells.
pub(super) fn choose(
    text: &str,
    numbers: &[Range<usize>],
    end: usize,
    question: Question<'_>,
) -> Option<(Range<usize>, &'static str)> {
    if !(2..=MAX_NUMBERS).contains(&numbers.len()) {
        return None;
    }
    if question.asked_quantity
        && let Some(noun) = asked_noun(question.text)
        && let Some(number) = only(numbers, |number| counts(&text[number.end..end], &noun))
    {
        return Some((number, ASKED_QUANTITY));
    }
    if question.given_numbers {
        let given: Vec<String> = digits(question.text).collect();
        let number = only(numbers, |number| {
            digits(&text[number.clone()]).all(|said| !given.contains(&said))
        })?;
        return Some((number, GIVEN_NUMBERS));
    }
    None
}

/// The only one that fits.
fn only(numbers: &[Range<usize>], fits: impl Fn(&Range<usize>) -> bool) -> Option<Range<usize>> {
    let mut fitting = numbers.iter().filter(|number| fits(number));
    match (fitting.next(), fitting.next()) {
        (Some(number), None) => Some(number.clone()),
        _ => None,
    }
}

/// What the last `how many` counts, without its plural.
fn asked_noun(question: &str) -> Option<String> {
    let lower = question.to_lowercase();
    let behind = &lower[lower.rfind("how many ")? + "how many ".len()..];
    let noun = behind
        .split_whitespace()
        .find(|word| !FILLERS.contains(word))?;
    let noun = singular(noun.trim_matches(|c: char| !c.is_alphabetic()));
    (noun.len() >= 3 && !NO_NOUNS.contains(&noun)).then(|| noun.to_owned())
}

fn singular(word: &str) -> &str {
    word.strip_suffix("ies")
        .or_else(|| word.strip_suffix("es"))
        .or_else(|| word.strip_suffix('s'))
        .or_else(|| word.strip_suffix('y'))
        // No dictionary: both sides lose their ending alike, which is all that is compared.
        .or_else(|| word.strip_suffix('e'))
        .unwrap_or(word)
}

/// Whether the words right behind a number name a thing.
fn counts(behind: &str, noun: &str) -> bool {
    const MAX_WORDS: usize = 3;
    let clause = behind
        .split([',', ';', '.', '(', '=', '\n'])
        .next()
        .unwrap_or_default();
    clause
        .split_whitespace()
        .take(MAX_WORDS)
        .take_while(|word| !word.contains(|c: char| c.is_ascii_digit()))
        .any(|word| {
            let word = word
                .trim_matches(|c: char| !c.is_alphabetic())
                .to_lowercase();
            singular(&word) == noun
        })
}

/// The numbers of a text as digits, without grouping and trailing zeros of a fraction.
fn digits(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ',')))
        .map(|number| {
            let plain = number.trim_matches(['.', ',']).replace(',', "");
            match plain.contains('.') {
                true => plain.trim_end_matches('0').trim_end_matches('.').to_owned(),
                false => plain,
            }
        })
        .filter(|number| !number.is_empty())
}
