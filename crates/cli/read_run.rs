//! A run with everything that its folder holds, as commands read it that show or hand on its items.

use std::path::Path;

use evaluation::{Grader, RunFolder, SoFar};

use crate::{edited, grading};

/// A run as far as it went.
pub struct ReadRun {
    pub folder: RunFolder,
    /// The scorers that judged it.
    pub grader: Grader,
    pub so_far: SoFar,
    /// Whether its summary was there.
    has_summary: bool,
}

/// Reads a run, with a warning where its files do not agree with each other.
pub fn read_run(path: &Path) -> anyhow::Result<ReadRun> {
    let folder = RunFolder::open(path)?;
    edited::warn(path);
    let benchmark = folder.benchmark()?;
    // The profile that judged stands in the summary of a finished run.
    let summary = folder.summary().ok();
    let has_summary = summary.is_some();
    let profile = summary.and_then(|summary| summary.strict_profile);
    let grader = grading::grader(&benchmark, profile.as_deref())?;
    let so_far = evaluation::so_far(&benchmark, &grader, &folder)?;
    Ok(ReadRun {
        folder,
        grader,
        so_far,
        has_summary,
    })
}

impl ReadRun {
    /// Whether completions, verdicts or the summary are missing.
    pub fn is_unfinished(&self) -> bool {
        !self.has_summary || self.so_far.verdicts.len() < self.so_far.expected
    }
}
