//! Rotary position embedding (RoPE) in the half-rotation layout of Hugging Face checkpoints:
//! element `i` of a head is paired with element `i + head_dim / 2`. Frequencies agree with
//! transformers 5.23 `modeling_rope_utils.py`, f32 throughout.

use std::sync::{Mutex, PoisonError};

use crate::config::{ModelConfig, RopeScaling};
use crate::row::Row;

/// The angle per position of each pair in a head, `[rotary_dim / 2]`, for a token that is first
/// computed when its sequence has `length` tokens, which matters to dynamic scaling and to LongRoPE.
pub(crate) fn frequencies(config: &ModelConfig, length: usize) -> Vec<f32> {
    let dim = config.rotary_dim as f64;
    let theta = f64::from(config.rope_theta);
    let base = match config.rope_scaling {
        RopeScaling::Dynamic {
            factor,
            original_context,
        } => {
            let (factor, original) = (f64::from(factor), original_context as f64);
            let growth = factor * original.max(length as f64) / original - (factor - 1.0);
            theta * growth.powf(dim / (dim - 2.0))
        }
        _ => theta,
    };
    let factors = match config.restart_length() {
        Some(original) if length > original => &config.long_rope_factors,
        _ => &config.rope_factors,
    };
    (0..config.rotary_dim / 2)
        .map(|pair| {
            let exponent = (2 * pair) as f32 / config.rotary_dim as f32;
            // Computed wide and rounded once, so that the last bits of a C library do not show.
            let divisor = base.powf(f64::from(exponent)) as f32;
            let factor = factors.as_ref().map_or(1.0, |factors| factors[pair]);
            match config.rope_scaling {
                RopeScaling::LongRope { .. } => 1.0 / (factor * divisor),
                _ => scale(pair, divisor, config) / factor,
            }
        })
        .collect()
}

/// The frequency of a pair, `1 / divisor` before scaling.
fn scale(pair: usize, divisor: f32, config: &ModelConfig) -> f32 {
    let frequency = 1.0 / divisor;
    match config.rope_scaling {
        RopeScaling::Default | RopeScaling::Dynamic { .. } | RopeScaling::LongRope { .. } => {
            frequency
        }
        RopeScaling::Linear { factor } => frequency / factor,
        RopeScaling::Llama3 {
            factor,
            low_freq_factor,
            high_freq_factor,
            original_context,
        } => {
            let context = original_context as f32;
            let wavelength = std::f32::consts::TAU / frequency;
            if wavelength < context / high_freq_factor {
                frequency
            } else if wavelength > context / low_freq_factor {
                frequency / factor
            } else {
                let smooth =
                    (context / wavelength - low_freq_factor) / (high_freq_factor - low_freq_factor);
                (1.0 - smooth) * frequency / factor + smooth * frequency
            }
        }
        RopeScaling::Yarn {
            factor,
            beta_fast,
            beta_slow,
            original_context,
            truncate,
            ..
        } => {
            let dim = config.rotary_dim as f64;
            // The pair that turns so many times within the original context.
            let pair_of = |turns: f32| {
                let wavelength =
                    original_context as f64 / (f64::from(turns) * std::f64::consts::TAU);
                dim * wavelength.ln() / (2.0 * f64::from(config.rope_theta).ln())
            };
            let (mut low, mut high) = (pair_of(beta_fast), pair_of(beta_slow));
            if truncate {
                (low, high) = (low.floor(), high.ceil());
            }
            (low, high) = (low.max(0.0), high.min(dim - 1.0));
            // As transformers keeps the ramp from dividing by zero.
            if low == high {
                high += 0.001;
            }
            let ramp = ((pair as f64 - low) / (high - low)).clamp(0.0, 1.0) as f32;
            let kept = 1.0 - ramp;
            1.0 / (factor * divisor) * (1.0 - kept) + frequency * kept
        }
    }
}

/// The RoPE tables of a model: the main one, then that of layers with a window, where it is another
/// (see [`ModelConfig::layer_rope`]).
#[derive(Debug)]
pub(crate) struct Ropes(Vec<Mutex<RopeTable>>);

impl Ropes {
    pub(crate) fn new(config: &ModelConfig) -> Self {
        let mut tables = vec![RopeTable::new(config)];
        if let Some(rope_theta) = config.local_rope_theta {
            tables.push(RopeTable::new(&ModelConfig {
                rope_theta,
                rope_scaling: RopeScaling::Default,
                rope_factors: None,
                long_rope_factors: None,
                ..config.clone()
            }));
        }
        Self(tables.into_iter().map(Mutex::new).collect())
    }

    /// `(cos, sin)` of each rotated pair of a head for each row, by each table: `[rows, pairs]`.
    pub(crate) fn cos_sin(&self, rows: &[Row]) -> Vec<Vec<(f32, f32)>> {
        let positions = || {
            rows.iter().map(|row| RopePosition {
                position: row.position,
                length: row.length,
            })
        };
        // A panic while the lock was held leaves a sound table: positions are added whole.
        let table = |table: &Mutex<RopeTable>| {
            let mut table = table.lock().unwrap_or_else(PoisonError::into_inner);
            table.of(positions())
        };
        self.0.iter().map(table).collect()
    }
}

/// Where a token stands, as far as RoPE goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RopePosition {
    pub(crate) position: usize,
    /// Tokens that its sequence had when this one was first computed: the prompt's, or up to this
    /// one; of a sequence that was computed anew (LongRoPE) those that it had then or more.
    pub(crate) length: usize,
}

/// `(cos, sin)` of every pair in a head, by position; computed once for each position that occurs.
#[derive(Debug)]
pub(crate) struct RopeTable {
    config: ModelConfig,
    /// Those of sequences within the trained context.
    frequencies: Vec<f32>,
    /// `[positions, rotary_dim / 2]`, by those frequencies.
    pairs: Vec<(f32, f32)>,
}

impl RopeTable {
    pub(crate) fn new(config: &ModelConfig) -> Self {
        Self {
            config: config.clone(),
            frequencies: frequencies(config, 0),
            pairs: Vec::new(),
        }
    }

    /// `(cos, sin)` of each pair for each row of a step: `[rows, rotary_dim / 2]`.
    pub(crate) fn of(&mut self, positions: impl Iterator<Item = RopePosition>) -> Vec<(f32, f32)> {
        let half = self.frequencies.len();
        let mut all = Vec::new();
        let mut longer: Option<(usize, Vec<f32>)> = None;
        for RopePosition { position, length } in positions {
            if length <= self.config.static_rope_length() {
                while self.pairs.len() / half <= position {
                    let next = cos_sin(
                        &self.frequencies,
                        self.pairs.len() / half,
                        self.config.rope_scaling,
                    );
                    self.pairs.extend(next);
                }
                all.extend_from_slice(&self.pairs[position * half..][..half]);
                continue;
            }
            // Rows of one prompt have one length and come together: the last one is enough to
            // remember.
            if longer.as_ref().is_none_or(|(known, _)| *known != length) {
                longer = Some((length, frequencies(&self.config, length)));
            }
            if let Some((_, frequencies)) = &longer {
                all.extend(cos_sin(frequencies, position, self.config.rope_scaling));
            }
        }
        all
    }
}

/// `(cos, sin)` of every pair at a position.
fn cos_sin(frequencies: &[f32], position: usize, scaling: RopeScaling) -> Vec<(f32, f32)> {
    let factor = match scaling {
        RopeScaling::Yarn {
            attention_factor, ..
        }
        | RopeScaling::LongRope {
            attention_factor, ..
        } => attention_factor,
        _ => 1.0,
    };
    let pair = |&frequency: &f32| {
        // The angle is rounded to f32 as in transformers; its sine and cosine are as good as f32
        // can hold.
        let (sin, cos) = f64::from(position as f32 * frequency).sin_cos();
        (cos as f32 * factor, sin as f32 * factor)
    };
    frequencies.iter().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn llama3_scaling_keeps_short_and_divides_long_wavelengths() {
        let json = r#"{"model_type": "llama", "hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1,
            "vocab_size": 8, "num_attention_heads": 1, "rope_scaling": {"rope_type": "llama3", "factor": 8.0,
            "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}}"#;
        let config = ModelConfig::parse(json.as_bytes(), None).unwrap();
        let scaled = |frequency: f32| scale(0, 1.0 / frequency, &config);
        assert_eq!(scaled(1.0), 1.0);
        assert!((scaled(1e-6) - 1e-6 / 8.0).abs() < 1e-13);
        // Expected value computed by transformers 5.23.
        assert!(
            (scaled(0.0015) - 6.056_169e-4).abs() < 1e-9,
            "{}",
            scaled(0.0015)
        );
    }
}
