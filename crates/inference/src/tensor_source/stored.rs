//! A tensor as it lies in its file, and reading its rows.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use safetensors::SafeTensors;

use super::change::Change;
use super::storage::{Rounding, Storage};
use super::weight_file::WeightFile;
use crate::error::{Error, ErrorKind};
use crate::kernels::{self, Precision, WeightFormat};
use crate::threads::Threads;

/// A tensor as it lies in its file.
#[derive(Clone)]
pub(crate) struct Stored {
    pub(crate) file: Arc<WeightFile>,
    /// As transformers names it.
    pub(crate) name: String,
    /// As its file names it.
    pub(crate) stored_name: String,
    pub(crate) storage: Storage,
    /// `[rows, columns]` of a matrix.
    pub(crate) shape: Vec<usize>,
    /// Its bytes in the file.
    pub(crate) range: Range<usize>,
    pub(crate) order: RowOrder,
    /// What an adapter does to its rows.
    pub(crate) change: Option<Arc<Change>>,
}

impl Stored {
    /// All tensors of a file.
    ///
    /// # Errors
    /// [`ErrorKind::Weights`] when the file is damaged.
    pub(crate) fn all(file: &Arc<WeightFile>) -> Result<Vec<Self>, Error> {
        let parsed = SafeTensors::deserialize(&file.bytes).map_err(|error| {
            let message = format!("damaged or cut off: {error} ({} bytes)", file.bytes.len());
            Error::new(ErrorKind::Weights, message)
                .in_file(&file.name)
                .caused_by(error)
        })?;
        let stored = parsed.tensors().into_iter().map(|(name, view)| {
            // The library keeps its offsets to itself, but its slices are of these bytes.
            let start = view.data().as_ptr().addr() - file.bytes.as_ptr().addr();
            let range = start..start + view.data().len();
            let (storage, shape, order) = (
                view.dtype().into(),
                view.shape().to_vec(),
                RowOrder::AsStored,
            );
            let file = Arc::clone(file);
            Self {
                file,
                stored_name: name.clone(),
                name,
                storage,
                shape,
                range,
                order,
                change: None,
            }
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
            return Err(self
                .error("has the wrong shape")
                .expected("a matrix", format!("{:?}", self.shape)));
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
            _ => Err(self
                .error("has the wrong shape")
                .expected("a vector", format!("{:?}", self.shape))),
        }
    }

    fn values(&self) -> Result<Vec<f32>, Error> {
        if !self.storage.all_finite(Rounding::None, self.data()) {
            return Err(self.not_finite());
        }
        let mut values = vec![0.0; self.shape.iter().product()];
        self.storage.widen(self.data(), &mut values);
        Ok(values)
    }

    /// # Errors
    /// [`ErrorKind::Weights`] when the values are not numbers that can be computed with.
    pub(crate) fn check_dtype(&self) -> Result<(), Error> {
        match self.storage {
            Storage::Other(_) => Err(self
                .error("has an unsupported dtype")
                .expected("F32, F16 or BF16", self.storage.name())),
            _ => Ok(()),
        }
    }

    fn not_finite(&self) -> Error {
        self.error("holds a value that is not finite (NaN or infinity)")
    }

    pub(crate) fn release(&self) {
        self.file.release(self.range.clone());
    }

    pub(crate) fn error(&self, message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Weights, message)
            .in_file(&self.file.name)
            .of_tensor(&self.stored_name)
    }

    pub(crate) fn data(&self) -> &[u8] {
        &self.file.bytes[self.range.clone()]
    }

    /// The bytes of row `index` of `width` values.
    pub(crate) fn row_bytes(&self, index: usize, width: usize) -> &[u8] {
        let size = width / self.storage.block_values() * self.storage.block_bytes();
        &self.data()[index * size..][..size]
    }

    /// Row `index`, changed by the adapter if there is one, in f32.
    pub(crate) fn row(&self, index: usize, rounding: Rounding, to: &mut [f32]) {
        self.storage
            .widen(self.row_bytes(self.order.place(index), to.len()), to);
        // An adapter counts rows as transformers does, whatever their order in the file. Rounding
        // comes last: a change belongs to the exact weights.
        if let Some(change) = &self.change {
            change.apply(index, to);
        }
        rounding.round(to);
    }

    /// All values of a vector, in f32.
    pub(crate) fn elements(&self, rounding: Rounding) -> Vec<f32> {
        // No change is applied: `Tensors::change` lets adapters change matrices only.
        let mut stored = vec![0.0; self.shape.iter().product()];
        self.storage.widen(self.data(), &mut stored);
        rounding.round(&mut stored);
        (0..stored.len())
            .map(|index| stored[self.order.place(index)])
            .collect()
    }

    /// Row `index` as cells of a product.
    pub(crate) fn cells(
        &self,
        index: usize,
        rounding: Rounding,
        format: WeightFormat,
        to: &mut [u32],
    ) {
        let width = self.shape[1];
        let bf16 = WeightFormat::Numbers(Precision::Bf16);
        // Rounding to bf16 changes no value that is bf16 already, and blocks are not rounded twice.
        // The last cell of an odd row is half filling, which is not in the file.
        let as_it_is = self
            .change
            .is_none()
            .then(|| self.row_bytes(self.order.place(index), width));
        match as_it_is {
            Some(bytes)
                if format == bf16 && self.storage == Storage::Bf16 && width.is_multiple_of(2) =>
            {
                let pairs = bytes.as_chunks::<4>().0;
                return to
                    .iter_mut()
                    .zip(pairs)
                    .for_each(|(to, pair)| *to = u32::from_le_bytes(*pair));
            }
            Some(bytes) if format == WeightFormat::Q8 && self.storage == Storage::Q8_0 => {
                return kernels::write_q8_0(bytes, to);
            }
            _ => {}
        }
        let mut values = vec![0.0; width];
        self.row(index, rounding, &mut values);
        format.write_row(&values, to);
    }

    /// Checks that every value is a finite number, and stays one when it is rounded.
    pub(crate) fn check_finite(&self, rounding: Rounding, threads: &Threads) -> Result<(), Error> {
        let bytes = self.data();
        let sound = AtomicBool::new(true);
        let size = self.storage.block_bytes() * BLOCKS_CHECKED;
        threads.for_each(bytes.len().div_ceil(size), |_, task| {
            let bytes = &bytes[task * size..((task + 1) * size).min(bytes.len())];
            if !self.storage.all_finite(rounding, bytes) {
                sound.store(false, Ordering::Relaxed);
            }
        });
        if sound.into_inner() {
            Ok(())
        } else {
            Err(self.not_finite())
        }
    }
}

/// Statistics of a tensor's values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ValueStats {
    pub(crate) not_finite: usize,
    pub(crate) all_zero: bool,
}

impl Stored {
    pub(crate) fn value_stats(&self, threads: &Threads) -> ValueStats {
        let bytes = self.data();
        let (not_finite, not_zero) = (AtomicUsize::new(0), AtomicBool::new(false));
        let size = self.storage.block_bytes() * BLOCKS_CHECKED;
        threads.for_each(bytes.len().div_ceil(size), |_, task| {
            let bytes = &bytes[task * size..((task + 1) * size).min(bytes.len())];
            if bytes.iter().any(|byte| *byte != 0) {
                not_zero.store(true, Ordering::Relaxed);
            }
            if !self.storage.all_finite(Rounding::None, bytes) {
                not_finite.fetch_add(self.storage.not_finite(bytes), Ordering::Relaxed);
            }
        });
        ValueStats {
            not_finite: not_finite.into_inner(),
            all_zero: !not_zero.into_inner(),
        }
    }
}

/// Blocks (of most forms single values) that one task checks.
const BLOCKS_CHECKED: usize = 1 << 18;

/// The order of a matrix's rows, or of a vector's elements, in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowOrder {
    AsStored,
    /// The rows of each head alternate between its halves, for rotations of neighbours instead of
    /// halves.
    Interleaved {
        /// Even.
        head_dim: usize,
    },
}

impl RowOrder {
    /// Where row `row` lies.
    fn place(self, row: usize) -> usize {
        match self {
            Self::AsStored => row,
            Self::Interleaved { head_dim } => {
                let (head, within, half) = (row / head_dim, row % head_dim, head_dim / 2);
                head * head_dim + within % half * 2 + within / half
            }
        }
    }
}
