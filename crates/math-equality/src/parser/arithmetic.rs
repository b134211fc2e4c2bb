//! What operators make of their operands: nothing is multiplied out but fractions of integers and
//! powers of ten.

use dashu_int::IBig;
use dashu_ratio::RBig;

use super::reader::{Reading, Unreadable, both_signs, plain, symbol};
use crate::{
    expr::{Expr, Number},
    value::{Quantity, Value},
};

/// The largest exponent of ten that is multiplied out in scientific notation.
const MAX_POWER: i64 = 400;

/// Factors read so far.
#[derive(Default)]
pub(super) struct Product {
    factors: Vec<Expr>,
    /// A vector or matrix among them, or a quantity with its unit in brackets.
    array: Option<Value>,
}

impl Product {
    pub(super) fn multiply(&mut self, factor: Value, more: bool) -> Reading<()> {
        let expr = match factor {
            Value::Quantity(Quantity { expr, unit: None }) => expr,
            other
                if self.array.is_none()
                    && (!more || matches!(other, Value::Matrix(_) | Value::Tuple(_))) =>
            {
                self.array = Some(other);
                return Ok(());
            }
            Value::Matrix(right) => {
                let Some(Value::Matrix(left)) = self.array.take() else {
                    return Err(Unreadable);
                };
                self.array = Some(matrix_product(&left, &right)?);
                return Ok(());
            }
            _ => return Err(Unreadable),
        };
        match (self.factors.last_mut(), expr) {
            (Some(Expr::Number(mantissa)), Expr::Power(base, exponent)) if more => {
                match scientific(mantissa, &base, &exponent) {
                    // The digits of the mantissa stay: `6.02 × 10^23` says three of them.
                    Some(value) => mantissa.value = value,
                    None => self.factors.push(Expr::Power(base, exponent)),
                }
            }
            (_, expr) => self.factors.push(expr),
        }
        Ok(())
    }

    pub(super) fn divide(&mut self, divisor: Expr) {
        let zero = RBig::from(0);
        match (self.factors.last_mut(), divisor) {
            // A decimal is left as it is: the quotient would have no count of written digits.
            (Some(Expr::Number(over)), Expr::Number(under))
                if over.written_digits.is_none()
                    && under.written_digits.is_none()
                    && under.value != zero =>
            {
                over.value = &over.value / under.value;
            }
            (_, divisor) => {
                self.factors
                    .push(Expr::Power(Box::new(divisor), Box::new(Expr::integer(-1))));
            }
        }
    }

    pub(super) fn finish(mut self) -> Reading<Value> {
        let scalar = match self.factors.len() {
            0 => None,
            1 => self.factors.pop(),
            _ => Some(Expr::Product(self.factors)),
        };
        match (scalar, self.array) {
            (Some(scalar), None) => Ok(Value::expr(scalar)),
            (None, Some(array)) => Ok(array),
            (Some(scalar), Some(array)) => each(array, &|element| scaled(&scalar, element)),
            (None, None) => Err(Unreadable),
        }
    }
}

/// Rows times columns.
fn matrix_product(left: &[Vec<Value>], right: &[Vec<Value>]) -> Reading<Value> {
    /// Entries of a product that is multiplied out.
    const MAX_ENTRIES: usize = 64;
    let columns = right.first().map_or(0, Vec::len);
    if left.iter().any(|row| row.len() != right.len()) || left.len() * columns > MAX_ENTRIES {
        return Err(Unreadable);
    }
    let entry = |row: &[Value], column: usize| {
        let terms = row.iter().zip(right).map(|(a, b)| {
            Ok(Expr::Product(vec![
                plain(a.clone())?,
                plain(b[column].clone())?,
            ]))
        });
        let mut terms = terms.collect::<Reading<Vec<_>>>()?;
        Ok(Value::expr(match terms.len() {
            1 => terms.remove(0),
            _ => Expr::Sum(terms),
        }))
    };
    let row = |row: &Vec<Value>| (0..columns).map(|column| entry(row, column)).collect();
    left.iter()
        .map(row)
        .collect::<Reading<_>>()
        .map(Value::Matrix)
}

/// `a × 10ⁿ` as a number, with the digits of `a`.
fn scientific(mantissa: &Number, base: &Expr, exponent: &Expr) -> Option<RBig> {
    let (Expr::Number(base), Expr::Number(exponent)) = (base, exponent) else {
        return None;
    };
    let ten = RBig::from(10);
    if base.value != ten || !exponent.value.is_int() {
        return None;
    }
    let power = i64::try_from(exponent.value.numerator().clone())
        .ok()
        .filter(|power| power.abs() <= MAX_POWER)?;
    let scale = RBig::from(IBig::from(10).pow(power.unsigned_abs() as usize));
    Some(if power < 0 {
        &mantissa.value / scale
    } else {
        &mantissa.value * scale
    })
}

/// A quotient; two exact integers make one number.
pub(super) fn quotient(over: Expr, under: Expr) -> Expr {
    match (over, under) {
        (Expr::Number(over), Expr::Number(under))
            if over.written_digits.is_none()
                && under.written_digits.is_none()
                && under.value != RBig::from(0) =>
        {
            Expr::Number(Number::exact(over.value / under.value))
        }
        (over, under) => over.over(under),
    }
}

fn scaled(scalar: &Expr, element: Expr) -> Expr {
    Expr::Product(vec![scalar.clone(), element])
}

pub(super) fn negated(value: Value) -> Reading<Value> {
    match value {
        Value::Quantity(Quantity { expr, unit }) => Ok(Value::Quantity(Quantity {
            expr: expr.negated(),
            unit,
        })),
        array => each(array, &Expr::negated),
    }
}

/// Changes every element of a vector or matrix.
fn each(array: Value, change: &dyn Fn(Expr) -> Expr) -> Reading<Value> {
    let change = |value: Value| plain(value).map(|expr| Value::expr(change(expr)));
    match array {
        Value::Tuple(list) => list
            .into_iter()
            .map(change)
            .collect::<Reading<_>>()
            .map(Value::Tuple),
        Value::Matrix(rows) => {
            let rows = rows
                .into_iter()
                .map(|row| row.into_iter().map(change).collect());
            rows.collect::<Reading<_>>().map(Value::Matrix)
        }
        _ => Err(Unreadable),
    }
}

/// The sum of terms: of expressions, or of vectors or matrices of one shape, element by element.
pub(super) fn total(mut terms: Vec<Value>) -> Reading<Value> {
    if terms.len() == 1 {
        return Ok(terms.remove(0));
    }
    if terms.iter().all(|term| matches!(term, Value::Quantity(_))) {
        return Ok(Value::expr(Expr::Sum(
            terms.into_iter().map(plain).collect::<Reading<_>>()?,
        )));
    }
    let rows = |value: &Value| match value {
        Value::Tuple(list) => Ok(vec![list.clone()]),
        Value::Matrix(rows) => Ok(rows.clone()),
        _ => Err(Unreadable),
    };
    let first = rows(&terms[0])?;
    let mut sums: Vec<Vec<Vec<Expr>>> = first
        .iter()
        .map(|row| row.iter().map(|_| Vec::new()).collect())
        .collect();
    for term in &terms {
        let term = rows(term)?;
        if term.len() != sums.len()
            || term
                .iter()
                .zip(&sums)
                .any(|(row, sums)| row.len() != sums.len())
        {
            return Err(Unreadable);
        }
        for (row, sums) in term.into_iter().zip(&mut sums) {
            for (element, sum) in row.into_iter().zip(sums) {
                sum.push(plain(element)?);
            }
        }
    }
    let mut added: Vec<Vec<Value>> = sums
        .into_iter()
        .map(|row| {
            row.into_iter()
                .map(|terms| Value::expr(Expr::Sum(terms)))
                .collect()
        })
        .collect();
    Ok(match terms[0] {
        Value::Tuple(_) => Value::Tuple(added.remove(0)),
        _ => Value::Matrix(added),
    })
}

/// Values with two signs in a list as two values each.
pub(super) fn without_signs(list: Vec<Value>) -> Vec<Value> {
    list.into_iter().flat_map(both_signs).collect()
}

/// A call of an unknown function.
pub(super) fn call(name: String, arguments: Vec<Expr>) -> Expr {
    Expr::Call(symbol(name), arguments)
}
