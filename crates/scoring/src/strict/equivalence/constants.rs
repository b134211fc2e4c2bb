//! Equality up to constants of integration, and up to a factor.

use dashu_ratio::RBig;

use super::ball::{Ball, Precision};
use super::complex::Complex;
use super::evaluation::Evaluation;
use super::normal_form::NormalForms;
use super::numeric::optional;
use super::points::Region;
use super::polynomial::Stop;
use super::real::Real;
use super::sampling::coordinates;
use super::substitution::{contains, free_symbols, replaced, rewritten};
use super::{Decision, equivalent};
use crate::strict::budget::{Budget, Exhausted};
use crate::strict::expr::{Constant, Expr, Function, Symbol};

/// More unnamed constants than this on a side are not matched.
const MAX_CONSTANTS: usize = 4;

/// Precision of the coefficient functions of constants.
const BITS: usize = 192;

/// Coefficients below this, relative to the largest of their function, count as zero after elimination.
const NEGLIGIBLE: f64 = 1e-25;

/// Points beyond the number of unknowns at which coefficient functions are compared.
const SPARE_POINTS: usize = 5;

/// Compares two expressions as families of functions: `C`, `c` and `K` with any subscript stand for any number, lower
/// `k` may also be renamed or change its sign. For antiderivatives and general solutions only: the caller knows that
/// these letters are not quantities of the question.
pub(crate) fn equivalent_up_to_constants(
    left: &Expr,
    right: &Expr,
    budget: &mut Budget,
) -> Result<Decision, Exhausted> {
    let plain = equivalent(left, right, budget)?;
    let (left_constants, right_constants) = (unnamed_constants(left), unnamed_constants(right));
    let counts = [left_constants.len(), right_constants.len()];
    if plain.equal || counts.contains(&0) || counts.iter().any(|count| *count > MAX_CONSTANTS) {
        return Ok(plain);
    }
    let equal = Decision { equal: true, rule: "equal/constants" };
    let (absorbed_left, absorbed_right) = (absorbed(left), absorbed(right));
    if left_constants.iter().chain(&right_constants).all(|name| name.0.as_ref() != "k")
        && same_linear_family(&absorbed_left, &absorbed_right, budget)? == Some(true)
    {
        return Ok(equal);
    }
    if renamed_equal(&absorbed_left, &absorbed_right, budget)? { Ok(equal) } else { Ok(plain) }
}

/// Whether `left` is a non-zero number, free of symbols, times `right`.
pub(crate) fn proportional(left: &Expr, right: &Expr, budget: &mut Budget) -> Result<Decision, Exhausted> {
    const RULE: &str = "equal/proportional";
    let mut forms = NormalForms::new();
    let ratio = normal_form_ratio(&mut forms, left, right, budget);
    match ratio {
        Ok(Some(())) => return Ok(Decision { equal: true, rule: RULE }),
        Ok(None) if forms.decide() => return Ok(Decision { equal: false, rule: RULE }),
        Ok(None) | Err(Stop::TooLarge | Stop::Undefined) => {}
        Err(Stop::Exhausted) => return Err(Exhausted),
    }
    let zero = Expr::integer(0);
    let (left_zero, right_zero) = (equivalent(left, &zero, budget)?.equal, equivalent(right, &zero, budget)?.equal);
    if left_zero || right_zero {
        return Ok(Decision { equal: left_zero && right_zero, rule: RULE });
    }
    // f(x) g(x') = f(x') g(x) for independent x and x' says that f/g is the same everywhere.
    let crossed = |first: &Expr, second: &Expr| Expr::Product(vec![first.clone(), elsewhere(second)]);
    let decision = equivalent(&crossed(left, right), &crossed(right, left), budget)?;
    Ok(Decision { equal: decision.equal, rule: RULE })
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
        Expr::Symbol(name) if free.contains(&name) => Some(Expr::symbol(&format!("{}\u{2032}elsewhere", name.0))),
        _ => None,
    })
}

fn unnamed_constants(expr: &Expr) -> Vec<&Symbol> {
    free_symbols(&[expr]).into_iter().filter(|symbol| is_unnamed_constant(symbol)).collect()
}

fn is_unnamed_constant(symbol: &Symbol) -> bool {
    let name = &symbol.0;
    name.strip_prefix(['C', 'c', 'K', 'k']).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
}

/// The expression with the largest parts that depend on one constant only, such as `e^{C}` or `2C`, replaced by that
/// constant, where it occurs nowhere else (not `k`, which may count whole turns); and `e^{x + C}` read as `C e^{x}`, `\ln(C x)` as `\ln x + C`.
fn absorbed(expr: &Expr) -> Expr {
    let split = rewritten(expr, &|part| split_exponential(part).or_else(|| split_logarithm(part)));
    let constants: Vec<Symbol> =
        unnamed_constants(&split).into_iter().filter(|name| name.0.as_ref() != "k").cloned().collect();
    constants.into_iter().fold(split, |expr, constant| {
        let depends = |part: &Expr| free_symbols(&[part]) == [&constant];
        let mut parts = Vec::new();
        collect_largest(&expr, &depends, &mut parts);
        match parts.split_first() {
            Some((first, rest)) if rest.iter().all(|part| part == first) => {
                let first = (*first).clone();
                let symbol = Expr::Symbol(constant);
                rewritten(&expr, &|part| (*part == first).then(|| symbol.clone()))
            }
            _ => expr,
        }
    })
}

fn collect_largest<'e>(expr: &'e Expr, is_such: &impl Fn(&Expr) -> bool, found: &mut Vec<&'e Expr>) {
    if is_such(expr) {
        return found.push(expr);
    }
    match expr {
        Expr::Number(_) | Expr::Constant(_) | Expr::Symbol(_) => {}
        Expr::Power(base, exponent) => {
            collect_largest(base, is_such, found);
            collect_largest(exponent, is_such, found);
        }
        Expr::Sum(parts) | Expr::Product(parts) | Expr::Apply(_, parts) | Expr::Call(_, parts) => {
            parts.iter().for_each(|part| collect_largest(part, is_such, found));
        }
    }
}

/// `e^{f + C}` as `e^{f} e^{C}`, where the constant is a term of its own.
fn split_exponential(expr: &Expr) -> Option<Expr> {
    let Expr::Power(base, exponent) = expr else { return None };
    let (Expr::Constant(Constant::E), Expr::Sum(terms)) = (base.as_ref(), exponent.as_ref()) else { return None };
    let (constants, others): (Vec<&Expr>, Vec<&Expr>) = terms.iter().partition(|term| has_unnamed_constant(term));
    if constants.is_empty() || others.is_empty() {
        return None;
    }
    let exponential = |terms: Vec<&Expr>| {
        let sum = match terms.as_slice() {
            [term] => (*term).clone(),
            _ => Expr::Sum(terms.into_iter().cloned().collect()),
        };
        Expr::Power(base.clone(), Box::new(sum))
    };
    Some(Expr::Product(vec![exponential(others), exponential(constants)]))
}

/// `\ln(C f)` as `\ln f + \ln C`, where the constant is a factor of its own, with or without an absolute value.
fn split_logarithm(expr: &Expr) -> Option<Expr> {
    let Expr::Apply(Function::Ln | Function::LogUnbased, arguments) = expr else { return None };
    let product = match arguments.as_slice() {
        [Expr::Apply(Function::Abs, inner)] => inner.first()?,
        [argument] => argument,
        _ => return None,
    };
    let Expr::Product(factors) = product else { return None };
    let (constants, others): (Vec<&Expr>, Vec<&Expr>) = factors.iter().partition(|factor| has_unnamed_constant(factor));
    if constants.is_empty() || others.is_empty() {
        return None;
    }
    let logarithm = |factor: &Expr| Expr::Apply(Function::Ln, vec![factor.clone()]);
    Some(Expr::Sum(others.into_iter().chain(constants).map(logarithm).collect()))
}

fn has_unnamed_constant(expr: &Expr) -> bool {
    contains(expr, &|part| matches!(part, Expr::Symbol(name) if is_unnamed_constant(name)))
}

/// Tries all ways to name the constants of the right side as those of the left, each with both signs.
fn renamed_equal(left: &Expr, right: &Expr, budget: &mut Budget) -> Result<bool, Exhausted> {
    let (targets, sources) = (unnamed_constants(left), unnamed_constants(right));
    if targets.len() != sources.len() {
        return Ok(false);
    }
    // Fresh names first, so that C_1 and C_2 can be exchanged.
    let fresh = |place: usize| Symbol(format!("\u{2032}{place}").into());
    let fresh_right = sources
        .iter()
        .enumerate()
        .fold(right.clone(), |expr, (place, source)| replaced(&expr, source, &Expr::Symbol(fresh(place))));
    for order in permutations(targets.len()) {
        for signs in 0..1_u32 << targets.len() {
            let candidate = order.iter().enumerate().fold(fresh_right.clone(), |expr, (place, target)| {
                let target = Expr::Symbol(targets[*target].clone());
                let target = if signs >> place & 1 == 1 { target.negated() } else { target };
                replaced(&expr, &fresh(place), &target)
            });
            if equivalent(left, &candidate, budget)?.equal {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

fn permutations(count: usize) -> Vec<Vec<usize>> {
    (0..count).fold(vec![Vec::new()], |shorter, next| {
        let insert = |order: &Vec<usize>| {
            (0..=order.len())
                .map(|place| {
                    let mut longer = order.clone();
                    longer.insert(place, next);
                    longer
                })
                .collect::<Vec<_>>()
        };
        shorter.iter().flat_map(insert).collect()
    })
}

/// A side as `particular + Σ constant · coefficient`, each function by its values at the points.
struct LinearFamily {
    particular: Vec<Ball>,
    coefficients: Vec<Vec<Ball>>,
}

/// Whether both sides are linear in their constants and describe the same functions: the coefficient functions span the
/// same space, and the difference of the particular parts lies in it. `None` where a side is not linear or has no
/// values.
fn same_linear_family(left: &Expr, right: &Expr, budget: &mut Budget) -> Result<Option<bool>, Exhausted> {
    let variables: Vec<&Symbol> =
        free_symbols(&[left, right]).into_iter().filter(|symbol| !is_unnamed_constant(symbol)).collect();
    let count = unnamed_constants(left).len() + unnamed_constants(right).len() + SPARE_POINTS;
    let mut precision = Precision::new(BITS);
    let Some(left) = linear_family(left, &variables, count, &mut precision, budget)? else { return Ok(None) };
    let Some(right) = linear_family(right, &variables, count, &mut precision, budget)? else { return Ok(None) };
    let difference: Option<Vec<Ball>> = left
        .particular
        .iter()
        .zip(&right.particular)
        .map(|(left, right)| left.add(&right.negated(), &mut precision))
        .collect();
    let Some(difference) = difference else { return Ok(None) };
    budget.spend((count * count) as u32)?;
    let (left_rank, right_rank) =
        (rank(left.coefficients.clone(), &mut precision), rank(right.coefficients.clone(), &mut precision));
    let mut all = left.coefficients;
    all.extend(right.coefficients);
    all.push(difference);
    let joint_rank = rank(all, &mut precision);
    Ok(joint_rank.map(|_| joint_rank == left_rank && joint_rank == right_rank))
}

fn linear_family(
    expr: &Expr,
    variables: &[&Symbol],
    count: usize,
    precision: &mut Precision,
    budget: &mut Budget,
) -> Result<Option<LinearFamily>, Exhausted> {
    let constants = unnamed_constants(expr);
    let mut values = |settings: &[i64]| -> Result<Option<Vec<Ball>>, Exhausted> {
        let mut values = Vec::with_capacity(count);
        for point in 0..count {
            let mut at: Vec<(&Symbol, Complex<Ball>)> = coordinates(variables, (Region::Positive, point), precision);
            for (constant, setting) in constants.iter().zip(settings) {
                let Some(setting) = Complex::integer(*setting, precision) else { return Ok(None) };
                at.push((constant, setting));
            }
            let value = optional(Evaluation::<Ball>::new(at, precision, budget).value(expr))?;
            match value {
                Some(value) if value.is_real() => values.push(value.re),
                _ => return Ok(None),
            }
        }
        Ok(Some(values))
    };
    let Some(particular) = values(&vec![0; constants.len()])? else { return Ok(None) };
    let mut coefficients = Vec::new();
    for place in 0..constants.len() {
        let mut settings = vec![0; constants.len()];
        settings[place] = 1;
        let Some(with_constant) = values(&settings)? else { return Ok(None) };
        coefficients.push(with_constant);
    }
    // Another combination tells whether the side is linear in its constants.
    let mixed: Vec<i64> = (0..constants.len() as i64).map(|place| 3 + 2 * place).collect();
    let Some(mixed_values) = values(&mixed)? else { return Ok(None) };
    Ok(assembled(particular, coefficients, &mixed, &mixed_values, precision))
}

/// Takes the particular part off the values for single constants; `None` where the mixed values are not the linear
/// combination of them.
fn assembled(
    particular: Vec<Ball>,
    with_constant: Vec<Vec<Ball>>,
    mixed: &[i64],
    mixed_values: &[Ball],
    precision: &mut Precision,
) -> Option<LinearFamily> {
    let mut coefficients = Vec::with_capacity(with_constant.len());
    for values in &with_constant {
        let function: Option<Vec<Ball>> =
            values.iter().zip(&particular).map(|(value, base)| value.add(&base.negated(), precision)).collect();
        coefficients.push(function?);
    }
    for (point, expected) in mixed_values.iter().enumerate() {
        let mut rest = expected.add(&particular[point].negated(), precision)?;
        for (function, factor) in coefficients.iter().zip(mixed) {
            let factor = Ball::rational(&RBig::from(-*factor), precision)?;
            rest = rest.add(&function[point].multiply(&factor, precision)?, precision)?;
        }
        if rest.to_f64().abs() > NEGLIGIBLE * (1.0 + expected.to_f64().abs()) {
            return None;
        }
    }
    Some(LinearFamily { particular, coefficients })
}

/// The rank of functions given by their values, by elimination with the largest value as pivot.
fn rank(mut functions: Vec<Vec<Ball>>, precision: &mut Precision) -> Option<usize> {
    let largest = |function: &[Ball]| function.iter().map(|value| value.to_f64().abs()).fold(0.0, f64::max);
    let scales: Vec<f64> = functions.iter().map(|function| largest(function).max(1.0)).collect();
    let mut rank = 0;
    for place in 0..functions.len() {
        let function = functions[place].clone();
        let size = largest(&function);
        if !size.is_finite() {
            return None;
        }
        if size <= NEGLIGIBLE * scales[place] {
            continue;
        }
        rank += 1;
        let pivot = function.iter().position(|value| value.to_f64().abs() == size)?;
        for later in &mut functions[place + 1..] {
            let factor = later[pivot].divide(&function[pivot], precision)?.negated();
            for (value, subtracted) in later.iter_mut().zip(&function) {
                *value = value.add(&subtracted.multiply(&factor, precision)?, precision)?;
            }
        }
    }
    Some(rank)
}
