//! The two averages of the benchmark.

/// Mean of accuracies weighted by the number of items; `None` without items.
pub fn micro_average(sets: impl IntoIterator<Item = (usize, f64)>) -> Option<f64> {
    let (items, weighted) = sets
        .into_iter()
        .fold((0, 0.0), |(items, sum), (n, accuracy)| {
            (items + n, sum + n as f64 * accuracy)
        });
    (items > 0).then(|| weighted / items as f64)
}

/// Plain mean of accuracies; `None` without any.
pub fn macro_average(accuracies: impl IntoIterator<Item = f64>) -> Option<f64> {
    mean(accuracies)
}

/// Plain mean of values; `None` without any.
pub fn mean(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let (count, sum) = values
        .into_iter()
        .fold((0, 0.0), |(count, sum), value| (count + 1, sum + value));
    (count > 0).then(|| sum / f64::from(count))
}

/// The weight of each set in an average, given how many items each has; sets without items have
/// none. The weights sum to 1 where there are any items.
pub(crate) struct Weights {
    pub(crate) micro: Vec<f64>,
    pub(crate) macro_: Vec<f64>,
}

impl Weights {
    pub(crate) fn of(items: &[usize]) -> Self {
        let all = items.iter().sum::<usize>().max(1) as f64;
        let sets = items.iter().filter(|&&n| n > 0).count().max(1) as f64;
        Self {
            micro: items.iter().map(|&n| n as f64 / all).collect(),
            macro_: items
                .iter()
                .map(|&n| if n > 0 { 1.0 / sets } else { 0.0 })
                .collect(),
        }
    }
}
