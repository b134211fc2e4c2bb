//! Where problems are looked for: `--data`, then the data folder, then the embedded samples.

use std::path::{Path, PathBuf};

use dataset_loader::{Benchmark, Data};
use etcetera::BaseStrategy;
use evaluation::Grader;

/// The published sets, and those of one's own in the place that [`load`] reads.
pub fn benchmark(given: Option<&Path>) -> anyhow::Result<Benchmark> {
    let published = Benchmark::published();
    let Some(place) = given.map(Path::to_path_buf).or_else(path) else {
        return Ok(published);
    };
    let own = dataset_loader::own_sets(&published, &place)?;
    let benchmark = published.with(own)?;
    Grader::check(&benchmark)?;
    Ok(benchmark)
}

/// The problems that a command works on.
pub fn load(benchmark: &Benchmark, given: Option<&Path>) -> anyhow::Result<Data> {
    if let Some(path) = given {
        return Ok(dataset_loader::load(benchmark, path)?);
    }
    match path() {
        // Training files, problems that wait for their translation and notes of what was fetched
        // are nothing to ask.
        Some(folder) if dataset_loader::holds_data(&folder) => {
            Ok(dataset_loader::load(benchmark, &folder)?)
        }
        _ => Ok(dataset_loader::samples(benchmark)),
    }
}

/// The folder `data` in [`home`].
pub fn path() -> Option<PathBuf> {
    Some(home()?.join("data"))
}

/// `$MWPBENCH_HOME`, else the folder `mwpbench` in the platform's data directory.
pub fn home() -> Option<PathBuf> {
    match std::env::var_os("MWPBENCH_HOME") {
        Some(home) if !home.is_empty() => Some(PathBuf::from(home)),
        _ => etcetera::choose_base_strategy()
            .ok()
            .map(|base| base.data_dir().join("mwpbench")),
    }
}
