//! `mwpbench data path`: where the data folder is.

use anyhow::Context;
use serde_json::json;

use crate::exit::Outcome;
use crate::{data_folder, terminal};

/// Print the data folder, where problems come from without --data.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    printing: terminal::PrintArgs,
}

pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let folder =
        data_folder::path().context("this system names no data directory: set MWPBENCH_HOME")?;
    args.printing.print(
        &json!({ "path": folder, "exists": folder.is_dir() }),
        || format!("{}\n", folder.display()),
    )?;
    Ok(Outcome::Done)
}
