//! `mwpbench score`: judge again, or judge completions made elsewhere.

use std::path::{Path, PathBuf};

use dataset_loader::Benchmark;
use evaluation::RunFolder;
use reporting::SummaryTable;

use crate::exit::Outcome;
use crate::screen;

/// Judge the completions of a run again, or completions made elsewhere; no model is needed.
#[derive(clap::Args)]
#[command(override_usage = "mwpbench score RUN\n       mwpbench score --input FILE --output FILE")]
pub struct Args {
    /// Folder of a finished run: its verdicts and summary are replaced.
    #[arg(value_name = "RUN", required_unless_present = "input", conflicts_with_all = ["input", "output"])]
    run: Option<PathBuf>,
    /// Completions made elsewhere: a JSON object a line with `id`, `reference`, and `completion` or `prediction`.
    #[arg(long, value_name = "FILE", requires = "output")]
    input: Option<PathBuf>,
    /// Where the verdicts go, a line for each input line in the same order.
    #[arg(long, value_name = "FILE", requires = "input")]
    output: Option<PathBuf>,
    /// Give the tasks of a set rows of their own.
    #[arg(long)]
    by_task: bool,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
    /// Print nothing but errors.
    #[arg(long, short)]
    quiet: bool,
}

pub fn run(args: Args) -> anyhow::Result<Outcome> {
    match (&args.run, &args.input, &args.output) {
        (Some(folder), _, _) => again(&args, folder),
        (None, Some(input), Some(output)) => elsewhere(&args, input, output),
        _ => unreachable!("clap demands RUN, or --input and --output"),
    }
}

fn again(args: &Args, folder: &Path) -> anyhow::Result<Outcome> {
    let summary = evaluation::judge_again(&Benchmark::published(), &RunFolder::open(folder)?)?;
    match (args.quiet, args.json) {
        (true, _) => {}
        (false, true) => screen::print_json(&summary)?,
        (false, false) => {
            let layout = SummaryTable { width: screen::width(), by_task: args.by_task, styled: screen::styled() };
            screen::print(&reporting::summary_table(&summary, layout))?;
        }
    }
    Ok(Outcome::Done)
}

fn elsewhere(args: &Args, input: &Path, output: &Path) -> anyhow::Result<Outcome> {
    let counts = evaluation::judge_file(input, output)?;
    match (args.quiet, args.json) {
        (true, _) => {}
        (false, true) => screen::print_json(&counts)?,
        (false, false) => screen::print(&format!(
            "{} answers judged: {} correct by the official scorer ({:.1} %), {} by the strict one ({:.1} %), {} without an answer, {} references that the official one cannot read\n",
            counts.n,
            counts.official_correct,
            100.0 * counts.official_correct as f64 / counts.n as f64,
            counts.strict_correct,
            100.0 * counts.strict_correct as f64 / counts.n as f64,
            counts.no_answer,
            counts.reference_errors
        ))?,
    }
    Ok(Outcome::Done)
}
