//! Items on which two runs differ, and where two completions diverge.

use dataset_loader::Problem;
use serde::Serialize;

use scoring::Scorer;

use super::compared_run::ComparedRun;
use super::error::ComparisonError;
use super::pairing::Pairing;
use crate::record::{CompletionRecord, VerdictRecord};

/// Items that one run solved better than the other.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Flips {
    /// How many the first run solved better.
    pub lost_total: usize,
    /// How many the second run solved better.
    pub won_total: usize,
    /// The first of those lost, in the order of the sets and ids.
    pub lost: Vec<Flip>,
    /// The first of those won.
    pub won: Vec<Flip>,
}

/// An item that one run solved better than the other.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Flip {
    /// Id of the problem.
    pub id: String,
    /// Name of its set.
    pub set: String,
    /// What is right.
    pub reference: String,
    /// What each run wrote.
    pub sides: [FlipSide; 2],
}

/// What one run wrote.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FlipSide {
    /// Correct completions.
    pub correct: usize,
    /// Completions.
    pub samples: usize,
    /// What the scorer read as the answer of the first completion; `None` also in a baseline, which
    /// keeps no texts.
    pub answer: Option<String>,
    /// The first completion; `None` in a baseline.
    pub completion: Option<String>,
}

/// The flips, at most `most` of each kind.
pub(crate) fn flips(
    runs: [&ComparedRun; 2],
    sets: &[Pairing<'_>],
    scorer: Scorer,
    most: usize,
) -> Result<Flips, ComparisonError> {
    let mut found = Flips {
        lost_total: 0,
        won_total: 0,
        lost: Vec::new(),
        won: Vec::new(),
    };
    let [samples_a, samples_b] = runs.map(ComparedRun::samples);
    for pairing in sets {
        let ids = match pairing.ids() {
            Some(ids) => ids,
            None => {
                return Err(ComparisonError::NoTexts {
                    file: runs[0].source.clone(),
                    what: "items",
                });
            }
        };
        for (id, (a, b)) in ids.into_iter().zip(pairing.correct(scorer)) {
            // In parts of one over the product of the samples, which are whole numbers.
            let (total, list) = match (a * samples_b).cmp(&(b * samples_a)) {
                std::cmp::Ordering::Equal => continue,
                std::cmp::Ordering::Greater => (&mut found.lost_total, &mut found.lost),
                std::cmp::Ordering::Less => (&mut found.won_total, &mut found.won),
            };
            *total += 1;
            if list.len() < most {
                list.push(Flip {
                    id: id.to_string(),
                    set: pairing.a.set.clone(),
                    reference: reference(runs, id),
                    sides: [side(runs[0], id, a, scorer), side(runs[1], id, b, scorer)],
                });
            }
        }
    }
    Ok(found)
}

fn reference(runs: [&ComparedRun; 2], id: &str) -> String {
    let problem = runs
        .iter()
        .find_map(|run| run.texts.as_ref().and_then(|texts| texts.problems.get(id)));
    problem
        .map(|problem| problem.reference.clone())
        .unwrap_or_default()
}

fn side(run: &ComparedRun, id: &str, correct: usize, scorer: Scorer) -> FlipSide {
    let key = (id.to_string(), 0);
    let texts = run.texts.as_ref();
    let answer =
        texts
            .and_then(|texts| texts.verdicts.get(&key))
            .and_then(|verdict| match scorer {
                Scorer::Official => verdict.official.prediction.clone(),
                Scorer::Strict => verdict.strict.answer.clone(),
            });
    let completion = texts
        .and_then(|texts| texts.completions.get(&key))
        .map(|record| record.completion.clone());
    FlipSide {
        correct,
        samples: run.samples(),
        answer,
        completion,
    }
}

/// One item of two runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Contrast {
    /// The problem.
    pub problem: Problem,
    /// What each run wrote.
    pub completions: [CompletionRecord; 2],
    /// What the scorers say.
    pub verdicts: [VerdictRecord; 2],
    /// Where the completions diverge; `None` where they are the same.
    #[serde(rename = "parting")]
    pub first_divergence: Option<FirstDivergence>,
}

/// Where two texts diverge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct FirstDivergence {
    /// Words, divided by white space, that are the same in both before the first that differs.
    pub words: usize,
    /// First byte of the word that differs in each text; the text's length where it has ended
    /// before.
    pub at: [usize; 2],
}

impl Contrast {
    /// Puts an item of two run folders side by side. `sample`: which completion, from 0.
    ///
    /// # Errors
    /// A baseline, which holds no texts; an item or sample that a run does not have; an item that
    /// is another in the other run.
    pub fn of(
        a: &ComparedRun,
        b: &ComparedRun,
        id: &str,
        sample: u32,
    ) -> Result<Self, ComparisonError> {
        let (problem, other) = (a.problem(id)?, b.problem(id)?);
        if (&problem.question, &problem.reference) != (&other.question, &other.reference) {
            return Err(ComparisonError::OtherItem { id: id.to_string() });
        }
        let (completion_a, verdict_a) = answered(a, id, sample)?;
        let (completion_b, verdict_b) = answered(b, id, sample)?;
        Ok(Self {
            problem: problem.clone(),
            first_divergence: FirstDivergence::of(
                &completion_a.completion,
                &completion_b.completion,
            ),
            completions: [completion_a, completion_b],
            verdicts: [verdict_a, verdict_b],
        })
    }
}

fn answered(
    run: &ComparedRun,
    id: &str,
    sample: u32,
) -> Result<(CompletionRecord, VerdictRecord), ComparisonError> {
    let texts = run.texts("an item")?;
    let key = (id.to_string(), sample);
    match (texts.completions.get(&key), texts.verdicts.get(&key)) {
        (Some(completion), Some(verdict)) => Ok((completion.clone(), verdict.clone())),
        _ => {
            let samples = run.identity.decoding.samples();
            Err(ComparisonError::NoSuchSample {
                folder: run.source.clone(),
                sample,
                samples,
            })
        }
    }
}

impl FirstDivergence {
    /// The first word in which two texts differ; `None` where there is none. White space counts
    /// where it is all that differs.
    pub fn of(a: &str, b: &str) -> Option<Self> {
        if a == b {
            return None;
        }
        let (left, right) = (words(a), words(b));
        let same = left
            .iter()
            .zip(&right)
            .take_while(|(one, other)| one.1 == other.1)
            .count();
        let start =
            |words: &[(usize, &str)], text: &str| words.get(same).map_or(text.len(), |(at, _)| *at);
        let at = [start(&left, a), start(&right, b)];
        if same == left.len() && same == right.len() {
            let byte = a
                .bytes()
                .zip(b.bytes())
                .take_while(|(one, other)| one == other)
                .count();
            // Bytes may agree up to the middle of a character; the place must be one where both
            // texts can be cut.
            let byte = (0..=byte)
                .rev()
                .find(|&at| a.is_char_boundary(at) && b.is_char_boundary(at))
                .unwrap_or(0);
            return Some(Self {
                words: same,
                at: [byte, byte],
            });
        }
        Some(Self { words: same, at })
    }
}

/// Each word with its first byte.
fn words(text: &str) -> Vec<(usize, &str)> {
    text.split_whitespace()
        .map(|word| (word.as_ptr() as usize - text.as_ptr() as usize, word))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_diverge_at_the_first_word_that_differs() {
        assert_eq!(
            FirstDivergence::of("She has 3 apples.", "She has 3 apples."),
            None
        );
        assert_eq!(
            FirstDivergence::of("She has 3 apples.", "She has 13 apples."),
            Some(FirstDivergence {
                words: 2,
                at: [8, 8]
            })
        );
        assert_eq!(
            FirstDivergence::of("a  b c", "a b d"),
            Some(FirstDivergence {
                words: 2,
                at: [5, 4]
            })
        );
        assert_eq!(
            FirstDivergence::of("She has 3", "She has 3 apples."),
            Some(FirstDivergence {
                words: 3,
                at: [9, 10]
            })
        );
        assert_eq!(
            FirstDivergence::of("", "yes"),
            Some(FirstDivergence {
                words: 0,
                at: [0, 0]
            })
        );
        assert_eq!(
            FirstDivergence::of("ünd a", "ünd\na"),
            Some(FirstDivergence {
                words: 2,
                at: [4, 4]
            })
        );
    }
}
