//! Compositions to pairs of question and solution: `compositions.jsonl` → `pairs.jsonl`.
//!
//! The prompt names the topics and the knowledge points of a composition and has as few-shot
//! examples the seeds whose knowledge points are nearest to them. A reply that cannot be parsed is
//! asked again with the reason, and rejected in the end. Every reply is kept in a journal, so that
//! a run goes on where it was stopped and nothing is paid for twice.

mod compositions; // all of them, in little memory
mod estimate; // tokens, before anything is asked
mod nearest; // the seeds nearest to a composition
mod prompt; // what the model reads
mod reply; // reply → question and solution
mod stage; // mwpbench mathscale generate
mod task; // the compositions as items of a job

pub use estimate::estimate_generation;
pub use nearest::{Lookup, NearestSeeds};
pub use reply::{QuestionAndSolution, parse_reply};
pub use stage::{GenerateOutcome, generate};
pub use task::GeneratePlan;
