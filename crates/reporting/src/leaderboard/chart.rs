//! The two charts.

pub(crate) mod bars; // accuracy in each column, a colour a model
pub(crate) mod scaling; // accuracy against training size
mod svg; // shapes and texts, readable on light and dark pages
