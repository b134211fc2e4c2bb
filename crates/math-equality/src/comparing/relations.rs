//! Equations, inequalities, systems.

use super::quantities::has_symbols;
use super::{Outcome, collections, different, either, equal, same};
use crate::budget::{Budget, Exhausted};
use crate::equivalence::proportional;
use crate::expr::{Expr, Symbol};
use crate::value::{Comparison, Quantity, Value};

/// Two relations that denote no range: the same name for the same thing, or the same equation up to
/// a factor.
pub(super) fn compare(left: &Value, right: &Value, budget: &mut Budget) -> Outcome {
    let (Value::Relation(a, a_signs), Value::Relation(b, b_signs)) = (left, right) else {
        return different("equal/kind");
    };
    if same_chain(a, a_signs, b, b_signs, budget)?
        || same_chain(a, a_signs, &reversed(b), &turned(b_signs), budget)?
    {
        return same("equal/relation");
    }
    if !is_equation(a_signs) || !is_equation(b_signs) {
        return different("equal/relation");
    }
    match (assignment(a), assignment(b)) {
        // `x = 2` and `y = 2` are different lines, while `y` and `f(x)` may name the same function.
        (Some((name, value)), Some((other, second))) => {
            let named_alike =
                equal(name, other, budget)? || (is_function(value) && is_function(second));
            if named_alike && equal(value, second, budget)? {
                return same("equal/assignment");
            }
        }
        (Some((_, value)), None) if a_signs.len() > 1 => {
            return compare(&assigned(a, value), right, budget);
        }
        (None, Some((_, value))) if b_signs.len() > 1 => {
            return compare(left, &assigned(b, value), budget);
        }
        _ => {}
    }
    match (difference(a), difference(b)) {
        // Without symbols any two equations that do not hold would be proportional.
        (Some(first), Some(second)) if has_symbols(&first) && has_symbols(&second) => either(
            proportional(&first, &second, budget)?.equal,
            "equal/equation",
        ),
        _ => different("equal/relation"),
    }
}

/// Whether the operands are pairwise equal under the same signs.
fn same_chain(
    a: &[Value],
    a_signs: &[Comparison],
    b: &[Value],
    b_signs: &[Comparison],
    budget: &mut Budget,
) -> Result<bool, Exhausted> {
    let unsigned = |sign: &Comparison| {
        if *sign == Comparison::Approximately {
            Comparison::Equal
        } else {
            *sign
        }
    };
    if !a_signs
        .iter()
        .map(unsigned)
        .eq(b_signs.iter().map(unsigned))
    {
        return Ok(false);
    }
    Ok(collections::in_order(a, b, budget)?.equal)
}

fn reversed(operands: &[Value]) -> Vec<Value> {
    operands.iter().rev().cloned().collect()
}

/// The signs of a chain read from right to left.
fn turned(signs: &[Comparison]) -> Vec<Comparison> {
    signs.iter().rev().map(|sign| turn(*sign)).collect()
}

/// The sign with its sides exchanged.
pub(super) fn turn(sign: Comparison) -> Comparison {
    match sign {
        Comparison::Less => Comparison::Greater,
        Comparison::LessOrEqual => Comparison::GreaterOrEqual,
        Comparison::Greater => Comparison::Less,
        Comparison::GreaterOrEqual => Comparison::LessOrEqual,
        other => other,
    }
}

fn is_equation(signs: &[Comparison]) -> bool {
    signs
        .iter()
        .all(|sign| matches!(sign, Comparison::Equal | Comparison::Approximately))
}

/// Name and value of `x = … = value` or `value = x`.
fn assignment(operands: &[Value]) -> Option<(&Value, &Value)> {
    let (first, last) = (operands.first()?, operands.last()?);
    if is_name(first) {
        Some((first, last))
    } else if is_name(last) && operands.len() == 2 {
        Some((last, first))
    } else {
        None
    }
}

/// `x = value` from a longer chain.
fn assigned(operands: &[Value], value: &Value) -> Value {
    Value::Relation(
        vec![operands[0].clone(), value.clone()],
        vec![Comparison::Equal],
    )
}

/// Something that names a value: a symbol, an unknown function, a single term of symbols such as
/// `|AB|` or `z^3`, a ratio, words. A sum is an expression of its own: `a + b = 0` does not say
/// that something is 0.
fn is_name(value: &Value) -> bool {
    fn is_term(expr: &Expr) -> bool {
        match expr {
            Expr::Symbol(_) | Expr::Call(..) => true,
            Expr::Apply(_, arguments) => arguments.iter().any(has_symbols),
            Expr::Power(base, _) => has_symbols(base),
            Expr::Product(factors) => factors.iter().all(is_term),
            Expr::Number(_) | Expr::Constant(_) | Expr::Sum(_) => false,
        }
    }
    match value {
        Value::Quantity(Quantity { expr, .. }) => is_term(expr),
        Value::Tuple(names) => names.iter().all(is_name),
        Value::Ratio(_) | Value::Text(_) | Value::Choice(_) => true,
        _ => false,
    }
}

fn is_function(value: &Value) -> bool {
    value.as_expr().is_some_and(has_symbols)
}

/// The value without the name in front: `3` for `x = 3`, `x = 1 + 2 = 3`, `1 + 2 = 3` and `3 = x`;
/// the set for `x \in A`.
pub(super) fn without_name<'v>(operands: &'v [Value], signs: &[Comparison]) -> Option<&'v Value> {
    if signs == [Comparison::In] {
        return operands.last();
    }
    if !is_equation(signs) {
        return None;
    }
    if let Some((_, value)) = assignment(operands) {
        // The last exact member counts: `x = 1/3 ≈ 0.333` says one third.
        let exact = operands
            .iter()
            .zip(std::iter::once(&Comparison::Equal).chain(signs));
        let before_rounding = exact
            .take_while(|(_, sign)| **sign == Comparison::Equal)
            .last()
            .map(|(value, _)| value);
        return match before_rounding {
            Some(found) if !is_name(found) => Some(found),
            _ => Some(value),
        };
    }
    let computed = operands
        .iter()
        .all(|operand| operand.as_expr().is_some_and(|expr| !has_symbols(expr)));
    if computed { operands.last() } else { None }
}

/// The values of `x = 1, y = 2`: in the order written, and in the order of the names where that is
/// another.
pub(super) fn coordinates(relations: &[Value]) -> Option<(Value, Option<Value>)> {
    let mut named = Vec::with_capacity(relations.len());
    for relation in relations {
        let Value::Relation(operands, signs) = relation else {
            return None;
        };
        let (name, value) = assignment(operands).filter(|_| is_equation(signs))?;
        named.push((name.as_symbol().cloned(), value.clone()));
    }
    let values = |named: &[(Option<Symbol>, Value)]| {
        Value::Tuple(named.iter().map(|(_, value)| value.clone()).collect())
    };
    let written = values(&named);
    let sorted = named.iter().all(|(name, _)| name.is_some()).then(|| {
        named.sort_by(|(a, _), (b, _)| a.cmp(b));
        values(&named)
    });
    Some((written, sorted))
}

/// `x = ±a` as two equations.
pub(super) fn plus_minus_branches(operands: &[Value], signs: &[Comparison]) -> Option<Value> {
    let (Value::PlusMinus(centre, distance), before) = operands.split_last()? else {
        return None;
    };
    if !is_equation(signs)
        || before
            .iter()
            .any(|operand| matches!(operand, Value::PlusMinus(..)))
    {
        return None;
    }
    let Value::List(values) = collections::plus_minus(centre.as_ref(), distance) else {
        return None;
    };
    let relation = |value: Value| {
        let operands = before.iter().cloned().chain([value]).collect();
        Value::Relation(operands, signs.to_vec())
    };
    Some(Value::List(values.into_iter().map(relation).collect()))
}

/// `left - right` of an equation with two sides.
fn difference(operands: &[Value]) -> Option<Expr> {
    match operands {
        [left, right] => Some(Expr::Sum(vec![
            left.as_expr()?.clone(),
            right.as_expr()?.clone().negated(),
        ])),
        _ => None,
    }
}
