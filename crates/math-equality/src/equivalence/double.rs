//! Machine numbers with a running error bound: fast, and enough to refuse most pairs that differ.

use std::cmp::Ordering;

use dashu_int::IBig;
use dashu_ratio::RBig;

use super::real::Real;

/// A machine number and a bound on its absolute error.
#[derive(Clone, Copy, Debug)]
pub(super) struct Double {
    pub middle: f64,
    pub error: f64,
}

/// Relative error of one operation: four units in the last place, which the mathematical libraries
/// in use keep.
const ROUNDING: f64 = 4.0 * f64::EPSILON;

/// Errors above this relative bound are of no use.
const COARSEST: f64 = 1e-3;

impl Double {
    /// The result of an operation with an error inherited from its operands; `None` where it left
    /// the range.
    fn rounded(middle: f64, inherited: f64) -> Option<Self> {
        // The first factor covers the rounding of the bound itself.
        let error = inherited * (1.0 + ROUNDING) + middle.abs() * ROUNDING;
        (middle.is_finite() && error.is_finite()).then_some(Self {
            middle,
            // Near underflow a relative bound comes to 0; the least normal number covers what is
            // lost.
            error: error + f64::MIN_POSITIVE,
        })
    }

    /// Least distance of the true value from zero.
    fn least_magnitude(&self) -> f64 {
        (self.middle.abs() - self.error).max(0.0)
    }
}

impl Real for Double {
    type Context = ();

    const NODES_PER_STEP: u32 = 8;

    fn operation_steps((): &()) -> u32 {
        0
    }

    fn function_steps((): &()) -> u32 {
        0
    }

    fn zero() -> Self {
        Self {
            middle: 0.0,
            error: 0.0,
        }
    }

    fn rational(value: &RBig, (): &mut ()) -> Option<Self> {
        if let Ok(small) = i32::try_from(value.numerator())
            && value.is_int()
        {
            return Some(Self {
                middle: f64::from(small),
                error: 0.0,
            });
        }
        let middle = value.to_f64().value();
        // Not zero, or it had been taken above: too small for a double.
        if middle == 0.0 {
            return None;
        }
        Self::rounded(middle, 0.0)
    }

    fn pi((): &mut ()) -> Option<Self> {
        Self::rounded(std::f64::consts::PI, 0.0)
    }

    fn add(&self, other: &Self, (): &mut ()) -> Option<Self> {
        // Exact: a sum of real numbers must keep an imaginary part that is exactly zero.
        if other.is_zero() {
            return Some(*self);
        }
        Self::rounded(self.middle + other.middle, self.error + other.error)
    }

    fn negated(&self) -> Self {
        Self {
            middle: -self.middle,
            error: self.error,
        }
    }

    fn multiply(&self, other: &Self, (): &mut ()) -> Option<Self> {
        if self.is_zero() || other.is_zero() {
            return Some(Self::zero());
        }
        let error = self.middle.abs() * other.error
            + other.middle.abs() * self.error
            + self.error * other.error;
        Self::rounded(self.middle * other.middle, error)
    }

    fn divide(&self, other: &Self, (): &mut ()) -> Option<Self> {
        let least = other.least_magnitude();
        if least <= COARSEST * other.middle.abs() || least < f64::MIN_POSITIVE {
            return None;
        }
        let quotient = self.middle / other.middle;
        Self::rounded(
            quotient,
            (self.error + quotient.abs() * other.error) / least,
        )
    }

    fn root(&self, index: u32, (): &mut ()) -> Option<Self> {
        let root = |value: f64| match index {
            2 => value.sqrt(),
            3 => value.cbrt(),
            _ => value.powf(1.0 / f64::from(index)),
        };
        let least = self.middle - self.error;
        if least <= 0.0 {
            let most = self.middle + self.error;
            return (most >= 0.0).then(|| Self {
                middle: 0.0,
                error: root(most) * (1.0 + ROUNDING),
            });
        }
        let middle = root(self.middle);
        // |ln(middle)/index| rounding of the exponent 1/index is covered by this factor.
        let exponent_error = if index > 3 {
            self.middle.ln().abs() * f64::EPSILON * middle
        } else {
            0.0
        };
        Self::rounded(middle, middle * (self.error / least) + exponent_error)
    }

    fn exp(&self, (): &mut ()) -> Option<Self> {
        if self.error > COARSEST {
            return None;
        }
        let middle = self.middle.exp();
        // e^ε - 1 ≤ 1.01 ε for every ε up to COARSEST.
        Self::rounded(middle, middle * self.error * 1.01)
    }

    fn ln(&self, (): &mut ()) -> Option<Self> {
        let least = self.middle - self.error;
        if least <= 0.0 {
            return None;
        }
        Self::rounded(self.middle.ln(), self.error / least)
    }

    fn sin_cos(&self, (): &mut ()) -> Option<(Self, Self)> {
        if self.middle.abs() > 1e9 {
            return None;
        }
        let (sin, cos) = self.middle.sin_cos();
        Some((
            Self::rounded(sin, self.error)?,
            Self::rounded(cos, self.error)?,
        ))
    }

    fn arctan(&self, (): &mut ()) -> Option<Self> {
        Self::rounded(self.middle.atan(), self.error)
    }

    fn is_zero(&self) -> bool {
        self.middle == 0.0 && self.error == 0.0
    }

    fn sign(&self) -> Option<Ordering> {
        if self.is_zero() {
            return Some(Ordering::Equal);
        }
        (self.middle.abs() > self.error).then(|| self.middle.total_cmp(&0.0))
    }

    fn blurred(&self, other: &Self) -> Self {
        Self {
            middle: self.middle,
            error: self.error + other.middle.abs() + other.error,
        }
    }

    fn integer(&self) -> Option<IBig> {
        let nearest = self.middle.round();
        let within = (self.middle - nearest).abs() <= self.error;
        // Doubles hold every integer below 2^53, and the cast is exact there.
        (within && self.error < 1e-6 && nearest.abs() < 1e15).then(|| IBig::from(nearest as i64))
    }

    fn floor(&self) -> Option<IBig> {
        let (least, most) = (
            (self.middle - self.error).floor(),
            (self.middle + self.error).floor(),
        );
        (least == most && least.abs() < 1e15).then(|| IBig::from(least as i64))
    }

    fn to_f64(&self) -> f64 {
        self.middle
    }
}
