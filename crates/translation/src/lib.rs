//! Chinese problems → English ones, through any `Generator`.
//!
//! The paper asks Math23k, Ape210k, GAOKAO-Bench and AGIEval-Gaokao in English, translated by a
//! language model with formulas and numbering kept (appendix A of arXiv:2403.02884). In go records
//! that wait in the folder `untranslated` of the data folder; out come records that can be asked,
//! with their source text kept. A translation is accepted only where it can be [checked](check): no
//! Chinese is left, every formula is there, every number is there and no other is.
//!
//! This crate refuses to know models, scores and prompt templates.

mod check; // is this a translation of that?
mod error; // what can stop it
mod formulas; // formulas, in a form that can be compared
mod numbers; // numbers, in digits and in words
mod reply; // reply of a model → the translation in it
mod translate; // from a file to a file
mod wording; // what the model is asked

pub use check::check;
pub use error::Error;
pub use translate::{RejectedProblem, Translated, TranslationPlan, translate};
