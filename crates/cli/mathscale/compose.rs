//! `mwpbench mathscale compose`: graph → compositions.

use std::io::{IsTerminal, stderr};
use std::num::NonZeroU64;
use std::time::{Duration, Instant};

use mathscale::{ComposePlan, Project, Search, SearchProgress};

use super::{StageArgs, note_already_there};
use crate::exit::Outcome;
use crate::{interruption, screen};

/// Compose topics and knowledge points by random walks in the graph: unique, and the same for any
/// number of threads.
///
/// compositions.jsonl has an object a line, with sorted `topics` and `knowledge_points`. A graph
/// that has no more to give says so with the number reached.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    stage: StageArgs,
    /// Compositions to find; a smaller number gives the start of a larger one's file.
    #[arg(long, value_name = "N")]
    count: NonZeroU64,
    /// Which random numbers to walk with.
    #[arg(long, env = "MWPBENCH_SEED", default_value_t = 0, value_name = "N")]
    seed: u64,
    /// Threads; never changes the result [default: all cores].
    #[arg(long, env = "MWPBENCH_THREADS", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    #[command(flatten)]
    telling: screen::Telling,
}

pub fn run(args: Args) -> anyhow::Result<Outcome> {
    interruption::listen()?;
    let mut project = Project::open_to_write(&args.stage.place.project)?;
    let plan = ComposePlan {
        search: Search {
            count: args.count.get(),
            seed: args.seed,
        },
        threads: args.threads.map_or(0, usize::from),
        fresh: args.stage.fresh,
    };
    let mut display = Display::new(args.telling.quiet);
    let outcome = mathscale::compose(&mut project, &plan, &mut |progress| {
        display.update(progress);
        interruption::may_go_on()
    })?;
    display.finish();
    if outcome.already_there {
        note_already_there(&outcome.record, args.telling.quiet);
    }
    if let Some(shortfall) = &outcome.shortfall {
        eprintln!("note: {shortfall}");
    }
    args.telling
        .tell(&outcome, || reporting::composed_text(&outcome))?;
    Ok(Outcome::Done)
}

/// On a terminal a line that changes, elsewhere one every few seconds.
struct Display {
    started: Instant,
    last: Instant,
    every: Duration,
    shows: bool,
    on_terminal: bool,
}

impl Display {
    fn new(quiet: bool) -> Self {
        let on_terminal = stderr().is_terminal();
        let every = if on_terminal {
            Duration::from_millis(200)
        } else {
            Duration::from_secs(5)
        };
        Self {
            started: Instant::now(),
            last: Instant::now(),
            every,
            shows: !quiet,
            on_terminal,
        }
    }

    fn update(&mut self, progress: SearchProgress) {
        if !self.shows || self.last.elapsed() < self.every {
            return;
        }
        self.last = Instant::now();
        let SearchProgress {
            count,
            found,
            walks,
        } = progress;
        let line = format!(
            "{found}/{count} compositions, {walks} walks, {:.0} s",
            self.started.elapsed().as_secs_f64()
        );
        match self.on_terminal {
            true => eprint!("\r{line}\u{1b}[K"),
            false => eprintln!("{line}"),
        }
    }

    fn finish(&self) {
        if self.shows && self.on_terminal {
            eprint!("\r\u{1b}[K");
        }
    }
}
