//! Where problems are looked for: `--data`, then the data folder, then the embedded samples.

use std::path::{Path, PathBuf};

use dataset_loader::{Benchmark, Data};
use etcetera::BaseStrategy;

/// The problems that a command works on.
pub fn load(benchmark: &Benchmark, given: Option<&Path>) -> anyhow::Result<Data> {
    if let Some(path) = given {
        return Ok(dataset_loader::load(benchmark, path)?);
    }
    match path() {
        Some(folder) if has_entries(&folder) => Ok(dataset_loader::load(benchmark, &folder)?),
        _ => Ok(dataset_loader::samples(benchmark)),
    }
}

/// `$MWPBENCH_HOME/data`, else the folder `mwpbench/data` in the platform's data directory.
pub fn path() -> Option<PathBuf> {
    match std::env::var_os("MWPBENCH_HOME") {
        Some(home) if !home.is_empty() => Some(PathBuf::from(home).join("data")),
        _ => etcetera::choose_base_strategy().ok().map(|base| base.data_dir().join("mwpbench").join("data")),
    }
}

fn has_entries(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some())
}
