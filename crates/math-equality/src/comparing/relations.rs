//! Equations, inequalities, systems.

use super::quantities::has_symbols;
use super::{
    EqualityDecision, Outcome, collections, determinants, different, either, equal, names, same,
};
use crate::budget::{Budget, Exhausted};
use crate::equivalence::proportional;
use crate::expr::{Expr, Function, Symbol};
use crate::value::{Comparison, Quantity, Value};
use dashu_ratio::RBig;

/// Two relations that denote no range: the same name for the same thing, or the same equation up to
/// a factor.
pub(super) fn compare(left: &Value, right: &Value, budget: &mut Budget) -> Outcome {
    let (Value::Relation(a, a_signs), Value::Relation(b, b_signs)) = (left, right) else {
        return different("equal/kind");
    };
    if same_chain(a, a_signs, b, b_signs, budget)?
        || (!(has_determinant(a) && has_determinant(b))
            && same_chain(a, a_signs, &reversed(b), &turned(b_signs), budget)?)
    {
        return same("equal/relation");
    }
    // Below, sides are exchanged and multiplied, which would turn an inequality.
    if !is_equation(a_signs) || !is_equation(b_signs) {
        return different("equal/relation");
    }
    match (assignment(a), assignment(b)) {
        // `x = 2` and `y = 2` are different lines, `y` and `f(x)` may name the same function.
        (Some((name, value)), Some((other, second))) => {
            let named_alike = equal(name, other, budget)?
                || (is_function(value)
                    && is_function(second)
                    && names::may_name_the_same(name, other));
            if named_alike && equal(value, second, budget)? {
                return same("equal/assignment");
            }
        }
        // `x = 1 + 2 = 3`: what stands between the name and the last value is working.
        (Some((_, value)), None) if a_signs.len() > 1 => {
            return compare(&assigned(a, value), right, budget);
        }
        (None, Some((_, value))) if b_signs.len() > 1 => {
            return compare(left, &assigned(b, value), budget);
        }
        _ => {}
    }
    match (difference(a), difference(b)) {
        // Without unknowns the difference of the sides is a constant, and any two constants are
        // factors of each other: `f(2) = 5` is compared name, point and value.
        (Some(first), Some(second)) if has_unknowns(&first) && has_unknowns(&second) => either(
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
    // `f(x) ≡ 0` says that it is 0 everywhere.
    let everywhere = |operands: &[Value]| {
        operands.len() == 2 && matches!(operands[0].as_expr(), Some(Expr::Call(..)))
    };
    let identically = everywhere(a) && everywhere(b);
    let unsigned = |sign: &Comparison| match sign {
        Comparison::Approximately => Comparison::Equal,
        Comparison::Congruent if identically => Comparison::Equal,
        sign => *sign,
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

/// Two determinants are compared entry by entry, which reading one from the other side would evade.
fn has_determinant(operands: &[Value]) -> bool {
    operands.iter().any(|operand| {
        operand
            .as_expr()
            .is_some_and(|expr| determinants::written_out(expr).is_some())
    })
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
        Comparison::In => Comparison::Other('∋'),
        Comparison::Other('∋') => Comparison::In,
        Comparison::Other(sign) => Comparison::Other(turned_sign(sign)),
        other => other,
    }
}

/// A sign that points, read from the other side; one that has no such sister equals only itself.
fn turned_sign(sign: char) -> char {
    const PAIRS: [(char, char); 9] = [
        ('⊂', '⊃'),
        ('⊆', '⊇'),
        ('→', '←'),
        ('⇒', '⇐'),
        ('≪', '≫'),
        ('∈', '∋'),
        ('∉', '∌'),
        ('↦', '↤'),
        ('∣', '⫽'),
    ];
    let found = PAIRS
        .iter()
        .find(|(one, other)| sign == *one || sign == *other);
    found.map_or(
        sign,
        |(one, other)| if sign == *one { *other } else { *one },
    )
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
        // Of `x ≈ 3` only the name stands before the sign: there the decimal counts.
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

/// The values of `x = 1, y = 2` as coordinates: in the order of the letters where they are the
/// usual names of coordinates, whatever the order written, otherwise as written.
pub(super) fn coordinates(relations: &[Value]) -> Option<Value> {
    let mut named = Vec::with_capacity(relations.len());
    for relation in relations {
        let Value::Relation(operands, signs) = relation else {
            return None;
        };
        let (name, value) = assignment(operands).filter(|_| is_equation(signs))?;
        named.push((name.as_symbol().cloned(), value.clone()));
    }
    if named
        .iter()
        .map(|(name, _)| name.as_ref())
        .collect::<Option<Vec<_>>>()
        .is_some_and(|names| are_coordinates(&names))
    {
        named.sort_by(|(a, _), (b, _)| a.cmp(b));
    }
    Some(Value::Tuple(
        named.into_iter().map(|(_, value)| value).collect(),
    ))
}

/// Letters that name coordinates together, or one letter with several indices.
fn are_coordinates(names: &[&Symbol]) -> bool {
    const FAMILIES: [&str; 7] = ["xyzw", "abcdefgh", "uvw", "pqr", "mn", "rst", "klmn"];
    let one_letter = |family: &&str| {
        names
            .iter()
            .all(|name| name.0.len() == 1 && family.contains(&*name.0))
    };
    let letter = |name: &Symbol| name.0.split('_').next().map(str::to_owned);
    FAMILIES.iter().any(one_letter)
        || names
            .iter()
            .all(|name| name.0.contains('_') && letter(name) == letter(names[0]))
}

/// `(a, b) = (1, 2)` as `a = 1, b = 2`.
pub(super) fn named_coordinates(operands: &[Value], signs: &[Comparison]) -> Option<Value> {
    let ([Value::Tuple(names), Value::Tuple(values)], [Comparison::Equal]) = (operands, signs)
    else {
        return None;
    };
    if names.len() != values.len() || names.iter().any(|name| name.as_symbol().is_none()) {
        return None;
    }
    let equation = |(name, value): (&Value, &Value)| {
        Value::Relation(vec![name.clone(), value.clone()], vec![Comparison::Equal])
    };
    Some(Value::System(
        names.iter().zip(values).map(equation).collect(),
    ))
}

/// Whether an expression has a letter whose value is asked for: not merely the name of a function.
fn has_unknowns(expr: &Expr) -> bool {
    match expr {
        Expr::Symbol(_) => true,
        Expr::Number(_) | Expr::Constant(_) => false,
        Expr::Apply(Function::Opaque, parts) => parts.iter().skip(1).any(has_unknowns),
        Expr::Sum(parts) | Expr::Product(parts) | Expr::Apply(_, parts) | Expr::Call(_, parts) => {
            parts.iter().any(has_unknowns)
        }
        Expr::Power(base, exponent) => has_unknowns(base) || has_unknowns(exponent),
    }
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

/// The number that an equation says a sum of letters is.
pub(crate) fn stated_sum(value: &Value) -> Option<&Value> {
    fn is_letters(expr: &Expr) -> bool {
        match expr {
            Expr::Symbol(_) | Expr::Call(..) => true,
            Expr::Product(factors) => factors
                .iter()
                .all(|factor| is_letters(factor) || *factor == Expr::integer(-1)),
            _ => false,
        }
    }
    let Value::Relation(operands, signs) = value else {
        return None;
    };
    let (first, last) = (operands.first()?.as_expr()?, operands.last()?);
    let (Expr::Sum(terms), number) = (first, last.as_expr()?) else {
        return None;
    };
    let equals = signs.iter().all(|sign| *sign == Comparison::Equal);
    // `x - y = 0` is an equation.
    let says = equals && terms.iter().all(is_letters) && !has_symbols(number);
    (says && *number != Expr::integer(0)).then_some(last)
}

/// A congruence: the name, where one is written, a residue and a modulus.
struct Congruence<'v> {
    name: Option<&'v Value>,
    residue: RBig,
    modulus: RBig,
}

/// Two congruences, or a congruence and `x = 7k + 3`: the same residue of the same modulus.
pub(super) fn congruences(
    left: &Value,
    right: &Value,
    budget: &mut Budget,
) -> Result<Option<EqualityDecision>, Exhausted> {
    let (Some(a), Some(b)) = (
        congruence(left),
        congruence(right).or_else(|| progression(right)),
    ) else {
        return Ok(None);
    };
    let named_alike = match (a.name, b.name) {
        (Some(a), Some(b)) => equal(a, b, budget)?,
        _ => true,
    };
    let difference = (a.residue - b.residue) / &a.modulus;
    let same = named_alike && a.modulus == b.modulus && difference.is_int();
    either(same, "equal/congruence").map(Some)
}

fn congruence(value: &Value) -> Option<Congruence<'_>> {
    let Value::Relation(operands, signs) = value else {
        return None;
    };
    let (name, residue, modulus) = match (operands.as_slice(), signs.as_slice()) {
        (
            [name, residue, modulus],
            [
                Comparison::Congruent | Comparison::Equal,
                Comparison::Congruent,
            ],
        ) => (Some(name), residue, modulus),
        ([residue, modulus], [Comparison::Congruent]) => (None, residue, modulus),
        _ => return None,
    };
    let (residue, modulus) = (number(residue.as_expr()?)?, number(modulus.as_expr()?)?);
    (modulus > RBig::ZERO).then_some(Congruence {
        name,
        residue,
        modulus,
    })
}

/// `x = 7k + 3` for a letter that counts.
fn progression(value: &Value) -> Option<Congruence<'_>> {
    let Value::Relation(operands, signs) = value else {
        return None;
    };
    let ([name, terms], [Comparison::Equal]) = (operands.as_slice(), signs.as_slice()) else {
        return None;
    };
    let Expr::Sum(terms) = terms.as_expr()? else {
        return None;
    };
    let (mut residue, mut modulus) = (None, None);
    for term in terms {
        match (number(term), term) {
            (Some(value), _) => residue = Some(value),
            (None, Expr::Product(factors)) => match factors.as_slice() {
                [step, Expr::Symbol(letter)]
                    if matches!(&*letter.0, "k" | "n" | "m" | "t" | "j") =>
                {
                    modulus = number(step);
                }
                _ => return None,
            },
            _ => return None,
        }
    }
    Some(Congruence {
        name: Some(name),
        residue: residue?,
        modulus: modulus.filter(|modulus| *modulus > RBig::ZERO)?,
    })
}

fn number(expr: &Expr) -> Option<RBig> {
    match expr {
        Expr::Number(number) => Some(number.value.clone()),
        Expr::Product(factors) => match factors.as_slice() {
            [sign, Expr::Number(number)] if *sign == Expr::integer(-1) => {
                Some(-number.value.clone())
            }
            _ => None,
        },
        _ => None,
    }
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
