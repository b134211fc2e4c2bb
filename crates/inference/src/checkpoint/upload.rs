//! From tensors to the weights of a model on a device, a piece at a time: the CPU needs no memory
//! for a second copy of them.

use std::marker::PhantomData;
#[cfg(any(test, feature = "cuda"))]
use std::sync::OnceLock;

use candle_core::{DType, Device, Tensor, WithDType};
use half::bf16;

use super::tensors::Tensors;
use super::weights::{Loader, WeightForm, WeightLoader, load};
use crate::config::ModelConfig;
#[cfg(any(test, feature = "cuda"))]
use crate::cuda::{BlockMatrix, BlockTiles, CudaBackend, CudaLinear, CudaMatrix, Runner, address};
use crate::device::{DeviceBackend, DeviceLinear};
use crate::error::Error;
#[cfg(any(test, feature = "cuda"))]
use crate::kernels::WeightFormat;
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
        let uploader = Uploader::<DeviceBackend> {
            loader: Loader {
                tensors: self,
                form,
                compute,
            },
            device,
            #[cfg(any(test, feature = "cuda"))]
            runner: None,
            backend: PhantomData,
        };
        load(&uploader, config)
    }

    /// The same for the kernels of a GPU, all matrices in the format of `form`.
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
        let uploader = Uploader::<CudaBackend> {
            loader: Loader {
                tensors: self,
                form,
                compute,
            },
            device: runner.device(),
            runner: Some(runner),
            backend: PhantomData,
        };
        load(&uploader, config)
    }
}

struct Uploader<'a, B> {
    loader: Loader<'a>,
    device: &'a Device,
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

impl<B> Uploader<'_, B> {
    /// What all matrices and tables but the output matrix have.
    fn dtype(&self) -> DType {
        dtype(self.loader.compute.precision)
    }

    /// Biases are f32.
    fn biases(&self, names: &[String], bias: bool) -> Result<Option<Tensor>, Error> {
        let biases = bias.then(|| self.vectors(&named(names, "bias"), 0.0));
        biases.transpose()
    }

    fn table(&self, name: &str) -> Result<Tensor, Error> {
        self.matrix(&[name.to_string()], self.dtype())
    }
}

fn named(names: &[String], what: &str) -> Vec<String> {
    names.iter().map(|name| format!("{name}.{what}")).collect()
}

impl WeightLoader for Uploader<'_, DeviceBackend> {
    type Backend = DeviceBackend;

    fn vector(&self, name: &str, offset: f32) -> Result<Tensor, Error> {
        self.vectors(&[name.to_string()], offset)
    }

    fn linear(&self, names: &[String], bias: bool) -> Result<DeviceLinear, Error> {
        Ok(DeviceLinear {
            weight: self.matrix(&named(names, "weight"), self.dtype())?,
            bias: self.biases(names, bias)?,
        })
    }

    fn table(&self, name: &str) -> Result<Tensor, Error> {
        self.table(name)
    }

    /// In f32 also where other matrices are bf16: a product is rounded to the dtype of its factors,
    /// and among logits rounded to bf16 the best are often equal.
    fn output(&self, name: &str) -> Result<DeviceLinear, Error> {
        Ok(DeviceLinear {
            weight: self.matrix(&[name.to_string()], DType::F32)?,
            bias: None,
        })
    }
}

#[cfg(any(test, feature = "cuda"))]
impl Uploader<'_, CudaBackend> {
    /// Matrices over the same inputs, one below the other, in the format that was asked for.
    fn formatted(&self, names: &[String]) -> Result<CudaMatrix, Error> {
        match (self.loader.form.format, self.runner) {
            (WeightFormat::Q8, Some(runner)) => Ok(CudaMatrix::Blocks(self.blocks(names, runner)?)),
            _ => Ok(CudaMatrix::Numbers(self.matrix(names, self.dtype())?)),
        }
    }

    /// The same in blocks of 8-bit integers.
    fn blocks(&self, names: &[String], runner: &dyn Runner) -> Result<BlockMatrix, Error> {
        let parts = names
            .iter()
            .map(|name| self.loader.checked(name))
            .collect::<Result<Vec<_>, _>>()?;
        let outputs = parts.iter().map(|part| part.shape[0]).sum();
        let shape = (outputs, parts[0].shape[1]);
        let WeightForm {
            rounding, format, ..
        } = self.loader.form;
        let cells = |mut output: usize, to: &mut [u32]| {
            for part in &parts {
                match output.checked_sub(part.shape[0]) {
                    None => return part.cells(output, rounding, format, to),
                    Some(rest) => output = rest,
                }
            }
        };
        let matrix = BlockMatrix::new(runner, shape)?;
        let (tiles, threads) = (BlockMatrix::tiles_of(outputs), &self.loader.compute.threads);
        let at_a_time = (PIECE / BlockMatrix::bytes((32, shape.1))).max(1) * 2;
        for first in (0..tiles).step_by(at_a_time) {
            let count = at_a_time.min(tiles - first);
            let made: Vec<OnceLock<BlockTiles>> = (0..count).map(|_| OnceLock::new()).collect();
            threads.for_each(count, |_, at| {
                let tile = first + at;
                let _ = made[at].set(BlockTiles::of(tile..tile + 1, shape, &cells));
            });
            let mut piece = BlockTiles::default();
            made.into_iter()
                .filter_map(OnceLock::into_inner)
                .for_each(|tile| piece.extend(tile));
            matrix.write(runner, first, &piece)?;
        }
        parts.iter().for_each(|part| part.release());
        Ok(matrix)
    }
}

#[cfg(any(test, feature = "cuda"))]
impl WeightLoader for Uploader<'_, CudaBackend> {
    type Backend = CudaBackend;

    fn vector(&self, name: &str, offset: f32) -> Result<Tensor, Error> {
        self.vectors(&[name.to_string()], offset)
    }

    fn linear(&self, names: &[String], bias: bool) -> Result<CudaLinear, Error> {
        Ok(CudaLinear {
            matrix: self.formatted(&named(names, "weight"))?,
            bias: self.biases(names, bias)?,
        })
    }

    fn table(&self, name: &str) -> Result<Tensor, Error> {
        self.table(name)
    }

    fn output(&self, name: &str) -> Result<CudaLinear, Error> {
        Ok(CudaLinear {
            matrix: self.formatted(&[name.to_string()])?,
            bias: None,
        })
    }
}
