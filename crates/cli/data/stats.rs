//! `mwpbench data stats`: what is at hand beside what the paper counts.

use dataset_loader::Stats;

use crate::exit::Outcome;
use crate::{data_folder, terminal};

/// Count the problems at hand beside table 1 of the paper, and say why they differ.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    source: data_folder::DataArgs,
    #[command(flatten)]
    printing: terminal::PrintArgs,
}

pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let benchmark = args.source.benchmark()?;
    let data = args.source.load(&benchmark)?;
    let (training, passed_over) = match args.source.place() {
        Some(folder) => dataset_loader::load_training(&benchmark, &folder)?,
        None => Default::default(),
    };
    let mut stats = Stats::of(&benchmark, &data, (&training, passed_over));
    evaluation::note_repeated(&mut stats, &benchmark, &data.problems);
    args.printing
        .print(&stats, || reporting::stats_text(&stats, terminal::width()))?;
    Ok(Outcome::Done)
}
