//! The stages, in their order, and the files of each.

use std::fmt;

use serde::{Deserialize, Serialize};

pub(crate) const SEEDS: &str = "seeds.jsonl";
pub(crate) const EXTRACTIONS: &str = "extractions.jsonl";
pub(crate) const CONCEPTS: &str = "concepts.json";
pub(crate) const EXTRACT_REJECTED: &str = "extract.set-aside.jsonl";
pub(crate) const GRAPH: &str = "graph.json";
pub(crate) const COMPOSITIONS: &str = "compositions.jsonl";
pub(crate) const PAIRS: &str = "pairs.jsonl";
pub(crate) const GENERATE_REJECTED: &str = "generate.set-aside.jsonl";
pub(crate) const VALIDATED: &str = "validated.jsonl";
pub(crate) const VALIDATE_REJECTED: &str = "validate.set-aside.jsonl";
pub(crate) const VALIDATE_REPORT: &str = "validate.json";
pub(crate) const SCREENED: &str = "screened.jsonl";
pub(crate) const REMOVED: &str = "screen.removed.jsonl";
pub(crate) const SCREEN_REPORT: &str = "screen.json";
pub(crate) const EXPORT_FOLDER: &str = "export";

/// A stage of the pipeline, named as its subcommand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Seed questions to their concepts.
    Extract,
    /// Concepts to the graph.
    Graph,
    /// Graph to compositions.
    Compose,
    /// Compositions to pairs of question and solution.
    Generate,
    /// Pairs judged by another generator.
    Validate,
    /// Pairs that may be trained on.
    Screen,
    /// Training files.
    Export,
}

impl Stage {
    /// All of them, in order.
    pub const ALL: [Self; 7] = [
        Self::Extract,
        Self::Graph,
        Self::Compose,
        Self::Generate,
        Self::Validate,
        Self::Screen,
        Self::Export,
    ];

    /// Its name in files, messages and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Extract => "extract",
            Self::Graph => "graph",
            Self::Compose => "compose",
            Self::Generate => "generate",
            Self::Validate => "validate",
            Self::Screen => "screen",
            Self::Export => "export",
        }
    }

    /// Files and folders that it may leave in the project, finished or not.
    pub(crate) fn files(self) -> &'static [&'static str] {
        match self {
            Self::Extract => &[
                SEEDS,
                EXTRACTIONS,
                CONCEPTS,
                EXTRACT_REJECTED,
                "extract.job.json",
                "extract.replies.jsonl",
            ],
            Self::Graph => &[GRAPH],
            Self::Compose => &[COMPOSITIONS],
            Self::Generate => &[
                PAIRS,
                GENERATE_REJECTED,
                "generate.job.json",
                "generate.replies.jsonl",
            ],
            Self::Validate => &[
                VALIDATED,
                VALIDATE_REJECTED,
                VALIDATE_REPORT,
                "validate-reference.job.json",
                "validate-reference.replies.jsonl",
                "validate-judgement.job.json",
                "validate-judgement.replies.jsonl",
                "validate-samples.job.json",
                "validate-samples.replies.jsonl",
            ],
            Self::Screen => &[SCREENED, REMOVED, SCREEN_REPORT],
            Self::Export => &[EXPORT_FOLDER],
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
