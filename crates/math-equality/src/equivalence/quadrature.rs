//! Definite integrals by value: a quadrature with a proven bound of its error.
//!
//! On a piece of the range with centre `c` and half length `r`, the formula of Gauss with 24 nodes
//! is off by at most `64/15 · M · ρ^-46 / (ρ² − 1)` times `r`, where the integrand is analytic and at
//! most `M` inside the ellipse with foci ±1 and semi-axes of sum ρ around the piece (Trefethen,
//! "Approximation Theory and Approximation Practice", theorem 19.3, whose n is one less than the
//! number of nodes). With ρ = 4 its axes are 17/8 `r` and 15/8 `r`. `M` comes from evaluations at
//! complex balls that hold the upper half of the ellipse, of which the lower is the mirror image;
//! where one has no value, or the integrand is not seen to be analytic there, the piece is cut in
//! two. Integrands that are singular at an end are cut without end, and have no value here.

use std::cmp::Ordering;
use std::sync::OnceLock;

use dashu_ratio::RBig;

use super::ball::{Ball, Precision};
use super::complex::Complex;
use super::evaluation::Evaluation;
use super::numeric::{compare_balls, optional};
use super::real::{Comparison, Real};
use super::{EqualityDecision, rational, substitution};
use crate::budget::{Budget, Exhausted};
use crate::calculus;
use crate::expr::{Constant, Expr, Function, Symbol};

/// Integrals that are equal agree to this many binary digits: 25 decimal ones.
const EQUAL_BITS: f64 = 83.1;
/// Working precision.
const BITS: usize = 160;
/// Nodes on the positive half of a piece.
const HALF: usize = 12;
/// No piece is cut more often.
const MAX_DEPTH: u32 = 8;
/// `log2(64/15 · 4^-46 / 15)`, rounded up.
const ERROR: f64 = -93.0;
/// Binary logarithm of the largest bound of an integrand on a piece: with `ERROR`, some 25 digits.
const MAX_BOUND: f64 = 7.0;
/// More integrals than this are not computed for one comparison.
const MAX_INTEGRALS: usize = 4;

/// A positive node and the weight of it and of its negative.
struct Node {
    at: Ball,
    weight: Ball,
}

/// Compares two expressions without letters by the values of the integrals in them; `None` where
/// they hold none, or other letters too.
pub(super) fn compare_integrals(
    left: &Expr,
    right: &Expr,
    budget: &mut Budget,
) -> Result<Option<EqualityDecision>, Exhausted> {
    let mut found = Vec::new();
    collect(left, &mut found);
    collect(right, &mut found);
    if found.is_empty() || found.len() > MAX_INTEGRALS {
        return Ok(None);
    }
    let names: Vec<Symbol> = (0..found.len())
        .map(|place| Symbol(format!("{}{place}", calculus::VALUE).into()))
        .collect();
    let named = |expr: &Expr| {
        substitution::rewritten(expr, &|part| {
            let place = found.iter().position(|integral| *integral == part)?;
            Some(Expr::Symbol(names[place].clone()))
        })
    };
    let (left, right) = (named(left), named(right));
    let mut letters = substitution::free_symbols(&[&left, &right]).into_iter();
    if !letters.all(|letter| names.contains(letter)) {
        return Ok(None);
    }
    let undecided = EqualityDecision::of(false, "equal/undecided");
    let mut precision = Precision::new(BITS);
    let mut values = Vec::with_capacity(found.len());
    for (integral, name) in found.iter().zip(&names) {
        match value(integral, &mut precision, budget)? {
            Some(value) => values.push((name, value)),
            None => return Ok(Some(undecided)),
        }
    }
    let mut side = |expr| {
        let mut evaluation = Evaluation::new(values.clone(), &mut precision, budget);
        optional(evaluation.value(expr))
    };
    let (Some(left), Some(right)) = (side(&left)?, side(&right)?) else {
        return Ok(Some(undecided));
    };
    Ok(Some(
        match compare_balls(&left, &right, EQUAL_BITS, &mut precision) {
            Comparison::Equal => EqualityDecision::of(true, "equal/integral"),
            Comparison::Different => EqualityDecision::of(false, "equal/integral"),
            Comparison::Unknown => undecided,
        },
    ))
}

/// The integrals that stand in no other.
fn collect<'e>(expr: &'e Expr, found: &mut Vec<&'e Expr>) {
    match expr {
        _ if parts_of_integral(expr).is_some() => {
            if !found.contains(&expr) {
                found.push(expr);
            }
        }
        Expr::Number(_) | Expr::Constant(_) | Expr::Symbol(_) => {}
        Expr::Power(base, exponent) => {
            collect(base, found);
            collect(exponent, found);
        }
        Expr::Sum(parts) | Expr::Product(parts) | Expr::Apply(_, parts) | Expr::Call(_, parts) => {
            parts.iter().for_each(|part| collect(part, found));
        }
    }
}

fn parts_of_integral(expr: &Expr) -> Option<(&Expr, &Expr, &Expr)> {
    let Expr::Apply(Function::Opaque, parts) = expr else {
        return None;
    };
    match parts.as_slice() {
        [Expr::Symbol(name), lower, upper, body] if &*name.0 == "integral" => {
            Some((lower, upper, body))
        }
        _ => None,
    }
}

/// The value of an integral; `None` where it is not known, or not proven.
fn value(
    integral: &Expr,
    precision: &mut Precision,
    budget: &mut Budget,
) -> Result<Option<Complex<Ball>>, Exhausted> {
    let Some((lower, upper, body)) = parts_of_integral(integral) else {
        return Ok(None);
    };
    let letters = substitution::free_symbols(&[body]);
    let [variable] = letters.as_slice() else {
        return Ok(None);
    };
    let Some(ranges) = finite_ranges(lower, upper, body, variable, budget)? else {
        return Ok(None);
    };
    let mut total = Complex::real(Ball::zero());
    for (lower, upper, body) in ranges {
        let Some(mut piece) = Piece::of(&lower, &upper, precision, budget)? else {
            return Ok(None);
        };
        let integrand = Integrand {
            body: &body,
            variable,
        };
        let Some(part) = piece.integral(&integrand, 0, precision, budget)? else {
            return Ok(None);
        };
        match total.add(&part, precision) {
            Some(sum) => total = sum,
            None => return Ok(None),
        }
    }
    Ok(Some(total))
}

type Range = (Expr, Expr, Expr);

/// The ranges between finite ends, with their integrands: beyond 1 an integrand over an infinite
/// range is looked at as a function of `1/x`.
fn finite_ranges(
    lower: &Expr,
    upper: &Expr,
    body: &Expr,
    variable: &Symbol,
    budget: &mut Budget,
) -> Result<Option<Vec<Range>>, Exhausted> {
    let ends = (super::infinite_sign(lower), super::infinite_sign(upper));
    if ends == (None, None) {
        return Ok(Some(vec![(lower.clone(), upper.clone(), body.clone())]));
    }
    let mirrored =
        || substitution::replaced(body, variable, &Expr::Symbol(variable.clone()).negated());
    let halves = match ends {
        (None, Some(true)) => vec![(lower.clone(), body.clone())],
        (Some(false), None) => vec![(upper.clone().negated(), mirrored())],
        (Some(false), Some(true)) => {
            vec![
                (Expr::integer(0), body.clone()),
                (Expr::integer(0), mirrored()),
            ]
        }
        _ => return Ok(None),
    };
    let mut ranges = Vec::new();
    for (lower, body) in halves {
        let Some(start) = rational::fold(&lower, budget)? else {
            return Ok(None);
        };
        let Some(beyond) = calculus::at_reciprocal(&body, variable) else {
            return Ok(None);
        };
        let one = Expr::integer(1);
        let far = if start >= RBig::ONE {
            one.over(lower)
        } else {
            ranges.push((lower, one.clone(), body));
            one
        };
        ranges.push((Expr::integer(0), far, beyond));
    }
    Ok(Some(ranges))
}

/// A function of one variable.
struct Integrand<'e> {
    body: &'e Expr,
    variable: &'e Symbol,
}

impl Integrand<'_> {
    fn at(
        &self,
        place: &Complex<Ball>,
        precision: &mut Precision,
        budget: &mut Budget,
    ) -> Result<Option<Complex<Ball>>, Exhausted> {
        self.part(self.body, place, precision, budget)
    }

    fn part(
        &self,
        expr: &Expr,
        place: &Complex<Ball>,
        precision: &mut Precision,
        budget: &mut Budget,
    ) -> Result<Option<Complex<Ball>>, Exhausted> {
        let values = vec![(self.variable, place.clone())];
        optional(Evaluation::new(values, precision, budget).value(expr))
    }

    /// The binary logarithm of a bound of the magnitude in a ball: of a quotient by how small the
    /// divisor may be, since a ball that is divided by loses more.
    fn log2_most(
        &self,
        expr: &Expr,
        place: &Complex<Ball>,
        precision: &mut Precision,
        budget: &mut Budget,
    ) -> Result<Option<f64>, Exhausted> {
        match expr {
            Expr::Product(factors) => {
                let mut most = 0.0;
                for factor in factors {
                    match self.log2_most(factor, place, precision, budget)? {
                        Some(factor) => most += factor,
                        None => return Ok(None),
                    }
                }
                Ok(Some(most))
            }
            Expr::Power(base, exponent) if is_negative(exponent) => {
                let Some(exponent) = rational::fold(exponent, budget)? else {
                    return Ok(None);
                };
                let Some(base) = self.part(base, place, precision, budget)? else {
                    return Ok(None);
                };
                let least = [&base.re, &base.im]
                    .into_iter()
                    .map(|part| part.least().max(part.negated().least()))
                    .fold(0.0, f64::max);
                let exponent = exponent.to_f64().value();
                // Far above the rounding of the lines before.
                Ok((least > 0.0).then(|| least.log2() * exponent + 1e-6))
            }
            _ => {
                let value = self.part(expr, place, precision, budget)?;
                // Of a complex number at most the sum of its parts.
                Ok(value.map(|value| value.re.log2_most().max(value.im.log2_most()) + 1.0))
            }
        }
    }

    /// Whether the expression is analytic in the variable wherever it has a value in the ball:
    /// what stands under a root or a logarithm is right of the imaginary axis.
    fn is_analytic(
        &self,
        expr: &Expr,
        place: &Complex<Ball>,
        precision: &mut Precision,
        budget: &mut Budget,
    ) -> Result<bool, Exhausted> {
        let (parts, rights): (Vec<&Expr>, Vec<Expr>) = match expr {
            Expr::Number(_) | Expr::Symbol(_) => return Ok(true),
            // The values at mirrored places are mirrored only without i.
            Expr::Constant(constant) => {
                return Ok(!matches!(constant, Constant::Infinity | Constant::I));
            }
            Expr::Sum(parts) | Expr::Product(parts) => (parts.iter().collect(), Vec::new()),
            Expr::Power(base, exponent) => {
                let whole = rational::fold(exponent, budget)?.is_some_and(|value| value.is_int());
                let entire = whole || **base == Expr::Constant(Constant::E);
                let right = (!entire).then(|| base.as_ref().clone());
                (vec![base, exponent], right.into_iter().collect())
            }
            Expr::Apply(function, parts) => match parts.as_slice() {
                [argument] => match branches(*function, argument) {
                    Some(rights) => (vec![argument], rights),
                    None => return Ok(false),
                },
                [base, argument] if *function == Function::Log => {
                    (vec![base, argument], vec![base.clone(), argument.clone()])
                }
                _ => return Ok(false),
            },
            Expr::Call(..) => return Ok(false),
        };
        for part in parts {
            if !self.is_analytic(part, place, precision, budget)? {
                return Ok(false);
            }
        }
        for right in rights {
            let value = self.part(&right, place, precision, budget)?;
            if value.is_none_or(|value| value.re.least() <= 0.0) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Whether an exponent is a negative number as it is written.
fn is_negative(exponent: &Expr) -> bool {
    matches!(exponent, Expr::Number(number) if number.value < RBig::ZERO)
}

/// What must lie right of the imaginary axis for a function to be analytic, as it is computed;
/// `None` for functions that are not.
fn branches(function: Function, argument: &Expr) -> Option<Vec<Expr>> {
    let plus_one = |expr: Expr| Expr::Sum(vec![Expr::integer(1), expr]);
    let square = || Expr::Power(Box::new(argument.clone()), Box::new(Expr::integer(2)));
    let turned = || Expr::Product(vec![Expr::Constant(Constant::I), argument.clone()]);
    let root = |expr: Expr| {
        let half = Expr::integer(1).over(Expr::integer(2));
        Expr::Power(Box::new(expr), Box::new(half))
    };
    Some(match function {
        Function::Sin
        | Function::Cos
        | Function::Tan
        | Function::Cot
        | Function::Sec
        | Function::Csc
        | Function::Sinh
        | Function::Cosh
        | Function::Tanh => Vec::new(),
        Function::Ln => vec![argument.clone()],
        Function::Arctan => vec![plus_one(turned()), plus_one(turned().negated())],
        Function::Artanh => vec![
            plus_one(argument.clone()),
            plus_one(argument.clone().negated()),
        ],
        Function::Arcsin | Function::Arccos => {
            let under = plus_one(square().negated());
            vec![under.clone(), Expr::Sum(vec![turned(), root(under)])]
        }
        Function::Arsinh => {
            let under = plus_one(square());
            vec![
                under.clone(),
                Expr::Sum(vec![argument.clone(), root(under)]),
            ]
        }
        _ => return None,
    })
}

/// A piece of a range.
struct Piece {
    centre: Complex<Ball>,
    /// Half of its length, negative where the range runs downwards.
    half: Complex<Ball>,
}

impl Piece {
    fn of(
        lower: &Expr,
        upper: &Expr,
        precision: &mut Precision,
        budget: &mut Budget,
    ) -> Result<Option<Self>, Exhausted> {
        let lower = optional(Evaluation::new(Vec::new(), precision, budget).value(lower))?;
        let upper = optional(Evaluation::new(Vec::new(), precision, budget).value(upper))?;
        let piece = || {
            let (lower, upper) = (lower?, upper?);
            if !lower.is_real() || !upper.is_real() {
                return None;
            }
            let halved = |value: Complex<Ball>, precision: &mut Precision| {
                let half = Complex::rational(&half(), precision)?;
                value.multiply(&half, precision)
            };
            let sum = lower.add(&upper, precision)?;
            let difference = upper.subtract(&lower, precision)?;
            Some(Self {
                centre: halved(sum, precision)?,
                half: halved(difference, precision)?,
            })
        };
        Ok(piece())
    }

    fn integral(
        &mut self,
        integrand: &Integrand<'_>,
        depth: u32,
        precision: &mut Precision,
        budget: &mut Budget,
    ) -> Result<Option<Complex<Ball>>, Exhausted> {
        if let Some(bound) = self.bound(integrand, precision, budget)?
            && bound <= MAX_BOUND
        {
            return self.gauss(integrand, bound, precision, budget);
        }
        if depth == MAX_DEPTH {
            return Ok(None);
        }
        let Some((mut first, mut second)) = self.halves(precision) else {
            return Ok(None);
        };
        let Some(first) = first.integral(integrand, depth + 1, precision, budget)? else {
            return Ok(None);
        };
        let second = second.integral(integrand, depth + 1, precision, budget)?;
        Ok(second.and_then(|second| first.add(&second, precision)))
    }

    fn halves(&self, precision: &mut Precision) -> Option<(Self, Self)> {
        let quarter = self
            .half
            .multiply(&Complex::rational(&half(), precision)?, precision)?;
        let piece = |centre| Self {
            centre,
            half: quarter.clone(),
        };
        Some((
            piece(self.centre.subtract(&quarter, precision)?),
            piece(self.centre.add(&quarter, precision)?),
        ))
    }

    /// Binary logarithm of a bound of the integrand around the piece, where it is analytic there.
    fn bound(
        &self,
        integrand: &Integrand<'_>,
        precision: &mut Precision,
        budget: &mut Budget,
    ) -> Result<Option<f64>, Exhausted> {
        // Four balls side by side in each of two rows.
        let share = |over: i32, precision: &mut Precision| {
            Ball::rational(&RBig::from_parts(over.into(), 32_u8.into()), precision)?
                .multiply(&self.half.re, precision)
        };
        let mut bound = f64::NEG_INFINITY;
        for (column, row) in [-3, -1, 1, 3].into_iter().flat_map(|x| [(x, 1), (x, 3)]) {
            let mut place = || {
                let re = self
                    .centre
                    .re
                    .add(&share(17 * column, precision)?, precision)?;
                let (along, across) = (share(17, precision)?, share(15, precision)?);
                Some(Complex {
                    re: re.blurred(&along),
                    im: share(15 * row, precision)?.blurred(&across),
                })
            };
            let Some(place) = place() else {
                return Ok(None);
            };
            if !integrand.is_analytic(integrand.body, &place, precision, budget)? {
                return Ok(None);
            }
            let most = integrand.log2_most(integrand.body, &place, precision, budget)?;
            match most {
                Some(most) => bound = bound.max(most),
                None => return Ok(None),
            }
        }
        Ok(Some(bound))
    }

    fn gauss(
        &self,
        integrand: &Integrand<'_>,
        bound: f64,
        precision: &mut Precision,
        budget: &mut Budget,
    ) -> Result<Option<Complex<Ball>>, Exhausted> {
        let Some(nodes) = nodes() else {
            return Ok(None);
        };
        let mut total = Complex::real(Ball::zero());
        for Node { at, weight } in nodes {
            budget.spend(4)?;
            let Some(step) = at.multiply(&self.half.re, precision) else {
                return Ok(None);
            };
            for step in [step.negated(), step] {
                let Some(place) = self.centre.re.add(&step, precision) else {
                    return Ok(None);
                };
                let value = integrand.at(&Complex::real(place), precision, budget)?;
                let sum = value
                    .and_then(|value| value.multiply(&Complex::real(weight.clone()), precision))
                    .and_then(|value| total.add(&value, precision));
                match sum {
                    Some(sum) => total = sum,
                    None => return Ok(None),
                }
            }
        }
        let value = total.multiply(&self.half, precision);
        let error = Ball::within(bound + self.half.re.log2_most() + ERROR);
        Ok(value.map(|value| Complex {
            re: value.re.blurred(&error),
            im: match value.is_real() {
                true => value.im,
                false => value.im.blurred(&error),
            },
        }))
    }
}

fn half() -> RBig {
    RBig::from_parts(1.into(), 2_u8.into())
}

/// The positive nodes of the formula with 24; computed once.
fn nodes() -> Option<&'static [Node]> {
    static NODES: OnceLock<Option<Vec<Node>>> = OnceLock::new();
    NODES
        .get_or_init(|| {
            let mut precision = Precision::new(320);
            (0..HALF).map(|place| node(place, &mut precision)).collect()
        })
        .as_deref()
}

/// One node: a zero of the Legendre polynomial, near which its sign is proven to change.
fn node(place: usize, precision: &mut Precision) -> Option<Node> {
    /// The binary logarithm of how near; zeros are further apart than `2^-10`.
    const NEAR: f64 = -190.0;
    let degree = 2 * HALF;
    let start = (std::f64::consts::PI * (place as f64 + 0.75) / (degree as f64 + 0.5)).cos();
    let mut at = Ball::rational(&RBig::try_from(start).ok()?, precision)?;
    // The start has three digits, and every step doubles their number.
    for _ in 0..7 {
        let (value, slope, _) = legendre(&at, precision)?;
        let step = value.divide(&slope, precision)?;
        at = at.add(&step.negated(), precision)?.middle();
    }
    let near = Ball::power_of_two(NEAR as isize);
    let (below, ..) = legendre(&at.add(&near.negated(), precision)?.middle(), precision)?;
    let (above, ..) = legendre(&at.add(&near, precision)?.middle(), precision)?;
    let changes = below.sign()? == above.sign()?.reverse();
    // Within that of the zero the slope, of which the slope is below 2^17 (Markov), and 1 − x²
    // change by no more; twice the distance, since the places beside it were rounded.
    let (_, slope, rest) = legendre(&at, precision)?;
    let slope = slope.blurred(&Ball::within(NEAR + 1.0 + 17.0));
    let rest = rest.blurred(&Ball::within(NEAR + 1.0 + 2.0));
    // 2 / ((1 − x²) P'(x)²)
    let square = slope.multiply(&slope, precision)?;
    let two = Ball::rational(&RBig::from(2), precision)?;
    let weight = two.divide(&square.multiply(&rest, precision)?, precision)?;
    let at = at.blurred(&Ball::within(NEAR + 1.0));
    (changes && below.sign()? != Ordering::Equal).then_some(Node { at, weight })
}

/// The Legendre polynomial, its slope, and `1 − x²`.
fn legendre(x: &Ball, precision: &mut Precision) -> Option<(Ball, Ball, Ball)> {
    let degree = 2 * HALF as i64;
    let whole =
        |value: i64, precision: &mut Precision| Ball::rational(&RBig::from(value), precision);
    let one = whole(1, precision)?;
    let (mut before, mut value) = (one.clone(), x.clone());
    for k in 1..degree {
        let rising = x
            .multiply(&value, precision)?
            .multiply(&whole(2 * k + 1, precision)?, precision)?;
        let falling = before.multiply(&whole(-k, precision)?, precision)?;
        let next = rising
            .add(&falling, precision)?
            .divide(&whole(k + 1, precision)?, precision)?;
        (before, value) = (value, next);
    }
    let rest = one.add(&x.multiply(x, precision)?.negated(), precision)?;
    let difference = before.add(&x.multiply(&value, precision)?.negated(), precision)?;
    let slope = difference
        .multiply(&whole(degree, precision)?, precision)?
        .divide(&rest, precision)?;
    Some((value, slope, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_of_all_nodes_sum_to_the_length_of_the_range() {
        let mut precision = Precision::new(256);
        let mut total = Ball::zero();
        for node in nodes().unwrap() {
            total = total.add(&node.weight, &mut precision).unwrap();
        }
        let one = Ball::rational(&RBig::from(-1), &mut precision).unwrap();
        let difference = total.add(&one, &mut precision).unwrap();
        assert!(difference.sign().is_none());
        assert!(difference.log2_most() < -150.0, "{difference:?}");
    }
}
