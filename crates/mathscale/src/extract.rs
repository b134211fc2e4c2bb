//! Seeds → topics and knowledge points (paper, section 3.1).
//!
//! Concepts come from annotations that a file carries, or from a model. Either way their names are
//! settled afterwards: spellings put together, near-duplicates merged where that is asked for, and
//! what a single seed names taken out.

mod annotation; // a record that says its concepts
mod by_model; // a model names them
mod folding; // keys under which near-duplicates are the same
mod prompt; // what the model is asked
mod reply; // what it says
mod report; // concepts.json
mod seeds; // questions of a file
mod settle; // names put together, singletons taken out
mod stage; // mwpbench mathscale extract
mod tal; // TAL-SCQ5K records

pub use by_model::{ModelPlan, extract_by_model};
pub use report::{ConceptReport, KindReport, Merge, MergeRule, Spelling};
pub use seeds::read_seeds;
pub use settle::{Merging, Settling};
pub use stage::{AnnotationPlan, ExtractOutcome, extract_from_annotations};

use crate::concept::{self, NameFault};
use crate::records::Seed;

/// Most concepts of a kind that an item may name: every two of them are joined, so that a list of
/// thousands is a mistake.
const MOST_CONCEPTS: usize = 64;

/// A seed with the concepts that somebody named, not settled yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) seed: Seed,
    pub(crate) topics: Vec<Name>,
    pub(crate) knowledge_points: Vec<Name>,
}

/// A name as it was found and as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) found: String,
    pub(crate) written: String,
}

/// The names of one kind.
///
/// # Errors
/// Why the item cannot be used.
pub(crate) fn names(found: Vec<String>, kind: &str) -> Result<Vec<Name>, String> {
    if found.len() > MOST_CONCEPTS {
        return Err(format!(
            "{} {kind}s, of which {MOST_CONCEPTS} are allowed",
            found.len()
        ));
    }
    let name = |found: String| match concept::written(&found) {
        Ok(written) => Ok(Name { found, written }),
        Err(NameFault::Blank) => Err(format!("a {kind} without a name")),
        Err(fault) => Err(format!("the {kind} \"{}\": {fault}", fault.shown(&found))),
    };
    found.into_iter().map(name).collect()
}
