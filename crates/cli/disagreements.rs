//! `mwpbench disagreements`: where the two scorers differ in a run.

use std::path::PathBuf;

use evaluation::{Disagreements, RunFolder};

use crate::exit::Outcome;
use crate::{edited, terminal};

/// List the items on which the official and the strict scorer differ, grouped by the rules that
/// made the difference.
#[derive(clap::Args)]
pub struct Args {
    /// Folder of a finished run.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let folder = RunFolder::open(&args.run)?;
    edited::warn(&args.run);
    let verdicts = folder.verdicts()?;
    let found = Disagreements::of(&verdicts);
    match args.json {
        true => terminal::print_json(&found)?,
        false => terminal::print(&reporting::disagreements_text(
            &found,
            &folder.problems()?,
            &verdicts,
        ))?,
    }
    Ok(Outcome::Done)
}
