//! Blocks of the KV cache in the memory of the CPU, allocated in slabs of several.

use std::ops::Range;

use crate::config::ModelConfig;
use crate::kernels::Precision;
use crate::kernels::attend::HeadLayout;
use crate::kernels::buffer::Buffer;
use crate::kv_cache::BlockMemory;

/// Memory that is allocated at a time.
const SLAB_BYTES: usize = 64 << 20;

/// The blocks of a [`KvCache`](crate::kv_cache::KvCache).
#[derive(Debug)]
pub(crate) struct Slabs {
    kv_heads: usize,
    layout: HeadLayout,
    /// Cells of a block: `[layers, kv_heads, layout.cells()]`.
    block_cells: usize,
    /// Blocks of a slab.
    per_slab: usize,
    slabs: Vec<Buffer>,
    /// Slabs of an earlier cache, which the system need not find anew.
    spare: Vec<Buffer>,
}

impl Slabs {
    /// Memory of a cache of at most `capacity` blocks.
    pub(crate) fn new(config: &ModelConfig, precision: Precision, capacity: usize) -> Self {
        let layout = HeadLayout {
            head_dim: config.head_dim,
            precision,
        };
        let block_cells = Self::block_cells_of(config, layout);
        // A block may be larger than a slab, and a small cache needs no whole one.
        let per_slab = (SLAB_BYTES / size_of::<u32>() / block_cells).clamp(1, capacity.max(1));
        Self {
            kv_heads: config.kv_heads,
            layout,
            block_cells,
            per_slab,
            slabs: Vec::new(),
            spare: Vec::new(),
        }
    }

    /// Bytes of a block.
    pub(crate) fn block_bytes(config: &ModelConfig, precision: Precision) -> usize {
        let layout = HeadLayout {
            head_dim: config.head_dim,
            precision,
        };
        Self::block_cells_of(config, layout) * size_of::<u32>()
    }

    fn block_cells_of(config: &ModelConfig, layout: HeadLayout) -> usize {
        config.layers * config.kv_heads * layout.cells()
    }

    #[inline]
    pub(crate) fn layout(&self) -> HeadLayout {
        self.layout
    }

    /// Uses these slabs before new ones, as far as they are of the right size and `capacity` blocks
    /// need them.
    pub(crate) fn reuse(mut self, mut spare: Vec<Buffer>, capacity: usize) -> Self {
        let slab_cells = self.per_slab * self.block_cells;
        spare.retain(|slab| slab.cells().len() == slab_cells);
        spare.truncate(capacity / self.per_slab);
        self.spare = spare;
        self
    }

    /// All slabs, out of the cache.
    pub(crate) fn take(&mut self) -> Vec<Buffer> {
        std::mem::take(&mut self.slabs)
            .into_iter()
            .chain(std::mem::take(&mut self.spare))
            .collect()
    }

    /// `[layers, kv_heads, layout.cells()]`.
    pub(crate) fn block(&self, block: usize) -> &[u32] {
        let (per_slab, cells) = (self.per_slab, self.block_cells);
        &self.slabs[block / per_slab].cells()[block % per_slab * cells..][..cells]
    }

    pub(crate) fn block_mut(&mut self, block: usize) -> &mut [u32] {
        let (per_slab, cells) = (self.per_slab, self.block_cells);
        &mut self.slabs[block / per_slab].cells_mut()[block % per_slab * cells..][..cells]
    }

    /// The cells of one layer and head in a block.
    #[inline]
    pub(crate) fn head(&self, layer: usize, head: usize) -> Range<usize> {
        let cells = self.layout.cells();
        let start = (layer * self.kv_heads + head) * cells;
        start..start + cells
    }
}

impl BlockMemory for Slabs {
    fn grow(&mut self, blocks: usize, _: usize) -> Option<()> {
        while self.slabs.len() * self.per_slab < blocks {
            let slab = match self.spare.pop() {
                Some(slab) => slab,
                None => Buffer::new(self.per_slab * self.block_cells).ok()?,
            };
            self.slabs.push(slab);
        }
        Some(())
    }

    fn copy_block(&mut self, from: usize, to: usize) -> Option<()> {
        let from = self.block(from).to_vec();
        self.block_mut(to).copy_from_slice(&from);
        Some(())
    }
}
