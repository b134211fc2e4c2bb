//! `--tasks` with suites: those of the program, and those of `mwpbench.toml`.

use std::path::Path;

use dataset_loader::Benchmark;
use evaluation::Suites;

/// Where suites of one's own are named, in the folder that a command runs in.
const CONFIG: &str = "mwpbench.toml";

/// All suites that names may stand for.
pub fn suites(benchmark: &Benchmark) -> anyhow::Result<Suites> {
    let known = Suites::known(benchmark);
    let file = Path::new(CONFIG);
    match file.is_file() {
        true => Ok(known.with_file(benchmark, file)?),
        false => Ok(known),
    }
}
