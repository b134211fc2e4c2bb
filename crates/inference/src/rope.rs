//! Rotary position encoding in the half-rotation layout of Hugging Face checkpoints: element `i` of a head is paired
//! with element `i + head_dim / 2`. Frequencies agree with transformers 5.23 `modeling_rope_utils.py`, f32 throughout.

use crate::config::{ModelConfig, RopeScaling};
use crate::kv_cache::Slot;

/// The angle per position of each pair in a head, `[head_dim / 2]`.
pub(crate) fn frequencies(config: &ModelConfig) -> Vec<f32> {
    let dim = config.head_dim as f32;
    (0..config.head_dim / 2)
        .map(|pair| {
            let exponent = (2 * pair) as f32 / dim;
            // Computed wide and rounded once, so that the last bits of a C library do not show.
            let frequency = 1.0 / f64::from(config.rope_theta).powf(f64::from(exponent)) as f32;
            scale(frequency, config.rope_scaling)
        })
        .collect()
}

fn scale(frequency: f32, scaling: RopeScaling) -> f32 {
    match scaling {
        RopeScaling::Default => frequency,
        RopeScaling::Linear { factor } => frequency / factor,
        RopeScaling::Llama3 { factor, low_freq_factor, high_freq_factor, original_context } => {
            let context = original_context as f32;
            let wavelength = std::f32::consts::TAU / frequency;
            if wavelength < context / high_freq_factor {
                frequency
            } else if wavelength > context / low_freq_factor {
                frequency / factor
            } else {
                let smooth = (context / wavelength - low_freq_factor) / (high_freq_factor - low_freq_factor);
                (1.0 - smooth) * frequency / factor + smooth * frequency
            }
        }
    }
}

/// `(cos, sin)` of every pair in a head, by position; computed once for each position that occurs.
#[derive(Debug)]
pub(crate) struct Rotations {
    frequencies: Vec<f32>,
    /// `[positions, head_dim / 2]`.
    pairs: Vec<(f32, f32)>,
}

impl Rotations {
    pub(crate) fn new(config: &ModelConfig) -> Self {
        Self { frequencies: frequencies(config), pairs: Vec::new() }
    }

    /// The rotation of each row of a step, `[rows, head_dim / 2]`.
    pub(crate) fn of(&mut self, places: &[(Slot, usize)]) -> Vec<(f32, f32)> {
        let half = self.frequencies.len();
        let end = places.iter().map(|(_, position)| position + 1).max().unwrap_or(0);
        for position in self.pairs.len() / half..end {
            self.pairs.extend(self.frequencies.iter().map(|&frequency| {
                // The angle is rounded to f32 as in transformers; its sine and cosine are as good as f32 can hold.
                let (sin, cos) = f64::from(position as f32 * frequency).sin_cos();
                (cos as f32, sin as f32)
            }));
        }
        places.iter().flat_map(|&(_, position)| &self.pairs[position * half..][..half]).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn llama3_scaling_keeps_short_and_divides_long_wavelengths() {
        let scaling =
            RopeScaling::Llama3 { factor: 8.0, low_freq_factor: 1.0, high_freq_factor: 4.0, original_context: 8192 };
        assert_eq!(scale(1.0, scaling), 1.0);
        assert_eq!(scale(1e-6, scaling), 1e-6 / 8.0);
        // Expected value computed by transformers 5.23.
        assert!((scale(0.0015, scaling) - 6.056_169e-4).abs() < 1e-9, "{}", scale(0.0015, scaling));
    }
}
