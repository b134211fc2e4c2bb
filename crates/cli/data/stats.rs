//! `mwpbench data stats`: what is at hand beside what the paper counts.

use std::path::PathBuf;

use dataset_loader::Stats;

use crate::exit::Outcome;
use crate::{data_folder, screen};

/// Count the problems at hand beside table 1 of the paper, and tell why they differ.
#[derive(clap::Args)]
pub struct Args {
    /// Problems in MwpBench's record form: a file, or a folder of .jsonl/.json files [default: the
    /// data folder, else the samples].
    #[arg(long, env = "MWPBENCH_DATA", value_name = "FILE|DIR")]
    data: Option<PathBuf>,
    #[command(flatten)]
    telling: screen::Telling,
}

pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let given = args.data.as_deref();
    let benchmark = data_folder::benchmark(given)?;
    let data = data_folder::load(&benchmark, given)?;
    let (training, passed_over) = match given.map(PathBuf::from).or_else(data_folder::path) {
        Some(folder) => dataset_loader::load_training(&benchmark, &folder)?,
        None => Default::default(),
    };
    let mut stats = Stats::of(&benchmark, &data, (&training, passed_over));
    evaluation::note_repeated(&mut stats, &benchmark, &data.problems);
    args.telling
        .tell(&stats, || reporting::stats_text(&stats, screen::width()))?;
    Ok(Outcome::Done)
}
