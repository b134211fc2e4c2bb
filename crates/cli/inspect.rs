//! `mwpbench inspect`: what the program understands of a checkpoint.

use std::path::Path;

use fault::{Class, Fault};
use inference::Inspection;

use crate::exit::{self, Outcome};
use crate::{checkpoint, screen};

/// Print what is understood of a checkpoint, and warn of what looks wrong with it.
///
/// Reads all weights. Exits 1 when the checkpoint is whole but cannot be run. Of a GGUF file that
/// is refused, what it says of itself is printed before the refusal.
#[derive(clap::Args)]
pub struct Args {
    /// Checkpoint: a folder in Hugging Face layout, a GGUF file, or `demo` for the embedded one.
    #[arg(value_name = "PATH|demo")]
    model: String,
    #[command(flatten)]
    extras: checkpoint::Extras,
    #[command(flatten)]
    telling: screen::Telling,
}

pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let inspected = args
        .extras
        .with(&args.model)
        .and_then(|files| Ok(Inspection::of(&files)?));
    let inspection = match inspected {
        Ok(inspection) => inspection,
        Err(refusal) => {
            // A flag that cannot be meant says nothing of the file.
            let of_files = refusal
                .downcast_ref::<inference::Error>()
                .is_some_and(|error| error.class() == Class::Integrity);
            let told = Inspection::of_refused(Path::new(&args.model), &exit::message(&refusal));
            if let Some(told) = told.filter(|_| of_files) {
                args.telling.tell(&told, || facts(&told))?;
            }
            return Err(refusal);
        }
    };
    args.telling.tell(&inspection, || text(&inspection))?;
    Ok(if inspection.faults.is_empty() {
        Outcome::Done
    } else {
        Outcome::CheckFailed
    })
}

fn facts(inspection: &Inspection) -> String {
    let width = inspection
        .facts
        .iter()
        .map(|(name, _)| name.len())
        .max()
        .unwrap_or(0);
    inspection
        .facts
        .iter()
        .map(|(name, fact)| format!("{name:width$}  {fact}\n"))
        .collect()
}

fn text(inspection: &Inspection) -> String {
    let warnings = inspection
        .warnings
        .iter()
        .map(|warning| format!("warning: {warning}\n"));
    let faults = inspection
        .faults
        .iter()
        .map(|fault| format!("cannot be run: {fault}\n"));
    [facts(inspection)]
        .into_iter()
        .chain(warnings)
        .chain(faults)
        .collect()
}
