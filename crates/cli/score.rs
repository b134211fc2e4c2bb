//! `mwpbench score`: score a run again, completions of another program, or one answer.

use std::path::{Path, PathBuf};

use dataset_loader::Benchmark;
use evaluation::{Answer, Exclusion, Explained, Grader, RunFolder};
use reporting::SummaryTable;
use serde_json::{Value, json};

use crate::exit::Outcome;
use crate::{grading, heading, terminal};

/// Score the completions of a run again, completions of another program, or a single answer; no
/// model is needed.
#[derive(clap::Args)]
#[command(override_usage = "mwpbench score RUN [--explain | --exclude-ids FILE]
       mwpbench score --input FILE --output FILE [--explain]
       mwpbench score --reference TEXT (--completion TEXT | --prediction TEXT)")]
pub struct Args {
    /// Folder of a finished run: its verdicts and summary are replaced.
    #[arg(
        value_name = "RUN",
        required_unless_present_any = ["input", "reference"],
        conflicts_with_all = ["input", "output", "reference"]
    )]
    run: Option<PathBuf>,
    /// Completions of another program: a JSON object a line with `id`, `reference`, and
    /// `completion` or `prediction`.
    #[arg(
        long,
        value_name = "FILE",
        requires = "output",
        conflicts_with = "reference",
        help_heading = heading::DATA
    )]
    input: Option<PathBuf>,
    /// Summarize the run without the problems whose ids are in a file, one a line, such as
    /// `data overlap --ids` writes; the run's files stay as they are.
    #[arg(
        long,
        value_name = "FILE",
        requires = "run",
        conflicts_with = "explain",
        help_heading = heading::DATA
    )]
    exclude_ids: Option<PathBuf>,
    /// Score one answer against this reference and explain the verdicts.
    #[arg(
        long,
        value_name = "TEXT",
        allow_hyphen_values = true,
        help_heading = heading::DATA
    )]
    reference: Option<String>,
    /// A completion that holds the answer.
    #[arg(
        long,
        value_name = "TEXT",
        requires = "reference",
        allow_hyphen_values = true,
        help_heading = heading::DATA
    )]
    completion: Option<String>,
    /// The answer, without a text around it.
    #[arg(
        long,
        value_name = "TEXT",
        requires = "reference",
        conflicts_with = "completion",
        allow_hyphen_values = true,
        help_heading = heading::DATA
    )]
    prediction: Option<String>,
    /// The question, which may demand an order of several answers.
    #[arg(
        long,
        value_name = "TEXT",
        requires = "reference",
        help_heading = heading::DATA
    )]
    question: Option<String>,
    #[command(flatten)]
    scoring: grading::ProfileArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// What is written where, and what is printed.
#[derive(clap::Args)]
#[command(next_help_heading = heading::OUTPUT)]
struct OutputArgs {
    /// File for the verdicts, a line for each input line in the same order.
    #[arg(long, value_name = "FILE", requires = "input")]
    output: Option<PathBuf>,
    /// Explain the verdict on every completion: what was extracted and parsed, and which rules
    /// decided; with --json an object a line.
    #[arg(long)]
    explain: bool,
    /// Rows for the tasks of each set.
    #[arg(long)]
    by_task: bool,
    #[command(flatten)]
    printing: terminal::PrintArgs,
}

pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let benchmark = Benchmark::published();
    let grader = args.scoring.grader(&benchmark)?;
    match (&args.run, &args.input, &args.output.output, &args.reference) {
        (Some(folder), ..) => rescore(&args, folder),
        (None, Some(input), Some(output), _) => score_file(&args, &grader, input, output),
        (None, _, _, Some(reference)) => score_one(&args, &grader, reference),
        _ => unreachable!("clap demands RUN, --input and --output, or --reference"),
    }
}

fn rescore(args: &Args, folder: &Path) -> anyhow::Result<Outcome> {
    let folder = RunFolder::open(folder)?;
    let benchmark = folder.benchmark()?;
    let grader = args.scoring.grader(&benchmark)?;
    let summary = match &args.exclude_ids {
        Some(file) => {
            evaluation::summary_without(&benchmark, &grader, &folder, &Exclusion::load(file)?)?
        }
        None => evaluation::rescore(&benchmark, &grader, &folder)?,
    };
    if args.output.explain {
        explain_run(args, &folder, &grader)?;
        return Ok(Outcome::Done);
    }
    args.output.printing.print(&summary, || {
        let layout = SummaryTable {
            width: terminal::width(),
            by_task: args.output.by_task,
            styled: terminal::styled(),
        };
        reporting::summary_table(&summary, layout)
    })?;
    Ok(Outcome::Done)
}

/// Every completion of every problem, in the order of the problems.
fn explain_run(args: &Args, folder: &RunFolder, grader: &Grader) -> anyhow::Result<()> {
    let samples = folder.manifest().identity.decoding.samples();
    let completions = folder.completions()?;
    for problem in folder.problems()? {
        for sample in 0..samples {
            if let Some(completion) = completions.get(&(problem.id.clone(), sample)) {
                let answer = ScoredAnswer {
                    id: &json!(problem.id),
                    sample: (samples > 1).then_some(sample),
                    reference: &problem.reference,
                };
                print(
                    args,
                    &answer,
                    &grader.explain_completion(&problem, completion),
                )?;
            }
        }
    }
    Ok(())
}

fn score_file(
    args: &Args,
    grader: &Grader,
    input: &Path,
    output: &Path,
) -> anyhow::Result<Outcome> {
    let counts = evaluation::score_file(grader, input, output)?;
    if args.output.explain {
        evaluation::explain_file(grader, input, |id, reference, explained| {
            let answer = ScoredAnswer {
                id,
                sample: None,
                reference,
            };
            print(args, &answer, explained)
        })?;
        return Ok(Outcome::Done);
    }
    args.output
        .printing
        .print(&counts, || reporting::scored_file_text(&counts))?;
    Ok(Outcome::Done)
}

fn score_one(args: &Args, grader: &Grader, reference: &str) -> anyhow::Result<Outcome> {
    let answer = match (&args.completion, &args.prediction) {
        (Some(text), _) => Answer::Completion(text),
        (None, Some(text)) => Answer::Prediction(text),
        (None, None) => anyhow::bail!("give --completion or --prediction beside --reference"),
    };
    let explained = grader.explain("", answer, reference, args.question.as_deref());
    let answer = ScoredAnswer {
        id: &Value::Null,
        sample: None,
        reference,
    };
    print(args, &answer, &explained)?;
    Ok(Outcome::Done)
}

/// Which answer an explanation is of.
struct ScoredAnswer<'a> {
    id: &'a Value,
    /// From 0, where several completions were drawn for a problem.
    sample: Option<u32>,
    reference: &'a str,
}

impl ScoredAnswer<'_> {
    fn name(&self) -> Option<String> {
        let id = match self.id {
            Value::Null => return None,
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        Some(match self.sample {
            None => id,
            Some(sample) => format!("{id}, sample {sample}"),
        })
    }

    fn json(&self, explained: &Explained) -> Value {
        let mut value = json!({
            "id": self.id, "reference": self.reference, "official": explained.official, "strict": explained.strict,
            "profile": explained.profile, "explanation": explained.explanation
        });
        if let Some(sample) = self.sample {
            value["sample"] = sample.into();
        }
        value
    }
}

fn print(args: &Args, answer: &ScoredAnswer<'_>, explained: &Explained) -> anyhow::Result<()> {
    let printing = args.output.printing;
    match (printing.quiet, printing.json) {
        (true, _) => Ok(()),
        (false, true) => terminal::print_as_it_is(&format!("{}\n", answer.json(explained))),
        (false, false) => terminal::print(&reporting::explanation_text(
            answer.name().as_deref(),
            answer.reference,
            explained,
        )),
    }
}
