//! `mwpbench data show`: one problem.

use crate::exit::Outcome;
use crate::{data_folder, terminal};
use dataset_loader::{Benchmark, Data, Problem};
use serde_json::{Value, json};

/// Show one problem: question, reference, set and task, and what else its record holds.
#[derive(clap::Args)]
pub struct Args {
    /// Id of the problem, such as gsm8k/12.
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    source: data_folder::DataArgs,
    #[command(flatten)]
    printing: terminal::PrintArgs,
}

pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let benchmark = args.source.benchmark()?;
    let data = args.source.load_all(&benchmark)?;
    let (problem, _) = data.problem(&args.id)?;
    args.printing
        .print(&value(&data, problem), || text(&benchmark, &data, problem))?;
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
