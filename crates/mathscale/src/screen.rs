//! Which pairs may be trained on: `pairs.jsonl` or `validated.jsonl` → `screened.jsonl`.
//!
//! A pair is checked in this order, and the first thing that is wrong with it removes it:
//! malformed, too long, without a final answer, contaminated by a test item (decontamination), a
//! copy of a seed, a duplicate or near-duplicate of a pair that was kept before. Pairs are streamed;
//! the memory holds the id of each kept one and the fingerprint of its question.

mod reason; // why a pair is removed
mod report; // what was removed, counted
mod rules; // what can be decided from a pair alone
mod stage; // mwpbench mathscale screen

pub use reason::RemovalReason;
pub use report::{Removed, ScreenReport, TestItems, Tests};
pub use rules::ScreenRules;
pub(crate) use stage::read_report;
pub use stage::{ScreenOutcome, ScreenPlan, screen};
