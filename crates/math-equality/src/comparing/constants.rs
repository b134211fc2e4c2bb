//! Constants of integration: the same answer under other names.

use crate::budget::{Budget, Exhausted};
use crate::equivalence::equivalent;
use crate::expr::{Expr, Symbol};

/// Most constants whose names are matched; an answer with more of them is compared as written.
const MOST: usize = 4;

/// Whether two expressions are equal once the unnamed constants of one bear the names of the other:
/// `C`, `c`, `K`, `k`, with or without an index. A constant is unnamed only beside something that
/// varies.
pub(super) fn equal_after_renaming(
    left: &Expr,
    right: &Expr,
    budget: &mut Budget,
) -> Result<bool, Exhausted> {
    let (from, to) = (constants(left), constants(right));
    if from.is_empty() || from.len() > MOST || from.len() != to.len() || !may_be_renamed(&from, &to)
    {
        return Ok(false);
    }
    let mut names = to.clone();
    permutations(&mut names, 0, &mut |names| {
        Ok(names != from && equivalent(&renamed(left, &from, names), right, budget)?.equal)
    })
}

/// Names without an index must change: `k + 1` and `1 - k` share a variable, not a constant.
fn may_be_renamed(from: &[Symbol], to: &[Symbol]) -> bool {
    let indexed = |symbol: &Symbol| symbol.0.len() > 1;
    from.iter()
        .zip(to)
        .all(|(a, b)| (indexed(a) && indexed(b)) || (!to.contains(a) && !from.contains(b)))
}

/// The unnamed constants of an expression in order of name; none where nothing else varies.
fn constants(expr: &Expr) -> Vec<Symbol> {
    let mut symbols = Vec::new();
    collect(expr, &mut symbols);
    symbols.sort();
    symbols.dedup();
    let (constants, variables): (Vec<Symbol>, Vec<Symbol>) =
        symbols.into_iter().partition(is_constant);
    if variables.is_empty() {
        Vec::new()
    } else {
        constants
    }
}

fn is_constant(symbol: &Symbol) -> bool {
    let name = symbol.0.as_ref();
    matches!(
        name.as_bytes(),
        [b'C' | b'c' | b'K' | b'k'] | [b'C' | b'c' | b'K' | b'k', b'_', ..]
    )
}

fn collect(expr: &Expr, found: &mut Vec<Symbol>) {
    match expr {
        Expr::Symbol(symbol) => found.push(symbol.clone()),
        Expr::Sum(parts) | Expr::Product(parts) | Expr::Apply(_, parts) | Expr::Call(_, parts) => {
            parts.iter().for_each(|part| collect(part, found));
        }
        Expr::Power(base, exponent) => {
            collect(base, found);
            collect(exponent, found);
        }
        Expr::Number(_) | Expr::Constant(_) => {}
    }
}

fn renamed(expr: &Expr, from: &[Symbol], to: &[Symbol]) -> Expr {
    let all = |parts: &[Expr]| parts.iter().map(|part| renamed(part, from, to)).collect();
    match expr {
        Expr::Symbol(symbol) => match from.iter().position(|name| name == symbol) {
            Some(index) => Expr::Symbol(to[index].clone()),
            None => expr.clone(),
        },
        Expr::Number(_) | Expr::Constant(_) => expr.clone(),
        Expr::Sum(parts) => Expr::Sum(all(parts)),
        Expr::Product(parts) => Expr::Product(all(parts)),
        Expr::Power(base, exponent) => Expr::Power(
            Box::new(renamed(base, from, to)),
            Box::new(renamed(exponent, from, to)),
        ),
        Expr::Apply(function, parts) => Expr::Apply(*function, all(parts)),
        Expr::Call(name, parts) => Expr::Call(name.clone(), all(parts)),
    }
}

/// Tries every order of `names` from position `first` on until one satisfies the test.
fn permutations(
    names: &mut Vec<Symbol>,
    first: usize,
    test: &mut impl FnMut(&[Symbol]) -> Result<bool, Exhausted>,
) -> Result<bool, Exhausted> {
    if first == names.len() {
        return test(names);
    }
    for index in first..names.len() {
        names.swap(first, index);
        let found = permutations(names, first + 1, test)?;
        names.swap(first, index);
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}
