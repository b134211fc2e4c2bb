//! One line a pair: the two sides, whether they are equal, and the rule that must say so.

use super::infix::read;
use crate::budget::{Budget, Exhausted};
use crate::decision::EqualityDecision;
use crate::equivalence::{equivalent, proportional, value_f64};
use crate::expr::Expr;

type Compare = fn(&Expr, &Expr, &mut Budget) -> Result<EqualityDecision, Exhausted>;

/// Checks each pair in both orders, and each side with itself.
fn check(compare: Compare, rule: &str, equal: bool, pairs: &[(&str, &str)]) {
    let mut wrong = Vec::new();
    for (left, right) in pairs {
        let (first, second) = (read(left), read(right));
        let expected = Ok(EqualityDecision { equal, rule: "" });
        for (order, decision) in [
            ("as written", compare(&first, &second, &mut Budget::new())),
            ("exchanged", compare(&second, &first, &mut Budget::new())),
        ] {
            let matches = decision.map(|decision| decision.equal)
                == expected.map(|decision: EqualityDecision| decision.equal)
                && decision.is_ok_and(|decision| decision.rule == rule);
            if !matches {
                wrong.push(format!(
                    "{left}  vs  {right}, {order}: {decision:?}, expected {equal} by {rule}"
                ));
            }
        }
        for side in [first, second] {
            assert_eq!(
                compare(&side, &side, &mut Budget::new()).map(|decision| decision.equal),
                Ok(true)
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn rationals_that_are_equal() {
    check(
        equivalent,
        "equal/rational",
        true,
        &[
            ("1/2", "0.5"),
            ("0.50", "0.5"),
            ("2/4", "1/2"),
            ("3 - 5", "-2"),
            ("2^10", "1024"),
            ("(2/3)^(-2)", "9/4"),
            ("8^(1/3)", "2"),
            ("(-8)^(1/3)", "-2"),
            ("cbrt(-27)", "-3"),
            ("4^(3/2)", "8"),
            ("sqrt(9/4)", "1.5"),
            ("fact(5)", "120"),
            ("fact2(7)", "105"),
            ("binom(10, 3)", "120"),
            ("binom(5, 7)", "0"),
            ("perm(10, 3)", "720"),
            ("gcd(12, 18)", "6"),
            ("lcm(4, 6)", "12"),
            ("mod(17, 5)", "2"),
            ("mod(-1, 5)", "4"),
            ("floor(7/2)", "3"),
            ("ceil(7/2)", "4"),
            ("floor(-7/2)", "-4"),
            ("abs(-3)", "3"),
            ("min(1/2, 1/3)", "1/3"),
            ("max(1/2, 1/3)", "1/2"),
            ("sum(k, 1, 100, k)", "5050"),
            ("sum(k, 1, 10, sum(j, 1, k, j))", "220"),
            ("prod(k, 1, 5, k)", "fact(5)"),
            ("10^50 + 1 - 10^50", "1"),
            ("fact(20)/fact(18)", "380"),
            ("2^1000 * 2^1000", "2^2000"),
        ],
    );
}

#[test]
fn rationals_that_differ() {
    check(
        equivalent,
        "equal/rational",
        false,
        &[
            ("1/3", "0.333"),
            ("0.3333333333333", "0.33333333333333"),
            ("10^50 + 1", "10^50"),
            ("2^100", "2^100 + 1"),
            ("3", "-3"),
            ("fact(30)", "fact(30) + 1"),
            ("sum(k, 1, 100, k)", "5049"),
            ("22/7", "3.14"),
            ("1/7", "0.142857"),
        ],
    );
}

#[test]
fn infinities() {
    check(
        equivalent,
        "equal/infinity",
        true,
        &[("inf", "2*inf"), ("-inf", "-3*inf")],
    );
    check(
        equivalent,
        "equal/infinity",
        false,
        &[
            ("inf", "-inf"),
            ("inf", "10^100"),
            ("inf", "x"),
            ("inf - inf", "0"),
        ],
    );
}

#[test]
fn long_decimals() {
    check(
        equivalent,
        "equal/long_decimal",
        true,
        &[
            ("sqrt(17)", "4.123105625617661"),
            ("1/3", "0.333333333333"),
            ("2/3", "0.666666666667"),
            ("2/3", "0.666666666666"),
            ("pi", "3.14159265358979"),
            ("-sqrt(2)", "-1.41421356237310"),
            ("-sqrt(2)", "-1.41421356237309"),
            ("1/300", "0.00333333333333"),
            ("1000*pi", "3141.59265358979"),
        ],
    );
    check(
        equivalent,
        "equal/rational",
        false,
        &[("2/3", "0.666666666665"), ("2/3", "0.66666666667")],
    );
    check(
        equivalent,
        "equal/closed_form",
        false,
        &[("sqrt(2)", "1.4142135"), ("pi", "3.14")],
    );
    check(
        equivalent,
        "equal/polynomial",
        false,
        &[("sqrt(2)", "1.41421356237311")],
    );
}

#[test]
fn polynomials_that_are_equal() {
    check(
        equivalent,
        "equal/polynomial",
        true,
        &[
            ("(x + 1)^2", "x^2 + 2*x + 1"),
            ("(x+y)*(x-y)", "x^2 - y^2"),
            ("x/2", "0.5*x"),
            ("1/x + 1/y", "(x + y)/(x*y)"),
            ("(x^2 - 1)/(x - 1)", "x + 1"),
            ("x - x + 1", "1"),
            ("sin(x) - sin(x) + y", "y*e^0"),
            ("1/(1 + e^(-x))", "e^x/(1 + e^x)"),
            ("sqrt(sqrt(2) - sqrt(2))", "0"),
            ("log(3)", "ln(3)"),
            ("(a+b)^10", "(b+a)^10"),
            ("sqrt(8)", "2*sqrt(2)"),
            ("1/sqrt(2)", "sqrt(2)/2"),
            ("1/(1 + sqrt(2))", "sqrt(2) - 1"),
            ("sqrt(6)", "sqrt(2)*sqrt(3)"),
            ("sqrt(-4)", "2*i"),
            ("(1+i)^2", "2*i"),
            ("1/i", "-i"),
            ("(1+2*i)/(3-i)", "1/10 + 7/10*i"),
            ("2^(1/3)*4^(1/3)", "2"),
            ("16^(1/3)", "2*2^(1/3)"),
            ("cbrt(-16)", "-2*cbrt(2)"),
            ("pi/2 + pi/3", "5*pi/6"),
            ("deg(180)", "pi"),
            ("deg(30)", "pi/6"),
            ("2*sin(x+1)", "sin(1+x) + sin(x+1)"),
            ("f(x+1)/2", "0.5*f(1+x)"),
            ("e^(-x)", "1/e^x"),
            ("x^(-x)*x^x", "1"),
            ("sqrt(x+1)*3", "sqrt(1+x) + 2*sqrt(1+x)"),
            ("sum(k, 1, 3, x^k)", "x + x^2 + x^3"),
            ("opaque(int, x^2 + x)", "opaque(int, x + x^2)"),
            ("sqrt(1/3)", "sqrt(3)/3"),
            ("(3+sqrt(5))/2", "((1+sqrt(5))/2)^2"),
            ("sqrt(1000003)*2", "sqrt(4000012)"),
        ],
    );
}

#[test]
fn polynomials_that_differ() {
    check(
        equivalent,
        "equal/polynomial",
        false,
        &[
            ("x", "y"),
            ("x + 1", "x + 2"),
            ("(x+1)^2", "x^2 + 1"),
            ("x^2", "x"),
            ("x", "-x"),
            ("1/x", "x"),
            ("x + 3", "3"),
            ("x*pi", "x*3.14159265358979"),
            ("x*sqrt(2)", "x*1.4142135"),
            ("(a+b)^10", "(a+b)^10 + 10^(-30)*a"),
            ("sqrt(2)", "sqrt(2) + 10^(-40)"),
            (
                "10^40 + sqrt(2)",
                "10^40 + 1.41421356237309504880168872420969807",
            ),
            ("e^100", "e^100 + 1"),
            ("x + i", "x - i"),
        ],
    );
}

#[test]
fn long_expressions_go_by_residues() {
    check(
        equivalent,
        "equal/residues",
        true,
        &[
            ("2024^4046", "2024^4045*2024"),
            ("2^100000", "4^50000"),
            ("(x+1)^500", "(1+x)^250*(1+x)^250"),
            ("10^100000 + 1 - 10^100000", "1 + 0*2^100000"),
        ],
    );
    check(
        equivalent,
        "equal/residues",
        false,
        &[
            ("2^100000 + 1", "2^100000"),
            ("2024^4046", "2024^4046 - 1"),
            ("(x+1)^500", "x^500 + 1"),
            ("(1 + 10^(-15))^(10^15)", "e"),
        ],
    );
}

#[test]
fn closed_forms_that_are_equal() {
    check(
        equivalent,
        "equal/closed_form",
        true,
        &[
            (
                "96 - 10*sqrt(21)",
                "(6*sqrt(1789 - 240*sqrt(21)) + 8*sqrt(1236 - 240*sqrt(21)))/5",
            ),
            ("sqrt(11 + 4*sqrt(7))", "2 + sqrt(7)"),
            ("sqrt(5 + 2*sqrt(6))", "sqrt(2) + sqrt(3)"),
            ("cos(pi/5)", "(1 + sqrt(5))/4"),
            ("sin(pi/6)", "1/2"),
            ("sin(pi)", "0"),
            ("tan(pi/4)", "1"),
            ("sin(deg(30))", "0.5"),
            ("e^(i*pi)", "-1"),
            ("e^(i*pi) + 1", "0"),
            ("arctan(1/2) + arctan(1/3)", "pi/4"),
            ("4*arctan(1/5) - arctan(1/239)", "pi/4"),
            ("arcsin(1)", "pi/2"),
            ("arccos(-1)", "pi"),
            ("arccos(1/2)", "pi/3"),
            ("arccot(1)", "pi/4"),
            ("arcsec(2)", "pi/3"),
            ("arccsc(2)", "pi/6"),
            ("ln(8)", "3*ln(2)"),
            ("ln(6)", "ln(2) + ln(3)"),
            ("log(2, 8)", "3"),
            ("log(4, 8)", "3/2"),
            ("log(100)", "2"),
            ("log(e^2)", "2"),
            ("log(2) + log(5)", "1"),
            ("floor(log(2, 8))", "3"),
            ("ln(e^5)", "5"),
            ("e^(ln(7))", "7"),
            ("2^(log(2, 5))", "5"),
            ("cosh(1)^2 - sinh(1)^2", "1"),
            ("arsinh(1)", "ln(1 + sqrt(2))"),
            ("arcosh(2)", "ln(2 + sqrt(3))"),
            ("artanh(1/2)", "ln(3)/2"),
            ("tanh(ln(2))", "3/5"),
            ("abs(3 + 4*i)", "5"),
            ("re(e^(i*pi/3))", "1/2"),
            ("im(e^(i*pi/6))", "1/2"),
            ("conj(e^(i))*e^(i)", "1"),
            ("i^i", "e^(-pi/2)"),
            ("sqrt(i)", "(1+i)/sqrt(2)"),
            ("ln(-1)", "i*pi"),
            ("cbrt(2 + sqrt(5)) + cbrt(2 - sqrt(5))", "1"),
            ("cbrt(7 + 5*sqrt(2))", "1 + sqrt(2)"),
            ("sum(k, 0, 4, cos(2*pi*k/5))", "0"),
            ("prod(k, 1, 6, sin(k*pi/7))", "7/64"),
            ("tan(3*pi/11) + 4*sin(2*pi/11)", "sqrt(11)"),
            ("sqrt(2)^sqrt(2)^2", "2^(1)"),
            ("sec(pi/3)", "2"),
            ("csc(pi/6)", "2"),
            ("cot(pi/4)", "1"),
            ("sqrt(sin(1)^2 + cos(1)^2 - 1)", "0"),
            (
                "sum(k, 1, 200, sqrt(k)) - sum(k, 1, 199, sqrt(k))",
                "sqrt(200)",
            ),
            ("4^(log(2, 3))", "9"),
            (
                "10^20*(sqrt(10^40 + 2) - 10^20)",
                "10^20*2/(sqrt(10^40 + 2) + 10^20)*e^0*sin(1)/sin(1)",
            ),
            ("tan(pi/2 - 10^(-12))", "1/tan(10^(-12))"),
            ("cos(10^30)^2 + sin(10^30)^2", "1"),
            ("e^100 - e^100*cos(2*pi)", "0"),
            ("max(sqrt(2), sqrt(3))", "sqrt(4 - 1)*abs(e^(i))"),
        ],
    );
}

#[test]
fn closed_forms_that_differ() {
    check(
        equivalent,
        "equal/closed_form",
        false,
        &[
            ("sqrt(2)", "1.41421356"),
            ("sqrt(2)", "sqrt(3)"),
            ("pi", "22/7"),
            ("pi", "e"),
            ("e^(i*pi)", "1"),
            ("sin(1)", "sin(1) + 10^(-45)"),
            ("e^(pi*sqrt(163))", "262537412640768744"),
            ("sqrt(5 + 2*sqrt(6))", "sqrt(2) - sqrt(3)"),
            ("cos(pi/5)", "(sqrt(5) - 1)/4"),
            ("ln(3)", "log(10, 3)"),
            ("arctan(1/2) + arctan(1/4)", "pi/4"),
            ("e^(-200)", "2*e^(-200)"),
            ("e^(-200)", "0"),
            ("2^(1/2)", "2^(1/3)"),
            ("sqrt(11 + 4*sqrt(7))", "2 + sqrt(7) + 10^(-40)"),
            ("10^30*ln(1 + 10^(-30))", "1"),
            ("tan(pi/2 - 10^(-12))", "10^12"),
            ("10^20*(sin(10^(-10)) - 10^(-10)) + 1", "1"),
            ("cos(10^30)", "cos(10^30 + 1)"),
        ],
    );
}

#[test]
fn functions_that_are_equal() {
    check(
        equivalent,
        "equal/points",
        true,
        &[
            ("tan(x)^2 + 1", "sec(x)^2"),
            ("sin(x)^2 + cos(x)^2", "1"),
            ("sin(2*x)", "2*sin(x)*cos(x)"),
            ("cos(x+y)", "cos(x)*cos(y) - sin(x)*sin(y)"),
            ("e^(x+y)", "e^x*e^y"),
            ("2^(x+1)", "2*2^x"),
            ("e^(2*x)", "(e^x)^2"),
            ("(e^x - e^(-x))/2", "sinh(x)"),
            ("arcsin(x) + arccos(x)", "pi/2"),
            ("fact(n+1)", "(n+1)*fact(n)"),
            ("sum(k, 1, n, k)", "n*(n+1)/2"),
            ("sum(k, 1, n, k^3)", "(sum(k, 1, n, k))^2"),
            ("binom(n, 2)", "n*(n-1)/2"),
            ("f(x)*e^x*e^x", "f(x)*e^(2*x)"),
            ("f(sin(x)^2 + cos(x)^2)*x", "x*f(1)"),
        ],
    );
    check(
        equivalent,
        "equal/points_positive",
        true,
        &[
            ("abs(x)^2", "x*x*1^x"),
            ("sqrt(x^2)", "abs(x)"),
            ("sqrt(x^2)", "x"),
            ("ln(x*y)", "ln(x) + ln(y)"),
            ("ln(x^2)", "2*ln(x)"),
            ("sqrt(x)*sqrt(y)", "sqrt(x*y)"),
            ("(x^2)^(1/4)", "sqrt(x)"),
            ("ln(abs(x))", "ln(x)"),
            ("sqrt(x-1)*sqrt(x-2)", "sqrt((x-1)*(x-2))"),
        ],
    );
}

#[test]
fn functions_that_differ() {
    check(
        equivalent,
        "equal/points",
        false,
        &[
            ("sin(x)", "cos(x)"),
            ("tan(x)^2 - 1", "sec(x)^2"),
            ("e^x", "e^x + 10^(-20)*sin(x)"),
            ("abs(x)", "x"),
            ("floor((2*n-1)/6)", "floor((2*n-1)/5)"),
            ("floor(n/40)", "0"),
            ("floor(n/2) + 1", "floor((n+1)/2)"),
            ("sqrt(x^2 + 1)", "x + 1"),
            ("f(x)", "f(x+1)"),
            ("f(x)", "g(x)"),
            ("x^y", "y^x"),
            ("sqrt(sin(x)^2)", "sin(x)"),
            ("sum(k, 1, n, k)", "n*(n-1)/2"),
            ("fact(n)", "fact(n+1)"),
            ("ln(x)", "log(10, x)"),
            ("opaque(int, x)", "opaque(int, x^2)"),
            ("sqrt(x)", "sqrt(y)"),
        ],
    );
}

#[test]
fn equations_up_to_a_factor() {
    check(
        proportional,
        "equal/proportional",
        true,
        &[
            ("2*x + 4*y - 3", "y + x/2 - 3/4"),
            ("x^2 - y", "y - x^2"),
            ("sqrt(2)*x - 2", "x - sqrt(2)"),
            ("sin(2*x) - y*0", "sin(x)*cos(x)"),
            ("e^(x+1)", "e^x"),
        ],
    );
    check(
        proportional,
        "equal/proportional",
        false,
        &[
            ("2*x + 4*y - 3", "y + x/2 - 1"),
            ("x", "x^2"),
            ("x", "0*x"),
            ("sin(x)", "cos(x)"),
            ("x*sqrt(2)", "y"),
        ],
    );
}

#[test]
fn values_as_machine_numbers() {
    assert_eq!(value_f64(&read("1/2")), Some(0.5));
    assert_eq!(value_f64(&read("-inf")), Some(f64::NEG_INFINITY));
    assert_eq!(value_f64(&read("x")), None);
    assert_eq!(value_f64(&read("sqrt(-1)")), None);
    assert!((value_f64(&read("e^(i*pi)")).unwrap() + 1.0).abs() < 1e-15);
    assert!((value_f64(&read("sqrt(2)")).unwrap() - std::f64::consts::SQRT_2).abs() < 1e-15);
}
