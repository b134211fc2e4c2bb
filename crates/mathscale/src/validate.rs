//! Validation: whether solutions are right, as a model judges: `pairs.jsonl` → `validated.jsonl`.
//! Optional, as in the paper, where it brought no gain.
//!
//! Two ways. By reference, as the paper does it: a second generator solves each question, then
//! judges the pair's solution against its own. Or by self-consistency, which needs no second model
//! and no judge: several solutions are drawn, and the answer that most of them reach, equal answers
//! grouped by the strict scorer, counts as right. A solution that is wrong by that is replaced,
//! dropped or kept.
//!
//! Pairs are read as they are needed, and judged and written a thousand at a time.

mod consistency; // several solutions, and the answer of most
mod estimate; // tokens, before anything is asked
mod judgement; // how pairs are judged, and what a judgement says
mod pairs; // the pairs by their numbers
mod prompt; // what the model reads
mod reference; // a reference solution, and a judgement
mod report; // the figures
mod stage; // mwpbench mathscale validate

pub use estimate::estimate_validation;
pub use judgement::{OnWrong, ValidationMethod};
pub use report::{ConceptAgreement, JudgeAndScorer, ValidationReport};
pub use stage::{ValidateOutcome, ValidatePlan, validate};

#[cfg(test)]
pub(crate) fn solution_fault(text: &str) -> String {
    prompt::check_solution(text).unwrap_err()
}

#[cfg(test)]
pub(crate) fn verdict_fault(text: &str) -> String {
    prompt::parse_verdict(text).unwrap_err()
}
