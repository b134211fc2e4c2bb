//! Pairs that are equal and pairs that are not, by stage; and properties on random expressions.

mod infix;
mod pairs;
mod properties;
