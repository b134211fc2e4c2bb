//! Expressions that are linear in their only symbol, for solving inequalities.

use crate::budget::{Budget, Exhausted};
use crate::equivalence::{equivalent, value_f64};
use crate::expr::{Expr, Symbol};

/// `slope · (symbol − root)` with a slope other than zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Linear {
    pub symbol: Symbol,
    pub root: Expr,
    pub slope_is_negative: bool,
}

/// The expression as a linear function of its only symbol; `None` where it is none, or where that
/// cannot be seen.
///
/// The function is read off at 0 and 1 and has to agree with the line through these points at −2
/// and 3 as well. That does not prove it linear, but no polynomial of degree below four, and no
/// elementary function met in answers, passes through four points of a line.
pub(super) fn linear_in_symbol(
    expr: &Expr,
    budget: &mut Budget,
) -> Result<Option<Linear>, Exhausted> {
    let Some(symbol) = only_symbol(expr) else {
        return Ok(None);
    };
    let at = |point: i64| substituted(expr, &symbol, &Expr::integer(point));
    let (start, end) = (at(0), at(1));
    let slope = Expr::Sum(vec![end, start.clone().negated()]);
    // Its sign decides which way the inequality points, so that it must be a number.
    let Some(slope_value) = value_f64(&slope).filter(|slope| slope.is_finite() && *slope != 0.0)
    else {
        return Ok(None);
    };
    for point in [-2, 3] {
        let on_line = Expr::Sum(vec![
            start.clone(),
            Expr::Product(vec![Expr::integer(point), slope.clone()]),
        ]);
        if !equivalent(&at(point), &on_line, budget)?.equal {
            return Ok(None);
        }
    }
    Ok(Some(Linear {
        symbol,
        root: start.negated().over(slope),
        slope_is_negative: slope_value < 0.0,
    }))
}

/// The symbol, where there is exactly one and no unknown function.
fn only_symbol(expr: &Expr) -> Option<Symbol> {
    fn collect(expr: &Expr, found: &mut Vec<Symbol>) -> bool {
        match expr {
            Expr::Symbol(symbol) => {
                if !found.contains(symbol) {
                    found.push(symbol.clone());
                }
                true
            }
            Expr::Sum(parts) | Expr::Product(parts) | Expr::Apply(_, parts) => {
                parts.iter().all(|part| collect(part, found))
            }
            Expr::Power(base, exponent) => collect(base, found) && collect(exponent, found),
            Expr::Call(..) => false,
            Expr::Number(_) | Expr::Constant(_) => true,
        }
    }
    let mut found = Vec::new();
    match (collect(expr, &mut found), found.as_slice()) {
        (true, [symbol]) => Some(symbol.clone()),
        _ => None,
    }
}

fn substituted(expr: &Expr, symbol: &Symbol, value: &Expr) -> Expr {
    let all = |parts: &[Expr]| {
        parts
            .iter()
            .map(|part| substituted(part, symbol, value))
            .collect()
    };
    match expr {
        Expr::Symbol(found) if found == symbol => value.clone(),
        Expr::Number(_) | Expr::Constant(_) | Expr::Symbol(_) => expr.clone(),
        Expr::Sum(parts) => Expr::Sum(all(parts)),
        Expr::Product(parts) => Expr::Product(all(parts)),
        Expr::Power(base, exponent) => Expr::Power(
            Box::new(substituted(base, symbol, value)),
            Box::new(substituted(exponent, symbol, value)),
        ),
        Expr::Apply(function, parts) => Expr::Apply(*function, all(parts)),
        Expr::Call(name, parts) => Expr::Call(name.clone(), all(parts)),
    }
}
