//! `mwpbench mathscale compose`: graph → compositions.

use std::num::NonZeroU64;

use mathscale::{ComposePlan, WalkOptions};

use super::StageArgs;
use super::counter::Counter;
use crate::exit::Outcome;
use crate::interruption;

/// Compose topics and knowledge points by random walks in the graph: unique, and the same for any
/// number of threads.
///
/// compositions.jsonl has an object a line, with sorted `topics` and `knowledge_points`. Where the
/// graph gives fewer than asked for, the number reached is printed.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    stage: StageArgs,
    /// Compositions to find; a smaller number gives the start of a larger one's file.
    #[arg(long, value_name = "N")]
    count: NonZeroU64,
    /// Random seed of the walks.
    #[arg(long, env = "MWPBENCH_SEED", default_value_t = 0, value_name = "N")]
    seed: u64,
    /// Threads; one a core without it. Never changes the result.
    #[arg(long, env = "MWPBENCH_THREADS", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let plan = ComposePlan {
        walks: WalkOptions {
            count: args.count.get(),
            seed: args.seed,
        },
        threads: args.threads.map_or(0, usize::from),
        fresh: args.stage.fresh,
    };
    let mut counter = Counter::new(args.stage.printing.quiet);
    super::run_stage(
        &args.stage,
        |project| {
            let outcome = mathscale::compose(project, &plan, &mut |progress| {
                counter.update(|elapsed| {
                    format!(
                        "{}/{} compositions, {} walks, {:.0} s",
                        progress.found,
                        progress.count,
                        progress.walks,
                        elapsed.as_secs_f64()
                    )
                });
                interruption::may_go_on()
            })?;
            counter.finish();
            if let Some(shortfall) = &outcome.details.shortfall {
                eprintln!("note: {shortfall}");
            }
            Ok(outcome)
        },
        reporting::composed_text,
        |_| Outcome::Done,
    )
}
