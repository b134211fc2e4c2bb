//! Real numbers known up to an error: what the evaluation of expressions asks of an arithmetic.

use std::cmp::Ordering;

use dashu_int::IBig;
use dashu_ratio::RBig;

/// A real number with a bound on its error. Every operation returns a value whose bound covers the
/// exact result for all operands within their bounds, or `None` where there is no such value: a
/// pole, an overflow, or operands whose errors do not tell on which side of a singularity they lie.
pub(super) trait Real: Clone {
    /// Working precision, tables.
    type Context;

    /// How many nodes of an expression are visited for one step.
    const NODES_PER_STEP: u32;

    /// Steps for an addition or multiplication, where one is not free.
    fn operation_steps(context: &Self::Context) -> u32;
    /// Steps for a root, exponential, logarithm or circular function.
    fn function_steps(context: &Self::Context) -> u32;

    fn zero() -> Self;
    fn rational(value: &RBig, context: &mut Self::Context) -> Option<Self>;
    fn pi(context: &mut Self::Context) -> Option<Self>;

    fn add(&self, other: &Self, context: &mut Self::Context) -> Option<Self>;
    fn negated(&self) -> Self;
    fn multiply(&self, other: &Self, context: &mut Self::Context) -> Option<Self>;
    fn divide(&self, other: &Self, context: &mut Self::Context) -> Option<Self>;
    /// The non-negative root of that index of a value that is not negative; where zero lies within
    /// the error, so does it for the result.
    fn root(&self, index: u32, context: &mut Self::Context) -> Option<Self>;
    fn exp(&self, context: &mut Self::Context) -> Option<Self>;
    /// Natural logarithm of a positive value.
    fn ln(&self, context: &mut Self::Context) -> Option<Self>;
    fn sin_cos(&self, context: &mut Self::Context) -> Option<(Self, Self)>;
    fn arctan(&self, context: &mut Self::Context) -> Option<Self>;

    /// Whether it is zero without error.
    fn is_zero(&self) -> bool;
    /// Its order to zero; `None` where the error does not tell.
    fn sign(&self) -> Option<Ordering>;
    /// The same value with an error increased by the magnitude of `other`.
    fn blurred(&self, other: &Self) -> Self;
    /// The one integer within its error, where that error is small.
    fn integer(&self) -> Option<IBig>;
    /// The greatest integer not above it. A value that cannot be told from an integer at a small
    /// error counts as that integer.
    fn floor(&self) -> Option<IBig>;
    /// The nearest machine number to the middle.
    fn to_f64(&self) -> f64;
}

/// What two values with errors say about being equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    /// Their errors do not bridge the difference: they are different.
    Different,
    /// No difference, and the errors are below the bound that was asked for.
    Equal,
    /// The errors are too large to tell.
    Unknown,
}
