//! Compositions to pairs of question and solution: `compositions.jsonl` → `pairs.jsonl`.
//!
//! The prompt names the topics and the knowledge points of a composition and shows the seeds whose
//! knowledge points are nearest to them. Replies are read tolerantly; one that cannot be read is
//! asked again with the reason, and set aside in the end. Everything that was said is kept in a
//! journal, so that a run goes on where it was stopped and nothing is paid for twice.

mod compositions; // all of them, in little memory
mod nearest; // the seeds nearest to a composition
mod price; // what tokens cost
mod prompt; // what the model reads
mod response; // reply → question and solution
mod stage; // mwpbench mathscale generate

pub use nearest::{Lookup, NearestSeeds};
pub use price::{Cost, Price, Prices};
pub use response::{Written, parse_response};
pub use stage::{GenerateOutcome, GeneratePlan, GenerationEstimate, estimate_generation, generate};
pub(crate) use stage::{decoding_options, no_failures, tally_counts};
