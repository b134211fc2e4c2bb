//! Matrix products: rows of activations by packed weights.
//!
//! Weights are laid out in *panels* of 32 outputs: for each cell of the input, 32 cells side by
//! side. Activations are packed for each product in *tiles* of a few rows: for each cell of the
//! input, one cell of each row. The inner loop then reads both in order, takes one cell of each row
//! times two vectors of weights, and keeps all sums of the tile in registers.
//!
//! Each sum adds its terms in the order of the inputs, whatever tile its row is in: no row depends
//! on another.

use std::cell::Cell;
use std::ops::{Deref, Range};
use std::sync::OnceLock;

use super::arithmetic::{Arithmetic, LANES, Precision, pair_values, write_cells};
use super::dispatch::{InstructionSet, Kernel};
use super::memory::{Buffer, Shared};
use super::quantized;
use crate::threads::Threads;

/// Calls the body with the number of rows of a tile, at most `$most`, as a constant.
macro_rules! with_const_rows {
    ($count:expr, $most:expr, $rows:ident => $body:block) => {
        with_const_rows!(@ $count, $most, $rows, $body, 1 2 3 4 5 6 7 8 9 10 11 12 13 14)
    };
    (@ $count:expr, $most:expr, $rows:ident, $body:block, $($number:literal)+) => {
        match $count {
            $($number if $number <= $most => {
                const $rows: usize = $number;
                $body
            })+
            count => unreachable!("tiles have at most {} rows, not {count}", $most),
        }
    };
}
pub(super) use with_const_rows;

/// Outputs of a panel.
pub(crate) const PANEL: usize = 2 * LANES;

/// The sums of one row and one panel.
pub(crate) type PanelSums = [f32; PANEL];

/// Most rows that a task takes at a time.
pub(super) const TASK_ROWS: usize = 192;

/// Cells after which the other rows get their turn, so that this part of a panel stays in the
/// nearest cache.
const DEPTH_BLOCK: usize = 1024;

/// How many cells ahead weights are asked for. A few rows wait for memory alone, and ask earlier.
const fn ahead(rows: usize) -> usize {
    if rows <= 4 { 40 } else { 16 }
}

/// Tasks for each thread, if there are panels enough: what one thread is late by is little.
const TASKS_A_THREAD: usize = 6;

/// Most panels that a task takes.
const LONGEST_RUN: usize = 4;

/// A weight matrix `[outputs, inputs]`.
///
/// At first its rows lie elsewhere, such as in a mapped file, and each product lays panels out as
/// it goes, in memory that it uses again. [`Self::lay_out`] does so once and for all, which takes
/// memory that the system must find first.
pub(crate) struct Matrix {
    rows: Box<dyn WeightRows>,
    panels: OnceLock<Buffer>,
    format: WeightFormat,
    outputs: usize,
    inputs: usize,
}

/// How the weights of a matrix are kept.
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
            Self::Q8 => inputs.div_ceil(quantized::BLOCK) * quantized::ROW_BLOCK,
        }
    }

    /// Cells of a panel.
    pub(crate) fn panel_cells(self, inputs: usize) -> usize {
        match self {
            Self::Numbers(precision) => precision.cells(inputs) * PANEL,
            Self::Q8 => inputs.div_ceil(quantized::BLOCK) * quantized::PANEL_BLOCK,
        }
    }

    /// The cells of a row of values.
    pub(crate) fn write_row(self, values: &[f32], cells: &mut [u32]) {
        match self {
            Self::Numbers(precision) => write_cells(precision, values, cells),
            Self::Q8 => quantized::write_row(values, cells),
        }
    }
}

/// Where the rows of a matrix lie before they are laid out.
pub(crate) trait WeightRows: Send + Sync {
    /// Writes all cells of row `output`, as [`WeightFormat::write_row`] does.
    fn write(&self, output: usize, cells: &mut [u32]);

    /// The rows are not going to be asked for again.
    fn forget(&self) {}
}

impl<F: Fn(usize, &mut [u32]) + Send + Sync> WeightRows for F {
    fn write(&self, output: usize, cells: &mut [u32]) {
        self(output, cells);
    }
}

impl Matrix {
    pub(crate) fn new(
        rows: impl WeightRows + 'static,
        format: WeightFormat,
        (outputs, inputs): (usize, usize),
    ) -> Self {
        Self {
            rows: Box::new(rows),
            panels: OnceLock::new(),
            format,
            outputs,
            inputs,
        }
    }

    /// Lays the panels out, if they are not yet.
    ///
    /// # Errors
    /// When there is no memory.
    pub(crate) fn lay_out(&self, threads: &Threads) -> std::io::Result<()> {
        if self.panels.get().is_some() {
            return Ok(());
        }
        let size = self.panel_cells();
        let panels = self.outputs.div_ceil(PANEL);
        let mut buffer = Buffer::new(panels * size)?;
        let to = Shared::new(buffer.cells_mut());
        threads.for_each(panels, |_, panel| {
            // SAFETY: each panel is written by the one task of its number.
            self.write_panel(panel, unsafe { to.slice(panel * size, size) });
        });
        // Who else came first wrote the same.
        let _ = self.panels.set(buffer);
        self.rows.forget();
        Ok(())
    }

    fn write_panel(&self, panel: usize, to: &mut [u32]) {
        let depth = self.row_cells();
        // A little more than a row, so that the rows of a panel do not compete for the same lines
        // of the cache.
        let stride = depth + LANES;
        let mut rows = SPARE_ROWS.take();
        rows.resize(PANEL * stride, 0);
        for column in 0..PANEL {
            let row = &mut rows[column * stride..][..depth];
            match panel * PANEL + column {
                output if output < self.outputs => self.rows.write(output, row),
                // Zeros in any format: of 8-bit blocks the scales.
                _ => row.fill(0),
            }
        }
        match self.format {
            WeightFormat::Q8 => quantized::side_by_side(&rows, stride, to),
            WeightFormat::Numbers(_) => {
                for (cell, to) in to.as_chunks_mut::<PANEL>().0.iter_mut().enumerate() {
                    to.iter_mut()
                        .enumerate()
                        .for_each(|(column, to)| *to = rows[column * stride + cell]);
                }
            }
        }
        SPARE_ROWS.set(rows);
    }

    /// Calls `work` with the cells of a panel.
    fn with_panel(&self, panel: usize, work: impl FnOnce(&[u32])) {
        let size = self.panel_cells();
        match self.panels.get() {
            Some(panels) => work(&panels.cells()[panel * size..][..size]),
            None => {
                let mut cells = SPARE_PANEL.take();
                cells.resize(size, 0);
                self.write_panel(panel, &mut cells);
                work(&cells);
                SPARE_PANEL.set(cells);
            }
        }
    }

    pub(crate) fn format(&self) -> WeightFormat {
        self.format
    }

    pub(crate) fn outputs(&self) -> usize {
        self.outputs
    }

    pub(crate) fn inputs(&self) -> usize {
        self.inputs
    }

    /// Row `output` of the matrix, `[inputs]`, as an embedding table reads it.
    pub(crate) fn row(&self, output: usize, to: &mut [f32]) {
        let mut cells = vec![0; self.row_cells()];
        match self.panels.get() {
            None => self.rows.write(output, &mut cells),
            Some(_) => self.with_panel(output / PANEL, |panel| match self.format {
                WeightFormat::Q8 => quantized::row_of_panel(panel, output % PANEL, &mut cells),
                WeightFormat::Numbers(_) => {
                    let row = panel[output % PANEL..].iter().step_by(PANEL);
                    cells.iter_mut().zip(row).for_each(|(to, cell)| *to = *cell);
                }
            }),
        }
        match self.format {
            WeightFormat::Q8 => quantized::read_row(&cells, to),
            WeightFormat::Numbers(Precision::F32) => {
                to.iter_mut()
                    .zip(cells)
                    .for_each(|(to, cell)| *to = f32::from_bits(cell));
            }
            WeightFormat::Numbers(Precision::Bf16) => {
                to.chunks_mut(2)
                    .zip(cells)
                    .for_each(|(to, cell)| to.copy_from_slice(&pair_values(cell)[..to.len()]));
            }
        }
    }

    fn row_cells(&self) -> usize {
        self.format.row_cells(self.inputs)
    }

    fn panel_cells(&self) -> usize {
        self.format.panel_cells(self.inputs)
    }
}

thread_local! {
    /// Memory for the rows of a panel, to be used again.
    static SPARE_ROWS: Cell<Vec<u32>> = const { Cell::new(Vec::new()) };
    /// Memory for a panel, to be used again.
    static SPARE_PANEL: Cell<Vec<u32>> = const { Cell::new(Vec::new()) };
}

/// Activations `[rows, inputs]` in tiles.
#[derive(Debug)]
pub(crate) struct Inputs {
    cells: SpareCells,
    depth: usize,
    tiling: Tiling,
}

impl Inputs {
    /// Packs rows. `row` writes or returns the row of a number: `[inputs]`, f32.
    pub(crate) fn pack<'x>(
        threads: &Threads,
        set: InstructionSet,
        precision: Precision,
        (rows, inputs): (usize, usize),
        row: impl Row<'x>,
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

/// Cells in memory that the next inputs use again; what lies behind those asked for means nothing.
#[derive(Debug)]
pub(super) struct SpareCells(Vec<u32>);

thread_local! {
    static SPARE_CELLS: Cell<Vec<u32>> = const { Cell::new(Vec::new()) };
}

impl SpareCells {
    fn take(length: usize) -> Self {
        let mut cells = SPARE_CELLS.take();
        if cells.len() < length {
            cells.resize(length, 0);
        }
        Self(cells)
    }
}

impl Deref for SpareCells {
    type Target = [u32];

    fn deref(&self) -> &[u32] {
        &self.0
    }
}

impl Drop for SpareCells {
    fn drop(&mut self) {
        SPARE_CELLS.set(std::mem::take(&mut self.0));
    }
}

/// Where rows of activations come from.
pub(crate) trait Row<'x>: Sync {
    /// Row number `index`, which may be written to `scratch` `[inputs]`.
    fn get<'s, A: Arithmetic>(&self, index: usize, scratch: &'s mut [f32]) -> &'s [f32]
    where
        'x: 's;
}

struct PackTile<'a, R> {
    first: usize,
    count: usize,
    inputs: usize,
    depth: usize,
    row: &'a R,
    to: &'a mut [u32],
}

impl<'x, R: Row<'x>> Kernel for PackTile<'_, R> {
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

/// How rows are cut into tiles: as evenly as they can.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tiling {
    rows: usize,
    tiles: usize,
}

impl Tiling {
    /// Tiles of at most `tile_rows` rows.
    pub(super) fn new(rows: usize, tile_rows: usize) -> Self {
        Self {
            rows,
            tiles: rows.div_ceil(tile_rows),
        }
    }

    pub(super) fn tile(self, tile: usize) -> Range<usize> {
        self.rows * tile / self.tiles..self.rows * (tile + 1) / self.tiles
    }

    /// Packs each tile: `pack_tile` gets its rows and a place of `row_cells` cells for each.
    pub(super) fn pack(
        self,
        threads: &Threads,
        row_cells: usize,
        pack_tile: impl Fn(Range<usize>, &mut [u32]) + Sync,
    ) -> SpareCells {
        let mut cells = SpareCells::take(self.rows * row_cells);
        let to = Shared::new(&mut cells.0);
        threads.for_each(self.tiles, |_, tile| {
            let range = self.tile(tile);
            // SAFETY: each tile is written by the one task of its number.
            let to = unsafe { to.slice(range.start * row_cells, range.len() * row_cells) };
            pack_tile(range, to);
        });
        cells
    }
}

/// What becomes of the sums of some rows and one panel.
pub(crate) trait Epilogue: Sync {
    /// `sums` are those of the rows from `first_row` on; `thread` is the number of the thread that
    /// calls.
    fn take<A: Arithmetic>(
        &self,
        thread: usize,
        panel: usize,
        first_row: usize,
        sums: &[PanelSums],
    );
}

/// Multiplies every row by every panel.
pub(crate) fn product(
    threads: &Threads,
    set: InstructionSet,
    precision: Precision,
    inputs: &Inputs,
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

/// Gives out the panels of a matrix: `work` gets the thread's number, the panel's, tiles, and the
/// panel's cells.
pub(super) fn for_each_panel(
    threads: &Threads,
    tiling: Tiling,
    tile_rows: usize,
    matrix: &Matrix,
    work: impl Fn(usize, usize, Range<usize>, &[u32]) + Sync,
) {
    let tiles_per_task = (TASK_ROWS / tile_rows).max(1);
    let groups = tiling.tiles.div_ceil(tiles_per_task);
    let panels = matrix.outputs.div_ceil(PANEL);
    // Panels that lie beside each other, so that what is asked for ahead is used by whoever asked.
    let run = (panels / (TASKS_A_THREAD * threads.count())).clamp(1, LONGEST_RUN);
    let runs = panels.div_ceil(run);
    threads.for_each(runs * groups, |thread, task| {
        let (first, group) = (task % runs * run, task / runs);
        let tiles = group * tiles_per_task..((group + 1) * tiles_per_task).min(tiling.tiles);
        for panel in first..(first + run).min(panels) {
            matrix.with_panel(panel, |weights| work(thread, panel, tiles.clone(), weights));
        }
    });
}

struct PanelProduct<'a, E> {
    inputs: &'a Inputs,
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
        let mut sums = [[0f32; PANEL]; TASK_ROWS];
        let sums = &mut sums[..rows];
        for start in (0..depth).step_by(DEPTH_BLOCK) {
            let length = DEPTH_BLOCK.min(depth - start);
            let weights = &weights[start * PANEL..][..length * PANEL];
            for tile in tiles.clone() {
                let range = tiling.tile(tile);
                let cells = &inputs.cells[range.start * depth + start * range.len()..]
                    [..length * range.len()];
                let sums = &mut sums[range.start - first_row..range.end - first_row];
                // SAFETY: the processor has the instructions of `A`, for which this is compiled.
                unsafe { any_tile::<A>(cells, weights, sums) };
            }
        }
        epilogue.take::<A>(thread, panel, first_row, sums);
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
