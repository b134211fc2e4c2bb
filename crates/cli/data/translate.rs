//! `mwpbench data translate`: Chinese problems into English ones.

use std::path::{Path, PathBuf};

use dataset_loader::{Benchmark, UNTRANSLATED_FOLDER};

use crate::asking::{AskingArgs, with_progress};
use crate::exit::Outcome;
use crate::generator::GeneratorArgs;
use crate::min_usable::MinUsable;
use crate::{data_folder, heading, interruption, terminal};

/// Translate problems that wait in Chinese (Math23k, Ape210k, GAOKAO-Bench, AGIEval-Gaokao) into
/// English through a model.
///
/// A translation is accepted only where no Chinese is left and every number and formula of the
/// original is there; else the model is asked again with the fault, and at last the problem is
/// rejected. Replies are kept: the same command continues.
#[derive(clap::Args)]
pub struct Args {
    /// A set whose import waits in the data folder, or a file in MwpBench's record form.
    #[arg(value_name = "SET|FILE")]
    input: PathBuf,
    #[command(flatten)]
    generator: GeneratorArgs,
    /// File to write, which is replaced; SET.jsonl in the data folder without it, and for a file one
    /// beside it with `.en` in its name.
    #[arg(help_heading = heading::OUTPUT, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Folder of the replies; the input's name with `.translation` without it.
    #[arg(help_heading = heading::OUTPUT, long, value_name = "DIR")]
    work_dir: Option<PathBuf>,
    #[command(flatten)]
    asking: AskingArgs,
    #[command(flatten)]
    min_usable: MinUsable,
    /// Name every problem that was left out.
    #[arg(help_heading = heading::OUTPUT, long)]
    all: bool,
    #[command(flatten)]
    printing: terminal::PrintArgs,
}

pub fn run(mut args: Args) -> anyhow::Result<Outcome> {
    interruption::listen()?;
    let benchmark = Benchmark::published();
    let wrapping = args.asking.wrapping(Some(&mut args.generator))?;
    let paths = args.paths(&benchmark)?;
    let render = |instruction: &str| wrapping.render(instruction);
    let plan = translation::TranslationPlan {
        input: &paths.input,
        output: &paths.output,
        folder: &paths.work,
        decoding: args.asking.decoding()?,
        attempts: args.asking.attempts,
        max_refused: args.asking.max_refused(),
        max_rejected: args.asking.max_rejected(),
        render: &render,
        rendering: wrapping.digest(),
    };
    let mut generator = wrapping.open(&args.generator)?;
    let max_tokens = plan.decoding.max_tokens;
    let (quiet, price) = (args.printing.quiet, args.asking.price);
    let translated = with_progress(quiet, max_tokens, price, |on_progress| {
        let generator = generator.as_mut();
        Ok(translation::translate(
            &benchmark,
            &plan,
            generator,
            on_progress,
        )?)
    })?;
    args.printing.print(&translated, || {
        reporting::translation_text(&translated, args.all)
    })?;
    let (written, read) = (translated.written as u64, translated.read as u64);
    Ok(args.min_usable.of_counts("translation", written, read))
}

struct Paths {
    input: PathBuf,
    output: PathBuf,
    work: PathBuf,
}

impl Args {
    /// All paths; that the output has a place of its own is checked here, before anything is asked.
    fn paths(&self, benchmark: &Benchmark) -> anyhow::Result<Paths> {
        let name = self.input.to_string_lossy();
        let is_set = benchmark.sets().iter().any(|set| set.name == name);
        let (input, default) = match (is_set, data_folder::path()) {
            (false, _) => (self.input.clone(), beside(&self.input)),
            (true, Some(folder)) => {
                let input = folder
                    .join(UNTRANSLATED_FOLDER)
                    .join(format!("{name}.jsonl"));
                anyhow::ensure!(
                    input.exists(),
                    "there is no {}: import the publisher's file first (`mwpbench data import {name} FILE`)",
                    input.display()
                );
                (input, folder.join(format!("{name}.jsonl")))
            }
            (true, None) => anyhow::bail!(
                "this system names no data directory: give a file, or set MWPBENCH_HOME"
            ),
        };
        let output = self.output.clone().unwrap_or(default);
        if let (true, Some(folder)) = (is_set, output.parent()) {
            let set = benchmark.expect_set(&name)?;
            let is_task = |task: &str| set.tasks.iter().any(|own| own.name == task);
            dataset_loader::check_alone(benchmark, folder, &output, is_task)?;
        }
        let work = self
            .work_dir
            .clone()
            .unwrap_or_else(|| input.with_extension("translation"));
        Ok(Paths {
            input,
            output,
            work,
        })
    }
}

/// `gaokao.jsonl` → `gaokao.en.jsonl`.
fn beside(input: &Path) -> PathBuf {
    input.with_extension("en.jsonl")
}
