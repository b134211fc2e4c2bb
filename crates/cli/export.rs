//! `mwpbench export`: a finished run in the files of other programs.

use std::path::PathBuf;

use anyhow::Context;
use clap::ValueEnum;
use evaluation::RunFolder;
use interchange::{FinishedRun, Format};

use crate::exit::Outcome;
use crate::{edited, heading, output_file, terminal};

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
    #[command(flatten)]
    replace: output_file::ReplaceArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FormatName {
    /// The published driver's: TASK.prediction.json, TASK.metric.json, all.metric.json.
    Official,
    /// lm-evaluation-harness 0.4's: results_DATE.json, samples_TASK_DATE.jsonl.
    LmEval,
    /// metrics.json: a flat object of figures for wandb, MLflow and their like.
    Metrics,
}

pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let folder = RunFolder::open(&args.run)?;
    edited::warn(&args.run);
    let summary = folder
        .summary()
        .context("the run has no summary: it was not finished, start its command again")?;
    let problems = folder.problems()?;
    let prompts = folder.prompts(&problems)?;
    let run = FinishedRun {
        manifest: folder.manifest().clone(),
        prompts,
        completions: folder.completions()?,
        verdicts: folder.verdicts()?,
        problems,
        summary,
    };
    let format = match args.format {
        FormatName::Official => Format::Official,
        FormatName::LmEval => Format::LmEval,
        FormatName::Metrics => Format::Metrics,
    };
    let export = interchange::export(&run, format)?;
    std::fs::create_dir_all(&args.output)
        .with_context(|| format!("cannot make the folder {}", args.output.display()))?;
    // All of them looked at before the first is written: half an export is none.
    let files = export.files.iter();
    let files: Vec<(PathBuf, &[u8])> = files
        .map(|file| (args.output.join(&file.name), file.content.as_bytes()))
        .collect();
    for (path, content) in &files {
        args.replace.check(path, content)?;
    }
    for (path, content) in &files {
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
