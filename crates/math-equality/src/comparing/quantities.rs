//! Numbers with units, ratios, times.

use dashu_int::IBig;
use dashu_ratio::RBig;

use super::{Outcome, constants, determinants, different, either, same, units};
use crate::budget::{Budget, Exhausted};
use crate::equivalence::{equivalent, value_f64};
use crate::expr::{Constant, Expr, Function, Number};
use crate::options::{Percent, Units};
use crate::value::{Quantity, Time, Unit, Value};

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
    if !direct.equal
        && let Some((left, right)) = capital_base(left, right).or_else(|| capital_base(right, left))
    {
        return either(equivalent(&left, &right, budget)?.equal, direct.rule);
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

/// Whether a number, rounded to so many decimal places, is the other one.
pub(crate) fn rounds_to(exact: &Value, rounded: &Value, places: i32) -> bool {
    /// More than any error of a machine number that has one.
    const MARGIN: f64 = 1e-9;
    let (Value::Quantity(exact), Value::Quantity(rounded)) = (exact, rounded) else {
        return false;
    };
    let agree = match (&exact.unit, &rounded.unit) {
        (Some(a), Some(b)) => a == b,
        (Some(unit), None) | (None, Some(unit)) => *unit != Unit::Percent,
        (None, None) => true,
    };
    let Expr::Number(number) = &rounded.expr else {
        return false;
    };
    let ten = RBig::from(10);
    let scale = (0..places.unsigned_abs().min(64)).fold(RBig::ONE, |scale, _| scale * &ten);
    let (target, in_units) = if places < 0 {
        (&number.value / &scale, RBig::ONE / &scale)
    } else {
        (&number.value * &scale, scale)
    };
    if !agree || !target.is_int() {
        return false;
    }
    let half = RBig::from_parts(1.into(), 2_u8.into());
    if let Expr::Number(exact) = &exact.expr {
        let value = &exact.value * &in_units;
        let negative = value < RBig::ZERO;
        let magnitude = if negative { -value } else { value };
        let nearest = RBig::from((magnitude + half).floor());
        return target == if negative { -nearest } else { nearest };
    }
    // `1°` is no rounded π/3, which is meant in radians.
    let may_be_radians = rounded.unit == Some(Unit::Degrees) && exact.unit.is_none();
    if may_be_radians || has_symbols(&exact.expr) {
        return false;
    }
    let Some(value) = value_f64(&exact.expr).filter(|value| value.is_finite()) else {
        return false;
    };
    let distance = (value * in_units.to_f64().value() - target.to_f64().value()).abs();
    distance < 0.5 - MARGIN * (1.0 + value.abs())
}

/// `E^{-x}` of computer algebra against `e^{-x}`: the capital only ever raised to letters, and the
/// other side raises e.
fn capital_base(capital: &Expr, plain: &Expr) -> Option<(Expr, Expr)> {
    fn with_small_base(expr: &Expr, found: &mut bool) -> Option<Expr> {
        let all = |parts: &[Expr], found: &mut bool| {
            let parts = parts.iter().map(|part| with_small_base(part, found));
            parts.collect::<Option<Vec<_>>>()
        };
        Some(match expr {
            Expr::Power(base, exponent) if is_capital(base) && has_symbols(exponent) => {
                *found = true;
                let exponent = with_small_base(exponent, found)?;
                Expr::Power(Box::new(Expr::Constant(Constant::E)), Box::new(exponent))
            }
            part if is_capital(part) => return None,
            Expr::Number(_) | Expr::Constant(_) | Expr::Symbol(_) => expr.clone(),
            Expr::Power(base, exponent) => Expr::Power(
                Box::new(with_small_base(base, found)?),
                Box::new(with_small_base(exponent, found)?),
            ),
            Expr::Sum(parts) => Expr::Sum(all(parts, found)?),
            Expr::Product(parts) => Expr::Product(all(parts, found)?),
            Expr::Apply(function, parts) => Expr::Apply(*function, all(parts, found)?),
            Expr::Call(name, parts) => Expr::Call(name.clone(), all(parts, found)?),
        })
    }
    let is_e = |part: &Expr| matches!(part, Expr::Constant(Constant::E));
    if !mentions(plain, &is_e)
        || mentions(plain, &is_capital)
        || mentions(capital, &is_e)
        || !mentions(capital, &is_capital)
    {
        return None;
    }
    let mut found = false;
    let small = with_small_base(capital, &mut found)?;
    found.then(|| (small, plain.clone()))
}

fn is_capital(expr: &Expr) -> bool {
    matches!(expr, Expr::Symbol(name) if &*name.0 == "E")
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
pub(super) fn base_missing(value: &RBig, base: u32, quantity: &Quantity) -> bool {
    match &quantity.expr {
        Expr::Number(number) if quantity.unit.is_none() => {
            // Above ten a digit may be a letter, which no number is read with.
            (2..=10).contains(&base) && digits_of(value, base).as_ref() == Some(&number.value)
        }
        _ => false,
    }
}

/// The number that the digits of a value in a base are when they are read in base ten.
fn digits_of(value: &RBig, base: u32) -> Option<RBig> {
    /// More places than this no one writes.
    const MAX_PLACES: usize = 64;
    let base_value = RBig::from(base);
    let (mut whole, mut places) = (value.clone(), 0);
    while !whole.is_int() {
        places += 1;
        if places > MAX_PLACES {
            return None;
        }
        whole *= &base_value;
    }
    let digits = whole.numerator().in_radix(base as u8).to_string();
    let digits = IBig::from_str_radix(&digits, 10).ok()?;
    Some(RBig::from_parts(
        digits,
        dashu_int::UBig::from(10_u8).pow(places),
    ))
}
