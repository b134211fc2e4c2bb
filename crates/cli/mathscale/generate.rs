//! `mwpbench mathscale generate`: compositions → pairs of question and solution.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use anyhow::Context;
use mathscale::{GeneratePlan, Prices, Project};
use serde_json::json;

use super::optional_generator::OptionalGenerator;
use super::{StageArgs, note_already_there};
use crate::asking::AskingArgs;
use crate::exit::Outcome;
use crate::{interruption, progress, screen};

/// Have a model write a question with its solution for each composition, with the nearest seeds as
/// examples.
///
/// Replies that cannot be read are asked again with the reason, and at last set aside. Every reply
/// is kept: the same command continues where it was stopped.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    stage: StageArgs,
    #[command(flatten)]
    generator: OptionalGenerator,
    /// Seeds shown as examples: those whose knowledge points are nearest to the composition's by
    /// Jaccard distance.
    #[arg(long, default_value_t = 3, value_name = "K")]
    examples: usize,
    /// Take the first N compositions only.
    #[arg(long, value_name = "N")]
    limit: Option<NonZeroUsize>,
    #[command(flatten)]
    asking: AskingArgs,
    /// End the stage although some compositions could not be generated; they are set aside.
    #[arg(long)]
    without_failed: bool,
    /// Ask nothing: tell how many tokens it would take, and with --prices what they cost.
    #[arg(long)]
    dry_run: bool,
    /// Prices of models in TOML: `currency`, and under `[models."NAME"]` `input` and `output`, the
    /// price of a million tokens.
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
    /// Name of the model in the price file [default: the model's name].
    #[arg(long, value_name = "NAME", requires = "prices")]
    price_of: Option<String>,
    #[command(flatten)]
    telling: screen::Telling,
}

pub fn run(args: Args) -> anyhow::Result<Outcome> {
    interruption::listen()?;
    let wrapping = args.asking.wrapping()?;
    let render = |instruction: &str| wrapping.render(instruction);
    let prices = args.prices.as_deref().map(Prices::read).transpose()?;
    let plan = GeneratePlan {
        examples: args.examples,
        // Nothing in the reply itself may end it: the form has two parts, and models like to put
        // headings over them.
        decoding: args.asking.decoding(&[])?,
        attempts: args.asking.attempts,
        limit: args.limit.map(NonZeroUsize::get),
        render: &render,
        rendering: wrapping.digest(),
        without_failed: args.without_failed,
        fresh: args.stage.fresh,
    };
    if args.dry_run {
        return args.tell_estimate(&plan, prices.as_ref());
    }
    let Some(asked) = &args.generator.0 else {
        anyhow::bail!("generate needs --model, unless it is a --dry-run")
    };
    let mut project = Project::open_to_write(&args.stage.place.project)?;
    let mut generator = asked.open()?;
    let name = args
        .price_of
        .clone()
        .unwrap_or_else(|| generator.info().name);
    let mut display = progress::Display::new(args.telling.quiet, plan.decoding.max_tokens);
    let outcome = mathscale::generate(&mut project, &plan, generator.as_mut(), &mut |progress| {
        display.update(progress);
        interruption::may_go_on()
    })?;
    match outcome.already_there {
        true => note_already_there(&outcome.record, args.telling.quiet),
        false => display.finish(),
    }
    let cost = prices
        .as_ref()
        .map(|prices| outcome.cost(prices, &name))
        .transpose()
        .context("the pairs are written")?;
    let told = json!({ "already_there": outcome.already_there, "record": outcome.record, "set_aside": outcome.set_aside, "cost": cost });
    args.telling
        .tell(&told, || reporting::generated_text(&outcome, cost.as_ref()))?;
    Ok(Outcome::Done)
}

impl Args {
    fn tell_estimate(
        &self,
        plan: &GeneratePlan<'_>,
        prices: Option<&Prices>,
    ) -> anyhow::Result<Outcome> {
        let project = Project::open(&self.stage.place.project)?;
        let estimate = mathscale::estimate_generation(&project, plan)?;
        let name = match (&self.price_of, prices) {
            (Some(name), _) => name,
            (None, None) => "",
            (None, Some(_)) => anyhow::bail!(
                "--dry-run with --prices needs --price-of: which of its models is meant"
            ),
        };
        let cost = |tokens| {
            prices
                .map(|prices| prices.cost(name, estimate.prompt_tokens, tokens))
                .transpose()
        };
        let (cost, most) = (
            cost(estimate.completion_tokens)?,
            cost(estimate.most_completion_tokens)?,
        );
        let told = json!({ "estimate": estimate, "cost": cost, "most_cost": most });
        self.telling.tell(&told, || {
            reporting::estimate_text(&estimate, cost.as_ref(), most.as_ref())
        })?;
        Ok(Outcome::Done)
    }
}
