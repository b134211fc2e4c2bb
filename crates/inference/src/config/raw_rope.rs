//! `rope_scaling` of transformers 4 and `rope_parameters` of transformers 5, as they are written.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::RopeScaling;
use super::raw::{MAX_POSITIONS, invalid, positive, required, unsupported};
use crate::error::Error;

/// `rope_scaling` of transformers 4 or `rope_parameters` of transformers 5.
#[derive(Deserialize)]
#[serde(expecting = "an object of settings")]
pub(super) struct RawRope {
    rope_type: Option<String>,
    r#type: Option<String>,
    pub(super) rope_theta: Option<f64>,
    pub(super) partial_rotary_factor: Option<f64>,
    factor: Option<f64>,
    low_freq_factor: Option<f64>,
    high_freq_factor: Option<f64>,
    original_max_position_embeddings: Option<u64>,
    attention_factor: Option<f64>,
    beta_fast: Option<f64>,
    beta_slow: Option<f64>,
    mscale: Option<f64>,
    mscale_all_dim: Option<f64>,
    truncate: Option<bool>,
    short_factor: Option<Vec<f32>>,
    long_factor: Option<Vec<f32>>,
    pub(super) full_attention: Option<Box<RawRope>>,
    pub(super) sliding_attention: Option<Box<RawRope>>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// RoPE as `config.json` describes it.
pub(super) struct ValidRope {
    pub(super) theta: f32,
    pub(super) scaling: RopeScaling,
    /// The share of a head that is turned.
    pub(super) partial: f64,
    /// LongRoPE's within the original context.
    pub(super) short_factors: Option<Vec<f32>>,
    /// LongRoPE's beyond it.
    pub(super) long_factors: Option<Vec<f32>>,
    /// The base in layers with a window, where it is another.
    pub(super) local_theta: Option<f32>,
}

impl RawRope {
    pub(super) fn kind(&self) -> &str {
        let kind = self.rope_type.as_deref().or(self.r#type.as_deref());
        kind.unwrap_or("default")
    }

    /// # Errors
    /// Rotary positions of their own for some kinds of layers.
    pub(super) fn refuse_kinds_of_layers(&self) -> Result<(), Error> {
        let known = [
            ("full_attention", self.full_attention.is_some()),
            ("sliding_attention", self.sliding_attention.is_some()),
        ];
        let known = known.into_iter().filter(|(_, given)| *given);
        let others = self.others.iter().filter(|(_, value)| value.is_object());
        let mut kinds = known
            .map(|(key, _)| key)
            .chain(others.map(|(key, _)| key.as_str()));
        match kinds.next() {
            Some(key) => Err(unsupported(format!(
                "rotary positions of their own for `{key}` are not supported"
            ))),
            None => Ok(()),
        }
    }

    /// # Errors
    /// A factor that is missing or not positive.
    pub(super) fn short_factors(&self) -> Result<Vec<f32>, Error> {
        factors("short_factor", self.short_factor.as_deref())
    }

    /// # Errors
    /// A factor that is missing or not positive.
    pub(super) fn long_factors(&self) -> Result<Vec<f32>, Error> {
        factors("long_factor", self.long_factor.as_deref())
    }

    /// # Errors
    /// A type that is not implemented, or a number that is missing or not positive.
    pub(super) fn scaling(
        &self,
        positions: usize,
        original: Option<u64>,
    ) -> Result<RopeScaling, Error> {
        let number = |key: &str, value: Option<f64>| match value {
            Some(value) => positive(key, value),
            None => Err(invalid(format!("the rotary scaling lacks `{key}`"))),
        };
        let original = original.or(self.original_max_position_embeddings);
        let original_context = required(
            "original_max_position_embeddings",
            Some(original.unwrap_or(positions as u64)),
            MAX_POSITIONS,
        );
        match self.kind() {
            "default" => Ok(RopeScaling::Default),
            "linear" => Ok(RopeScaling::Linear {
                factor: number("factor", self.factor)?,
            }),
            "dynamic" => {
                let factor = number("factor", self.factor)?;
                if factor < 1.0 {
                    return Err(invalid(format!(
                        "the factor of dynamic rotary scaling is {factor}, below 1"
                    )));
                }
                Ok(RopeScaling::Dynamic {
                    factor,
                    original_context: positions,
                })
            }
            "llama3" => {
                let low_freq_factor = number("low_freq_factor", self.low_freq_factor)?;
                let high_freq_factor = number("high_freq_factor", self.high_freq_factor)?;
                if low_freq_factor >= high_freq_factor {
                    return Err(invalid(format!(
                        "low_freq_factor ({low_freq_factor}) is not below high_freq_factor ({high_freq_factor})"
                    )));
                }
                let factor = number("factor", self.factor)?;
                Ok(RopeScaling::Llama3 {
                    factor,
                    low_freq_factor,
                    high_freq_factor,
                    original_context: original_context?,
                })
            }
            "yarn" => self.yarn(positions, original_context?),
            // Published first as `su`.
            "longrope" | "su" => self.longrope(positions, original_context?),
            other => Err(unsupported(format!(
                "rope type `{other}` is not supported; supported are `default`, `linear`, `dynamic`, `llama3`, `yarn` and `longrope`"
            ))),
        }
    }

    fn longrope(&self, positions: usize, original_context: usize) -> Result<RopeScaling, Error> {
        let (positions, original) = (positions as f64, original_context as f64);
        let factor = self.factor.unwrap_or(positions / original);
        let growth = match factor {
            factor if factor <= 1.0 => 1.0,
            factor => (1.0 + factor.ln() / original.ln()).sqrt(),
        };
        Ok(RopeScaling::LongRope {
            attention_factor: positive(
                "attention_factor",
                self.attention_factor.unwrap_or(growth),
            )?,
            original_context,
        })
    }

    fn yarn(&self, positions: usize, original_context: usize) -> Result<RopeScaling, Error> {
        let factor = self
            .factor
            .unwrap_or(positions as f64 / original_context as f64);
        let factor = positive("factor", factor)?;
        let growth = |scale: f64| match f64::from(factor) {
            factor if factor <= 1.0 => 1.0,
            factor => 0.1 * scale * factor.ln() + 1.0,
        };
        // transformers tests these by Python's truth, so that 0 counts as absent.
        let given = |value: Option<f64>| value.filter(|&value| value != 0.0);
        let attention_factor = match (
            self.attention_factor,
            given(self.mscale),
            given(self.mscale_all_dim),
        ) {
            (Some(attention_factor), ..) => attention_factor,
            (None, Some(mscale), Some(all_dim)) => growth(mscale) / growth(all_dim),
            _ => growth(1.0),
        };
        let (beta_fast, beta_slow) = (
            given(self.beta_fast).unwrap_or(32.0),
            given(self.beta_slow).unwrap_or(1.0),
        );
        Ok(RopeScaling::Yarn {
            factor,
            attention_factor: positive("attention_factor", attention_factor)?,
            beta_fast: positive("beta_fast", beta_fast)?,
            beta_slow: positive("beta_slow", beta_slow)?,
            original_context,
            truncate: self.truncate.unwrap_or(true),
        })
    }
}

/// The factors of LongRoPE under a key.
fn factors(key: &str, given: Option<&[f32]>) -> Result<Vec<f32>, Error> {
    let Some(given) = given else {
        return Err(invalid(format!("the rotary scaling lacks `{key}`")));
    };
    let factors = given.iter().map(|&factor| positive(key, f64::from(factor)));
    factors.collect()
}
