//! `mwpbench export`: a finished run in the files of other programs.

use std::path::PathBuf;

use anyhow::Context;
use clap::ValueEnum;
use interchange::{ExportSettings, FinishedRun, Format, HubTask};

use crate::exit::Outcome;
use crate::read_run::{ReadRun, read_run};
use crate::{heading, output_file, terminal};

/// Write a finished run in the files of another program.
#[derive(clap::Args)]
pub struct Args {
    /// Folder of the run.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Whose files to write.
    #[arg(long, value_enum, help_heading = heading::OUTPUT)]
    format: FormatName,
    /// Folder for the files; made where it is not there.
    #[arg(long, value_name = "DIR", help_heading = heading::OUTPUT)]
    output: PathBuf,
    /// A set as a task of a data set on the Hugging Face Hub, such as
    /// gsm8k=ORGANISATION/DATASET:TASK, for hf-eval-results. Repeat for several.
    #[arg(long = "hub-task", value_name = "SET=DATASET:TASK", value_parser = hub_task, help_heading = heading::OUTPUT)]
    hub_tasks: Vec<HubTask>,
    /// Name of the model on the Hugging Face Hub, for every-eval-ever; the run's own without it.
    #[arg(long, value_name = "ORGANISATION/NAME", help_heading = heading::OUTPUT)]
    model_id: Option<String>,
    #[command(flatten)]
    replace: output_file::ReplaceArgs,
}

fn hub_task(text: &str) -> Result<HubTask, String> {
    let parts = text.split_once('=').and_then(|(set, rest)| {
        let (dataset, task) = rest.rsplit_once(':')?;
        Some([set, dataset, task].map(str::trim))
    });
    match parts {
        Some([set, dataset, task])
            if ![set, dataset, task].contains(&"") && dataset.contains('/') =>
        {
            Ok(HubTask {
                set: set.to_string(),
                dataset: dataset.to_string(),
                task: task.to_string(),
            })
        }
        _ => Err("expected SET=ORGANISATION/DATASET:TASK".to_string()),
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FormatName {
    /// The published driver's: TASK.prediction.json, TASK.metric.json, all.metric.json.
    Official,
    /// lm-evaluation-harness 0.4's: results_DATE.json, samples_TASK_DATE.jsonl.
    LmEval,
    /// metrics.json: a flat object of figures for wandb, MLflow and their like.
    Metrics,
    /// mwpbench.json: a log of inspect, for its viewer.
    Inspect,
    /// mwpbench.eval: the same as a zip file, which its viewer opens without reading all of it.
    InspectEval,
    /// .eval_results/SET.yaml of a model repository on the Hugging Face Hub; needs --hub-task.
    HfEvalResults,
    /// The EvalEval coalition's schema, with a line a verdict.
    EveryEvalEver,
    /// items.parquet: a row a completion.
    Parquet,
}

pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let read = read_run(&args.run)?;
    anyhow::ensure!(
        !read.is_unfinished(),
        "{}: it was not finished: {} of {} completions are there and judged. Start its command again",
        args.run.display(),
        read.so_far.verdicts.len(),
        read.so_far.expected
    );
    let ReadRun { folder, so_far, .. } = read;
    let run = FinishedRun {
        manifest: folder.manifest().clone(),
        prompts: folder.prompts(&so_far.problems)?,
        completions: so_far.completions,
        verdicts: so_far.verdicts,
        problems: so_far.problems,
        summary: so_far.summary,
    };
    let format = match args.format {
        FormatName::Official => Format::Official,
        FormatName::LmEval => Format::LmEval,
        FormatName::Metrics => Format::Metrics,
        FormatName::Inspect => Format::Inspect,
        FormatName::InspectEval => Format::InspectEval,
        FormatName::HfEvalResults => Format::HfEvalResults,
        FormatName::EveryEvalEver => Format::EveryEvalEver,
        FormatName::Parquet => Format::Parquet,
    };
    let settings = ExportSettings {
        model_id: args.model_id,
        hub_tasks: args.hub_tasks,
    };
    let export = interchange::export(&run, format, &settings)?;
    std::fs::create_dir_all(&args.output)
        .with_context(|| format!("cannot make the folder {}", args.output.display()))?;
    // All of them looked at before the first is written: half an export is none.
    let files = export.files.iter();
    let files: Vec<(PathBuf, &[u8])> = files
        .map(|file| (args.output.join(&file.name), file.content.as_slice()))
        .collect();
    for (path, content) in &files {
        args.replace.check(path, content)?;
    }
    for (path, content) in &files {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        }
        args.replace.write(path, content)?;
    }
    for note in &export.notes {
        eprintln!("note: {note}");
    }
    terminal::print(&format!(
        "wrote {} to {}\n",
        match files.len() {
            1 => "1 file".to_string(),
            count => format!("{count} files"),
        },
        args.output.display()
    ))?;
    Ok(Outcome::Done)
}
