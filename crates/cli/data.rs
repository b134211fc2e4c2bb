//! `mwpbench data`: which sets there are, what is at hand of them, and getting it.

mod list; // the sets

use clap::Subcommand;

use crate::exit::Outcome;
use crate::self_check;

/// Look at the data.
#[derive(Subcommand)]
pub enum Command {
    /// List the sets: level, tasks, published test problems and the problems at hand.
    List(list::Args),
    /// Put every reference to the scorers: it must equal itself, also rewritten, and no changed copy of it.
    Selfcheck(self_check::Args),
}

pub fn run(command: Command) -> anyhow::Result<Outcome> {
    match command {
        Command::List(args) => list::run(args),
        Command::Selfcheck(args) => self_check::run(args),
    }
}
