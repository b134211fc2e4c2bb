//! What the stage is to do.

use super::formats::ExportFormat;
use super::mix::Mix;

/// What the stage is to do.
#[derive(Clone, Debug, PartialEq)]
pub struct ExportPlan {
    /// Which formats; an empty list means all.
    pub formats: Vec<ExportFormat>,
    /// Share of the records that is held out for validation, at least 0 and below 1.
    pub validation_share: f64,
    /// Random seed of order, split and draws from other files.
    pub seed: u64,
    /// Files that are mixed in.
    pub mix: Vec<Mix>,
    /// Title of the data card.
    pub title: String,
    /// Licence as Hugging Face names it, such as `cc-by-4.0`; `other` where nothing is known.
    pub license: String,
    /// Replace what the project has of it.
    pub fresh: bool,
}

impl Default for ExportPlan {
    fn default() -> Self {
        Self {
            formats: Vec::new(),
            validation_share: 0.0,
            seed: 0,
            mix: Vec::new(),
            title: "MathScale training data".to_string(),
            license: "other".to_string(),
            fresh: false,
        }
    }
}

impl ExportPlan {
    /// The formats, each once, in their order.
    pub(crate) fn all_formats(&self) -> Vec<ExportFormat> {
        if self.formats.is_empty() {
            return ExportFormat::ALL.to_vec();
        }
        let mut formats = self.formats.clone();
        formats.sort_unstable();
        formats.dedup();
        formats
    }
}
