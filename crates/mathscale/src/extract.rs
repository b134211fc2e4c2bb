//! Concept extraction: seed questions → topics and knowledge points (paper, section 3.1).
//!
//! Concepts come from annotations that a file carries, or from a model. Either way their names are
//! merged afterwards: one canonical name for what differs in case or punctuation, plurals merged
//! where that is asked for, and concepts of a single seed removed.

mod annotation; // a record with its concepts
mod by_model; // concepts named by a model
mod estimate; // tokens, before anything is asked
mod fields; // fields of a record
mod merge; // names merged, singletons removed
mod plurals; // keys under which singular and plural are equal
mod prompt; // what the model is asked
mod reply; // its reply → concepts
mod report; // concepts.json, and the options of merging
mod seeds; // seed questions of a file
mod stage; // mwpbench mathscale extract
mod tal; // TAL-SCQ5K records

pub use by_model::{ModelPlan, extract_by_model};
pub use estimate::estimate_extraction;
pub use prompt::{ReplyForm, concept_schema};
pub use report::{
    CanonicalName, ConceptReport, KindReport, Merge, MergeMode, MergeOptions, MergeRule,
};
pub use seeds::read_seeds;
pub use stage::{AnnotationPlan, ExtractOutcome, extract_from_annotations};

use crate::concept::{self, NameFault};
use crate::records::Seed;

/// Concepts of a kind that a seed may have: every two of them are joined, so that a list of
/// thousands is a mistake.
const MAX_CONCEPTS: usize = 64;

/// A seed with its concepts, their names not merged yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SeedConcepts {
    pub(crate) seed: Seed,
    pub(crate) topics: Vec<Name>,
    pub(crate) knowledge_points: Vec<Name>,
}

/// A name as it was found, and its canonical form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) raw: String,
    pub(crate) canonical: String,
}

/// The names of one kind.
///
/// # Errors
/// Why the seed cannot be used.
pub(crate) fn names(raw: Vec<String>, kind: &str) -> Result<Vec<Name>, String> {
    if raw.len() > MAX_CONCEPTS {
        return Err(format!(
            "{} {kind}s, of which {MAX_CONCEPTS} are allowed",
            raw.len()
        ));
    }
    let name = |raw: String| match concept::canonical(&raw) {
        Ok(canonical) => Ok(Name { raw, canonical }),
        Err(NameFault::Blank) => Err(format!("a {kind} without a name")),
        Err(fault) => Err(format!("the {kind} \"{}\": {fault}", fault.excerpt(&raw))),
    };
    raw.into_iter().map(name).collect()
}

#[cfg(test)]
pub(crate) fn reply_fault(text: &str) -> String {
    reply::parse(text).unwrap_err()
}
