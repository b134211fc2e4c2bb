//! Runs whose files do not agree with each other.

use std::path::Path;

use evaluation::{ComparedRun, ComparisonError};

use crate::exit;

/// Warns of a finished run whose verdicts or figures are not what the scorers say of its
/// completions: it was edited, or judged by another version.
pub fn warn(folder: &Path) {
    if let Err(error @ ComparisonError::Edited { .. }) = ComparedRun::open(folder) {
        eprintln!("warning: {}", exit::message(&error.into()));
    }
}
