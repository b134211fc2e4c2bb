//! `mwpbench mathscale extract`: seeds → topics and knowledge points.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use dataset_loader::Benchmark;
use evaluation::STOP_STRINGS;
use mathscale::{
    AnnotationPlan, ExtractOutcome, Input, Merging, ModelPlan, Project, Seed, Settling,
};

use super::optional_generator::OptionalGenerator;
use super::{StageArgs, note_already_there};
use crate::asking::AskingArgs;
use crate::exit::Outcome;
use crate::{data_folder, interruption, progress, screen};

/// Find the topics and knowledge points of seed questions: those that a file carries, or those that
/// a model names.
///
/// Names that differ in case, white space or trailing punctuation are one; concepts of a single
/// seed are taken out. concepts.json lists what became of every name.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    stage: StageArgs,
    /// File whose records carry their concepts: `knowledge_point_routes` as TAL-SCQ5K has them, or
    /// lists `topics` and `knowledge_points`.
    #[arg(long, value_name = "FILE", required_unless_present = "seeds", conflicts_with_all = ["seeds", "model"])]
    from_annotations: Option<PathBuf>,
    /// Questions that a model reads: the training split of a set in the data folder, or a file with
    /// question and answer; needs --model.
    #[arg(long, value_name = "SET|FILE", requires = "model")]
    seeds: Option<PathBuf>,
    /// Take names for one: plurals merges singular and plural, hyphens and articles; near also long
    /// words that differ by a letter.
    #[arg(long, value_enum, value_name = "HOW", num_args = 0..=1, require_equals = true, default_value_t = MergeName::None, default_missing_value = "near")]
    merge: MergeName,
    /// Keep concepts that a single seed names.
    #[arg(long)]
    keep_singletons: bool,
    #[command(flatten)]
    generator: OptionalGenerator,
    #[command(flatten)]
    asking: AskingArgs,
    #[command(flatten)]
    telling: screen::Telling,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum MergeName {
    None,
    Plurals,
    Near,
}

pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let outcome = match &args.from_annotations {
        Some(file) => {
            let mut project = Project::open_to_write(&args.stage.place.project)?;
            let plan = AnnotationPlan {
                file: file.clone(),
                settling: args.settling(),
                fresh: args.stage.fresh,
            };
            mathscale::extract_from_annotations(&mut project, &plan)?
        }
        None => by_model(&args)?,
    };
    if outcome.already_there {
        note_already_there(&outcome.record, args.telling.quiet);
    }
    args.telling
        .tell(&outcome, || reporting::extraction_text(&outcome))?;
    Ok(Outcome::Done)
}

fn by_model(args: &Args) -> anyhow::Result<ExtractOutcome> {
    interruption::listen()?;
    let (seeds, source) = args.seeds()?;
    let wrapping = args.asking.wrapping()?;
    let render = |instruction: &str| wrapping.render(instruction);
    let plan = ModelPlan {
        seeds,
        source,
        decoding: args.asking.decoding(&STOP_STRINGS)?,
        attempts: args.asking.attempts,
        render: &render,
        rendering: wrapping.digest(),
        settling: args.settling(),
        fresh: args.stage.fresh,
    };
    let Some(generator) = &args.generator.0 else {
        anyhow::bail!("--seeds needs --model")
    };
    let mut project = Project::open_to_write(&args.stage.place.project)?;
    let mut generator = generator.open()?;
    let mut display = progress::Display::new(args.telling.quiet, plan.decoding.max_tokens);
    let outcome =
        mathscale::extract_by_model(&mut project, &plan, generator.as_mut(), &mut |progress| {
            display.update(progress);
            interruption::may_go_on()
        })?;
    if !outcome.already_there {
        display.finish();
    }
    Ok(outcome)
}

impl Args {
    fn settling(&self) -> Settling {
        let merge = match self.merge {
            MergeName::None => Merging::None,
            MergeName::Plurals => Merging::Plurals,
            MergeName::Near => Merging::Near,
        };
        Settling {
            merge,
            keep_singletons: self.keep_singletons,
        }
    }

    /// The questions: a set's training problems, or those of a file.
    fn seeds(&self) -> anyhow::Result<(Vec<Seed>, Input)> {
        let Some(source) = &self.seeds else {
            anyhow::bail!("give --from-annotations or --seeds")
        };
        let benchmark = Benchmark::published();
        let name = source.to_string_lossy();
        match benchmark.sets().iter().any(|set| set.name == name) {
            true => training_split(&benchmark, &name),
            false => Ok(mathscale::read_seeds(Path::new(source))?),
        }
    }
}

fn training_split(benchmark: &Benchmark, set: &str) -> anyhow::Result<(Vec<Seed>, Input)> {
    let Some(folder) = data_folder::path() else {
        anyhow::bail!("this system names no data directory: give a file, or set MWPBENCH_HOME");
    };
    let (problems, _) = dataset_loader::load_training(benchmark, &folder)?;
    let seeds: Vec<Seed> = problems
        .into_iter()
        .filter(|problem| problem.set == set)
        .map(|problem| Seed {
            id: problem.id,
            question: problem.question,
            answer: problem.reference,
            solution: None,
        })
        .collect();
    anyhow::ensure!(
        !seeds.is_empty(),
        "{} holds no training problem of {set}: fetch or import it first (`mwpbench data fetch`, `mwpbench data import {set} FILE --split train`)",
        folder.display()
    );
    let source = Input::of_seeds(&format!("the training split of {set}"), &seeds);
    Ok((seeds, source))
}
