//! From tensors to the weights of a model on a device, a piece at a time: the CPU needs no memory
//! for a second copy of them.

use candle_core::{DType, Device, Tensor, WithDType};
use half::bf16;

use super::stored::Stored;
use super::tensors::{EMBEDDING, FINAL_NORM, OUTPUT, Tensors};
use super::weights::{Loader, WeightForm};
use crate::config::ModelConfig;
use crate::device::{self, DeviceLayer, DeviceLinear, DeviceWeights};
use crate::error::Error;
use crate::kernels::{Compute, Shared};

/// Values that are uploaded at a time: 64 MiB in f32.
const PIECE: usize = 16 << 20;

/// Rows that a thread widens at a time.
const ROWS: usize = 16;

impl Tensors {
    /// Checks all values and uploads them to a device in the precision of `compute`; the output
    /// matrix in f32.
    ///
    /// # Errors
    /// [`ErrorKind::Weights`](crate::ErrorKind::Weights) naming the tensor when a value is not
    /// finite, [`ErrorKind::Backend`](crate::ErrorKind::Backend) when the device has no memory.
    pub(crate) fn upload(
        &self,
        config: &ModelConfig,
        form: WeightForm,
        compute: &Compute,
        device: &Device,
    ) -> Result<DeviceWeights, Error> {
        let uploader = Uploader {
            loader: Loader {
                tensors: self,
                form,
                compute,
            },
            device,
        };
        let dtype = device::dtype(compute.precision);
        let layers = (0..config.layers).map(|layer| {
            let attention =
                |projection: &str| format!("model.layers.{layer}.self_attn.{projection}");
            let feed_forward = |projection: &str| format!("model.layers.{layer}.mlp.{projection}");
            let norm =
                |norm: &str| uploader.vector(&[format!("model.layers.{layer}.{norm}.weight")]);
            let ModelConfig {
                qkv_bias,
                attention_output_bias,
                mlp_bias,
                qk_norm,
                ..
            } = *config;
            let qk_norms = match qk_norm {
                true => Some([norm("self_attn.q_norm")?, norm("self_attn.k_norm")?]),
                false => None,
            };
            Ok(DeviceLayer {
                attention_norm: norm("input_layernorm")?,
                qkv: uploader.linear(
                    &["q_proj", "k_proj", "v_proj"].map(attention),
                    qkv_bias,
                    dtype,
                )?,
                qk_norms,
                attention_out: uploader.linear(
                    &[attention("o_proj")],
                    attention_output_bias,
                    dtype,
                )?,
                feed_forward_norm: norm("post_attention_layernorm")?,
                gate_up: uploader.linear(
                    &["gate_proj", "up_proj"].map(feed_forward),
                    mlp_bias,
                    dtype,
                )?,
                down: uploader.linear(&[feed_forward("down_proj")], mlp_bias, dtype)?,
            })
        });
        let layers = layers.collect::<Result<_, Error>>()?;
        let (embedding, output) = match config.tied {
            true => (None, EMBEDDING),
            false => (
                Some(uploader.matrix(&[EMBEDDING.to_string()], dtype)?),
                OUTPUT,
            ),
        };
        let output = uploader.matrix(&[output.to_string()], DType::F32)?;
        Ok(DeviceWeights {
            embedding,
            layers,
            final_norm: uploader.vector(&[FINAL_NORM.to_string()])?,
            output,
        })
    }
}

struct Uploader<'a> {
    loader: Loader<'a>,
    device: &'a Device,
}

impl Uploader<'_> {
    /// Vectors one after the other: `[sum of their lengths]`, f32.
    fn vector(&self, names: &[String]) -> Result<Tensor, Error> {
        let parts = names
            .iter()
            .map(|name| self.loader.vector(name))
            .collect::<Result<Vec<_>, _>>()?;
        let values = parts.concat();
        let length = values.len();
        Ok(Tensor::from_vec(values, length, self.device)?)
    }

    /// Matrices over the same inputs, one below the other, `[sum of outputs, inputs]`, and their
    /// biases `[sum of outputs]`, f32.
    fn linear(&self, names: &[String], bias: bool, dtype: DType) -> Result<DeviceLinear, Error> {
        let named = |what: &str| {
            names
                .iter()
                .map(|name| format!("{name}.{what}"))
                .collect::<Vec<_>>()
        };
        let bias = bias.then(|| self.vector(&named("bias"))).transpose()?;
        Ok(DeviceLinear {
            weight: self.matrix(&named("weight"), dtype)?,
            bias,
        })
    }

    /// Matrices over the same inputs, one below the other: `[sum of outputs, inputs]`.
    fn matrix(&self, names: &[String], dtype: DType) -> Result<Tensor, Error> {
        let parts = names
            .iter()
            .map(|name| self.loader.checked(name))
            .collect::<Result<Vec<_>, _>>()?;
        let (rows, width) = (
            parts.iter().map(|part| part.shape[0]).sum::<usize>(),
            parts[0].shape[1],
        );
        let whole = Tensor::zeros((rows, width), dtype, self.device)?;
        let (mut first, at_a_time) = (0, (PIECE / width).max(1));
        for part in parts {
            for start in (0..part.shape[0]).step_by(at_a_time) {
                let count = at_a_time.min(part.shape[0] - start);
                let piece = match dtype {
                    // Narrowed on the CPU, so that half as many bytes are sent.
                    DType::BF16 => self.piece(part, start, (count, width), bf16::from_f32),
                    _ => self.piece(part, start, (count, width), |value| value),
                };
                whole.slice_set(&piece?, 0, first + start)?;
            }
            first += part.shape[0];
            part.release();
        }
        Ok(whole)
    }

    /// `count` rows of a matrix from row `start` on: `[count, width]`.
    fn piece<T: WithDType + Default + Send>(
        &self,
        stored: &Stored,
        start: usize,
        (count, width): (usize, usize),
        narrowed: impl Fn(f32) -> T + Sync,
    ) -> Result<Tensor, Error> {
        let mut values = vec![T::default(); count * width];
        let (to, rounding) = (Shared::new(&mut values), self.loader.form.rounding);
        self.loader
            .compute
            .threads
            .for_each(count.div_ceil(ROWS), |_, task| {
                let mut wide = vec![0f32; width];
                for row in task * ROWS..((task + 1) * ROWS).min(count) {
                    stored.row(start + row, rounding, &mut wide);
                    // SAFETY: each row is one task's.
                    let to = unsafe { to.slice(row * width, width) };
                    to.iter_mut()
                        .zip(&wide)
                        .for_each(|(to, &value)| *to = narrowed(value));
                }
            });
        Ok(Tensor::from_vec(values, (count, width), self.device)?)
    }
}
