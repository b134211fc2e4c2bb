//! `mwpbench mathscale extract`: seed questions → topics and knowledge points.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::ValueEnum;
use dataset_loader::Benchmark;
use endpoint::ResponseFormat;
use mathscale::{
    AnnotationPlan, Input, MergeMode, MergeOptions, ModelPlan, ReplyForm, Seed, Stage,
};

use super::StageArgs;
use super::estimate::EstimateArgs;
use super::optional_generator::OptionalGenerator;
use crate::asking::{AskingArgs, with_progress};
use crate::exit::Outcome;
use crate::min_usable::MinUsable;
use crate::{data_folder, heading};

/// Find the topics and knowledge points of seed questions: those that a file carries, or those that
/// a model names.
///
/// Names that differ in case, white space or trailing punctuation are one; concepts of a single
/// seed are removed. concepts.json lists what became of every name.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    stage: StageArgs,
    #[command(flatten)]
    min_usable: MinUsable,
    /// File whose records carry their concepts: `knowledge_point_routes` as TAL-SCQ5K has them, or
    /// lists `topics` and `knowledge_points`.
    #[arg(help_heading = heading::DATA, long, value_name = "FILE", required_unless_present = "seeds", conflicts_with_all = ["seeds", "model"])]
    from_annotations: Option<PathBuf>,
    /// Seed questions that a model reads: the training split of a set in the data folder, or a file
    /// with question and answer; needs --model.
    #[arg(help_heading = heading::DATA, long, value_name = "SET|FILE")]
    seeds: Option<PathBuf>,
    /// Merge names: plurals merges singular and plural, hyphens and articles.
    #[arg(help_heading = heading::CONCEPTS, long, value_enum, value_name = "HOW", num_args = 0..=1, require_equals = true, default_value_t = MergeName::None, default_missing_value = "plurals")]
    merge: MergeName,
    /// Keep concepts of a single seed.
    #[arg(help_heading = heading::CONCEPTS, long)]
    keep_singletons: bool,
    #[command(flatten)]
    generator: OptionalGenerator,
    #[command(flatten)]
    asking: AskingArgs,
    /// auto has a server that is asked in a chat hold replies to a JSON Schema (response_format);
    /// one that does not accept that is asked in words alone.
    #[arg(help_heading = heading::PROMPT, long, value_enum, default_value_t = Structured::Auto, value_name = "HOW")]
    structured: Structured,
    #[command(flatten)]
    estimate: EstimateArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Structured {
    Auto,
    Off,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum MergeName {
    None,
    Plurals,
}

pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let Some(file) = &args.from_annotations else {
        return by_model(args);
    };
    anyhow::ensure!(
        !args.estimate.dry_run,
        "--dry-run says what a model would be asked: --from-annotations asks none"
    );
    let plan = AnnotationPlan {
        file: file.clone(),
        merge: args.merge_options(),
        fresh: args.stage.fresh,
    };
    super::run_stage(
        &args.stage,
        |project| Ok(mathscale::extract_from_annotations(project, &plan)?),
        reporting::extraction_text,
        |record| args.min_usable.outcome(Stage::Extract, record),
    )
}

fn by_model(mut args: Args) -> anyhow::Result<Outcome> {
    let (seeds, source) = args.seeds()?;
    let wrapping = args.asking.wrapping(args.generator.0.as_mut())?;
    let render = |instruction: &str| wrapping.render(instruction);
    let plan = ModelPlan {
        seeds,
        source,
        asking: args.asking.of_stage(&render, &wrapping)?,
        form: args.form(),
        merge: args.merge_options(),
        fresh: args.stage.fresh,
    };
    let (price, printing) = (args.asking.price, &args.stage.printing);
    if args.estimate.dry_run {
        let estimate = mathscale::estimate_extraction(&plan);
        return args.estimate.print(&estimate, "seed", price, printing);
    }
    let generator = args.generator.0.as_ref();
    let generator = generator.context("--seeds needs --model, unless it is a --dry-run")?;
    super::run_stage(
        &args.stage,
        |project| {
            let mut generator = wrapping.open(generator)?;
            let max_tokens = plan.asking.decoding.max_tokens;
            with_progress(printing.quiet, max_tokens, price, |on_progress| {
                let generator = generator.as_mut();
                let outcome = mathscale::extract_by_model(project, &plan, generator, on_progress);
                Ok(outcome?)
            })
        },
        reporting::extraction_text,
        |record| args.min_usable.outcome(Stage::Extract, record),
    )
}

impl Args {
    /// The form that is asked for; a server that is to hold replies to it is made to.
    fn form(&mut self) -> ReplyForm {
        match (self.structured, self.generator.0.as_mut()) {
            (Structured::Auto, Some(generator)) if generator.is_chat_server() => {
                generator.hold_to(ResponseFormat {
                    name: "concepts".to_string(),
                    schema: mathscale::concept_schema(),
                });
                ReplyForm::Json
            }
            _ => ReplyForm::Lines,
        }
    }

    fn merge_options(&self) -> MergeOptions {
        MergeOptions {
            merge: match self.merge {
                MergeName::None => MergeMode::None,
                MergeName::Plurals => MergeMode::Plurals,
            },
            keep_singletons: self.keep_singletons,
        }
    }

    /// The seed questions: a set's training problems, or those of a file.
    fn seeds(&self) -> anyhow::Result<(Vec<Seed>, Input)> {
        let source = self.seeds.as_ref();
        let source = source.context("give --from-annotations or --seeds")?;
        let benchmark = Benchmark::published();
        let name = source.to_string_lossy();
        match benchmark.sets().iter().any(|set| set.name == name) {
            true => training_split(&benchmark, &name),
            false => Ok(mathscale::read_seeds(Path::new(source))?),
        }
    }
}

fn training_split(benchmark: &Benchmark, set: &str) -> anyhow::Result<(Vec<Seed>, Input)> {
    let folder = data_folder::path();
    let folder =
        folder.context("this system names no data directory: give a file, or set MWPBENCH_HOME")?;
    let (problems, _) = dataset_loader::load_training(benchmark, &folder)?;
    let problems = problems.into_iter().filter(|problem| problem.set == set);
    let seeds: Vec<Seed> = problems
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
