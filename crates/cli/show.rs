//! `mwpbench show`: the table of a finished run, or one item of it.

use std::path::PathBuf;

use anyhow::Context;
use evaluation::RunFolder;
use reporting::{Item, SummaryTable};
use serde_json::json;

use crate::exit::Outcome;
use crate::{grading, terminal};

/// Show the table of a finished run, or one item with prompt, completion, extraction trace and
/// verdict.
#[derive(clap::Args)]
pub struct Args {
    /// Folder of the run.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Id of one problem, such as gsm8k/sample.1.
    #[arg(long, value_name = "ID")]
    item: Option<String>,
    /// Which completion of the item, where several were drawn; the first is 0.
    #[arg(long, requires = "item", default_value_t = 0, value_name = "N")]
    sample: u32,
    /// Give the tasks of a set rows of their own.
    #[arg(long)]
    by_task: bool,
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let folder = RunFolder::open(&args.run)?;
    match &args.item {
        Some(id) => item(&args, &folder, id)?,
        None => {
            let summary = folder
                .summary()
                .context("the run has no summary: it was not finished, start its command again")?;
            let layout = SummaryTable {
                width: terminal::width(),
                by_task: args.by_task,
                styled: terminal::styled(),
            };
            match args.json {
                true => terminal::print_json(&summary)?,
                false => terminal::print(&reporting::summary_table(&summary, layout))?,
            }
        }
    }
    Ok(Outcome::Done)
}

fn item(args: &Args, folder: &RunFolder, id: &str) -> anyhow::Result<()> {
    let problems = folder.problems()?;
    let problem = problems
        .iter()
        .find(|problem| problem.id == id)
        .with_context(|| {
            let first = problems
                .first()
                .map(|problem| problem.id.as_str())
                .unwrap_or_default();
            format!(
                "the run has no problem \"{id}\" ({} problems; the first is \"{first}\")",
                problems.len()
            )
        })?;
    let completions = folder.completions()?;
    let completion = completions
        .get(&(id.to_string(), args.sample))
        .with_context(|| {
            format!(
                "this run has no finished sample {} of \"{id}\"",
                args.sample
            )
        })?;
    let grader = grading::grader(
        &folder.benchmark()?,
        folder.summary()?.strict_profile.as_deref(),
    )?;
    let (verdict, explained) = (
        grader.judge(problem, completion),
        grader.explain_completion(problem, completion),
    );
    let prompt = folder.template()?.render(&problem.question)?;
    match args.json {
        true => terminal::print_json(
            &json!({ "problem": problem, "prompt": prompt, "completion": completion, "verdict": verdict, "explanation": explained.explanation }),
        ),
        false => terminal::print(&reporting::item_text(&Item {
            problem,
            prompt: &prompt,
            completion,
            verdict: &verdict,
            explained: &explained,
        })),
    }
}
