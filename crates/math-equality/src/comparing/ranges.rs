//! Intervals, unions of intervals, and the inequalities and set-builders that denote them.

use std::cmp::Ordering;

use super::linear::linear_in_symbol;
use super::relations::turn;
use super::{Verdict, quantities};
use crate::budget::{Budget, Exhausted};
use crate::equivalence::{equivalent, value_f64};
use crate::expr::{Constant, Expr, Symbol};
use crate::value::{Comparison, Interval, Value};

/// A set of real numbers: disjoint pieces in ascending order where their ends can be ordered, and
/// single points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pieces: Vec<Interval>,
}

/// Whether a value denotes a set of real numbers that is written as one.
pub(super) fn is_range(value: &Value) -> bool {
    match value {
        Value::Interval(_) => true,
        Value::Union(parts) => parts.iter().any(is_range),
        Value::Difference(..) | Value::SetBuilder(..) => of(value, false).is_some(),
        Value::NumberSet('R') => true,
        Value::Relation(operands, signs) => match signs.as_slice() {
            [Comparison::In] => operands.last().is_some_and(is_range),
            signs => signs.iter().all(is_inequality) && of(value, false).is_some(),
        },
        _ => false,
    }
}

fn is_inequality(sign: &Comparison) -> bool {
    use Comparison::{Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    matches!(
        sign,
        Less | LessOrEqual | Greater | GreaterOrEqual | NotEqual
    )
}

/// A pair may stand for an open interval where the other side is surely an interval.
pub(super) fn is_plain_pair_allowed(other: &Value) -> bool {
    is_range(other)
}

/// The set of real numbers that a value denotes, if any. A pair is one only where `pairs` says so.
pub(super) fn of(value: &Value, pairs: bool) -> Option<Range> {
    match value {
        Value::Interval(interval) => Some(Range {
            pieces: vec![interval.clone()],
        }),
        Value::Tuple(ends) if pairs && ends.len() == 2 => {
            let (lower, upper) = (ends[0].as_expr()?.clone(), ends[1].as_expr()?.clone());
            Some(Range {
                pieces: vec![Interval {
                    lower,
                    upper,
                    lower_closed: false,
                    upper_closed: false,
                }],
            })
        }
        Value::Set(elements) if pairs => {
            let points = elements
                .iter()
                .map(|element| element.as_expr().map(point))
                .collect::<Option<Vec<_>>>()?;
            Some(Range { pieces: points })
        }
        Value::Union(parts) => {
            let mut pieces = Vec::new();
            for part in parts {
                pieces.extend(of(part, true)?.pieces);
            }
            Some(Range { pieces })
        }
        Value::NumberSet('R') => Some(Range {
            pieces: vec![everything()],
        }),
        Value::Difference(from, removed) => {
            let (Value::NumberSet('R'), Value::Set(points)) = (from.as_ref(), removed.as_ref())
            else {
                return None;
            };
            without(
                points
                    .iter()
                    .map(|point| point.as_expr().cloned())
                    .collect::<Option<Vec<_>>>()?,
            )
        }
        Value::SetBuilder(element, conditions) => {
            let symbol = builder_symbol(element)?;
            match conditions.as_slice() {
                [condition] => solved(condition)
                    .filter(|(variable, _)| *variable == symbol)
                    .map(|(_, range)| range),
                _ => None,
            }
        }
        Value::Relation(operands, signs) if signs.as_slice() == [Comparison::In] => {
            of(operands.last()?, true)
        }
        Value::Relation(..) => solved(value).map(|(_, range)| range),
        _ => None,
    }
}

fn builder_symbol(element: &Value) -> Option<Symbol> {
    match element {
        Value::Relation(operands, signs) if signs.as_slice() == [Comparison::In] => {
            operands[0].as_symbol().cloned()
        }
        other => other.as_symbol().cloned(),
    }
}

/// An inequality in one variable, solved for it.
fn solved(relation: &Value) -> Option<(Symbol, Range)> {
    let Value::Relation(operands, signs) = relation else {
        return None;
    };
    match (operands.as_slice(), signs.as_slice()) {
        ([set_of, set], [Comparison::In]) => Some((set_of.as_symbol()?.clone(), of(set, true)?)),
        ([left, right], [sign]) if is_inequality(sign) => {
            one_sided(left.as_expr()?, right.as_expr()?, *sign)
        }
        ([low, middle, high], [first, second]) => {
            let symbol = middle.as_symbol()?.clone();
            let (low, high) = (low.as_expr()?, high.as_expr()?);
            between(low, high, *first, *second).map(|interval| {
                (
                    symbol,
                    Range {
                        pieces: vec![interval],
                    },
                )
            })
        }
        _ => None,
    }
}

/// `low < x ≤ high`, or the same written downwards.
fn between(low: &Expr, high: &Expr, first: Comparison, second: Comparison) -> Option<Interval> {
    use Comparison::{Greater, GreaterOrEqual, Less, LessOrEqual};
    match (first, second) {
        (Less | LessOrEqual, Less | LessOrEqual) => Some(Interval {
            lower: low.clone(),
            upper: high.clone(),
            lower_closed: first == LessOrEqual,
            upper_closed: second == LessOrEqual,
        }),
        (Greater | GreaterOrEqual, Greater | GreaterOrEqual) => {
            between(high, low, turn(second), turn(first))
        }
        _ => None,
    }
}

/// `left sign right`, linear in its only symbol.
fn one_sided(left: &Expr, right: &Expr, sign: Comparison) -> Option<(Symbol, Range)> {
    use Comparison::{Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    let difference = Expr::Sum(vec![left.clone(), right.clone().negated()]);
    // Solving is bounded by the size of an answer; what the comparison itself may cost is charged
    // to the caller's budget.
    let solution = linear_in_symbol(&difference, &mut Budget::new()).ok()??;
    // difference = slope · (x − root): a negative slope turns the sign.
    let sign = if solution.slope_is_negative {
        turn(sign)
    } else {
        sign
    };
    let root = solution.root;
    let range = match sign {
        Greater | GreaterOrEqual => Range {
            pieces: vec![above(root, sign == GreaterOrEqual)],
        },
        Less | LessOrEqual => Range {
            pieces: vec![below(root, sign == LessOrEqual)],
        },
        NotEqual => without(vec![root])?,
        _ => return None,
    };
    Some((solution.symbol, range))
}

fn infinity() -> Expr {
    Expr::Constant(Constant::Infinity)
}

fn everything() -> Interval {
    Interval {
        lower: infinity().negated(),
        upper: infinity(),
        lower_closed: false,
        upper_closed: false,
    }
}

fn above(lower: Expr, closed: bool) -> Interval {
    Interval {
        lower,
        upper: infinity(),
        lower_closed: closed,
        upper_closed: false,
    }
}

fn below(upper: Expr, closed: bool) -> Interval {
    Interval {
        lower: infinity().negated(),
        upper,
        lower_closed: false,
        upper_closed: closed,
    }
}

fn point(at: &Expr) -> Interval {
    Interval {
        lower: at.clone(),
        upper: at.clone(),
        lower_closed: true,
        upper_closed: true,
    }
}

/// The real line without these points; `None` where they cannot be ordered.
fn without(mut points: Vec<Expr>) -> Option<Range> {
    let order = |expr: &Expr| value_f64(expr);
    if points.iter().any(|point| order(point).is_none()) && points.len() > 1 {
        return None;
    }
    points.sort_by(|a, b| order(a).partial_cmp(&order(b)).unwrap_or(Ordering::Equal));
    let mut pieces = Vec::with_capacity(points.len() + 1);
    let mut lower = infinity().negated();
    for point in points {
        pieces.push(Interval {
            lower,
            upper: point.clone(),
            lower_closed: false,
            upper_closed: false,
        });
        lower = point;
    }
    pieces.push(above(lower, false));
    Some(Range { pieces })
}

/// The same pieces, wherever they stand.
pub(super) fn compare(
    left: &Range,
    right: &Range,
    budget: &mut Budget,
) -> Result<Verdict, Exhausted> {
    let mut free: Vec<&Interval> = right.pieces.iter().collect();
    let different = Verdict {
        equal: false,
        rule: "equal/range",
    };
    if free.len() != left.pieces.len() {
        return Ok(different);
    }
    for piece in &left.pieces {
        let mut partner = None;
        for (index, candidate) in free.iter().enumerate() {
            if same_piece(piece, candidate, budget)? {
                partner = Some(index);
                break;
            }
        }
        match partner {
            Some(index) => drop(free.remove(index)),
            None => return Ok(different),
        }
    }
    Ok(Verdict {
        equal: true,
        rule: "equal/range",
    })
}

/// The same ends of the same kind; an infinite end is open however it is written.
fn same_piece(left: &Interval, right: &Interval, budget: &mut Budget) -> Result<bool, Exhausted> {
    let closed = |closed: bool, end: &Expr| closed && !is_infinite(end);
    if closed(left.lower_closed, &left.lower) != closed(right.lower_closed, &right.lower)
        || closed(left.upper_closed, &left.upper) != closed(right.upper_closed, &right.upper)
    {
        return Ok(false);
    }
    Ok(equivalent(&left.lower, &right.lower, budget)?.equal
        && quantities::same_expression(&left.upper, &right.upper, budget)?)
}

fn is_infinite(expr: &Expr) -> bool {
    quantities::mentions(expr, &|part| {
        matches!(part, Expr::Constant(Constant::Infinity))
    })
}
