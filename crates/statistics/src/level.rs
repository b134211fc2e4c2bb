//! How often an interval or a decision may be wrong.

use statrs::function::erf::{erfc, erfc_inv};

use crate::Error;

/// The 0.975 quantile of the standard normal distribution.
const Z_95: f64 = 1.959_963_984_540_054;

/// How often an interval may miss. Two ways of saying it are in use, and they differ by a factor of
/// two at each end:
///
/// * [`Level::two_sided`] with an alpha of 0.05 is the usual 95 % interval. Each of its bounds errs
///   in 2.5 % of all cases, so that a decision taken from one bound ("the drop is below the
///   margin") is wrong in at most 2.5 %.
/// * [`Level::one_sided`] with an alpha of 0.05 lets each bound err in 5 % of all cases; the two
///   together make a 90 % interval. A decision taken from one bound is wrong in at most 5 %.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    tail: f64,
}

impl Level {
    /// The usual 95 % interval.
    pub const NINETY_FIVE: Self = Self { tail: 0.025 };

    /// Both bounds together miss in a share of `alpha` of all cases.
    ///
    /// # Errors
    ///
    /// `alpha` is not above 0 and below 1.
    pub fn two_sided(alpha: f64) -> Result<Self, Error> {
        if alpha > 0.0 && alpha < 1.0 {
            Ok(Self { tail: alpha / 2.0 })
        } else {
            Err(Error::Alpha { alpha, below: 1.0 })
        }
    }

    /// Each bound misses in a share of `alpha` of all cases.
    ///
    /// # Errors
    ///
    /// `alpha` is not above 0 and below 0.5.
    pub fn one_sided(alpha: f64) -> Result<Self, Error> {
        if alpha > 0.0 && alpha < 0.5 {
            Ok(Self { tail: alpha })
        } else {
            Err(Error::Alpha { alpha, below: 0.5 })
        }
    }

    /// How often each bound misses, above 0 and below 0.5.
    pub fn tail(self) -> f64 {
        self.tail
    }

    /// How often the interval holds the truth, above 0 and below 1.
    pub fn confidence(self) -> f64 {
        1.0 - 2.0 * self.tail
    }

    /// The standard normal quantile of the upper bound, above 0: 1.96 for 95 %.
    pub fn z(self) -> f64 {
        // The series behind other levels is two units in the last place off here, which files would
        // show.
        if self == Self::NINETY_FIVE {
            Z_95
        } else {
            upper_quantile(self.tail)
        }
    }
}

impl Default for Level {
    fn default() -> Self {
        Self::NINETY_FIVE
    }
}

/// The value that a standard normal variable exceeds with probability `tail`.
pub(crate) fn upper_quantile(tail: f64) -> f64 {
    std::f64::consts::SQRT_2 * erfc_inv(2.0 * tail)
}

/// The probability that a standard normal variable exceeds `z`.
pub(crate) fn upper_tail(z: f64) -> f64 {
    0.5 * erfc(z / std::f64::consts::SQRT_2)
}
