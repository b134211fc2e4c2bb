//! A run folder or a baseline file → a run to compare.

use std::path::Path;

use crate::baseline::Baseline;
use crate::comparison::{ComparedRun, ComparisonError};

impl ComparedRun {
    /// Reads a run folder, or a baseline file. A run is judged again, so that both sides of a
    /// comparison are judged by the same rules, and what its files say must agree with that.
    ///
    /// # Errors
    /// Nothing there, a folder that holds no whole run, files that were edited or damaged, a run
    /// without items.
    pub fn open(path: &Path) -> Result<Self, ComparisonError> {
        match path.metadata() {
            Ok(metadata) if metadata.is_dir() => Self::of_folder(path),
            Ok(_) => Baseline::read(path)?.into_run(path),
            Err(_) => Err(ComparisonError::NotThere(path.to_path_buf())),
        }
    }
}
