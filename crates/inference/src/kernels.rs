//! The arithmetic: every number that the model computes comes from here.
//!
//! Each output element is reduced in an order fixed by its own row, never by how many rows are
//! computed together, how they are cut into tiles, or how many threads share them. A completion is
//! therefore the same bit for bit in any batch.
//!
//! [`arithmetic`] and [`bytes`] are the inner step, 16 sums at a time, in every instruction set;
//! [`dispatch`] picks one at run time; [`product`], [`quantized`] and [`attend`] are the
//! computations that take the time, [`elementwise`] the rest. Each file uses only those above it.

pub(crate) mod arithmetic; // sums of floating-point products
pub(crate) mod buffer; // memory
pub(crate) mod bytes; // sums of products of 8-bit integers
pub(crate) mod elementwise; // norms, activations, exponentials
pub(crate) mod q8_blocks; // blocks of 8-bit integers
pub(crate) mod weight_format; // how a matrix is stored

pub(crate) mod dispatch; // one instruction set at run time
pub(crate) mod matrix; // rows and panels of weights
pub(crate) mod packing; // tiles of rows, panels for threads

pub(crate) mod attend; // attention over the KV cache
pub(crate) mod product; // rows by a matrix
pub(crate) mod quantized; // rows by a matrix of 8-bit integers

pub(crate) use arithmetic::Precision;
pub(crate) use buffer::Shared;
pub(crate) use dispatch::InstructionSet;
pub(crate) use matrix::{Matrix, WeightRows};
pub(crate) use q8_blocks::write_q8_0;
pub(crate) use weight_format::WeightFormat;

use crate::threads::Threads;

/// The threads that compute, and with which instructions and precision.
#[derive(Debug)]
pub(crate) struct Compute {
    pub(crate) threads: Threads,
    pub(crate) set: InstructionSet,
    pub(crate) precision: Precision,
}
