//! Weight matrices: rows somewhere, such as in a mapped file, and the panels that are packed from
//! them.

use std::cell::Cell;
use std::sync::OnceLock;

use super::arithmetic::{LANES, PANEL, Precision, pair_values};
use super::buffer::{Buffer, Shared};
use super::q8_blocks;
use super::weight_format::WeightFormat;
use crate::threads::Threads;

/// A weight matrix `[outputs, inputs]`.
///
/// At first its rows lie elsewhere, such as in a mapped file, and each product packs panels as it
/// goes, in memory that it uses again. [`Self::prepack`] does so once and for all, which takes
/// memory that the system must find first.
pub(crate) struct Matrix {
    rows: Box<dyn WeightRows>,
    panels: OnceLock<Buffer>,
    format: WeightFormat,
    outputs: usize,
    inputs: usize,
}

/// The rows of a matrix before they are packed.
pub(crate) trait WeightRows: Send + Sync {
    /// Writes all cells of row `output`, as [`WeightFormat::write_row`] does.
    fn write(&self, output: usize, cells: &mut [u32]);

    /// The rows will not be read again: their pages in the page cache can be released.
    fn release(&self) {}
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

    /// Packs the panels, if they are not yet.
    ///
    /// # Errors
    /// When there is no memory.
    pub(crate) fn prepack(&self, threads: &Threads) -> std::io::Result<()> {
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
        self.rows.release();
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
            WeightFormat::Q8 => q8_blocks::pack_panel(&rows, stride, to),
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
    pub(super) fn with_panel(&self, panel: usize, work: impl FnOnce(&[u32])) {
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
                WeightFormat::Q8 => q8_blocks::unpack_row(panel, output % PANEL, &mut cells),
                WeightFormat::Numbers(_) => {
                    let row = panel[output % PANEL..].iter().step_by(PANEL);
                    cells.iter_mut().zip(row).for_each(|(to, cell)| *to = *cell);
                }
            }),
        }
        match self.format {
            WeightFormat::Q8 => q8_blocks::read_row(&cells, to),
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

    pub(super) fn panel_cells(&self) -> usize {
        self.format.panel_cells(self.inputs)
    }
}

thread_local! {
    /// Memory for the rows of a panel, to be used again.
    static SPARE_ROWS: Cell<Vec<u32>> = const { Cell::new(Vec::new()) };
    /// Memory for a panel, to be used again.
    static SPARE_PANEL: Cell<Vec<u32>> = const { Cell::new(Vec::new()) };
}
