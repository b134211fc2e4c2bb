//! `mwpbench merge`: the shards of a run become the run that one machine would have made.

use std::path::PathBuf;

use crate::eval::{print_run, told_outcome};
use crate::exit::Outcome;
use crate::{heading, terminal};

/// Put the shards of a run together: the folder then holds what one machine would have written.
///
/// Every shard must be there and finished; one that is not is named with the command that finishes
/// it. The shards stay as they are.
#[derive(clap::Args)]
pub struct Args {
    /// Folder that holds the shards of a run, or the folders of all its shards.
    #[arg(value_name = "DIR|SHARD", required = true)]
    shards: Vec<PathBuf>,
    /// Run folder to write.
    #[arg(long, value_name = "DIR", help_heading = heading::OUTPUT)]
    output_dir: PathBuf,
    /// Rows for the tasks of each set.
    #[arg(long, help_heading = heading::OUTPUT)]
    by_task: bool,
    #[command(flatten)]
    printing: terminal::PrintArgs,
}

pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let shards = evaluation::shard_folders(&args.shards)?;
    let run = evaluation::merge(&shards, &args.output_dir)?;
    if !args.printing.quiet {
        print_run(&run, args.printing.json, args.by_task)?;
    }
    Ok(told_outcome(&run))
}
