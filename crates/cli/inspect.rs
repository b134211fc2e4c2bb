//! `mwpbench model`: what the program understands of a checkpoint.

use inference::Inspection;

use crate::exit::Outcome;
use crate::{model, screen};

/// Print what is understood of a checkpoint, and warn of what looks wrong with it.
///
/// Reads all weights. Exits 1 when the checkpoint is whole but cannot be run.
#[derive(clap::Args)]
pub struct Args {
    /// Checkpoint: a folder in Hugging Face layout, a GGUF file, or `demo` for the embedded one.
    #[arg(value_name = "PATH|demo")]
    model: String,
    #[command(flatten)]
    extras: model::Extras,
    #[command(flatten)]
    telling: screen::Telling,
}

pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let inspection = Inspection::of(&args.extras.with(&args.model)?)?;
    args.telling.tell(&inspection, || text(&inspection))?;
    Ok(if inspection.faults.is_empty() { Outcome::Done } else { Outcome::CheckFailed })
}

fn text(inspection: &Inspection) -> String {
    let width = inspection.facts.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let facts = inspection.facts.iter().map(|(name, fact)| format!("{name:width$}  {fact}\n"));
    let warnings = inspection.warnings.iter().map(|warning| format!("warning: {warning}\n"));
    let faults = inspection.faults.iter().map(|fault| format!("cannot be run: {fault}\n"));
    facts.chain(warnings).chain(faults).collect()
}
