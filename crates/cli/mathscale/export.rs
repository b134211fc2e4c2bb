//! `mwpbench mathscale export`: training files.

use clap::ValueEnum;
use mathscale::{ExportFormat, ExportPlan, Mix, Stage};

use super::StageArgs;
use super::counter::Counter;
use crate::exit::Outcome;
use crate::interruption;
use crate::min_usable::anything;

/// Write the pairs that were kept as training files: Alpaca JSON, chat JSON Lines, prompt and
/// completion, parquet, and a data card.
///
/// `export/` in the project is a data set as Hugging Face `datasets` loads it. Split and order
/// depend on --seed and a record's id alone.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    stage: StageArgs,
    /// Formats to write, separated by commas; all without it.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "FORM,…")]
    forms: Vec<FormatName>,
    /// Share of the records that is held out for validation, from 0 to below 1.
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    validation: f64,
    /// Random seed of split, order and draws from other files.
    #[arg(long, env = "MWPBENCH_SEED", default_value_t = 0, value_name = "N")]
    seed: u64,
    /// Other files to mix in, such as training splits: all of a file, so many records of it
    /// (FILE=5000) or a share (FILE=20%).
    #[arg(long, num_args = 1.., value_name = "FILE[=N|=P%]")]
    mix: Vec<Mix>,
    /// Title of the data card.
    #[arg(long, default_value_t = ExportPlan::default().title, value_name = "TEXT")]
    title: String,
    /// Licence for the data card, as Hugging Face names it, such as cc-by-4.0.
    #[arg(long, default_value_t = ExportPlan::default().license, value_name = "ID")]
    license: String,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FormatName {
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
    let format = |name: &FormatName| match name {
        FormatName::Alpaca => ExportFormat::Alpaca,
        FormatName::Chat => ExportFormat::Chat,
        FormatName::PromptCompletion => ExportFormat::PromptCompletion,
        FormatName::Parquet => ExportFormat::Parquet,
    };
    let plan = ExportPlan {
        formats: args.forms.iter().map(format).collect(),
        validation_share: args.validation,
        seed: args.seed,
        mix: args.mix.clone(),
        title: args.title.clone(),
        license: args.license.clone(),
        fresh: args.stage.fresh,
    };
    let mut counter = Counter::new(args.stage.printing.quiet);
    super::run_stage(
        &args.stage,
        |project| {
            let outcome = mathscale::export(project, &plan, &mut |records| {
                counter.update(|_| format!("{records} records"));
                interruption::may_go_on()
            })?;
            counter.finish();
            Ok(outcome)
        },
        reporting::exported_text,
        |record| anything(Stage::Export, record),
    )
}
