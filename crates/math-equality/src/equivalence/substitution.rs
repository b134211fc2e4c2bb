//! Symbols of an expression: which are free, and putting something else in their place.

use std::collections::BTreeSet;

use super::points;
use crate::expr::{Expr, Function, Symbol};

/// The symbols that the value of an expression depends on, sorted. Indices of finite sums and names
/// of operators and unknown functions are not among them.
pub(super) fn free_symbols<'e>(exprs: &[&'e Expr]) -> Vec<&'e Symbol> {
    let mut free = BTreeSet::new();
    for expr in exprs {
        collect(expr, &mut Vec::new(), &mut free);
    }
    free.into_iter().collect()
}

fn collect<'e>(expr: &'e Expr, bound: &mut Vec<&'e Symbol>, free: &mut BTreeSet<&'e Symbol>) {
    match expr {
        Expr::Number(_) | Expr::Constant(_) => {}
        Expr::Symbol(symbol) => {
            if !bound.contains(&symbol) {
                free.insert(symbol);
            }
        }
        Expr::Power(base, exponent) => {
            collect(base, bound, free);
            collect(exponent, bound, free);
        }
        Expr::Apply(Function::FiniteSum | Function::FiniteProduct, parts) => {
            let Some((Expr::Symbol(index), parts)) = parts.split_first() else {
                return;
            };
            for (place, part) in parts.iter().enumerate() {
                // The bounds come first and do not see the index.
                if place == 2 {
                    bound.push(index);
                }
                collect(part, bound, free);
            }
            if parts.len() > 2 {
                bound.pop();
            }
        }
        Expr::Apply(function, parts) => {
            // The first argument of an opaque function is its name, written as a symbol.
            let operator = usize::from(*function == Function::Opaque);
            parts
                .iter()
                .skip(operator)
                .for_each(|part| collect(part, bound, free));
        }
        Expr::Sum(parts) | Expr::Product(parts) | Expr::Call(_, parts) => {
            parts.iter().for_each(|part| collect(part, bound, free));
        }
    }
}

/// Whether any part of the expression, itself included, is such.
pub(super) fn contains(expr: &Expr, is_such: &impl Fn(&Expr) -> bool) -> bool {
    is_such(expr)
        || match expr {
            Expr::Number(_) | Expr::Constant(_) | Expr::Symbol(_) => false,
            Expr::Power(base, exponent) => contains(base, is_such) || contains(exponent, is_such),
            Expr::Sum(parts)
            | Expr::Product(parts)
            | Expr::Apply(_, parts)
            | Expr::Call(_, parts) => parts.iter().any(|part| contains(part, is_such)),
        }
}

/// The expression with every part that `replace` gives something for replaced by that.
pub(super) fn rewritten(expr: &Expr, replace: &impl Fn(&Expr) -> Option<Expr>) -> Expr {
    // What is put in is not looked at again: a replacement may hold what it replaces.
    if let Some(replacement) = replace(expr) {
        return replacement;
    }
    let all = |parts: &[Expr]| parts.iter().map(|part| rewritten(part, replace)).collect();
    match expr {
        Expr::Number(_) | Expr::Constant(_) | Expr::Symbol(_) => expr.clone(),
        Expr::Power(base, exponent) => Expr::Power(
            Box::new(rewritten(base, replace)),
            Box::new(rewritten(exponent, replace)),
        ),
        Expr::Sum(parts) => Expr::Sum(all(parts)),
        Expr::Product(parts) => Expr::Product(all(parts)),
        Expr::Apply(function, parts) => Expr::Apply(*function, all(parts)),
        Expr::Call(name, parts) => Expr::Call(name.clone(), all(parts)),
    }
}

/// The expression with another expression in the place of a symbol. An inner sum over the same
/// symbol is rare enough to be left alone as a whole.
pub(crate) fn replaced(expr: &Expr, symbol: &Symbol, replacement: &Expr) -> Expr {
    rewritten(expr, &|part| match part {
        Expr::Symbol(name) if name == symbol => Some(replacement.clone()),
        Expr::Apply(Function::FiniteSum | Function::FiniteProduct, parts) if matches!(parts.first(), Some(Expr::Symbol(index)) if index == symbol) => {
            Some(part.clone())
        }
        _ => None,
    })
}

/// A number for the written form of an expression: equal for equal expressions, and different for
/// nearly all others.
pub(super) fn fingerprint(expr: &Expr) -> u64 {
    let mut hasher = Fingerprint(0);
    hasher.visit(expr);
    hasher.0
}

struct Fingerprint(u64);

impl Fingerprint {
    fn take(&mut self, word: u64) {
        self.0 = points::mix(self.0 ^ word);
    }

    fn name(&mut self, symbol: &Symbol) {
        symbol.0.bytes().for_each(|byte| self.take(u64::from(byte)));
    }

    fn words(&mut self, words: &[dashu_int::Word]) {
        words
            .iter()
            .flat_map(|word| word.to_le_bytes())
            .for_each(|byte| self.take(u64::from(byte)));
    }

    fn visit(&mut self, expr: &Expr) {
        let parts = match expr {
            Expr::Number(number) => {
                let (sign, words) = number.value.numerator().as_sign_words();
                self.take(1 + u64::from(sign == dashu_int::Sign::Negative));
                self.words(words);
                self.words(number.value.denominator().as_words());
                self.take(
                    number
                        .written_digits
                        .map_or(0, |digits| 1 + u64::from(digits)),
                );
                return;
            }
            Expr::Constant(constant) => return self.take(16 + *constant as u64),
            Expr::Symbol(symbol) => {
                self.take(3);
                return self.name(symbol);
            }
            Expr::Power(base, exponent) => {
                self.take(4);
                self.visit(base);
                return self.visit(exponent);
            }
            Expr::Sum(parts) => {
                self.take(5);
                parts
            }
            Expr::Product(parts) => {
                self.take(6);
                parts
            }
            Expr::Apply(function, parts) => {
                self.take(64 + *function as u64);
                parts
            }
            Expr::Call(name, parts) => {
                self.take(7);
                self.name(name);
                parts
            }
        };
        self.take(parts.len() as u64);
        parts.iter().for_each(|part| self.visit(part));
    }
}
