//! Real balls: a binary floating-point number of some hundred digits and a rigorous radius.
//!
//! The middle is computed by correctly rounded operations; the radius is kept as its binary
//! logarithm, rounded up, since only its order of magnitude matters and it may be as small as
//! 2^−5000.

use std::cmp::Ordering;

use dashu_float::round::{Rounded, mode};
use dashu_float::{ConstCache, Context, FBig, FpError, Repr};
use dashu_int::ops::BitTest;
use dashu_int::{IBig, Sign};
use dashu_ratio::RBig;

use super::real::Real;
use super::series::{self, Approximate};

/// The working precision and the constants computed for it.
pub(super) struct Precision {
    bits: usize,
    context: Context<mode::HalfEven>,
    constants: ConstCache,
}

impl Precision {
    /// Arithmetic with that many bits.
    pub(super) fn new(bits: usize) -> Self {
        Self {
            bits,
            context: Context::new(bits),
            constants: ConstCache::new(),
        }
    }
}

/// All reals at most `2^radius` from the middle.
#[derive(Clone, Debug)]
pub(super) struct Ball {
    middle: Repr<2>,
    /// Binary logarithm of the radius, −∞ for an exact value.
    radius: f64,
}

type Operation = Result<Rounded<FBig<mode::HalfEven, 2>>, FpError>;

/// Exponents beyond this are not worked with: `e^{2^{40}}` and the like.
const MAX_EXPONENT: f64 = 1.1e12;

/// Errors above 2 to this are not raised to: the result would tell nothing.
const MAX_EXPONENT_RADIUS: f64 = 2.0;

/// Errors above 2 to this are not taken for an integer's.
const INTEGER_RADIUS: f64 = -40.0;

/// An upper bound of `log2(2^a + 2^b)`.
fn log2_sum(a: f64, b: f64) -> f64 {
    let (high, low) = if a >= b { (a, b) } else { (b, a) };
    if low == f64::NEG_INFINITY {
        return high;
    }
    // log2(1 + t) ≤ t / ln 2; the last terms cover the rounding of this line.
    high + (low - high).exp2() * std::f64::consts::LOG2_E + high.abs() * 1e-15 + 1e-9
}

/// An upper bound of `log2(e^r − 1)` for `r = 2^radius`.
fn log2_of_growth(radius: f64) -> f64 {
    if radius <= -2.0 {
        // e^r − 1 ≤ 2r for r ≤ 1/4.
        return radius + 1.0;
    }
    radius.exp2() * std::f64::consts::LOG2_E + 1e-9
}

impl Ball {
    /// The result of an operation whose operands' errors contribute `inherited`. A correctly
    /// rounded result is at most one unit in its last place off.
    fn rounded(result: Operation, inherited: f64, precision: &Precision) -> Option<Self> {
        let (middle, rounding) = match result.ok()? {
            Rounded::Exact(value) => (value.into_repr(), f64::NEG_INFINITY),
            Rounded::Inexact(value, _) => {
                let middle = value.into_repr();
                let unit = top(&middle) - precision.bits as f64;
                (middle, unit)
            }
        };
        if middle.is_infinite()
            || top(&middle).abs() > MAX_EXPONENT && !middle.significand().is_zero()
        {
            return None;
        }
        Some(Self {
            middle,
            radius: log2_sum(inherited, rounding),
        })
    }

    /// The result of a series, or of the library where that gives up, on the middle of an operand
    /// whose error contributes `inherited`.
    fn from_series(
        series: Option<Approximate>,
        library: impl FnOnce(&mut Precision) -> Operation,
        inherited: f64,
        precision: &mut Precision,
    ) -> Option<Self> {
        match series {
            Some(Approximate { value, log2_error }) => Some(Self {
                middle: value,
                radius: log2_sum(inherited, log2_error),
            }),
            None => {
                let result = library(precision);
                Self::rounded(result, inherited, precision)
            }
        }
    }

    /// An upper bound of the binary logarithm of the magnitude of any value in the ball.
    pub(super) fn log2_most(&self) -> f64 {
        log2_sum(top(&self.middle), self.radius)
    }

    /// A lower bound of the same; `None` where the ball holds zero or comes close to it.
    fn log2_least(&self) -> Option<f64> {
        if self.middle.significand().is_zero() {
            return None;
        }
        let bottom = top(&self.middle) - 1.0;
        // With the radius at most half of the middle, at least half remains.
        (self.radius <= bottom - 1.0).then_some(if self.radius == f64::NEG_INFINITY {
            bottom
        } else {
            bottom - 1.0
        })
    }

    /// A lower bound of all values in the ball.
    pub(super) fn least(&self) -> f64 {
        let (middle, radius) = (self.to_f64(), self.radius.exp2());
        // More than the conversions may round.
        middle - radius - (middle.abs() + radius) * 1e-12
    }

    /// Whether the middle is below a half. Its exponent may then be far below zero, and it must not
    /// be written out as a fraction; of any other middle the last bit is no further behind the
    /// point than the precision.
    fn is_small(&self) -> bool {
        top(&self.middle) < -1.0
    }

    /// Whether the middle is so small that a function of it is its first term to the working
    /// precision. The library would write such a number out to the point, and run out of memory.
    fn is_tiny(&self, precision: &Precision) -> bool {
        !self.middle.significand().is_zero() && top(&self.middle) < -(precision.bits as f64)
    }

    /// All numbers of at most that binary logarithm.
    pub(super) fn within(radius: f64) -> Self {
        Self::around_zero(radius)
    }

    /// A power of two, without error.
    pub(super) fn power_of_two(exponent: isize) -> Self {
        Self {
            middle: Repr::new(IBig::ONE, exponent),
            radius: f64::NEG_INFINITY,
        }
    }

    /// The middle alone, without error.
    pub(super) fn middle(&self) -> Self {
        Self {
            middle: self.middle.clone(),
            radius: f64::NEG_INFINITY,
        }
    }

    /// Zero with that logarithm of a radius.
    fn around_zero(radius: f64) -> Self {
        Self {
            middle: Repr::zero(),
            radius,
        }
    }
}

/// Binary logarithm of the magnitude, rounded up to an integer; −∞ for zero.
fn top(value: &Repr<2>) -> f64 {
    if value.significand().is_zero() {
        return f64::NEG_INFINITY;
    }
    value.exponent() as f64 + value.significand().bit_len() as f64
}

fn is_negative(value: &Repr<2>) -> bool {
    value.sign() == Sign::Negative
}

impl Real for Ball {
    type Context = Precision;

    const NODES_PER_STEP: u32 = 1;

    fn operation_steps(precision: &Precision) -> u32 {
        1 + precision.bits as u32 / 1024
    }

    fn function_steps(precision: &Precision) -> u32 {
        // Measured: 6, 8, 15, 40 and some 150 microseconds at 160, 256, 512, 1024 and 2048 bits.
        let blocks = precision.bits as u32 / 128;
        6 + 2 * blocks + blocks * blocks / 2
    }

    fn zero() -> Self {
        Self::around_zero(f64::NEG_INFINITY)
    }

    fn rational(value: &RBig, precision: &mut Precision) -> Option<Self> {
        let numerator = Repr::from(value.numerator().clone());
        let denominator = Repr::from(IBig::from(value.denominator().clone()));
        Self::rounded(
            precision.context.div(&numerator, &denominator),
            f64::NEG_INFINITY,
            precision,
        )
    }

    fn pi(precision: &mut Precision) -> Option<Self> {
        let library = |precision: &mut Precision| {
            Ok(precision.context.pi::<2>(Some(&mut precision.constants)))
        };
        Self::from_series(
            series::pi(precision.bits),
            library,
            f64::NEG_INFINITY,
            precision,
        )
    }

    fn add(&self, other: &Self, precision: &mut Precision) -> Option<Self> {
        let radius = log2_sum(self.radius, other.radius);
        Self::rounded(
            precision.context.add(&self.middle, &other.middle),
            radius,
            precision,
        )
    }

    fn negated(&self) -> Self {
        Self {
            middle: -self.middle.clone(),
            radius: self.radius,
        }
    }

    fn multiply(&self, other: &Self, precision: &mut Precision) -> Option<Self> {
        if self.is_zero() || other.is_zero() {
            return Some(Self::zero());
        }
        let radius = log2_sum(
            top(&self.middle) + other.radius,
            self.radius + other.log2_most(),
        );
        Self::rounded(
            precision.context.mul(&self.middle, &other.middle),
            radius,
            precision,
        )
    }

    fn divide(&self, other: &Self, precision: &mut Precision) -> Option<Self> {
        // |a/b − A/B| ≤ (|a − A| + |A/B| |b − B|) / |b|
        let least = other.log2_least()?;
        let quotient = top(&self.middle) - top(&other.middle) + 1.0;
        let radius = log2_sum(self.radius, quotient + other.radius) - least;
        Self::rounded(
            precision.context.div(&self.middle, &other.middle),
            radius,
            precision,
        )
    }

    fn root(&self, index: u32, precision: &mut Precision) -> Option<Self> {
        let Some(least) = self.log2_least() else {
            if self.is_zero() {
                return Some(Self::zero());
            }
            // The sign is not known, but a root of what is within the error is at most this large.
            return Some(Self::around_zero(
                self.log2_most() / f64::from(index) + 1e-9,
            ));
        };
        if is_negative(&self.middle) {
            return None;
        }
        // (1 + ε)^(1/n) differs from 1 by less than |ε| for |ε| ≤ 1/2.
        let relative = self.radius - least;
        let root = match index {
            2 => precision.context.sqrt(&self.middle),
            _ => precision.context.nth_root(index as usize, &self.middle),
        };
        let mut ball = Self::rounded(root, f64::NEG_INFINITY, precision)?;
        ball.radius = log2_sum(ball.radius, top(&ball.middle) + relative);
        Some(ball)
    }

    fn exp(&self, precision: &mut Precision) -> Option<Self> {
        if top(&self.middle) > 30.0 || self.radius > MAX_EXPONENT_RADIUS {
            return None;
        }
        if self.is_tiny(precision) {
            // |e^x − 1| ≤ 2|x| for |x| ≤ 1.
            return Some(Self {
                middle: Repr::one(),
                radius: log2_of_growth(log2_sum(top(&self.middle), self.radius)),
            });
        }
        let library = |precision: &mut Precision| {
            precision
                .context
                .exp(&self.middle, Some(&mut precision.constants))
        };
        // Of the middle alone; the radius is added below, as a share of the result.
        let series = series::exp(&self.middle, precision.bits);
        let mut ball = Self::from_series(series, library, f64::NEG_INFINITY, precision)?;
        ball.radius = log2_sum(ball.radius, top(&ball.middle) + log2_of_growth(self.radius));
        Some(ball)
    }

    fn ln(&self, precision: &mut Precision) -> Option<Self> {
        let least = self.log2_least()?;
        if is_negative(&self.middle) {
            return None;
        }
        let library = |precision: &mut Precision| {
            precision
                .context
                .ln(&self.middle, Some(&mut precision.constants))
        };
        let series = series::ln(&self.middle, precision.bits);
        Self::from_series(series, library, self.radius - least, precision)
    }

    fn sin_cos(&self, precision: &mut Precision) -> Option<(Self, Self)> {
        // The reduction needs a digit of π for every digit before the point.
        if top(&self.middle) > 1_000.0 {
            return None;
        }
        if self.is_tiny(precision) {
            // |sin x − x| ≤ |x|³ and |cos x − 1| ≤ x² for |x| ≤ 1.
            let most = self.log2_most();
            let sin = Self {
                middle: self.middle.clone(),
                radius: log2_sum(self.radius, 3.0 * most),
            };
            return Some((
                sin,
                Self {
                    middle: Repr::one(),
                    radius: 2.0 * most,
                },
            ));
        }
        if let Some((sin, cos)) = series::sin_cos(&self.middle, precision.bits) {
            let ball = |Approximate { value, log2_error }| Self {
                middle: value,
                radius: log2_sum(self.radius, log2_error),
            };
            return Some((ball(sin), ball(cos)));
        }
        let (sin, cos) = precision
            .context
            .sin_cos(&self.middle, Some(&mut precision.constants));
        Some((
            Self::rounded(sin, self.radius, precision)?,
            Self::rounded(cos, self.radius, precision)?,
        ))
    }

    fn arctan(&self, precision: &mut Precision) -> Option<Self> {
        if self.is_tiny(precision) {
            // |arctan x − x| ≤ |x|³.
            return Some(Self {
                middle: self.middle.clone(),
                radius: log2_sum(self.radius, 3.0 * self.log2_most()),
            });
        }
        let library = |precision: &mut Precision| {
            precision
                .context
                .atan(&self.middle, Some(&mut precision.constants))
        };
        let series = series::arctan(&self.middle, precision.bits);
        Self::from_series(series, library, self.radius, precision)
    }

    fn is_zero(&self) -> bool {
        self.radius == f64::NEG_INFINITY && self.middle.significand().is_zero()
    }

    fn sign(&self) -> Option<Ordering> {
        if self.is_zero() {
            return Some(Ordering::Equal);
        }
        self.log2_least()?;
        Some(if is_negative(&self.middle) {
            Ordering::Less
        } else {
            Ordering::Greater
        })
    }

    fn blurred(&self, other: &Self) -> Self {
        Self {
            middle: self.middle.clone(),
            radius: log2_sum(self.radius, other.log2_most()),
        }
    }

    fn integer(&self) -> Option<IBig> {
        // Written out below, and no longer than exact rationals may be.
        if self.radius > INTEGER_RADIUS || top(&self.middle) > 20_000.0 {
            return None;
        }
        if self.is_small() {
            return (top(&self.middle) <= self.radius).then_some(IBig::ZERO);
        }
        let value = RBig::try_from(self.middle.clone()).ok()?;
        let nearest = value.round();
        (log2_distance(&value, &nearest) <= self.radius).then_some(nearest)
    }

    fn floor(&self) -> Option<IBig> {
        if let Some(integer) = self.integer() {
            return Some(integer);
        }
        if self.radius > INTEGER_RADIUS || top(&self.middle) > 20_000.0 {
            return None;
        }
        // No integer lies within the radius, so that the floor of the middle is that of all.
        if self.is_small() {
            return Some(if is_negative(&self.middle) {
                IBig::NEG_ONE
            } else {
                IBig::ZERO
            });
        }
        Some(RBig::try_from(self.middle.clone()).ok()?.floor())
    }

    fn to_f64(&self) -> f64 {
        // To the library a precision of 0 is an unlimited one: only the conversion rounds.
        FBig::<mode::HalfEven, 2>::from_repr(self.middle.clone(), Context::new(0))
            .to_f64()
            .value()
    }
}

/// Binary logarithm of the distance between a dyadic number and an integer, rounded down.
fn log2_distance(value: &RBig, integer: &IBig) -> f64 {
    let difference = value - RBig::from(integer.clone());
    if difference.is_zero() {
        return f64::NEG_INFINITY;
    }
    // The denominator is a power of two, whose logarithm is its length less one; that of the
    // numerator is at least its length less one.
    difference.numerator().bit_len() as f64 - difference.denominator().bit_len() as f64
}
