//! Whether a candidate may pass.

use crate::{Error, Sensitivity};

/// How much worse the second of two runs is over the same items.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drop {
    /// Items.
    pub n: usize,
    /// Accuracy of the first run less that of the second, in −1..=1: above 0 where the second is
    /// worse.
    pub value: f64,
    /// Its interval.
    pub interval: [f64; 2],
}

/// What an interval says about a margin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub enum Decision {
    /// The whole interval lies below the margin: the candidate is not worse by as much as that.
    Passed,
    /// The whole interval lies above the margin: the candidate is worse by more than that.
    Failed,
    /// The margin lies within the interval.
    CannotTell {
        /// Items that would do, more than there were: as many as let a candidate that is in truth
        /// just as good pass with the power asked for. Where there were that many already it is the
        /// drop that is close to the margin; then as many as would leave the margin out of the
        /// interval around this drop. `None` where no number would do (a margin of 0, a drop that
        /// equals the margin) and without items.
        n_needed: Option<usize>,
    },
}

impl Drop {
    /// The drop that a difference (second less first) and its interval make.
    pub fn of_difference(n: usize, difference: f64, interval: [f64; 2]) -> Self {
        // Without a sign on zero, which would be printed.
        Self {
            n,
            value: 0.0 - difference,
            interval: [0.0 - interval[1], 0.0 - interval[0]],
        }
    }

    /// Whether the second run is significantly worse: the interval lies above 0. By accident this
    /// holds at most as often as one bound of the interval errs, [`crate::Level::tail`].
    pub fn is_significant_drop(&self) -> bool {
        self.interval[0] > 0.0
    }

    /// Whether the second run is significantly better: the interval lies below 0. As often by
    /// accident as [`Drop::is_significant_drop`].
    pub fn is_significant_gain(&self) -> bool {
        self.interval[1] < 0.0
    }
}

/// Decides whether a drop stays below `margin`, a proportion in 0..=1 (1 point is 0.01).
///
/// One bound of the interval decides, so that each wrong verdict is as rare as that bound errs,
/// [`crate::Level::tail`]: a candidate worse by the margin or more passes, and one worse by less
/// fails, at most that often. The drop's interval must be of the level of `sensitivity`.
///
/// # Errors
///
/// The margin is not in 0..=1.
pub fn decide(drop: &Drop, margin: f64, sensitivity: Sensitivity) -> Result<Decision, Error> {
    if !(0.0..=1.0).contains(&margin) {
        return Err(Error::Margin(margin));
    }
    let [low, high] = drop.interval;
    Ok(if high < margin {
        Decision::Passed
    } else if low > margin {
        Decision::Failed
    } else {
        Decision::CannotTell {
            n_needed: n_needed(drop, margin, sensitivity),
        }
    })
}

/// Items that would decide; an interval narrows with the root of their number.
fn n_needed(drop: &Drop, margin: f64, sensitivity: Sensitivity) -> Option<usize> {
    let [low, high] = drop.interval;
    let n = drop.n as f64;
    let standard_error = (high - low) / 2.0 / sensitivity.level().z();
    let planned = n * (sensitivity.reach() * standard_error / margin).powi(2);
    let half = if margin > drop.value {
        high - drop.value
    } else {
        drop.value - low
    };
    let at_this_drop = n * (half / (margin - drop.value)).powi(2);
    let needed = if planned > n { planned } else { at_this_drop };
    // Below 1e15 every whole number is exact in an f64; nobody has more items.
    (drop.n > 0 && needed.is_finite() && needed < 1e15)
        .then(|| (needed.ceil() as usize).max(drop.n + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drop(low: f64, value: f64, high: f64) -> Drop {
        Drop {
            n: 1000,
            value,
            interval: [low, high],
        }
    }

    fn decided(drop: Drop, margin: f64) -> Decision {
        decide(&drop, margin, Sensitivity::default()).unwrap()
    }

    #[test]
    fn an_interval_beyond_the_margin_decides() {
        assert_eq!(decided(drop(-0.005, 0.002, 0.009), 0.01), Decision::Passed);
        assert_eq!(decided(drop(0.011, 0.02, 0.029), 0.01), Decision::Failed);
        // A bound on the margin itself does not lie beyond it.
        assert!(matches!(
            decided(drop(0.011, 0.02, 0.029), 0.011),
            Decision::CannotTell { .. }
        ));
        assert!(matches!(
            decided(drop(-0.011, 0.0, 0.011), 0.011),
            Decision::CannotTell { .. }
        ));
    }

    #[test]
    fn too_few_items_are_told_how_many_would_do() {
        // (1.96 + 0.84)² · (0.02 / 1.96)² / 0.01² = 8.17 times as many.
        assert_eq!(
            decided(drop(-0.02, 0.0, 0.02), 0.01),
            Decision::CannotTell {
                n_needed: Some(8173)
            }
        );
        // There are enough for a margin of 4 points; a drop of 3.5 points is close to it: (2 / 1)²
        // times as many.
        assert_eq!(
            decided(drop(0.0234375, 0.03125, 0.0390625), 0.03515625),
            Decision::CannotTell {
                n_needed: Some(4000)
            }
        );
    }

    #[test]
    fn where_no_number_would_do_none_is_told() {
        let never = Decision::CannotTell { n_needed: None };
        assert_eq!(decided(drop(-0.02, 0.0, 0.02), 0.0), never);
        assert_eq!(decided(drop(0.02, 0.03, 0.04), 0.03), never);
        assert_eq!(
            decided(
                Drop {
                    n: 0,
                    value: 0.0,
                    interval: [-1.0, 1.0]
                },
                0.01
            ),
            never
        );
        assert_eq!(
            decide(&drop(0.0, 0.0, 0.0), 1.5, Sensitivity::default()),
            Err(Error::Margin(1.5))
        );
    }

    #[test]
    fn a_drop_is_a_difference_turned_round() {
        let drop = Drop::of_difference(9, -0.25, [-0.5, -0.125]);
        assert_eq!(
            drop,
            Drop {
                n: 9,
                value: 0.25,
                interval: [0.125, 0.5]
            }
        );
        assert!(drop.is_significant_drop() && !drop.is_significant_gain());
        assert_eq!(
            Drop::of_difference(9, 0.0, [0.0; 2]).value.to_bits(),
            0.0f64.to_bits()
        );
    }
}
