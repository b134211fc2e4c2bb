//! `mwpbench score`: judge again, judge completions made elsewhere, or judge one answer.

use std::path::{Path, PathBuf};

use dataset_loader::Benchmark;
use evaluation::{Answer, Exclusion, Explained, Grader, RunFolder};
use reporting::SummaryTable;
use serde_json::{Value, json};

use crate::exit::Outcome;
use crate::{grading, screen};

/// Judge the completions of a run again, completions made elsewhere, or a single answer; no model
/// is needed.
#[derive(clap::Args)]
#[command(override_usage = "mwpbench score RUN [--explain | --exclude-ids FILE]
       mwpbench score --input FILE --output FILE [--explain]
       mwpbench score --reference TEXT (--completion TEXT | --prediction TEXT)")]
pub struct Args {
    /// Folder of a finished run: its verdicts and summary are replaced.
    #[arg(value_name = "RUN", required_unless_present_any = ["input", "reference"], conflicts_with_all = ["input", "output", "reference"])]
    run: Option<PathBuf>,
    /// Sum the run up without the problems whose ids are in a file, one a line, such as
    /// `data overlap --ids` writes; the run's files stay as they are.
    #[arg(
        long,
        value_name = "FILE",
        requires = "run",
        conflicts_with = "explain"
    )]
    exclude_ids: Option<PathBuf>,
    /// Completions made elsewhere: a JSON object a line with `id`, `reference`, and `completion` or
    /// `prediction`.
    #[arg(
        long,
        value_name = "FILE",
        requires = "output",
        conflicts_with = "reference"
    )]
    input: Option<PathBuf>,
    /// Where the verdicts go, a line for each input line in the same order.
    #[arg(long, value_name = "FILE", requires = "input")]
    output: Option<PathBuf>,
    /// Judge one answer against this reference and tell how.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    reference: Option<String>,
    /// The answer is somewhere in this response.
    #[arg(
        long,
        value_name = "TEXT",
        requires = "reference",
        allow_hyphen_values = true
    )]
    completion: Option<String>,
    /// The answer, without a text around it.
    #[arg(
        long,
        value_name = "TEXT",
        requires = "reference",
        conflicts_with = "completion",
        allow_hyphen_values = true
    )]
    prediction: Option<String>,
    /// The question, which may ask for an order of several answers.
    #[arg(long, value_name = "TEXT", requires = "reference")]
    question: Option<String>,
    #[command(flatten)]
    scoring: grading::ProfileArgs,
    /// Tell for every answer which rules decided, and what was read; with --json an object a line.
    #[arg(long)]
    explain: bool,
    /// Give the tasks of a set rows of their own.
    #[arg(long)]
    by_task: bool,
    #[command(flatten)]
    telling: screen::Telling,
}

pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let benchmark = Benchmark::published();
    let grader = args.scoring.grader(&benchmark)?;
    match (&args.run, &args.input, &args.output, &args.reference) {
        (Some(folder), ..) => again(&args, folder),
        (None, Some(input), Some(output), _) => elsewhere(&args, &grader, input, output),
        (None, _, _, Some(reference)) => single(&args, &grader, reference),
        _ => unreachable!("clap demands RUN, --input and --output, or --reference"),
    }
}

fn again(args: &Args, folder: &Path) -> anyhow::Result<Outcome> {
    let folder = RunFolder::open(folder)?;
    let benchmark = folder.benchmark()?;
    let grader = args.scoring.grader(&benchmark)?;
    let summary = match &args.exclude_ids {
        Some(file) => {
            evaluation::summary_without(&benchmark, &grader, &folder, &Exclusion::load(file)?)?
        }
        None => evaluation::rescore(&benchmark, &grader, &folder)?,
    };
    if args.explain {
        let completions = folder.completions()?;
        for problem in folder.problems()? {
            if let Some(completion) = completions.get(&(problem.id.clone(), 0)) {
                tell(
                    args,
                    &json!(problem.id),
                    &problem.reference,
                    &grader.explain_completion(&problem, completion),
                )?;
            }
        }
        return Ok(Outcome::Done);
    }
    args.telling.tell(&summary, || {
        let layout = SummaryTable {
            width: screen::width(),
            by_task: args.by_task,
            styled: screen::styled(),
        };
        reporting::summary_table(&summary, layout)
    })?;
    Ok(Outcome::Done)
}

fn elsewhere(args: &Args, grader: &Grader, input: &Path, output: &Path) -> anyhow::Result<Outcome> {
    let counts = evaluation::score_file(grader, input, output)?;
    if args.explain {
        evaluation::explain_file(grader, input, |id, reference, explained| {
            tell(args, id, reference, explained)
        })?;
        return Ok(Outcome::Done);
    }
    args.telling.tell(&counts, || {
        format!(
            "{} answers judged: {} correct by the official scorer ({:.1} %), {} by the strict one ({:.1} %), {} without an answer, {} references that the official one cannot read\n",
            counts.n,
            counts.official_correct,
            100.0 * counts.official_correct as f64 / counts.n as f64,
            counts.strict_correct,
            100.0 * counts.strict_correct as f64 / counts.n as f64,
            counts.no_answer,
            counts.reference_errors
        )
    })?;
    Ok(Outcome::Done)
}

fn single(args: &Args, grader: &Grader, reference: &str) -> anyhow::Result<Outcome> {
    let answer = match (&args.completion, &args.prediction) {
        (Some(text), _) => Answer::Completion(text),
        (None, Some(text)) => Answer::Prediction(text),
        (None, None) => anyhow::bail!("give --completion or --prediction beside --reference"),
    };
    let explained = grader.explain("", answer, reference, args.question.as_deref());
    tell(args, &Value::Null, reference, &explained)?;
    Ok(Outcome::Done)
}

fn tell(args: &Args, id: &Value, reference: &str, explained: &Explained) -> anyhow::Result<()> {
    let name = match id {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    match (args.telling.quiet, args.telling.json) {
        (true, _) => Ok(()),
        (false, true) => screen::print(&format!(
            "{}\n",
            json!({
                "id": id, "reference": reference, "official": explained.official, "strict": explained.strict,
                "profile": explained.profile, "explanation": explained.explanation
            })
        )),
        (false, false) => screen::print(&reporting::explanation_text(
            name.as_deref(),
            reference,
            explained,
        )),
    }
}
