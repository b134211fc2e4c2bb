//! Products of 8-bit integers: weights in blocks of 32 with a scale each, activations rounded to
//! the same kind of blocks row by row.
//!
//! A block's product is a sum of integers, exact in any order, times both scales, added to an f32
//! sum in the order of the blocks. So no row depends on another, and every instruction set gives
//! the same integers.

use std::ops::Range;

use super::arithmetic::{Arithmetic, LANES, PANEL, Precision};
use super::bytes::Bytes;
use super::dispatch::{ByteKernel, InstructionSet, Kernel};
use super::matrix::Matrix;
use super::packing::{
    Epilogue, MAX_TASK_ROWS, PanelSums, RowSource, SpareCells, Tiling, for_each_panel,
    with_const_rows,
};
use super::q8_blocks::{BLOCK, BLOCK_CELLS, OFFSET, PANEL_BLOCK, quantize};
use crate::threads::Threads;

/// Cells of a block of one row of inputs: the integers, their scale, and what is to be taken off
/// (see [`OFFSET`]).
const INPUT_BLOCK: usize = BLOCK_CELLS + 2;

/// How many blocks ahead weights are prefetched.
const AHEAD: usize = 4;

/// Rows of activations `[rows, inputs]` in tiles of 8-bit integers.
struct QuantizedInputs {
    cells: SpareCells,
    blocks: usize,
    tiling: Tiling,
}

impl QuantizedInputs {
    fn pack<'x>(
        threads: &Threads,
        set: InstructionSet,
        (rows, inputs): (usize, usize),
        row: &impl RowSource<'x>,
    ) -> Self {
        let blocks = inputs.div_ceil(BLOCK);
        let tiling = Tiling::new(rows, set.byte_tile_rows());
        let cells = tiling.pack(threads, blocks * INPUT_BLOCK, |rows, to| {
            set.run(
                Precision::F32,
                PackTile {
                    rows,
                    inputs,
                    row,
                    to,
                },
            );
        });
        Self {
            cells,
            blocks,
            tiling,
        }
    }
}

struct PackTile<'a, R> {
    rows: Range<usize>,
    inputs: usize,
    row: &'a R,
    /// `[blocks, 10, rows]`.
    to: &'a mut [u32],
}

impl<'x, R: RowSource<'x>> Kernel for PackTile<'_, R> {
    #[inline(always)]
    fn run<A: Arithmetic>(self) {
        let Self {
            rows,
            inputs,
            row,
            to,
        } = self;
        let count = rows.len();
        let (mut scratch, mut integers) = (vec![0f32; inputs], [0i8; BLOCK]);
        for (index, number) in rows.enumerate() {
            let values = row.get::<A>(number, &mut scratch);
            for (values, to) in values
                .chunks(BLOCK)
                .zip(to.chunks_exact_mut(INPUT_BLOCK * count))
            {
                let scale = quantize(values, &mut integers);
                for (cell, integers) in integers.as_chunks::<4>().0.iter().enumerate() {
                    to[cell * count + index] =
                        u32::from_le_bytes(integers.map(|integer| integer as u8));
                }
                let sum: i32 = integers.iter().map(|integer| i32::from(*integer)).sum();
                to[BLOCK_CELLS * count + index] = scale.to_bits();
                to[(BLOCK_CELLS + 1) * count + index] = (-OFFSET * sum) as u32;
            }
        }
    }
}

/// Multiplies rows by a matrix of 8-bit blocks.
pub(crate) fn multiply<'x>(
    threads: &Threads,
    set: InstructionSet,
    rows: usize,
    row: &impl RowSource<'x>,
    matrix: &Matrix,
    epilogue: &impl Epilogue,
) {
    let inputs = QuantizedInputs::pack(threads, set, (rows, matrix.inputs()), row);
    for_each_panel(
        threads,
        inputs.tiling,
        set.byte_tile_rows(),
        matrix,
        |thread, panel, tiles, weights| {
            set.run_bytes(PanelProduct {
                inputs: &inputs,
                tiles,
                weights,
                thread,
                panel,
                epilogue,
            });
        },
    );
}

struct PanelProduct<'a, E> {
    inputs: &'a QuantizedInputs,
    tiles: Range<usize>,
    weights: &'a [u32],
    thread: usize,
    panel: usize,
    epilogue: &'a E,
}

impl<E: Epilogue> ByteKernel for PanelProduct<'_, E> {
    #[inline(always)]
    fn run<B: Bytes>(self) {
        let Self {
            inputs:
                QuantizedInputs {
                    cells,
                    blocks,
                    tiling,
                },
            tiles,
            weights,
            thread,
            panel,
            epilogue,
        } = self;
        let size = blocks * INPUT_BLOCK;
        let first_row = tiling.tile(tiles.start).start;
        let rows = tiling.tile(tiles.end - 1).end - first_row;
        let mut sums = [[0f32; PANEL]; MAX_TASK_ROWS];
        let sums = &mut sums[..rows];
        for tile in tiles {
            let range = tiling.tile(tile);
            let cells = &cells[range.start * size..range.end * size];
            let sums = &mut sums[range.start - first_row..range.end - first_row];
            // SAFETY: the CPU has the instructions of `B`, for which this is compiled.
            unsafe { any_tile::<B>(cells, weights, sums) };
        }
        epilogue.apply::<B::Floats>(thread, panel, first_row, sums);
    }
}

/// # Safety
/// As for [`Bytes`].
#[inline(always)]
unsafe fn any_tile<B: Bytes>(cells: &[u32], weights: &[u32], sums: &mut [PanelSums]) {
    with_const_rows!(sums.len(), B::TILE_ROWS, ROWS => {
        // SAFETY: as the caller promises.
        unsafe { tile::<B, ROWS>(cells, weights, sums) }
    });
}

/// # Safety
/// As for [`Bytes`].
#[inline(always)]
unsafe fn tile<B: Bytes, const ROWS: usize>(
    cells: &[u32],
    weights: &[u32],
    sums: &mut [PanelSums],
) {
    let blocks = weights.len() / PANEL_BLOCK;
    assert!(cells.len() == blocks * INPUT_BLOCK * ROWS && sums.len() == ROWS);
    let sums = sums.as_mut_ptr().cast::<f32>();
    // SAFETY: `cells`, `weights` and `sums` have the sizes just checked; the rest is the caller's
    // promise.
    unsafe {
        if B::WIDE {
            columns::<B, ROWS, 2>(cells.as_ptr(), weights.as_ptr(), blocks, 0, sums);
        } else {
            columns::<B, ROWS, 1>(cells.as_ptr(), weights.as_ptr(), blocks, 0, sums);
            columns::<B, ROWS, 1>(cells.as_ptr(), weights.as_ptr(), blocks, LANES, sums);
        }
    }
}

/// # Safety
/// As for [`Bytes`]; `cells` `[blocks, 10, ROWS]`, `weights` `[blocks, PANEL_BLOCK]` and `sums`
/// `[ROWS, 32]`, of which `VECTORS · 16` columns from `first` on are read and written.
#[inline(always)]
#[expect(
    clippy::needless_range_loop,
    reason = "indices name registers of a tile"
)]
unsafe fn columns<B: Bytes, const ROWS: usize, const VECTORS: usize>(
    mut cells: *const u32,
    mut weights: *const u32,
    blocks: usize,
    first: usize,
    sums: *mut f32,
) {
    type Floats<B> = <B as Bytes>::Floats;
    // SAFETY: all offsets below stay within the shapes that the caller promises.
    unsafe {
        let mut tile = [[Floats::<B>::zero(); VECTORS]; ROWS];
        for row in 0..ROWS {
            for vector in 0..VECTORS {
                tile[row][vector] =
                    Floats::<B>::load(sums.add(row * PANEL + first + vector * LANES));
            }
        }
        for _ in 0..blocks {
            let mut products = [[B::start(0); VECTORS]; ROWS];
            for row in 0..ROWS {
                products[row] =
                    [B::start(*cells.add((BLOCK_CELLS + 1) * ROWS + row) as i32); VECTORS];
            }
            for cell in 0..BLOCK_CELLS {
                let mut factors = [B::weights(weights); VECTORS];
                for vector in 0..VECTORS {
                    let at = cell * PANEL + first + vector * LANES;
                    Floats::<B>::prefetch(weights.wrapping_add(AHEAD * PANEL_BLOCK + at));
                    factors[vector] = B::weights(weights.add(at));
                }
                for row in 0..ROWS {
                    let input = *cells.add(cell * ROWS + row);
                    for vector in 0..VECTORS {
                        products[row][vector] =
                            B::add(products[row][vector], factors[vector], input);
                    }
                }
            }
            let scales = weights.add(BLOCK_CELLS * PANEL).cast::<u16>().add(first);
            for row in 0..ROWS {
                let scale = f32::from_bits(*cells.add(BLOCK_CELLS * ROWS + row));
                for vector in 0..VECTORS {
                    B::add_scaled(
                        products[row][vector],
                        scales.add(vector * LANES),
                        scale,
                        &mut tile[row][vector],
                    );
                }
            }
            cells = cells.add(INPUT_BLOCK * ROWS);
            weights = weights.add(PANEL_BLOCK);
        }
        for row in 0..ROWS {
            for vector in 0..VECTORS {
                Floats::<B>::store(
                    tile[row][vector],
                    sums.add(row * PANEL + first + vector * LANES),
                );
            }
        }
    }
}
