//! What a comparison over so many items can find, and how many items it takes.

use crate::level::upper_quantile;
use crate::paired::null_variance;
use crate::{Error, Level};

/// How sure a comparison is to be: of not finding what is not there (the level) and of finding what
/// is (the power).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sensitivity {
    level: Level,
    power: f64,
}

impl Default for Sensitivity {
    /// 95 %, two-sided, and a power of 0.8.
    fn default() -> Self {
        Self {
            level: Level::NINETY_FIVE,
            power: 0.8,
        }
    }
}

impl Sensitivity {
    /// `power`: the chance to find what is there, above 0.5 and below 1.
    ///
    /// # Errors
    ///
    /// The power is outside of its range.
    pub fn new(level: Level, power: f64) -> Result<Self, Error> {
        if power > 0.5 && power < 1.0 {
            Ok(Self { level, power })
        } else {
            Err(Error::Power(power))
        }
    }

    /// The level.
    pub fn level(self) -> Level {
        self.level
    }

    /// The chance to find what is there.
    pub fn power(self) -> f64 {
        self.power
    }

    /// The smallest true difference between two runs over the same `n` items that a McNemar test
    /// finds with this power, given the `discordance`: the share of items on which the runs differ.
    /// In 0..=1, at most the discordance; `None` where not even a difference as large as that would
    /// be found. Source: R. J. Connor, "Sample size for testing differences in proportions for the
    /// paired-sample design", Biometrics 43 (1987), solved for the difference. It asks for a few
    /// items more than O. S. Miettinen, "The matched pairs design in the case of all-or-none
    /// responses", Biometrics 24 (1968).
    ///
    /// # Errors
    ///
    /// The discordance is not in 0..=1.
    pub fn detectable_difference(self, n: usize, discordance: f64) -> Result<Option<f64>, Error> {
        check_discordance(discordance)?;
        let enough = |difference: f64| self.items(difference, discordance) <= n as f64;
        if discordance == 0.0 || !enough(discordance) {
            return Ok(None);
        }
        Ok(Some(smallest(discordance, enough)))
    }

    /// Items with which a McNemar test finds a true `difference` with this power, given the
    /// `discordance`. Source: Connor, as for [`Sensitivity::detectable_difference`].
    ///
    /// # Errors
    ///
    /// The discordance is not in 0..=1; the difference is not above 0 and at most the discordance.
    pub fn items_for_difference(self, difference: f64, discordance: f64) -> Result<usize, Error> {
        check_discordance(discordance)?;
        if !(difference > 0.0 && difference <= discordance) {
            return Err(Error::Difference {
                difference,
                discordance,
            });
        }
        Ok(self.items(difference, discordance).ceil() as usize)
    }

    /// Items with which the interval of the drop of a candidate that is in truth just as good ends
    /// below `margin` with this power, given the `discordance`. Source: J.-P. Liu, H.-M. Hsueh, E.
    /// Hsieh and J. J. Chen, "Tests for equivalence or non-inferiority for paired binary data",
    /// Statistics in Medicine 21 (2002).
    ///
    /// # Errors
    ///
    /// The discordance is not in 0..=1; the margin is not above 0 and at most 1.
    pub fn items_for_margin(self, margin: f64, discordance: f64) -> Result<usize, Error> {
        check_discordance(discordance)?;
        if !(margin > 0.0 && margin <= 1.0) {
            return Err(Error::Margin(margin));
        }
        Ok(self.items_to_pass(margin, discordance).ceil() as usize)
    }

    /// The smallest margin for which `n` items suffice as in [`Sensitivity::items_for_margin`],
    /// above 0 and at most 1; `None` without items.
    ///
    /// # Errors
    ///
    /// The discordance is not in 0..=1.
    pub fn margin_for_items(self, n: usize, discordance: f64) -> Result<Option<f64>, Error> {
        check_discordance(discordance)?;
        let enough = |margin: f64| self.items_to_pass(margin, discordance) <= n as f64;
        Ok((n > 0).then(|| {
            if enough(1.0) {
                smallest(1.0, enough)
            } else {
                1.0
            }
        }))
    }

    /// Standard errors between no difference and the smallest that is found.
    pub(crate) fn reach(self) -> f64 {
        self.level.z() + upper_quantile(1.0 - self.power)
    }

    fn items(self, difference: f64, discordance: f64) -> f64 {
        let found = upper_quantile(1.0 - self.power)
            * (discordance - difference * difference).max(0.0).sqrt();
        ((self.level.z() * discordance.sqrt() + found) / difference).powi(2)
    }

    fn items_to_pass(self, margin: f64, discordance: f64) -> f64 {
        let half = discordance / 2.0;
        let found = upper_quantile(1.0 - self.power) * discordance.sqrt();
        ((self.level.z() * null_variance(half, half, 1.0, margin).sqrt() + found) / margin).powi(2)
    }
}

fn check_discordance(discordance: f64) -> Result<(), Error> {
    if (0.0..=1.0).contains(&discordance) {
        Ok(())
    } else {
        Err(Error::Discordance(discordance))
    }
}

/// The smallest value above 0 that is enough, given one that is and that all above it are.
fn smallest(mut enough_at: f64, enough: impl Fn(f64) -> bool) -> f64 {
    let mut too_small = 0.0;
    for _ in 0..60 {
        let middle = 0.5 * (too_small + enough_at);
        if enough(middle) {
            enough_at = middle
        } else {
            too_small = middle
        }
    }
    enough_at
}
