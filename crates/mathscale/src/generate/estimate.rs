//! What generation would take: tokens, and by a price what they cost.

use std::str::FromStr;

use rayon::prelude::*;
use serde::Serialize;

use super::task::{GeneratePlan, PairTask};
use crate::error::Error;
use crate::project::Project;
use crate::records::Seed;
use crate::tokens::estimated_tokens;

/// The tokens that the stage would take, by [`estimated_tokens`] and one attempt a composition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GenerationEstimate {
    /// Compositions.
    pub compositions: usize,
    /// Tokens of all prompts.
    pub prompt_tokens: u64,
    /// New tokens, where replies are as long as the seeds with their solutions are on average; at
    /// most `max_completion_tokens`.
    pub completion_tokens: u64,
    /// New tokens, where every reply is as long as it may be.
    #[serde(rename = "most_completion_tokens")]
    pub max_completion_tokens: u64,
}

/// What tokens cost, in any currency.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TokenPrice {
    /// A million prompt tokens, at least 0.
    pub input: f64,
    /// A million new tokens, at least 0.
    pub output: f64,
}

impl TokenPrice {
    /// What so many tokens cost.
    pub fn cost(&self, prompt_tokens: u64, completion_tokens: u64) -> f64 {
        (prompt_tokens as f64 * self.input + completion_tokens as f64 * self.output) / 1e6
    }
}

impl FromStr for TokenPrice {
    type Err = String;

    /// `0.5,1.5`: a million prompt tokens, a million new tokens.
    fn from_str(text: &str) -> Result<Self, String> {
        let price = |text: &str| {
            let price = text.trim().parse::<f64>().ok();
            price.filter(|price| price.is_finite() && *price >= 0.0)
        };
        let prices = text.split_once(',');
        let prices = prices.and_then(|(input, output)| Some((price(input)?, price(output)?)));
        let (input, output) = prices.ok_or(
            "expected the price of a million prompt tokens and of a million new tokens, such as 0.5,1.5",
        )?;
        Ok(Self { input, output })
    }
}

/// What [`super::generate`] would take; nothing is asked and nothing is written.
///
/// # Errors
/// An earlier stage is missing or stale, or its files cannot be read.
pub fn estimate_generation(
    project: &Project,
    plan: &GeneratePlan<'_>,
) -> Result<GenerationEstimate, Error> {
    let task = PairTask::read(project, plan)?;
    let compositions = task.compositions.len();
    let prompt = |item: usize| estimated_tokens(&task.instruction(item, None)) as u64;
    let length =
        |seed: &Seed| estimated_tokens(&seed.question) + estimated_tokens(seed.worked_solution());
    let lengths: usize = task.seeds.iter().map(length).sum();
    let max = plan.asking.decoding.max_tokens;
    let mean = (lengths / task.seeds.len().max(1)).clamp(1, max);
    Ok(GenerationEstimate {
        compositions,
        prompt_tokens: (0..compositions).into_par_iter().map(prompt).sum(),
        completion_tokens: (compositions * mean) as u64,
        max_completion_tokens: (compositions * max) as u64,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_of_a_million_tokens() {
        let price: TokenPrice = "2, 8.5".parse().unwrap();
        assert_eq!(price.cost(1_000_000, 2_000_000), 19.0);
        for text in ["", "1", "-1,2", "1,nan", "1,2,3", "1;2"] {
            assert!(text.parse::<TokenPrice>().is_err(), "{text}");
        }
    }
}
