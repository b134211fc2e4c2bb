//! The best of several runs, and what cannot be told from it.

use std::path::PathBuf;

use evaluation::{BestRun, ComparedRun, ComparisonSettings, RunFolder, Scorer};

use crate::terminal;

/// Prints the best of some finished runs, by paired comparison with the others; nothing of fewer
/// than two.
pub fn print(runs: &[PathBuf], scorer: Scorer, json: bool) -> anyhow::Result<()> {
    let mut compared = Vec::new();
    for run in runs {
        let step = RunFolder::open(run)?.manifest().training_step();
        compared.push((ComparedRun::open(run)?, step));
    }
    let settings = ComparisonSettings {
        scorer,
        ..ComparisonSettings::default()
    };
    match BestRun::of(&compared, &settings)? {
        None => Ok(()),
        Some(best) if json => terminal::print_json(&best),
        Some(best) => terminal::print(&reporting::best_text(&best, terminal::width())),
    }
}
