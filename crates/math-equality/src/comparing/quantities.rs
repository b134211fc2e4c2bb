//! Numbers with units, ratios, times.

use dashu_int::IBig;
use dashu_ratio::RBig;

use super::{Outcome, constants, different, either, same};
use crate::budget::{Budget, Exhausted};
use crate::equivalence::equivalent;
use crate::expr::{Constant, Expr, Function, Number};
use crate::options::{Percent, Units};
use crate::value::{Quantity, Time, Unit};

/// Two quantities: the same expression under units that do not contradict each other.
pub(super) fn compare(left: &Quantity, right: &Quantity, budget: &mut Budget) -> Outcome {
    match (&left.unit, &right.unit) {
        (Some(Unit::Percent), Some(Unit::Percent)) => expressions(&left.expr, &right.expr, budget),
        (Some(Unit::Percent), None) => percentage(&left.expr, &right.expr, budget),
        (None, Some(Unit::Percent)) => percentage(&right.expr, &left.expr, budget),
        (Some(Unit::Degrees), None) => angle(&left.expr, &right.expr, budget),
        (None, Some(Unit::Degrees)) => angle(&right.expr, &left.expr, budget),
        (Some(a), Some(b)) if contradict(a, b) => different("equal/unit"),
        (Some(unit), None) | (None, Some(unit))
            if budget.options().units == Units::MustAgree && measures(unit) =>
        {
            different("equal/unit")
        }
        _ => expressions(&left.expr, &right.expr, budget),
    }
}

/// Two expressions, unnamed constants matched up to renaming.
pub(super) fn expressions(left: &Expr, right: &Expr, budget: &mut Budget) -> Outcome {
    let direct = equivalent(left, right, budget)?;
    if !direct.equal && constants::equal_after_renaming(left, right, budget)? {
        return same("equal/constants_renamed");
    }
    either(direct.equal, direct.rule)
}

/// A percentage against a number without the sign: the sign is missing, or the number is the
/// proportion.
fn percentage(percent: &Expr, bare: &Expr, budget: &mut Budget) -> Outcome {
    if budget.options().percent == Percent::SignMayBeMissing
        && expressions(percent, bare, budget)?.equal
    {
        return same("equal/percent_sign_missing");
    }
    let proportion = Expr::Product(vec![percent.clone(), hundredth()]);
    either(
        expressions(&proportion, bare, budget)?.equal,
        "equal/percent",
    )
}

fn hundredth() -> Expr {
    Expr::Number(Number::exact(RBig::from_parts(1.into(), 100u8.into())))
}

/// An angle in degrees against a number without the sign: the sign is missing, or the number is in
/// radians.
fn angle(degrees: &Expr, bare: &Expr, budget: &mut Budget) -> Outcome {
    if expressions(degrees, bare, budget)?.equal {
        return same("equal/degree_sign_missing");
    }
    let holds_pi = mentions(bare, &|expr| matches!(expr, Expr::Constant(Constant::Pi)));
    let radians = Expr::Apply(Function::Degrees, vec![degrees.clone()]);
    either(
        holds_pi && expressions(&radians, bare, budget)?.equal,
        "equal/radians",
    )
}

/// Whether any part of an expression satisfies the test.
pub(super) fn mentions(expr: &Expr, test: &impl Fn(&Expr) -> bool) -> bool {
    test(expr)
        || match expr {
            Expr::Sum(parts)
            | Expr::Product(parts)
            | Expr::Apply(_, parts)
            | Expr::Call(_, parts) => parts.iter().any(|part| mentions(part, test)),
            Expr::Power(base, exponent) => mentions(base, test) || mentions(exponent, test),
            Expr::Number(_) | Expr::Constant(_) | Expr::Symbol(_) => false,
        }
}

/// Whether an expression has a free symbol or an unknown function. The first argument of an opaque
/// operator is its name.
pub(super) fn has_symbols(expr: &Expr) -> bool {
    match expr {
        Expr::Symbol(_) | Expr::Call(..) => true,
        Expr::Number(_) | Expr::Constant(_) => false,
        Expr::Apply(Function::Opaque, arguments) => arguments.iter().skip(1).any(has_symbols),
        Expr::Sum(parts) | Expr::Product(parts) | Expr::Apply(_, parts) => {
            parts.iter().any(has_symbols)
        }
        Expr::Power(base, exponent) => has_symbols(base) || has_symbols(exponent),
    }
}

/// Whether two units exclude each other. Names of counted things never do: "5 apples" answers "how
/// many fruits".
fn contradict(left: &Unit, right: &Unit) -> bool {
    match (left, right) {
        (Unit::Named(a), Unit::Named(b)) => a != b && is_measure(a) && is_measure(b),
        (Unit::Money(a), Unit::Money(b)) => a != b,
        (Unit::Percent | Unit::Degrees, Unit::Percent | Unit::Degrees) => left != right,
        _ => false,
    }
}

/// Whether a unit says something that the number alone does not: a measure or a currency, as
/// opposed to counted things.
fn measures(unit: &Unit) -> bool {
    match unit {
        Unit::Named(name) => is_measure(name),
        Unit::Money(_) => true,
        Unit::Percent | Unit::Degrees => false,
    }
}

/// Units of measurement and their powers and quotients, as opposed to counted things.
fn is_measure(name: &str) -> bool {
    const MEASURES: [&str; 24] = [
        "mm", "cm", "dm", "m", "km", "in", "ft", "yd", "mi", "mg", "g", "kg", "t", "oz", "lb",
        "ml", "l", "s", "min", "h", "day", "week", "month", "year",
    ];
    MEASURES.contains(&name.split(['^', '/']).next().unwrap_or_default())
}

/// Ratios with as many parts, each pair of parts in the same proportion.
pub(super) fn ratios(left: &[Expr], right: &[Expr], budget: &mut Budget) -> Outcome {
    if left.len() != right.len() {
        return different("equal/length");
    }
    for index in 1..left.len() {
        let crossed = |a: &Expr, b: &Expr| Expr::Product(vec![a.clone(), b.clone()]);
        let (first, second) = (
            crossed(&left[0], &right[index]),
            crossed(&left[index], &right[0]),
        );
        if !equivalent(&first, &second, budget)?.equal {
            return different("equal/ratio");
        }
    }
    either(true, "equal/ratio")
}

/// `a : b` against `a / b`.
pub(super) fn ratio_as_quotient(
    parts: &[Expr],
    quantity: &Quantity,
    budget: &mut Budget,
) -> Outcome {
    match parts {
        [first, second] => expressions(&first.clone().over(second.clone()), &quantity.expr, budget),
        _ => different("equal/kind"),
    }
}

/// The same time; `a.m.` and `p.m.` may be missing on one side.
pub(super) fn same_time(left: &Time, right: &Time) -> bool {
    let clock = |time: &Time| (time.hours, time.minutes, time.seconds);
    let halves_agree = match (left.afternoon, right.afternoon) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    };
    clock(left) == clock(right) && halves_agree
}

/// `3:45` read as a ratio on one side.
pub(super) fn time_as_ratio(time: &Time, parts: &[Expr]) -> bool {
    let written = [time.hours, time.minutes, time.seconds];
    let is = |part: &Expr, number: u32| *part == Expr::integer(i64::from(number));
    (2..=3).contains(&parts.len())
        && parts
            .iter()
            .zip(written)
            .all(|(part, number)| is(part, number))
}

/// Whether two expressions are equal, constants not renamed.
pub(super) fn same_expression(
    left: &Expr,
    right: &Expr,
    budget: &mut Budget,
) -> Result<bool, Exhausted> {
    Ok(equivalent(left, right, budget)?.equal)
}

/// A number written in another base against its digits without the base.
pub(super) fn base_missing(value: &IBig, base: u32, quantity: &Quantity) -> bool {
    match &quantity.expr {
        Expr::Number(number) if quantity.unit.is_none() => {
            (2..=10).contains(&base)
                && number.value.to_string() == value.in_radix(base as u8).to_string()
        }
        _ => false,
    }
}
