//! Several samples a problem → pass@k and maj@k.

use dataset_loader::Problem;
use rayon::prelude::*;
use schemars::JsonSchema;
use scoring::strict::{Answer, Profile};
use serde::{Deserialize, Serialize};
use statistics::{Estimate, Level, Vote, mean_majority_at_k, mean_pass_at_k};

use crate::record::VerdictRecord;

/// Up to so many distinct answers to a problem are compared with each other by the strict scorer;
/// those beyond are equal where their texts are. Comparing takes time with the square of their
/// number.
const MAX_COMPARED: usize = 64;

/// What several completions of each problem of a set come to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SampledFigures {
    /// Completions of each problem.
    pub samples: usize,
    /// The chance that at least one of k completions is right, without bias (arXiv:2107.03374,
    /// equation 1); k doubles from 1, the last is all of them.
    pub pass_at_k: Vec<FigureAtK>,
    /// The chance that the most frequent answer of k completions is right, for the same k. Answers
    /// are equal where the scorer takes one for the other: the strict one by value, the official
    /// one by its clean text. What has no answer does not vote.
    pub maj_at_k: Vec<FigureAtK>,
}

/// A figure for one k.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FigureAtK {
    /// Completions drawn of a problem's.
    pub k: usize,
    /// By the official scorer.
    pub official: Estimate,
    /// By the strict scorer.
    pub strict: Estimate,
}

impl SampledFigures {
    /// `problems`: each with all of its verdicts, the same number of them. `None` for a single one
    /// each.
    pub(crate) fn of(profile: &Profile, problems: &[(&Problem, &[VerdictRecord])]) -> Option<Self> {
        let samples = problems
            .first()
            .map(|(_, verdicts)| verdicts.len())
            .filter(|&samples| samples > 1)?;
        let official: Vec<Vec<Vote>> = problems
            .iter()
            .map(|(_, verdicts)| official_votes(verdicts))
            .collect();
        let strict: Vec<Vec<Vote>> = problems
            .par_iter()
            .map(|(problem, verdicts)| strict_votes(profile, problem, verdicts))
            .collect();
        let figures =
            |figure: fn(&[Vec<Vote>], usize) -> Option<Estimate>| -> Option<Vec<FigureAtK>> {
                let at = |&k: &usize| {
                    Some(FigureAtK {
                        k,
                        official: figure(&official, k)?,
                        strict: figure(&strict, k)?,
                    })
                };
                ks(samples).iter().map(at).collect()
            };
        Some(Self {
            samples,
            pass_at_k: figures(pass)?,
            maj_at_k: figures(majority)?,
        })
    }
}

fn pass(problems: &[Vec<Vote>], k: usize) -> Option<Estimate> {
    let samples = problems.first()?.len();
    let correct = |votes: &Vec<Vote>| votes.iter().filter(|vote| vote.correct).count();
    mean_pass_at_k(
        &problems.iter().map(correct).collect::<Vec<_>>(),
        samples,
        k,
        Level::NINETY_FIVE,
    )
    .ok()?
}

fn majority(problems: &[Vec<Vote>], k: usize) -> Option<Estimate> {
    mean_majority_at_k(problems, k, Level::NINETY_FIVE).ok()?
}

/// 1, 2, 4 and so on, and all.
fn ks(samples: usize) -> Vec<usize> {
    let mut ks: Vec<usize> = std::iter::successors(Some(1), |k| Some(k * 2))
        .take_while(|&k| k < samples)
        .collect();
    ks.push(samples);
    ks
}

fn official_votes(verdicts: &[VerdictRecord]) -> Vec<Vote> {
    let answers = verdicts.iter().map(|verdict| {
        let prediction = verdict
            .official
            .prediction
            .as_deref()
            .filter(|_| !verdict.no_answer);
        (prediction, verdict.official.correct)
    });
    votes(answers, |_, _| false)
}

fn strict_votes(profile: &Profile, problem: &Problem, verdicts: &[VerdictRecord]) -> Vec<Vote> {
    let answers = verdicts
        .iter()
        .map(|verdict| (verdict.strict.answer.as_deref(), verdict.strict.correct));
    votes(answers, |one, other| {
        profile
            .judge(Answer::Prediction(one), other, Some(&problem.question))
            .correct
    })
}

/// Puts equal answers into classes. Right ones are one class: all of them equal the reference.
fn votes<'a>(
    answers: impl Iterator<Item = (Option<&'a str>, bool)>,
    equal: impl Fn(&str, &str) -> bool,
) -> Vec<Vote> {
    const RIGHT: usize = 0;
    let mut texts: Vec<(&str, usize)> = Vec::new();
    let (mut compared, mut next) = (Vec::<(&str, usize)>::new(), RIGHT + 1);
    let mut class_of = |answer: &'a str| {
        if let Some((_, class)) = texts.iter().find(|(text, _)| *text == answer) {
            return *class;
        }
        let same = match texts.len() < MAX_COMPARED {
            true => compared
                .iter()
                // With the first of each class only: equality by value need not be transitive, and
                // an answer must have one class.
                .find(|(first, _)| equal(answer, first))
                .map(|(_, class)| *class),
            false => None,
        };
        let class = same.unwrap_or(next);
        if same.is_none() {
            compared.push((answer, class));
            next += 1;
        }
        texts.push((answer, class));
        class
    };
    let vote = |(answer, correct): (Option<&'a str>, bool)| match (answer, correct) {
        (None, _) => Vote {
            class: None,
            correct: false,
        },
        (Some(_), true) => Vote {
            class: Some(RIGHT),
            correct,
        },
        (Some(answer), false) => Vote {
            class: Some(class_of(answer)),
            correct,
        },
    };
    answers.map(vote).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k_doubles_up_to_all() {
        assert_eq!(ks(2), [1, 2]);
        assert_eq!(ks(10), [1, 2, 4, 8, 10]);
        assert_eq!(ks(16), [1, 2, 4, 8, 16]);
    }

    #[test]
    fn equal_answers_share_a_class_and_silence_has_none() {
        let profile = Profile::standard();
        let equal =
            |one: &str, other: &str| profile.judge(Answer::Prediction(one), other, None).correct;
        let answers = [
            (Some("7"), true),
            (Some("0.5"), false),
            (None, false),
            (Some("1/2"), false),
            (Some("14/2"), true),
            (Some("3"), false),
        ];
        let classes: Vec<Option<usize>> = votes(answers.into_iter(), equal)
            .iter()
            .map(|vote| vote.class)
            .collect();
        assert_eq!(classes, [Some(0), Some(1), None, Some(1), Some(0), Some(2)]);
        let by_text: Vec<Option<usize>> = votes(answers.into_iter(), |_, _| false)
            .iter()
            .map(|vote| vote.class)
            .collect();
        assert_eq!(by_text, [Some(0), Some(1), None, Some(2), Some(0), Some(3)]);
    }
}
