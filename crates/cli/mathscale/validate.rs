//! `mwpbench mathscale validate`: whether the solutions are right, as far as a model can tell.

use std::num::NonZeroU32;

use clap::ValueEnum;
use mathscale::{OnWrong, Project, ValidatePlan, ValidationMethod};

use super::{StageArgs, note_already_there};
use crate::asking::AskingArgs;
use crate::exit::Outcome;
use crate::generator::GeneratorArgs;
use crate::{interruption, progress, screen};

/// Judge the solutions of the pairs by a second model, or by several solutions of which most agree.
/// Optional.
///
/// By reference, as in the paper: the model solves each question, then judges the pair's solution
/// against its own. With --consistency K it only solves, K times, and the answer of most solutions
/// counts, equal answers put together by the strict scorer.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    stage: StageArgs,
    #[command(flatten)]
    generator: GeneratorArgs,
    /// Draw K solutions of each question and take the answer that most reach, in place of a
    /// reference and a judgement; needs --temperature.
    #[arg(long, value_name = "K")]
    consistency: Option<NonZeroU32>,
    /// What becomes of a solution that is wrong.
    #[arg(long, value_enum, default_value_t = OnWrongName::Replace)]
    on_wrong: OnWrongName,
    #[command(flatten)]
    asking: AskingArgs,
    #[command(flatten)]
    telling: screen::Telling,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum OnWrongName {
    /// The model's own solution takes its place.
    Replace,
    /// The pair is set aside.
    Drop,
    /// It stays, marked as rejected.
    Keep,
}

pub fn run(args: Args) -> anyhow::Result<Outcome> {
    interruption::listen()?;
    let wrapping = args.asking.wrapping()?;
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
        decoding: args.asking.decoding(&[])?,
        attempts: args.asking.attempts,
        render: &render,
        rendering: wrapping.digest(),
        fresh: args.stage.fresh,
    };
    let mut project = Project::open_to_write(&args.stage.place.project)?;
    let mut generator = args.generator.open()?;
    let mut display = progress::Display::new(args.telling.quiet, plan.decoding.max_tokens);
    let outcome = mathscale::validate(&mut project, &plan, generator.as_mut(), &mut |progress| {
        display.update(progress);
        interruption::may_go_on()
    })?;
    match outcome.already_there {
        true => note_already_there(&outcome.record, args.telling.quiet),
        false => display.finish(),
    }
    args.telling
        .tell(&outcome, || reporting::validated_text(&outcome))?;
    Ok(Outcome::Done)
}
