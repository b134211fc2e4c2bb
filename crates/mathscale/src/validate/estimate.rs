//! What validation would take.

use store::JsonLines;

use super::judgement::ValidationMethod;
use super::prompt;
use super::stage::ValidatePlan;
use crate::error::{Error, ErrorKind};
use crate::estimate::Estimate;
use crate::pair::Pair;
use crate::project::Project;
use crate::stage::{PAIRS, Stage};
use crate::tokens::estimated_tokens;

/// New tokens of a judgement: one or two sentences, and the verdict.
const JUDGEMENT_TOKENS: usize = 80;

/// What [`super::validate`] would take, with solutions as long as those of the pairs; nothing is
/// asked and nothing is written.
///
/// # Errors
/// There are no pairs, or they cannot be read.
pub fn estimate_validation(project: &Project, plan: &ValidatePlan<'_>) -> Result<Estimate, Error> {
    project.input(Stage::Generate, PAIRS)?;
    let file = project.file(PAIRS);
    let mut sum = Estimate {
        usual: "as long as the pairs' own solutions",
        ..Estimate::default()
    };
    for pair in JsonLines::open(&file)? {
        sum += of_pair(&pair?, plan);
    }
    match sum.items {
        0 => Err(Error::in_file(&file, ErrorKind::NoRecords)),
        _ => Ok(sum),
    }
}

fn of_pair(pair: &Pair, plan: &ValidatePlan<'_>) -> Estimate {
    let asking = &plan.asking;
    let max = asking.decoding.max_tokens;
    let tokens = |instruction: String| estimated_tokens(&(asking.render)(&instruction));
    let solve = tokens(prompt::solve(&pair.question, None));
    let solution = estimated_tokens(&pair.solution).clamp(1, max);
    let (requests, prompts, replies) = match plan.method {
        ValidationMethod::Reference => {
            let Pair {
                question,
                solution: own,
                ..
            } = pair;
            let judge = tokens(prompt::judge(question, own, own, None));
            (2, solve + judge, solution + JUDGEMENT_TOKENS.min(max))
        }
        ValidationMethod::Consistency(samples) => {
            let samples = samples.get() as usize;
            (samples, samples * solve, samples * solution)
        }
    };
    Estimate {
        items: 1,
        requests,
        max_requests: requests * asking.attempts.get() as usize,
        prompt_tokens: prompts as u64,
        completion_tokens: replies as u64,
        max_completion_tokens: (requests * max) as u64,
        ..Estimate::default()
    }
}
