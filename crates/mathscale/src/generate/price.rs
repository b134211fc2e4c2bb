//! What tokens cost, by a price file.
//!
//! ```toml
//! currency = "USD"
//!
//! [models."some-model"]
//! input = 0.5    # a million prompt tokens
//! output = 1.5   # a million new tokens
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};

/// A price file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// In which currency, such as `USD`.
    pub currency: String,
    /// Prices by the model's name.
    pub models: BTreeMap<String, Price>,
}

/// What a model costs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// A million prompt tokens, at least 0.
    pub input: f64,
    /// A million new tokens, at least 0.
    pub output: f64,
}

/// An amount of money.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cost {
    /// How much.
    pub amount: f64,
    /// Of what.
    pub currency: String,
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} {}", self.amount, self.currency)
    }
}

impl Prices {
    /// Reads a price file.
    ///
    /// # Errors
    /// It cannot be read, is not of the form, or has a price below 0.
    pub fn read(file: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(file)
            .map_err(|source| Error::in_file(file, ErrorKind::Unreadable(source)))?;
        let wrong = |message: String| {
            Error::in_file(
                file,
                ErrorKind::Option(format!("not a price file: {message}")),
            )
        };
        let prices: Self = toml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        let is_price = |price: f64| price.is_finite() && price >= 0.0;
        match prices
            .models
            .iter()
            .find(|(_, price)| !(is_price(price.input) && is_price(price.output)))
        {
            Some((model, _)) => Err(wrong(format!(
                "the prices of \"{model}\" must be numbers from 0"
            ))),
            None => Ok(prices),
        }
    }

    /// What so many tokens of a model cost.
    ///
    /// # Errors
    /// The file has no such model.
    pub fn cost(
        &self,
        model: &str,
        prompt_tokens: u64,
        completion_tokens: u64,
    ) -> Result<Cost, Error> {
        let Some(price) = self.models.get(model) else {
            let known: Vec<&str> = self.models.keys().map(String::as_str).collect();
            let known = if known.is_empty() {
                "no model".to_string()
            } else {
                known.join(", ")
            };
            let message = format!(
                "the price file knows no model \"{model}\" (it has {known}): add it under [models]"
            );
            return Err(Error::of(ErrorKind::Option(message)));
        };
        let amount =
            (prompt_tokens as f64 * price.input + completion_tokens as f64 * price.output) / 1e6;
        Ok(Cost {
            amount,
            currency: self.currency.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Prices, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("prices.toml");
        std::fs::write(&file, text).unwrap();
        Prices::read(&file).map_err(|error| error.to_string())
    }

    #[test]
    fn prices_are_of_a_million_tokens() {
        let prices = read("currency = \"EUR\"\n[models.big]\ninput = 2\noutput = 8.5\n").unwrap();
        let cost = prices.cost("big", 1_000_000, 2_000_000).unwrap();
        assert_eq!(cost.to_string(), "19.00 EUR");
        let message = prices.cost("small", 1, 1).unwrap_err().to_string();
        assert!(
            message.contains("knows no model \"small\" (it has big)"),
            "{message}"
        );
    }

    #[test]
    fn what_is_no_price_file_is_refused() {
        for (text, part) in [
            ("currency = 5", "not a price file"),
            (
                "currency = \"EUR\"\n[models.big]\ninput = -1\noutput = 2",
                "\"big\" must be numbers from 0",
            ),
            (
                "currency = \"EUR\"\n[models.big]\ninput = 1\noutput = nan",
                "must be numbers",
            ),
            (
                "currency = \"EUR\"\n[models.big]\ninput = 1\noutput = 2\nprompt = 3",
                "unknown field",
            ),
        ] {
            let message = read(text).unwrap_err();
            assert!(
                message.contains(part) && message.contains("prices.toml"),
                "{message}"
            );
        }
    }
}
