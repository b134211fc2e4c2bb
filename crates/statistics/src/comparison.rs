//! Two runs over the same items of several sets.

use crate::averages::Weights;
use crate::bootstrap::{Bootstrap, Resampled, Stratum};
use crate::decision::Drop;
use crate::paired::{McNemar, PairedCounts, holm, score_interval};
use crate::proportions::{check_correct, combined_interval, mean_and_variance};
use crate::sign_flip::sign_flips;
use crate::{Error, Level, Sensitivity};

/// The same items of one set, answered by two runs.
#[derive(Clone, Debug, PartialEq)]
pub struct PairedSet {
    a: Vec<usize>,
    b: Vec<usize>,
    samples_a: usize,
    samples_b: usize,
}

impl PairedSet {
    /// Correct answers to each item by the first run, out of `samples_a` an item, and by the
    /// second, out of `samples_b`.
    ///
    /// # Errors
    ///
    /// Different numbers of items; no samples, or more of them correct than there are.
    pub fn new(
        a: Vec<usize>,
        samples_a: usize,
        b: Vec<usize>,
        samples_b: usize,
    ) -> Result<Self, Error> {
        if a.len() != b.len() {
            return Err(Error::Unpaired {
                a: a.len(),
                b: b.len(),
            });
        }
        check_correct(&a, samples_a)?;
        check_correct(&b, samples_b)?;
        Ok(Self {
            a,
            b,
            samples_a,
            samples_b,
        })
    }

    /// One answer an item: whether each run was right, first and second.
    pub fn of_verdicts(verdicts: impl IntoIterator<Item = (bool, bool)>) -> Self {
        let (a, b) = verdicts
            .into_iter()
            .map(|(a, b)| (usize::from(a), usize::from(b)))
            .unzip();
        Self {
            a,
            b,
            samples_a: 1,
            samples_b: 1,
        }
    }

    /// The differences of the items' accuracies, second less first, in parts of one over the
    /// product of the samples.
    fn parts(&self) -> impl Iterator<Item = i64> {
        self.a
            .iter()
            .zip(&self.b)
            // Whole numbers: equal differences must be equal to be counted by value.
            .map(|(&a, &b)| (b * self.samples_a) as i64 - (a * self.samples_b) as i64)
    }

    fn differences(&self) -> Vec<f64> {
        self.parts()
            .map(|part| part as f64 / self.whole())
            .collect()
    }

    fn whole(&self) -> f64 {
        (self.samples_a * self.samples_b) as f64
    }

    fn accuracies(&self) -> [f64; 2] {
        [(&self.a, self.samples_a), (&self.b, self.samples_b)].map(|(correct, samples)| {
            correct.iter().sum::<usize>() as f64 / (correct.len() * samples) as f64
        })
    }

    /// Counts of the four cases; `None` with several answers an item.
    fn counts(&self) -> Option<PairedCounts> {
        let verdicts = self.a.iter().zip(&self.b).map(|(&a, &b)| (a == 1, b == 1));
        (self.samples_a == 1 && self.samples_b == 1).then(|| PairedCounts::of(verdicts))
    }
}

/// Two runs over one set. Differences are the second run less the first: above 0 where the second
/// is better.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetComparison {
    /// Items.
    pub n: usize,
    /// Accuracies of the first and the second run, in 0..=1.
    pub accuracies: [f64; 2],
    /// Their difference, in −1..=1.
    pub difference: f64,
    /// Its interval: Tango's with one answer an item, else [`paired_means_interval`].
    pub interval: [f64; 2],
    /// Items on which the second run has more right answers.
    pub won: usize,
    /// Items on which the first run has more right answers.
    pub lost: usize,
    /// The four cases; `None` with several answers an item.
    pub counts: Option<PairedCounts>,
    /// Two-sided p-value of no difference, in 0..=1: McNemar's exact test with one answer an item,
    /// else the sign-flip test over items.
    pub p: f64,
    /// McNemar's mid-p-value; `None` with several answers an item.
    pub mid_p: Option<f64>,
    /// `p` adjusted for the number of sets by Holm's method.
    pub p_holm: f64,
    /// The difference resampled over items.
    pub resampled: Resampled,
    /// The smallest true difference that so many items with such a discordance would have shown;
    /// `None` where no item is discordant and where not even a difference as large as the
    /// discordance would have been found.
    pub detectable: Option<f64>,
}

/// Two runs over all sets together. Differences are the second run less the first.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AverageComparison {
    /// Items.
    pub n: usize,
    /// Averages of the first and the second run, in 0..=1.
    pub accuracies: [f64; 2],
    /// Their difference, in −1..=1.
    pub difference: f64,
    /// Its interval from the sets' score intervals, see [`combined_interval`]. No random numbers
    /// enter it, and it has a width even where no item is discordant, which the bootstrap's has
    /// not: decide by this one.
    pub interval: [f64; 2],
    /// Two-sided p-value of no difference by the sign-flip test over items, above 0 and at most 1.
    pub p: f64,
    /// The difference resampled over the items of each set.
    pub resampled: Resampled,
    /// The smallest true difference that the items would have shown, by the normal approximation;
    /// `None` where no item is discordant.
    pub detectable: Option<f64>,
}

/// Two runs over the same items of several sets.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// Each set, in the order given.
    pub sets: Vec<SetComparison>,
    /// The mean over all items; `None` without sets.
    pub micro: Option<AverageComparison>,
    /// The plain mean over sets; `None` without sets.
    #[serde(rename = "macro")]
    pub macro_: Option<AverageComparison>,
}

impl SetComparison {
    /// How much worse the second run is.
    pub fn drop(&self) -> Drop {
        Drop::of_difference(self.n, self.difference, self.interval)
    }
}

impl AverageComparison {
    /// How much worse the second run is.
    pub fn drop(&self) -> Drop {
        Drop::of_difference(self.n, self.difference, self.interval)
    }
}

/// An interval for the mean of `differences`, one an item, between the mean accuracies of two runs
/// that answered each item several times: Tango's interval for as many items with one answer each
/// as would vary as much, at least as many as there are and at most `samples` times as many (the
/// smaller number of answers an item). With one answer it is Tango's interval itself. In −1..=1;
/// that whole range without items.
///
/// # Errors
///
/// A difference is not in −1..=1; no samples.
pub fn paired_means_interval(
    differences: &[f64],
    samples: usize,
    level: Level,
) -> Result<[f64; 2], Error> {
    if let Some(item) = differences
        .iter()
        .position(|difference| !(-1.0..=1.0).contains(difference))
    {
        return Err(Error::NotADifference {
            item,
            value: differences[item],
        });
    }
    if samples == 0 {
        return Err(Error::NoSamples);
    }
    if differences.is_empty() {
        return Ok([-1.0, 1.0]);
    }
    let n = differences.len() as f64;
    let (mean, variance) = mean_and_variance(differences);
    let gained = differences
        .iter()
        .map(|difference| difference.max(0.0))
        .sum::<f64>()
        / n;
    let lost = gained - mean;
    let effective = ((gained + lost - mean * mean) / variance).clamp(n, n * samples as f64);
    let effective = if effective.is_nan() { n } else { effective };
    Ok(score_interval(
        gained * effective,
        // A difference of nearly equal sums may be rounded to below 0.
        lost.max(0.0) * effective,
        effective,
        level,
    ))
}

/// Compares two runs over the same items. The intervals are of the level of `settings`; what is
/// detectable is told for that level, two-sided, and a power of 0.8.
///
/// # Errors
///
/// A set has no items; no resamples are asked for.
pub fn compare(sets: &[PairedSet], settings: &Bootstrap) -> Result<Comparison, Error> {
    if let Some(set) = sets.iter().position(|set| set.a.is_empty()) {
        return Err(Error::NoItems { set });
    }
    let strata: Vec<Stratum> = sets
        .iter()
        .map(|set| Stratum::of_parts(set.parts(), set.whole()))
        .collect();
    let resampled = settings.averages(&strata)?;
    let flips = sign_flips(&strata, settings);
    let mut compared = Vec::with_capacity(sets.len());
    for ((set, stratum), (resampled, flipped)) in sets
        .iter()
        .zip(&strata)
        .zip(resampled.sets.iter().zip(&flips.sets))
    {
        let resampled = resampled.expect("no set is without items");
        compared.push(SetComparison::new(
            set,
            stratum,
            resampled,
            *flipped,
            settings.level,
        )?);
    }
    let adjusted = holm(&compared.iter().map(|set| set.p).collect::<Vec<f64>>())?;
    for (set, adjusted) in compared.iter_mut().zip(adjusted) {
        set.p_holm = adjusted;
    }
    let weights = Weights::of(&strata.iter().map(Stratum::items).collect::<Vec<usize>>());
    let average = |weights: &[f64], p: f64, resampled: Option<Resampled>| {
        resampled.map(|resampled| {
            AverageComparison::new(&compared, &strata, weights, (p, resampled, settings.level))
        })
    };
    Ok(Comparison {
        micro: average(&weights.micro, flips.micro, resampled.micro),
        macro_: average(&weights.macro_, flips.macro_, resampled.macro_),
        sets: compared,
    })
}

impl SetComparison {
    fn new(
        set: &PairedSet,
        stratum: &Stratum,
        resampled: Resampled,
        flipped: f64,
        level: Level,
    ) -> Result<Self, Error> {
        let counts = set.counts();
        let test = counts.map(|counts| counts.mcnemar());
        let interval = match counts {
            Some(counts) => counts.difference_interval(level),
            None => {
                paired_means_interval(&set.differences(), set.samples_a.min(set.samples_b), level)?
            }
        };
        let p = test.map_or(flipped, |test: McNemar| test.p);
        Ok(Self {
            n: stratum.items(),
            accuracies: set.accuracies(),
            difference: resampled.value,
            interval,
            won: set.parts().filter(|part| *part > 0).count(),
            lost: set.parts().filter(|part| *part < 0).count(),
            counts,
            p,
            mid_p: test.map(|test| test.mid_p),
            p_holm: p,
            resampled,
            detectable: sensitivity(level)
                .detectable_difference(stratum.items(), discordance(stratum))?,
        })
    }
}

impl AverageComparison {
    fn new(
        sets: &[SetComparison],
        strata: &[Stratum],
        weights: &[f64],
        (p, resampled, level): (f64, Resampled, Level),
    ) -> Self {
        let weighted = |value: fn(&SetComparison) -> f64| {
            sets.iter()
                .zip(weights)
                .map(|(set, w)| w * value(set))
                .sum()
        };
        let parts: Vec<(f64, f64, [f64; 2])> = sets
            .iter()
            .zip(weights)
            .map(|(set, weight)| (*weight, set.difference, set.interval))
            .collect();
        let variance: f64 = strata
            .iter()
            .zip(weights)
            .map(|(stratum, weight)| weight.powi(2) * discordance(stratum) / stratum.items() as f64)
            .sum();
        Self {
            n: sets.iter().map(|set| set.n).sum(),
            accuracies: [
                weighted(|set| set.accuracies[0]),
                weighted(|set| set.accuracies[1]),
            ],
            difference: resampled.value,
            interval: combined_interval(&parts),
            p,
            resampled,
            detectable: (variance > 0.0)
                .then(|| (sensitivity(level).reach() * variance.sqrt()).min(1.0)),
        }
    }
}

fn sensitivity(level: Level) -> Sensitivity {
    Sensitivity::new(level, Sensitivity::default().power())
        .expect("the default power is in its range")
}

/// The mean squared difference of the items, which with one answer an item is the share of
/// discordant ones.
fn discordance(stratum: &Stratum) -> f64 {
    let squares: f64 = stratum
        .categories()
        .map(|(value, count)| value * value * count as f64)
        .sum();
    (squares / stratum.items() as f64).min(1.0)
}
