//! Matrices as the kernels of a GPU read them: numbers, or 8-bit integers in blocks.

use candle_core::{DType, Result, Tensor, bail};

use super::runner::{Runner, address, unwritten};
use crate::kernels::WeightFormat;

/// Inputs of a block of integers (`BLOCK_INPUTS` of `blocks.cuh`).
const BLOCK: usize = 32;

/// Words of the integers of a block of a row (`BLOCK_WORDS` of `blocks.cuh`).
pub(super) const BLOCK_WORDS: usize = BLOCK / 4;

/// Outputs of a tile (`TILE_OUTPUTS` of `blocks.cuh`).
const TILE: usize = 16;

/// Words of the integers of a block of a tile: four of each thread of a warp.
const TILE_BLOCK_WORDS: usize = 32 * 4;

/// A matrix `[outputs, inputs]` and its optional bias `[outputs]`, f32.
pub(crate) struct CudaLinear {
    pub(crate) matrix: CudaMatrix,
    pub(crate) bias: Option<Tensor>,
}

/// A matrix `[outputs, inputs]`.
pub(crate) enum CudaMatrix {
    Numbers(Tensor),
    Blocks(BlockMatrix),
}

/// A matrix of 8-bit integers in blocks of 32 inputs with an f16 scale each, in the order in which
/// tensor cores take it (`kernels/blocks.cuh`).
pub(crate) struct BlockMatrix {
    /// `[tiles, blocks, 32, 4]`, u32.
    pub(super) integers: Tensor,
    /// `[tiles, blocks, 8]`, u32, two f16 each.
    pub(super) scales: Tensor,
    pub(super) outputs: usize,
    pub(super) inputs: usize,
}

/// Some tiles of such a matrix on the host, in the order of the whole.
#[derive(Default)]
pub(crate) struct BlockTiles {
    integers: Vec<u32>,
    scales: Vec<u32>,
}

impl BlockMatrix {
    /// A matrix whose tiles are yet to be written.
    ///
    /// # Errors
    /// When the device has no memory.
    pub(crate) fn new(runner: &dyn Runner, (outputs, inputs): (usize, usize)) -> Result<Self> {
        let blocks = Self::blocks_of(inputs);
        let tiles = Self::tiles_of(outputs);
        let of_integers = tiles * blocks * TILE_BLOCK_WORDS;
        Ok(Self {
            integers: unwritten(runner, of_integers, DType::U32)?,
            scales: unwritten(runner, tiles * blocks * BLOCK_WORDS, DType::U32)?,
            outputs,
            inputs,
        })
    }

    /// Blocks of a row.
    pub(super) fn blocks_of(inputs: usize) -> usize {
        inputs.div_ceil(BLOCK)
    }

    /// Tiles of so many outputs: an even number, as blocks of threads compute two of them.
    pub(crate) fn tiles_of(outputs: usize) -> usize {
        outputs.div_ceil(2 * TILE) * 2
    }

    /// Bytes of such a matrix on a device.
    pub(crate) fn bytes((outputs, inputs): (usize, usize)) -> usize {
        let words = TILE_BLOCK_WORDS + BLOCK_WORDS;
        Self::tiles_of(outputs) * Self::blocks_of(inputs) * words * size_of::<u32>()
    }

    /// Writes tiles from number `first` on.
    ///
    /// # Errors
    /// Those of the device, and tiles beyond the matrix.
    pub(crate) fn write(
        &self,
        runner: &dyn Runner,
        first: usize,
        tiles: &BlockTiles,
    ) -> Result<()> {
        let blocks = Self::blocks_of(self.inputs);
        for (tensor, words, of_block) in [
            (&self.integers, &tiles.integers, TILE_BLOCK_WORDS),
            (&self.scales, &tiles.scales, BLOCK_WORDS),
        ] {
            let start = first * blocks * of_block;
            if start + words.len() > tensor.elem_count() {
                bail!("tiles from {first} on are beyond the matrix");
            }
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            // SAFETY: there are as many bytes, as was just checked.
            unsafe { runner.write(address(tensor)? + (start * size_of::<u32>()) as u64, &bytes)? };
        }
        Ok(())
    }
}

impl BlockTiles {
    /// Tiles of rows of cells ([`WeightFormat::Q8`]), which `cells` writes by their number; rows from
    /// `outputs` on are zeros.
    pub(crate) fn of(
        tiles: std::ops::Range<usize>,
        (outputs, inputs): (usize, usize),
        cells: &dyn Fn(usize, &mut [u32]),
    ) -> Self {
        let blocks = BlockMatrix::blocks_of(inputs);
        let of_row = WeightFormat::Q8.row_cells(inputs);
        let mut rows = vec![0u32; TILE * of_row];
        let (mut integers, mut scales) = (Vec::new(), Vec::new());
        for tile in tiles {
            rows.fill(0);
            for (output, row) in (tile * TILE..outputs).zip(rows.chunks_exact_mut(of_row)) {
                cells(output, row);
            }
            // The cell of a row, its last one the scale.
            let cell = |row: usize, block: usize, cell: usize| {
                rows[row * of_row + block * (BLOCK_WORDS + 1) + cell]
            };
            for block in 0..blocks {
                for lane in 0..32 {
                    let (g, t) = (lane / 4, lane % 4);
                    let words = [(g, t), (g + 8, t), (g, t + 4), (g + 8, t + 4)];
                    // Cells have 128 added to each byte.
                    let signed = |(row, at)| cell(row, block, at) ^ 0x8080_8080;
                    integers.extend(words.map(signed));
                }
                let scale = |row| cell(row, block, BLOCK_WORDS);
                scales.extend((0..8).map(|g| scale(g) | scale(g + 8) << 16));
            }
        }
        Self { integers, scales }
    }

    /// These, then others.
    pub(crate) fn extend(&mut self, others: Self) {
        self.integers.extend(others.integers);
        self.scales.extend(others.scales);
    }
}
