//! Attention of one row over the KV cache of its own sequence.
//!
//! Positions come in blocks of 16. The keys of a block are a panel: for each cell of a head, the
//! cells of 16 positions side by side. Its values are a panel too: for each cell of positions (one
//! in f32, two in bf16), all elements of the head side by side. A row reads blocks in order of
//! position from its first visible one to its own, whatever other rows there are.

use std::ops::Range;

use super::arithmetic::{Arithmetic, LANES, Precision, bf16_pair, write_cells};
use super::dispatch::Kernel;
use super::elementwise::exp;

/// Positions of a block.
pub(crate) const BLOCK: usize = LANES;

/// The layout of the KV cache in a block of one head: keys `[cells(head_dim), 16]`, then values
/// `[cells(16), width]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HeadLayout {
    pub(crate) head_dim: usize,
    pub(crate) precision: Precision,
}

impl HeadLayout {
    /// Cells of the keys of a block.
    pub(crate) fn keys(self) -> usize {
        self.precision.cells(self.head_dim) * BLOCK
    }

    /// Elements of a row of values: those of the head, filled up to whole vectors.
    pub(crate) fn width(self) -> usize {
        self.head_dim.next_multiple_of(LANES)
    }

    /// Cells of a block.
    pub(crate) fn cells(self) -> usize {
        self.keys() + self.precision.cells(BLOCK) * self.width()
    }

    /// Writes the key and the value of one position into its block.
    ///
    /// # Shapes
    /// `block` `[cells]`; `key` and `value` `[head_dim]`.
    #[inline(always)]
    pub(crate) fn store(self, block: &mut [u32], lane: usize, key: &[f32], value: &[f32]) {
        let (keys, values) = block.split_at_mut(self.keys());
        let keys = keys[lane..].iter_mut().step_by(BLOCK);
        match self.precision {
            Precision::F32 => {
                keys.zip(key).for_each(|(cell, key)| *cell = key.to_bits());
                let values = &mut values[lane * self.width()..];
                values
                    .iter_mut()
                    .zip(value)
                    .for_each(|(cell, value)| *cell = value.to_bits());
            }
            Precision::Bf16 => {
                keys.zip(key.chunks(2)).for_each(|(cell, pair)| {
                    *cell = bf16_pair(pair[0], pair.get(1).copied().unwrap_or(0.0));
                });
                let values = values[lane / 2 * self.width()..].iter_mut().zip(value);
                if lane.is_multiple_of(2) {
                    // The later position is not written yet: nothing of the block's former sequence
                    // may stay there.
                    values.for_each(|(cell, &value)| *cell = bf16_pair(value, 0.0));
                } else {
                    values.for_each(|(cell, &value)| {
                        *cell = (*cell & 0xffff) | bf16_pair(0.0, value)
                    });
                }
            }
        }
    }
}

/// Attention of the query heads of one row that share a key-value head.
pub(crate) struct AttendRow<'a> {
    pub(crate) layout: HeadLayout,
    /// Queries with RoPE, f32: `[heads, head_dim]`.
    pub(crate) queries: &'a [f32],
    /// The blocks of the row's sequence for this key-value head, from the first position on; each
    /// `[layout.cells()]`.
    pub(crate) blocks: &'a [&'a [u32]],
    /// Positions that the row sees; the last is its own.
    pub(crate) visible: Range<usize>,
    /// `[heads, head_dim]`.
    pub(crate) out: &'a mut [f32],
    pub(crate) scratch: &'a mut Scratch,
}

/// Memory that is used again from row to row.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    queries: Vec<u32>,
    scores: Vec<[f32; LANES]>,
    weights: Vec<u32>,
}

impl Kernel for AttendRow<'_> {
    #[inline(always)]
    fn run<A: Arithmetic>(mut self) {
        let count = self.queries.len() / self.layout.head_dim;
        let mut head = 0;
        while head < count {
            // SAFETY: the CPU has the instructions of `A`, for which this is compiled.
            head += unsafe {
                match count - head {
                    1 => self.heads::<A, 1>(head),
                    2 | 3 => self.heads::<A, 2>(head),
                    _ => self.heads::<A, 4>(head),
                }
            };
        }
    }
}

impl AttendRow<'_> {
    /// `HEADS` query heads, so that each key and value is read once for all.
    ///
    /// # Safety
    /// As for [`Arithmetic`].
    #[inline(always)]
    unsafe fn heads<A: Arithmetic, const HEADS: usize>(&mut self, head: usize) -> usize {
        let HeadLayout {
            head_dim,
            precision,
        } = self.layout;
        let depth = precision.cells(head_dim);
        let Range { start: first, end } = self.visible;
        let blocks = &self.blocks[first / BLOCK..end.div_ceil(BLOCK)];
        let Scratch {
            queries,
            scores,
            weights,
        } = &mut *self.scratch;

        queries.clear();
        for query in self.queries[head * head_dim..][..HEADS * head_dim].chunks_exact(head_dim) {
            push_cells::<A>(query, queries);
        }
        scores.clear();
        scores.resize(HEADS * blocks.len(), [0.0; LANES]);
        let mut done = 0;
        // SAFETY: every block holds `layout.cells()` cells, and `queries` and `scores` were just
        // sized.
        unsafe {
            while done < blocks.len() {
                done += match blocks.len() - done {
                    4.. if HEADS == 1 => score::<A, HEADS, 4>(
                        queries,
                        &blocks[done..],
                        depth,
                        scores,
                        blocks.len(),
                        done,
                    ),
                    2.. => score::<A, HEADS, 2>(
                        queries,
                        &blocks[done..],
                        depth,
                        scores,
                        blocks.len(),
                        done,
                    ),
                    _ => score::<A, HEADS, 1>(
                        queries,
                        &blocks[done..],
                        depth,
                        scores,
                        blocks.len(),
                        done,
                    ),
                };
            }
        }
        let scale = 1.0 / (head_dim as f32).sqrt();
        let mut totals = [0f32; HEADS];
        weights.clear();
        for (total, scores) in totals.iter_mut().zip(scores.chunks_exact_mut(blocks.len())) {
            // What lies outside the visible positions belongs to another sequence or to none.
            scores[0][..first % BLOCK].fill(f32::NEG_INFINITY);
            scores[blocks.len() - 1][(end - 1) % BLOCK + 1..].fill(f32::NEG_INFINITY);
            *total = exponentials(scores, scale);
            push_cells::<A>(scores.as_flattened(), weights);
        }

        let per_cell = precision.per_cell();
        let row_cells = blocks.len() * BLOCK / per_cell;
        let low = first % BLOCK / per_cell;
        let high = ((blocks.len() - 1) * BLOCK + (end - 1) % BLOCK) / per_cell + 1;
        let mut vector = 0;
        while vector * LANES < head_dim {
            let vectors = self.layout.width() / LANES - vector;
            let out = &mut self.out[head * head_dim..][..HEADS * head_dim];
            // SAFETY: every block holds `layout.cells()` cells; `weights` holds `row_cells` cells
            // for each head.
            vector += unsafe {
                match vectors {
                    4.. => mix::<A, HEADS, 4>(
                        weights,
                        row_cells,
                        low..high,
                        blocks,
                        self.layout,
                        vector,
                        &totals,
                        out,
                    ),
                    2.. => mix::<A, HEADS, 2>(
                        weights,
                        row_cells,
                        low..high,
                        blocks,
                        self.layout,
                        vector,
                        &totals,
                        out,
                    ),
                    _ => mix::<A, HEADS, 1>(
                        weights,
                        row_cells,
                        low..high,
                        blocks,
                        self.layout,
                        vector,
                        &totals,
                        out,
                    ),
                }
            };
        }
        HEADS
    }
}

/// Adds the cells of some numbers.
#[inline(always)]
fn push_cells<A: Arithmetic>(numbers: &[f32], cells: &mut Vec<u32>) {
    let start = cells.len();
    cells.resize(start + A::PRECISION.cells(numbers.len()), 0);
    write_cells(A::PRECISION, numbers, &mut cells[start..]);
}

/// Products of `HEADS` queries and the keys of `BLOCKS` blocks; returns `BLOCKS`.
///
/// # Safety
/// As for [`Arithmetic`]; `queries` `[HEADS, depth]`, blocks with `[depth, 16]` cells at least,
/// `scores` `[HEADS, row, 16]`, written from block `at` on.
#[inline(always)]
#[expect(
    clippy::needless_range_loop,
    reason = "indices name registers of a tile"
)]
unsafe fn score<A: Arithmetic, const HEADS: usize, const BLOCKS: usize>(
    queries: &[u32],
    blocks: &[&[u32]],
    depth: usize,
    scores: &mut [[f32; LANES]],
    row: usize,
    at: usize,
) -> usize {
    // SAFETY: all offsets stay within the shapes that the caller promises.
    unsafe {
        let keys: [*const u32; BLOCKS] = std::array::from_fn(|block| blocks[block].as_ptr());
        let mut sums = [[A::zero(); BLOCKS]; HEADS];
        for cell in 0..depth {
            let mut panel = [A::weights(keys[0].add(cell * BLOCK)); BLOCKS];
            for block in 0..BLOCKS {
                panel[block] = A::weights(keys[block].add(cell * BLOCK));
            }
            for head in 0..HEADS {
                let query = A::input(*queries.get_unchecked(head * depth + cell));
                for block in 0..BLOCKS {
                    sums[head][block] = A::multiply_add(sums[head][block], query, panel[block]);
                }
            }
        }
        for head in 0..HEADS {
            for block in 0..BLOCKS {
                A::store(
                    sums[head][block],
                    scores[head * row + at + block].as_mut_ptr(),
                );
            }
        }
    }
    BLOCKS
}

/// Weighted sums of values, divided by the totals, for `VECTORS` vectors of each head; returns
/// `VECTORS`.
///
/// # Safety
/// As for [`Arithmetic`]; `weights` `[HEADS, row_cells]`, of which `cells` are used.
#[inline(always)]
#[expect(
    clippy::too_many_arguments,
    reason = "one loop over all that a row has computed"
)]
#[expect(
    clippy::needless_range_loop,
    reason = "indices name registers of a tile"
)]
unsafe fn mix<A: Arithmetic, const HEADS: usize, const VECTORS: usize>(
    weights: &[u32],
    row_cells: usize,
    cells: Range<usize>,
    blocks: &[&[u32]],
    layout: HeadLayout,
    vector: usize,
    totals: &[f32; HEADS],
    out: &mut [f32],
) -> usize {
    let (width, block_cells) = (layout.width(), layout.precision.cells(BLOCK));
    // SAFETY: all offsets stay within the shapes that the caller promises.
    unsafe {
        let mut sums = [[A::zero(); VECTORS]; HEADS];
        for (index, block) in blocks.iter().enumerate() {
            let values = block.as_ptr().add(layout.keys() + vector * LANES);
            let start = index * block_cells;
            for cell in cells.start.max(start)..cells.end.min(start + block_cells) {
                let row = values.add((cell - start) * width);
                let mut panel = [A::weights(row); VECTORS];
                for vector in 0..VECTORS {
                    panel[vector] = A::weights(row.add(vector * LANES));
                }
                for head in 0..HEADS {
                    let weight = A::input(*weights.get_unchecked(head * row_cells + cell));
                    for vector in 0..VECTORS {
                        sums[head][vector] =
                            A::multiply_add(sums[head][vector], weight, panel[vector]);
                    }
                }
            }
        }
        for head in 0..HEADS {
            for (offset, &sums) in sums[head].iter().enumerate() {
                let mut values = [0f32; LANES];
                A::store(sums, values.as_mut_ptr());
                let start = (vector + offset) * LANES;
                let width = LANES.min(layout.head_dim - start);
                let out = &mut out[head * layout.head_dim + start..][..width];
                out.iter_mut()
                    .zip(values)
                    .for_each(|(out, value)| *out = value / totals[head]);
            }
        }
    }
    VECTORS
}

/// Replaces every score by `exp(scale · score − max)` and returns their sum.
#[inline(always)]
fn exponentials(scores: &mut [[f32; LANES]], scale: f32) -> f32 {
    let mut largest = [f32::NEG_INFINITY; LANES];
    for scores in &mut *scores {
        for lane in 0..LANES {
            scores[lane] *= scale;
            largest[lane] = if scores[lane] > largest[lane] {
                scores[lane]
            } else {
                largest[lane]
            };
        }
    }
    let largest = largest.into_iter().fold(f32::NEG_INFINITY, f32::max);
    let mut totals = [0.0; LANES];
    for scores in scores {
        for lane in 0..LANES {
            scores[lane] = exp(scores[lane] - largest);
            totals[lane] += scores[lane];
        }
    }
    totals.iter().sum()
}
