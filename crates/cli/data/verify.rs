//! `mwpbench data verify`: whether what was fetched is still the same.

use std::path::PathBuf;

use crate::exit::Outcome;
use crate::{data_folder, terminal};

/// Verify what was fetched: each file of the lock file must be there, with its checksum.
#[derive(clap::Args)]
pub struct Args {
    /// The folder that was fetched into; the data folder without it.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    #[command(flatten)]
    printing: terminal::PrintArgs,
}

pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let Some(folder) = args.data.or_else(data_folder::path) else {
        anyhow::bail!("this system names no data directory: give --data, or set MWPBENCH_HOME");
    };
    let verification = dataset_fetcher::verify(&folder)?;
    args.printing.print(&verification, || {
        reporting::verification_text(&verification, terminal::width())
    })?;
    Ok(match verification.is_good() {
        true => Outcome::Done,
        false => Outcome::CheckFailed,
    })
}
