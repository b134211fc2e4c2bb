//! `mwpbench compare`: two runs over the same items.

use std::path::PathBuf;

use clap::ValueEnum;
use evaluation::{ComparedRun, ComparisonSettings, Contrast, Flips, RunComparison, Scorer};
use reporting::{comparison_text, contrast_text, flips_text};
use statistics::{Bootstrap, Level};

use crate::exit::Outcome;
use crate::{heading, terminal};

/// Compare two runs over the same items: differences of protocol, then of accuracy, with intervals
/// and p-values.
#[derive(clap::Args)]
pub struct Args {
    /// The first run: its folder, or a baseline file.
    #[arg(value_name = "A")]
    a: PathBuf,
    /// The second run; differences are this one less the first.
    #[arg(value_name = "B")]
    b: PathBuf,
    /// Compare only the items that both runs have, where refusing is the rule.
    #[arg(long, help_heading = heading::DATA)]
    common: bool,
    /// Also compare imported runs whose files do not tell template or decoding.
    #[arg(long, help_heading = heading::DATA)]
    allow_unknown: bool,
    /// Scorer whose verdicts count.
    #[arg(
        long,
        value_enum,
        default_value_t = ScorerName::Official,
        help_heading = heading::SCORING
    )]
    scorer: ScorerName,
    /// Significance level: intervals have the confidence 1 − ALPHA.
    #[arg(
        long,
        default_value_t = 0.05,
        value_name = "ALPHA",
        help_heading = heading::SCORING
    )]
    alpha: f64,
    /// Random seed of the bootstrap.
    #[arg(
        long,
        default_value_t = 0,
        value_name = "N",
        help_heading = heading::SCORING
    )]
    seed: u64,
    /// List the items that one run solved and the other did not, at most N of each kind.
    #[arg(
        long,
        value_name = "N",
        num_args = 0..=1,
        default_missing_value = "10",
        help_heading = heading::OUTPUT
    )]
    items: Option<usize>,
    /// One item of both runs side by side, with the first divergence of the completions.
    #[arg(
        long,
        value_name = "ID",
        conflicts_with = "items",
        help_heading = heading::OUTPUT
    )]
    explain: Option<String>,
    /// Which completion of the item, where several were drawn; the first is 0.
    #[arg(
        long,
        requires = "explain",
        default_value_t = 0,
        value_name = "N",
        help_heading = heading::OUTPUT
    )]
    sample: u32,
    /// Print one JSON object instead of text.
    #[arg(long, help_heading = heading::OUTPUT)]
    json: bool,
}

/// Whose verdicts count.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ScorerName {
    /// The published scorer.
    Official,
    /// The scorer that compares values.
    Strict,
}

impl From<ScorerName> for Scorer {
    fn from(name: ScorerName) -> Self {
        match name {
            ScorerName::Official => Self::Official,
            ScorerName::Strict => Self::Strict,
        }
    }
}

pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let level = Level::two_sided(args.alpha)?;
    let settings = ComparisonSettings {
        scorer: args.scorer.into(),
        only_common: args.common,
        allow_unknown: args.allow_unknown,
        bootstrap: Bootstrap {
            seed: args.seed,
            level,
            ..Bootstrap::default()
        },
    };
    let (a, b) = (ComparedRun::open(&args.a)?, ComparedRun::open(&args.b)?);
    if let Some(id) = &args.explain {
        let contrast = Contrast::of(&a, &b, id, args.sample)?;
        match args.json {
            true => terminal::print_json(&contrast)?,
            false => terminal::print_as_it_is(&contrast_text(&contrast))?,
        }
        return Ok(Outcome::Done);
    }
    let comparison = RunComparison::of(&a, &b, &settings)?;
    let flips = args
        .items
        .map(|most| Flips::of(&a, &b, &settings, most))
        .transpose()?;
    if args.json {
        let mut value = serde_json::to_value(&comparison)?;
        if let Some(flips) = &flips {
            value["items"] = serde_json::to_value(flips)?;
        }
        terminal::print_json(&value)?;
    } else {
        terminal::print(&comparison_text(&comparison, terminal::width()))?;
        terminal::print(&flips.as_ref().map(flips_text).unwrap_or_default())?;
    }
    Ok(Outcome::Done)
}
