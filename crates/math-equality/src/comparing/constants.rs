//! Constants of integration: the same answer under other names.

use dashu_int::Sign;

use crate::budget::{Budget, Exhausted};
use crate::equivalence::equivalent;
use crate::expr::{Expr, Function, Symbol};

/// Most constants whose names are matched; an answer with more of them is compared as written.
const MOST: usize = 4;

/// Whether two expressions are equal once the unnamed constants of one bear the names of the other.
///
/// `C`, `c`, `K`, `k`, with or without an index, are constants beside something that varies; where
/// one side has such a constant, so are `A`, `B` and `D`. An added `C` takes up numbers and positive
/// factors, so that `x^2 + 2C + 1` is `x^2 + C`; another sign before it is another answer.
pub(super) fn equal_after_renaming(
    left: &Expr,
    right: &Expr,
    budget: &mut Budget,
) -> Result<bool, Exhausted> {
    let Some((from, to)) = constants(left, right) else {
        return Ok(false);
    };
    // `\int_C` is taken along a curve.
    if is_bound(left, &from) || is_bound(right, &to) {
        return Ok(false);
    }
    let mut names = to.clone();
    // At most MOST! = 24 orders, less the one in which nothing changes: that comparison has failed.
    let renamed_equal = may_be_renamed(&from, &to)
        && permutations(&mut names, 0, &mut |names| {
            Ok(names != from && equivalent(&renamed(left, &from, names), right, budget)?.equal)
        })?;
    Ok(renamed_equal || (from.len() == 1 && added(left, right, &from[0], &to[0], budget)?))
}

/// Names that are on both sides must all be: `k + 1` and `1 - k` share a variable, not a constant.
fn may_be_renamed(from: &[Symbol], to: &[Symbol]) -> bool {
    let indexed = |symbol: &Symbol| symbol.0.len() > 1;
    let alike = from.len() > 1 && from.iter().all(|name| to.contains(name));
    alike
        || from
            .iter()
            .zip(to)
            .all(|(a, b)| (indexed(a) && indexed(b)) || (!to.contains(a) && !from.contains(b)))
}

/// The constants of both sides in order of name, as many on each; `None` where nothing else varies
/// or there are none.
fn constants(left: &Expr, right: &Expr) -> Option<(Vec<Symbol>, Vec<Symbol>)> {
    let (left, right) = (symbols(left), symbols(right));
    let any_usual = left.iter().chain(&right).any(is_usual);
    let of = |symbols: Vec<Symbol>| -> (Vec<Symbol>, Vec<Symbol>) {
        symbols
            .into_iter()
            .partition(|symbol| is_usual(symbol) || is_capital(symbol))
    };
    if !any_usual {
        return None;
    }
    let ((from, varying), (to, others)) = (of(left), of(right));
    let fits = !from.is_empty()
        && from.len() <= MOST
        && from.len() == to.len()
        && !varying.is_empty()
        && !others.is_empty();
    fits.then_some((from, to))
}

/// Whether one of the names is the bound of an integral that is kept as written.
fn is_bound(expr: &Expr, names: &[Symbol]) -> bool {
    match expr {
        Expr::Number(_) | Expr::Constant(_) | Expr::Symbol(_) => false,
        Expr::Power(base, exponent) => is_bound(base, names) || is_bound(exponent, names),
        Expr::Apply(Function::Opaque, parts) => {
            let integral = matches!(parts.first(), Some(Expr::Symbol(name)) if &*name.0 == "int");
            let bound = |part: &Expr| matches!(part, Expr::Symbol(name) if names.contains(name));
            integral && parts[1..parts.len() - 1].iter().any(bound)
                || parts.iter().any(|part| is_bound(part, names))
        }
        Expr::Sum(parts) | Expr::Product(parts) | Expr::Apply(_, parts) | Expr::Call(_, parts) => {
            parts.iter().any(|part| is_bound(part, names))
        }
    }
}

fn symbols(expr: &Expr) -> Vec<Symbol> {
    let mut symbols = Vec::new();
    collect(expr, &mut symbols);
    symbols.sort();
    symbols.dedup();
    symbols
}

/// The usual names of a constant of integration.
fn is_usual(symbol: &Symbol) -> bool {
    matches!(
        symbol.0.as_bytes(),
        [b'C' | b'c' | b'K' | b'k'] | [b'C' | b'c' | b'K' | b'k', b'_', ..]
    )
}

/// Names of constants where others are about.
fn is_capital(symbol: &Symbol) -> bool {
    matches!(
        symbol.0.as_bytes(),
        [b'A' | b'B' | b'D'] | [b'A' | b'B' | b'D', b'_', ..]
    )
}

/// Whether both sides are the same up to a number times an added `C`, and a number.
fn added(
    left: &Expr,
    right: &Expr,
    from: &Symbol,
    to: &Symbol,
    budget: &mut Budget,
) -> Result<bool, Exhausted> {
    let is_added = |symbol: &Symbol| matches!(symbol.0.as_bytes(), [b'C'] | [b'C', b'_', ..]);
    if !is_added(from) || !is_added(to) {
        return Ok(false);
    }
    let (Some(left), Some(right)) = (without_added(left, from), without_added(right, to)) else {
        return Ok(false);
    };
    let sum = |terms: Vec<Expr>| match terms.len() {
        0 => Expr::integer(0),
        _ => Expr::Sum(terms),
    };
    let same_sign = left.1 == right.1;
    Ok(same_sign && equivalent(&sum(left.0), &sum(right.0), budget)?.equal)
}

/// The terms of a sum without the one that is the constant times a number, and without numbers,
/// which it takes up; and whether the constant is taken away.
fn without_added(expr: &Expr, constant: &Symbol) -> Option<(Vec<Expr>, bool)> {
    let Expr::Sum(terms) = expr else {
        return None;
    };
    let is_constant = |expr: &Expr| matches!(expr, Expr::Symbol(symbol) if symbol == constant);
    let is_multiple = |term: &Expr| match term {
        Expr::Product(factors) => {
            factors.iter().filter(|factor| is_constant(factor)).count() == 1
                && factors.iter().all(|factor| {
                    is_constant(factor)
                        || matches!(factor, Expr::Number(number) if !number.value.is_zero())
                })
        }
        term => is_constant(term),
    };
    let (multiples, others): (Vec<&Expr>, Vec<&Expr>) =
        terms.iter().partition(|term| is_multiple(term));
    let rest: Vec<Expr> = others
        .into_iter()
        .filter(|term| !matches!(term, Expr::Number(_)))
        .cloned()
        .collect();
    let elsewhere = rest.iter().any(|term| symbols(term).contains(constant));
    let [multiple] = multiples.as_slice() else {
        return None;
    };
    let negative = match multiple {
        Expr::Product(factors) => factors.iter().any(|factor| {
            matches!(factor, Expr::Number(number) if number.value.sign() == Sign::Negative)
        }),
        _ => false,
    };
    (!elsewhere).then_some((rest, negative))
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
