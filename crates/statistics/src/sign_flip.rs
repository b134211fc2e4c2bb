//! The sign-flip test: were the two runs equally good, each item's difference could as well have
//! been the other way round.
//!
//! Signs are flipped at random; of items with differences of one size, a binomial number ends up
//! above 0, so that the cost does not depend on the number of items. With one answer an item this
//! is McNemar's exact test, up to the random numbers. Source: R. A. Fisher, "The design of
//! experiments" (1935), section 21; the p-value from resamples: B. Phipson and G. K. Smyth,
//! "Permutation p-values should never be zero", Statistical Applications in Genetics and Molecular
//! Biology 9 (2010).

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::averages::Weights;
use crate::bootstrap::{Bootstrap, Stratum, binomial, stream};

/// Two-sided p-values of no difference, each above 0 and at most 1.
pub(crate) struct SignFlips {
    /// For each set.
    pub(crate) sets: Vec<f64>,
    pub(crate) micro: f64,
    pub(crate) macro_: f64,
}

/// Streams from here on belong to this test, those below to the bootstrap.
const FIRST_STREAM: u64 = 1 << 63;

/// Sums of the same numbers in another order differ in their last digits and must count as equal.
/// Means of differences in −1..=1 that are not equal are further apart.
const SLACK: f64 = 1e-12;

/// Tests the differences of each set and both averages; `settings` gives the seed and the number of
/// resamples.
pub(crate) fn sign_flips(sets: &[Stratum], settings: &Bootstrap) -> SignFlips {
    let items: Vec<usize> = sets.iter().map(Stratum::items).collect();
    let weights = Weights::of(&items);
    let sizes: Vec<Vec<(f64, u64)>> = sets.iter().map(sizes).collect();
    let averaged = |means: &mut Vec<f64>| {
        for weights in [&weights.micro, &weights.macro_] {
            means.push(
                means
                    .iter()
                    .zip(weights)
                    .map(|(mean, weight)| mean * weight)
                    .sum(),
            );
        }
    };
    let mut seen: Vec<f64> = sets.iter().map(|set| set.mean().unwrap_or(0.0)).collect();
    averaged(&mut seen);
    let start = ChaCha8Rng::seed_from_u64(settings.seed);
    let at_least = (0..settings.resamples as u64)
        .into_par_iter()
        .map(|resample| {
            let mut random = stream(&start, FIRST_STREAM + resample);
            let mut means: Vec<f64> = sizes
                .iter()
                .zip(&items)
                .map(|(sizes, n)| flipped(sizes, &mut random) / (*n).max(1) as f64)
                .collect();
            averaged(&mut means);
            means
                .iter()
                .zip(&seen)
                .map(|(mean, seen)| u64::from(mean.abs() >= seen.abs() - SLACK))
                .collect()
        });
    // Whole numbers: threads may add them in any order.
    let add = |one: Vec<u64>, other: Vec<u64>| {
        one.iter()
            .zip(other)
            .map(|(one, other)| one + other)
            .collect()
    };
    let counts: Vec<u64> = at_least.reduce(|| vec![0; sets.len() + 2], add);
    let mut sets: Vec<f64> = counts
        .into_iter()
        .map(|count| (count + 1) as f64 / (settings.resamples + 1) as f64)
        .collect();
    let macro_ = sets.pop().expect("both averages were added");
    let micro = sets.pop().expect("both averages were added");
    SignFlips {
        sets,
        micro,
        macro_,
    }
}

/// Each size of difference above 0, and how many items have it.
fn sizes(set: &Stratum) -> Vec<(f64, u64)> {
    let mut sizes: Vec<(f64, u64)> = set
        .categories()
        .map(|(value, count)| (value.abs(), count))
        .collect();
    sizes.retain(|(size, _)| *size > 0.0);
    sizes.sort_by(|one, other| one.0.total_cmp(&other.0));
    sizes.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        kept.1 += if same { next.1 } else { 0 };
        same
    });
    sizes
}

/// The sum of all differences, each with a random sign.
fn flipped(sizes: &[(f64, u64)], random: &mut ChaCha8Rng) -> f64 {
    sizes
        .iter()
        .map(|&(size, count)| size * (2.0 * binomial(count, 0.5, random) as f64 - count as f64))
        .sum()
}
