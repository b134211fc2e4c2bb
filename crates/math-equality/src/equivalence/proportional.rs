//! Equations up to a factor: is one side a constant times the other?

use super::normal_form::NormalForms;
use super::polynomial::Stop;
use super::substitution::{free_symbols, rewritten};
use super::{EqualityDecision, equivalent};
use crate::budget::{Budget, Exhausted};
use crate::expr::Expr;

/// Whether `left` is a non-zero number, free of symbols, times `right`.
pub(crate) fn proportional(
    left: &Expr,
    right: &Expr,
    budget: &mut Budget,
) -> Result<EqualityDecision, Exhausted> {
    const RULE: &str = "equal/proportional";
    if free_symbols(&[left]).is_empty() || free_symbols(&[right]).is_empty() {
        // Any two constants are factors of each other, which says nothing.
        return Ok(EqualityDecision {
            equal: equivalent(left, right, budget)?.equal,
            rule: RULE,
        });
    }
    let mut forms = NormalForms::new();
    let ratio = normal_form_ratio(&mut forms, left, right, budget);
    match ratio {
        Ok(Some(())) => {
            return Ok(EqualityDecision {
                equal: true,
                rule: RULE,
            });
        }
        Ok(None) if forms.decide() => {
            return Ok(EqualityDecision {
                equal: false,
                rule: RULE,
            });
        }
        Ok(None) | Err(Stop::TooLarge | Stop::Undefined) => {}
        Err(Stop::Exhausted) => return Err(Exhausted),
    }
    let zero = Expr::integer(0);
    let (left_zero, right_zero) = (
        equivalent(left, &zero, budget)?.equal,
        equivalent(right, &zero, budget)?.equal,
    );
    // Multiplied crosswise, as below, zero would be proportional to anything.
    if left_zero || right_zero {
        return Ok(EqualityDecision {
            equal: left_zero && right_zero,
            rule: RULE,
        });
    }
    // f(x) g(x') = f(x') g(x) for independent x and x' says that f/g is the same everywhere.
    let crossed =
        |first: &Expr, second: &Expr| Expr::Product(vec![first.clone(), elsewhere(second)]);
    let decision = equivalent(&crossed(left, right), &crossed(right, left), budget)?;
    Ok(EqualityDecision {
        equal: decision.equal,
        rule: RULE,
    })
}

fn normal_form_ratio(
    forms: &mut NormalForms,
    left: &Expr,
    right: &Expr,
    budget: &mut Budget,
) -> Result<Option<()>, Stop> {
    let left = forms.normal_form(left, budget)?;
    let right = forms.normal_form(right, budget)?;
    let (left, right) = left.crosswise(&right, forms.relations(), budget)?;
    // Over the rationals; a factor such as √2 is left to the points.
    let zero = left.is_zero() && right.is_zero();
    if zero || left.ratio(&right).is_some() {
        return Ok(Some(()));
    }
    if forms.has_relations() {
        return Err(Stop::TooLarge);
    }
    Ok(None)
}

/// The expression with every symbol replaced by another one of its own.
fn elsewhere(expr: &Expr) -> Expr {
    let free = free_symbols(&[expr]);
    rewritten(expr, &|part| match part {
        Expr::Symbol(name) if free.contains(&name) => {
            Some(Expr::symbol(&format!("{}\u{2032}elsewhere", name.0)))
        }
        _ => None,
    })
}
