//! Exact rationals: what an expression of numbers folds to, if it is rational and not too long.

use dashu_int::ops::{Abs, BitTest, Gcd};
use dashu_int::{IBig, Sign, UBig};
use dashu_ratio::RBig;

use crate::budget::{Budget, Exhausted};
use crate::expr::{Expr, Function, Symbol};

/// Numbers longer than this, numerator and denominator together, are not folded but left to
/// residues and balls.
pub(super) const MAX_BITS: usize = 20_000;

/// How many steps folding one expression may take before it is left to the numeric stages.
const ALLOWANCE: u32 = 4_000;

/// How many terms a finite sum or product is expanded to at most.
pub(super) const MAX_TERMS: usize = 10_000;

/// Roots of a higher index are not searched for perfect powers.
const MAX_ROOT_INDEX: usize = 64;

/// Folds an expression without free symbols to its exact value; `None` where it is not rational,
/// not defined, or too long.
pub(super) fn fold(expr: &Expr, budget: &mut Budget) -> Result<Option<RBig>, Exhausted> {
    let mut folder = Folder {
        indices: Vec::new(),
        allowance: ALLOWANCE,
        budget,
    };
    folder.fold(expr)
}

struct Folder<'e, 'b> {
    /// Index symbols of the sums and products around, innermost last.
    indices: Vec<(&'e Symbol, RBig)>,
    allowance: u32,
    budget: &'b mut Budget,
}

impl<'e> Folder<'e, '_> {
    fn fold(&mut self, expr: &'e Expr) -> Result<Option<RBig>, Exhausted> {
        match expr {
            Expr::Number(number) => Ok(Some(number.value.clone())),
            Expr::Constant(_) | Expr::Call(..) => Ok(None),
            Expr::Symbol(symbol) => Ok(self
                .indices
                .iter()
                .rev()
                .find(|(index, _)| *index == symbol)
                .map(|(_, value)| value.clone())),
            Expr::Sum(terms) => self.accumulate(terms, RBig::ZERO, |total, term| total + term),
            Expr::Product(factors) => {
                self.accumulate(factors, RBig::ONE, |total, factor| total * factor)
            }
            Expr::Power(base, exponent) => {
                let Some(base) = self.fold(base)? else {
                    return Ok(None);
                };
                let Some(exponent) = self.fold(exponent)? else {
                    return Ok(None);
                };
                let Some(power) = power(&base, &exponent) else {
                    return Ok(None);
                };
                Ok(self.pay(&power)?.then_some(power))
            }
            Expr::Apply(Function::FiniteSum, parts) => {
                self.repeat(parts, RBig::ZERO, |total, term| total + term)
            }
            Expr::Apply(Function::FiniteProduct, parts) => {
                self.repeat(parts, RBig::ONE, |total, term| total * term)
            }
            Expr::Apply(function, arguments) => {
                if !is_rational_function(*function) {
                    return Ok(None);
                }
                let mut values = Vec::with_capacity(arguments.len());
                for argument in arguments {
                    let Some(value) = self.fold(argument)? else {
                        return Ok(None);
                    };
                    values.push(value);
                }
                let Some(value) = apply(*function, &values) else {
                    return Ok(None);
                };
                Ok(self.pay(&value)?.then_some(value))
            }
        }
    }

    fn accumulate(
        &mut self,
        parts: &'e [Expr],
        neutral: RBig,
        combine: impl Fn(RBig, RBig) -> RBig,
    ) -> Result<Option<RBig>, Exhausted> {
        let mut total = neutral;
        for part in parts {
            let Some(value) = self.fold(part)? else {
                return Ok(None);
            };
            total = combine(total, value);
            if !self.pay(&total)? {
                return Ok(None);
            }
        }
        Ok(Some(total))
    }

    fn repeat(
        &mut self,
        parts: &'e [Expr],
        neutral: RBig,
        combine: impl Fn(RBig, RBig) -> RBig,
    ) -> Result<Option<RBig>, Exhausted> {
        let [Expr::Symbol(index), first, last, body] = parts else {
            return Ok(None);
        };
        let Some(first) = self.fold(first)? else {
            return Ok(None);
        };
        let Some(last) = self.fold(last)? else {
            return Ok(None);
        };
        let Some(range) = index_range(&first, &last) else {
            return Ok(None);
        };
        let mut total = neutral;
        for value in range {
            self.indices.push((index, RBig::from(value)));
            let term = self.fold(body);
            self.indices.pop();
            let Some(term) = term? else { return Ok(None) };
            total = combine(total, term);
            if !self.pay(&total)? {
                return Ok(None);
            }
        }
        Ok(Some(total))
    }

    /// Pays for making a number; false where it is too long to go on with. Long fractions are
    /// reduced by a gcd, which is quadratic in their length.
    fn pay(&mut self, value: &RBig) -> Result<bool, Exhausted> {
        let bits = bits(value);
        // What comes here was made of numbers that were paid for or read from a text, each of some
        // ten thousand bits: the square fits.
        let words = (bits / 64) as u32;
        let steps = 1 + words * words / 1_000;
        self.budget.spend(steps)?;
        self.allowance = self.allowance.saturating_sub(steps);
        Ok(bits <= MAX_BITS && self.allowance > 0)
    }
}

/// The integers from `first` to `last` inclusive, where both are integers and not too far apart; an
/// empty range where `last` comes first.
pub(super) fn index_range(first: &RBig, last: &RBig) -> Option<std::ops::RangeInclusive<i64>> {
    let first = small_integer(first)?;
    let last = small_integer(last)?;
    (last.checked_sub(first)? < MAX_TERMS as i64).then_some(first..=last)
}

/// The value as a machine integer, where it is one.
pub(super) fn small_integer(value: &RBig) -> Option<i64> {
    if !value.is_int() {
        return None;
    }
    i64::try_from(value.numerator()).ok()
}

/// Length of numerator and denominator together, in bits.
pub(super) fn bits(value: &RBig) -> usize {
    value.numerator().bit_len() + value.denominator().bit_len()
}

/// `base ^ exponent` where that is rational and not too long. Odd roots of negative numbers are the
/// real ones, as taught in school: `\sqrt[3]{-8}` is −2.
pub(super) fn power(base: &RBig, exponent: &RBig) -> Option<RBig> {
    if exponent.is_int() {
        return integer_power(base, exponent.numerator());
    }
    let index = usize::try_from(exponent.denominator())
        .ok()
        .filter(|index| *index <= MAX_ROOT_INDEX)?;
    integer_power(&root(base, index)?, exponent.numerator())
}

fn integer_power(base: &RBig, exponent: &IBig) -> Option<RBig> {
    if base.is_zero() {
        return (exponent.sign() == Sign::Positive && !exponent.is_zero()).then_some(RBig::ZERO);
    }
    // 1 and -1 have a power whatever the length of the exponent, which is refused below.
    if base.numerator().is_one() && base.is_int() {
        return Some(RBig::ONE);
    }
    if base.is_int() && *base.numerator() == IBig::NEG_ONE {
        return Some(if exponent.bit(0) {
            RBig::from(-1)
        } else {
            RBig::ONE
        });
    }
    let exponent = isize::try_from(exponent).ok()?;
    // A lower bound of the length of the power, for a number of b bits is at least 2^(b-1).
    if bits(base)
        .saturating_sub(2)
        .max(1)
        .saturating_mul(exponent.unsigned_abs())
        > MAX_BITS
    {
        return None;
    }
    let (numerator, denominator) = base.clone().into_parts();
    let (numerator, denominator) = (
        numerator.pow(exponent.unsigned_abs()),
        denominator.pow(exponent.unsigned_abs()),
    );
    Some(if exponent >= 0 {
        RBig::from_parts(numerator, denominator)
    } else {
        RBig::from_parts_signed(IBig::from(denominator), numerator)
    })
}

/// The exact root of that index, where it is rational.
fn root(value: &RBig, index: usize) -> Option<RBig> {
    let negative = value.sign() == Sign::Negative;
    if negative && index.is_multiple_of(2) {
        return None;
    }
    let numerator = exact_root(&value.numerator().clone().abs().try_into().ok()?, index)?;
    let denominator = exact_root(value.denominator(), index)?;
    let magnitude = RBig::from_parts(IBig::from(numerator), denominator);
    Some(if negative { -magnitude } else { magnitude })
}

fn exact_root(value: &UBig, index: usize) -> Option<UBig> {
    if value.is_one() || value.is_zero() {
        return Some(value.clone());
    }
    let root = value.nth_root(index);
    (root.pow(index) == *value).then_some(root)
}

/// Whether [`apply`] knows the function.
pub(super) fn is_rational_function(function: Function) -> bool {
    use Function::*;
    matches!(
        function,
        Abs | Floor | Ceil | Min | Max | Re | Im | Conjugate | Sign
    ) || is_integer_function(function)
}

/// Whether the function is defined on integers (or, for `Mod`, rationals) only.
pub(super) fn is_integer_function(function: Function) -> bool {
    use Function::*;
    matches!(
        function,
        Factorial | DoubleFactorial | Binomial | Permutations | Gcd | Lcm | Mod
    )
}

/// The value of a function that maps rationals to rationals; `None` outside its domain.
pub(super) fn apply(function: Function, arguments: &[RBig]) -> Option<RBig> {
    match (function, arguments) {
        (Function::Abs, [value]) => Some(value.clone().abs()),
        (Function::Floor, [value]) => Some(RBig::from(value.floor())),
        (Function::Ceil, [value]) => Some(RBig::from(value.ceil())),
        (Function::Re | Function::Conjugate, [value]) => Some(value.clone()),
        (Function::Im, [_]) => Some(RBig::ZERO),
        (Function::Sign, [value]) => Some(value.signum()),
        (Function::Min, [..]) => arguments.iter().min().cloned(),
        (Function::Max, [..]) => arguments.iter().max().cloned(),
        (Function::Factorial, [n]) => falling_product(count(n)?, 1, count(n)?),
        (Function::DoubleFactorial, [n]) => falling_product(count(n)?, 2, count(n)?.div_ceil(2)),
        (Function::Permutations, [n, k]) => {
            let (n, k) = (count(n)?, count(k)?);
            if k > n {
                Some(RBig::ZERO)
            } else {
                falling_product(n, 1, k)
            }
        }
        (Function::Binomial, [n, k]) => binomial(n, k),
        (Function::Gcd, [first, rest @ ..]) => rest
            .iter()
            .try_fold(magnitude(first)?, |gcd, value| {
                let value = magnitude(value)?;
                // The library panics on two zeros.
                Some(if gcd.is_zero() && value.is_zero() {
                    UBig::ZERO
                } else {
                    gcd.gcd(value)
                })
            })
            .map(RBig::from),
        (Function::Lcm, [first, rest @ ..]) => rest
            .iter()
            .try_fold(magnitude(first)?, |lcm, value| {
                let value = magnitude(value)?;
                if lcm.is_zero() || value.is_zero() {
                    return Some(UBig::ZERO);
                }
                let gcd = (&lcm).gcd(&value);
                (lcm.bit_len() + value.bit_len() <= MAX_BITS).then(|| lcm / gcd * value)
            })
            .map(RBig::from),
        (Function::Mod, [value, modulus]) if !modulus.is_zero() => {
            let quotient = RBig::from((value / modulus).floor());
            Some(value - modulus * quotient)
        }
        _ => None,
    }
}

fn magnitude(value: &RBig) -> Option<UBig> {
    value
        .is_int()
        .then(|| value.numerator().clone().into_parts().1)
}

/// A number of things: an integer from 0 on, small enough to multiply up to it.
fn count(value: &RBig) -> Option<u64> {
    let value = small_integer(value)?;
    u64::try_from(value).ok().filter(|count| *count <= 1 << 40)
}

/// `n (n − step) (n − 2·step) …`, that many factors.
fn falling_product(n: u64, step: u64, factors: u64) -> Option<RBig> {
    let length = 64 - u64::leading_zeros(n);
    // Every factor counts as long as the largest one, hence twice the length.
    if factors.saturating_mul(u64::from(length)) > 2 * MAX_BITS as u64 {
        return None;
    }
    // Callers ask for at most ⌈n / step⌉ factors: the difference stays positive.
    let product = (0..factors).fold(UBig::ONE, |product, position| {
        product * (n - position * step)
    });
    Some(RBig::from(product))
}

/// `n` over `k` for a non-negative integer `k` and any rational `n`; 0 for negative `k`.
fn binomial(n: &RBig, k: &RBig) -> Option<RBig> {
    let k = small_integer(k)?;
    if k < 0 {
        return Some(RBig::ZERO);
    }
    if let Some(n) = count(n) {
        let k = k as u64;
        if k > n {
            return Some(RBig::ZERO);
        }
        let k = k.min(n - k);
        return Some(falling_product(n, 1, k)? / falling_product(k, 1, k)?);
    }
    if k > 100 || bits(n) > 100 {
        return None;
    }
    Some((0..k).fold(RBig::ONE, |product, position| {
        product * (n - RBig::from(position)) / RBig::from(position + 1)
    }))
}
