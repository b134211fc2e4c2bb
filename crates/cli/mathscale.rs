//! `mwpbench mathscale`: the pipeline that makes training data, a stage a subcommand.

mod compose; // graph to compositions
mod export; // training files
mod extract; // seeds to concepts
mod generate; // compositions to pairs
mod graph; // concepts to the graph, and looking at it
mod optional_generator; // a generator that may be left out
mod reading; // how many pairs have been read
mod screen; // which pairs may be trained on
mod status; // how far the stages are
mod validate; // whether solutions are right

use std::path::PathBuf;

use clap::Subcommand;
use mathscale::StageRecord;

use crate::exit::Outcome;

/// Make training data from seed questions (MathScale): extract, graph, compose, generate, validate,
/// screen, export.
///
/// Every stage reads files of the project folder and writes others into it. One that is run again
/// with the same inputs and options finds its files there; with others it is refused, unless
/// --fresh replaces them. docs/mathscale.md tells all of it.
#[derive(Subcommand)]
pub enum Command {
    Extract(Box<extract::Args>),
    Graph(graph::Args),
    Compose(compose::Args),
    Generate(Box<generate::Args>),
    Validate(Box<validate::Args>),
    Screen(screen::Args),
    Export(export::Args),
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
        Command::Status(args) => status::run(args),
    }
}

/// Where the files are.
#[derive(clap::Args)]
pub struct ProjectArg {
    /// Project folder; the first stage makes it.
    #[arg(long, value_name = "DIR")]
    project: PathBuf,
}

/// The folder, and what becomes of what it has of a stage.
#[derive(clap::Args)]
pub struct StageArgs {
    #[command(flatten)]
    place: ProjectArg,
    /// Replace what the project has of this stage; it is moved to replaced/.
    #[arg(long)]
    fresh: bool,
}

/// Says on stderr that nothing had to be done.
fn note_already_there(record: &StageRecord, quiet: bool) {
    if let (Some(finished), false) = (record.finished, quiet) {
        eprintln!("there already, since {finished}: --fresh makes it anew");
    }
}
