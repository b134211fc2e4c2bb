//! Several answers a problem: pass@k and the majority's answer.

use statrs::function::factorial::ln_binomial;

use crate::proportions::{check_correct, mean_interval};
use crate::{Error, Level};

/// A mean and its interval.
#[derive(
    Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Estimate {
    /// The mean over problems, in 0..=1.
    pub value: f64,
    /// Its interval, in 0..=1.
    pub interval: [f64; 2],
}

/// The chance that at least one of `k` answers drawn without replacement from `samples` is right
/// when `correct` of them are, in 0..=1: 1 − C(samples − correct, k) / C(samples, k). Over runs it
/// is on average the chance for k fresh answers, which 1 − (1 − correct/samples)^k is not. Source:
/// M. Chen et al., "Evaluating large language models trained on code" (2021), arXiv:2107.03374,
/// equation 1.
///
/// # Errors
///
/// More correct answers than answers; `k` is 0 or above `samples`.
pub fn pass_at_k(correct: usize, samples: usize, k: usize) -> Result<f64, Error> {
    check_draw(k, samples)?;
    check_correct(&[correct], samples)?;
    let wrong = samples - correct;
    if wrong < k {
        return Ok(1.0);
    }
    // One factor an answer that is drawn or is right, whichever are fewer: C(w, k) / C(n, k) reads
    // both ways.
    let all_wrong: f64 = if k < correct {
        (0..k)
            .map(|drawn| (wrong - drawn) as f64 / (samples - drawn) as f64)
            .product()
    } else {
        (0..correct)
            .map(|right| (samples - k - right) as f64 / (samples - right) as f64)
            .product()
    };
    Ok(1.0 - all_wrong)
}

/// The mean of [`pass_at_k`] over problems, with an interval over problems as
/// [`crate::sampled_interval`] takes it, where `samples`/`k` answers of a problem count as
/// independent at most. `None` without problems.
///
/// # Errors
///
/// As for [`pass_at_k`].
pub fn mean_pass_at_k(
    correct: &[usize],
    samples: usize,
    k: usize,
    level: Level,
) -> Result<Option<Estimate>, Error> {
    check_draw(k, samples)?;
    check_correct(correct, samples)?;
    let values = correct
        .iter()
        .map(|&correct| pass_at_k(correct, samples, k))
        .collect::<Result<Vec<f64>, Error>>()?;
    Ok(estimate(&values, samples as f64 / k as f64, level))
}

/// One answer to a problem, as it counts in a vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vote {
    /// Which of the problem's answers are equal: those with the same number. `None` where nothing
    /// was answered; such answers do not vote, but they are drawn.
    pub class: Option<usize>,
    /// Whether the answer is right.
    pub correct: bool,
}

/// The chance that the most frequent of `k` answers drawn without replacement from `votes` is
/// right, in 0..=1; for `k` = all answers, whether the majority is. Nothing is drawn at random: the
/// chance is summed over all draws.
///
/// Ties are broken evenly: where m classes share the first place, each wins with 1/m, and the
/// chance is the expected value. A class of which only some answers were judged right counts as
/// right by that share. A draw in which nobody votes is wrong. Source of the vote: X. Wang et al.,
/// "Self-consistency improves chain of thought reasoning in language models" (2023),
/// arXiv:2203.11171. The draws follow the multivariate hypergeometric distribution.
///
/// # Errors
///
/// `k` is 0 or above the number of votes.
pub fn majority_at_k(votes: &[Vote], k: usize) -> Result<f64, Error> {
    check_draw(k, votes.len())?;
    // Any share gives the same chance. With this one k is the likeliest total, so that the weight
    // divided by in the end is never near 0.
    let share = k as f64 / votes.len() as f64;
    let classes = classes(votes);
    let silent = votes.iter().filter(|vote| vote.class.is_none()).count();
    let mut chance = 0.0;
    for (index, &(size, value)) in classes
        .iter()
        .enumerate()
        .filter(|(_, (_, value))| *value > 0.0)
    {
        let others = || {
            classes
                .iter()
                .enumerate()
                .filter(move |(other, _)| *other != index)
                .map(|(_, (size, _))| *size)
        };
        for votes in 1..=size.min(k) {
            let own = binomial_mass(size, votes, share);
            chance += value * own * wins(others(), silent, k - votes, votes, share);
        }
    }
    Ok((chance / binomial_mass(votes.len(), k, share)).clamp(0.0, 1.0))
}

/// The mean of [`majority_at_k`] over problems, all with the same number of votes, with an interval
/// as that of [`mean_pass_at_k`]. `None` without problems.
///
/// # Errors
///
/// As for [`majority_at_k`]; problems with different numbers of votes.
pub fn mean_majority_at_k(
    problems: &[Vec<Vote>],
    k: usize,
    level: Level,
) -> Result<Option<Estimate>, Error> {
    let Some(samples) = problems.first().map(Vec::len) else {
        return Ok(None);
    };
    if let Some(item) = problems.iter().position(|votes| votes.len() != samples) {
        return Err(Error::Uneven {
            item,
            found: problems[item].len(),
            expected: samples,
        });
    }
    let values = problems
        .iter()
        .map(|votes| majority_at_k(votes, k))
        .collect::<Result<Vec<f64>, Error>>()?;
    Ok(estimate(&values, samples as f64 / k as f64, level))
}

fn estimate(values: &[f64], units: f64, level: Level) -> Option<Estimate> {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    (!values.is_empty()).then(|| Estimate {
        value: mean.clamp(0.0, 1.0),
        interval: mean_interval(values, units, level),
    })
}

fn check_draw(k: usize, samples: usize) -> Result<(), Error> {
    if k == 0 || k > samples {
        Err(Error::Draw { k, samples })
    } else {
        Ok(())
    }
}

/// Size of each class and the share of it that is right.
fn classes(votes: &[Vote]) -> Vec<(usize, f64)> {
    let mut counts = std::collections::BTreeMap::<usize, (usize, usize)>::new();
    for vote in votes {
        if let Some(class) = vote.class {
            let (size, right) = counts.entry(class).or_default();
            *size += 1;
            *right += usize::from(vote.correct);
        }
    }
    counts
        .into_values()
        .map(|(size, right)| (size, right as f64 / size as f64))
        .collect()
}

/// Sum over all draws of `rest` answers from the other classes and the silent ones in which no
/// class has more than `votes`: the draw's weight, divided by the number of classes in the first
/// place. Each class is weighted as if it were drawn from on its own, with probability `share` an
/// answer; that all draws sum to k is put right by whoever divides by the weight of that sum. This
/// keeps every number within 0..=1, however many answers there are.
fn wins(
    others: impl Iterator<Item = usize>,
    silent: usize,
    rest: usize,
    votes: usize,
    share: f64,
) -> f64 {
    let ties = rest / votes;
    // [drawn so far][classes that are level]
    let mut weights = vec![vec![0.0; ties + 1]; rest + 1];
    weights[0][0] = 1.0;
    for size in others {
        let masses: Vec<f64> = (0..=size.min(votes).min(rest))
            .map(|drawn| binomial_mass(size, drawn, share))
            .collect();
        let mut next = vec![vec![0.0; ties + 1]; rest + 1];
        for (before, row) in weights.iter().enumerate() {
            for (level, &weight) in row.iter().enumerate().filter(|(_, weight)| **weight > 0.0) {
                for (drawn, mass) in masses.iter().enumerate().take(rest - before + 1) {
                    // In range: each level class took `votes` of `rest`, so that there are at most
                    // `ties`.
                    next[before + drawn][level + usize::from(drawn == votes)] += weight * mass;
                }
            }
        }
        weights = next;
    }
    let mut sum = 0.0;
    for (drawn, row) in weights
        .iter()
        .enumerate()
        .filter(|(drawn, _)| rest - drawn <= silent)
    {
        let quiet = binomial_mass(silent, rest - drawn, share);
        sum += quiet
            * row
                .iter()
                .enumerate()
                .map(|(level, weight)| weight / (level + 1) as f64)
                .sum::<f64>();
    }
    sum
}

/// The probability of `k` successes in `n` trials.
fn binomial_mass(n: usize, k: usize, p: f64) -> f64 {
    // The ends apart: 0 · ln 0 is not a number.
    let power = |base: f64, exponent: usize| {
        if exponent == 0 {
            0.0
        } else {
            exponent as f64 * base.ln()
        }
    };
    (ln_binomial(n as u64, k as u64) + power(p, k) + power(1.0 - p, n - k)).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn votes(classes: &[(usize, bool)]) -> Vec<Vote> {
        classes
            .iter()
            .map(|&(class, correct)| Vote {
                class: Some(class),
                correct,
            })
            .collect()
    }

    #[test]
    fn a_majority_wins_and_a_tie_is_shared() {
        let two_to_one = votes(&[(0, true), (0, true), (1, false)]);
        assert_eq!(majority_at_k(&two_to_one, 3), Ok(1.0));
        let three_way = votes(&[(0, true), (1, false), (2, false)]);
        assert!((majority_at_k(&three_way, 3).unwrap() - 1.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn answers_that_say_nothing_do_not_vote() {
        let silent = Vote {
            class: None,
            correct: false,
        };
        let mut all = votes(&[(7, true)]);
        all.extend([silent; 5]);
        assert!((majority_at_k(&all, 6).unwrap() - 1.0).abs() < 1e-12);
        assert!((majority_at_k(&all, 1).unwrap() - 1.0 / 6.0).abs() < 1e-12);
        assert_eq!(majority_at_k(&[silent; 3], 2), Ok(0.0));
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        assert_eq!(pass_at_k(1, 4, 5), Err(Error::Draw { k: 5, samples: 4 }));
        assert_eq!(pass_at_k(1, 4, 0), Err(Error::Draw { k: 0, samples: 4 }));
        assert_eq!(
            pass_at_k(5, 4, 1),
            Err(Error::Correct {
                item: 0,
                correct: 5,
                samples: 4
            })
        );
        assert_eq!(mean_pass_at_k(&[], 4, 1, Level::NINETY_FIVE), Ok(None));
        let uneven = [votes(&[(0, true), (1, false)]), votes(&[(0, true)])];
        assert_eq!(
            mean_majority_at_k(&uneven, 1, Level::NINETY_FIVE),
            Err(Error::Uneven {
                item: 1,
                found: 1,
                expected: 2
            })
        );
    }
}
