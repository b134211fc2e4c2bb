//! Pairs that are equal and pairs that are not, by stage; properties on random expressions; the
//! series.

mod infix;
mod pairs;
mod properties;
mod series;
