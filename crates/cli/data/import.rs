//! `mwpbench data import`: a publisher's files into the record form.

use std::path::PathBuf;

use dataset_loader::{Benchmark, Destination, ImportPlan};

use crate::exit::Outcome;
use crate::{data_folder, terminal};

/// Convert the files that a set's own publisher gives out into MwpBench's record form.
///
/// Multiple choice becomes word problems as in the paper: questions that speak of their options are
/// dropped, the others lose their options, and the content of the correct one is the
/// reference.
#[derive(clap::Args)]
pub struct Args {
    /// Name of the set, or `mwpbench` for every set that a file in the record form holds.
    #[arg(value_name = "SET")]
    set: String,
    /// The publisher's file (JSON Lines, JSON, parquet), or a folder of them.
    #[arg(value_name = "FILE|FOLDER")]
    input: PathBuf,
    /// Output file; SET.jsonl in the data folder without it.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Keep the options of multiple choice below the question, with labels as references; nothing
    /// is dropped for their sake.
    #[arg(long)]
    keep_choices: bool,
    /// The split: of a folder, its files are read. `train` goes into files that are never evaluated.
    #[arg(long, default_value = "test", value_name = "NAME")]
    split: String,
    /// Replace an output file that holds something else, and import what looks like a training
    /// split as it is.
    #[arg(long)]
    force: bool,
    /// Name every problem that was dropped.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    printing: terminal::PrintArgs,
}

pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let folder = data_folder::path();
    let destination = match (&args.output, &folder) {
        (Some(file), _) => Destination::File(file),
        (None, Some(folder)) => Destination::DataFolder(folder),
        (None, None) => anyhow::bail!(
            "this system names no data directory: give --output, or set MWPBENCH_HOME"
        ),
    };
    let plan = ImportPlan {
        set: &args.set,
        input: &args.input,
        destination,
        split: &args.split,
        keep_choices: args.keep_choices,
        force: args.force,
    };
    let imported = dataset_loader::import(&Benchmark::published(), &plan)?;
    args.printing
        .print(&imported, || reporting::import_text(&imported, args.all))?;
    Ok(Outcome::Done)
}
