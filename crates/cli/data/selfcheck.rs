//! `mwpbench data selfcheck`: can the scorers judge by the references at hand?

use std::path::PathBuf;

use evaluation::SelfCheck;

use crate::exit::Outcome;
use crate::{data_folder, grading, screen};

/// Put every reference to the scorers.
#[derive(clap::Args)]
pub struct Args {
    /// Problems in MwpBench's record form: a file, or a folder of .jsonl/.json files [default: the
    /// data folder, else the samples].
    #[arg(long, env = "MWPBENCH_DATA", value_name = "FILE|DIR")]
    data: Option<PathBuf>,
    /// Scoring profile of the strict scorer: strict, choice, exact, or a file [default: each set's
    /// own].
    #[arg(long, env = "MWPBENCH_PROFILE", value_name = "NAME|FILE")]
    profile: Option<String>,
    /// List every failure, not the first few of each set.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    telling: screen::Telling,
}

pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let benchmark = data_folder::benchmark(args.data.as_deref())?;
    let grader = grading::grader(&benchmark, args.profile.as_deref())?;
    let data = data_folder::load(&benchmark, args.data.as_deref())?;
    let checked = SelfCheck::of(&benchmark, &grader, &data.problems);
    args.telling.tell(&checked, || {
        reporting::self_check_text(&checked, args.all, screen::width())
    })?;
    Ok(if checked.holds() {
        Outcome::Done
    } else {
        Outcome::CheckFailed
    })
}
