//! `mwpbench mathscale generate`: compositions → pairs of question and solution.

use std::num::NonZeroUsize;

use anyhow::Context;
use mathscale::{GeneratePlan, Project, Stage};

use super::StageArgs;
use super::estimate::EstimateArgs;
use super::optional_generator::OptionalGenerator;
use crate::asking::{AskingArgs, with_progress};
use crate::exit::Outcome;
use crate::heading;
use crate::min_usable::MinUsable;

/// Have a model write a question with its solution for each composition, with the nearest seeds as
/// few-shot examples.
///
/// A reply that cannot be parsed is asked again with the reason, and at last rejected. Every reply
/// is kept: the same command continues where it was stopped.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    stage: StageArgs,
    #[command(flatten)]
    min_usable: MinUsable,
    /// Take the first N compositions only.
    #[arg(help_heading = heading::DATA, long, value_name = "N")]
    limit: Option<NonZeroUsize>,
    /// End the stage although some compositions could not be generated; they are rejected.
    #[arg(help_heading = heading::PROJECT, long)]
    without_failed: bool,
    #[command(flatten)]
    generator: OptionalGenerator,
    /// Few-shot examples: the seeds whose knowledge points are nearest to the composition's by
    /// Jaccard distance.
    #[arg(help_heading = heading::PROMPT, long, default_value_t = 3, value_name = "K")]
    examples: usize,
    #[command(flatten)]
    asking: AskingArgs,
    #[command(flatten)]
    estimate: EstimateArgs,
}

pub fn run(mut args: Args) -> anyhow::Result<Outcome> {
    let wrapping = args.asking.wrapping(args.generator.0.as_mut())?;
    let render = |instruction: &str| wrapping.render(instruction);
    let plan = GeneratePlan {
        examples: args.examples,
        asking: args.asking.of_stage(&render, &wrapping)?,
        limit: args.limit.map(NonZeroUsize::get),
        without_failed: args.without_failed,
        fresh: args.stage.fresh,
    };
    let (price, printing) = (args.asking.price, &args.stage.printing);
    if args.estimate.dry_run {
        let project = Project::open(&args.stage.place.project)?;
        let estimate = mathscale::estimate_generation(&project, &plan)?;
        let estimating = &args.estimate;
        return estimating.print(&estimate, "composition", price, printing);
    }
    let generator = args.generator.0.as_ref();
    let generator = generator.context("generate needs --model, unless it is a --dry-run")?;
    super::run_stage(
        &args.stage,
        |project| {
            let mut generator = wrapping.open(generator)?;
            let max_tokens = plan.asking.decoding.max_tokens;
            with_progress(printing.quiet, max_tokens, price, |on_progress| {
                let generator = generator.as_mut();
                Ok(mathscale::generate(project, &plan, generator, on_progress)?)
            })
        },
        |outcome| reporting::generated_text(outcome, price.as_ref()),
        |record| args.min_usable.outcome(Stage::Generate, record),
    )
}
