//! Rotary position encoding in the half-rotation layout of Hugging Face checkpoints: element `i` of a head is paired
//! with element `i + head_dim / 2`. Frequencies agree with transformers 5.23 `modeling_rope_utils.py`, f32 throughout.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use crate::config::{ModelConfig, RopeScaling};

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

/// The rotation of each row of a step: `(cos, sin)` of every pair, `[rows, head_dim / 2]`.
pub(crate) struct Rotation {
    pairs: Vec<(f32, f32)>,
    half: usize,
}

impl Rotation {
    pub(crate) fn new(frequencies: &[f32], positions: impl Iterator<Item = usize>) -> Self {
        let mut pairs = Vec::new();
        for position in positions {
            pairs.extend(frequencies.iter().map(|&frequency| {
                // The angle is rounded to f32 as in transformers; its sine and cosine are as good as f32 can hold.
                let (sin, cos) = f64::from(position as f32 * frequency).sin_cos();
                (cos as f32, sin as f32)
            }));
        }
        Self { pairs, half: frequencies.len() }
    }

    /// Rotates the first `heads` heads of every row and leaves the rest of the row as it is.
    ///
    /// # Shapes
    /// `x` `[rows, width]` with `width ≥ heads · head_dim`, to the same, f32.
    pub(crate) fn apply(&self, x: &Tensor, heads: usize) -> Result<Tensor> {
        x.apply_op1_no_bwd(&Rotate { rotation: self, heads })
    }
}

struct Rotate<'a> {
    rotation: &'a Rotation,
    heads: usize,
}

impl CustomOp1 for Rotate<'_> {
    fn name(&self) -> &'static str {
        "rotate"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (rows, width) = layout.shape().dims2()?;
        let half = self.rotation.half;
        let Some((start, end)) = layout.contiguous_offsets() else { bail!("rotate needs contiguous tensors") };
        if rows * half != self.rotation.pairs.len() || self.heads * 2 * half > width {
            bail!("{rows} rows of {width} elements do not fit the rotation");
        }
        let mut out = storage.as_slice::<f32>()?[start..end].to_vec();
        let rows_per_task = 64;
        out.par_chunks_mut(rows_per_task * width).zip(self.rotation.pairs.par_chunks(rows_per_task * half)).for_each(
            |(out, pairs)| {
                for (row, pairs) in out.chunks_exact_mut(width).zip(pairs.chunks_exact(half)) {
                    for head in row.chunks_exact_mut(2 * half).take(self.heads) {
                        let (first, second) = head.split_at_mut(half);
                        for ((a, b), &(cos, sin)) in first.iter_mut().zip(second).zip(pairs) {
                            (*a, *b) = (*a * cos - *b * sin, *b * cos + *a * sin);
                        }
                    }
                }
            },
        );
        Ok((CpuStorage::F32(out), (rows, width).into()))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{D, Device};

    use super::*;

    #[test]
    fn agrees_with_candle() {
        let frequencies = [1.0, 0.25, 0.0625, 0.01];
        let positions = [0usize, 3, 77, 1000];
        let x = Tensor::randn(0f32, 1f32, (4, 40), &Device::Cpu).unwrap();
        let found = Rotation::new(&frequencies, positions.into_iter()).apply(&x, 3).unwrap();

        let positions = Tensor::new(&[0f32, 3.0, 77.0, 1000.0], &Device::Cpu).unwrap();
        let angles = positions.unsqueeze(1).unwrap().matmul(&Tensor::new(&[frequencies], &Device::Cpu).unwrap());
        let angles = angles.unwrap();
        let angles = Tensor::cat(&[&angles, &angles], 1).unwrap().unsqueeze(1).unwrap();
        let heads = x.narrow(1, 0, 24).unwrap().reshape((4, 3, 8)).unwrap();
        let (first, second) = (heads.narrow(2, 0, 4).unwrap(), heads.narrow(2, 4, 4).unwrap());
        let turned = Tensor::cat(&[&second.neg().unwrap(), &first], D::Minus1).unwrap();
        let expected = (heads.broadcast_mul(&angles.cos().unwrap()).unwrap()
            + turned.broadcast_mul(&angles.sin().unwrap()).unwrap())
        .unwrap();
        let expected = Tensor::cat(&[&expected.reshape((4, 24)).unwrap(), &x.narrow(1, 24, 16).unwrap()], 1).unwrap();
        let worst: f32 = (found - expected).unwrap().abs().unwrap().max_all().unwrap().to_scalar().unwrap();
        assert!(worst < 1e-5, "differs by {worst}");
    }

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
