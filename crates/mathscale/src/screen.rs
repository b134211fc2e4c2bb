//! Which pairs may be trained on: `pairs.jsonl` or `validated.jsonl` → `screened.jsonl`.
//!
//! A pair is looked at in this order, and the first thing that is wrong with it removes it:
//! malformed, too long, without a final answer, contaminated by a test item, a copy of a seed, the
//! same as or nearly the same as a pair that was kept before. Pairs are streamed; what is kept in
//! memory of each kept one is its id and the fingerprint of its question.

mod report; // what was removed, counted
mod rules; // what can be seen from a pair alone
mod stage; // mwpbench mathscale screen

pub use report::{RemovalReason, Removed, ScreenReport, TestItems};
pub use rules::ScreenRules;
pub(crate) use stage::read_report;
pub use stage::{ScreenOutcome, ScreenPlan, screen};
