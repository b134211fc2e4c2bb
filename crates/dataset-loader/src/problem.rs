//! One word problem.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A word problem with its reference, ready to be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Problem {
    /// Unique in its data: `task/number`, see `datasets/README.md`.
    pub id: String,
    /// Name of the set it belongs to, such as `gsm8k`.
    pub set: String,
    /// Name of the task it belongs to, such as `MATH.Algebra`.
    pub task: String,
    /// The question as given, never blank.
    pub question: String,
    /// The data set's answer as given, never blank.
    pub reference: String,
}
