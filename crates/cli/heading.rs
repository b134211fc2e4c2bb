//! Headings of `--help`, so that a flag stands under the same one in every command.

pub const PROJECT: &str = "Project";
pub const MODEL: &str = "Model";
pub const ENGINE: &str = "Engine";
pub const SERVER: &str = "Server";
pub const PROMPT: &str = "Prompt";
pub const DATA: &str = "Data";
pub const CONCEPTS: &str = "Concepts";
pub const CONTAMINATION: &str = "Contamination";
pub const DUPLICATES: &str = "Duplicates";
pub const RULES: &str = "Rules";
pub const VALIDATION: &str = "Validation";
pub const TRAINING: &str = "Training";
pub const SAMPLING: &str = "Sampling";
pub const LIST: &str = "List of items";
pub const SCORING: &str = "Scoring";
pub const OUTPUT: &str = "Output";
