//! The stratified bootstrap: how much accuracies and their averages would vary over other problems
//! of the same sets.
//!
//! Each resample draws as many problems of a set as it has, with replacement, from each set on its
//! own. What is drawn from a set is how often each distinct value occurs, which is multinomial: a
//! binomial number for each value, given those before it. That is the same distribution as drawing
//! item by item, at a cost that does not depend on the number of items.
//!
//! Resample i takes its random numbers from stream i of ChaCha8 under the seed, whichever thread
//! computes it: the numbers depend on the seed, the resamples and the sets, and not on threads. (A
//! new version of `rand_distr` may draw others.) Source: B. Efron and R. J. Tibshirani, "An
//! introduction to the bootstrap" (1993), chapters 13 and 14; A. C. Davison and D. V. Hinkley,
//! "Bootstrap methods and their application" (1997), sections 3.2 (strata), 4.4 (p) and 5.3 (BCa).

use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Binomial, Distribution};
use rayon::prelude::*;

use crate::averages::Weights;
use crate::level::{upper_quantile, upper_tail};
use crate::proportions::check_correct;
use crate::{Error, Level};

/// How to resample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bootstrap {
    /// Where the random numbers start.
    pub seed: u64,
    /// How many resamples, at least 1.
    pub resamples: usize,
    /// The level of the intervals.
    pub level: Level,
}

impl Default for Bootstrap {
    /// Seed 0, 10,000 resamples, 95 %.
    fn default() -> Self {
        Self {
            seed: 0,
            resamples: 10_000,
            level: Level::NINETY_FIVE,
        }
    }
}

/// What the resamples say about a mean.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resampled {
    /// The mean of the data themselves.
    pub value: f64,
    /// Standard deviation of the resamples' means.
    pub standard_error: f64,
    /// The percentile interval.
    pub interval: [f64; 2],
    /// The bias-corrected and accelerated interval, more exact where means are skewed; the
    /// percentile interval where it is not defined.
    pub bca: [f64; 2],
    /// Two-sided p-value for a mean of 0, which makes sense for differences: twice the share of
    /// resamples on the less frequent side of 0, the data counted as one resample more. Above 0, at
    /// most 1, and small where the percentile interval leaves out 0.
    pub p: f64,
}

/// What the resamples say about sets and their averages.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResampledAverages {
    /// Each set, in the order given; `None` for one without items.
    pub sets: Vec<Option<Resampled>>,
    /// Mean over all items; `None` without items.
    pub micro: Option<Resampled>,
    /// Plain mean over the sets that have items; `None` without items.
    #[serde(rename = "macro")]
    pub macro_: Option<Resampled>,
}

/// The items of one set: how often each distinct value occurs.
#[derive(Clone, Debug, PartialEq)]
pub struct Stratum {
    /// Ascending, without repetition.
    values: Vec<f64>,
    /// How many items have each.
    counts: Vec<u64>,
    items: usize,
}

impl Stratum {
    /// The accuracies of problems of which each was answered `samples` times, `correct` of them
    /// right.
    ///
    /// # Errors
    ///
    /// No samples, or more of them correct than there are.
    pub fn of_correct(correct: &[usize], samples: usize) -> Result<Self, Error> {
        check_correct(correct, samples)?;
        Ok(Self::of_parts(
            correct.iter().map(|&correct| correct as i64),
            samples as f64,
        ))
    }

    /// Any values, one an item.
    ///
    /// # Errors
    ///
    /// A value is not finite.
    pub fn of_values(values: &[f64]) -> Result<Self, Error> {
        if let Some(item) = values.iter().position(|value| !value.is_finite()) {
            return Err(Error::NotFinite {
                item,
                value: values[item],
            });
        }
        let mut sorted = values.to_vec();
        // 0 and −0 are one value.
        sorted.iter_mut().for_each(|value| *value += 0.0);
        sorted.sort_by(f64::total_cmp);
        let groups = sorted.chunk_by(|one, next| one == next);
        let (values, counts) = groups.map(|group| (group[0], group.len() as u64)).unzip();
        Ok(Self {
            values,
            counts,
            items: sorted.len(),
        })
    }

    /// Values given as whole parts of `whole`.
    pub(crate) fn of_parts(parts: impl Iterator<Item = i64>, whole: f64) -> Self {
        let mut counts = BTreeMap::<i64, u64>::new();
        parts.for_each(|part| *counts.entry(part).or_default() += 1);
        let items = counts.values().sum::<u64>() as usize;
        let (values, counts) = counts
            .into_iter()
            .map(|(part, count)| (part as f64 / whole, count))
            .unzip();
        Self {
            values,
            counts,
            items,
        }
    }

    /// Number of items.
    pub fn items(&self) -> usize {
        self.items
    }

    /// Mean of the values; `None` without items.
    pub fn mean(&self) -> Option<f64> {
        (self.items > 0).then(|| self.sum() / self.items as f64)
    }

    /// Each distinct value and how many items have it.
    pub(crate) fn categories(&self) -> impl Iterator<Item = (f64, u64)> {
        self.values.iter().copied().zip(self.counts.iter().copied())
    }

    fn sum(&self) -> f64 {
        self.categories()
            .map(|(value, count)| value * count as f64)
            .sum()
    }

    /// The mean of a resample; 0 without items.
    fn resample(&self, random: &mut ChaCha8Rng) -> f64 {
        let mut left = self.items as u64;
        let mut of = self.items as u64;
        let mut sum = 0.0;
        // Where nearly every item has a value of its own, a number a value costs more than a number
        // an item.
        if self.values.len() * 8 > self.items && self.items > 16 {
            return self.resample_items(random);
        }
        for (value, count) in self.categories() {
            // Counts are above 0, so that this is the last value: it takes all that is left.
            let drawn = if count == of {
                left
            } else {
                binomial(left, count as f64 / of as f64, random)
            };
            sum += value * drawn as f64;
            left -= drawn;
            of -= count;
        }
        sum / self.items.max(1) as f64
    }

    fn resample_items(&self, random: &mut ChaCha8Rng) -> f64 {
        let mut sum = 0.0;
        for _ in 0..self.items {
            let mut index = random.random_range(0..self.items as u64);
            for (value, count) in self.categories() {
                if index < count {
                    sum += value;
                    break;
                }
                index -= count;
            }
        }
        sum / self.items as f64
    }
}

impl Bootstrap {
    /// Resamples sets, and in the same resamples their averages.
    ///
    /// # Errors
    ///
    /// No resamples are asked for.
    pub fn averages(&self, sets: &[Stratum]) -> Result<ResampledAverages, Error> {
        if self.resamples == 0 {
            return Err(Error::NoResamples);
        }
        let items: Vec<usize> = sets.iter().map(Stratum::items).collect();
        let weights = Weights::of(&items);
        let start = ChaCha8Rng::seed_from_u64(self.seed);
        let width = sets.len() + 2;
        // Each resample writes a row of its own, and columns are summed afterwards: the order of
        // additions does not depend on threads.
        let mut means = vec![0.0; width * self.resamples];
        means
            .par_chunks_mut(width)
            .enumerate()
            .for_each(|(resample, row)| {
                let mut random = stream(&start, resample as u64);
                let (own, averages) = row.split_at_mut(sets.len());
                for (mean, set) in own.iter_mut().zip(sets) {
                    *mean = set.resample(&mut random);
                }
                averages[0] = own
                    .iter()
                    .zip(&weights.micro)
                    .map(|(mean, weight)| mean * weight)
                    .sum();
                averages[1] = own
                    .iter()
                    .zip(&weights.macro_)
                    .map(|(mean, weight)| mean * weight)
                    .sum();
            });
        let only = |index: usize| {
            (0..sets.len())
                .map(move |set| f64::from(u8::from(set == index)))
                .collect()
        };
        let wanted: Vec<Vec<f64>> = (0..sets.len())
            .map(only)
            .chain([weights.micro, weights.macro_])
            .collect();
        let summed = wanted.par_iter().enumerate().map(|(column, weights)| {
            let column = means.iter().skip(column).step_by(width).copied().collect();
            let parts: Vec<(f64, &Stratum)> = weights
                .iter()
                .copied()
                .zip(sets)
                .filter(|(weight, set)| *weight > 0.0 && set.items > 0)
                .collect();
            (!parts.is_empty()).then(|| self.sum_up(&parts, column))
        });
        let mut sets: Vec<Option<Resampled>> = summed.collect();
        let macro_ = sets.pop().flatten();
        let micro = sets.pop().flatten();
        Ok(ResampledAverages {
            sets,
            micro,
            macro_,
        })
    }

    /// What the resampled `means` say about a weighted sum of sets.
    fn sum_up(&self, parts: &[(f64, &Stratum)], mut means: Vec<f64>) -> Resampled {
        means.sort_by(f64::total_cmp);
        let value = parts
            .iter()
            .map(|(weight, set)| weight * set.sum() / set.items as f64)
            .sum::<f64>();
        let n = means.len() as f64;
        let centre = means.iter().sum::<f64>() / n;
        // A single resample has no spread. Callers that look at none of the resampled figures ask
        // for just one.
        let variance = means
            .iter()
            .map(|mean| (mean - centre).powi(2))
            .sum::<f64>()
            / (n - 1.0).max(1.0);
        // Sums of the same numbers in another order differ in their last digits; they must count as
        // equal.
        let near = 1e-12
            * parts
                .iter()
                .map(|(weight, set)| weight * set.largest())
                .sum::<f64>();
        let below = |bound: f64| means.partition_point(|mean| *mean < bound - near) as f64;
        let up_to = |bound: f64| means.partition_point(|mean| *mean <= bound + near) as f64;
        let interval = [
            quantile(&means, self.level.tail()),
            quantile(&means, 1.0 - self.level.tail()),
        ];
        // Infinite where all resamples lie on one side of the value: `bca` then gives the
        // percentile interval.
        let bias = -upper_quantile((below(value) + up_to(value)) / (2.0 * n));
        let side = up_to(0.0).min(n - below(0.0));
        Resampled {
            value,
            standard_error: variance.sqrt(),
            interval,
            bca: self
                .bca(&means, bias, acceleration(parts))
                .unwrap_or(interval),
            p: (2.0 * (side + 1.0) / (n + 1.0)).min(1.0),
        }
    }

    /// `None` where the adjusted ends are not defined.
    fn bca(&self, sorted: &[f64], bias: f64, acceleration: f64) -> Option<[f64; 2]> {
        let z = self.level.z();
        let end = |z: f64| {
            let scale = 1.0 - acceleration * (bias + z);
            let end = bias + (bias + z) / scale;
            (scale > 0.0 && end.is_finite()).then(|| quantile(sorted, 1.0 - upper_tail(end)))
        };
        Some([end(-z)?, end(z)?])
    }
}

impl Stratum {
    fn largest(&self) -> f64 {
        self.values
            .iter()
            .fold(0.0, |largest, value| value.abs().max(largest))
    }
}

/// The random numbers of one resample.
pub(crate) fn stream(start: &ChaCha8Rng, number: u64) -> ChaCha8Rng {
    let mut random = start.clone();
    random.set_stream(number);
    random
}

/// A binomial number, `p` in 0..=1.
pub(crate) fn binomial(n: u64, p: f64, random: &mut ChaCha8Rng) -> u64 {
    if n == 0 {
        return 0;
    }
    Binomial::new(n, p)
        .expect("shares of counts are in 0..=1")
        .sample(random)
}

/// The quantile of sorted values at `at` in 0..=1, with linear interpolation between neighbours
/// (type 7 of R. J. Hyndman and Y. Fan, "Sample quantiles in statistical packages", The American
/// Statistician 50 (1996)).
fn quantile(sorted: &[f64], at: f64) -> f64 {
    let place = at * (sorted.len() - 1) as f64;
    let (low, high) = (
        sorted[place.floor() as usize],
        sorted[place.ceil() as usize],
    );
    low + (high - low) * place.fract()
}

/// A sixth of the skewness of the weighted sum, from the influence of each item (Davison and
/// Hinkley, section 5.3.2).
fn acceleration(parts: &[(f64, &Stratum)]) -> f64 {
    let (mut squares, mut cubes) = (0.0, 0.0);
    for (weight, set) in parts {
        let n = set.items as f64;
        for (value, count) in set.categories() {
            let influence = weight * (value - set.sum() / n) / n;
            squares += count as f64 * influence.powi(2);
            cubes += count as f64 * influence.powi(3);
        }
    }
    if squares > 0.0 {
        cubes / (6.0 * squares.powf(1.5))
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_lies_between_its_neighbours() {
        let sorted = [1.0, 2.0, 4.0, 8.0, 16.0];
        assert_eq!(
            [0.0, 0.25, 0.375, 1.0].map(|at| quantile(&sorted, at)),
            [1.0, 2.0, 3.0, 16.0]
        );
        assert_eq!(quantile(&[3.0], 0.975), 3.0);
    }

    #[test]
    fn values_are_grouped_whichever_way_they_are_given() {
        let counted = Stratum::of_correct(&[2, 0, 1, 2, 2], 2).unwrap();
        assert_eq!(Stratum::of_values(&[1.0, -0.0, 0.5, 1.0, 1.0]), Ok(counted));
        assert_eq!(
            Stratum::of_values(&[1.0, f64::INFINITY]),
            Err(Error::NotFinite {
                item: 1,
                value: f64::INFINITY
            })
        );
    }
}
