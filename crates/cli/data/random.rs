//! `mwpbench data random`: some problems at random.
use super::show;
use crate::exit::Outcome;
use crate::suites::suites;
use crate::{data_folder, terminal};
use evaluation::{Protocol, Selection};
use serde_json::json;
use std::num::NonZeroUsize;
use std::time::{SystemTime, UNIX_EPOCH};

/// Show some problems, drawn at random.
#[derive(clap::Args)]
pub struct Args {
    /// How many.
    #[arg(value_name = "N", default_value = "1")]
    count: NonZeroUsize,
    /// Random seed: the same one draws the same problems; another each time without it.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Sets, tasks or suites to draw from, separated by commas; all there are without it, further sets
    /// apart.
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    tasks: Option<Vec<String>>,
    #[command(flatten)]
    source: data_folder::DataArgs,
    #[command(flatten)]
    printing: terminal::PrintArgs,
}

pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let benchmark = args.source.benchmark()?;
    let names = args.tasks.as_deref();
    let suites = suites(&benchmark)?;
    let mut data = match names.is_some_and(|names| suites.asks_further(&benchmark, names)) {
        true => args.source.load_all(&benchmark)?,
        false => args.source.load(&benchmark)?,
    };
    let selection = Selection {
        tasks: suites.resolve(names, &data.problems)?.tasks,
        protocol: Protocol::Full,
        limit: None,
    };
    data.problems = selection.apply(&benchmark, data.problems)?;
    let seed = args.seed.unwrap_or_else(seed_of_the_moment);
    let drawn = data.draw(args.count.get(), seed);
    let values: Vec<_> = drawn
        .iter()
        .map(|problem| show::value(&data, problem))
        .collect();
    args.printing
        .print(&json!({ "seed": seed, "problems": values }), || {
            let mut text: String = drawn
                .iter()
                .map(|problem| format!("{}\n", show::text(&benchmark, &data, problem)))
                .collect();
            text.push_str(&format!(
                "{} of {}; the same again with --seed {seed}\n",
                drawn.len(),
                data.problems.len()
            ));
            text
        })?;
    Ok(Outcome::Done)
}

/// Short enough to be typed.
fn seed_of_the_moment() -> u64 {
    const SEEDS: u128 = 1_000_000;
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    (now.as_micros() % SEEDS) as u64
}
