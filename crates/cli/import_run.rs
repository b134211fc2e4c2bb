//! `mwpbench import-run`: the completions of another program's run, judged here.

use std::path::PathBuf;

use clap::ValueEnum;
use evaluation::{DataIdentity, PUBLISHED_DATA, Summary};
use interchange::{FieldMap, ImportPlan, Imported, KnownProblems, SourceFormat};
use reporting::SummaryTable;

use crate::exit::Outcome;
use crate::tags::TagArgs;
use crate::{data_folder, grading, heading, terminal};

/// Judge the completions of another program's run by both scorers, and keep them as a run folder
/// like any other.
///
/// Reads lm-eval's samples, inspect's logs, the published driver's predictions, NeMo-Skills'
/// outputs, OpenCompass's predictions, and JSON Lines with fields of any names. Items find their
/// problems by their questions; questions of no known set form a set of their own. What the files
/// do not tell of template and decoding is recorded as unknown.
#[derive(clap::Args)]
pub struct Args {
    /// File, or folder of files, of one run.
    #[arg(value_name = "PATH")]
    path: PathBuf,
    /// Whose files they are; found by their content without it.
    #[arg(long, value_enum, value_name = "FORMAT", help_heading = heading::DATA)]
    from: Option<FormatName>,
    /// Which field holds what, in place of where the format has it: completion, reference, question,
    /// prompt, id, task, sample, finish_reason, thinking, model, prompt_tokens, completion_tokens,
    /// correct, error. Dots lead into objects and lists: choices.0.text.
    #[arg(
        long,
        value_name = "KEY=FIELD,…",
        value_delimiter = ',',
        help_heading = heading::DATA
    )]
    map: Vec<String>,
    #[command(flatten)]
    data: data_folder::DataArgs,
    #[command(flatten)]
    scoring: grading::ProfileArgs,
    /// Run folder to make.
    #[arg(long, value_name = "DIR", help_heading = heading::OUTPUT)]
    output_dir: PathBuf,
    #[command(flatten)]
    tags: TagArgs,
    /// Rows for the tasks of each set.
    #[arg(long, help_heading = heading::OUTPUT)]
    by_task: bool,
    #[command(flatten)]
    printing: terminal::PrintArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FormatName {
    /// lm-evaluation-harness 0.4's samples_*.jsonl, with results_*.json beside.
    LmEval,
    /// A log of inspect, .json or .eval.
    Inspect,
    /// *.prediction.json of the published driver.
    Official,
    /// output*.jsonl of NeMo-Skills.
    NemoSkills,
    /// OpenCompass's predictions/MODEL/*.json.
    #[value(name = "opencompass")]
    OpenCompass,
    /// A JSON object a line.
    Jsonl,
}

impl From<FormatName> for SourceFormat {
    fn from(name: FormatName) -> Self {
        match name {
            FormatName::LmEval => Self::LmEval,
            FormatName::Inspect => Self::Inspect,
            FormatName::Official => Self::Official,
            FormatName::NemoSkills => Self::NemoSkills,
            FormatName::OpenCompass => Self::OpenCompass,
            FormatName::Jsonl => Self::JsonLines,
        }
    }
}

pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let map = FieldMap::parse(args.map.iter().map(String::as_str))
        .map_err(|message| anyhow::anyhow!("--map: {message}"))?;
    let source = interchange::read(&args.path, args.from.map(Into::into), &map)?;
    let imported = interchange::import_run(source, args.plan()?)?;
    let grader = args.scoring.grader(&imported.benchmark)?;
    let Imported {
        run,
        benchmark,
        counted,
        notes,
        known,
    } = imported;
    let (problems, identity) = (run.problems.len(), run.identity.clone());
    let summary = evaluation::record_imported(&benchmark, &grader, run, &args.output_dir)?;
    if !args.printing.quiet {
        eprintln!("{known} of {problems} questions are of known sets");
        let unknown = identity
            .imported
            .map(|imported| imported.unknown)
            .unwrap_or_default();
        if !unknown.is_empty() {
            eprintln!("note: the files do not tell: {}", unknown.join(", "));
        }
        for note in &notes {
            eprintln!("note: {note}");
        }
        if let Some((correct, of)) = counted {
            eprintln!("note: {}", counts(correct, of, &summary));
        }
    }
    args.printing.print(&summary, || {
        let layout = SummaryTable {
            width: terminal::width(),
            by_task: args.by_task,
            styled: terminal::styled(),
        };
        reporting::summary_table(&summary, layout)
    })?;
    Ok(Outcome::Done)
}

/// What the other program counts, beside both scorers.
fn counts(correct: usize, of: usize, summary: &Summary) -> String {
    let total = |official: bool| -> usize {
        let sets = summary.sets.iter().map(|set| match official {
            true => set.counts.official.correct,
            false => set.counts.strict.correct,
        });
        sets.sum()
    };
    format!(
        "the files count {correct} of {of} completions as correct; here the official scorer {}, the strict one {}",
        total(true),
        total(false)
    )
}

impl Args {
    fn plan(&self) -> anyhow::Result<ImportPlan> {
        let benchmark = self.data.benchmark()?;
        let data = self.data.load_all(&benchmark)?;
        let (origin, digest) = data.identity(&benchmark, &data.problems);
        let (name, bundled) = DataIdentity::label(&origin);
        let mut environment = std::collections::BTreeMap::new();
        if data_folder::is_published(&benchmark, &origin) {
            environment.insert(PUBLISHED_DATA.to_string(), "true".to_string());
        }
        Ok(ImportPlan {
            known: KnownProblems {
                problems: data.problems,
                name,
                bundled,
                digest,
            },
            benchmark,
            tags: self.tags.tags()?,
            environment,
            version: env!("CARGO_PKG_VERSION").to_string(),
        })
    }
}
