//! Tests of the scoring crate from outside.

mod fuzz;
mod properties;
mod questions;
mod recorded;
mod spans;
mod strict_properties;
mod thoughts;
mod verdicts;
