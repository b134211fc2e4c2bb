//! Sums of unit vectors, such as `3\mathbf{i}-2\mathbf{j}`, as tuples.

use super::reader::{Reading, Unreadable, plain};
use crate::{expr::Expr, value::Value};

/// Names that no variable can have.
const AXES: [&str; 3] = ["axis{i}", "axis{j}", "axis{k}"];

/// The unit vector of an axis while it is part of an expression.
pub(super) fn axis(axis: u8) -> Expr {
    Expr::symbol(AXES[usize::from(axis)])
}

/// The coordinates of a sum of multiples of unit vectors: three where the third axis is named,
/// otherwise two.
pub(super) fn tuple(value: Value, axes: u8) -> Reading<Value> {
    // Bit 2 is the third axis: `3i + 4j` lies in the plane unless it is named.
    let dimensions = if axes & 4 != 0 { 3 } else { 2 };
    let mut coordinates: Vec<Vec<Expr>> = vec![Vec::new(); dimensions];
    let Value::Quantity(_) = value else {
        return Ok(value);
    };
    let expr = plain(value)?;
    if !has_axis(&expr) {
        return Ok(Value::expr(expr));
    }
    collect(expr, Expr::integer(1), &mut coordinates)?;
    let whole = |terms: Vec<Expr>| match terms.len() {
        0 => Expr::integer(0),
        1 => terms.into_iter().next().expect("one term"),
        _ => Expr::Sum(terms),
    };
    Ok(Value::Tuple(
        coordinates
            .into_iter()
            .map(|terms| Value::expr(whole(terms)))
            .collect(),
    ))
}

fn has_axis(expr: &Expr) -> bool {
    match expr {
        Expr::Symbol(symbol) => AXES.contains(&&*symbol.0),
        Expr::Sum(list) | Expr::Product(list) => list.iter().any(has_axis),
        _ => false,
    }
}

/// Adds the terms of an expression times a factor to their coordinates.
fn collect(expr: Expr, factor: Expr, coordinates: &mut [Vec<Expr>]) -> Reading<()> {
    match expr {
        Expr::Symbol(symbol) => {
            let axis = AXES
                .iter()
                .position(|name| *name == &*symbol.0)
                .ok_or(Unreadable)?;
            coordinates.get_mut(axis).ok_or(Unreadable)?.push(factor);
            Ok(())
        }
        Expr::Sum(terms) => terms
            .into_iter()
            .try_for_each(|term| collect(term, factor.clone(), coordinates)),
        Expr::Product(mut factors) => {
            let vector = factors.iter().position(has_axis).ok_or(Unreadable)?;
            let vector = factors.remove(vector);
            if factors.iter().any(has_axis) {
                return Err(Unreadable);
            }
            let negative = factor == Expr::integer(-1);
            if !negative && factor != Expr::integer(1) {
                factors.insert(0, factor);
            }
            let factor = if factors.len() == 1 {
                factors.remove(0)
            } else {
                Expr::Product(factors)
            };
            collect(
                vector,
                if negative { factor.negated() } else { factor },
                coordinates,
            )
        }
        _ => Err(Unreadable),
    }
}
