//! Keys and values of the sequences in flight, in blocks of 16 positions that are handed out as sequences grow and
//! taken back when they end. Sequences that begin alike can share the blocks of what they have in common.
//!
//! A block holds the keys and values of every layer and head at its positions, in the layout in which
//! [`attend`](crate::kernels::attend) reads them. Blocks are used again without being cleared, so a reader must never
//! use a position that its own sequence has not written.

use crate::config::ModelConfig;
use crate::kernels::Precision;
use crate::kernels::attend::HeadLayout;
use crate::kernels::memory::{Buffer, Shared};

pub(crate) use crate::kernels::attend::BLOCK;

/// Names a sequence in the cache from [`KvCache::open`] to [`KvCache::close`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot(usize);

/// The cache of one model.
#[derive(Debug)]
pub(crate) struct KvCache {
    layers: usize,
    kv_heads: usize,
    layout: HeadLayout,
    /// Most blocks there may be.
    capacity: usize,
    /// Memory of the blocks, in slabs of several.
    slabs: Vec<Buffer>,
    /// Memory of an earlier cache, which the system need not find anew.
    spare: Vec<Buffer>,
    /// For each block, how many sequences use it.
    users: Vec<usize>,
    /// Blocks that no sequence uses.
    free_blocks: Vec<usize>,
    /// For each slot, the blocks of its positions in order.
    tables: Vec<Vec<usize>>,
    free_slots: Vec<usize>,
}

/// Memory that is asked for at a time.
const SLAB_BYTES: usize = 64 << 20;

impl KvCache {
    /// A cache of at most `capacity` blocks, which are allocated as they are needed.
    pub(crate) fn new(config: &ModelConfig, precision: Precision, capacity: usize) -> Self {
        Self {
            layers: config.layers,
            kv_heads: config.kv_heads,
            layout: HeadLayout { head_dim: config.head_dim, precision },
            capacity,
            slabs: Vec::new(),
            spare: Vec::new(),
            users: Vec::new(),
            free_blocks: Vec::new(),
            tables: Vec::new(),
            free_slots: Vec::new(),
        }
    }

    /// Uses memory of an earlier cache first, as far as it is of the right size.
    pub(crate) fn with_memory(self, mut spare: Vec<Buffer>) -> Self {
        let slab_cells = self.per_slab() * self.block_cells();
        spare.retain(|slab| slab.cells().len() == slab_cells);
        spare.truncate(self.capacity / self.per_slab());
        Self { spare, ..self }
    }

    /// Gives the memory back, for another cache.
    pub(crate) fn take_memory(&mut self) -> Vec<Buffer> {
        std::mem::take(&mut self.slabs).into_iter().chain(std::mem::take(&mut self.spare)).collect()
    }

    /// Memory that a block takes.
    pub(crate) fn block_bytes(config: &ModelConfig, precision: Precision) -> usize {
        let layout = HeadLayout { head_dim: config.head_dim, precision };
        config.layers * config.kv_heads * layout.cells() * size_of::<u32>()
    }

    pub(crate) fn layout(&self) -> HeadLayout {
        self.layout
    }

    /// Blocks that can still be had.
    pub(crate) fn available(&self) -> usize {
        self.capacity - self.users.len() + self.free_blocks.len()
    }

    /// Starts a sequence.
    pub(crate) fn open(&mut self) -> Slot {
        Slot(self.free_slots.pop().unwrap_or_else(|| {
            self.tables.push(Vec::new());
            self.tables.len() - 1
        }))
    }

    /// Starts a sequence whose first `positions` positions are those of another one.
    ///
    /// Whole blocks are shared; the rest is copied. `None` when there is no block left for the rest.
    pub(crate) fn open_like(&mut self, other: Slot, positions: usize) -> Option<Slot> {
        if !positions.is_multiple_of(BLOCK) && self.available() == 0 {
            return None;
        }
        let slot = self.open();
        for index in 0..positions / BLOCK {
            let block = self.tables[other.0][index];
            self.users[block] += 1;
            self.tables[slot.0].push(block);
        }
        if !positions.is_multiple_of(BLOCK) {
            let from = self.tables[other.0][positions / BLOCK];
            let to = self.take_block()?;
            self.tables[slot.0].push(to);
            let from = self.block(from).to_vec();
            self.block_mut(to).copy_from_slice(&from);
        }
        Some(slot)
    }

    /// Ends a sequence; blocks that no other one shares serve others.
    pub(crate) fn close(&mut self, slot: Slot) {
        for block in self.tables[slot.0].drain(..) {
            self.users[block] -= 1;
            if self.users[block] == 0 {
                self.free_blocks.push(block);
            }
        }
        self.free_slots.push(slot.0);
    }

    /// Makes room for the positions below `end` of a sequence; `false` when there are no blocks left for it.
    #[must_use]
    pub(crate) fn reserve(&mut self, slot: Slot, end: usize) -> bool {
        while self.tables[slot.0].len() * BLOCK < end {
            let Some(block) = self.take_block() else { return false };
            self.tables[slot.0].push(block);
        }
        true
    }

    fn take_block(&mut self) -> Option<usize> {
        let block = match self.free_blocks.pop() {
            Some(block) => block,
            None if self.users.len() < self.capacity => {
                let (per_slab, block) = (self.per_slab(), self.users.len());
                if block == self.slabs.len() * per_slab {
                    let slab = match self.spare.pop() {
                        Some(slab) => slab,
                        None => Buffer::new(per_slab * self.block_cells()).ok()?,
                    };
                    self.slabs.push(slab);
                }
                self.users.push(0);
                block
            }
            None => return None,
        };
        self.users[block] = 1;
        Some(block)
    }

    /// A way for several threads to write keys and values of rows at their places, each thread heads of its own.
    ///
    /// # Panics
    /// When a place was not reserved.
    pub(crate) fn writer<'a>(&'a mut self, places: &[(Slot, usize)]) -> CacheWriter<'a> {
        let rows = places.iter().map(|&(slot, position)| {
            let block = self.tables[slot.0][position / BLOCK];
            (Shared::new(self.block_mut(block)), position % BLOCK)
        });
        let rows = rows.collect();
        CacheWriter { rows, cache: self }
    }

    fn block_cells(&self) -> usize {
        self.layers * self.kv_heads * self.layout.cells()
    }

    /// Blocks of a slab.
    fn per_slab(&self) -> usize {
        (SLAB_BYTES / size_of::<u32>() / self.block_cells()).clamp(1, self.capacity)
    }

    /// `[layers, kv_heads, layout.cells()]`.
    fn block(&self, block: usize) -> &[u32] {
        let (per_slab, cells) = (self.per_slab(), self.block_cells());
        &self.slabs[block / per_slab].cells()[block % per_slab * cells..][..cells]
    }

    fn block_mut(&mut self, block: usize) -> &mut [u32] {
        let (per_slab, cells) = (self.per_slab(), self.block_cells());
        &mut self.slabs[block / per_slab].cells_mut()[block % per_slab * cells..][..cells]
    }

    /// Where the keys and values of one layer and head lie in a block.
    fn head(&self, layer: usize, head: usize) -> std::ops::Range<usize> {
        let cells = self.layout.cells();
        let start = (layer * self.kv_heads + head) * cells;
        start..start + cells
    }

    /// The blocks of the positions below `end`, for one layer and head.
    pub(crate) fn head_blocks(
        &self,
        slot: Slot,
        end: usize,
        layer: usize,
        head: usize,
    ) -> impl Iterator<Item = &[u32]> {
        let range = self.head(layer, head);
        self.tables[slot.0][..end.div_ceil(BLOCK)].iter().map(move |&block| &self.block(block)[range.clone()])
    }
}

/// Places of some rows, open for writing.
pub(crate) struct CacheWriter<'a> {
    /// For each row its block and its lane there.
    rows: Vec<(Shared<u32>, usize)>,
    cache: &'a KvCache,
}

impl CacheWriter<'_> {
    /// Stores the key (rotated) and the value of one row.
    ///
    /// # Shapes
    /// Both `[head_dim]`.
    ///
    /// # Safety
    /// No other thread writes to the same layer and head.
    #[inline(always)]
    pub(crate) unsafe fn store(&self, row: usize, layer: usize, head: usize, key: &[f32], value: &[f32]) {
        let (block, lane) = &self.rows[row];
        let range = self.cache.head(layer, head);
        // SAFETY: the block lives as long as the cache, and the caller alone uses this part of it.
        let cells = unsafe { block.slice(range.start, range.len()) };
        self.cache.layout.store(cells, *lane, key, value);
    }
}
