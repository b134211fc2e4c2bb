//! `mwpbench baseline`: a run in one small file, for a gate.

use std::path::PathBuf;

use evaluation::{Baseline, BaselineFigures, ComparedRun};
use reporting::baseline_text;

use crate::exit::Outcome;
use crate::{output_file, terminal};

/// Keep what a gate needs to know of a run in one small file, and show such a file.
#[derive(clap::Subcommand)]
pub enum Command {
    /// Save which items a run solved, with digests of all that must be the same; no texts.
    Save(SaveArgs),
    /// Show what a baseline file holds.
    Show(ShowArgs),
}

#[derive(clap::Args)]
pub struct SaveArgs {
    /// Folder of a finished run.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// The file to write.
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    replace: output_file::ReplaceArgs,
    #[command(flatten)]
    printing: terminal::PrintArgs,
}

#[derive(clap::Args)]
pub struct ShowArgs {
    /// A baseline file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

pub fn run(command: Command) -> anyhow::Result<Outcome> {
    match command {
        Command::Save(args) => {
            let baseline = Baseline::of(&ComparedRun::open(&args.run)?);
            args.replace.check(&args.output, &baseline.to_bytes())?;
            baseline.write(&args.output)?;
            let figures = BaselineFigures::of(&ComparedRun::open(&args.output)?);
            args.printing
                .print(&figures, || baseline_text(&figures, terminal::width()))?;
        }
        Command::Show(args) => {
            let figures = BaselineFigures::of(&ComparedRun::open(&args.file)?);
            match args.json {
                true => terminal::print_json(&figures)?,
                false => terminal::print(&baseline_text(&figures, terminal::width()))?,
            }
        }
    }
    Ok(Outcome::Done)
}
