//! `mwpbench mathscale validate`: whether the solutions are right, as far as a model can judge.

use std::num::NonZeroU32;

use anyhow::Context;
use clap::ValueEnum;
use mathscale::{OnWrong, Project, Stage, ValidatePlan, ValidationMethod};

use super::StageArgs;
use super::estimate::EstimateArgs;
use super::optional_generator::OptionalGenerator;
use crate::asking::{AskingArgs, with_progress};
use crate::exit::Outcome;
use crate::heading;
use crate::min_usable::MinUsable;

/// Judge the solutions of the pairs by a second model, or by several solutions of which most agree.
/// Optional.
///
/// By reference, as in the paper: the model solves each question, then judges the pair's solution
/// against its own. With --consistency K it only solves, K times, and the answer of most solutions
/// counts, equal answers grouped by the strict scorer.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    stage: StageArgs,
    #[command(flatten)]
    min_usable: MinUsable,
    /// Draw K solutions of each question and take the answer that most reach, in place of a
    /// reference and a judgement; needs --temperature.
    #[arg(help_heading = heading::VALIDATION, long, value_name = "K")]
    consistency: Option<NonZeroU32>,
    /// What becomes of a solution that is wrong.
    #[arg(help_heading = heading::VALIDATION, long, value_enum, default_value_t = OnWrongName::Replace)]
    on_wrong: OnWrongName,
    #[command(flatten)]
    generator: OptionalGenerator,
    #[command(flatten)]
    asking: AskingArgs,
    #[command(flatten)]
    estimate: EstimateArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum OnWrongName {
    /// The model's own solution replaces it.
    Replace,
    /// The pair is rejected.
    Drop,
    /// It stays, marked as rejected.
    Keep,
}

pub fn run(mut args: Args) -> anyhow::Result<Outcome> {
    let wrapping = args.asking.wrapping(args.generator.0.as_mut())?;
    let render = |instruction: &str| wrapping.render(instruction);
    let plan = ValidatePlan {
        method: args
            .consistency
            .map_or(ValidationMethod::Reference, ValidationMethod::Consistency),
        on_wrong: match args.on_wrong {
            OnWrongName::Replace => OnWrong::Replace,
            OnWrongName::Drop => OnWrong::Drop,
            OnWrongName::Keep => OnWrong::Keep,
        },
        asking: args.asking.of_stage(&render, &wrapping)?,
        fresh: args.stage.fresh,
    };
    let (price, printing) = (args.asking.price, &args.stage.printing);
    if args.estimate.dry_run {
        let project = Project::open(&args.stage.place.project)?;
        let estimate = mathscale::estimate_validation(&project, &plan)?;
        return args.estimate.print(&estimate, "pair", price, printing);
    }
    let generator = args.generator.0.as_ref();
    let generator = generator.context("validate needs --model, unless it is a --dry-run")?;
    super::run_stage(
        &args.stage,
        |project| {
            let mut generator = wrapping.open(generator)?;
            let max_tokens = plan.asking.decoding.max_tokens;
            with_progress(printing.quiet, max_tokens, price, |on_progress| {
                let generator = generator.as_mut();
                Ok(mathscale::validate(project, &plan, generator, on_progress)?)
            })
        },
        reporting::validated_text,
        |record| args.min_usable.outcome(Stage::Validate, record),
    )
}
