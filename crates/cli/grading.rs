//! `--profile`: the scoring profile of the strict scorer.

use dataset_loader::Benchmark;
use evaluation::{Grader, GraderError};

use crate::heading;

/// Which profile the strict scorer follows.
#[derive(clap::Args)]
#[command(next_help_heading = heading::SCORING)]
pub struct ProfileArgs {
    /// Scoring profile of the strict scorer: strict, choice, exact, or a file; each set's own
    /// without it.
    #[arg(long, env = "MWPBENCH_PROFILE", value_name = "NAME|FILE")]
    profile: Option<String>,
}

impl ProfileArgs {
    /// The scorers by this profile.
    pub fn grader(&self, benchmark: &Benchmark) -> Result<Grader, GraderError> {
        grader(benchmark, self.profile.as_deref())
    }
}

/// The scorers, the strict one by the profile of that name or file; without one, each set by its
/// own.
pub fn grader(benchmark: &Benchmark, profile: Option<&str>) -> Result<Grader, GraderError> {
    match profile {
        Some(name) => Grader::with_profile(benchmark, name),
        None => Ok(Grader::new(benchmark)),
    }
}
