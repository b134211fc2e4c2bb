//! Definite integrals and series: those that a rule has a value for become that value, by exact
//! rules alone; all others are kept with their variable under one name, so that they are equal to
//! themselves whatever it is called. Integrals among them are compared by value only where no other
//! stage finds two sides equal (`equivalence/quadrature.rs`).

use dashu_ratio::RBig;

use super::equivalence::{exact_value, replaced, value_f64};
use super::expr::{Constant, Expr, Function, Number, Symbol};

/// Polynomials of a higher degree are kept as written.
const MAX_DEGREE: usize = 8;
/// Formulas of more parts are kept as written: coefficients are copied into one another.
const MAX_PARTS: usize = 200;
/// More terms than this stand before no series whose first terms are left out.
const MAX_FIRST: i64 = 20;
/// The sign before the number of a bound variable; no name has it.
const BOUND: char = '\u{222b}';

/// The sign before the number of an integral that is known by its value; no name has it.
pub(crate) const VALUE: char = '\u{222e}';

/// The integral over a variable from `lower` to `upper`.
pub(crate) fn integral(lower: Expr, upper: Expr, variable: &Symbol, body: &Expr) -> Expr {
    let (constant, body) = without_constant_factors(body, variable);
    let bounds = Bounds { lower, upper };
    let small = [&body, &bounds.lower, &bounds.upper];
    let small = small.iter().map(|part| parts_of(part)).sum::<usize>() <= MAX_PARTS;
    let value = small.then(|| bounds.value(&body, variable)).flatten();
    let value = value.unwrap_or_else(|| {
        let body = bound(&body, variable);
        opaque("integral", vec![bounds.lower, bounds.upper, body])
    });
    product(constant, value)
}

/// The sum over an index from `lower` on without end.
pub(crate) fn series(index: &Symbol, lower: Expr, body: &Expr) -> Expr {
    let (constant, body) = without_constant_factors(body, index);
    let value = whole(&lower)
        .filter(|_| parts_of(&body) <= MAX_PARTS)
        .and_then(|first| sum_of_series(index, first, &body));
    let value = value.unwrap_or_else(|| opaque("series", vec![lower, bound(&body, index)]));
    product(constant, value)
}

/// `erf`, with a sign before its argument in front of it.
pub(crate) fn erf(argument: Expr) -> Expr {
    match sign(&argument) {
        Some(false) => opaque("erf", vec![argument.negated()]).negated(),
        _ => opaque("erf", vec![argument]),
    }
}

fn opaque(name: &str, arguments: Vec<Expr>) -> Expr {
    let name = std::iter::once(Expr::symbol(name));
    Expr::Apply(Function::Opaque, name.chain(arguments).collect())
}

/// The body with its variable under the name of its depth.
fn bound(body: &Expr, variable: &Symbol) -> Expr {
    let name = format!("{BOUND}{}", depth(body) + 1);
    replaced(body, variable, &Expr::symbol(&name))
}

/// How many bound variables stand within one another.
fn depth(expr: &Expr) -> usize {
    match expr {
        Expr::Number(_) | Expr::Constant(_) => 0,
        Expr::Symbol(name) => name
            .0
            .strip_prefix(BOUND)
            .and_then(|number| number.parse().ok())
            .unwrap_or(0),
        Expr::Power(base, exponent) => depth(base).max(depth(exponent)),
        Expr::Sum(parts) | Expr::Product(parts) | Expr::Apply(_, parts) | Expr::Call(_, parts) => {
            parts.iter().map(depth).max().unwrap_or(0)
        }
    }
}

fn parts_of(expr: &Expr) -> usize {
    match expr {
        Expr::Number(_) | Expr::Constant(_) | Expr::Symbol(_) => 1,
        Expr::Power(base, exponent) => 1 + parts_of(base) + parts_of(exponent),
        Expr::Sum(parts) | Expr::Product(parts) | Expr::Apply(_, parts) | Expr::Call(_, parts) => {
            1 + parts.iter().map(parts_of).sum::<usize>()
        }
    }
}

struct Bounds {
    lower: Expr,
    upper: Expr,
}

impl Bounds {
    fn value(&self, body: &Expr, variable: &Symbol) -> Option<Expr> {
        let finite = !holds_infinity(&self.lower) && !holds_infinity(&self.upper);
        if finite && let Some(coefficients) = polynomial(body, variable) {
            let terms = coefficients.into_iter().zip(1..).map(|(factor, power)| {
                let powers = self.between(|at| at.clone().to(power));
                Expr::Product(vec![factor, powers, fraction(1, power)])
            });
            return Some(Expr::Sum(terms.collect()));
        }
        if let Some((exponent, base)) = power_of(body, variable)
            && let Some(value) = self.of_power(&base, &exponent, variable)
        {
            return Some(value);
        }
        if let Some(exponent) = exponent_of_e(body, variable)
            && let Some(value) = self.of_exponential(&exponent)
        {
            return Some(value);
        }
        if finite && let Some(value) = self.of_circular(body, variable) {
            return Some(value);
        }
        // Term by term where every term has a value: between finite ends nothing diverges.
        match body {
            Expr::Sum(terms) if finite => terms
                .iter()
                .map(|term| {
                    let (constant, term) = without_constant_factors(term, variable);
                    Some(product(constant, self.value(&term, variable)?))
                })
                .collect::<Option<Vec<_>>>()
                .map(Expr::Sum),
            _ => None,
        }
    }

    /// The antiderivative at the upper end less that at the lower one.
    fn between(&self, antiderivative: impl Fn(&Expr) -> Expr) -> Expr {
        let (upper, lower) = (antiderivative(&self.upper), antiderivative(&self.lower));
        Expr::Sum(vec![upper, lower.negated()])
    }

    /// As [`Bounds::between`], with the value in either infinity; `None` where it has none.
    fn between_limits(
        &self,
        antiderivative: impl Fn(&Expr) -> Expr,
        limit: impl Fn(bool) -> Option<Expr>,
    ) -> Option<Expr> {
        let at = |end: &Expr| match super::equivalence::infinite_sign(end) {
            Some(positive) => limit(positive),
            None if holds_infinity(end) => None,
            None => Some(antiderivative(end)),
        };
        let (upper, lower) = (at(&self.upper)?, at(&self.lower)?);
        Some(Expr::Sum(vec![upper, lower.negated()]))
    }

    /// `t^p` between positive ends, and `1/(a + b t²)`.
    fn of_power(&self, base: &Expr, exponent: &RBig, variable: &Symbol) -> Option<Expr> {
        if *base == Expr::Symbol(variable.clone()) {
            let positive = |end: &Expr| sign(end) == Some(true);
            let starts =
                positive(&self.lower) || is_zero(&self.lower) && *exponent > RBig::from(-1);
            let ends = positive(&self.upper) || holds_infinity(&self.upper);
            if !starts || !ends {
                return None;
            }
            if *exponent == RBig::from(-1) {
                let ln = |at: &Expr| Expr::Apply(Function::Ln, vec![at.clone()]);
                return self.between_limits(ln, |_| None);
            }
            let raised = exponent + RBig::ONE;
            let vanishes = raised < RBig::ZERO;
            let power = |at: &Expr| {
                if is_zero(at) {
                    return Expr::integer(0);
                }
                let power = Expr::Power(Box::new(at.clone()), Box::new(exact(raised.clone())));
                power.over(exact(raised.clone()))
            };
            return self.between_limits(power, |positive| {
                (positive && vanishes).then(|| Expr::integer(0))
            });
        }
        if *exponent != RBig::from(-1) {
            return None;
        }
        let [constant, linear, square] = <[Expr; 3]>::try_from(polynomial(base, variable)?).ok()?;
        if !is_zero(&linear) || sign(&constant) != Some(true) || sign(&square) != Some(true) {
            return None;
        }
        let root = |expr: Expr| Expr::Power(Box::new(expr), Box::new(fraction(1, 2)));
        let ratio = root(square.clone().over(constant.clone()));
        let arctan = |at: &Expr| {
            Expr::Apply(
                Function::Arctan,
                vec![Expr::Product(vec![at.clone(), ratio.clone()])],
            )
        };
        let quarter = |positive: bool| {
            let turn = Expr::Product(vec![fraction(1, 2), Expr::Constant(Constant::Pi)]);
            Some(if positive { turn } else { turn.negated() })
        };
        let angle = self.between_limits(arctan, quarter)?;
        Some(angle.over(root(Expr::Product(vec![constant, square]))))
    }

    /// `e` to a linear or a quadratic exponent.
    fn of_exponential(&self, coefficients: &[Expr]) -> Option<Expr> {
        let e_to =
            |exponent: Expr| Expr::Power(Box::new(Expr::Constant(Constant::E)), Box::new(exponent));
        match coefficients {
            [constant, slope] if !is_zero(slope) => {
                let at = |end: &Expr| {
                    let exponent = Expr::Product(vec![slope.clone(), end.clone()]);
                    e_to(Expr::Sum(vec![constant.clone(), exponent]))
                };
                let falls = sign(slope);
                let limit = |positive: bool| {
                    let vanishes = falls == Some(!positive);
                    vanishes.then(|| Expr::integer(0))
                };
                Some(self.between_limits(at, limit)?.over(slope.clone()))
            }
            [constant, linear, square] if is_zero(linear) => {
                let rate = square.clone().negated();
                if sign(&rate) != Some(true) {
                    return None;
                }
                let root = |expr: Expr| Expr::Power(Box::new(expr), Box::new(fraction(1, 2)));
                let scale = root(rate);
                let at = |end: &Expr| match is_zero(end) {
                    true => Expr::integer(0),
                    false => erf(Expr::Product(vec![scale.clone(), end.clone()])),
                };
                let limit = |positive: bool| Some(Expr::integer(if positive { 1 } else { -1 }));
                let share = self.between_limits(at, limit)?;
                Some(Expr::Product(vec![
                    e_to(constant.clone()),
                    fraction(1, 2),
                    root(Expr::Constant(Constant::Pi)).over(scale.clone()),
                    share,
                ]))
            }
            _ => None,
        }
    }

    /// Sine and cosine of a linear argument.
    fn of_circular(&self, body: &Expr, variable: &Symbol) -> Option<Expr> {
        let Expr::Apply(function @ (Function::Sin | Function::Cos), arguments) = body else {
            return None;
        };
        let [argument] = arguments.as_slice() else {
            return None;
        };
        let [constant, slope] = <[Expr; 2]>::try_from(polynomial(argument, variable)?).ok()?;
        if is_zero(&slope) {
            return None;
        }
        let angle = |end: &Expr| {
            vec![Expr::Sum(vec![
                constant.clone(),
                Expr::Product(vec![slope.clone(), end.clone()]),
            ])]
        };
        let difference = self.between(|end| match function {
            Function::Sin => Expr::Apply(Function::Cos, angle(end)).negated(),
            _ => Expr::Apply(Function::Sin, angle(end)),
        });
        Some(difference.over(slope.clone()))
    }
}

/// Geometric series of a known ratio, `1/n^s` for an even `s`, and `z^n / n!`.
fn sum_of_series(index: &Symbol, first: i64, body: &Expr) -> Option<Expr> {
    let mut ratio = Vec::new();
    let mut rest = Vec::new();
    let mut at_zero = Vec::new();
    let mut factors = Vec::new();
    flatten(body, &mut factors);
    for factor in &factors {
        match factor {
            Expr::Power(base, exponent) if !holds(base, index) => {
                let coefficients = polynomial(exponent, index)?;
                let [constant, slope] = <[Expr; 2]>::try_from(coefficients).ok()?;
                ratio.push(Expr::Power(base.clone(), Box::new(slope)));
                at_zero.push(Expr::Power(base.clone(), Box::new(constant)));
            }
            other => rest.push(other),
        }
    }
    let ratio = match ratio.len() {
        0 => None,
        1 => ratio.pop(),
        _ => Some(Expr::Product(ratio)),
    };
    let scaled = |value: Expr| {
        let factors = at_zero.iter().cloned().chain([value]);
        Expr::Product(factors.collect())
    };
    match (ratio, rest.as_slice()) {
        (Some(ratio), []) => {
            let size = is_number(&ratio).then(|| value_f64(&ratio))??.abs();
            // Away from 1 by more than any error of machine numbers.
            let converges = size < 1.0 - 1e-9;
            converges.then(|| {
                let beyond = Expr::Sum(vec![Expr::integer(1), ratio.clone().negated()]);
                scaled(ratio.to(first).over(beyond))
            })
        }
        (ratio, [Expr::Power(base, exponent)]) => match base.as_ref() {
            Expr::Apply(Function::Factorial, arguments)
                if arguments == &[Expr::Symbol(index.clone())]
                    && **exponent == Expr::integer(-1) =>
            {
                let ratio = ratio.unwrap_or_else(|| Expr::integer(1));
                exponential_series(&ratio, first).map(scaled)
            }
            Expr::Symbol(name) if name == index && ratio.is_none() => {
                zeta(-whole(exponent)?, first)
            }
            _ => {
                let ratio = ratio?;
                weighted_geometric_series(index, first, &ratio, &rest).map(scaled)
            }
        },
        (Some(ratio), rest) => weighted_geometric_series(index, first, &ratio, rest).map(scaled),
        (None, rest) => telescoping_series(index, first, rest),
    }
}

/// `P(n) q^n` for a polynomial with rational coefficients and a rational ratio below 1.
fn weighted_geometric_series(
    index: &Symbol,
    first: i64,
    ratio: &Expr,
    weights: &[&Expr],
) -> Option<Expr> {
    let ratio = exact_value(ratio)?;
    if ratio >= RBig::ONE || ratio <= -RBig::ONE || ratio.is_zero() || first.abs() > MAX_FIRST {
        return None;
    }
    let weights = Expr::Product(weights.iter().map(|&factor| factor.clone()).collect());
    let coefficients = polynomial(&weights, index)?;
    let coefficients: Option<Vec<RBig>> = coefficients.iter().map(exact_value).collect();
    let coefficients = coefficients?;
    // The sums of n^k q^n from 0 on: S_k (1 − q) = [k = 0] + q Σ_{j<k} C(k, j) S_j.
    let mut sums: Vec<RBig> = Vec::with_capacity(coefficients.len());
    for k in 0..coefficients.len() {
        let mut binomial = RBig::ONE;
        let mut inner = RBig::ZERO;
        for (j, sum) in sums.iter().enumerate() {
            inner += &binomial * sum;
            binomial = binomial * RBig::from(k - j) / RBig::from(j + 1);
        }
        let start = if k == 0 { RBig::ONE } else { RBig::ZERO };
        sums.push((start + &ratio * inner) / (RBig::ONE - &ratio));
    }
    let mut total = RBig::ZERO;
    for (coefficient, sum) in coefficients.iter().zip(&sums) {
        total += coefficient * sum;
    }
    let term = |n: i64| {
        let weight = (coefficients.iter().rev()).fold(RBig::ZERO, |total, coefficient| {
            total * RBig::from(n) + coefficient
        });
        let size = (0..n.abs()).fold(RBig::ONE, |power, _| power * &ratio);
        weight * if n < 0 { RBig::ONE / size } else { size }
    };
    for n in 0..first {
        total -= term(n);
    }
    for n in first..0 {
        total += term(n);
    }
    Some(exact(total))
}

/// A constant over linear factors whose zeros are different and whole numbers apart:
/// `1/(n(n+1))`, `1/((2n-1)(2n+1))`.
fn telescoping_series(index: &Symbol, first: i64, factors: &[&Expr]) -> Option<Expr> {
    /// Further apart the zeros make too many terms.
    const MAX_APART: i64 = 64;
    let mut scale = RBig::ONE;
    let mut shifts: Vec<RBig> = Vec::with_capacity(factors.len());
    for factor in factors {
        let Expr::Power(base, exponent) = factor else {
            return None;
        };
        if **exponent != Expr::integer(-1) {
            return None;
        }
        let coefficients = polynomial(base, index)?;
        let coefficients: Option<Vec<RBig>> = coefficients.iter().map(exact_value).collect();
        let coefficients = coefficients?;
        match coefficients.as_slice() {
            [constant, slope] if !slope.is_zero() => {
                scale /= slope;
                shifts.push(constant / slope);
            }
            // n² + n and n² + 3n + 2 have two zeros.
            [constant, linear, square] if !square.is_zero() => {
                let (constant, linear) = (constant / square, linear / square);
                let under = &linear * &linear - RBig::from(4) * constant;
                let root = exact_value(&Expr::Power(
                    Box::new(exact(under)),
                    Box::new(fraction(1, 2)),
                ))?;
                scale /= square;
                shifts.push((&linear - &root) / RBig::from(2));
                shifts.push((linear + root) / RBig::from(2));
            }
            _ => return None,
        }
    }
    shifts.sort();
    let least = shifts.first()?.clone();
    // No term has a pole, and there are two factors at least.
    if shifts.len() < 2 || least <= -RBig::from(first) {
        return None;
    }
    let mut total = RBig::ZERO;
    for (place, shift) in shifts.iter().enumerate() {
        let apart = shift - &least;
        if !apart.is_int() || apart > RBig::from(MAX_APART) {
            return None;
        }
        // The share of 1/(n + shift) in the partial fractions.
        let mut share = RBig::ONE;
        for (other_place, other) in shifts.iter().enumerate() {
            if other_place != place {
                let difference = other - shift;
                if difference.is_zero() {
                    return None;
                }
                share /= difference;
            }
        }
        // The shares cancel in the whole: what is left are the terms before this one's first.
        let mut before = RBig::ZERO;
        let mut at = &least + RBig::from(first);
        let end = shift + RBig::from(first);
        while at < end {
            before += RBig::ONE / &at;
            at += RBig::ONE;
        }
        total -= share * before;
    }
    Some(exact(scale * total))
}

/// `e^z` less the terms before the first.
fn exponential_series(z: &Expr, first: i64) -> Option<Expr> {
    if !(0..=MAX_FIRST).contains(&first) {
        return None;
    }
    let mut terms = vec![Expr::Power(
        Box::new(Expr::Constant(Constant::E)),
        Box::new(z.clone()),
    )];
    let mut factorial = 1_i64;
    for power in 0..first {
        factorial = factorial.checked_mul(power.max(1))?;
        let term = match power {
            0 => Expr::integer(1),
            _ => z.clone().to(power),
        };
        terms.push(Expr::Product(vec![term, fraction(-1, factorial)]));
    }
    Some(Expr::Sum(terms))
}

/// The sum of `1/n^s` for an even `s`: a rational share of `π^s` (Euler), less the first terms.
fn zeta(s: i64, first: i64) -> Option<Expr> {
    const SHARES: [(i64, i64, i64); 6] = [
        (2, 1, 6),
        (4, 1, 90),
        (6, 1, 945),
        (8, 1, 9_450),
        (10, 1, 93_555),
        (12, 691, 638_512_875),
    ];
    if !(1..=MAX_FIRST).contains(&first) {
        return None;
    }
    let (_, over, under) = SHARES.iter().find(|(power, ..)| *power == s)?;
    let mut terms = vec![Expr::Product(vec![
        fraction(*over, *under),
        Expr::Constant(Constant::Pi).to(s),
    ])];
    terms.extend((1..first).map(|n| Expr::integer(n).to(-s).negated()));
    Some(Expr::Sum(terms))
}

/// `f(1/x) / x²` for a product of powers of polynomials, where that has no pole at 0: what stands
/// under an integral to infinity as a function of the reciprocal.
pub(crate) fn at_reciprocal(body: &Expr, variable: &Symbol) -> Option<Expr> {
    let mut factors = Vec::new();
    flatten(body, &mut factors);
    let mut power = RBig::from(-2);
    let mut turned = Vec::new();
    for factor in &factors {
        let (base, exponent) = match factor {
            Expr::Power(base, exponent) if holds(base, variable) => match exponent.as_ref() {
                Expr::Number(number) => (base.as_ref(), number.value.clone()),
                _ => return None,
            },
            other => (other, RBig::ONE),
        };
        let mut coefficients = polynomial(base, variable)?;
        while coefficients.len() > 1 && coefficients.last().is_some_and(is_zero) {
            coefficients.pop();
        }
        let degree = coefficients.len() as i64 - 1;
        power -= RBig::from(degree) * &exponent;
        let terms = coefficients.into_iter().zip((0..=degree).rev());
        let terms = terms.filter(|(factor, _)| !is_zero(factor));
        let terms = terms.map(|(factor, power)| match power {
            0 => factor,
            _ => Expr::Product(vec![factor, Expr::Symbol(variable.clone()).to(power)]),
        });
        turned.push(Expr::Power(
            Box::new(sum(terms.collect())),
            Box::new(exact(exponent)),
        ));
    }
    if !power.is_int() || power < RBig::ZERO {
        return None;
    }
    turned.push(Expr::Power(
        Box::new(Expr::Symbol(variable.clone())),
        Box::new(exact(power)),
    ));
    Some(Expr::Product(turned))
}

/// The factors without the variable, and the others as one product.
fn without_constant_factors(body: &Expr, variable: &Symbol) -> (Vec<Expr>, Expr) {
    let mut factors = Vec::new();
    flatten(body, &mut factors);
    let (inner, constant): (Vec<Expr>, Vec<Expr>) = factors
        .into_iter()
        .partition(|factor| holds(factor, variable));
    let body = match inner.len() {
        1 => inner.into_iter().next().expect("one factor"),
        0 => Expr::integer(1),
        _ => Expr::Product(inner),
    };
    (constant, body)
}

/// The factors of products within products, and of powers −1 of products.
fn flatten(expr: &Expr, factors: &mut Vec<Expr>) {
    match expr {
        Expr::Product(parts) => parts.iter().for_each(|part| flatten(part, factors)),
        Expr::Power(base, exponent) if **exponent == Expr::integer(-1) => match base.as_ref() {
            Expr::Product(parts) => {
                let inverse = |part: &Expr| Expr::integer(1).over(part.clone());
                for part in parts {
                    match inverse(part) {
                        Expr::Product(two) => factors.extend(two.into_iter().skip(1)),
                        other => factors.push(other),
                    }
                }
            }
            Expr::Power(inner, power) => match power.as_ref() {
                // 1/t^2 is t^-2.
                Expr::Number(number) => factors.push(Expr::Power(
                    inner.clone(),
                    Box::new(exact(-number.value.clone())),
                )),
                power => factors.push(Expr::Power(
                    inner.clone(),
                    Box::new(power.clone().negated()),
                )),
            },
            _ => factors.push(expr.clone()),
        },
        other => factors.push(other.clone()),
    }
}

fn product(mut factors: Vec<Expr>, last: Expr) -> Expr {
    if factors.is_empty() {
        return last;
    }
    factors.push(last);
    Expr::Product(factors)
}

/// Exponent and base, where the body is a power of something with the variable.
fn power_of(body: &Expr, variable: &Symbol) -> Option<(RBig, Expr)> {
    match body {
        Expr::Symbol(name) if name == variable => Some((RBig::ONE, body.clone())),
        Expr::Power(base, exponent) if holds(base, variable) => match exponent.as_ref() {
            Expr::Number(number) => Some((number.value.clone(), base.as_ref().clone())),
            _ => None,
        },
        _ => None,
    }
}

/// The exponent of e as a polynomial, where the body is such a power.
fn exponent_of_e(body: &Expr, variable: &Symbol) -> Option<Vec<Expr>> {
    match body {
        Expr::Power(base, exponent) if **base == Expr::Constant(Constant::E) => {
            polynomial(exponent, variable)
        }
        _ => None,
    }
}

/// The coefficients of a polynomial in the variable, the constant one first.
fn polynomial(expr: &Expr, variable: &Symbol) -> Option<Vec<Expr>> {
    if !holds(expr, variable) {
        return Some(vec![expr.clone()]);
    }
    match expr {
        Expr::Symbol(_) => Some(vec![Expr::integer(0), Expr::integer(1)]),
        Expr::Sum(terms) => {
            let mut total: Vec<Vec<Expr>> = Vec::new();
            for term in terms {
                for (place, factor) in polynomial(term, variable)?.into_iter().enumerate() {
                    if total.len() <= place {
                        total.push(Vec::new());
                    }
                    if !is_zero(&factor) {
                        total[place].push(factor);
                    }
                }
            }
            Some(total.into_iter().map(sum).collect())
        }
        Expr::Product(factors) => {
            let mut total = vec![Expr::integer(1)];
            for factor in factors {
                total = multiplied(&total, &polynomial(factor, variable)?)?;
            }
            Some(total)
        }
        Expr::Power(base, exponent) => {
            let times = whole(exponent).filter(|times| (1..=MAX_DEGREE as i64).contains(times))?;
            let base = polynomial(base, variable)?;
            let mut total = base.clone();
            for _ in 1..times {
                total = multiplied(&total, &base)?;
            }
            Some(total)
        }
        _ => None,
    }
}

fn multiplied(left: &[Expr], right: &[Expr]) -> Option<Vec<Expr>> {
    let length = left.len() + right.len() - 1;
    if length > MAX_DEGREE + 1 {
        return None;
    }
    let mut places: Vec<Vec<Expr>> = vec![Vec::new(); length];
    for (i, a) in left.iter().enumerate() {
        for (j, b) in right.iter().enumerate() {
            if !is_zero(a) && !is_zero(b) {
                places[i + j].push(match (a, b) {
                    (Expr::Number(a), Expr::Number(b)) => exact(&a.value * &b.value),
                    _ => Expr::Product(vec![a.clone(), b.clone()]),
                });
            }
        }
    }
    Some(places.into_iter().map(sum).collect())
}

/// A sum, of numbers a number.
fn sum(mut terms: Vec<Expr>) -> Expr {
    let number = |term: &Expr| match term {
        Expr::Number(number) => Some(number.value.clone()),
        _ => None,
    };
    if let Some(numbers) = terms.iter().map(number).collect::<Option<Vec<_>>>() {
        return exact(
            numbers
                .into_iter()
                .fold(RBig::ZERO, |total, term| total + term),
        );
    }
    match terms.len() {
        1 => terms.remove(0),
        _ => Expr::Sum(terms),
    }
}

/// Whether an expression is positive (`Some(true)`) or negative wherever its letters are positive,
/// as it shows without computing it.
fn sign(expr: &Expr) -> Option<bool> {
    match expr {
        Expr::Number(number) if number.value.is_zero() => None,
        Expr::Number(number) => Some(number.value > RBig::ZERO),
        Expr::Constant(Constant::Pi | Constant::E) => Some(true),
        Expr::Symbol(_) => Some(true),
        Expr::Constant(_) | Expr::Call(..) => None,
        Expr::Sum(terms) => {
            let first = sign(terms.first()?)?;
            terms
                .iter()
                .all(|term| sign(term) == Some(first))
                .then_some(first)
        }
        Expr::Product(factors) => factors
            .iter()
            .try_fold(true, |positive, factor| Some(positive == sign(factor)?)),
        Expr::Power(base, exponent) => match (sign(base)?, whole(exponent)) {
            (true, _) => Some(true),
            (false, Some(times)) => Some(times % 2 == 0),
            (false, None) => None,
        },
        Expr::Apply(..) => None,
    }
}

fn holds(expr: &Expr, symbol: &Symbol) -> bool {
    match expr {
        Expr::Symbol(name) => name == symbol,
        Expr::Number(_) | Expr::Constant(_) => false,
        Expr::Power(base, exponent) => holds(base, symbol) || holds(exponent, symbol),
        Expr::Sum(parts) | Expr::Product(parts) | Expr::Apply(_, parts) | Expr::Call(_, parts) => {
            parts.iter().any(|part| holds(part, symbol))
        }
    }
}

/// Whether no letter is in it.
fn is_number(expr: &Expr) -> bool {
    match expr {
        Expr::Symbol(_) | Expr::Call(..) => false,
        Expr::Number(_) | Expr::Constant(_) => true,
        Expr::Power(base, exponent) => is_number(base) && is_number(exponent),
        Expr::Sum(parts) | Expr::Product(parts) | Expr::Apply(_, parts) => {
            parts.iter().all(is_number)
        }
    }
}

fn holds_infinity(expr: &Expr) -> bool {
    match expr {
        Expr::Constant(constant) => *constant == Constant::Infinity,
        Expr::Number(_) | Expr::Symbol(_) => false,
        Expr::Power(base, exponent) => holds_infinity(base) || holds_infinity(exponent),
        Expr::Sum(parts) | Expr::Product(parts) | Expr::Apply(_, parts) | Expr::Call(_, parts) => {
            parts.iter().any(holds_infinity)
        }
    }
}

fn is_zero(expr: &Expr) -> bool {
    matches!(expr, Expr::Number(number) if number.value.is_zero())
}

/// A small whole number.
fn whole(expr: &Expr) -> Option<i64> {
    match expr {
        Expr::Number(number) if number.value.is_int() => {
            i64::try_from(number.value.numerator().clone())
                .ok()
                .filter(|value| value.unsigned_abs() <= 1_000_000)
        }
        _ => None,
    }
}

fn exact(value: RBig) -> Expr {
    Expr::Number(Number::exact(value))
}

fn fraction(over: i64, under: i64) -> Expr {
    exact(RBig::from(over) / RBig::from(under))
}

impl Expr {
    fn to(self, exponent: i64) -> Self {
        match exponent {
            1 => self,
            _ => Self::Power(Box::new(self), Box::new(Self::integer(exponent))),
        }
    }
}
