//! Properties on random expressions.

use dashu_ratio::RBig;
use proptest::prelude::*;

use super::infix::read;
use crate::budget::Budget;
use crate::equivalence::{equivalent, proportional};
use crate::expr::{Constant, Expr, Function, Number};

/// Any expression, well defined or not.
fn any_expr() -> impl Strategy<Value = Expr> {
    let constant = prop::sample::select(vec![
        Constant::Pi,
        Constant::E,
        Constant::I,
        Constant::Infinity,
    ]);
    let leaf = prop_oneof![
        4 => (-20_i64..20).prop_map(Expr::integer),
        2 => (-99_i64..99, 1_u32..60).prop_map(|(numerator, denominator)| {
            Expr::Number(Number::exact(RBig::from_parts(numerator.into(), denominator.into())))
        }),
        2 => constant.prop_map(Expr::Constant),
        4 => prop::sample::select(vec!["x", "y", "C", "c_1"]).prop_map(Expr::symbol),
    ];
    leaf.prop_recursive(5, 40, 4, |inner| {
        use Function::*;
        let functions = vec![
            Ln,
            Log,
            LogUnbased,
            Sin,
            Cos,
            Tan,
            Cot,
            Sec,
            Csc,
            Arcsin,
            Arccos,
            Arctan,
            Arccot,
            Arcsec,
            Arccsc,
            Sinh,
            Cosh,
            Tanh,
            Arsinh,
            Arcosh,
            Artanh,
            Abs,
            Floor,
            Ceil,
            Factorial,
            DoubleFactorial,
            Binomial,
            Permutations,
            Gcd,
            Lcm,
            Min,
            Max,
            Re,
            Im,
            Conjugate,
            Sign,
            Mod,
            Degrees,
            FiniteSum,
            FiniteProduct,
            Opaque,
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Expr::Sum),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Expr::Product),
            (inner.clone(), inner.clone())
                .prop_map(|(base, exponent)| Expr::Power(Box::new(base), Box::new(exponent))),
            (
                prop::sample::select(functions),
                prop::collection::vec(inner.clone(), 0..5)
            )
                .prop_map(|(function, arguments)| Expr::Apply(function, arguments)),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(first, last, body)| {
                Expr::Apply(
                    Function::FiniteSum,
                    vec![Expr::symbol("x"), first, last, body],
                )
            }),
            inner.prop_map(|argument| Expr::Call(crate::expr::Symbol("f".into()), vec![argument])),
        ]
    })
}

/// Coefficients of a polynomial in x and y of degree at most 3 in each.
fn polynomial() -> impl Strategy<Value = Vec<(i64, i64, i64)>> {
    prop::collection::vec((-9_i64..10, 0_i64..4, 0_i64..4), 1..6)
}

fn as_expr(terms: &[(i64, i64, i64)]) -> Expr {
    let power = |name: &str, exponent: i64| {
        Expr::Power(
            Box::new(Expr::symbol(name)),
            Box::new(Expr::integer(exponent)),
        )
    };
    let term = |(coefficient, x, y): &(i64, i64, i64)| {
        Expr::Product(vec![
            Expr::integer(*coefficient),
            power("x", *x),
            power("y", *y),
        ])
    };
    Expr::Sum(terms.iter().map(term).chain([Expr::integer(0)]).collect())
}

fn multiplied_out(left: &[(i64, i64, i64)], right: &[(i64, i64, i64)]) -> Vec<(i64, i64, i64)> {
    left.iter()
        .flat_map(|a| right.iter().map(move |b| (a.0 * b.0, a.1 + b.1, a.2 + b.2)))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn anything_equals_itself_and_nothing_panics(expr in any_expr()) {
        prop_assert!(equivalent(&expr, &expr.clone(), &mut Budget::new()).is_ok_and(|decision| decision.equal));
    }

    #[test]
    fn equality_is_symmetric(left in any_expr(), right in any_expr()) {
        let forth = equivalent(&left, &right, &mut Budget::new());
        let back = equivalent(&right, &left, &mut Budget::new());
        prop_assert_eq!(forth, back);
    }

    #[test]
    fn rearranged_sums_and_products_are_never_refused(expr in any_expr(), other in any_expr()) {
        let forth = Expr::Sum(vec![expr.clone(), other.clone()]);
        let back = Expr::Sum(vec![other, expr]);
        if let Ok(decision) = equivalent(&forth, &back, &mut Budget::new()) {
            // Where there is no value there is no equality either.
            prop_assert!(decision.equal || ["equal/undecided", "equal/infinity"].contains(&decision.rule), "{:?}", decision);
        }
    }

    #[test]
    fn families_and_factors_do_not_panic(left in any_expr(), right in any_expr()) {
        let _ = proportional(&left, &right, &mut Budget::new());
    }

    #[test]
    fn a_product_equals_itself_multiplied_out(left in polynomial(), right in polynomial()) {
        let product = Expr::Product(vec![as_expr(&left), as_expr(&right)]);
        let decision = equivalent(&product, &as_expr(&multiplied_out(&left, &right)), &mut Budget::new());
        prop_assert_eq!(decision.map(|decision| decision.equal), Ok(true));
    }

    #[test]
    fn another_coefficient_makes_a_polynomial_unequal(
        left in polynomial(), right in polynomial(), change in 1_i64..5, x in 0_i64..4, y in 0_i64..4,
    ) {
        let product = Expr::Product(vec![as_expr(&left), as_expr(&right)]);
        let mut terms = multiplied_out(&left, &right);
        terms.push((change, x, y));
        let decision = equivalent(&product, &as_expr(&terms), &mut Budget::new());
        prop_assert_eq!(decision.map(|decision| decision.equal), Ok(false));
    }
}

#[test]
fn a_budget_that_runs_out_says_so() {
    let long = read("sum(k, 1, 9999, sum(j, 1, 9999, sin(k*j)))");
    assert!(equivalent(&long, &read("1"), &mut Budget::new()).is_err());
}
