//! Tests of the scoring crate from outside.

mod fuzz;
mod properties;
mod recorded;
mod strict_properties;
mod verdicts;
