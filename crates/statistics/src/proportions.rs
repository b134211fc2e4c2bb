//! Intervals for one accuracy: of single answers, of several answers an item, and of averages over
//! sets.

use crate::{Error, Level};

/// Wilson's 95 % score interval for a proportion of `correct` in `n`, both bounds in 0..=1; the
/// whole range for `n` = 0. Source: E. B. Wilson, "Probable inference, the law of succession, and
/// statistical inference", JASA 22 (1927).
pub fn wilson_interval(correct: usize, n: usize) -> [f64; 2] {
    wilson_interval_at(correct, n, Level::NINETY_FIVE)
}

/// [`wilson_interval`] at any level.
pub fn wilson_interval_at(correct: usize, n: usize, level: Level) -> [f64; 2] {
    score_interval(correct as f64, n as f64, level)
}

/// A 95 % interval for the mean accuracy over problems of which each was answered `samples` times,
/// `correct` of them right. Answers to one problem are alike, so that they count as fewer than they
/// are: Wilson's interval is taken for as many independent answers as would vary as much as the
/// problems' means do, at least one a problem and at most all. The whole range without problems or
/// samples. (The idea of an effective sample size is that of E. L. Korn and B. I. Graubard,
/// "Confidence intervals for proportions with small expected number of positive counts", Survey
/// Methodology 24 (1998), with Wilson's interval in place of the exact one.)
pub fn sampled_interval(correct: &[usize], samples: usize) -> [f64; 2] {
    sampled_interval_at(correct, samples, Level::NINETY_FIVE)
}

/// [`sampled_interval`] at any level.
pub fn sampled_interval_at(correct: &[usize], samples: usize, level: Level) -> [f64; 2] {
    let values: Vec<f64> = correct
        .iter()
        .map(|&correct| correct as f64 / samples as f64)
        .collect();
    mean_interval(&values, samples as f64, level)
}

/// The normal interval with the cluster-robust standard error for the mean accuracy over problems
/// of which each was answered `samples` times, clipped to 0..=1. The whole range for fewer than two
/// problems, which say nothing about how much problems vary. It has no width where all problems
/// agree: prefer [`sampled_interval`] for few problems. Source: K.-Y. Liang and S. L. Zeger,
/// "Longitudinal data analysis using generalized linear models", Biometrika 73 (1986), with the
/// factor G/(G−1) for G clusters; for evaluations: E. Miller, "Adding error bars to evals" (2024),
/// arXiv:2411.00640, section 2.2.
///
/// # Errors
///
/// No samples, or more of them correct than there are.
pub fn clustered_interval(
    correct: &[usize],
    samples: usize,
    level: Level,
) -> Result<[f64; 2], Error> {
    check_correct(correct, samples)?;
    let values: Vec<f64> = correct
        .iter()
        .map(|&correct| correct as f64 / samples as f64)
        .collect();
    if values.len() < 2 {
        return Ok([0.0, 1.0]);
    }
    let (mean, variance) = mean_and_variance(&values);
    let half = level.z() * variance.sqrt();
    Ok([(mean - half).max(0.0), (mean + half).min(1.0)])
}

/// An interval for a weighted sum of independent parts, such as an average over sets, from the
/// interval of each part: the distances from the parts' values to their bounds, weighted, are
/// squared and added. It inherits what its parts are good at: no part has to vary for it to have a
/// width. `parts`: weight (not negative), value and interval. Nothing clips it; the weighted sum of
/// the parts' bounds always holds it. Source: G. Y. Zou and A. Donner, "Construction of confidence
/// limits about effect measures: a general approach", Statistics in Medicine 27 (2008), equations 6
/// and 7.
pub fn combined_interval(parts: &[(f64, f64, [f64; 2])]) -> [f64; 2] {
    let value: f64 = parts.iter().map(|(weight, value, _)| weight * value).sum();
    let distance = |bound: usize| {
        parts
            .iter()
            .map(|(weight, value, interval)| (weight * (interval[bound] - value)).powi(2))
            .sum::<f64>()
            .sqrt()
    };
    [value - distance(0), value + distance(1)]
}

/// The interval of [`sampled_interval`] for a mean of values in 0..=1, of which each stands for at
/// most `units` independent answers.
pub(crate) fn mean_interval(values: &[f64], units: f64, level: Level) -> [f64; 2] {
    let n = values.len() as f64;
    if values.is_empty() || units < 1.0 {
        return [0.0, 1.0];
    }
    let (mean, variance) = mean_and_variance(values);
    // `clamp` panics on bounds that cross: there is at least one unit a value here. 0 / 0, where
    // all values are 0 or all are 1, stays not a number and takes the widest choice.
    let effective = (mean * (1.0 - mean) / variance).clamp(n, n * units);
    let effective = if effective.is_nan() { n } else { effective };
    score_interval(mean * effective, effective, level)
}

/// The mean of values, and the variance of that mean; 0 for a single value.
pub(crate) fn mean_and_variance(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, squares / (n - 1.0).max(1.0) / n)
}

/// Refuses counts that cannot be.
pub(crate) fn check_correct(correct: &[usize], samples: usize) -> Result<(), Error> {
    if samples == 0 {
        return Err(Error::NoSamples);
    }
    match correct.iter().position(|&correct| correct > samples) {
        Some(item) => Err(Error::Correct {
            item,
            correct: correct[item],
            samples,
        }),
        None => Ok(()),
    }
}

/// Wilson's interval for `k` of `n`, which need not be whole.
fn score_interval(k: f64, n: f64, level: Level) -> [f64; 2] {
    if n == 0.0 {
        return [0.0, 1.0];
    }
    let z = level.z();
    let z2 = z * z;
    let centre = (k + z2 / 2.0) / (n + z2);
    let half = z / (n + z2) * ((k * (n - k) / n).max(0.0) + z2 / 4.0).sqrt();
    // At the ends one bound is the end itself; rounding must not carry it past.
    let low = if k <= 0.0 {
        0.0
    } else {
        (centre - half).max(0.0)
    };
    let high = if k >= n {
        1.0
    } else {
        (centre + half).min(1.0)
    };
    [low, high]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn width(interval: [f64; 2]) -> f64 {
        interval[1] - interval[0]
    }

    #[test]
    fn samples_that_always_agree_say_no_more_than_one() {
        let correct = [4, 0, 4, 4, 0, 0, 4, 0, 0, 0];
        let once = wilson_interval(4, 10);
        assert!((width(sampled_interval(&correct, 4)) - width(once)).abs() < 1e-9);
    }

    #[test]
    fn samples_that_never_agree_say_as_much_as_other_problems() {
        let correct = [2; 50];
        let all = wilson_interval(100, 200);
        assert!((width(sampled_interval(&correct, 4)) - width(all)).abs() < 1e-9);
        assert!(width(all) < width(wilson_interval(25, 50)));
    }

    #[test]
    fn the_ends_are_the_ends() {
        assert_eq!(sampled_interval(&[0; 9], 3)[0], 0.0);
        assert_eq!(sampled_interval(&[3; 9], 3)[1], 1.0);
        assert_eq!(
            sampled_interval(&[1], 2).map(|bound| bound > 0.0 && bound < 1.0),
            [true, true]
        );
    }

    #[test]
    fn nothing_asked_says_nothing() {
        assert_eq!(wilson_interval(0, 0), [0.0, 1.0]);
        assert_eq!(sampled_interval(&[], 4), [0.0, 1.0]);
        assert_eq!(sampled_interval(&[0, 0], 0), [0.0, 1.0]);
        assert_eq!(
            clustered_interval(&[3], 4, Level::NINETY_FIVE),
            Ok([0.0, 1.0])
        );
        assert_eq!(
            clustered_interval(&[3, 5], 4, Level::NINETY_FIVE),
            Err(Error::Correct {
                item: 1,
                correct: 5,
                samples: 4
            })
        );
        assert_eq!(
            clustered_interval(&[3], 0, Level::NINETY_FIVE),
            Err(Error::NoSamples)
        );
    }
}
