//! A tensor as it lies in its file, and reading its rows.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use half::{bf16, f16};
use safetensors::SafeTensors;
use safetensors::tensor::Dtype;

use super::files::WeightFile;
use crate::adapter::Change;
use crate::error::{Error, ErrorKind};
use crate::kernels::{Precision, WeightFormat};
use crate::threads::Threads;

/// A tensor as it lies in its file.
#[derive(Clone)]
pub(crate) struct Stored {
    pub(super) file: Arc<WeightFile>,
    pub(super) name: String,
    pub(super) dtype: Dtype,
    pub(super) shape: Vec<usize>,
    /// Its bytes in the file.
    range: Range<usize>,
    /// What an adapter does to its rows.
    pub(super) change: Option<Arc<Change>>,
}

impl Stored {
    /// All tensors of a file.
    ///
    /// # Errors
    /// [`ErrorKind::Weights`] when the file is damaged.
    pub(crate) fn all(file: &Arc<WeightFile>) -> Result<Vec<Self>, Error> {
        let parsed = SafeTensors::deserialize(&file.bytes).map_err(|error| {
            let message = format!("damaged or cut off: {error} ({} bytes)", file.bytes.len());
            Error::new(ErrorKind::Weights, message).in_file(&file.name).caused_by(error)
        })?;
        let stored = parsed.tensors().into_iter().map(|(name, view)| {
            let start = view.data().as_ptr().addr() - file.bytes.as_ptr().addr();
            let range = start..start + view.data().len();
            let (dtype, shape) = (view.dtype(), view.shape().to_vec());
            Self { file: Arc::clone(file), name, dtype, shape, range, change: None }
        });
        Ok(stored.collect())
    }

    /// Its first dimension.
    pub(crate) fn rows(&self) -> Option<usize> {
        self.shape.first().copied()
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Its shape `[rows, columns]` and values, f32.
    ///
    /// # Errors
    /// [`ErrorKind::Weights`] when it is no matrix of finite numbers.
    pub(crate) fn matrix(&self) -> Result<([usize; 2], Vec<f32>), Error> {
        self.check_dtype()?;
        let &[rows, columns] = self.shape.as_slice() else {
            return Err(self.error("has the wrong shape").expected("a matrix", format!("{:?}", self.shape)));
        };
        Ok(([rows, columns], self.values()?))
    }

    /// Its values `[length]`, f32.
    ///
    /// # Errors
    /// [`ErrorKind::Weights`] when it is no vector of finite numbers.
    pub(crate) fn vector(&self) -> Result<Vec<f32>, Error> {
        self.check_dtype()?;
        match self.shape.len() {
            1 => self.values(),
            _ => Err(self.error("has the wrong shape").expected("a vector", format!("{:?}", self.shape))),
        }
    }

    fn values(&self) -> Result<Vec<f32>, Error> {
        if !all_finite(self.dtype, Rounding::None, self.data()) {
            return Err(self.not_finite());
        }
        let mut values = vec![0.0; self.shape.iter().product()];
        self.widen(self.data(), &mut values);
        Ok(values)
    }

    /// # Errors
    /// [`ErrorKind::Weights`] when the values are not numbers that can be computed with.
    pub(super) fn check_dtype(&self) -> Result<(), Error> {
        if matches!(self.dtype, Dtype::F32 | Dtype::F16 | Dtype::BF16) {
            return Ok(());
        }
        let found = format!("{:?}", self.dtype);
        Err(self.error("has an unsupported dtype").expected("F32, F16 or BF16", found))
    }

    fn not_finite(&self) -> Error {
        self.error("holds a value that is not finite (NaN or infinity)")
    }

    pub(super) fn forget(&self) {
        self.file.forget(self.range.clone());
    }

    pub(crate) fn error(&self, message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Weights, message).in_file(&self.file.name).of_tensor(&self.name)
    }

    pub(super) fn data(&self) -> &[u8] {
        &self.file.bytes[self.range.clone()]
    }

    /// The bytes of `width` elements from row `index` on.
    pub(super) fn row_bytes(&self, index: usize, width: usize) -> &[u8] {
        let size = self.dtype.bitsize() / 8 * width;
        &self.data()[index * size..][..size]
    }

    /// Row `index`, changed by the adapter if there is one, in f32; a vector is one row.
    pub(super) fn row(&self, index: usize, rounding: Rounding, to: &mut [f32]) {
        self.widen(self.row_bytes(index, to.len()), to);
        if let Some(change) = &self.change {
            change.apply(index, to);
        }
        if rounding == Rounding::Bf16 {
            to.iter_mut().for_each(|value| *value = bf16::from_f32(*value).to_f32());
        }
    }

    fn widen(&self, bytes: &[u8], to: &mut [f32]) {
        match self.dtype {
            Dtype::F32 => {
                let values = bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes));
                to.iter_mut().zip(values).for_each(|(to, value)| *to = value);
            }
            Dtype::BF16 => {
                let values = bytes.as_chunks::<2>().0.iter().map(|bytes| bf16::from_le_bytes(*bytes).to_f32());
                to.iter_mut().zip(values).for_each(|(to, value)| *to = value);
            }
            _ => {
                let values = bytes.as_chunks::<2>().0.iter().map(|bytes| f16::from_le_bytes(*bytes).to_f32());
                to.iter_mut().zip(values).for_each(|(to, value)| *to = value);
            }
        }
    }

    /// Row `index` as cells of a product.
    pub(super) fn cells(&self, index: usize, rounding: Rounding, format: WeightFormat, to: &mut [u32]) {
        let width = self.shape[1];
        let bf16 = WeightFormat::Numbers(Precision::Bf16);
        let as_it_is = format == bf16 && self.dtype == Dtype::BF16 && self.change.is_none();
        if as_it_is && width.is_multiple_of(2) {
            let pairs = self.row_bytes(index, width).as_chunks::<4>().0;
            return to.iter_mut().zip(pairs).for_each(|(to, pair)| *to = u32::from_le_bytes(*pair));
        }
        let mut values = vec![0.0; width];
        self.row(index, rounding, &mut values);
        format.write_row(&values, to);
    }

    /// Checks that every value is a finite number, and stays one when it is rounded.
    pub(super) fn check_finite(&self, rounding: Rounding, threads: &Threads) -> Result<(), Error> {
        let bytes = self.data();
        let sound = AtomicBool::new(true);
        threads.for_each(bytes.len().div_ceil(BYTES_CHECKED), |_, task| {
            let bytes = &bytes[task * BYTES_CHECKED..((task + 1) * BYTES_CHECKED).min(bytes.len())];
            if !all_finite(self.dtype, rounding, bytes) {
                sound.store(false, Ordering::Relaxed);
            }
        });
        if sound.into_inner() { Ok(()) } else { Err(self.not_finite()) }
    }
}

/// What the values of a tensor look like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    pub(crate) not_finite: usize,
    pub(crate) all_zero: bool,
}

impl Stored {
    pub(super) fn look(&self, threads: &Threads) -> Look {
        let bytes = self.data();
        let (not_finite, not_zero) = (AtomicUsize::new(0), AtomicBool::new(false));
        threads.for_each(bytes.len().div_ceil(BYTES_CHECKED), |_, task| {
            let bytes = &bytes[task * BYTES_CHECKED..((task + 1) * BYTES_CHECKED).min(bytes.len())];
            if bytes.iter().any(|byte| *byte != 0) {
                not_zero.store(true, Ordering::Relaxed);
            }
            if !all_finite(self.dtype, Rounding::None, bytes) {
                let size = self.dtype.bitsize() / 8;
                let values = bytes.chunks_exact(size).filter(|value| !all_finite(self.dtype, Rounding::None, value));
                not_finite.fetch_add(values.count(), Ordering::Relaxed);
            }
        });
        Look { not_finite: not_finite.into_inner(), all_zero: !not_zero.into_inner() }
    }
}

/// Bytes that one task checks.
const BYTES_CHECKED: usize = 1 << 20;

/// Whether the values of a dtype in `bytes` are all finite, after rounding too.
fn all_finite(dtype: Dtype, rounding: Rounding, bytes: &[u8]) -> bool {
    let all_16_bits_below = |infinity: u16| {
        let values = bytes.as_chunks::<2>().0.iter().map(|bytes| u16::from_le_bytes(*bytes) & 0x7fff);
        values.fold(true, |sound, value| sound & (value < infinity))
    };
    match dtype {
        Dtype::F32 => {
            // From the latter on, bf16 rounds to infinity.
            let infinity = if rounding == Rounding::None { 0x7f80_0000 } else { 0x7f7f_8000 };
            let values = bytes.as_chunks::<4>().0.iter().map(|bytes| u32::from_le_bytes(*bytes) & 0x7fff_ffff);
            values.fold(true, |sound, value| sound & (value < infinity))
        }
        Dtype::BF16 => all_16_bits_below(0x7f80),
        _ => all_16_bits_below(0x7c00),
    }
}

/// What happens to a weight between the file and the computation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rounding {
    /// Widened exactly.
    None,
    /// Rounded to the nearest bf16, then widened.
    Bf16,
}
