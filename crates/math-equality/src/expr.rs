//! Expressions: what a formula denotes, before anything is simplified.
//!
//! There is no subtraction, division, root or sign: `a - b` is a sum with a product by −1, `a / b`
//! a product with a power −1, `√x` a power 1/2. The parser keeps the order of operands; nothing is
//! sorted or multiplied out here.

use dashu_ratio::RBig;

/// A formula for a number or a function of symbols.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expr {
    /// An exact number, perhaps written as a decimal.
    Number(Number),
    /// A named constant.
    Constant(Constant),
    /// A variable or an unnamed constant, such as `x`, `x_{1}`, `\alpha` or `C`.
    Symbol(Symbol),
    /// The sum of at least two terms.
    Sum(Vec<Expr>),
    /// The product of at least two factors.
    Product(Vec<Expr>),
    /// Base and exponent, principal value.
    Power(Box<Expr>, Box<Expr>),
    /// A known function of its arguments.
    Apply(Function, Vec<Expr>),
    /// An unknown function, such as `f(x)`, of its arguments: equal only to itself at equal
    /// arguments.
    Call(Symbol, Vec<Expr>),
}

/// An exact rational number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Number {
    /// Its value; a decimal is read exactly, so that `0.5` is one half.
    pub value: RBig,
    /// How many significant digits were written, where it was written with a decimal mark; `None`
    /// for integers and repeating decimals, which are exact.
    pub written_digits: Option<u32>,
}

/// A named constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Constant {
    /// The ratio of a circle's circumference to its diameter.
    Pi,
    /// Euler's number.
    E,
    /// The imaginary unit.
    I,
    /// Positive infinity; minus infinity is its product by −1.
    Infinity,
}

/// The name of a variable, normalized: no spaces, no font commands, `x_{1}` for every way to write
/// that subscript, Greek letters as their LaTeX names without the backslash, primes kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Symbol(pub Box<str>);

/// A known function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Function {
    /// Natural logarithm of one argument.
    Ln,
    /// Logarithm: base, argument. `\log x` without a base is base 10 or e: see
    /// [`Function::LogUnbased`].
    Log,
    /// `\log x` without a base: equal to both the natural and the decimal logarithm of the other
    /// side's choosing.
    LogUnbased,
    Sin,
    Cos,
    Tan,
    Cot,
    Sec,
    Csc,
    Arcsin,
    Arccos,
    Arctan,
    Arccot,
    Arcsec,
    Arccsc,
    Sinh,
    Cosh,
    Tanh,
    Arsinh,
    Arcosh,
    Artanh,
    /// Absolute value.
    Abs,
    Floor,
    Ceil,
    Factorial,
    /// Double factorial `n!!`.
    DoubleFactorial,
    /// n over k.
    Binomial,
    /// Permutations of k out of n.
    Permutations,
    Gcd,
    Lcm,
    Min,
    Max,
    /// Real part.
    Re,
    /// Imaginary part.
    Im,
    /// Complex conjugate.
    Conjugate,
    /// The sign: −1, 0 or 1.
    Sign,
    /// Greatest common remainder `a mod b`: argument, modulus.
    Mod,
    /// An angle given in degrees: one argument, its value in degrees.
    Degrees,
    /// Finite sum: index symbol (as `Expr::Symbol`), first, last, summand.
    FiniteSum,
    /// Finite product: index symbol, first, last, factor.
    FiniteProduct,
    /// An indefinite or definite integral, a derivative, a limit, or anything else that is kept as
    /// written: equal only to itself with equal arguments. The first argument is a symbol that
    /// names the operator.
    Opaque,
}

impl Number {
    /// An exact number.
    pub(crate) fn exact(value: RBig) -> Self {
        Self {
            value,
            written_digits: None,
        }
    }
}

impl Expr {
    /// A whole number.
    pub(crate) fn integer(value: i64) -> Self {
        Self::Number(Number::exact(RBig::from(value)))
    }

    /// A variable of that normalized name.
    pub(crate) fn symbol(name: &str) -> Self {
        Self::Symbol(Symbol(name.into()))
    }

    /// `-self`.
    pub(crate) fn negated(self) -> Self {
        match self {
            Self::Number(mut number) => {
                // A negative number stays one node: the quick paths for plain numbers look for a
                // node, not for a product by -1.
                number.value = -number.value;
                Self::Number(number)
            }
            other => Self::Product(vec![Self::integer(-1), other]),
        }
    }

    /// `self / divisor`, kept as a product with a power −1.
    pub(crate) fn over(self, divisor: Self) -> Self {
        Self::Product(vec![
            self,
            Self::Power(Box::new(divisor), Box::new(Self::integer(-1))),
        ])
    }
}
