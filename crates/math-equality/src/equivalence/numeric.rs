//! Closed forms: values without free symbols, compared first as machine numbers and then as balls.

use std::cmp::Ordering;

use dashu_ratio::RBig;

use super::EqualityDecision;
use super::ball::{Ball, Precision};
use super::complex::Complex;
use super::double::Double;
use super::evaluation::{Evaluation, Failure};
use super::real::{Comparison, Real};
use crate::budget::{Budget, Exhausted};
use crate::expr::Expr;

/// Equal closed forms agree to this many binary digits: 50 decimal ones.
// 50 log2(10), rounded up.
const EQUAL_BITS: f64 = 166.1;

/// Working precisions, tried in turn until the balls tell.
// The first leaves some ninety bits beyond EQUAL_BITS for errors to grow into.
const PRECISIONS: [usize; 4] = [256, 512, 1024, 2048];

/// Machine numbers that differ by less than this, relatively, are compared as balls.
const CLOSE: f64 = 1e-9;

/// Values below 2 to this are compared by their absolute difference.
const SMALLEST_SCALE: f64 = -64.0;

/// Compares values of expressions without free symbols by machine numbers: whether they are clearly
/// different.
pub(super) fn clearly_different(
    left: &Expr,
    right: &Expr,
    budget: &mut Budget,
) -> Result<bool, Exhausted> {
    let left = optional(Evaluation::<Double>::new(Vec::new(), &mut (), budget).value(left))?;
    let right = optional(Evaluation::<Double>::new(Vec::new(), &mut (), budget).value(right))?;
    Ok(match (left, right) {
        (Some(left), Some(right)) => compare_doubles(&left, &right, CLOSE) == Comparison::Different,
        _ => false,
    })
}

/// Compares values of expressions without free symbols as balls.
pub(super) fn compare_closed_forms(
    left: &Expr,
    right: &Expr,
    budget: &mut Budget,
) -> Result<EqualityDecision, Exhausted> {
    for bits in PRECISIONS {
        let mut precision = Precision::new(bits);
        let left =
            optional(Evaluation::<Ball>::new(Vec::new(), &mut precision, budget).value(left))?;
        let right =
            optional(Evaluation::<Ball>::new(Vec::new(), &mut precision, budget).value(right))?;
        let comparison = match (left, right) {
            (Some(left), Some(right)) => compare_balls(&left, &right, EQUAL_BITS, &mut precision),
            // A pole at one precision is almost always one at the next; try once more for a
            // near-pole.
            _ if bits >= PRECISIONS[1] => break,
            _ => Comparison::Unknown,
        };
        match comparison {
            Comparison::Equal => {
                return Ok(EqualityDecision {
                    equal: true,
                    rule: "equal/closed_form",
                });
            }
            Comparison::Different => {
                return Ok(EqualityDecision {
                    equal: false,
                    rule: "equal/closed_form",
                });
            }
            Comparison::Unknown => {}
        }
    }
    Ok(EqualityDecision {
        equal: false,
        rule: "equal/undecided",
    })
}

/// Compares machine numbers. Never `Equal`: agreement to sixteen digits proves nothing; `Unknown`
/// where the errors are larger than `close` relative to the values.
pub(super) fn compare_doubles(
    left: &Complex<Double>,
    right: &Complex<Double>,
    close: f64,
) -> Comparison {
    let size = |value: &Complex<Double>| value.re.middle.abs().max(value.im.middle.abs());
    let scale = size(left).max(size(right));
    let errors = left.re.error + left.im.error + right.re.error + right.im.error;
    let difference = (left.re.middle - right.re.middle).hypot(left.im.middle - right.im.middle);
    // The errors rest on the platform's mathematical library, the second bound does not: numbers
    // that come close are left to balls, which are the same everywhere.
    if difference > 2.0 * errors && difference > close * scale {
        Comparison::Different
    } else {
        Comparison::Unknown
    }
}

/// Compares balls: different if the difference excludes zero, equal if it and its radius are below
/// `2^-bits` relative to the larger value.
pub(super) fn compare_balls(
    left: &Complex<Ball>,
    right: &Complex<Ball>,
    bits: f64,
    precision: &mut Precision,
) -> Comparison {
    let Some(difference) = left.subtract(right, precision) else {
        return Comparison::Unknown;
    };
    let parts = [&difference.re, &difference.im];
    if parts
        .iter()
        .any(|part| part.sign().is_some_and(Ordering::is_ne))
    {
        return Comparison::Different;
    }
    // With a least scale: a zero that was computed, such as sin π, agrees with 0 to no share of
    // itself.
    let scale = [&left.re, &left.im, &right.re, &right.im]
        .iter()
        .map(|part| part.log2_most())
        .fold(SMALLEST_SCALE, f64::max);
    if parts.iter().all(|part| part.log2_most() <= scale - bits) {
        Comparison::Equal
    } else {
        Comparison::Unknown
    }
}

/// The value as a machine number, where it is real; infinity has one.
pub(crate) fn value_f64(expr: &Expr) -> Option<f64> {
    if let Some(positive) = super::infinite_sign(expr) {
        return Some(if positive {
            f64::INFINITY
        } else {
            f64::NEG_INFINITY
        });
    }
    // A budget of its own bounds this one evaluation: ends are put in order where no budget is at
    // hand.
    let mut budget = Budget::new();
    if let Ok(value) = Evaluation::<Double>::new(Vec::new(), &mut (), &mut budget).value(expr)
        && let Some(real) = value.as_real()
        && real.error <= 1e-12 * real.middle.abs()
    {
        return Some(real.middle);
    }
    let mut precision = Precision::new(PRECISIONS[0]);
    let value = Evaluation::<Ball>::new(Vec::new(), &mut precision, &mut budget)
        .value(expr)
        .ok()?;
    // A real value that was computed by way of complex ones keeps an imaginary part near zero.
    let negligible = value.is_real()
        || value.im.log2_most() <= value.re.log2_most().max(SMALLEST_SCALE) - EQUAL_BITS;
    negligible.then(|| value.re.to_f64())
}

/// Whether a value without free symbols rounds, or is cut, to a decimal whose last written digit
/// has that unit.
pub(super) fn rounds_to(
    expr: &Expr,
    decimal: &RBig,
    unit: &RBig,
    budget: &mut Budget,
) -> Result<bool, Exhausted> {
    let mut precision = Precision::new(PRECISIONS[0]);
    let value = optional(Evaluation::<Ball>::new(Vec::new(), &mut precision, budget).value(expr))?;
    let within = || {
        let value = value?;
        let negligible = value.im.log2_most() <= value.re.log2_most() - EQUAL_BITS;
        let decimal_ball = Ball::rational(decimal, &mut precision)?;
        let unit = Ball::rational(unit, &mut precision)?;
        let half = Ball::rational(&RBig::from_parts(1.into(), 2u8.into()), &mut precision)?;
        let half = unit.multiply(&half, &mut precision)?;
        // How far the value lies from the decimal, away from zero.
        let mut beyond = value.re.add(&decimal_ball.negated(), &mut precision)?;
        if decimal.sign() == dashu_int::Sign::Negative {
            beyond = beyond.negated();
        }
        // Rounding moves a value by half a unit either way, cutting by up to a whole one towards
        // zero. A bound that the error does not tell from the value is kept.
        let below = |bound: &Ball, precision: &mut Precision| {
            let rest = bound.add(&beyond.negated(), precision)?;
            Some(rest.sign() != Some(Ordering::Less))
        };
        let above_minus_half = half.add(&beyond, &mut precision)?.sign() != Some(Ordering::Less);
        Some(negligible && above_minus_half && below(&unit, &mut precision)?)
    };
    Ok(within().unwrap_or(false))
}

/// The value, if there is one.
pub(super) fn optional<T>(value: Result<T, Failure>) -> Result<Option<T>, Exhausted> {
    match value {
        Ok(value) => Ok(Some(value)),
        Err(Failure::Undefined) => Ok(None),
        Err(Failure::Exhausted) => Err(Exhausted),
    }
}
