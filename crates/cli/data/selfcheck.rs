//! `mwpbench data selfcheck`: can the scorers judge by the references at hand?

use crate::exit::Outcome;
use crate::{data_folder, grading, terminal};
use evaluation::SelfCheck;

/// Put every reference to the scorers.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    source: data_folder::DataArgs,
    #[command(flatten)]
    scoring: grading::ProfileArgs,
    /// List every failure, not the first few of each set.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    printing: terminal::PrintArgs,
}

pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let benchmark = args.source.benchmark()?;
    let grader = args.scoring.grader(&benchmark)?;
    let data = args.source.load(&benchmark)?;
    let checked = SelfCheck::of(&benchmark, &grader, &data);
    args.printing.print(&checked, || {
        reporting::self_check_text(&checked, args.all, terminal::width())
    })?;
    Ok(if checked.holds() {
        Outcome::Done
    } else {
        Outcome::CheckFailed
    })
}
