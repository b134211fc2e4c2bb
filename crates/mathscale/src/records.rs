//! What a line of each file of a project holds, as JSON.

use serde::{Deserialize, Serialize};

/// A line of `seeds.jsonl`: a seed question, from which concepts and few-shot examples come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seed {
    /// Unique in the project.
    pub id: String,
    /// The question.
    pub question: String,
    /// The answer, worked or bare; empty where the source has none.
    pub answer: String,
    /// A worked solution, where the source has one beside the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub solution: Option<String>,
}

impl Seed {
    /// The worked solution, else the answer; may be empty.
    pub(crate) fn worked_solution(&self) -> &str {
        self.solution.as_deref().unwrap_or(&self.answer)
    }
}

/// A line of `extractions.jsonl`: the concepts of a seed by their canonical names, those of a
/// single seed removed. Lists are sorted, hold no name twice and may be empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extraction {
    /// The seed's id.
    pub id: String,
    /// Subjects or chapters.
    pub topics: Vec<String>,
    /// Fine-grained knowledge points.
    pub knowledge_points: Vec<String>,
}

/// A line of `compositions.jsonl`: concepts to make a new question of. Lists are sorted by bytes
/// and hold no name twice; each has at least one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Composition {
    /// Subjects or chapters, at most 3.
    pub topics: Vec<String>,
    /// Fine-grained knowledge points, at most 5.
    pub knowledge_points: Vec<String>,
}

/// A line of a stage's file of rejected items, such as `extract.set-aside.jsonl`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rejected {
    /// Id of the item.
    pub id: String,
    /// Where it stands in its file (`line 12`), where it came from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Why it could not be used.
    pub reason: String,
}
