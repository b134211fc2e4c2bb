//! Units: do two of them exclude each other, and what is one in the other?
//!
//! Dimensions and sizes are data (`answer-normalizers/rewrites/units.toml`).

use std::collections::BTreeMap;

use dashu_ratio::RBig;

use crate::parser::measure;
use crate::value::Unit;

/// The size of a higher power is that of this one: the powers themselves tell them apart.
const MAX_POWER: i32 = 9;

/// What a compound of units measures: dimensions with their powers, and its size.
#[derive(Debug, PartialEq, Eq)]
struct Compound {
    dimensions: BTreeMap<String, i32>,
    size: RBig,
}

/// Whether two units exclude each other. Names of counted things never do: "5 apples" answers "how
/// many fruits".
pub(super) fn contradict(left: &Unit, right: &Unit) -> bool {
    match (left, right) {
        (Unit::Named(a), Unit::Named(b)) => a != b && names_contradict(a, b),
        (Unit::Money(a), Unit::Money(b)) => currency(a) != currency(b),
        // A bare dollar sign may be a slip of typesetting, and pounds are money or mass.
        (Unit::Money(money), Unit::Named(name)) | (Unit::Named(name), Unit::Money(money)) => {
            let pounds = money == "pound sterling" && name == "lb";
            is_measure(name) && money != "$" && !pounds
        }
        (Unit::Degrees, Unit::Named(name)) | (Unit::Named(name), Unit::Degrees) => {
            is_measure(name) && !matches!(name.as_str(), "°C" | "°F" | "rad")
        }
        (Unit::Percent, Unit::Named(name)) | (Unit::Named(name), Unit::Percent) => is_measure(name),
        (Unit::Percent, other) | (other, Unit::Percent) => *other != Unit::Percent,
        (Unit::Money(_), Unit::Degrees) | (Unit::Degrees, Unit::Money(_)) => true,
        (Unit::Degrees, Unit::Degrees) => false,
    }
}

/// The name of a currency written as a word or as a sign.
fn currency(name: &str) -> &str {
    if name == "$" { "dollar" } else { name }
}

fn names_contradict(left: &str, right: &str) -> bool {
    match (compound(left), compound(right)) {
        // The size counts too: 5 m is no 5 km.
        (Some(a), Some(b)) => a != b,
        _ => powers_contradict(left, right),
    }
}

/// Whether two units that measure nothing known are different powers of the same: a length is no
/// area, whatever its unit.
fn powers_contradict(left: &str, right: &str) -> bool {
    let parts = |name: &str| -> Option<(String, i16)> {
        let (unit, power) = name.split_once('^').unwrap_or((name, "1"));
        Some((unit.to_owned(), power.parse().ok()?))
    };
    match (parts(left), parts(right)) {
        (Some((unit, power)), Some((other, other_power))) => {
            !unit.contains([' ', '/']) && unit == other && power != other_power
        }
        _ => false,
    }
}

/// How many of the right unit one of the left is; `None` where they measure different things.
pub(super) fn conversion(left: &Unit, right: &Unit) -> Option<RBig> {
    let (Unit::Named(left), Unit::Named(right)) = (left, right) else {
        return None;
    };
    let (left, right) = (compound(left)?, compound(right)?);
    (left.dimensions == right.dimensions).then(|| left.size / right.size)
}

/// Units of measurement and their powers and quotients, as opposed to counted things.
pub(super) fn is_measure(name: &str) -> bool {
    compound(name).is_some()
}

/// `m/s^2` taken apart; `None` where a part of it measures nothing.
fn compound(name: &str) -> Option<Compound> {
    let mut dimensions = BTreeMap::new();
    let mut size = RBig::ONE;
    for (index, part) in name.split('/').enumerate() {
        let sign = if index == 0 { 1 } else { -1 };
        for factor in part.split_whitespace() {
            let (unit, power) = factor.split_once('^').unwrap_or((factor, "1"));
            let power = i32::from(power.parse::<i16>().ok()?);
            let measure = measure(unit)?;
            // A volume is a cube of a length, an area its square.
            let (dimension, times) = match measure.dimension.as_str() {
                "volume" => ("length", 3),
                "area" => ("length", 2),
                "frequency" => ("time", -1),
                other => (other, 1),
            };
            *dimensions.entry(dimension.to_owned()).or_insert(0) += sign * times * power;
            for _ in 0..power.abs().min(MAX_POWER) {
                if sign * power > 0 {
                    size *= &measure.size;
                } else {
                    size /= &measure.size;
                }
            }
        }
    }
    dimensions.retain(|_, power| *power != 0);
    let is_one = name.is_empty();
    (!is_one).then_some(Compound { dimensions, size })
}
