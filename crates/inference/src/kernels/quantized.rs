//! Products of 8-bit integers: weights in blocks of 32 with a scale each (the numbers of GGUF's
//! Q8_0), activations rounded to the same kind of blocks row by row.
//!
//! A block's product is a sum of integers, exact in any order, times both scales, added to an f32
//! sum in the order of the blocks. So no row depends on another, and every instruction set gives
//! the same integers.

use std::ops::Range;

use half::f16;

use super::arithmetic::{Arithmetic, LANES, Precision, multiply_add};
use super::dispatch::{ByteKernel, InstructionSet, Kernel};
use super::product::{
    Epilogue, Matrix, PANEL, PanelSums, Row, SpareCells, TASK_ROWS, Tiling, for_each_panel,
    with_const_rows,
};
use crate::threads::Threads;

/// Inputs that share a scale.
pub(crate) const BLOCK: usize = 32;

/// Cells of four 8-bit integers in a block.
const BLOCK_CELLS: usize = BLOCK / 4;

/// Cells of a block of one row of weights: the integers, then the scale.
pub(crate) const ROW_BLOCK: usize = BLOCK_CELLS + 1;

/// Cells of a block of a panel: for each cell of the block the cells of 32 outputs, then 32 scales
/// as f16.
pub(crate) const PANEL_BLOCK: usize = BLOCK_CELLS * PANEL + PANEL / 2;

/// Cells of a block of one row of inputs: the integers, their scale, and what is to be taken off
/// (see [`OFFSET`]).
const INPUT_BLOCK: usize = BLOCK_CELLS + 2;

/// Weights are stored with this added, because processors multiply unsigned by signed bytes.
const OFFSET: i32 = 128;

/// The largest integer of a block.
const LARGEST: f32 = 127.0;

/// Rounds 32 values to integers of at most 127; the scale.
fn quantize(values: &[f32], integers: &mut [i8; BLOCK]) -> f32 {
    let largest = values
        .iter()
        .fold(0f32, |largest, value| largest.max(value.abs()));
    let scale = largest / LARGEST;
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

/// Puts 32 rows `[32, stride]` side by side: `[blocks, PANEL_BLOCK]`.
pub(crate) fn side_by_side(rows: &[u32], stride: usize, to: &mut [u32]) {
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
pub(crate) fn row_of_panel(panel: &[u32], column: usize, cells: &mut [u32]) {
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

/// Products of bytes in one instruction set.
///
/// # Safety
/// As for [`Arithmetic`].
pub(crate) trait Bytes: Copy {
    /// The arithmetic of what comes before and after.
    type Floats: Arithmetic;
    /// Rows of inputs that a tile takes.
    const TILE_ROWS: usize;
    /// Whether a tile is 32 columns wide; 16 where there are fewer registers.
    const WIDE: bool;

    /// 16 sums of integers.
    type Sums: Copy;
    /// 16 cells of weights.
    type Weights: Copy;

    unsafe fn start(value: i32) -> Self::Sums;
    unsafe fn weights(from: *const u32) -> Self::Weights;
    /// Adds the products of four unsigned bytes of each weight cell and the four signed ones of
    /// `input`.
    unsafe fn add(sums: Self::Sums, weights: Self::Weights, input: u32) -> Self::Sums;
    /// `to += sums · scales · scale`: 16 sums, 16 scales as f16.
    unsafe fn add_scaled(
        sums: Self::Sums,
        scales: *const u16,
        scale: f32,
        to: &mut <Self::Floats as Arithmetic>::Sums,
    );
}

/// Loops over plain arrays.
#[derive(Clone, Copy)]
pub(crate) struct PortableBytes<A>(std::marker::PhantomData<A>);

impl<A: Arithmetic<Sums = [f32; LANES]>> Bytes for PortableBytes<A> {
    type Floats = A;
    const TILE_ROWS: usize = 2;
    const WIDE: bool = false;

    type Sums = [i32; LANES];
    type Weights = [u32; LANES];

    #[inline(always)]
    unsafe fn start(value: i32) -> Self::Sums {
        [value; LANES]
    }

    #[inline(always)]
    unsafe fn weights(from: *const u32) -> Self::Weights {
        // SAFETY: good for 16 elements, by the trait's contract.
        unsafe { from.cast::<Self::Weights>().read_unaligned() }
    }

    #[inline(always)]
    unsafe fn add(mut sums: Self::Sums, weights: Self::Weights, input: u32) -> Self::Sums {
        let input = input.to_le_bytes().map(|byte| i32::from(byte as i8));
        for (sum, weights) in sums.iter_mut().zip(weights) {
            let weights = weights.to_le_bytes().map(i32::from);
            for (weight, input) in weights.into_iter().zip(input) {
                *sum += weight * input;
            }
        }
        sums
    }

    #[inline(always)]
    unsafe fn add_scaled(sums: Self::Sums, scales: *const u16, scale: f32, to: &mut [f32; LANES]) {
        for (lane, (to, sum)) in to.iter_mut().zip(sums).enumerate() {
            // SAFETY: good for 16 elements, by the trait's contract.
            let own = f16::from_bits(unsafe { scales.add(lane).read_unaligned() }).to_f32();
            *to = multiply_add::<A>(sum as f32, own * scale, *to);
        }
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) mod x86 {
    use std::arch::x86_64::*;

    use super::Bytes;
    use crate::kernels::arithmetic::x86::{Avx2, Avx512};

    /// AVX-512 with its dot product of bytes.
    #[derive(Clone, Copy)]
    pub(crate) struct Avx512Vnni;

    /// AVX2: products of 16-bit halves.
    #[derive(Clone, Copy)]
    pub(crate) struct Avx2Bytes;

    impl Bytes for Avx512Vnni {
        type Floats = Avx512<false>;
        const TILE_ROWS: usize = 6;
        const WIDE: bool = true;

        type Sums = __m512i;
        type Weights = __m512i;

        #[inline(always)]
        unsafe fn start(value: i32) -> __m512i {
            // SAFETY: AVX-512F is there, by the trait's contract.
            unsafe { _mm512_set1_epi32(value) }
        }

        #[inline(always)]
        unsafe fn weights(from: *const u32) -> __m512i {
            // SAFETY: AVX-512F is there and the pointer good, by the trait's contract.
            unsafe { _mm512_loadu_si512(from.cast()) }
        }

        #[inline(always)]
        unsafe fn add(sums: __m512i, weights: __m512i, input: u32) -> __m512i {
            // SAFETY: AVX-512 VNNI is there, by the trait's contract.
            unsafe { _mm512_dpbusd_epi32(sums, weights, _mm512_set1_epi32(input as i32)) }
        }

        #[inline(always)]
        unsafe fn add_scaled(sums: __m512i, scales: *const u16, scale: f32, to: &mut __m512) {
            // SAFETY: AVX-512F is there and the pointer good, by the trait's contract.
            unsafe {
                let own = _mm512_cvtph_ps(_mm256_loadu_si256(scales.cast()));
                *to = _mm512_fmadd_ps(
                    _mm512_cvtepi32_ps(sums),
                    _mm512_mul_ps(own, _mm512_set1_ps(scale)),
                    *to,
                );
            }
        }
    }

    impl Bytes for Avx2Bytes {
        type Floats = Avx2<false>;
        const TILE_ROWS: usize = 2;
        const WIDE: bool = false;

        type Sums = [__m256i; 2];
        type Weights = [__m256i; 2];

        #[inline(always)]
        unsafe fn start(value: i32) -> [__m256i; 2] {
            // SAFETY: AVX is there, by the trait's contract.
            unsafe { [_mm256_set1_epi32(value); 2] }
        }

        #[inline(always)]
        unsafe fn weights(from: *const u32) -> [__m256i; 2] {
            // SAFETY: AVX is there and the pointer good, by the trait's contract.
            unsafe {
                [
                    _mm256_loadu_si256(from.cast()),
                    _mm256_loadu_si256(from.add(8).cast()),
                ]
            }
        }

        #[inline(always)]
        unsafe fn add(sums: [__m256i; 2], weights: [__m256i; 2], input: u32) -> [__m256i; 2] {
            // SAFETY: AVX2 is there, by the trait's contract.
            unsafe {
                let input = _mm256_set1_epi32(input as i32);
                let (even, odd) = (
                    _mm256_srai_epi16::<8>(_mm256_slli_epi16::<8>(input)),
                    _mm256_srai_epi16::<8>(input),
                );
                [
                    half(sums[0], weights[0], even, odd),
                    half(sums[1], weights[1], even, odd),
                ]
            }
        }

        #[inline(always)]
        unsafe fn add_scaled(
            sums: [__m256i; 2],
            scales: *const u16,
            scale: f32,
            to: &mut [__m256; 2],
        ) {
            // SAFETY: AVX2, FMA and F16C are there and the pointer good, by the trait's contract.
            unsafe {
                for (half, sums) in sums.into_iter().enumerate() {
                    let own = _mm256_cvtph_ps(_mm_loadu_si128(scales.add(8 * half).cast()));
                    let scale = _mm256_mul_ps(own, _mm256_set1_ps(scale));
                    to[half] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sums), scale, to[half]);
                }
            }
        }
    }

    /// 8 of the 16 lanes: the bytes of even places, then those of odd ones.
    #[inline(always)]
    unsafe fn half(sums: __m256i, weights: __m256i, even: __m256i, odd: __m256i) -> __m256i {
        // SAFETY: the caller has AVX2.
        unsafe {
            let low = _mm256_and_si256(weights, _mm256_set1_epi16(0xff));
            let high = _mm256_srli_epi16::<8>(weights);
            let sums = _mm256_add_epi32(sums, _mm256_madd_epi16(low, even));
            _mm256_add_epi32(sums, _mm256_madd_epi16(high, odd))
        }
    }
}

/// Rows of activations `[rows, inputs]` in tiles of 8-bit integers.
struct Inputs {
    cells: SpareCells,
    blocks: usize,
    tiling: Tiling,
}

impl Inputs {
    fn pack<'x>(
        threads: &Threads,
        set: InstructionSet,
        (rows, inputs): (usize, usize),
        row: &impl Row<'x>,
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

impl<'x, R: Row<'x>> Kernel for PackTile<'_, R> {
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
    row: &impl Row<'x>,
    matrix: &Matrix,
    epilogue: &impl Epilogue,
) {
    let inputs = Inputs::pack(threads, set, (rows, matrix.inputs()), row);
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
    inputs: &'a Inputs,
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
                Inputs {
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
        let mut sums = [[0f32; PANEL]; TASK_ROWS];
        let sums = &mut sums[..rows];
        for tile in tiles {
            let range = tiling.tile(tile);
            let cells = &cells[range.start * size..range.end * size];
            let sums = &mut sums[range.start - first_row..range.end - first_row];
            // SAFETY: the processor has the instructions of `B`, for which this is compiled.
            unsafe { any_tile::<B>(cells, weights, sums) };
        }
        epilogue.take::<B::Floats>(thread, panel, first_row, sums);
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

/// How many blocks ahead weights are asked for.
const AHEAD: usize = 4;
