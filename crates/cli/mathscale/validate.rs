//! `mwpbench mathscale validate`: whether the solutions are right, as far as a model can tell.

use std::num::{NonZeroU32, NonZeroUsize};

use clap::ValueEnum;
use evaluation::Template;
use generation::Decoding;
use mathscale::{OnWrong, Project, ValidatePlan, ValidationMethod};

use super::{StageArgs, note_already_there};
use crate::decoding::SamplingArgs;
use crate::exit::Outcome;
use crate::generator::GeneratorArgs;
use crate::{interruption, progress, screen};

/// Judge the solutions of the pairs by a second model, or by several solutions of which most agree. Optional.
///
/// By reference, as in the paper: the model solves each question, then judges the pair's solution against its own. With --consistency K it only
/// solves, K times, and the answer of most solutions counts, equal answers put together by the strict scorer.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    stage: StageArgs,
    #[command(flatten)]
    generator: GeneratorArgs,
    /// Draw K solutions of each question and take the answer that most reach, in place of a reference and a judgement; needs --temperature.
    #[arg(long, value_name = "K")]
    consistency: Option<NonZeroU32>,
    /// What becomes of a solution that is wrong.
    #[arg(long, value_enum, default_value_t = OnWrongName::Replace)]
    on_wrong: OnWrongName,
    /// Most replies asked for an item before it stays unjudged.
    #[arg(long, default_value = "3", value_name = "N")]
    attempts: NonZeroU32,
    /// Text around the instruction: alpaca, none, alpaca_cot, alpaca_force_ans, or a text file with {question} in it.
    #[arg(long, env = "MWPBENCH_PROMPT_TEMPLATE", default_value = "alpaca", value_name = "NAME|FILE")]
    prompt_template: String,
    /// Most new tokens of a reply.
    #[arg(long, env = "MWPBENCH_MAX_TOKENS", default_value = "2048", value_name = "N")]
    max_tokens: NonZeroUsize,
    #[command(flatten)]
    sampling: SamplingArgs,
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
    let template = Template::resolve(&args.prompt_template)?;
    let render = |instruction: &str| template.render(instruction).expect("a text around the instruction refuses none");
    let plan = ValidatePlan {
        method: args.consistency.map_or(ValidationMethod::Reference, ValidationMethod::Consistency),
        on_wrong: match args.on_wrong {
            OnWrongName::Replace => OnWrong::Replace,
            OnWrongName::Drop => OnWrong::Drop,
            OnWrongName::Keep => OnWrong::Keep,
        },
        decoding: Decoding {
            max_tokens: args.max_tokens.get(),
            stop: Vec::new(),
            sampling: args.sampling.of_attempts(args.attempts)?,
        },
        attempts: args.attempts,
        render: &render,
        rendering: template.digest(),
        fresh: args.stage.fresh,
    };
    let mut project = Project::open_to_write(&args.stage.place.project)?;
    let mut generator = args.generator.open()?;
    let mut display = progress::Display::new(args.telling.quiet);
    let mut last = evaluation::Progress::default();
    let outcome = mathscale::validate(&mut project, &plan, generator.as_mut(), &mut |progress| {
        display.update(progress);
        last = *progress;
        interruption::may_go_on()
    })?;
    match outcome.already_there {
        true => note_already_there(&outcome.record, args.telling.quiet),
        false => display.finish(&last),
    }
    args.telling.tell(&outcome, || reporting::validated_text(&outcome))?;
    Ok(Outcome::Done)
}
