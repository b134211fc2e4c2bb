//! `mwpbench mathscale`: the pipeline that makes training data, a stage a subcommand.

mod compose; // graph to compositions
mod counter; // progress of stages that only count
mod estimate; // what a stage would ask of a model
mod export; // training files
mod extract; // seed questions to concepts
mod generate; // compositions to pairs
mod graph; // concepts to the graph, and its inspection
mod optional_generator; // a generator that may be left out
mod recipe; // a trainer's folder
mod screen; // which pairs may be trained on
mod status; // how far the stages are
mod validate; // whether solutions are right

use std::path::PathBuf;

use ::mathscale::{Project, StageOutcome, StageRecord};
use clap::Subcommand;
use serde::Serialize;

use crate::exit::Outcome;
use crate::{heading, interruption, terminal};

/// Make training data from seed questions (MathScale): extract, graph, compose, generate, validate,
/// screen, export; and fine-tune a model on them (recipe).
///
/// Every stage reads files of the project folder and writes others into it. One that is run again
/// with the same inputs and options finds its files there; with others it is refused, unless
/// --fresh replaces them. docs/mathscale.md describes all of it.
#[derive(Subcommand)]
pub enum Command {
    Extract(Box<extract::Args>),
    Graph(graph::Args),
    Compose(compose::Args),
    Generate(Box<generate::Args>),
    Validate(Box<validate::Args>),
    Screen(screen::Args),
    Export(export::Args),
    Recipe(Box<recipe::Args>),
    Status(status::Args),
}

pub fn run(command: Command) -> anyhow::Result<Outcome> {
    match command {
        Command::Extract(args) => extract::run(*args),
        Command::Graph(args) => graph::run(args),
        Command::Compose(args) => compose::run(args),
        Command::Generate(args) => generate::run(*args),
        Command::Validate(args) => validate::run(*args),
        Command::Screen(args) => screen::run(args),
        Command::Export(args) => export::run(args),
        Command::Recipe(args) => recipe::run(*args),
        Command::Status(args) => status::run(args),
    }
}

/// The project folder.
#[derive(clap::Args)]
#[command(next_help_heading = heading::PROJECT)]
pub struct ProjectArg {
    /// Project folder; the first stage makes it.
    #[arg(long, value_name = "DIR")]
    project: PathBuf,
}

/// What every stage has.
#[derive(clap::Args)]
#[command(next_help_heading = heading::PROJECT)]
pub struct StageArgs {
    #[command(flatten)]
    place: ProjectArg,
    /// Replace what the project has of this stage; it is moved to replaced/.
    #[arg(long)]
    fresh: bool,
    #[command(flatten)]
    printing: terminal::PrintArgs,
}

/// Runs a stage in the project and prints what came of it. `ended` says from the record whether
/// that is enough.
fn run_stage<D: Serialize>(
    args: &StageArgs,
    stage: impl FnOnce(&mut Project) -> anyhow::Result<StageOutcome<D>>,
    text: impl FnOnce(&StageOutcome<D>) -> String,
    ended: impl FnOnce(&StageRecord) -> Outcome,
) -> anyhow::Result<Outcome> {
    interruption::listen()?;
    let mut project = Project::open_to_write(&args.place.project)?;
    let outcome = stage(&mut project)?;
    args.note_already_there(&outcome);
    args.printing.print(&outcome, || text(&outcome))?;
    Ok(ended(&outcome.record))
}

impl StageArgs {
    /// Says on stderr that nothing had to be done.
    fn note_already_there<D>(&self, outcome: &StageOutcome<D>) {
        let quiet = self.printing.quiet || !outcome.already_there;
        if let (Some(finished), false) = (outcome.record.finished, quiet) {
            eprintln!("there already, since {finished}: --fresh makes it anew");
        }
    }
}
