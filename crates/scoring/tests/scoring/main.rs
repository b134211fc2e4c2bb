//! Tests of the scoring crate from outside.

mod cases;
mod properties;
mod recorded;
mod verdicts;
