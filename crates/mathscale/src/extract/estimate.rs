//! What extraction by a model would take.

use super::by_model::ModelPlan;
use super::prompt::instruction;
use crate::estimate::Estimate;
use crate::tokens::estimated_tokens;

/// New tokens of a reply with two topics and five knowledge points, of ten words each.
const REPLY_TOKENS: usize = 140;

/// What [`super::extract_by_model`] would take; nothing is asked and nothing is written.
pub fn estimate_extraction(plan: &ModelPlan<'_>) -> Estimate {
    let asking = &plan.asking;
    let (items, max) = (plan.seeds.len(), asking.decoding.max_tokens);
    let prompts = plan.seeds.iter().map(|seed| {
        let instruction = instruction(&seed.question, plan.form, None);
        estimated_tokens(&(asking.render)(&instruction)) as u64
    });
    Estimate {
        items,
        requests: items,
        max_requests: items * asking.attempts.get() as usize,
        prompt_tokens: prompts.sum(),
        completion_tokens: (items * REPLY_TOKENS.min(max)) as u64,
        max_completion_tokens: (items * max) as u64,
        usual: "with two topics and five knowledge points",
    }
}
