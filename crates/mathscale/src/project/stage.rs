//! The stages, in their order, and how far one can be.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::manifest::StageRecord;

/// A stage of the pipeline, named as its subcommand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Seeds to their concepts.
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

    /// Name of the subcommand.
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
                "seeds.jsonl",
                "extractions.jsonl",
                "concepts.json",
                "extract.set-aside.jsonl",
                "extract.job.json",
                "extract.replies.jsonl",
            ],
            Self::Graph => &["graph.json"],
            Self::Compose => &["compositions.jsonl"],
            Self::Generate => &[
                "pairs.jsonl",
                "generate.set-aside.jsonl",
                "generate.job.json",
                "generate.replies.jsonl",
            ],
            Self::Validate => &[
                "validated.jsonl",
                "validate.set-aside.jsonl",
                "validate.json",
                "validate-reference.job.json",
                "validate-reference.replies.jsonl",
                "validate-judgement.job.json",
                "validate-judgement.replies.jsonl",
                "validate-samples.job.json",
                "validate-samples.replies.jsonl",
            ],
            Self::Screen => &["screened.jsonl", "screen.removed.jsonl", "screen.json"],
            Self::Export => &["export"],
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How far a stage is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StageState {
    /// Never begun.
    NotRun,
    /// Begun and not run to its end.
    Unfinished,
    /// Run to its end.
    Done,
    /// Run to its end, with an input that has changed since.
    Stale {
        /// Name of the file.
        input: String,
    },
    /// Run to its end, and a file of it is gone.
    Lost {
        /// Name of the file.
        file: String,
    },
}

/// A stage of a project.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StageStatus {
    /// The stage.
    pub stage: Stage,
    /// How far it is.
    pub state: StageState,
    /// What the manifest holds of it, where it was begun.
    pub record: Option<StageRecord>,
}
