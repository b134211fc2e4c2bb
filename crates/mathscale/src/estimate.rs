//! What a stage would ask of a model: requests and tokens, and by a price and a speed what they cost
//! and how long they take.

use std::ops::AddAssign;
use std::str::FromStr;
use std::time::Duration;

use serde::Serialize;

/// What a stage would take, with one attempt at each request; tokens by
/// [`crate::estimated_tokens`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Estimate {
    /// Items: seed questions, compositions or pairs.
    pub items: usize,
    /// Requests, where no reply is refused.
    pub requests: usize,
    /// Requests, where every attempt is needed.
    #[serde(rename = "most_requests")]
    pub max_requests: usize,
    /// Tokens of all prompts.
    pub prompt_tokens: u64,
    /// New tokens, where replies are as long as usual; at most `max_completion_tokens`.
    pub completion_tokens: u64,
    /// New tokens, where every reply is as long as it may be.
    #[serde(rename = "most_completion_tokens")]
    pub max_completion_tokens: u64,
    /// What replies as long as usual are.
    pub usual: &'static str,
}

impl Estimate {
    /// How long its new tokens take at so many a second: as long as usual, and at most. `None` for a
    /// speed that is not above 0, or times that no clock has.
    pub fn durations(&self, tokens_per_s: f64) -> Option<[Duration; 2]> {
        let duration = |tokens: u64| Duration::try_from_secs_f64(tokens as f64 / tokens_per_s).ok();
        let usual = duration(self.completion_tokens)?;
        Some([usual, duration(self.max_completion_tokens)?])
    }

    /// What its tokens cost: with replies as long as usual, and at most.
    pub fn costs(&self, price: &TokenPrice) -> [f64; 2] {
        let cost = |tokens| price.cost(self.prompt_tokens, tokens);
        [
            cost(self.completion_tokens),
            cost(self.max_completion_tokens),
        ]
    }
}

impl AddAssign for Estimate {
    /// What both take; the words are those of the first.
    fn add_assign(&mut self, other: Self) {
        self.items += other.items;
        self.requests += other.requests;
        self.max_requests += other.max_requests;
        self.prompt_tokens += other.prompt_tokens;
        self.completion_tokens += other.completion_tokens;
        self.max_completion_tokens += other.max_completion_tokens;
    }
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

    #[test]
    fn times_follow_from_the_new_tokens_and_a_speed() {
        let estimate = Estimate {
            completion_tokens: 3_000,
            max_completion_tokens: 60_000,
            ..Estimate::default()
        };
        let seconds = |speed| Some(estimate.durations(speed)?.map(|time| time.as_secs()));
        assert_eq!(seconds(100.0), Some([30, 600]));
        assert_eq!(
            (seconds(0.0), seconds(-1.0), seconds(f64::NAN)),
            (None, None, None)
        );
    }
}
