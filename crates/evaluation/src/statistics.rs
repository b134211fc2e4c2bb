//! Intervals and averages.

/// The 0.975 quantile of the standard normal distribution.
const Z_95: f64 = 1.959_963_984_540_054;

/// Wilson's 95 % score interval for a proportion of `correct` in `n`, both bounds in 0..=1; the whole range for `n` = 0.
/// Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).
pub fn wilson_interval(correct: usize, n: usize) -> [f64; 2] {
    if n == 0 {
        return [0.0, 1.0];
    }
    let (k, n) = (correct as f64, n as f64);
    let z2 = Z_95 * Z_95;
    let centre = (k + z2 / 2.0) / (n + z2);
    let half = Z_95 / (n + z2) * (k * (n - k) / n + z2 / 4.0).sqrt();
    // At the ends one bound is the end itself; rounding must not carry it past.
    let low = if correct == 0 { 0.0 } else { (centre - half).max(0.0) };
    let high = if k == n { 1.0 } else { (centre + half).min(1.0) };
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
