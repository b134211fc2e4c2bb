//! Do two expressions denote the same number or function?
//!
//! Stages, from exact to numeric; the first that can tell decides:
//!
//! 1. `equal/identical`: the same expression;
//! 2. `equal/infinity`: signed infinities;
//! 3. `equal/long_decimal`: a decimal of twelve or more digits that the other side rounds, or is
//!    cut, to;
//! 4. `equal/rational`: exact rationals;
//! 5. `equal/polynomial`: quotients of polynomials in the symbols, i, roots of primes, and opaque
//!    parts; `equal/residues` where those become too large;
//! 6. `equal/closed_form`: without symbols, balls that agree to 50 digits, or exclude each other;
//! 7. `equal/integral`: integrals that no rule has a value for, by a quadrature with a proven error,
//!    to 25 digits;
//! 8. `equal/points`: with symbols, agreement at seeded points, confirmed to 25 digits;
//!    `equal/points_positive` where it holds for positive symbols only, up to the choice of
//!    branches.
//!
//! `equal/undecided` is an inequality by default: no stage could tell.
//!
//! The modules, in reading order:
//!
//! - [`rational`]: folding to exact rationals;
//! - [`polynomial`], [`normal_form`], [`substitution`]: sparse polynomials, and expressions as
//!   quotients of them;
//! - [`residues`]: rational expressions modulo primes;
//! - [`real`], [`double`], [`ball`], [`series`], [`complex`]: numbers with errors;
//! - [`evaluation`]: the value of an expression at a point;
//! - [`numeric`], [`points`], [`sampling`]: closed forms and functions compared by value;
//! - [`quadrature`]: the value of an integral;
//! - [`proportional`]: equations up to a factor.

mod ball;
mod complex;
mod double;
mod evaluation;
mod normal_form;
mod numeric;
mod points;
mod polynomial;
mod proportional; // equations up to a factor
mod quadrature;
mod rational;
mod real;
mod residues;
mod sampling;
mod series;
mod substitution;
#[cfg(test)]
mod tests;

use dashu_int::IBig;
use dashu_ratio::RBig;

pub(crate) use self::{numeric::value_f64, proportional::proportional, substitution::replaced};

use self::normal_form::NormalForms;
use self::polynomial::Stop;
use super::budget::{Budget, Exhausted};
use super::decision::EqualityDecision;
use super::expr::{Constant, Expr, Function, Number};

/// A decimal with this many significant digits was computed, not rounded by hand.
const LONG_DECIMAL_DIGITS: u32 = 12;
/// A decimal with this many is a number in double precision as programs print it.
const DOUBLE_DIGITS: u32 = 16;

/// Compares two expressions as functions of their symbols. Symmetric.
pub(crate) fn equivalent(
    left: &Expr,
    right: &Expr,
    budget: &mut Budget,
) -> Result<EqualityDecision, Exhausted> {
    budget.spend(1)?;
    if left == right {
        return Ok(EqualityDecision::of(true, "equal/identical"));
    }
    let is_long = |number: &Number| {
        number
            .written_digits
            .is_some_and(|digits| digits >= LONG_DECIMAL_DIGITS)
    };
    // Two numbers of one sort are what they are; a long decimal beside a short number may round it,
    // which is looked at below.
    if let (Expr::Number(left), Expr::Number(right)) = (left, right)
        && is_long(left) == is_long(right)
    {
        return Ok(EqualityDecision::of(
            left.value == right.value,
            "equal/rational",
        ));
    }
    if is_infinite(left) || is_infinite(right) {
        // An infinity whose sign cannot be seen, such as a difference of two, equals nothing but
        // its own spelling.
        let (left, right) = (infinite_sign(left), infinite_sign(right));
        return Ok(EqualityDecision::of(
            left.is_some() && left == right,
            "equal/infinity",
        ));
    }
    for (decimal, exact) in [(left, right), (right, left)] {
        if let Expr::Number(number) = decimal
            && matches_long_decimal(exact, number, budget)?
        {
            return Ok(EqualityDecision::of(true, "equal/long_decimal"));
        }
    }
    let is_unbased = |part: &Expr| matches!(part, Expr::Apply(Function::LogUnbased, _));
    if substitution::contains(left, &is_unbased) || substitution::contains(right, &is_unbased) {
        return compare_readings(left, right, budget);
    }
    compare(left, right, budget)
}

/// `\log` without a base: the natural and the decimal reading, the same on both sides.
fn compare_readings(
    left: &Expr,
    right: &Expr,
    budget: &mut Budget,
) -> Result<EqualityDecision, Exhausted> {
    // Never one reading for each side: `\log 10` would be 1 and the natural logarithm at once.
    let natural = compare(&reading(left, true), &reading(right, true), budget)?;
    if natural.equal {
        return Ok(natural);
    }
    compare(&reading(left, false), &reading(right, false), budget)
}

/// The expression with logarithms of no base read as natural or decimal ones.
fn reading(expr: &Expr, natural: bool) -> Expr {
    substitution::rewritten(expr, &|part| match part {
        Expr::Apply(Function::LogUnbased, arguments) => {
            let arguments = arguments.iter().map(|part| reading(part, natural));
            Some(if natural {
                Expr::Apply(Function::Ln, arguments.collect())
            } else {
                Expr::Apply(
                    Function::Log,
                    std::iter::once(Expr::integer(10))
                        .chain(arguments)
                        .collect(),
                )
            })
        }
        _ => None,
    })
}

/// The stages from exact rationals on.
fn compare(left: &Expr, right: &Expr, budget: &mut Budget) -> Result<EqualityDecision, Exhausted> {
    if let Some(left) = rational::fold(left, budget)?
        && let Some(right) = rational::fold(right, budget)?
    {
        return Ok(EqualityDecision::of(left == right, "equal/rational"));
    }
    // One order for both ways to ask, so that the steps and the outcome are the same.
    let (left, right) = if substitution::fingerprint(left) <= substitution::fingerprint(right) {
        (left, right)
    } else {
        (right, left)
    };
    let symbols = substitution::free_symbols(&[left, right]);
    // Most pairs that differ end here, before any exact arithmetic.
    if symbols.is_empty() && numeric::clearly_different(left, right, budget)? {
        return Ok(EqualityDecision::of(false, "equal/closed_form"));
    }
    match compare_normal_forms(left, right, budget) {
        Ok(Some(equal)) => return Ok(EqualityDecision::of(equal, "equal/polynomial")),
        // Only here: other pairs are decided by now, or hold parts that have no residue.
        Err(Stop::TooLarge) => {
            if let Some(equal) = residues::equal(left, right, &symbols, budget)? {
                return Ok(EqualityDecision::of(equal, "equal/residues"));
            }
        }
        Ok(None) | Err(Stop::Undefined) => {}
        Err(Stop::Exhausted) => return Err(Exhausted),
    }
    if symbols.is_empty() {
        return numeric::compare_closed_forms(left, right, budget);
    }
    match quadrature::compare_integrals(left, right, budget)? {
        Some(decision) => Ok(decision),
        None => sampling::compare_functions(left, right, &symbols, budget),
    }
}

/// The value of an expression that is a rational number.
pub(crate) fn exact_value(expr: &Expr) -> Option<RBig> {
    // A budget of its own bounds this: series are looked at where none is at hand.
    rational::fold(expr, &mut Budget::new()).ok().flatten()
}

/// Whether the normal forms are equal; `None` where they differ but their atoms may be related.
fn compare_normal_forms(
    left: &Expr,
    right: &Expr,
    budget: &mut Budget,
) -> Result<Option<bool>, Stop> {
    let mut forms = NormalForms::new();
    let left = forms.normal_form(left, budget)?;
    let right = forms.normal_form(right, budget)?;
    let (left, right) = left.crosswise(&right, forms.relations(), budget)?;
    if left == right {
        return Ok(Some(true));
    }
    Ok(forms.decide().then_some(false))
}

/// Whether `exact` rounds, or is cut, to a decimal of many digits. Two decimals are compared as
/// written.
fn matches_long_decimal(
    exact: &Expr,
    decimal: &Number,
    budget: &mut Budget,
) -> Result<bool, Exhausted> {
    let Some(digits) = decimal
        .written_digits
        .filter(|digits| *digits >= LONG_DECIMAL_DIGITS)
    else {
        return Ok(false);
    };
    if matches!(
        exact,
        Expr::Number(Number {
            written_digits: Some(_),
            ..
        })
    ) || decimal.value.is_zero()
        || !substitution::free_symbols(&[exact]).is_empty()
    {
        return Ok(false);
    }
    let unit = last_digit_unit(&decimal.value, digits);
    if numeric::rounds_to(exact, &decimal.value, &unit, budget)? {
        return Ok(true);
    }
    // A number in double precision, printed so that it is read back: its last digit is none of the
    // exact number.
    if digits < DOUBLE_DIGITS {
        return Ok(false);
    }
    // Neighbouring doubles are at most this share of their value apart.
    let precision = &decimal.value * RBig::from_parts(1.into(), (1_u64 << 52).into());
    let unit = if precision.sign() == dashu_int::Sign::Negative {
        -precision
    } else {
        precision
    };
    numeric::rounds_to(exact, &decimal.value, &unit, budget)
}

/// The unit of the last of so many significant digits.
fn last_digit_unit(value: &RBig, digits: u32) -> RBig {
    let ten = RBig::from(10);
    let magnitude = if value.sign() == dashu_int::Sign::Negative {
        -value.clone()
    } else {
        value.clone()
    };
    // Decimals are short; their exponents are found by counting.
    let mut power = RBig::ONE;
    let mut exponent: i64 = 0;
    while power <= magnitude && exponent < 10_000 {
        power *= &ten;
        exponent += 1;
    }
    while &power / &ten > magnitude && exponent > -10_000 {
        power /= &ten;
        exponent -= 1;
    }
    let places = exponent - i64::from(digits);
    let scale = RBig::from(IBig::from(10).pow(places.unsigned_abs() as usize));
    if places < 0 { RBig::ONE / scale } else { scale }
}

/// Whether infinity occurs in the value of the expression, rather than as a bound inside an opaque
/// part.
fn is_infinite(expr: &Expr) -> bool {
    match expr {
        Expr::Constant(constant) => *constant == Constant::Infinity,
        Expr::Sum(parts) | Expr::Product(parts) => parts.iter().any(is_infinite),
        Expr::Power(base, exponent) => is_infinite(base) || is_infinite(exponent),
        _ => false,
    }
}

/// Whether the expression is plus infinity (`Some(true)`) or minus infinity (`Some(false)`): a
/// product of infinity and numbers.
pub(crate) fn infinite_sign(expr: &Expr) -> Option<bool> {
    match expr {
        Expr::Constant(Constant::Infinity) => Some(true),
        Expr::Product(factors) => {
            let mut infinite = false;
            let mut positive = true;
            for factor in factors {
                match factor {
                    Expr::Number(number) if !number.value.is_zero() => {
                        positive ^= number.value.sign() == dashu_int::Sign::Negative;
                    }
                    other => {
                        positive ^= !infinite_sign(other)?;
                        infinite = true;
                    }
                }
            }
            infinite.then_some(positive)
        }
        _ => None,
    }
}
