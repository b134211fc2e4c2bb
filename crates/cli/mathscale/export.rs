//! `mwpbench mathscale export`: training files.

use clap::ValueEnum;
use mathscale::{ExportPlan, Form, Mix, Project};

use super::{StageArgs, note_already_there};
use crate::exit::Outcome;
use crate::{interruption, screen};

/// Write the pairs that were kept as training files: Alpaca JSON, chat JSON Lines, prompt and
/// completion, parquet, and a data card.
///
/// `export/` in the project is a data set as Hugging Face `datasets` loads it. Split and order
/// depend on --seed and a record's id alone.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    stage: StageArgs,
    /// Forms to write, separated by commas [default: all].
    #[arg(long, value_enum, value_delimiter = ',', value_name = "FORM,…")]
    forms: Vec<FormName>,
    /// Share of the records that is held out for validation, from 0 to below 1.
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    validation: f64,
    /// What split, order and draws from other files depend on.
    #[arg(long, env = "MWPBENCH_SEED", default_value_t = 0, value_name = "N")]
    seed: u64,
    /// Other files that go along, such as training splits: all of a file, so many records of it
    /// (FILE=5000) or a share (FILE=20%).
    #[arg(long, num_args = 1.., value_name = "FILE[=N|=P%]")]
    mix: Vec<Mix>,
    /// Title of the data card.
    #[arg(long, default_value = "MathScale training data", value_name = "TEXT")]
    title: String,
    /// Licence for the data card, as Hugging Face names it, such as cc-by-4.0.
    #[arg(long, default_value = "other", value_name = "ID")]
    license: String,
    #[command(flatten)]
    telling: screen::Telling,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FormName {
    /// A JSON array with instruction, input and output.
    Alpaca,
    /// JSON Lines with messages.
    Chat,
    /// JSON Lines with prompt, in the Alpaca template, and completion.
    PromptCompletion,
    /// Question, solution, topics, knowledge points and source.
    Parquet,
}

pub fn run(args: Args) -> anyhow::Result<Outcome> {
    interruption::listen()?;
    let form = |name: &FormName| match name {
        FormName::Alpaca => Form::Alpaca,
        FormName::Chat => Form::Chat,
        FormName::PromptCompletion => Form::PromptCompletion,
        FormName::Parquet => Form::Parquet,
    };
    let plan = ExportPlan {
        forms: args.forms.iter().map(form).collect(),
        validation_share: args.validation,
        seed: args.seed,
        mix: args.mix.clone(),
        title: args.title.clone(),
        license: args.license.clone(),
        fresh: args.stage.fresh,
    };
    let mut project = Project::open_to_write(&args.stage.place.project)?;
    let mut display = super::reading::Display::new(args.telling.quiet);
    let outcome = mathscale::export(&mut project, &plan, &mut |taken| {
        display.update(taken);
        interruption::may_go_on()
    })?;
    display.finish();
    if outcome.already_there {
        note_already_there(&outcome.record, args.telling.quiet);
    }
    args.telling
        .tell(&outcome, || reporting::exported_text(&outcome))?;
    Ok(Outcome::Done)
}
