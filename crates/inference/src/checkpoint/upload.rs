//! From tensors to the weights of a model on a device, a piece at a time: the CPU needs no memory
//! for a second copy of them.

use std::marker::PhantomData;

use candle_core::{DType, Device, Tensor, WithDType};
use half::bf16;

use super::tensors::Tensors;
use super::weights::{Loader, WeightForm, WeightLoader, load};
use crate::backend::Backend;
use crate::config::ModelConfig;
#[cfg(any(test, feature = "cuda"))]
use crate::cuda::{CudaBackend, Runner, address};
use crate::device::{DeviceBackend, DeviceLinear};
use crate::error::Error;
use crate::kernels::{Compute, Shared};
use crate::kv_cache::dtype;
use crate::model::Weights;
use crate::tensor_source::Stored;

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
    ) -> Result<Weights<DeviceBackend>, Error> {
        let uploader = Uploader {
            loader: Loader {
                tensors: self,
                form,
                compute,
            },
            device,
            output: DType::F32,
            #[cfg(any(test, feature = "cuda"))]
            runner: None,
            backend: PhantomData,
        };
        load(&uploader, config)
    }

    /// The same for the kernels of a GPU, all matrices in the precision of `compute`.
    ///
    /// # Errors
    /// Those of [`Self::upload`].
    #[cfg(any(test, feature = "cuda"))]
    pub(crate) fn upload_for_kernels(
        &self,
        config: &ModelConfig,
        form: WeightForm,
        compute: &Compute,
        runner: &dyn Runner,
    ) -> Result<Weights<CudaBackend>, Error> {
        let uploader = Uploader {
            loader: Loader {
                tensors: self,
                form,
                compute,
            },
            device: runner.device(),
            output: dtype(compute.precision),
            runner: Some(runner),
            backend: PhantomData,
        };
        load(&uploader, config)
    }
}

struct Uploader<'a, B> {
    loader: Loader<'a>,
    device: &'a Device,
    /// Of the output matrix.
    output: DType,
    /// Copies without a kernel of candle, which the driver would have to compile.
    #[cfg(any(test, feature = "cuda"))]
    runner: Option<&'a dyn Runner>,
    backend: PhantomData<B>,
}

impl<B> Uploader<'_, B> {
    /// Vectors one after the other, each value with `offset` added: `[sum of their lengths]`, f32.
    fn vectors(&self, names: &[String], offset: f32) -> Result<Tensor, Error> {
        let parts = names
            .iter()
            .map(|name| self.loader.values(name))
            .collect::<Result<Vec<_>, _>>()?;
        let mut values = parts.concat();
        values.iter_mut().for_each(|value| *value += offset);
        let length = values.len();
        Ok(Tensor::from_vec(values, length, self.device)?)
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
                let (rows, to) = ((start, count), (&whole, first + start));
                match dtype {
                    // Narrowed on the CPU, so that half as many bytes are sent.
                    DType::BF16 => self.copy(part, rows, to, bf16::from_f32)?,
                    _ => self.copy(part, rows, to, |value| value)?,
                }
            }
            first += part.shape[0];
            part.release();
        }
        Ok(whole)
    }

    /// Copies `count` rows of a matrix from row `start` on to row `first` of a tensor.
    fn copy<T: WithDType + Default + Send>(
        &self,
        stored: &Stored,
        (start, count): (usize, usize),
        (whole, first): (&Tensor, usize),
        narrowed: impl Fn(f32) -> T + Sync,
    ) -> Result<(), Error> {
        let width = whole.dim(1)?;
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
        #[cfg(any(test, feature = "cuda"))]
        if let Some(runner) = self.runner {
            let at = address(whole)? + (first * width * size_of::<T>()) as u64;
            // SAFETY: numbers without padding; the tensor has these rows.
            unsafe {
                let bytes = std::slice::from_raw_parts(
                    values.as_ptr().cast::<u8>(),
                    size_of_val(values.as_slice()),
                );
                runner.write(at, bytes)?;
            }
            return Ok(());
        }
        let piece = Tensor::from_vec(values, (count, width), self.device)?;
        whole.slice_set(&piece, 0, first)?;
        Ok(())
    }
}

impl<B> WeightLoader for Uploader<'_, B>
where
    B: Backend<Vector = Tensor, Linear = DeviceLinear, Table = Tensor>,
{
    type Backend = B;

    fn vector(&self, name: &str, offset: f32) -> Result<Tensor, Error> {
        self.vectors(&[name.to_string()], offset)
    }

    /// Biases are f32.
    fn linear(&self, names: &[String], bias: bool) -> Result<DeviceLinear, Error> {
        let named = |what: &str| {
            names
                .iter()
                .map(|name| format!("{name}.{what}"))
                .collect::<Vec<_>>()
        };
        let bias = bias
            .then(|| self.vectors(&named("bias"), 0.0))
            .transpose()?;
        let dtype = dtype(self.loader.compute.precision);
        Ok(DeviceLinear {
            weight: self.matrix(&named("weight"), dtype)?,
            bias,
        })
    }

    /// Gates, then ups.
    fn gate_up(&self, names: &[String], bias: bool) -> Result<DeviceLinear, Error> {
        self.linear(names, bias)
    }

    fn table(&self, name: &str) -> Result<Tensor, Error> {
        let dtype = dtype(self.loader.compute.precision);
        self.matrix(&[name.to_string()], dtype)
    }

    /// For candle in f32 also where other matrices are bf16: a product is rounded to the dtype of
    /// its factors, and among logits rounded to bf16 the best are often equal.
    fn output(&self, name: &str) -> Result<DeviceLinear, Error> {
        Ok(DeviceLinear {
            weight: self.matrix(&[name.to_string()], self.output)?,
            bias: None,
        })
    }
}
