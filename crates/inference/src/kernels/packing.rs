//! What both kinds of products share: rows of activations cut into tiles, and the panels of a
//! matrix given out to threads.

use std::cell::Cell;
use std::ops::{Deref, Range};

use super::arithmetic::{Arithmetic, PANEL};
use super::buffer::Shared;
use super::matrix::Matrix;
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

/// The sums of one row and one panel.
pub(crate) type PanelSums = [f32; PANEL];

/// Rows of a task.
pub(super) const MAX_TASK_ROWS: usize = 192;

/// Tasks for each thread, if there are panels enough: what one thread is late by is little.
const TASKS_PER_THREAD: usize = 6;

/// Panels of a task.
const MAX_RUN: usize = 4;

/// Cells in memory that the next inputs use again; what lies behind those in use means nothing.
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
pub(crate) trait RowSource<'x>: Sync {
    /// Row number `index`, which may be written to `scratch` `[inputs]`.
    fn get<'s, A: Arithmetic>(&self, index: usize, scratch: &'s mut [f32]) -> &'s [f32]
    where
        'x: 's;
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

/// What is done with the sums of some rows and one panel, while they are in registers or near.
pub(crate) trait Epilogue: Sync {
    /// `sums` are those of the rows from `first_row` on; `thread` is the number of the thread that
    /// calls.
    fn apply<A: Arithmetic>(
        &self,
        thread: usize,
        panel: usize,
        first_row: usize,
        sums: &[PanelSums],
    );
}

/// Distributes the panels of a matrix over the threads: `work` gets the thread's number, the
/// panel's, tiles, and the panel's cells.
pub(super) fn for_each_panel(
    threads: &Threads,
    tiling: Tiling,
    tile_rows: usize,
    matrix: &Matrix,
    work: impl Fn(usize, usize, Range<usize>, &[u32]) + Sync,
) {
    let tiles_per_task = (MAX_TASK_ROWS / tile_rows).max(1);
    let groups = tiling.tiles.div_ceil(tiles_per_task);
    let panels = matrix.outputs().div_ceil(PANEL);
    // Panels that lie beside each other, so that a thread uses what it has prefetched.
    let run = (panels / (TASKS_PER_THREAD * threads.count())).clamp(1, MAX_RUN);
    let runs = panels.div_ceil(run);
    threads.for_each(runs * groups, |thread, task| {
        let (first, group) = (task % runs * run, task / runs);
        let tiles = group * tiles_per_task..((group + 1) * tiles_per_task).min(tiling.tiles);
        for panel in first..(first + run).min(panels) {
            matrix.with_panel(panel, |weights| work(thread, panel, tiles.clone(), weights));
        }
    });
}
