//! The intervals of averages.

use evaluation::{Averages, Scorer, Summary};

/// Which average.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Average {
    /// Weighted by the items of the sets.
    Micro,
    /// The plain mean of the sets.
    Macro,
}

/// The 95 % interval of an average, in 0..=1; `None` where the summary has none.
///
/// The summary's is that of a bootstrap, which resamples within sets: where in each set all items
/// are right, or none, no resample differs, and the interval is a single point. A few items cannot
/// give such a certainty, so the intervals of the sets themselves are combined in its place
/// ([`statistics::combined_interval`]), which are never points. So are they where the average is over
/// one set: it is that set's accuracy and has its interval.
pub(crate) fn average_interval(
    summary: &Summary,
    average: Average,
    scorer: Scorer,
) -> Option<[f64; 2]> {
    let stored = match average {
        Average::Micro => summary.micro?,
        Average::Macro => summary.macro_?,
    };
    let interval = stored_interval(&stored, scorer)?;
    let sets: Vec<_> = summary.sets.iter().filter(|set| set.in_average).collect();
    if sets.len() != 1 && !is_point(interval) {
        return Some(interval);
    }
    let items: usize = sets.iter().map(|set| set.counts.n).sum();
    let parts: Vec<(f64, f64, [f64; 2])> = sets
        .iter()
        .map(|set| {
            let weight = match average {
                Average::Micro => set.counts.n as f64 / items as f64,
                Average::Macro => 1.0 / sets.len() as f64,
            };
            let accuracy = match scorer {
                Scorer::Official => set.counts.official,
                Scorer::Strict => set.counts.strict,
            };
            (weight, accuracy.accuracy, accuracy.interval)
        })
        .collect();
    Some(statistics::combined_interval(&parts).map(|bound| bound.clamp(0.0, 1.0)))
}

/// The interval of an average as the summary has it.
pub(crate) fn stored_interval(average: &Averages, scorer: Scorer) -> Option<[f64; 2]> {
    match scorer {
        Scorer::Official => average.official_interval,
        Scorer::Strict => average.strict_interval,
    }
}

/// Whether an interval claims certainty.
pub(crate) fn is_point([low, high]: [f64; 2]) -> bool {
    low >= high
}
