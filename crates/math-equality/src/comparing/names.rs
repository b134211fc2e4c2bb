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
}

/// Whether two names may stand for the same function.
pub(super) fn may_name_the_same(left: &Value, right: &Value) -> bool {
    let (Some(left), Some(right)) = (name(left), name(right)) else {
        return false;
    };
    if left.derivatives != right.derivatives {
        return false;
    }
    let stands_for = |name: &Name<'_>, other: &Name<'_>| {
        name.letter == "y" && !name.called && !name.inverse && (other.called || other.letter == "y")
    };
    let same_letter = left.letter == right.letter
        && left.inverse == right.inverse
        // Two calls of one name must agree in their arguments, which the caller has compared.
        && (left.called != right.called || left.derivatives > 0);
    same_letter || stands_for(&left, &right) || stands_for(&right, &left)
}

fn name(value: &Value) -> Option<Name<'_>> {
    let marked = |text: &str| text.trim_end_matches('\'').len();
    match value.as_expr()? {
        Expr::Symbol(symbol) => Some(Name {
            letter: &symbol.0[..marked(&symbol.0)],
            derivatives: symbol.0.len() - marked(&symbol.0),
            inverse: false,
            called: false,
        }),
        Expr::Call(symbol, _) => {
            let plain = symbol.0.strip_suffix("^{-1}").unwrap_or(&symbol.0);
            Some(Name {
                letter: &plain[..marked(plain)],
                derivatives: plain.len() - marked(plain),
                inverse: plain.len() < symbol.0.len(),
                called: true,
            })
        }
        Expr::Apply(Function::Opaque, parts) => derivative(parts),
        _ => None,
    }
}

/// `dy/dx` and `d²y/dx²`, kept as written.
fn derivative(parts: &[Expr]) -> Option<Name<'_>> {
    let [Expr::Symbol(operator), Expr::Product(over), _] = parts else {
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
    })
}
