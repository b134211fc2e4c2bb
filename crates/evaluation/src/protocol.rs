//! The fixed points of the benchmark's protocol.
//! Source: microsoft/unilm, `mathscale/MWPBench/eval_vllm/driver.py`, commit 768a3c8.

use serde::{Deserialize, Serialize};

/// Most records of a task that the official driver evaluates. Only Ape210k (4,874 records) is above it, and the paper's
/// micro averages come out only with the cap.
pub const OFFICIAL_TASK_CAP: usize = 2000;

/// Most new tokens of a completion in the official protocol.
pub const MAX_TOKENS: usize = 2048;

/// The strings before which the official driver ends a completion.
pub const STOP_STRINGS: [&str; 11] = [
    "Question:",
    "Question",
    "USER:",
    "USER",
    "ASSISTANT:",
    "ASSISTANT",
    "Instruction:",
    "Instruction",
    "Response:",
    "Response",
    "</s>",
];

/// Which problems a run asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// The paper's: each task is cut to its first [`OFFICIAL_TASK_CAP`] records.
    #[default]
    Official,
    /// Every record.
    Full,
}

impl Protocol {
    /// Most records of a task, if there is a limit.
    pub fn task_cap(self) -> Option<usize> {
        match self {
            Self::Official => Some(OFFICIAL_TASK_CAP),
            Self::Full => None,
        }
    }

    /// Name in flags and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Official => "official",
            Self::Full => "full",
        }
    }
}
