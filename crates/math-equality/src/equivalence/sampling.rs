//! Functions of symbols, compared at seeded points.
//!
//! What counts are points where the symbols are positive reals and nothing leaves the real line, as
//! school answers assume: `\sqrt{x^2} = x` and `\ln(ab) = \ln a + \ln b` hold. Where the two sides
//! differ elsewhere, the rule says so.

use super::EqualityDecision;
use super::ball::{Ball, Precision};
use super::complex::Complex;
use super::double::Double;
use super::evaluation::Evaluation;
use super::numeric::{compare_balls, compare_doubles, optional};
use super::points::{self, Region};
use super::real::{Comparison, Real};
use super::substitution::contains;
use crate::budget::{Budget, Exhausted};
use crate::expr::{Expr, Function, Symbol};

/// Fewer points than this decide nothing.
const MIN_POINTS: usize = 4;

/// More points than this add nothing.
const ENOUGH_POINTS: usize = 6;

/// Regions in the order they are tried, with the number of points; later ones only where too few
/// are usable before.
const ATTEMPTS: [(Region, usize); 3] = [
    (Region::Positive, 8),
    (Region::Unit, 6),
    (Region::Integers, 8),
];

/// Points outside the positive reals that tell whether an identity depends on branches.
const BEYOND: [(Region, usize); 2] = [(Region::Negative, 2), (Region::Plane, 2)];

/// Points that whole parts have to agree at: they are the same over whole stretches, so that the few
/// points that tell smooth functions apart say little.
const STEPS: [(Region, usize); 2] = [(Region::Counted, 48), (Region::Positive, 48)];

/// At how many points the agreement is confirmed by balls.
const CONFIRMED_POINTS: usize = 3;

/// Confirmed values agree to this many binary digits: 25 decimal ones.
const CONFIRMED_BITS: f64 = 83.1;

/// Working precisions of the confirmation.
const PRECISIONS: [usize; 3] = [160, 320, 640];

/// Machine numbers that differ by less than this, relatively, go to the balls.
const CLOSE: f64 = 1e-6;

/// A point of the seeded sequence of a region.
type Point = (Region, usize);

/// What the two sides are at a point.
struct Observation {
    comparison: Comparison,
    /// Whether both stayed on the real line.
    real: bool,
}

/// Compares functions of `symbols`.
pub(super) fn compare_functions(
    left: &Expr,
    right: &Expr,
    symbols: &[&Symbol],
    budget: &mut Budget,
) -> Result<EqualityDecision, Exhausted> {
    let sides = Sides {
        left,
        right,
        symbols,
    };
    let unequal = EqualityDecision {
        equal: false,
        rule: "equal/points",
    };
    let undecided = EqualityDecision {
        equal: false,
        rule: "equal/undecided",
    };
    let (mut usable, mut beyond) = (Vec::new(), Vec::new());
    let mut branches_differ = false;
    for (region, tries) in ATTEMPTS {
        if usable.len() >= MIN_POINTS {
            break;
        }
        for point in 0..tries {
            let Some(observation) = sides.observe((region, point), budget)? else {
                continue;
            };
            match (observation.real, observation.comparison) {
                (true, Comparison::Different) => return Ok(unequal),
                (true, _) => usable.push((region, point)),
                (false, Comparison::Different) => branches_differ = true,
                (false, _) => beyond.push((region, point)),
            }
            if usable.len() >= ENOUGH_POINTS {
                break;
            }
        }
    }
    if usable.len() < MIN_POINTS {
        if branches_differ {
            return Ok(unequal);
        }
        // Hardly any point keeps such a pair on the real line, so those where it has complex values
        // count.
        usable.extend(beyond);
        if usable.len() < MIN_POINTS {
            return Ok(undecided);
        }
    }
    // Machine numbers can only refuse: to be equal takes agreement in balls.
    for point in usable.iter().take(CONFIRMED_POINTS) {
        match sides.confirm(*point, budget)? {
            Comparison::Equal => {}
            Comparison::Different => return Ok(unequal),
            Comparison::Unknown => return Ok(undecided),
        }
    }
    if has_steps(left) || has_steps(right) {
        for (region, tries) in STEPS {
            for point in 0..tries {
                let observation = sides.observe((region, point), budget)?;
                if observation.is_some_and(|seen| seen.comparison == Comparison::Different) {
                    return Ok(unequal);
                }
            }
        }
    }
    // `|x|` is not `x`, though no positive point tells them apart.
    let strict = is_sign_sensitive(left) || is_sign_sensitive(right);
    for (region, tries) in BEYOND {
        for point in 0..tries {
            let Some(observation) = sides.observe((region, point), budget)? else {
                continue;
            };
            if observation.comparison == Comparison::Different {
                if strict && observation.real && region == Region::Negative {
                    return Ok(unequal);
                }
                branches_differ = true;
            }
        }
    }
    Ok(EqualityDecision {
        equal: true,
        rule: if branches_differ {
            "equal/points_positive"
        } else {
            "equal/points"
        },
    })
}

struct Sides<'e> {
    left: &'e Expr,
    right: &'e Expr,
    symbols: &'e [&'e Symbol],
}

impl Sides<'_> {
    /// Compares at a point by machine numbers, or by balls where their errors are too large; `None`
    /// where a side is not defined.
    fn observe(&self, point: Point, budget: &mut Budget) -> Result<Option<Observation>, Exhausted> {
        let mut context = ();
        let values = coordinates(self.symbols, point, &mut context);
        let mut evaluation = Evaluation::<Double>::new(values, &mut context, budget);
        let left = optional(evaluation.value(self.left))?;
        let Some(left) = left else { return Ok(None) };
        let right = optional(evaluation.value(self.right))?;
        let Some(right) = right else { return Ok(None) };
        let real = !evaluation.left_reals;
        Ok(Some(Observation {
            comparison: compare_doubles(&left, &right, CLOSE),
            real,
        }))
    }

    /// Compares at a point by balls.
    fn confirm(&self, point: Point, budget: &mut Budget) -> Result<Comparison, Exhausted> {
        for bits in PRECISIONS {
            let mut precision = Precision::new(bits);
            let values = coordinates(self.symbols, point, &mut precision);
            let mut evaluation = Evaluation::<Ball>::new(values, &mut precision, budget);
            let left = optional(evaluation.value(self.left))?;
            let right = optional(evaluation.value(self.right))?;
            if let (Some(left), Some(right)) = (left, right) {
                let comparison = compare_balls(&left, &right, CONFIRMED_BITS, &mut precision);
                if comparison != Comparison::Unknown {
                    return Ok(comparison);
                }
            }
        }
        Ok(Comparison::Unknown)
    }
}

/// The symbols with their values at a point.
pub(super) fn coordinates<'e, R: Real>(
    symbols: &[&'e Symbol],
    (region, point): Point,
    context: &mut R::Context,
) -> Vec<(&'e Symbol, Complex<R>)> {
    let coordinate = |(place, symbol): (usize, &&'e Symbol)| {
        let (re, im) = points::coordinate(region, point, place);
        let im = if im.is_zero() {
            R::zero()
        } else {
            R::rational(&im, context)?
        };
        Some((
            *symbol,
            Complex {
                re: R::rational(&re, context)?,
                im,
            },
        ))
    };
    symbols.iter().enumerate().filter_map(coordinate).collect()
}

/// Whether an expression speaks of signs, so that negative values of its symbols are meant as well.
/// An absolute value directly under a logarithm does not count: `\ln|x|` and `\ln x` name the same
/// antiderivative.
fn is_sign_sensitive(expr: &Expr) -> bool {
    match expr {
        Expr::Apply(Function::Abs | Function::Sign | Function::Min | Function::Max, parts) => {
            parts.iter().any(has_symbol)
        }
        Expr::Apply(Function::Ln | Function::Log | Function::LogUnbased, parts) => {
            parts.iter().any(|part| match part {
                Expr::Apply(Function::Abs, inner) => inner.iter().any(is_sign_sensitive),
                other => is_sign_sensitive(other),
            })
        }
        Expr::Number(_) | Expr::Constant(_) | Expr::Symbol(_) => false,
        Expr::Power(base, exponent) => is_sign_sensitive(base) || is_sign_sensitive(exponent),
        Expr::Sum(parts) | Expr::Product(parts) | Expr::Apply(_, parts) | Expr::Call(_, parts) => {
            parts.iter().any(is_sign_sensitive)
        }
    }
}

/// Whether there are whole parts of what has a symbol.
fn has_steps(expr: &Expr) -> bool {
    contains(expr, &|part| match part {
        Expr::Apply(Function::Floor | Function::Ceil, parts) => parts.iter().any(has_symbol),
        _ => false,
    })
}

fn has_symbol(expr: &Expr) -> bool {
    contains(expr, &|part| matches!(part, Expr::Symbol(_)))
}
