//! Whether solutions are right, as far as a model can tell: `pairs.jsonl` → `validated.jsonl`.
//! Optional, as in the paper, where it brought no gain.
//!
//! Two ways. By reference, as the paper does it: a second generator solves each question, then
//! judges the pair's solution against its own. Or by self-consistency, which needs no second model
//! and no judge: several solutions are drawn, and the answer that most of them reach, equal answers
//! put together by the strict scorer, is taken for the right one. A solution that is wrong by that
//! is replaced, dropped or kept.
//!
//! All pairs are held in memory meanwhile.

mod consistency; // several solutions, and what most of them say
mod prompt; // what the model reads
mod reference; // a reference solution, and a judgement
mod report; // the figures
mod stage; // mwpbench mathscale validate

pub use report::{ConceptAgreement, JudgeAndScorer, ValidationReport};
pub use stage::{OnWrong, ValidateOutcome, ValidatePlan, ValidationMethod, validate};
