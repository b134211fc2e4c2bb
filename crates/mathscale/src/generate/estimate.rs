//! What generation would take.

use rayon::prelude::*;

use super::task::{GeneratePlan, PairTask};
use crate::error::Error;
use crate::estimate::Estimate;
use crate::project::Project;
use crate::records::Seed;
use crate::tokens::estimated_tokens;

/// What [`super::generate`] would take; nothing is asked and nothing is written.
///
/// # Errors
/// An earlier stage is missing or stale, or its files cannot be read.
pub fn estimate_generation(project: &Project, plan: &GeneratePlan<'_>) -> Result<Estimate, Error> {
    let task = PairTask::read(project, plan)?;
    let compositions = task.compositions.len();
    let prompt = |item: usize| estimated_tokens(&task.instruction(item, None)) as u64;
    let length =
        |seed: &Seed| estimated_tokens(&seed.question) + estimated_tokens(seed.worked_solution());
    let lengths: usize = task.seeds.iter().map(length).sum();
    let max = plan.asking.decoding.max_tokens;
    let mean = (lengths / task.seeds.len().max(1)).clamp(1, max);
    Ok(Estimate {
        items: compositions,
        requests: compositions,
        max_requests: compositions * plan.asking.attempts.get() as usize,
        prompt_tokens: (0..compositions).into_par_iter().map(prompt).sum(),
        completion_tokens: (compositions * mean) as u64,
        max_completion_tokens: (compositions * max) as u64,
        usual: "as long as the seeds",
    })
}
