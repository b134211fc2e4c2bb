//! Where problems come from: `--data`, then the data folder, then the bundled problems.

use std::path::{Path, PathBuf};

use dataset_loader::{Benchmark, Data};
use etcetera::BaseStrategy;
use evaluation::Grader;

use crate::heading;

/// Where problems come from.
#[derive(clap::Args)]
#[command(next_help_heading = heading::DATA)]
pub struct DataArgs {
    /// Problems in MwpBench's record form: a file, or a folder of .jsonl/.json files; the data
    /// folder without it, and the bundled problems where that is empty.
    #[arg(long, env = "MWPBENCH_DATA", value_name = "FILE|DIR")]
    data: Option<PathBuf>,
}

impl DataArgs {
    /// The published sets, and the custom data sets in the place that [`Self::load`] reads.
    pub fn benchmark(&self) -> anyhow::Result<Benchmark> {
        benchmark(self.data.as_deref())
    }

    /// The problems that a command works on.
    pub fn load(&self, benchmark: &Benchmark) -> anyhow::Result<Data> {
        load(benchmark, self.data.as_deref())
    }

    /// The file or folder: as given, else the data folder.
    pub fn place(&self) -> Option<PathBuf> {
        self.data.clone().or_else(path)
    }
}

/// The published sets, and the custom data sets in the place that [`load`] reads.
pub fn benchmark(given: Option<&Path>) -> anyhow::Result<Benchmark> {
    let published = Benchmark::published();
    let Some(place) = given.map(Path::to_path_buf).or_else(path) else {
        return Ok(published);
    };
    let custom = dataset_loader::custom_sets(&published, &place)?;
    let benchmark = published.with(custom)?;
    Grader::check(&benchmark)?;
    Ok(benchmark)
}

/// The problems that a command works on.
pub fn load(benchmark: &Benchmark, given: Option<&Path>) -> anyhow::Result<Data> {
    if let Some(path) = given {
        return Ok(dataset_loader::load(benchmark, path)?);
    }
    match path() {
        // A folder with nothing but training files, problems that wait for their translation and
        // records of fetches holds no problem to ask.
        Some(folder) if dataset_loader::holds_data(&folder) => {
            Ok(dataset_loader::load(benchmark, &folder)?)
        }
        _ => Ok(dataset_loader::bundled_problems(benchmark)),
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
