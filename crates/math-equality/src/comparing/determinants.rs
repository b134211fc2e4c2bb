//! A determinant against its value. Two determinants are compared as written, entry by entry.

use crate::expr::{Expr, Function};

/// Rows of a determinant that is written out.
const MAX_ROWS: usize = 4;

/// The value of an expression that is a determinant of few rows.
pub(super) fn written_out(expr: &Expr) -> Option<Expr> {
    let Expr::Apply(Function::Opaque, parts) = expr else {
        return None;
    };
    let [Expr::Symbol(name), _, elements @ ..] = parts.as_slice() else {
        return None;
    };
    let size = (1..=MAX_ROWS).find(|size| size * size == elements.len())?;
    if &*name.0 != "determinant" {
        return None;
    }
    Some(expanded(
        &elements
            .chunks(size)
            .map(<[Expr]>::to_vec)
            .collect::<Vec<_>>(),
    ))
}

/// By the first row.
fn expanded(rows: &[Vec<Expr>]) -> Expr {
    let (first, below) = rows.split_first().expect("at least one row");
    if below.is_empty() {
        return first[0].clone();
    }
    // n! products, which MAX_ROWS keeps to 24.
    let term = |(column, element): (usize, &Expr)| {
        let minor: Vec<Vec<Expr>> = below
            .iter()
            .map(|row| {
                let kept = row.iter().enumerate().filter(|(index, _)| *index != column);
                kept.map(|(_, element)| element.clone()).collect()
            })
            .collect();
        let sign = Expr::integer(if column % 2 == 0 { 1 } else { -1 });
        Expr::Product(vec![sign, element.clone(), expanded(&minor)])
    };
    Expr::Sum(first.iter().enumerate().map(term).collect())
}
