//! What stands on the left of an equation: do two names stand for the same thing?
//!
//! A name counts with its accent, its index, the order of its derivative and whether it is an
//! inverse. Only `y` may stand for a function of any name, and a name may leave its argument out.

use crate::expr::{Expr, Function};
use crate::value::Value;

/// A name taken apart.
#[derive(Debug, PartialEq, Eq)]
struct Name<'e> {
    /// The letter with its accent and its index.
    letter: &'e str,
    derivatives: usize,
    inverse: bool,
    /// Whether arguments stand behind it.
    called: bool,
    arguments: &'e [Expr],
    /// What the denominator of a derivative is, where it is written out.
    by: Option<&'e Expr>,
}

/// Whether two names may stand for the same function.
pub(super) fn may_name_the_same(left: &Value, right: &Value) -> bool {
    let (Some(left), Some(right)) = (name(left), name(right)) else {
        return false;
    };
    let other_variable = |(a, b)| a != b;
    if left.derivatives != right.derivatives || left.by.zip(right.by).is_some_and(other_variable) {
        return false;
    }
    let stands_for = |name: &Name<'_>, other: &Name<'_>| {
        name.letter == "y" && !name.called && !name.inverse && (other.called || other.letter == "y")
    };
    let same_letter = same_letter(left.letter, right.letter)
        && left.inverse == right.inverse
        // Two calls of one name must agree in their arguments, which the caller has compared; one
        // may leave parameters out.
        && (left.called != right.called
            || left.derivatives > 0
            || parameters_left_out(left.arguments, right.arguments)
            || parameters_left_out(right.arguments, left.arguments));
    same_letter || stands_for(&left, &right) || stands_for(&right, &left)
}

/// The same letter, where a word below it (`y_{unif}`) may be missing on one side.
fn same_letter(left: &str, right: &str) -> bool {
    /// The shortest index that is a word and no product of indices.
    const WORD: usize = 4;
    let described = |short: &str, long: &str| {
        long.strip_prefix(short)
            .and_then(|index| index.strip_prefix("_{")?.strip_suffix('}'))
            .is_some_and(|word| {
                word.len() >= WORD && word.bytes().all(|byte| byte.is_ascii_lowercase())
            })
    };
    left == right || described(left, right) || described(right, left)
}

/// Whether `few` are the first of `all`, which are letters: `y(x)` for `y(x, \epsilon)`.
fn parameters_left_out(few: &[Expr], all: &[Expr]) -> bool {
    all.starts_with(few)
        && !few.is_empty()
        && all.iter().all(|part| matches!(part, Expr::Symbol(_)))
}

fn name(value: &Value) -> Option<Name<'_>> {
    let marked = |text: &str| text.trim_end_matches('\'').len();
    match value.as_expr()? {
        Expr::Symbol(symbol) => Some(Name {
            letter: &symbol.0[..marked(&symbol.0)],
            derivatives: symbol.0.len() - marked(&symbol.0),
            inverse: false,
            called: false,
            arguments: &[],
            by: None,
        }),
        Expr::Call(symbol, arguments) => {
            let plain = symbol.0.strip_suffix("^{-1}").unwrap_or(&symbol.0);
            Some(Name {
                letter: &plain[..marked(plain)],
                derivatives: plain.len() - marked(plain),
                inverse: plain.len() < symbol.0.len(),
                called: true,
                arguments,
                by: None,
            })
        }
        Expr::Apply(Function::Opaque, parts) => derivative(parts),
        _ => None,
    }
}

/// `dy/dx` and `d²y/dx²`, kept as written.
fn derivative(parts: &[Expr]) -> Option<Name<'_>> {
    let [Expr::Symbol(operator), Expr::Product(over), under] = parts else {
        return None;
    };
    let [sign, Expr::Symbol(letter)] = over.as_slice() else {
        return None;
    };
    if &*operator.0 != "derivative" {
        return None;
    }
    let derivatives = match sign {
        Expr::Symbol(_) => 1,
        Expr::Power(_, order) => (2..=4).find(|times| **order == Expr::integer(*times))? as usize,
        _ => return None,
    };
    Some(Name {
        letter: &letter.0,
        derivatives,
        inverse: false,
        called: false,
        arguments: &[],
        by: Some(under),
    })
}
