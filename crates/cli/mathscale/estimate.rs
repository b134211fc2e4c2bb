//! `--dry-run`: what a stage would ask of a model.

use mathscale::{Estimate, TokenPrice};
use serde_json::json;

use crate::exit::Outcome;
use crate::{heading, terminal};

/// Whether to ask, or only to say what it would take.
#[derive(clap::Args)]
#[command(next_help_heading = heading::OUTPUT)]
pub struct EstimateArgs {
    /// Ask nothing: print how many requests and tokens it would take, with --price what they cost and
    /// with --speed how long they take.
    #[arg(long)]
    pub dry_run: bool,
    /// New tokens a second of all requests together, as the progress line shows them, for the time
    /// of a --dry-run.
    #[arg(long, value_name = "TOKENS", requires = "dry_run", value_parser = speed)]
    speed: Option<f64>,
}

fn speed(text: &str) -> Result<f64, String> {
    let speed = text.parse::<f64>().ok();
    let speed = speed.filter(|speed| speed.is_finite() && *speed > 0.0);
    speed.ok_or_else(|| "expected a number above 0".to_string())
}

impl EstimateArgs {
    /// Prints an estimate of a stage that asks about items of this name, such as `composition`.
    pub fn print(
        &self,
        estimate: &Estimate,
        item: &str,
        price: Option<TokenPrice>,
        printing: &terminal::PrintArgs,
    ) -> anyhow::Result<Outcome> {
        let costs = price.map(|price| estimate.costs(&price));
        let times = self.speed.and_then(|speed| estimate.durations(speed));
        let seconds = |place: usize| times.map(|times| times[place].as_secs());
        let mut fields = json!(estimate);
        // The items under their own name, too.
        fields[format!("{}s", item.replace(' ', "_"))] = json!(estimate.items);
        let json = json!({
            "estimate": fields,
            "cost": costs.map(|costs| costs[0]),
            "most_cost": costs.map(|costs| costs[1]),
            "seconds": seconds(0),
            "most_seconds": seconds(1),
        });
        printing.print(&json, || {
            reporting::estimate_text(estimate, item, price.as_ref(), self.speed)
        })?;
        Ok(Outcome::Done)
    }
}
