//! Normal forms: an expression as a quotient of polynomials in its symbols and in whatever else is
//! not rational.

use dashu_int::ops::Abs;
use dashu_int::{Sign, UBig};
use dashu_ratio::RBig;

use super::polynomial::{Polynomial, Quotient, Relation, Stop};
use super::rational;
use crate::budget::Budget;
use crate::expr::{Constant, Expr, Function, Symbol};

/// Sums with more terms are not written out.
const MAX_EXPANDED_TERMS: usize = 100;

/// Cofactors above the square of this may be composite: radicands are divided by numbers up to it.
const TRIAL_LIMIT: u64 = 1_000;

const MAX_DEPTH: u32 = 128;

/// What polynomials are made of.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Atom {
    Symbol(Symbol),
    Constant(Constant),
    /// The root of a prime (or of a cofactor that is not known to be one).
    Root {
        radicand: UBig,
        index: u32,
    },
    /// A power whose exponent is not an integer.
    Power {
        base: Quotient,
        exponent: Quotient,
    },
    Function {
        function: Function,
        arguments: Vec<Quotient>,
    },
    Unknown {
        name: Symbol,
        arguments: Vec<Quotient>,
    },
}

/// The atoms met so far, shared by the two sides of a comparison.
pub(super) struct NormalForms {
    atoms: Vec<Atom>,
    relations: Vec<Relation>,
    /// Whether a non-zero polynomial in these atoms may still denote zero.
    dependent: bool,
    depth: u32,
}

impl NormalForms {
    pub(super) fn new() -> Self {
        Self {
            atoms: Vec::new(),
            relations: Vec::new(),
            dependent: false,
            depth: 0,
        }
    }

    /// Whether the atoms are algebraically independent but for the relations that are applied, so
    /// that different normal forms are different functions. Known for symbols, i, square roots of
    /// different primes, and one of π and e.
    pub(super) fn decide(&self) -> bool {
        let transcendental = self
            .atoms
            .iter()
            .filter(|atom| matches!(atom, Atom::Constant(Constant::Pi | Constant::E)))
            .count();
        let simple = self.atoms.iter().all(|atom| match atom {
            Atom::Symbol(_) | Atom::Constant(Constant::Pi | Constant::E | Constant::I) => true,
            Atom::Root { index, .. } => *index == 2,
            _ => false,
        });
        simple && transcendental <= 1 && !self.dependent
    }

    pub(super) fn relations(&self) -> &[Relation] {
        &self.relations
    }

    /// Whether any atom is tied by a relation, so that a number may have other factors than
    /// rationals.
    pub(super) fn has_relations(&self) -> bool {
        self.atoms
            .iter()
            .any(|atom| !matches!(atom, Atom::Symbol(_)))
    }

    /// The normal form of an expression.
    pub(super) fn normal_form(
        &mut self,
        expr: &Expr,
        budget: &mut Budget,
    ) -> Result<Quotient, Stop> {
        budget.spend(1)?;
        if self.depth >= MAX_DEPTH {
            return Err(Stop::TooLarge);
        }
        self.depth += 1;
        let form = self.node(expr, budget);
        self.depth -= 1;
        form
    }

    fn node(&mut self, expr: &Expr, budget: &mut Budget) -> Result<Quotient, Stop> {
        match expr {
            Expr::Number(number) => Ok(Quotient::constant(number.value.clone())),
            Expr::Constant(Constant::Infinity) => Err(Stop::Undefined),
            Expr::Constant(constant) => Ok(self.atom(Atom::Constant(*constant))),
            Expr::Symbol(symbol) => Ok(self.atom(Atom::Symbol(symbol.clone()))),
            Expr::Sum(terms) => {
                let mut total = Quotient::constant(RBig::ZERO);
                for term in terms {
                    let term = self.normal_form(term, budget)?;
                    total = total.add(term, &self.relations, budget)?;
                }
                Ok(total)
            }
            Expr::Product(factors) => {
                let mut product = Quotient::constant(RBig::ONE);
                for factor in factors {
                    let factor = self.normal_form(factor, budget)?;
                    product = product.multiply(&factor, &self.relations, budget)?;
                }
                Ok(product)
            }
            Expr::Power(base, exponent) => self.power(base, exponent, budget),
            Expr::Apply(function, arguments) => self.apply(*function, arguments, budget),
            Expr::Call(name, arguments) => {
                let arguments = self.normal_forms(arguments, budget)?;
                self.unknown(Atom::Unknown {
                    name: name.clone(),
                    arguments,
                })
            }
        }
    }

    fn normal_forms(&mut self, exprs: &[Expr], budget: &mut Budget) -> Result<Vec<Quotient>, Stop> {
        exprs
            .iter()
            .map(|expr| self.normal_form(expr, budget))
            .collect()
    }

    /// The atom as a polynomial.
    fn atom(&mut self, atom: Atom) -> Quotient {
        Quotient::whole(Polynomial::atom(self.number(atom), 1, RBig::ONE))
    }

    /// The number of an atom; an equal one that was met before is the same.
    fn number(&mut self, atom: Atom) -> u16 {
        // One number for both sides, or equal parts would not cancel.
        let known = self.atoms.iter().position(|known| *known == atom);
        known.unwrap_or_else(|| {
            let number = self.atoms.len();
            match &atom {
                Atom::Constant(Constant::I) => {
                    self.relations.push(Relation {
                        atom: number as u16,
                        index: 2,
                        value: RBig::from(-1),
                    });
                }
                Atom::Root { radicand, index } => {
                    let value = RBig::from(radicand.clone());
                    self.relations.push(Relation {
                        atom: number as u16,
                        index: *index,
                        value,
                    });
                }
                _ => {}
            }
            self.atoms.push(atom);
            number
        }) as u16
    }

    /// An atom about which nothing is known.
    fn unknown(&mut self, atom: Atom) -> Result<Quotient, Stop> {
        if self.atoms.len() >= usize::from(u16::MAX) {
            return Err(Stop::TooLarge);
        }
        Ok(self.atom(atom))
    }

    fn apply(
        &mut self,
        function: Function,
        arguments: &[Expr],
        budget: &mut Budget,
    ) -> Result<Quotient, Stop> {
        match function {
            Function::FiniteSum | Function::FiniteProduct => {
                return self.written_out(function, arguments, budget);
            }
            Function::Degrees => {
                let value = self
                    .normal_forms(arguments, budget)?
                    .pop()
                    .ok_or(Stop::Undefined)?;
                let turn = self.atom(Atom::Constant(Constant::Pi));
                let share = Quotient::constant(RBig::from_parts(1.into(), 180u8.into()));
                return value.multiply(&turn, &self.relations, budget)?.multiply(
                    &share,
                    &self.relations,
                    budget,
                );
            }
            Function::Opaque => {
                let [Expr::Symbol(name), arguments @ ..] = arguments else {
                    return Err(Stop::Undefined);
                };
                let arguments = self.normal_forms(arguments, budget)?;
                return self.unknown(Atom::Unknown {
                    name: name.clone(),
                    arguments,
                });
            }
            _ => {}
        }
        let arguments = self.normal_forms(arguments, budget)?;
        if rational::is_rational_function(function)
            && let Some(values) = arguments
                .iter()
                .map(Quotient::as_constant)
                .collect::<Option<Vec<RBig>>>()
        {
            return rational::apply(function, &values)
                .map(Quotient::constant)
                .ok_or(Stop::Undefined);
        }
        self.unknown(Atom::Function {
            function,
            arguments,
        })
    }

    /// A finite sum or product between known bounds, term by term.
    fn written_out(
        &mut self,
        function: Function,
        parts: &[Expr],
        budget: &mut Budget,
    ) -> Result<Quotient, Stop> {
        let [Expr::Symbol(index), first, last, body] = parts else {
            return Err(Stop::Undefined);
        };
        let (Some(first), Some(last)) = (
            rational::fold(first, budget)?,
            rational::fold(last, budget)?,
        ) else {
            return Err(Stop::TooLarge);
        };
        let range = rational::index_range(&first, &last).ok_or(Stop::TooLarge)?;
        if range.clone().count() > MAX_EXPANDED_TERMS {
            return Err(Stop::TooLarge);
        }
        let sum = function == Function::FiniteSum;
        let mut total = Quotient::constant(if sum { RBig::ZERO } else { RBig::ONE });
        for position in range {
            let term = super::substitution::replaced(body, index, &Expr::integer(position));
            let term = self.normal_form(&term, budget)?;
            total = if sum {
                total.add(term, &self.relations, budget)?
            } else {
                total.multiply(&term, &self.relations, budget)?
            };
        }
        Ok(total)
    }

    fn power(
        &mut self,
        base: &Expr,
        exponent: &Expr,
        budget: &mut Budget,
    ) -> Result<Quotient, Stop> {
        let base = self.normal_form(base, budget)?;
        let Some(exponent_value) = rational::fold(exponent, budget)? else {
            let exponent = self.normal_form(exponent, budget)?;
            return self.symbolic_power(base, exponent);
        };
        if exponent_value.is_int() {
            let exponent = rational::small_integer(&exponent_value).ok_or(Stop::TooLarge)?;
            return base.power(exponent, &self.relations, budget);
        }
        if let Some(value) = base.as_constant() {
            if let Some(power) = rational::power(&value, &exponent_value) {
                return Ok(Quotient::constant(power));
            }
            return self.number_root(&value, &exponent_value, budget);
        }
        // b^(7/2) = b^3 b^(1/2)
        let whole = exponent_value.floor();
        let part = exponent_value - RBig::from(whole.clone());
        // No relation ties its powers to the base; where that matters, `decide` leaves the pair to
        // points.
        let root = self.unknown(Atom::Power {
            base: base.clone(),
            exponent: Quotient::constant(part),
        })?;
        let whole = i64::try_from(whole).map_err(|_| Stop::TooLarge)?;
        base.power(whole, &self.relations, budget)?
            .multiply(&root, &self.relations, budget)
    }

    /// A power with a symbol or an irrational number in its exponent; `a^{-x}` is kept as `1/a^x`.
    fn symbolic_power(&mut self, base: Quotient, exponent: Quotient) -> Result<Quotient, Stop> {
        // Else `e^{-x}` and `1/e^x` would be two atoms that nothing ties together.
        if exponent.numerator.leading_coefficient().sign() == Sign::Negative {
            let numerator = exponent.numerator.scaled(&RBig::from(-1));
            let positive = Quotient {
                numerator,
                denominator: exponent.denominator,
            };
            return self
                .unknown(Atom::Power {
                    base,
                    exponent: positive,
                })?
                .inverse();
        }
        self.unknown(Atom::Power { base, exponent })
    }

    /// A root of a number as a product of a rational and roots of primes.
    fn number_root(
        &mut self,
        value: &RBig,
        exponent: &RBig,
        budget: &mut Budget,
    ) -> Result<Quotient, Stop> {
        let index = u32::try_from(exponent.denominator()).map_err(|_| Stop::TooLarge)?;
        if value.is_zero() || index > 64 {
            return Err(Stop::TooLarge);
        }
        let mut product = Quotient::constant(RBig::ONE);
        if value.sign() == Sign::Negative {
            let times = i64::try_from(exponent.numerator()).map_err(|_| Stop::TooLarge)?;
            let unit = match index {
                2 => self.atom(Atom::Constant(Constant::I)),
                // The real root, as exact rationals have it; the exponent's numerator gives its
                // sign.
                _ if !index.is_multiple_of(2) => Quotient::constant(RBig::from(-1)),
                _ => return Err(Stop::TooLarge),
            };
            product = unit.power(times, &self.relations, budget)?;
        }
        let numerator: UBig = value
            .numerator()
            .clone()
            .abs()
            .try_into()
            .map_err(|_| Stop::TooLarge)?;
        for (number, sign) in [(&numerator, 1), (value.denominator(), -1)] {
            for (prime, multiplicity) in self.factors(number, budget)? {
                let exponent = exponent * RBig::from(sign * multiplicity);
                let factor = self.prime_power(&prime, &exponent)?;
                product = product.multiply(&factor, &self.relations, budget)?;
            }
        }
        Ok(product)
    }

    /// `prime ^ exponent` as a rational times a root of the prime.
    fn prime_power(&mut self, prime: &UBig, exponent: &RBig) -> Result<Quotient, Stop> {
        let whole = exponent.floor();
        let part = exponent - RBig::from(whole.clone());
        let coefficient = rational::power(&RBig::from(prime.clone()), &RBig::from(whole))
            .ok_or(Stop::TooLarge)?;
        if part.is_zero() {
            return Ok(Quotient::constant(coefficient));
        }
        let index = u32::try_from(part.denominator()).map_err(|_| Stop::TooLarge)?;
        let times = u32::try_from(part.numerator()).map_err(|_| Stop::TooLarge)?;
        // √2 and ∛2 are both powers of 2^(1/6), which no relation here says.
        let same_prime = |atom: &Atom| matches!(atom, Atom::Root { radicand, index: other } if radicand == prime && *other != index);
        if self.atoms.iter().any(same_prime) {
            self.dependent = true;
        }
        let atom = self.number(Atom::Root {
            radicand: prime.clone(),
            index,
        });
        Ok(Quotient::whole(Polynomial::atom(atom, times, coefficient)))
    }

    /// Primes with their multiplicities; notes where a cofactor may not be a prime.
    fn factors(&mut self, number: &UBig, budget: &mut Budget) -> Result<Vec<(UBig, i64)>, Stop> {
        let mut rest = u64::try_from(number).map_err(|_| Stop::TooLarge)?;
        let mut factors = Vec::new();
        let mut divisor = 2;
        while divisor <= TRIAL_LIMIT && divisor * divisor <= rest {
            let mut multiplicity = 0;
            while rest.is_multiple_of(divisor) {
                rest /= divisor;
                multiplicity += 1;
            }
            if multiplicity > 0 {
                factors.push((UBig::from(divisor), multiplicity));
            }
            divisor += if divisor == 2 { 1 } else { 2 };
        }
        budget.spend(divisor as u32 / 200)?;
        if rest > 1 {
            // The square of a prime beyond trial division; else √(p²) would be taken for a root of
            // its own.
            let root = rest.isqrt();
            if root * root == rest && rest > TRIAL_LIMIT * TRIAL_LIMIT {
                self.dependent |= root > TRIAL_LIMIT * TRIAL_LIMIT;
                factors.push((UBig::from(root), 2));
            } else {
                self.dependent |= rest > TRIAL_LIMIT * TRIAL_LIMIT;
                factors.push((UBig::from(rest), 1));
            }
        }
        Ok(factors)
    }
}
