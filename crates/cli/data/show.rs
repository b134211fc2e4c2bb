//! `mwpbench data show`: one problem.

use std::path::PathBuf;

use dataset_loader::{Benchmark, Data, Problem};
use serde_json::{Value, json};

use crate::exit::Outcome;
use crate::{data_folder, screen};

/// Show one problem: question, reference, set and task, and what else its record holds.
#[derive(clap::Args)]
pub struct Args {
    /// Id of the problem, such as gsm8k/12.
    #[arg(value_name = "ID")]
    id: String,
    /// Problems in MwpBench's record form: a file, or a folder of .jsonl/.json files [default: the
    /// data folder, else the samples].
    #[arg(long, env = "MWPBENCH_DATA", value_name = "FILE|DIR")]
    data: Option<PathBuf>,
    #[command(flatten)]
    telling: screen::Telling,
}

pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let benchmark = data_folder::benchmark(args.data.as_deref())?;
    let data = data_folder::load(&benchmark, args.data.as_deref())?;
    let (problem, _) = data.problem(&args.id)?;
    args.telling
        .tell(&value(&data, problem), || text(&benchmark, &data, problem))?;
    Ok(Outcome::Done)
}

/// The problem as JSON.
pub(super) fn value(data: &Data, problem: &Problem) -> Value {
    let mut value = json!(problem);
    value["extras"] = json!(data.extras.get(&problem.id).cloned().unwrap_or_default());
    value
}

/// The problem as text.
pub(super) fn text(benchmark: &Benchmark, data: &Data, problem: &Problem) -> String {
    let title = benchmark
        .set(&problem.set)
        .map_or(problem.set.as_str(), |set| &set.title);
    reporting::problem_text(problem, title, data.extras.get(&problem.id))
}
