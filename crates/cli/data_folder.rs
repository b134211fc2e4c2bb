//! Where problems come from: `--data`, then the data folder, then the bundled problems.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use dataset_loader::{Benchmark, Data, DataOrigin};
use etcetera::BaseStrategy;
use evaluation::Grader;

use crate::heading;

/// What `--data` says for the bundled problems.
pub const BUNDLED: &str = "bundled";

/// Where problems come from.
#[derive(clap::Args)]
#[command(next_help_heading = heading::DATA)]
pub struct DataArgs {
    /// Problems in MwpBench's record form: a file, or a folder of .jsonl/.json files; the data
    /// folder without it, and the bundled problems where that is empty. `bundled` names the bundled
    /// problems, which are not the benchmark.
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

    /// The same, and the bundled problems of further sets where nothing but bundled problems is at
    /// hand.
    pub fn load_all(&self, benchmark: &Benchmark) -> anyhow::Result<Data> {
        let data = self.load(benchmark)?;
        Ok(match data.origin {
            DataOrigin::Bundled => dataset_loader::all_bundled_problems(benchmark),
            DataOrigin::Files { .. } => data,
        })
    }

    /// The problems that something is compared with as "the test sets". The bundled problems are
    /// not these, and stand for them only where they are asked for.
    pub fn load_test_sets(&self, benchmark: &Benchmark) -> anyhow::Result<Data> {
        test_sets(benchmark, self.data.as_deref())
    }

    /// The file or folder: as given, else the data folder.
    pub fn place(&self) -> Option<PathBuf> {
        self.data.clone().or_else(path)
    }
}

/// The published sets, and the custom data sets in the place that [`load`] reads.
pub fn benchmark(given: Option<&Path>) -> anyhow::Result<Benchmark> {
    let published = Benchmark::published();
    if given.is_some_and(names_bundled) {
        return Ok(published);
    }
    let Some(place) = given.map(Path::to_path_buf).or_else(path) else {
        return Ok(published);
    };
    let custom = dataset_loader::custom_sets(&published, &place)?;
    let benchmark = published.with(custom)?;
    Grader::check(&benchmark)?;
    Ok(benchmark)
}

/// Whether `--data` asks for the bundled problems: a file or folder of that name comes first.
fn names_bundled(given: &Path) -> bool {
    given == Path::new(BUNDLED) && !given.exists()
}

/// The problems that something is compared with as "the test sets".
pub fn test_sets(benchmark: &Benchmark, given: Option<&Path>) -> anyhow::Result<Data> {
    let data = load(benchmark, given)?;
    if data.origin == DataOrigin::Bundled && given.is_none() {
        anyhow::bail!(
            "there are no test sets to compare with: the bundled problems are not the benchmark. Fetch the published sets (`mwpbench data fetch`) or name them with --data FILE|DIR; --data {BUNDLED} compares with the bundled problems all the same"
        );
    }
    Ok(data)
}

/// The problems that a command works on.
pub fn load(benchmark: &Benchmark, given: Option<&Path>) -> anyhow::Result<Data> {
    if given.is_some_and(names_bundled) {
        return Ok(dataset_loader::bundled_problems(benchmark));
    }
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

/// Whether every file is one of those that the benchmark's authors published, byte for byte.
pub fn is_published(benchmark: &Benchmark, origin: &DataOrigin) -> bool {
    let DataOrigin::Files { paths } = origin else {
        return false;
    };
    let sources = benchmark
        .sets()
        .iter()
        .filter_map(|set| set.source.as_ref());
    let published: BTreeSet<&str> = sources
        .filter_map(|source| source.git_blob.as_deref())
        .collect();
    let is_published = |path: &PathBuf| {
        std::fs::read(path).is_ok_and(|content| {
            published.contains(dataset_fetcher::git_blob_id(&content).as_str())
        })
    };
    !paths.is_empty() && paths.iter().all(is_published)
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
