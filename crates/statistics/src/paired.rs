//! Two runs over the same items, one answer each.

use statrs::function::factorial::ln_binomial;

use crate::{Error, Level};

/// Items counted by which of two runs solved them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PairedCounts {
    /// Both runs are right.
    pub both: usize,
    /// Only the first run is right.
    pub only_a: usize,
    /// Only the second run is right.
    pub only_b: usize,
    /// Both runs are wrong.
    pub neither: usize,
}

/// McNemar's test of whether two runs are equally good.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct McNemar {
    /// The exact conditional p-value, two-sided, in 0..=1: it never finds more than it may.
    pub p: f64,
    /// The mid-p-value, two-sided, in 0..=1: closer to its level and hence stronger, but without a
    /// proof.
    pub mid_p: f64,
}

impl PairedCounts {
    /// Counts the verdicts (first run, second run) of the same items.
    pub fn of(verdicts: impl IntoIterator<Item = (bool, bool)>) -> Self {
        let mut counts = Self::default();
        for verdict in verdicts {
            *match verdict {
                (true, true) => &mut counts.both,
                (true, false) => &mut counts.only_a,
                (false, true) => &mut counts.only_b,
                (false, false) => &mut counts.neither,
            } += 1;
        }
        counts
    }

    /// Items.
    pub fn n(&self) -> usize {
        self.both + self.only_a + self.only_b + self.neither
    }

    /// Accuracy of the second run less that of the first, in −1..=1: above 0 where the second is
    /// better. 0 without items.
    pub fn difference(&self) -> f64 {
        (self.only_b as f64 - self.only_a as f64) / self.n().max(1) as f64
    }

    /// Share of items on which the runs differ, in 0..=1; 0 without items.
    pub fn discordance(&self) -> f64 {
        (self.only_b + self.only_a) as f64 / self.n().max(1) as f64
    }

    /// The same items with the runs changed about.
    pub fn swapped(&self) -> Self {
        Self {
            only_a: self.only_b,
            only_b: self.only_a,
            ..*self
        }
    }

    /// Tango's score interval for [`PairedCounts::difference`], in −1..=1; that whole range without
    /// items. It has a width and keeps its level where few items or none are discordant. Source: T.
    /// Tango, "Equivalence test and confidence interval for the difference in proportions for the
    /// paired-sample design", Statistics in Medicine 17 (1998).
    pub fn difference_interval(&self, level: Level) -> [f64; 2] {
        score_interval(
            self.only_b as f64,
            self.only_a as f64,
            self.n() as f64,
            level,
        )
    }

    /// Tango's score statistic for a true difference of `difference`: standard normal where that is
    /// true, above 0 where the difference seen is larger. For 0 its square is McNemar's statistic.
    /// `None` without items, for differences outside of −1..=1, and where that difference would
    /// leave nothing to chance (−1, 1, and 0 without discordant items).
    pub fn score(&self, difference: f64) -> Option<f64> {
        let score = score(
            self.only_b as f64,
            self.only_a as f64,
            self.n() as f64,
            difference,
        );
        (difference.abs() < 1.0 && score.is_finite()).then_some(score)
    }

    /// McNemar's test, exact and mid-p: of the discordant items, those that only the second run
    /// solved are binomial with one half where the runs are equally good. Both p-values are 1
    /// without discordant items. Source: Q. McNemar, "Note on the sampling error of the difference
    /// between correlated proportions or percentages", Psychometrika 12 (1947); M. W. Fagerland, S.
    /// Lydersen and P. Laake, "The McNemar test for binary matched-pairs data: mid-p and asymptotic
    /// are better than exact conditional", BMC Medical Research Methodology 13 (2013) 91.
    pub fn mcnemar(&self) -> McNemar {
        let discordant = (self.only_a + self.only_b) as u64;
        let fewer = self.only_a.min(self.only_b) as u64;
        if discordant == 0 {
            return McNemar { p: 1.0, mid_p: 1.0 };
        }
        // By logarithms: beyond a thousand discordant items the coefficient alone exceeds an f64,
        // and the power of one half falls below it.
        let mass =
            (ln_binomial(discordant, fewer) - discordant as f64 * std::f64::consts::LN_2).exp();
        // Both tails hold the middle here, so that twice one of them would exceed 1.
        if self.only_a == self.only_b {
            return McNemar {
                p: 1.0,
                mid_p: 1.0 - mass / 2.0,
            };
        }
        let p = (2.0 * lower_tail(discordant, fewer, mass)).min(1.0);
        McNemar {
            p,
            mid_p: (p - mass).max(0.0),
        }
    }
}

/// The sum of the masses of a binomial with one half over 0..=`k`, of which the last is `mass`.
fn lower_tail(n: u64, k: u64, mass: f64) -> f64 {
    let mut term = mass;
    let mut sum = mass;
    for below in (0..k).rev() {
        term *= (below + 1) as f64 / (n - below) as f64;
        sum += term;
        // The ratio of neighbours falls too, so that all further terms together do not change the
        // sum.
        if term < sum * 1e-18 {
            break;
        }
    }
    sum
}

/// Tango's statistic for `only_b` and `only_a` discordant items of `n`, none of which need be
/// whole.
fn score(only_b: f64, only_a: f64, n: f64, difference: f64) -> f64 {
    (only_b - only_a - n * difference) / (n * null_variance(only_b, only_a, n, difference)).sqrt()
}

/// The variance of one item's difference where the true difference is `difference`, with the most
/// likely share of discordant items that this leaves room for, in 0..=1.
pub(crate) fn null_variance(only_b: f64, only_a: f64, n: f64, difference: f64) -> f64 {
    if difference < 0.0 {
        // The same question with the runs changed about; below, all terms of the variance are
        // positive.
        return null_variance(only_a, only_b, n, -difference);
    }
    // The share of items that only the first run solves: the larger root of
    // 2n q² + linear · q − only_a · difference · (1 − difference) = 0.
    let linear = (2.0 * n - only_b + only_a) * difference - only_b - only_a;
    let constant = -only_a * difference * (1.0 - difference);
    let root = (linear * linear - 8.0 * n * constant).max(0.0).sqrt();
    // Of the two ways to write it, the one that adds numbers of one sign.
    let share = if linear > 0.0 {
        -2.0 * constant / (linear + root)
    } else {
        (root - linear) / (4.0 * n)
    };
    (2.0 * share + difference * (1.0 - difference)).max(0.0)
}

/// Tango's interval; see [`score`] for the arguments.
pub(crate) fn score_interval(only_b: f64, only_a: f64, n: f64, level: Level) -> [f64; 2] {
    if n <= 0.0 {
        return [-1.0, 1.0];
    }
    let z = level.z();
    let seen = ((only_b - only_a) / n).clamp(-1.0, 1.0);
    // The statistic falls as the difference rises; between what was seen and the end of the range
    // it passes z once.
    let search = |mut inside: f64, mut outside: f64| {
        // 80 halvings of at most 2 leave less than rounding does.
        for _ in 0..80 {
            let middle = 0.5 * (inside + outside);
            if score(only_b, only_a, n, middle).abs() < z {
                inside = middle
            } else {
                outside = middle
            }
        }
        0.5 * (inside + outside)
    };
    [search(seen, -1.0), search(seen, 1.0)]
}

/// Holm's adjustment of p-values for the number of tests: those at most alpha are significant
/// together, with a chance of at most alpha that any of them is so by accident, however the tests
/// depend on each other. In the order given; each at least as large as before, at most 1. Source:
/// S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
/// Statistics 6 (1979).
///
/// # Errors
///
/// A value is not in 0..=1.
pub fn holm(p_values: &[f64]) -> Result<Vec<f64>, Error> {
    if let Some(index) = p_values.iter().position(|p| !(0.0..=1.0).contains(p)) {
        return Err(Error::PValue {
            index,
            value: p_values[index],
        });
    }
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&one, &other| p_values[one].total_cmp(&p_values[other]));
    let mut adjusted = vec![0.0; p_values.len()];
    let mut largest: f64 = 0.0;
    for (rank, index) in order.into_iter().enumerate() {
        largest = largest.max(p_values[index] * (p_values.len() - rank) as f64);
        adjusted[index] = largest.min(1.0);
    }
    Ok(adjusted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_score_for_no_difference_is_mcnemars() {
        let counts = PairedCounts {
            both: 40,
            only_a: 9,
            only_b: 16,
            neither: 35,
        };
        let score = counts.score(0.0).unwrap();
        assert!((score * score - 49.0 / 25.0).abs() < 1e-12, "{score}");
    }

    #[test]
    fn without_discordant_items_the_interval_has_a_closed_form() {
        let counts = PairedCounts {
            both: 30,
            neither: 20,
            ..PairedCounts::default()
        };
        let z2 = Level::NINETY_FIVE.z().powi(2);
        let [low, high] = counts.difference_interval(Level::NINETY_FIVE);
        assert!(
            (high - z2 / (50.0 + z2)).abs() < 1e-12 && (low + high).abs() < 1e-12,
            "{low} {high}"
        );
        assert_eq!(counts.score(0.0), None);
    }

    #[test]
    fn the_interval_mirrors_where_nearly_all_items_are_discordant() {
        let counts = PairedCounts {
            both: 4,
            only_b: 2423,
            ..PairedCounts::default()
        };
        let [low, high] = counts.difference_interval(Level::NINETY_FIVE);
        assert_eq!(
            counts.swapped().difference_interval(Level::NINETY_FIVE),
            [-high, -low]
        );
    }

    #[test]
    fn verdicts_are_counted() {
        let counts = PairedCounts::of([
            (true, true),
            (true, false),
            (true, false),
            (false, true),
            (false, false),
        ]);
        assert_eq!(
            counts,
            PairedCounts {
                both: 1,
                only_a: 2,
                only_b: 1,
                neither: 1
            }
        );
        assert_eq!([counts.difference(), counts.discordance()], [-0.2, 0.6]);
        assert_eq!(
            PairedCounts::default().difference_interval(Level::NINETY_FIVE),
            [-1.0, 1.0]
        );
    }

    #[test]
    fn a_p_value_must_be_one() {
        assert_eq!(
            holm(&[0.5, 1.5]),
            Err(Error::PValue {
                index: 1,
                value: 1.5
            })
        );
        assert!(holm(&[f64::NAN]).is_err());
    }
}
