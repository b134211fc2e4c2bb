//! The forms in which matrices are multiplied, and how many cells they take.

use super::arithmetic::{PANEL, Precision, write_cells};
use super::q8_blocks;

/// How the weights of a matrix are stored for computing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WeightFormat {
    /// As the numbers of a product.
    Numbers(Precision),
    /// As 8-bit integers in blocks of 32 with a scale each.
    Q8,
}

impl WeightFormat {
    /// Cells of a row.
    pub(crate) fn row_cells(self, inputs: usize) -> usize {
        match self {
            Self::Numbers(precision) => precision.cells(inputs),
            Self::Q8 => inputs.div_ceil(q8_blocks::BLOCK) * q8_blocks::ROW_BLOCK,
        }
    }

    /// Cells of a panel.
    pub(crate) fn panel_cells(self, inputs: usize) -> usize {
        match self {
            Self::Numbers(precision) => precision.cells(inputs) * PANEL,
            Self::Q8 => inputs.div_ceil(q8_blocks::BLOCK) * q8_blocks::PANEL_BLOCK,
        }
    }

    /// The cells of a row of values.
    pub(crate) fn write_row(self, values: &[f32], cells: &mut [u32]) {
        match self {
            Self::Numbers(precision) => write_cells(precision, values, cells),
            Self::Q8 => q8_blocks::write_row(values, cells),
        }
    }
}
