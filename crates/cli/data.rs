//! `mwpbench data`: which sets there are, which problems are at hand, and how to get more.

mod fetch; // published files, checked
mod import; // a publisher's files into the record form
mod known_errors; // problems that are known to have a fault
mod list; // the sets
mod new; // the folder of a custom data set
mod overlap; // which test items training files contain
mod path; // where the data folder is
mod random; // some problems at random
mod selfcheck; // can the scorers judge by the references?
mod show; // one problem
mod stats; // what is at hand beside what the paper counts
mod translate; // Chinese problems into English ones
mod verify; // whether what was fetched is still the same

use clap::Subcommand;

use crate::exit::Outcome;

/// Fetch, import, inspect and check the data.
#[derive(Subcommand)]
pub enum Command {
    /// List the sets: level, tasks, published test problems and the problems at hand.
    List(list::Args),
    Stats(stats::Args),
    Show(show::Args),
    Random(random::Args),
    Fetch(fetch::Args),
    Verify(verify::Args),
    Import(import::Args),
    Translate(Box<translate::Args>),
    New(new::Args),
    Overlap(overlap::Args),
    Path(path::Args),
    KnownErrors(known_errors::Args),
    /// Score every reference against itself: it must be correct, also rewritten, and no changed copy
    /// of it may be.
    Selfcheck(selfcheck::Args),
}

pub fn run(command: Command) -> anyhow::Result<Outcome> {
    match command {
        Command::List(args) => list::run(args),
        Command::Stats(args) => stats::run(args),
        Command::Show(args) => show::run(args),
        Command::Random(args) => random::run(args),
        Command::Fetch(args) => fetch::run(args),
        Command::Verify(args) => verify::run(args),
        Command::Import(args) => import::run(args),
        Command::Translate(args) => translate::run(*args),
        Command::New(args) => new::run(args),
        Command::KnownErrors(args) => known_errors::run(args),
        Command::Overlap(args) => overlap::run(args),
        Command::Path(args) => path::run(args),
        Command::Selfcheck(args) => selfcheck::run(args),
    }
}
