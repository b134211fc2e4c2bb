//! `--profile`: which scoring profile judges.

use dataset_loader::Benchmark;
use evaluation::{Grader, GraderError};

/// The scorers, the strict one by the profile of that name or file; without one, each set by its
/// own.
pub fn grader(benchmark: &Benchmark, profile: Option<&str>) -> Result<Grader, GraderError> {
    match profile {
        Some(name) => Grader::with_profile(benchmark, name),
        None => Ok(Grader::new(benchmark)),
    }
}
