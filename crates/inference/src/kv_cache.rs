//! The KV cache: keys and values of all running sequences, in blocks of 16 positions that are
//! allocated as sequences grow and freed when they end. A block table gives the blocks of each
//! sequence; sequences with a common prefix share its blocks.
//!
//! A block holds the keys and values of every layer and head at its positions, in memory of the
//! backend ([`BlockMemory`]): for the kernels of this crate in the layout in which
//! [`attend`](crate::kernels::attend) reads them ([`Slabs`]), on a device of candle as rows of
//! tensors ([`Pool`]). Blocks are used again without being cleared, so a reader
//! must never use a position that its own sequence has not written.

#[cfg(any(test, feature = "cuda"))]
mod pages; // on a GPU, as its kernels read it
mod pool; // on a device
mod slabs; // in the memory of the CPU

use std::ops::Range;

use crate::kernels::buffer::Shared;
use crate::row::SeqId;

pub(crate) use crate::kernels::attend::BLOCK;
#[cfg(any(test, feature = "cuda"))]
pub(crate) use pages::Pages;
pub(crate) use pool::{Pool, dtype};
pub(crate) use slabs::Slabs;

/// The cache of one model.
#[derive(Debug)]
pub(crate) struct KvCache<M> {
    memory: M,
    /// Blocks that there may be.
    capacity: usize,
    /// For each block, how many sequences use it.
    ref_counts: Vec<usize>,
    /// Blocks that no sequence uses.
    free_blocks: Vec<usize>,
    /// For each sequence, the blocks of its positions in order.
    block_tables: Vec<Vec<usize>>,
    free_seqs: Vec<usize>,
}

/// The memory of the blocks, which a backend reads and writes in a layout of its own.
pub(crate) trait BlockMemory {
    /// Allocates memory for `blocks` blocks in all, of at most `capacity`; `None` where there is
    /// none.
    fn grow(&mut self, blocks: usize, capacity: usize) -> Option<()>;

    /// Copies all positions of a block; `None` where that fails.
    fn copy_block(&mut self, from: usize, to: usize) -> Option<()>;
}

impl<M: BlockMemory> KvCache<M> {
    /// A KV cache of at most `capacity` blocks, which are allocated as they are needed.
    pub(crate) fn new(memory: M, capacity: usize) -> Self {
        let (ref_counts, free_blocks, block_tables, free_seqs) = Default::default();
        Self {
            memory,
            capacity,
            ref_counts,
            free_blocks,
            block_tables,
            free_seqs,
        }
    }

    pub(crate) fn memory(&self) -> &M {
        &self.memory
    }

    pub(crate) fn memory_mut(&mut self) -> &mut M {
        &mut self.memory
    }

    /// Blocks that can still be allocated.
    pub(crate) fn available_blocks(&self) -> usize {
        // No underflow: the capacity is never lowered below the blocks that there are.
        self.capacity - self.ref_counts.len() + self.free_blocks.len()
    }

    /// Adds a sequence without positions.
    pub(crate) fn add_sequence(&mut self) -> SeqId {
        SeqId(self.free_seqs.pop().unwrap_or_else(|| {
            self.block_tables.push(Vec::new());
            self.block_tables.len() - 1
        }))
    }

    /// Adds a sequence whose first `positions` positions are those of another one.
    ///
    /// Whole blocks are shared, the last one is copied where it is shared in part. `None` when
    /// there is no block left for the copy.
    pub(crate) fn fork(&mut self, other: SeqId, positions: usize) -> Option<SeqId> {
        if !positions.is_multiple_of(BLOCK) && self.available_blocks() == 0 {
            return None;
        }
        let seq = self.add_sequence();
        for index in 0..positions / BLOCK {
            let block = self.block_tables[other.0][index];
            self.ref_counts[block] += 1;
            // Whole blocks of a prefix are full: no sequence writes to them again.
            self.block_tables[seq.0].push(block);
        }
        if !positions.is_multiple_of(BLOCK) {
            let from = self.block_tables[other.0][positions / BLOCK];
            let copied = self.allocate_block().and_then(|to| {
                // In the table before it is copied: `free` gives it back if the copy fails.
                self.block_tables[seq.0].push(to);
                self.memory.copy_block(from, to)
            });
            if copied.is_none() {
                self.free(seq);
                return None;
            }
        }
        Some(seq)
    }

    /// Frees a sequence and the blocks that no other one shares.
    pub(crate) fn free(&mut self, seq: SeqId) {
        for block in self.block_tables[seq.0].drain(..) {
            self.ref_counts[block] -= 1;
            if self.ref_counts[block] == 0 {
                self.free_blocks.push(block);
            }
        }
        self.free_seqs.push(seq.0);
    }

    /// Allocates blocks for the positions below `end` of a sequence; `false` when there are not
    /// enough.
    #[must_use]
    pub(crate) fn reserve(&mut self, seq: SeqId, end: usize) -> bool {
        while self.block_tables[seq.0].len() * BLOCK < end {
            let Some(block) = self.allocate_block() else {
                // Blocks that were found stay with the sequence: the caller makes room and asks
                // again, or frees it.
                return false;
            };
            self.block_tables[seq.0].push(block);
        }
        true
    }

    fn allocate_block(&mut self) -> Option<usize> {
        let block = match self.free_blocks.pop() {
            Some(block) => block,
            None if self.ref_counts.len() < self.capacity => {
                let block = self.ref_counts.len();
                if self.memory.grow(block + 1, self.capacity).is_none() {
                    // There is less memory than the capacity promised: no more may be promised.
                    self.capacity = block;
                    return None;
                }
                self.ref_counts.push(0);
                block
            }
            None => return None,
        };
        self.ref_counts[block] = 1;
        Some(block)
    }

    /// The slots of a sequence's positions: their rows in the tensors of a [`Pool`].
    ///
    /// # Panics
    /// When a position was not reserved.
    pub(crate) fn slots(&self, seq: SeqId, positions: Range<usize>) -> impl Iterator<Item = u32> {
        let table = &self.block_tables[seq.0];
        // Slots fit 32 bits: `Pool::max_blocks` bounds the elements of a layer by that.
        positions.map(|position| (table[position / BLOCK] * BLOCK + position % BLOCK) as u32)
    }
}

impl KvCache<Slabs> {
    /// Lets several threads write the keys and values of rows at their positions, each thread its
    /// own heads.
    ///
    /// # Panics
    /// When a position was not reserved.
    pub(crate) fn writer<'a>(&'a mut self, rows: &[(SeqId, usize)]) -> CacheWriter<'a> {
        let (slabs, block_tables) = (&mut self.memory, &self.block_tables);
        let rows = rows.iter().map(|&(seq, position)| {
            let block = block_tables[seq.0][position / BLOCK];
            (Shared::new(slabs.block_mut(block)), position % BLOCK)
        });
        let rows = rows.collect();
        CacheWriter { rows, slabs }
    }

    /// The blocks of the positions below `end`, for one layer and head: `[layout.cells()]` each.
    pub(crate) fn head_blocks(
        &self,
        seq: SeqId,
        end: usize,
        layer: usize,
        head: usize,
    ) -> impl Iterator<Item = &[u32]> {
        let slabs = &self.memory;
        let range = slabs.head(layer, head);
        self.block_tables[seq.0][..end.div_ceil(BLOCK)]
            .iter()
            .map(move |&block| &slabs.block(block)[range.clone()])
    }
}

/// The slots of some rows, open for writing.
pub(crate) struct CacheWriter<'a> {
    /// For each row its block and its position in the block.
    rows: Vec<(Shared<u32>, usize)>,
    slabs: &'a Slabs,
}

impl CacheWriter<'_> {
    /// Writes the key (with RoPE) and the value of one row, f32.
    ///
    /// # Shapes
    /// Both `[head_dim]`.
    ///
    /// # Safety
    /// No other thread writes to the same layer and head.
    #[inline(always)]
    pub(crate) unsafe fn store(
        &self,
        row: usize,
        layer: usize,
        head: usize,
        key: &[f32],
        value: &[f32],
    ) {
        let (block, lane) = &self.rows[row];
        let range = self.slabs.head(layer, head);
        // SAFETY: the block lives as long as the cache, and the caller alone uses this part of it.
        let cells = unsafe { block.slice(range.start, range.len()) };
        self.slabs.layout().store(cells, *lane, key, value);
    }
}
