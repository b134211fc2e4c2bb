//! Matrix products: rows of activations by packed weights.
//!
//! Weights are packed in *panels* of 32 outputs: for each cell of the input, 32 cells side by side.
//! Activations are packed for each product in *tiles* of a few rows: for each cell of the input,
//! one cell of each row. The inner loop then reads both in order, takes one cell of each row times
//! two vectors of weights, and keeps all sums of the tile in registers.
//!
//! Each sum adds its terms in the order of the inputs, whatever tile its row is in: no row depends
//! on another.

use std::ops::Range;

use super::arithmetic::{Arithmetic, LANES, PANEL, Precision, write_cells};
use super::dispatch::{InstructionSet, Kernel};
use super::matrix::Matrix;
use super::packing::{
    Epilogue, MAX_TASK_ROWS, PanelSums, RowSource, SpareCells, Tiling, for_each_panel,
    with_const_rows,
};
use crate::threads::Threads;

/// Cells after which the other rows follow, so that this part of a panel stays in the L1 cache.
const DEPTH_BLOCK: usize = 1024;

/// How many cells ahead weights are prefetched. A few rows wait for memory alone, and prefetch
/// earlier.
const fn ahead(rows: usize) -> usize {
    if rows <= 4 { 40 } else { 16 }
}

/// Activations `[rows, inputs]` in tiles.
#[derive(Debug)]
pub(crate) struct PackedInputs {
    cells: SpareCells,
    depth: usize,
    tiling: Tiling,
}

impl PackedInputs {
    /// Packs rows. `row` writes or returns the row of a number: `[inputs]`, f32.
    pub(crate) fn pack<'x>(
        threads: &Threads,
        set: InstructionSet,
        precision: Precision,
        (rows, inputs): (usize, usize),
        row: impl RowSource<'x>,
    ) -> Self {
        let depth = precision.cells(inputs);
        let tiling = Tiling::new(rows, set.tile_rows(precision));
        let cells = tiling.pack(threads, depth, |range, to| {
            set.run(
                precision,
                PackTile {
                    first: range.start,
                    count: range.len(),
                    inputs,
                    depth,
                    row: &row,
                    to,
                },
            );
        });
        Self {
            cells,
            depth,
            tiling,
        }
    }
}

struct PackTile<'a, R> {
    first: usize,
    count: usize,
    inputs: usize,
    depth: usize,
    row: &'a R,
    to: &'a mut [u32],
}

impl<'x, R: RowSource<'x>> Kernel for PackTile<'_, R> {
    #[inline(always)]
    fn run<A: Arithmetic>(self) {
        let Self {
            first,
            count,
            inputs,
            depth,
            row,
            to,
        } = self;
        let mut scratch = vec![0f32; inputs];
        let mut cells = vec![0u32; count * depth];
        for (index, cells) in cells.chunks_exact_mut(depth).enumerate() {
            let values = row.get::<A>(first + index, &mut scratch);
            write_cells(A::PRECISION, values, cells);
        }
        for (depth_index, to) in to.chunks_exact_mut(count).enumerate() {
            for (index, to) in to.iter_mut().enumerate() {
                *to = cells[index * depth + depth_index];
            }
        }
    }
}

/// Multiplies every row by every panel.
pub(crate) fn product(
    threads: &Threads,
    set: InstructionSet,
    precision: Precision,
    inputs: &PackedInputs,
    matrix: &Matrix,
    epilogue: &impl Epilogue,
) {
    assert_eq!(
        inputs.depth * PANEL,
        matrix.panel_cells(),
        "rows do not fit the matrix"
    );
    let tiling = inputs.tiling;
    for_each_panel(
        threads,
        tiling,
        set.tile_rows(precision),
        matrix,
        |thread, panel, tiles, weights| {
            set.run(
                precision,
                PanelProduct {
                    inputs,
                    tiling,
                    tiles,
                    weights,
                    thread,
                    panel,
                    epilogue,
                },
            );
        },
    );
}

struct PanelProduct<'a, E> {
    inputs: &'a PackedInputs,
    tiling: Tiling,
    tiles: Range<usize>,
    weights: &'a [u32],
    thread: usize,
    panel: usize,
    epilogue: &'a E,
}

impl<E: Epilogue> Kernel for PanelProduct<'_, E> {
    #[inline(always)]
    fn run<A: Arithmetic>(self) {
        let Self {
            inputs,
            tiling,
            tiles,
            weights,
            thread,
            panel,
            epilogue,
        } = self;
        let depth = inputs.depth;
        let first_row = tiling.tile(tiles.start).start;
        let rows = tiling.tile(tiles.end - 1).end - first_row;
        let mut sums = [[0f32; PANEL]; MAX_TASK_ROWS];
        let sums = &mut sums[..rows];
        for start in (0..depth).step_by(DEPTH_BLOCK) {
            let length = DEPTH_BLOCK.min(depth - start);
            let weights = &weights[start * PANEL..][..length * PANEL];
            for tile in tiles.clone() {
                let range = tiling.tile(tile);
                let cells = &inputs.cells[range.start * depth + start * range.len()..]
                    [..length * range.len()];
                let sums = &mut sums[range.start - first_row..range.end - first_row];
                // SAFETY: the CPU has the instructions of `A`, for which this is compiled.
                unsafe { any_tile::<A>(cells, weights, sums) };
            }
        }
        epilogue.apply::<A>(thread, panel, first_row, sums);
    }
}

/// # Safety
/// As for [`Arithmetic`].
#[inline(always)]
unsafe fn any_tile<A: Arithmetic>(cells: &[u32], weights: &[u32], sums: &mut [PanelSums]) {
    with_const_rows!(sums.len(), A::TILE_ROWS, ROWS => {
        // SAFETY: as the caller promises.
        unsafe { tile::<A, ROWS>(cells, weights, sums) }
    });
}

/// Adds the products of `ROWS` rows and one panel.
///
/// # Safety
/// As for [`Arithmetic`].
#[inline(always)]
unsafe fn tile<A: Arithmetic, const ROWS: usize>(
    cells: &[u32],
    weights: &[u32],
    sums: &mut [PanelSums],
) {
    let depth = weights.len() / PANEL;
    assert!(cells.len() == depth * ROWS && sums.len() == ROWS);
    // SAFETY: `cells`, `weights` and `sums` have the sizes just checked; the rest is the caller's
    // promise.
    unsafe {
        if A::WIDE {
            columns::<A, ROWS, 2>(
                cells.as_ptr(),
                weights.as_ptr(),
                depth,
                sums.as_mut_ptr().cast(),
            );
        } else {
            columns::<A, ROWS, 1>(
                cells.as_ptr(),
                weights.as_ptr(),
                depth,
                sums.as_mut_ptr().cast(),
            );
            columns::<A, ROWS, 1>(
                cells.as_ptr(),
                weights.as_ptr().add(LANES),
                depth,
                sums.as_mut_ptr().cast::<f32>().add(LANES),
            );
        }
    }
}

/// # Safety
/// As for [`Arithmetic`]; `cells` `[depth, ROWS]`, `weights` `[depth, 32]` and `sums` `[ROWS, 32]`,
/// of which the first `VECTORS · 16` columns are read and written.
#[inline(always)]
#[expect(
    clippy::needless_range_loop,
    reason = "indices name registers of a tile"
)]
unsafe fn columns<A: Arithmetic, const ROWS: usize, const VECTORS: usize>(
    mut cells: *const u32,
    mut weights: *const u32,
    depth: usize,
    sums: *mut f32,
) {
    // SAFETY: all offsets below stay within the shapes that the caller promises.
    unsafe {
        let mut tile = [[A::zero(); VECTORS]; ROWS];
        for row in 0..ROWS {
            for vector in 0..VECTORS {
                tile[row][vector] = A::load(sums.add(row * PANEL + vector * LANES));
            }
        }
        for _ in 0..depth {
            let mut factors = [A::weights(weights); VECTORS];
            for vector in 0..VECTORS {
                A::prefetch(weights.wrapping_add(ahead(ROWS) * PANEL + vector * LANES));
                factors[vector] = A::weights(weights.add(vector * LANES));
            }
            for row in 0..ROWS {
                let input = A::input(*cells.add(row));
                for vector in 0..VECTORS {
                    tile[row][vector] = A::multiply_add(tile[row][vector], input, factors[vector]);
                }
            }
            cells = cells.add(ROWS);
            weights = weights.add(PANEL);
        }
        for row in 0..ROWS {
            for vector in 0..VECTORS {
                A::store(tile[row][vector], sums.add(row * PANEL + vector * LANES));
            }
        }
    }
}
