//! `mwpbench data new`: the folder of a custom data set.

use std::path::PathBuf;

use dataset_loader::Benchmark;

use crate::exit::Outcome;
use crate::terminal;

/// Write the folder of a custom data set: a description with comments, two problems and a README.
///
/// It can be evaluated as it is: `mwpbench eval --data FOLDER`. Custom data sets are in no average.
#[derive(clap::Args)]
pub struct Args {
    /// Name of the set: a-z, 0-9 and _.
    #[arg(value_name = "NAME")]
    name: String,
    /// Folder in which the set's folder is made; the current one without it.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    #[command(flatten)]
    printing: terminal::PrintArgs,
}

pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let new = dataset_loader::new_set(
        &Benchmark::published(),
        &args.name,
        &args.dir.unwrap_or_default(),
    )?;
    args.printing.print(&new, || {
        let folder = new.folder.display();
        format!(
            "{folder} holds dataset.toml, example.jsonl and README.md\nedit them, then: mwpbench data stats --data {folder}\n"
        )
    })?;
    Ok(Outcome::Done)
}
