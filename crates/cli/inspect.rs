//! `mwpbench model`: what the program understands of a checkpoint.

use std::path::PathBuf;

use inference::Inspection;

use crate::exit::Outcome;
use crate::{model, screen};

/// Print what is understood of a checkpoint, and warn of what looks wrong with it.
///
/// Reads all weights. Exits 1 when the checkpoint is whole but cannot be run.
#[derive(clap::Args)]
pub struct Args {
    /// Checkpoint: a folder in Hugging Face layout, or `demo` for the embedded one.
    #[arg(value_name = "PATH|demo")]
    model: String,
    /// LoRA adapter to merge: a folder with adapter_config.json and adapter_model.safetensors.
    #[arg(long, value_name = "DIR")]
    adapter: Option<PathBuf>,
    #[command(flatten)]
    telling: screen::Telling,
}

pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let inspection = Inspection::of(&model::files(&args.model, args.adapter.as_deref())?)?;
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
