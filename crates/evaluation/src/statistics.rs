//! Intervals and averages.

/// The 0.975 quantile of the standard normal distribution.
const Z_95: f64 = 1.959_963_984_540_054;

/// Wilson's 95 % score interval for a proportion of `correct` in `n`, both bounds in 0..=1; the whole range for `n` = 0.
/// Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).
pub fn wilson_interval(correct: usize, n: usize) -> [f64; 2] {
    score_interval(correct as f64, n as f64)
}

/// A 95 % interval for the mean accuracy over problems of which each was answered `samples` times, `correct` of them
/// right. Answers to one problem are alike, so that they count as fewer than they are: Wilson's interval is taken for
/// as many independent answers as would vary as much as the problems' means do, at least one a problem.
pub fn sampled_interval(correct: &[usize], samples: usize) -> [f64; 2] {
    let n = correct.len() as f64;
    let answers = n * samples as f64;
    let mean = correct.iter().sum::<usize>() as f64 / answers;
    let squares: f64 = correct.iter().map(|&correct| (correct as f64 / samples as f64 - mean).powi(2)).sum();
    let variance = squares / (n - 1.0).max(1.0) / n;
    let effective = (mean * (1.0 - mean) / variance).clamp(n, answers.max(n));
    let effective = if effective.is_nan() { n } else { effective };
    score_interval(mean * effective, effective)
}

fn score_interval(k: f64, n: f64) -> [f64; 2] {
    if n == 0.0 {
        return [0.0, 1.0];
    }
    let z2 = Z_95 * Z_95;
    let centre = (k + z2 / 2.0) / (n + z2);
    let half = Z_95 / (n + z2) * (k * (n - k) / n + z2 / 4.0).sqrt();
    // At the ends one bound is the end itself; rounding must not carry it past.
    let low = if k == 0.0 { 0.0 } else { (centre - half).max(0.0) };
    let high = if k >= n { 1.0 } else { (centre + half).min(1.0) };
    [low, high]
}

/// Mean of accuracies weighted by the number of items; `None` without items.
pub fn micro_average(sets: impl IntoIterator<Item = (usize, f64)>) -> Option<f64> {
    let (items, weighted) =
        sets.into_iter().fold((0, 0.0), |(items, sum), (n, accuracy)| (items + n, sum + n as f64 * accuracy));
    (items > 0).then(|| weighted / items as f64)
}

/// Plain mean of accuracies; `None` without any.
pub fn macro_average(accuracies: impl IntoIterator<Item = f64>) -> Option<f64> {
    let (count, sum) = accuracies.into_iter().fold((0, 0.0), |(count, sum), accuracy| (count + 1, sum + accuracy));
    (count > 0).then(|| sum / f64::from(count))
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
        assert_eq!(sampled_interval(&[1], 2).map(|bound| bound > 0.0 && bound < 1.0), [true, true]);
    }
}
