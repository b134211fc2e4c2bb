//! The strict scorer: what a careful mathematician would say.

mod budget;
mod equivalence;
mod expr;
mod extraction;
mod parser;
mod show;
mod value;
