//! `mwpbench inspect`: what a checkpoint is, and whether it can be run.

use std::path::Path;

use evaluation::Template;
use fault::{Class, Fault};
use inference::Inspection;

use crate::exit::{self, Outcome};
use crate::{chat, checkpoint, terminal};

/// Inspect a checkpoint: its architecture, weights and tokenizer, and what looks wrong with it.
///
/// Reads all weights. Exits 1 when the checkpoint is whole but cannot be run. The facts of a
/// GGUF file that is refused are printed before the refusal.
#[derive(clap::Args)]
pub struct Args {
    /// Checkpoint: a folder in Hugging Face layout, a GGUF file, a name on the hub, or `demo` for the
    /// embedded one.
    #[arg(value_name = "PATH|ORG/NAME|demo")]
    model: String,
    #[command(flatten)]
    extras: checkpoint::CheckpointExtras,
    #[command(flatten)]
    printing: terminal::PrintArgs,
}

pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let inspected = args.extras.with(&args.model).and_then(|files| {
        let template = chat::own_template(&files)?;
        let files = files.with_end_of_turn(template.as_ref().and_then(Template::end_of_turn));
        let mut inspection = Inspection::of(&files)?;
        add_chat_template(&mut inspection, template.is_some());
        Ok(inspection)
    });
    let inspection = match inspected {
        Ok(inspection) => inspection,
        Err(refusal) => {
            // A flag that cannot be meant says nothing of the file.
            let of_files = refusal
                .downcast_ref::<inference::Error>()
                .is_some_and(|error| error.class() == Class::Integrity);
            let found = Inspection::of_refused(Path::new(&args.model), &exit::message(&refusal));
            if let Some(found) = found.filter(|_| of_files) {
                // The refusal is printed as the command's error.
                args.printing
                    .print(&found, || reporting::facts_text(&found.facts))?;
            }
            return Err(refusal);
        }
    };
    args.printing.print(&inspection, || {
        let Inspection {
            facts,
            warnings,
            faults,
        } = &inspection;
        reporting::inspection_text(facts, warnings, faults)
    })?;
    Ok(if inspection.faults.is_empty() {
        Outcome::Done
    } else {
        Outcome::CheckFailed
    })
}

/// The fact by which an instruct checkpoint is known; GGUF files tell it themselves.
fn add_chat_template(inspection: &mut Inspection, has_one: bool) {
    const FACT: &str = "chat_template";
    if inspection.facts.iter().any(|(name, _)| *name == FACT) {
        return;
    }
    let value = match has_one {
        true => "yes: --prompt-template chat asks in it",
        false => "none",
    };
    let beside_tokenizer = inspection.facts.iter().position(|(name, _)| *name == "bos");
    let place = beside_tokenizer.unwrap_or(inspection.facts.len());
    inspection.facts.insert(place, (FACT, value.to_string()));
}
