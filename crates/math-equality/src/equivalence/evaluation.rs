//! Evaluation of an expression at a point, over any arithmetic with errors.

use std::cmp::Ordering;

use dashu_int::IBig;
use dashu_ratio::RBig;

use super::complex::Complex;
use super::points;
use super::rational;
use super::real::Real;
use crate::budget::{Budget, Exhausted};
use crate::expr::{Constant, Expr, Function, Symbol};

/// Deeper expressions are not evaluated; the parser makes none.
const MAX_DEPTH: u32 = 256;

/// Why an expression has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// A pole, an argument outside the domain, an overflow, or an error too large to go on.
    Undefined,
    /// The budget ran out.
    Exhausted,
}

impl From<Exhausted> for Failure {
    fn from(Exhausted: Exhausted) -> Self {
        Self::Exhausted
    }
}

/// An operation on two values.
type Operation<R> = fn(&Complex<R>, &Complex<R>, &mut <R as Real>::Context) -> Option<Complex<R>>;

/// The values of the symbols and what is noticed on the way.
pub(super) struct Evaluation<'e, 'b, R: Real> {
    values: Vec<(&'e Symbol, Complex<R>)>,
    context: &'b mut R::Context,
    budget: &'b mut Budget,
    depth: u32,
    nodes: u32,
    /// Whether an even root, a logarithm or an inverse function of a real number outside its real
    /// domain was met.
    pub left_reals: bool,
}

impl<'e, 'b, R: Real> Evaluation<'e, 'b, R> {
    pub(super) fn new(
        values: Vec<(&'e Symbol, Complex<R>)>,
        context: &'b mut R::Context,
        budget: &'b mut Budget,
    ) -> Self {
        Self {
            values,
            context,
            budget,
            depth: 0,
            nodes: 0,
            left_reals: false,
        }
    }

    /// The value of the expression.
    pub(super) fn value(&mut self, expr: &'e Expr) -> Result<Complex<R>, Failure> {
        // The first node pays, so that no evaluation is free.
        if self.nodes.is_multiple_of(R::NODES_PER_STEP) {
            self.budget.spend(1)?;
        }
        self.nodes += 1;
        if self.depth >= MAX_DEPTH {
            return Err(Failure::Undefined);
        }
        self.depth += 1;
        let value = self.node(expr);
        self.depth -= 1;
        value
    }

    fn node(&mut self, expr: &'e Expr) -> Result<Complex<R>, Failure> {
        match expr {
            Expr::Number(number) => defined(Complex::rational(&number.value, self.context)),
            Expr::Constant(constant) => self.constant(*constant),
            Expr::Symbol(symbol) => defined(
                self.values
                    .iter()
                    .rev()
                    .find(|(name, _)| *name == symbol)
                    .map(|(_, value)| value.clone()),
            ),
            Expr::Sum(terms) => self.accumulate(terms, 0, Complex::add),
            Expr::Product(factors) => self.accumulate(factors, 1, Complex::multiply),
            Expr::Power(base, exponent) => self.power(base, exponent),
            Expr::Apply(Function::FiniteSum, parts) => self.repeat(parts, 0, Complex::add),
            Expr::Apply(Function::FiniteProduct, parts) => self.repeat(parts, 1, Complex::multiply),
            Expr::Apply(Function::Opaque, arguments) => match arguments.split_first() {
                Some((Expr::Symbol(name), arguments)) => self.unknown(name, arguments),
                _ => Err(Failure::Undefined),
            },
            Expr::Apply(function, arguments) => self.apply(*function, arguments),
            Expr::Call(name, arguments) => self.unknown(name, arguments),
        }
    }

    fn constant(&mut self, constant: Constant) -> Result<Complex<R>, Failure> {
        defined(match constant {
            Constant::Pi => R::pi(self.context).map(Complex::real),
            Constant::E => {
                let one = Complex::integer(1, self.context);
                self.pay_function()?;
                one.and_then(|one: Complex<R>| one.exp(self.context))
            }
            Constant::I => Complex::imaginary_unit(self.context),
            Constant::Infinity => None,
        })
    }

    fn accumulate(
        &mut self,
        parts: &'e [Expr],
        neutral: i64,
        combine: Operation<R>,
    ) -> Result<Complex<R>, Failure> {
        let Some((first, rest)) = parts.split_first() else {
            return defined(Complex::integer(neutral, self.context));
        };
        // From the first part on: adding it to 0 or multiplying it by 1 would round, and widen the
        // error.
        let mut total = self.value(first)?;
        for part in rest {
            let value = self.value(part)?;
            self.budget.spend(R::operation_steps(self.context))?;
            total = defined(combine(&total, &value, self.context))?;
        }
        Ok(total)
    }

    fn repeat(
        &mut self,
        parts: &'e [Expr],
        neutral: i64,
        combine: Operation<R>,
    ) -> Result<Complex<R>, Failure> {
        let [Expr::Symbol(index), first, last, body] = parts else {
            return Err(Failure::Undefined);
        };
        let first = RBig::from(self.integer(first)?);
        let last = RBig::from(self.integer(last)?);
        let range = defined(rational::index_range(&first, &last))?;
        let mut total = defined(Complex::integer(neutral, self.context))?;
        for position in range {
            let position = defined(Complex::integer(position, self.context))?;
            self.values.push((index, position));
            let value = self.value(body);
            self.values.pop();
            total = defined(combine(&total, &value?, self.context))?;
        }
        Ok(total)
    }

    fn integer(&mut self, expr: &'e Expr) -> Result<IBig, Failure> {
        let value = self.value(expr)?;
        defined(as_integer(&value))
    }

    fn power(&mut self, base: &'e Expr, exponent: &'e Expr) -> Result<Complex<R>, Failure> {
        // A computed e raised by its logarithm would carry the errors of both.
        if let Expr::Constant(Constant::E) = base {
            let exponent = self.value(exponent)?;
            self.pay_function()?;
            return defined(exponent.exp(self.context));
        }
        // Folding outside of sums over an index finds the fraction 1/3 in an exponent, which a
        // value with an error no longer shows.
        let fraction = rational::fold(exponent, self.budget)?;
        let base = self.value(base)?;
        let exponent_value = match fraction {
            Some(fraction) => return self.rational_power(&base, &fraction),
            None => self.value(exponent)?,
        };
        if let Some(integer) = as_integer(&exponent_value) {
            return self.rational_power(&base, &RBig::from(integer));
        }
        self.note_sign(&base);
        self.pay_function()?;
        self.pay_function()?;
        // The logarithm has no value at 0, a power with a positive exponent has.
        if is_exactly_zero(&base) {
            let positive = exponent_value.re.sign() == Some(Ordering::Greater);
            return defined(positive.then(|| Complex::real(R::zero())));
        }
        defined(base.power_by_logarithm(&exponent_value, self.context))
    }

    /// Powers with a known fraction as exponent; the odd root of a negative real is the real one.
    fn rational_power(
        &mut self,
        base: &Complex<R>,
        exponent: &RBig,
    ) -> Result<Complex<R>, Failure> {
        if exponent.is_int() {
            self.budget.spend(R::operation_steps(self.context) * 2)?;
            return defined(base.integer_power(exponent.numerator(), self.context));
        }
        self.pay_function()?;
        let index = exponent.denominator();
        let small_index = u32::try_from(index).ok().filter(|index| *index <= 1_000);
        let root = match (small_index, base.as_real().map(Real::sign)) {
            (Some(2), _) => {
                self.note_sign(base);
                base.square_root(self.context)
            }
            // As exact rationals have it, so that `\sqrt[3]{-8}` is -2 in every stage.
            (Some(index), Some(Some(Ordering::Less))) if !index.is_multiple_of(2) => base
                .re
                .negated()
                .root(index, self.context)
                .map(|root| Complex::real(root.negated())),
            (Some(index), Some(Some(Ordering::Greater | Ordering::Equal))) => {
                base.re.root(index, self.context).map(Complex::real)
            }
            _ => {
                self.note_sign(base);
                self.pay_function()?;
                let exponent = defined(Complex::rational(exponent, self.context))?;
                return defined(base.power_by_logarithm(&exponent, self.context));
            }
        };
        defined(defined(root)?.integer_power(exponent.numerator(), self.context))
    }

    fn note_sign(&mut self, base: &Complex<R>) {
        if base.is_real() && base.re.sign() == Some(Ordering::Less) {
            self.left_reals = true;
        }
    }

    fn pay_function(&mut self) -> Result<(), Exhausted> {
        self.budget.spend(R::function_steps(self.context))
    }

    fn apply(&mut self, function: Function, arguments: &'e [Expr]) -> Result<Complex<R>, Failure> {
        let mut values = Vec::with_capacity(arguments.len());
        for argument in arguments {
            values.push(self.value(argument)?);
        }
        if rational::is_integer_function(function) {
            return self.integer_function(function, &values);
        }
        match values.as_slice() {
            [value] => {
                if !matches!(
                    function,
                    Function::Abs | Function::Re | Function::Im | Function::Conjugate
                ) {
                    self.pay_function()?;
                    if !value.is_real() {
                        // Complex functions are made of several real ones.
                        self.budget.spend(3 * R::function_steps(self.context))?;
                    }
                }
                self.elementary(function, value)
            }
            [base, argument] if function == Function::Log => {
                self.note_sign(argument);
                self.pay_function()?;
                self.pay_function()?;
                let base = defined(base.ln(self.context))?;
                let argument = defined(argument.ln(self.context))?;
                defined(argument.divide(&base, self.context))
            }
            [first, rest @ ..] if matches!(function, Function::Min | Function::Max) => {
                let least = function == Function::Min;
                rest.iter().try_fold(first.clone(), |extreme, value| {
                    self.extreme(extreme, value, least)
                })
            }
            _ => Err(Failure::Undefined),
        }
    }

    fn extreme(
        &mut self,
        extreme: Complex<R>,
        value: &Complex<R>,
        least: bool,
    ) -> Result<Complex<R>, Failure> {
        let difference = defined(value.subtract(&extreme, self.context))?;
        let order = defined(difference.as_real())?.sign();
        let replace = order
            == Some(if least {
                Ordering::Less
            } else {
                Ordering::Greater
            });
        Ok(if replace { value.clone() } else { extreme })
    }

    fn integer_function(
        &mut self,
        function: Function,
        values: &[Complex<R>],
    ) -> Result<Complex<R>, Failure> {
        let mut integers = Vec::with_capacity(values.len());
        for value in values {
            match as_integer(value) {
                Some(integer) => integers.push(RBig::from(integer)),
                // Of these functions only the remainder is defined beyond the integers.
                None => return self.modulo(function, values),
            }
        }
        let result = defined(rational::apply(function, &integers))?;
        // A factorial of a short number is a long one: the price is that of the result.
        self.budget.spend(rational::bits(&result) as u32 / 64)?;
        defined(Complex::rational(&result, self.context))
    }

    /// `a mod b` of reals, `a − b ⌊a/b⌋`.
    fn modulo(&mut self, function: Function, values: &[Complex<R>]) -> Result<Complex<R>, Failure> {
        let (Function::Mod, [value, modulus]) = (function, values) else {
            return Err(Failure::Undefined);
        };
        let quotient = defined(value.divide(modulus, self.context))?;
        let floor = defined(defined(quotient.as_real())?.floor())?;
        let floor = defined(Complex::rational(&RBig::from(floor), self.context))?;
        let whole = defined(modulus.multiply(&floor, self.context))?;
        defined(value.subtract(&whole, self.context))
    }

    fn elementary(
        &mut self,
        function: Function,
        value: &Complex<R>,
    ) -> Result<Complex<R>, Failure> {
        self.note_domain(function, value);
        let context = &mut *self.context;
        let inverse = |value: Option<Complex<R>>, context: &mut R::Context| value?.inverse(context);
        defined(match function {
            Function::Ln | Function::LogUnbased => value.ln(context),
            Function::Sin => value.sin_cos(context).map(|(sin, _)| sin),
            Function::Cos => value.sin_cos(context).map(|(_, cos)| cos),
            Function::Tan => value
                .sin_cos(context)
                .and_then(|(sin, cos)| sin.divide(&cos, context)),
            Function::Cot => value
                .sin_cos(context)
                .and_then(|(sin, cos)| cos.divide(&sin, context)),
            Function::Sec => inverse(value.sin_cos(context).map(|(_, cos)| cos), context),
            Function::Csc => inverse(value.sin_cos(context).map(|(sin, _)| sin), context),
            Function::Arcsin => value.arcsin(context),
            Function::Arccos => value
                .arcsin(context)
                .and_then(|angle| angle.complement(context)),
            Function::Arctan => value.arctan(context),
            // The branch in (0, π): the other convention, arctan(1/x), jumps at 0.
            Function::Arccot => value
                .arctan(context)
                .and_then(|angle| angle.complement(context)),
            Function::Arccsc => value
                .inverse(context)
                .and_then(|value| value.arcsin(context)),
            Function::Arcsec => value
                .inverse(context)
                .and_then(|value| value.arcsin(context))
                .and_then(|angle| angle.complement(context)),
            Function::Sinh => value.sinh(context),
            Function::Cosh => value.cosh(context),
            Function::Tanh => value
                .sinh(context)
                .and_then(|sinh| sinh.divide(&value.cosh(context)?, context)),
            Function::Arsinh => value.arsinh(context),
            Function::Arcosh => value.arcosh(context),
            Function::Artanh => value.artanh(context),
            Function::Abs => value.magnitude(context).map(Complex::real),
            Function::Floor => integral(value, context, |value| value.floor()),
            Function::Ceil => integral(&value.negated(), context, |value| value.floor())
                .map(|floor| floor.negated()),
            // An `Ordering` as a number is -1, 0 or 1.
            Function::Sign => match value.as_real().and_then(Real::sign) {
                Some(order) => Complex::integer(order as i64, context),
                None => None,
            },
            Function::Re => Some(Complex::real(value.re.clone())),
            Function::Im => Some(Complex::real(value.im.clone())),
            Function::Conjugate => Some(value.conjugate()),
            Function::Degrees => {
                let turn = Complex::rational(&RBig::from_parts(1.into(), 180u8.into()), context)
                    .zip(R::pi(context))
                    .and_then(|(share, pi)| share.multiply(&Complex::real(pi), context));
                turn.and_then(|turn| value.multiply(&turn, context))
            }
            _ => None,
        })
    }

    fn note_domain(&mut self, function: Function, value: &Complex<R>) {
        if !value.is_real() {
            return;
        }
        let middle = value.re.to_f64();
        let outside = match function {
            Function::Ln | Function::LogUnbased => middle < 0.0,
            Function::Arcsin | Function::Arccos | Function::Artanh => middle.abs() > 1.0,
            Function::Arcsec | Function::Arccsc => middle.abs() < 1.0,
            Function::Arcosh => middle < 1.0,
            _ => false,
        };
        self.left_reals |= outside;
    }

    /// A pseudo-random value for an unknown function at these arguments, the same for the same
    /// values of them. An argument without a value, such as an infinite bound, goes by how it is
    /// written.
    fn unknown(&mut self, name: &Symbol, arguments: &'e [Expr]) -> Result<Complex<R>, Failure> {
        let mut hash = points::Hash::new(name);
        for argument in arguments {
            match self.value(argument) {
                Ok(value) => hash.number(value.re.to_f64(), value.im.to_f64()),
                Err(Failure::Undefined) => hash.text(&format!("{argument:?}")),
                Err(Failure::Exhausted) => return Err(Failure::Exhausted),
            }
        }
        defined(Complex::rational(&hash.value(), self.context))
    }
}

fn defined<T>(value: Option<T>) -> Result<T, Failure> {
    value.ok_or(Failure::Undefined)
}

fn is_exactly_zero<R: Real>(value: &Complex<R>) -> bool {
    value.is_real() && value.re.is_zero()
}

fn as_integer<R: Real>(value: &Complex<R>) -> Option<IBig> {
    value.as_real()?.integer()
}

fn integral<R: Real>(
    value: &Complex<R>,
    context: &mut R::Context,
    whole: impl Fn(&R) -> Option<IBig>,
) -> Option<Complex<R>> {
    Complex::rational(&RBig::from(whole(value.as_real()?)?), context)
}
