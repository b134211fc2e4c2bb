//! Residues: values of rational expressions modulo two primes, for what is too long to write out,
//! such as `2024^{4046}·3` or `(x+1)^{500}`.
//!
//! Symbols take fixed pseudo-random values. Unequal residues prove that two expressions differ.
//! Equal residues modulo both primes leave a chance of at most `(degree / 2^61)^2` that they do, by
//! the lemma of Schwartz and Zippel.

use dashu_int::{IBig, UBig};
use dashu_ratio::RBig;

use super::points;
use super::rational;
use crate::budget::{Budget, Exhausted};
use crate::expr::{Constant, Expr, Symbol};

/// A prime with a generator of its multiplicative group; both are 1 modulo 4, so that −1 has a
/// square root.
#[derive(Clone, Copy)]
struct Modulus {
    prime: u64,
    generator: u64,
}

// Below 2^64, so that a product of two residues fits u128.
const MODULI: [Modulus; 2] = [
    Modulus {
        prime: 0xffff_ffff_0000_0001,
        generator: 7,
    },
    Modulus {
        prime: 29 * (1 << 57) + 1,
        generator: 3,
    },
];

/// Whether two rational expressions in `symbols` are equal; `None` where one is not rational or not
/// defined.
pub(super) fn equal(
    left: &Expr,
    right: &Expr,
    symbols: &[&Symbol],
    budget: &mut Budget,
) -> Result<Option<bool>, Exhausted> {
    for modulus in MODULI {
        let mut residues = Residues {
            modulus,
            symbols,
            budget,
            transcendental: None,
        };
        let (Some(left), Some(right)) = (residues.residue(left)?, residues.residue(right)?) else {
            return Ok(None);
        };
        if left != right {
            return Ok(Some(false));
        }
    }
    Ok(Some(true))
}

struct Residues<'s, 'b> {
    modulus: Modulus,
    symbols: &'s [&'s Symbol],
    budget: &'b mut Budget,
    /// π or e, whichever was met: both together may not be independent.
    transcendental: Option<Constant>,
}

impl Residues<'_, '_> {
    fn residue(&mut self, expr: &Expr) -> Result<Option<u64>, Exhausted> {
        self.budget.spend(1)?;
        Ok(match expr {
            Expr::Number(number) => self.quotient(&number.value),
            // A square root of -1, either one: rational expressions cannot tell i from -i.
            Expr::Constant(Constant::I) => {
                Some(self.power(self.modulus.generator, (self.modulus.prime - 1) / 4))
            }
            Expr::Constant(constant @ (Constant::Pi | Constant::E)) => {
                // Neither is the root of a polynomial with rational coefficients, so that one alone
                // may stand for any value, as a symbol does.
                let known = *self.transcendental.get_or_insert(*constant);
                (known == *constant)
                    .then(|| points::mix(self.modulus.generator) % self.modulus.prime)
            }
            Expr::Symbol(symbol) => {
                let place = self.symbols.iter().position(|name| *name == symbol);
                // The place in the sorted list of both sides' symbols, so that a name has one value
                // on both.
                place.map(|place| points::mix(place as u64 + 100) % self.modulus.prime)
            }
            Expr::Sum(terms) => self.accumulate(terms, 0, |a, b, prime| {
                ((u128::from(a) + u128::from(b)) % prime) as u64
            })?,
            Expr::Product(factors) => self.accumulate(factors, 1, |a, b, prime| {
                (u128::from(a) * u128::from(b) % prime) as u64
            })?,
            Expr::Power(base, exponent) => {
                let Some(exponent) = rational::fold(exponent, self.budget)?.filter(RBig::is_int)
                else {
                    return Ok(None);
                };
                let Some(base) = self.residue(base)? else {
                    return Ok(None);
                };
                // Reducing the exponent would make a value of 0^0 and of 1/0.
                if base == 0 {
                    return Ok(None);
                }
                // By Fermat only the exponent modulo p − 1 counts.
                let exponent = self.reduced(exponent.numerator(), self.modulus.prime - 1);
                Some(self.power(base, exponent))
            }
            Expr::Constant(Constant::Infinity) | Expr::Apply(..) | Expr::Call(..) => None,
        })
    }

    fn accumulate(
        &mut self,
        parts: &[Expr],
        neutral: u64,
        combine: impl Fn(u64, u64, u128) -> u64,
    ) -> Result<Option<u64>, Exhausted> {
        let mut total = neutral;
        for part in parts {
            let Some(part) = self.residue(part)? else {
                return Ok(None);
            };
            total = combine(total, part, u128::from(self.modulus.prime));
        }
        Ok(Some(total))
    }

    fn quotient(&self, value: &RBig) -> Option<u64> {
        let prime = self.modulus.prime;
        let numerator = self.reduced(value.numerator(), prime);
        let denominator = self.reduced(&IBig::from(value.denominator().clone()), prime);
        if denominator == 0 {
            return None;
        }
        // By Fermat: a^(p-2) a = 1.
        let inverse = self.power(denominator, prime - 2);
        Some((u128::from(numerator) * u128::from(inverse) % u128::from(prime)) as u64)
    }

    fn reduced(&self, value: &IBig, modulus: u64) -> u64 {
        let (sign, magnitude) = value.clone().into_parts();
        let residue =
            u64::try_from(magnitude % UBig::from(modulus)).expect("a residue is below its modulus");
        if sign == dashu_int::Sign::Negative && residue > 0 {
            modulus - residue
        } else {
            residue
        }
    }

    fn power(&self, base: u64, exponent: u64) -> u64 {
        let prime = u128::from(self.modulus.prime);
        let (mut power, mut square, mut exponent) = (1, u128::from(base), exponent);
        while exponent > 0 {
            if exponent & 1 == 1 {
                power = power * square % prime;
            }
            square = square * square % prime;
            exponent >>= 1;
        }
        power as u64
    }
}
