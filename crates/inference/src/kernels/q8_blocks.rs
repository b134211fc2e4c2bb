//! Weights as 8-bit integers in blocks of 32 with an f16 scale each: the numbers of GGUF's Q8_0,
//! and how they lie in a row and in a panel.

use half::f16;

use super::arithmetic::PANEL;

/// Inputs that share a scale.
pub(crate) const BLOCK: usize = 32;

/// Cells of four 8-bit integers in a block.
pub(crate) const BLOCK_CELLS: usize = BLOCK / 4;

/// Cells of a block of one row of weights: the integers, then the scale.
pub(crate) const ROW_BLOCK: usize = BLOCK_CELLS + 1;

/// Cells of a block of a panel: for each cell of the block the cells of 32 outputs, then 32 scales
/// as f16.
pub(crate) const PANEL_BLOCK: usize = BLOCK_CELLS * PANEL + PANEL / 2;

/// Weights are stored with this added, because CPUs multiply unsigned by signed bytes.
pub(crate) const OFFSET: i32 = 128;

/// The largest integer of a block.
const MAX_INTEGER: f32 = 127.0;

/// Rounds up to 32 values, f32, to integers from -127 to 127, zeros behind them; the scale.
pub(crate) fn quantize(values: &[f32], integers: &mut [i8; BLOCK]) -> f32 {
    let largest = values
        .iter()
        .fold(0f32, |largest, value| largest.max(value.abs()));
    let scale = largest / MAX_INTEGER;
    let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
    for (integer, value) in integers.iter_mut().zip(values) {
        // Adding and subtracting 1.5·2²³ rounds to the nearest.
        *integer = (value * inverse + 12_582_912.0 - 12_582_912.0) as i8;
    }
    integers[values.len()..].fill(0);
    scale
}

/// A row of weights as cells: `values` `[inputs]`, `cells` `[blocks, 9]`.
pub(crate) fn write_row(values: &[f32], cells: &mut [u32]) {
    let mut integers = [0i8; BLOCK];
    for (values, cells) in values
        .chunks(BLOCK)
        .zip(cells.as_chunks_mut::<ROW_BLOCK>().0)
    {
        let scale = quantize(values, &mut integers);
        write_row_block(&integers, f16::from_f32(scale), cells);
    }
}

/// A row of weights as GGUF files hold it: of each block an f16 scale, then 32 integers.
pub(crate) fn write_q8_0(bytes: &[u8], cells: &mut [u32]) {
    let blocks = bytes.as_chunks::<{ 2 + BLOCK }>().0;
    for (bytes, cells) in blocks.iter().zip(cells.as_chunks_mut::<ROW_BLOCK>().0) {
        let integers = std::array::from_fn(|index| bytes[2 + index] as i8);
        write_row_block(&integers, f16::from_le_bytes([bytes[0], bytes[1]]), cells);
    }
}

/// A block of a row of weights as cells.
pub(crate) fn write_row_block(integers: &[i8; BLOCK], scale: f16, cells: &mut [u32; ROW_BLOCK]) {
    for (cell, integers) in cells.iter_mut().zip(integers.as_chunks::<4>().0) {
        *cell = u32::from_le_bytes(integers.map(|integer| (i32::from(integer) + OFFSET) as u8));
    }
    cells[BLOCK_CELLS] = u32::from(scale.to_bits());
}

/// The values of a row of cells: `[blocks, 9]` to `[inputs]`.
pub(crate) fn read_row(cells: &[u32], to: &mut [f32]) {
    for (cells, to) in cells
        .as_chunks::<ROW_BLOCK>()
        .0
        .iter()
        .zip(to.chunks_mut(BLOCK))
    {
        let scale = f16::from_bits(cells[BLOCK_CELLS] as u16).to_f32();
        let bytes = cells.iter().flat_map(|cell| cell.to_le_bytes());
        to.iter_mut()
            .zip(bytes)
            .for_each(|(to, byte)| *to = (i32::from(byte) - OFFSET) as f32 * scale);
    }
}

/// Packs 32 rows of cells `[32, stride]`, of which `[blocks, 9]` are used, as a panel
/// `[blocks, PANEL_BLOCK]`.
pub(crate) fn pack_panel(rows: &[u32], stride: usize, to: &mut [u32]) {
    for (block, to) in to.as_chunks_mut::<PANEL_BLOCK>().0.iter_mut().enumerate() {
        let (integers, scales) = to.split_at_mut(BLOCK_CELLS * PANEL);
        let cell = |column: usize, cell: usize| rows[column * stride + block * ROW_BLOCK + cell];
        for (index, to) in integers.as_chunks_mut::<PANEL>().0.iter_mut().enumerate() {
            to.iter_mut()
                .enumerate()
                .for_each(|(column, to)| *to = cell(column, index));
        }
        for (pair, to) in scales.iter_mut().enumerate() {
            *to = cell(2 * pair, BLOCK_CELLS) | cell(2 * pair + 1, BLOCK_CELLS) << 16;
        }
    }
}

/// The row of one column of a panel: `[blocks, PANEL_BLOCK]` to `[blocks, 9]`.
pub(crate) fn unpack_row(panel: &[u32], column: usize, cells: &mut [u32]) {
    for (panel, cells) in panel
        .as_chunks::<PANEL_BLOCK>()
        .0
        .iter()
        .zip(cells.as_chunks_mut::<ROW_BLOCK>().0)
    {
        for (index, cell) in cells[..BLOCK_CELLS].iter_mut().enumerate() {
            *cell = panel[index * PANEL + column];
        }
        cells[BLOCK_CELLS] = panel[BLOCK_CELLS * PANEL + column / 2] >> (column % 2 * 16) & 0xffff;
    }
}
