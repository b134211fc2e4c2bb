//! Intervals, unions of intervals, and the inequalities and set-builders that denote them.

use std::cmp::Ordering;

use super::linear::linear_in_symbol;
use super::relations::turn;
use super::{EqualityDecision, quantities};
use crate::budget::{Budget, Exhausted};
use crate::equivalence::{equivalent, infinite_sign, value_f64};
use crate::expr::{Constant, Expr, Function, Symbol};
use crate::value::{Comparison, Interval, Value};

/// A set of real numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Range {
    /// Its pieces; single points are intervals of length 0.
    pieces: Vec<Interval>,
    /// The letter that an inequality speaks of; two of them that differ denote different things.
    variable: Option<Symbol>,
}

impl Range {
    fn of_pieces(pieces: Vec<Interval>) -> Self {
        Self {
            pieces,
            variable: None,
        }
    }
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
        // `x < 2 or x > 5`, `x > 2 and x < 5`: equations alone are no range.
        Value::List(parts) | Value::System(parts) | Value::Intersection(parts) => {
            parts
                .iter()
                .any(|part| !matches!(part, Value::Quantity(_)) && is_range(part))
                && of(value, false).is_some()
        }
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

/// `x ≠ 1`
fn is_exclusion(value: &Value) -> bool {
    matches!(value, Value::Relation(_, signs) if signs.as_slice() == [Comparison::NotEqual])
}

/// A pair may stand for an open interval where the other side is surely an interval.
pub(super) fn is_plain_pair_allowed(other: &Value) -> bool {
    is_range(other)
}

/// The set of real numbers that a value denotes, if any. A pair is one only where `pairs` says so.
pub(super) fn of(value: &Value, pairs: bool) -> Option<Range> {
    match value {
        Value::Interval(interval) => Some(Range::of_pieces(vec![interval.clone()])),
        Value::Tuple(ends) if pairs && ends.len() == 2 => {
            let (lower, upper) = (ends[0].as_expr()?.clone(), ends[1].as_expr()?.clone());
            Some(Range::of_pieces(vec![Interval {
                lower,
                upper,
                lower_closed: false,
                upper_closed: false,
            }]))
        }
        Value::Set(elements) if pairs => {
            let points = elements
                .iter()
                .map(|element| element.as_expr().map(point))
                .collect::<Option<Vec<_>>>()?;
            Some(Range::of_pieces(points))
        }
        Value::NumberSet('R') => Some(Range::of_pieces(vec![everything()])),
        Value::Union(parts) => union(parts, true),
        // `x ≠ 1, 4` excludes both, also where it says "or".
        Value::List(parts) if parts.iter().all(is_exclusion) => intersection(parts),
        // A list of numbers or of equations is no range: one part must be.
        Value::List(parts) => listed(parts, pairs),
        Value::Intersection(parts) => intersection(parts),
        Value::System(parts) => {
            let both = intersection(parts)?;
            if both.pieces.is_empty() {
                // `x < 2, x > 5` can only mean that either holds.
                union(parts, false)
            } else {
                Some(both)
            }
        }
        Value::Difference(from, removed) => {
            let (from, removed) = (of(from, true)?, of(removed, true)?);
            intersected(&from, &complement(&removed)?)
        }
        Value::SetBuilder(element, conditions) => {
            let (symbol, within) = builder(element)?;
            let mut range = within;
            for condition in conditions {
                let next = of(condition, false)?;
                if next.variable.as_ref() != Some(&symbol) {
                    return None;
                }
                range = Some(match range {
                    Some(range) => intersected(&range, &next)?,
                    None => next,
                });
            }
            // The letter is bound: `{x | x > 1}` and `{t | t > 1}` are one set.
            range.map(|range| Range::of_pieces(range.pieces))
        }
        Value::Relation(..) => solved(value),
        _ => None,
    }
}

/// What a comma or "or" makes of its parts: `[3, \infty), [0, \infty)` are two answers, since as one
/// set the first would say nothing. A set that is repeated is one answer.
fn listed(parts: &[Value], pairs: bool) -> Option<Range> {
    /// More sets are compared one by one.
    const MAX_SETS: usize = 64;
    if parts.iter().any(|part| matches!(part, Value::Relation(..))) {
        return union(parts, pairs);
    }
    if parts.len() > MAX_SETS {
        return None;
    }
    let mut distinct: Vec<&Value> = Vec::with_capacity(parts.len());
    for part in parts {
        if !distinct.contains(&part) {
            distinct.push(part);
        }
    }
    let all = union(distinct.iter().copied(), pairs)?;
    let apart = distinct.len() == 1 || !overlap(&all.pieces)?;
    apart.then_some(all)
}

/// All numbers of any part.
fn union<'v>(parts: impl IntoIterator<Item = &'v Value>, pairs: bool) -> Option<Range> {
    let mut all = Range::of_pieces(Vec::new());
    for part in parts {
        let part = of(part, pairs).or_else(|| root(part))?;
        all.variable = common_variable(&all, &part)?;
        all.pieces.extend(part.pieces);
    }
    Some(all)
}

/// Whether two of some pieces share more than an end; `None` where these have no order.
fn overlap(pieces: &[Interval]) -> Option<bool> {
    let ordered = ordered(pieces)?;
    let starts_within = |pair: &[Ordered]| {
        pair[1].lower < pair[0].upper && !same_place(pair[1].lower, pair[0].upper)
    };
    Some(ordered.windows(2).any(starts_within))
}

/// The numbers of every part.
fn intersection(parts: &[Value]) -> Option<Range> {
    let (first, others) = parts.split_first()?;
    let mut common = of(first, true)?;
    for part in others {
        common = intersected(&common, &of(part, true)?)?;
    }
    Some(common)
}

/// `x = 3` among inequalities.
fn root(value: &Value) -> Option<Range> {
    let Value::Relation(operands, signs) = value else {
        return None;
    };
    let ([name, number], [Comparison::Equal]) = (operands.as_slice(), signs.as_slice()) else {
        return None;
    };
    Some(Range {
        pieces: vec![point(number.as_expr()?)],
        variable: Some(name.as_symbol()?.clone()),
    })
}

/// The letter of both; `None` where they speak of different letters.
fn common_variable(left: &Range, right: &Range) -> Option<Option<Symbol>> {
    match (&left.variable, &right.variable) {
        (Some(a), Some(b)) if a != b => None,
        (a, b) => Some(a.clone().or_else(|| b.clone())),
    }
}

/// The letter of a set-builder, and the reals that it is taken from. Integers and rationals are no
/// ranges of reals.
fn builder(element: &Value) -> Option<(Symbol, Option<Range>)> {
    match element {
        Value::Relation(operands, signs) if signs.as_slice() == [Comparison::In] => {
            let symbol = operands[0].as_symbol()?.clone();
            let within = of(operands.last()?, true)?;
            Some((
                symbol.clone(),
                Some(Range {
                    variable: Some(symbol),
                    ..within
                }),
            ))
        }
        other => Some((other.as_symbol()?.clone(), None)),
    }
}

/// An inequality in one variable, solved for it.
fn solved(relation: &Value) -> Option<Range> {
    let Value::Relation(operands, signs) = relation else {
        return None;
    };
    match (operands.as_slice(), signs.as_slice()) {
        ([set_of, set], [Comparison::In]) => {
            let variable = Some(set_of.as_symbol()?.clone());
            Some(Range {
                variable,
                ..of(set, true)?
            })
        }
        ([left, right], [sign]) if is_inequality(sign) => {
            let (left, right) = (left.as_expr()?, right.as_expr()?);
            absolute(left, right, *sign)
                .or_else(|| absolute(right, left, turn(*sign)))
                .or_else(|| one_sided(left, right, *sign))
        }
        ([low, middle, high], [first, second]) if is_inequality(first) && is_inequality(second) => {
            let (low, high) = (low.as_expr()?, high.as_expr()?);
            if let Some(symbol) = middle.as_symbol() {
                let interval = between(low, high, *first, *second)?;
                return Some(Range {
                    pieces: vec![interval],
                    variable: Some(symbol.clone()),
                });
            }
            let middle = middle.as_expr()?;
            intersected(
                &one_sided(low, middle, *first)?,
                &one_sided(middle, high, *second)?,
            )
        }
        _ => None,
    }
}

/// `|x - 5| < 2`: both sides of the middle.
fn absolute(left: &Expr, right: &Expr, sign: Comparison) -> Option<Range> {
    use Comparison::{Greater, GreaterOrEqual, Less, LessOrEqual};
    let Expr::Apply(Function::Abs, inner) = left else {
        return None;
    };
    let inner = inner.first()?;
    // `|x| < 0` holds nowhere and `|x| > -1` everywhere: neither has two ends.
    if value_f64(right)? <= 0.0 {
        return None;
    }
    let above = one_sided(inner, &right.clone().negated(), turn(sign))?;
    let below = one_sided(inner, right, sign)?;
    match sign {
        Less | LessOrEqual => intersected(&above, &below),
        Greater | GreaterOrEqual => {
            let mut both = below;
            both.pieces.extend(above.pieces);
            Some(both)
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
fn one_sided(left: &Expr, right: &Expr, sign: Comparison) -> Option<Range> {
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
    let pieces = match sign {
        Greater | GreaterOrEqual => vec![above(root, sign == GreaterOrEqual)],
        Less | LessOrEqual => vec![below(root, sign == LessOrEqual)],
        NotEqual => vec![below(root.clone(), false), above(root, false)],
        _ => return None,
    };
    Some(Range {
        pieces,
        variable: Some(solution.symbol),
    })
}

/// The numbers that two sets share; `None` where their ends cannot be ordered.
fn intersected(left: &Range, right: &Range) -> Option<Range> {
    /// Sets in more pieces are compared part by part: one point after another is cut out of all.
    const MAX_PIECES: usize = 64;
    let variable = common_variable(left, right)?;
    let (left, right) = (ordered(&left.pieces)?, ordered(&right.pieces)?);
    let mut pieces = Vec::new();
    for a in &left {
        for b in &right {
            let lower = if later_start(a, b) { a } else { b };
            let upper = if earlier_end(a, b) { a } else { b };
            let piece = Ordered {
                piece: Interval {
                    lower: lower.piece.lower.clone(),
                    upper: upper.piece.upper.clone(),
                    lower_closed: lower.piece.lower_closed,
                    upper_closed: upper.piece.upper_closed,
                },
                lower: lower.lower,
                upper: upper.upper,
            };
            if !piece.is_empty() {
                pieces.push(piece.piece);
            }
        }
    }
    (pieces.len() <= MAX_PIECES).then_some(Range { pieces, variable })
}

/// All other real numbers.
fn complement(range: &Range) -> Option<Range> {
    let mut lower = (infinity().negated(), false);
    let mut pieces = Vec::new();
    for piece in merged(ordered(&range.pieces)?) {
        pieces.push(Interval {
            lower: lower.0,
            upper: piece.piece.lower.clone(),
            lower_closed: lower.1,
            upper_closed: !piece.piece.lower_closed,
        });
        // What belongs to the piece is missing beyond it, and the other way round.
        lower = (piece.piece.upper.clone(), !piece.piece.upper_closed);
    }
    pieces.push(Interval {
        lower: lower.0,
        upper: infinity(),
        lower_closed: lower.1,
        upper_closed: false,
    });
    let pieces = ordered(&pieces)?
        .into_iter()
        .filter(|piece| !piece.is_empty())
        .map(|piece| piece.piece)
        .collect();
    Some(Range {
        pieces,
        variable: range.variable.clone(),
    })
}

/// A piece with its ends as floating-point numbers, for their order.
#[derive(Clone)]
struct Ordered {
    piece: Interval,
    lower: f64,
    upper: f64,
}

impl Ordered {
    fn is_empty(&self) -> bool {
        // An interval of one place holds a point only where both ends belong to it.
        let point = same_place(self.lower, self.upper);
        let closed = self.piece.lower_closed && self.piece.upper_closed;
        (point && !closed) || (!point && self.lower > self.upper)
    }
}

/// Ends that agree to twelve digits are taken for one place; the comparison itself is exact.
fn same_place(a: f64, b: f64) -> bool {
    a == b || (a.is_finite() && b.is_finite() && (a - b).abs() <= 1e-12 * a.abs().max(1.0))
}

fn later_start(a: &Ordered, b: &Ordered) -> bool {
    if same_place(a.lower, b.lower) {
        !a.piece.lower_closed
    } else {
        a.lower > b.lower
    }
}

fn earlier_end(a: &Ordered, b: &Ordered) -> bool {
    if same_place(a.upper, b.upper) {
        !a.piece.upper_closed
    } else {
        a.upper < b.upper
    }
}

/// The pieces in ascending order; `None` where an end has no place on the line.
fn ordered(pieces: &[Interval]) -> Option<Vec<Ordered>> {
    let place = |end: &Expr| {
        if is_infinite(end) {
            // Where the sign is not known there is no place either.
            let positive = infinite_sign(end)?;
            return Some(if positive {
                f64::INFINITY
            } else {
                f64::NEG_INFINITY
            });
        }
        value_f64(end)
    };
    let mut ordered = Vec::with_capacity(pieces.len());
    for piece in pieces {
        ordered.push(Ordered {
            lower: place(&piece.lower)?,
            upper: place(&piece.upper)?,
            piece: piece.clone(),
        });
    }
    ordered.sort_by(|a, b| {
        let closed = |piece: &Ordered| !piece.piece.lower_closed;
        // No end is NaN: its value is finite or an infinity.
        a.lower
            .partial_cmp(&b.lower)
            .unwrap_or(Ordering::Equal)
            .then(closed(a).cmp(&closed(b)))
    });
    Some(ordered)
}

/// Pieces that touch or overlap as one.
fn merged(pieces: Vec<Ordered>) -> Vec<Ordered> {
    let mut merged: Vec<Ordered> = Vec::with_capacity(pieces.len());
    for next in pieces.into_iter().filter(|piece| !piece.is_empty()) {
        match merged.last_mut() {
            Some(last)
                if (next.lower < last.upper && !same_place(next.lower, last.upper))
                    || (same_place(next.lower, last.upper)
                        && (next.piece.lower_closed || last.piece.upper_closed)) =>
            {
                if !earlier_end(&next, last) {
                    last.upper = next.upper;
                    last.piece.upper = next.piece.upper;
                    last.piece.upper_closed = next.piece.upper_closed;
                }
            }
            _ => merged.push(next),
        }
    }
    merged
}

/// The pieces as they are compared: apart and in order where their ends have an order.
fn normalized(range: &Range) -> Vec<Interval> {
    match ordered(&range.pieces) {
        Some(pieces) if range.pieces.len() > 1 => merged(pieces)
            .into_iter()
            .map(|piece| piece.piece)
            .collect(),
        // One piece is compared as it stands: its ends may be letters, which have no order.
        _ => range.pieces.clone(),
    }
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

/// The same pieces, wherever they stand.
pub(super) fn compare(
    left: &Range,
    right: &Range,
    budget: &mut Budget,
) -> Result<EqualityDecision, Exhausted> {
    let different = EqualityDecision {
        equal: false,
        rule: "equal/range",
    };
    if common_variable(left, right).is_none() {
        return Ok(different);
    }
    let (left, right) = (normalized(left), normalized(right));
    let mut free: Vec<&Interval> = right.iter().collect();
    if free.len() != left.len() {
        return Ok(different);
    }
    for piece in &left {
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
    Ok(EqualityDecision {
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
