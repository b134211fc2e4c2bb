//! The arithmetic: every number that the model computes comes from here.
//!
//! Each output element is reduced in an order fixed by its own row, never by how many rows travel
//! together, how they are cut into blocks, or how many threads share them. A completion is
//! therefore the same bit for bit in any batch.
//!
//! [`arithmetic`] is the inner step, 16 sums at a time, in every instruction set; [`dispatch`]
//! picks one at run time; [`product`] and [`attend`] are the two computations that take the time,
//! [`elementwise`] the rest.

pub(crate) mod arithmetic;
pub(crate) mod attend;
pub(crate) mod dispatch;
pub(crate) mod elementwise;
pub(crate) mod memory;
pub(crate) mod product;
pub(crate) mod quantized;

pub(crate) use arithmetic::Precision;
pub(crate) use dispatch::InstructionSet;
pub(crate) use memory::Shared;
pub(crate) use product::{Matrix, WeightFormat, WeightRows};
pub(crate) use quantized::write_q8_0;

use crate::threads::Threads;

/// What computes, and how.
#[derive(Debug)]
pub(crate) struct Compute {
    pub(crate) threads: Threads,
    pub(crate) set: InstructionSet,
    pub(crate) precision: Precision,
}
