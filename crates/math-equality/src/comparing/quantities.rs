//! Numbers with units, ratios, times.

use dashu_int::IBig;
use dashu_ratio::RBig;

use super::{Outcome, constants, determinants, different, either, same, units};
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
        (Some(Unit::Degrees), Some(Unit::Named(name))) if name == "rad" => {
            radians(&left.expr, &right.expr, budget)
        }
        (Some(Unit::Named(name)), Some(Unit::Degrees)) if name == "rad" => {
            radians(&right.expr, &left.expr, budget)
        }
        (Some(a), Some(b)) if units::contradict(a, b) => match units::conversion(a, b) {
            Some(factor) if budget.options().units == Units::MayBeConverted => {
                let factor = Expr::Number(Number::exact(factor));
                let converted = Expr::Product(vec![left.expr.clone(), factor]);
                let equal = equivalent(&converted, &right.expr, budget)?.equal;
                either(equal, "equal/converted")
            }
            _ => different("equal/unit"),
        },
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
    let (first, second) = (
        determinants::written_out(left),
        determinants::written_out(right),
    );
    // Only one against a plain value: of two determinants with one value the entries decide, above.
    if first.is_some() != second.is_some() {
        let (first, second) = (
            first.as_ref().unwrap_or(left),
            second.as_ref().unwrap_or(right),
        );
        let decision = equivalent(first, second, budget)?;
        return either(decision.equal, decision.rule);
    }
    if !direct.equal && degree_signs_differ(left, right) {
        let equal = equivalent(&without_degrees(left), &without_degrees(right), budget)?.equal;
        if equal {
            return same("equal/degree_sign_missing");
        }
    }
    if !direct.equal
        && let Some((left, right)) = magnitude(left, right).or_else(|| magnitude(right, left))
    {
        return either(equivalent(&left, &right, budget)?.equal, "equal/magnitude");
    }
    if !direct.equal && constants::equal_after_renaming(left, right, budget)? {
        return same("equal/constants_renamed");
    }
    either(direct.equal, direct.rule)
}

/// `1.2M` and `5k` against a number: a letter behind a number that means thousands or millions.
fn magnitude(short: &Expr, number: &Expr) -> Option<(Expr, Expr)> {
    let (Expr::Product(factors), Expr::Number(_)) = (short, number) else {
        return None;
    };
    let [Expr::Number(count), Expr::Symbol(letter)] = factors.as_slice() else {
        return None;
    };
    let thousands = match &*letter.0 {
        "k" | "K" => 1_000,
        "M" => 1_000_000,
        "B" => 1_000_000_000_i64,
        _ => return None,
    };
    let value = Number::exact(&count.value * RBig::from(thousands));
    Some((Expr::Number(value), number.clone()))
}

/// `180° - 2α` against `180 - 2α`: with letters, the degree signs of one side may be missing.
fn degree_signs_differ(left: &Expr, right: &Expr) -> bool {
    let is_degrees = |expr: &Expr| matches!(expr, Expr::Apply(Function::Degrees, _));
    mentions(left, &is_degrees) != mentions(right, &is_degrees)
        && has_symbols(left)
        && has_symbols(right)
}

/// The terms without their degree signs; what stands inside a function keeps them.
fn without_degrees(expr: &Expr) -> Expr {
    match expr {
        Expr::Apply(Function::Degrees, arguments) => arguments[0].clone(),
        Expr::Sum(parts) => Expr::Sum(parts.iter().map(without_degrees).collect()),
        Expr::Product(parts) => Expr::Product(parts.iter().map(without_degrees).collect()),
        other => other.clone(),
    }
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
    // Only a number with π is surely meant in radians.
    let holds_pi = mentions(bare, &|expr| matches!(expr, Expr::Constant(Constant::Pi)));
    let radians = Expr::Apply(Function::Degrees, vec![degrees.clone()]);
    either(
        holds_pi && expressions(&radians, bare, budget)?.equal,
        "equal/radians",
    )
}

/// An angle in degrees against one in radians: the same angle, not the same number.
fn radians(degrees: &Expr, radians: &Expr, budget: &mut Budget) -> Outcome {
    let in_radians = Expr::Apply(Function::Degrees, vec![degrees.clone()]);
    either(
        expressions(&in_radians, radians, budget)?.equal,
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

/// Whether a unit says something that the number alone does not: a measure or a currency, as
/// opposed to counted things.
fn measures(unit: &Unit) -> bool {
    match unit {
        Unit::Named(name) => units::is_measure(name),
        Unit::Money(_) => true,
        Unit::Percent | Unit::Degrees => false,
    }
}

/// Ratios with as many parts, each pair of parts in the same proportion.
pub(super) fn ratios(left: &[Expr], right: &[Expr], budget: &mut Budget) -> Outcome {
    if left.len() != right.len() {
        return different("equal/length");
    }
    for index in 1..left.len() {
        // Crosswise and not as quotients: a part may be zero.
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

/// The same time; `a.m.` and `p.m.` may be missing on one side, and the other may count to 24.
pub(super) fn same_time(left: &Time, right: &Time) -> bool {
    let clock = |time: &Time| (time.hours, time.minutes, time.seconds);
    match (left.afternoon, right.afternoon) {
        (Some(a), Some(b)) => clock(left) == clock(right) && a == b,
        (None, None) => clock(left) == clock(right),
        (Some(_), None) => clock(left) == clock(right) || of_24_hours(left) == clock(right),
        (None, Some(_)) => clock(left) == clock(right) || clock(left) == of_24_hours(right),
    }
}

/// Hours counted to 24, minutes and seconds.
fn of_24_hours(time: &Time) -> (u32, u32, u32) {
    let hours = match (time.afternoon, time.hours) {
        (Some(true), hours @ 1..=11) => hours + 12,
        (Some(false), 12) => 0,
        (_, hours) => hours,
    };
    (hours, time.minutes, time.seconds)
}

/// `3:45` read as a ratio on one side.
pub(super) fn time_as_ratio(time: &Time, parts: &[Expr]) -> bool {
    let is = |part: &Expr, number: u32| *part == Expr::integer(i64::from(number));
    let written = [(time.hours, time.minutes, time.seconds), of_24_hours(time)];
    (2..=3).contains(&parts.len())
        && written.iter().any(|(hours, minutes, seconds)| {
            parts
                .iter()
                .zip([*hours, *minutes, *seconds])
                .all(|(part, number)| is(part, number))
        })
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
            // Above ten a digit may be a letter, which no number is read with.
            (2..=10).contains(&base)
                && number.value.to_string() == value.in_radix(base as u8).to_string()
        }
        _ => false,
    }
}
