//! Lists, sets, tuples, unions, matrices, cases.

use super::{Outcome, compare, different, either, equal};
use crate::budget::{Budget, Exhausted};
use crate::expr::Expr;
use crate::value::{Interval, Value};

/// The same elements at the same places.
pub(super) fn in_order(left: &[Value], right: &[Value], budget: &mut Budget) -> Outcome {
    if left.len() != right.len() {
        return different("equal/length");
    }
    for (a, b) in left.iter().zip(right) {
        if !equal(a, b, budget)? {
            return different("equal/in_order");
        }
    }
    either(true, "equal/in_order")
}

/// The same elements, wherever they stand; where one side has more of them, an element that is
/// repeated counts once. Each element is
/// given to the first free partner: equality is transitive up to units and names, so that a wrong
/// partner is never taken from another.
pub(super) fn in_any_order(left: &[Value], right: &[Value], budget: &mut Budget) -> Outcome {
    // Repetitions are looked for only where the counts differ: that takes quadratically many
    // comparisons.
    if left.len() == right.len() {
        return either(matched(left, right, budget, equal)?, "equal/in_any_order");
    }
    let (left, right) = (distinct(left, budget)?, distinct(right, budget)?);
    if left.len() != right.len() {
        return different("equal/length");
    }
    either(matched(&left, &right, budget, equal)?, "equal/in_any_order")
}

/// The elements without repetitions.
fn distinct(elements: &[Value], budget: &mut Budget) -> Result<Vec<Value>, Exhausted> {
    let mut kept: Vec<Value> = Vec::with_capacity(elements.len());
    for element in elements {
        let mut is_new = true;
        for earlier in &kept {
            is_new = is_new && !equal(earlier, element, budget)?;
        }
        if is_new {
            kept.push(element.clone());
        }
    }
    Ok(kept)
}

/// The one value that all elements of a list have, as in `\frac{3}{4} \text{ or } 0.75`.
pub(super) fn only_value<'v>(
    elements: &'v [Value],
    budget: &mut Budget,
) -> Result<Option<&'v Value>, Exhausted> {
    let Some((first, others)) = elements.split_first() else {
        return Ok(None);
    };
    for other in others {
        if !equal(first, other, budget)? {
            return Ok(None);
        }
    }
    Ok(Some(first))
}

/// Whether each element of one side has a partner of its own on the other.
fn matched<T>(
    left: &[T],
    right: &[T],
    budget: &mut Budget,
    pairs: impl Fn(&T, &T, &mut Budget) -> Result<bool, Exhausted>,
) -> Result<bool, Exhausted> {
    let mut free: Vec<&T> = right.iter().collect();
    for element in left {
        let mut partner = None;
        for (index, candidate) in free.iter().enumerate() {
            if pairs(element, candidate, budget)? {
                partner = Some(index);
                break;
            }
        }
        match partner {
            Some(index) => drop(free.remove(index)),
            None => return Ok(false),
        }
    }
    Ok(free.is_empty())
}

/// The same entries in the same shape.
pub(super) fn matrices(left: &[Vec<Value>], right: &[Vec<Value>], budget: &mut Budget) -> Outcome {
    if left.len() != right.len() {
        return different("equal/shape");
    }
    for (a, b) in left.iter().zip(right) {
        if a.len() != b.len() {
            return different("equal/shape");
        }
        let row = in_order(a, b, budget)?;
        if !row.equal {
            return different("equal/matrix");
        }
    }
    either(true, "equal/matrix")
}

/// A row or a column against coordinates.
pub(super) fn vector(rows: &[Vec<Value>], items: &[Value], budget: &mut Budget) -> Outcome {
    match rows {
        [row] => in_order(row, items, budget),
        column if column.iter().all(|row| row.len() == 1) => {
            let entries: Vec<Value> = column.iter().map(|row| row[0].clone()).collect();
            in_order(&entries, items, budget)
        }
        // `[[1, 2], [3, 4]]`
        rows => match items.iter().map(row).collect::<Option<Vec<_>>>() {
            Some(items) => matrices(rows, &items, budget),
            None => different("equal/shape"),
        },
    }
}

/// A row of a matrix in brackets of lists; two numbers in square brackets were read as an interval.
fn row(item: &Value) -> Option<Vec<Value>> {
    match item {
        Value::Tuple(entries) => Some(entries.clone()),
        Value::Interval(interval) if interval.lower_closed && interval.upper_closed => Some(vec![
            Value::expr(interval.lower.clone()),
            Value::expr(interval.upper.clone()),
        ]),
        _ => None,
    }
}

/// The same element under the same conditions.
pub(super) fn set_builders(
    left: (&Value, &[Value]),
    right: (&Value, &[Value]),
    budget: &mut Budget,
) -> Outcome {
    let elements = compare(left.0, right.0, budget)?;
    if !elements.equal {
        return Ok(elements);
    }
    in_any_order(left.1, right.1, budget)
}

type Case = (Value, Option<Value>);

/// The same cases, in any order.
pub(super) fn cases(left: &[Case], right: &[Case], budget: &mut Budget) -> Outcome {
    if left.len() != right.len() {
        return different("equal/length");
    }
    let same_case = |a: &Case, b: &Case, budget: &mut Budget| {
        Ok(equal(&a.0, &b.0, budget)?
            && match (&a.1, &b.1) {
                (Some(a), Some(b)) => equal(a, b, budget)?,
                // "Otherwise" stands for whatever condition is left.
                _ => true,
            })
    };
    either(matched(left, right, budget, same_case)?, "equal/cases")
}

/// `a ± b` as its two values.
pub(super) fn plus_minus(centre: Option<&Expr>, distance: &Expr) -> Value {
    let branch = |distance: Expr| match centre {
        Some(centre) => Expr::Sum(vec![centre.clone(), distance]),
        None => distance,
    };
    Value::List(vec![
        Value::expr(branch(distance.clone())),
        Value::expr(branch(distance.clone().negated())),
    ])
}

/// `[3, 5]` as a list in brackets against `3, 5`.
pub(super) fn bracketed_pair(interval: &Interval, items: &[Value], budget: &mut Budget) -> Outcome {
    if !(interval.lower_closed && interval.upper_closed) {
        return different("equal/kind");
    }
    let ends = [
        Value::expr(interval.lower.clone()),
        Value::expr(interval.upper.clone()),
    ];
    in_order(&ends, items, budget)
}
