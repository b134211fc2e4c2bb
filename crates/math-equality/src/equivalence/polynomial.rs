//! Sparse polynomials with rational coefficients, and quotients of them.

use std::collections::BTreeMap;

use dashu_ratio::RBig;

use super::rational;
use crate::budget::{Budget, Exhausted};

/// Polynomials with more terms are left to the other stages.
const MAX_TERMS: usize = 2_000;

/// The same for their total degree.
const MAX_DEGREE: u32 = 200;

/// A power that takes more steps than this is not written out.
const MAX_POWER_STEPS: u64 = 5_000;

/// Exponents of atoms by the number of the atom, ascending; exponents are positive.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Monomial(pub Vec<(u16, u32)>);

impl Monomial {
    fn degree(&self) -> u32 {
        self.0.iter().map(|(_, exponent)| exponent).sum()
    }

    fn multiply(&self, other: &Self) -> Self {
        let mut product = Vec::with_capacity(self.0.len() + other.0.len());
        let (mut left, mut right) = (self.0.iter().peekable(), other.0.iter().peekable());
        loop {
            match (left.peek(), right.peek()) {
                (Some(a), Some(b)) if a.0 == b.0 => {
                    // No degree is above MAX_DEGREE, so that the sum does not overflow.
                    product.push((a.0, a.1 + b.1));
                    left.next();
                    right.next();
                }
                (Some(a), Some(b)) if a.0 < b.0 => product.extend(left.next()),
                (_, Some(_)) => product.extend(right.next()),
                (Some(_), None) => product.extend(left.next()),
                (None, None) => return Self(product),
            }
        }
    }
}

/// A relation that holds between powers of an atom: `atom^index = value`, as for `i^2 = −1` and
/// `√3^2 = 3`.
#[derive(Clone, Debug)]
pub(super) struct Relation {
    pub atom: u16,
    pub index: u32,
    pub value: RBig,
}

/// A polynomial in canonical form: no zero coefficients, relations applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Polynomial {
    terms: BTreeMap<Monomial, RBig>,
}

/// Why there is no normal form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// Too many terms, too high a degree, or numbers too long.
    TooLarge,
    /// A denominator is zero.
    Undefined,
    /// The budget ran out.
    Exhausted,
}

impl From<Exhausted> for Stop {
    fn from(Exhausted: Exhausted) -> Self {
        Self::Exhausted
    }
}

impl Polynomial {
    pub(super) fn constant(value: RBig) -> Self {
        let mut terms = BTreeMap::new();
        if !value.is_zero() {
            terms.insert(Monomial::default(), value);
        }
        Self { terms }
    }

    pub(super) fn atom(atom: u16, exponent: u32, coefficient: RBig) -> Self {
        Self {
            terms: BTreeMap::from([(Monomial(vec![(atom, exponent)]), coefficient)]),
        }
    }

    pub(super) fn is_zero(&self) -> bool {
        self.terms.is_empty()
    }

    /// The value, where no atom is left.
    pub(super) fn as_constant(&self) -> Option<RBig> {
        match self.terms.len() {
            0 => Some(RBig::ZERO),
            1 => self.terms.get(&Monomial::default()).cloned(),
            _ => None,
        }
    }

    /// The coefficient of the last monomial in the order of terms; zero for the zero polynomial.
    pub(super) fn leading_coefficient(&self) -> RBig {
        self.terms
            .last_key_value()
            .map_or(RBig::ZERO, |(_, coefficient)| coefficient.clone())
    }

    /// The non-zero number that it is a multiple of `other` by, where it is one.
    pub(super) fn ratio(&self, other: &Self) -> Option<RBig> {
        if self.is_zero() || self.terms.len() != other.terms.len() {
            return None;
        }
        let ratio = self.leading_coefficient() / other.leading_coefficient();
        // Both maps are in the order of monomials: equal ones stand at the same place.
        let proportional = self
            .terms
            .iter()
            .zip(&other.terms)
            .all(|((left, a), (right, b))| left == right && *a == b * &ratio);
        proportional.then_some(ratio)
    }

    pub(super) fn scaled(mut self, factor: &RBig) -> Self {
        if factor.is_zero() {
            return Self::constant(RBig::ZERO);
        }
        for coefficient in self.terms.values_mut() {
            *coefficient *= factor;
        }
        self
    }

    pub(super) fn add(mut self, other: Self, budget: &mut Budget) -> Result<Self, Stop> {
        budget.spend(other.terms.len() as u32 / 4)?;
        for (monomial, coefficient) in other.terms {
            self.add_term(monomial, coefficient);
        }
        if self.terms.len() > MAX_TERMS {
            Err(Stop::TooLarge)
        } else {
            Ok(self)
        }
    }

    fn add_term(&mut self, monomial: Monomial, coefficient: RBig) {
        use std::collections::btree_map::Entry;
        match self.terms.entry(monomial) {
            Entry::Vacant(entry) => {
                entry.insert(coefficient);
            }
            Entry::Occupied(mut entry) => {
                *entry.get_mut() += coefficient;
                if entry.get().is_zero() {
                    entry.remove();
                }
            }
        }
    }

    pub(super) fn multiply(
        &self,
        other: &Self,
        relations: &[Relation],
        budget: &mut Budget,
    ) -> Result<Self, Stop> {
        if let Some(constant) = other.as_constant() {
            return Ok(self.clone().scaled(&constant));
        }
        // At most MAX_TERMS² = 4 million, which fits u32.
        let pairs = self.terms.len() * other.terms.len();
        budget.spend(pairs as u32 / 2)?;
        let mut product = Self::constant(RBig::ZERO);
        for (left, a) in &self.terms {
            for (right, b) in &other.terms {
                let mut coefficient = a * b;
                let bits = rational::bits(&coefficient);
                if bits > 1_000 {
                    budget.spend(bits as u32 / 1_000)?;
                }
                let mut monomial = left.multiply(right);
                reduce(&mut monomial, &mut coefficient, relations);
                if monomial.degree() > MAX_DEGREE || bits > rational::MAX_BITS {
                    return Err(Stop::TooLarge);
                }
                product.add_term(monomial, coefficient);
            }
            if product.terms.len() > MAX_TERMS {
                return Err(Stop::TooLarge);
            }
        }
        Ok(product)
    }

    fn power(
        &self,
        exponent: u32,
        relations: &[Relation],
        budget: &mut Budget,
    ) -> Result<Self, Stop> {
        // A power that would cost most of a budget is left to later stages, which do not write it
        // out. Where relations may keep it short, its steps are counted on the way.
        if exponent > MAX_DEGREE
            || relations.is_empty() && power_steps(self.terms.len(), exponent) > MAX_POWER_STEPS
        {
            return Err(Stop::TooLarge);
        }
        let mut power = Self::constant(RBig::ONE);
        let mut steps = 0;
        for _ in 0..exponent {
            steps += (power.terms.len() * self.terms.len()) as u64 / 2;
            if steps > MAX_POWER_STEPS {
                return Err(Stop::TooLarge);
            }
            power = power.multiply(self, relations, budget)?;
        }
        Ok(power)
    }
}

/// About how many steps it takes to write out a power of so many terms: half of
/// `terms · C(exponent + terms − 1, terms)`.
fn power_steps(terms: usize, exponent: u32) -> u64 {
    let mut steps = 1_u64;
    for place in 1..=terms as u64 {
        // Exact at every place: a product of `place` neighbours is divisible by its factorial.
        steps = steps.saturating_mul(u64::from(exponent) + place - 1) / place;
        if steps > MAX_POWER_STEPS {
            return steps;
        }
    }
    steps.saturating_mul(terms as u64) / 2
}

/// Replaces high powers of atoms by their values.
fn reduce(monomial: &mut Monomial, coefficient: &mut RBig, relations: &[Relation]) {
    let mut vanished = false;
    for relation in relations {
        for (atom, exponent) in &mut monomial.0 {
            while *atom == relation.atom && *exponent >= relation.index {
                *exponent -= relation.index;
                *coefficient *= &relation.value;
                vanished |= *exponent == 0;
            }
        }
    }
    if vanished {
        monomial.0.retain(|(_, exponent)| *exponent > 0);
    }
}

/// A quotient of polynomials. Not reduced: two are compared by multiplying crosswise. A constant
/// denominator is 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Quotient {
    pub numerator: Polynomial,
    pub denominator: Polynomial,
}

impl Quotient {
    pub(super) fn whole(numerator: Polynomial) -> Self {
        Self {
            numerator,
            denominator: Polynomial::constant(RBig::ONE),
        }
    }

    pub(super) fn constant(value: RBig) -> Self {
        Self::whole(Polynomial::constant(value))
    }

    pub(super) fn as_constant(&self) -> Option<RBig> {
        let denominator = self.denominator.as_constant()?;
        Some(self.numerator.as_constant()? / denominator)
    }

    pub(super) fn inverse(self) -> Result<Self, Stop> {
        // The form itself is zero here, not only its value at some point.
        if self.numerator.is_zero() {
            return Err(Stop::Undefined);
        }
        Ok(match self.numerator.as_constant() {
            Some(value) => Self::whole(self.denominator.scaled(&(RBig::ONE / value))),
            None => Self {
                numerator: self.denominator,
                denominator: self.numerator,
            },
        })
    }

    pub(super) fn add(
        self,
        other: Self,
        relations: &[Relation],
        budget: &mut Budget,
    ) -> Result<Self, Stop> {
        if self.denominator == other.denominator {
            return Self::checked(
                self.numerator.add(other.numerator, budget)?,
                self.denominator,
            );
        }
        let left = self
            .numerator
            .multiply(&other.denominator, relations, budget)?;
        let right = other
            .numerator
            .multiply(&self.denominator, relations, budget)?;
        let denominator = self
            .denominator
            .multiply(&other.denominator, relations, budget)?;
        Self::checked(left.add(right, budget)?, denominator)
    }

    pub(super) fn multiply(
        self,
        other: &Self,
        relations: &[Relation],
        budget: &mut Budget,
    ) -> Result<Self, Stop> {
        let numerator = self
            .numerator
            .multiply(&other.numerator, relations, budget)?;
        let denominator = self
            .denominator
            .multiply(&other.denominator, relations, budget)?;
        Self::checked(numerator, denominator)
    }

    /// With relations a product of denominators may vanish or become a number.
    fn checked(numerator: Polynomial, denominator: Polynomial) -> Result<Self, Stop> {
        match denominator.as_constant() {
            None => Ok(Self {
                numerator,
                denominator,
            }),
            Some(value) if value.is_zero() => Err(Stop::Undefined),
            Some(value) if value.is_one() => Ok(Self {
                numerator,
                denominator,
            }),
            Some(value) => Ok(Self::whole(numerator.scaled(&(RBig::ONE / value)))),
        }
    }

    pub(super) fn power(
        self,
        exponent: i64,
        relations: &[Relation],
        budget: &mut Budget,
    ) -> Result<Self, Stop> {
        let base = if exponent < 0 { self.inverse()? } else { self };
        let exponent = u32::try_from(exponent.unsigned_abs()).map_err(|_| Stop::TooLarge)?;
        if let Some(value) = base.as_constant() {
            let power = rational::power(&value, &RBig::from(exponent));
            return match power {
                Some(power) => Ok(Self::constant(power)),
                // The only power of exponent 0 that has no value is 0^0.
                None if exponent == 0 => Err(Stop::Undefined),
                None => Err(Stop::TooLarge),
            };
        }
        Self::checked(
            base.numerator.power(exponent, relations, budget)?,
            base.denominator.power(exponent, relations, budget)?,
        )
    }

    /// The numerators over the common denominator, `(a d, b c)` for `a/c` and `b/d`.
    pub(super) fn crosswise(
        &self,
        other: &Self,
        relations: &[Relation],
        budget: &mut Budget,
    ) -> Result<(Polynomial, Polynomial), Stop> {
        if self.denominator == other.denominator {
            return Ok((self.numerator.clone(), other.numerator.clone()));
        }
        let left = self
            .numerator
            .multiply(&other.denominator, relations, budget)?;
        let right = other
            .numerator
            .multiply(&self.denominator, relations, budget)?;
        Ok((left, right))
    }
}
