//! Keys and values of the sequences in flight, in blocks of 16 positions that are handed out as sequences grow and
//! taken back when they end.
//!
//! A block holds, for each layer and each key-value head, one panel of keys `[head_dim, 16 positions]` and
//! `ceil(head_dim / 16)` panels of values `[16 positions, 16 elements]`, both f32: the layouts in which
//! [`accumulate`](crate::kernels::accumulate) reads them. Blocks are reused without being cleared, so a reader must
//! never touch a position that its own sequence has not written.

use candle_core::{Result, Storage, Tensor, bail};

use crate::config::ModelConfig;
use crate::kernels::{LANES, Lanes};

/// Positions of a block.
pub(crate) const BLOCK: usize = LANES;

/// Names a sequence in the cache from [`KvCache::open`] to [`KvCache::close`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot(usize);

/// The cache of one model.
pub(crate) struct KvCache {
    layers: usize,
    kv_heads: usize,
    head_dim: usize,
    /// Each `[layers, kv_heads, head_rows, 16]`, f32.
    blocks: Vec<Box<[Lanes]>>,
    free_blocks: Vec<usize>,
    /// For each slot, the blocks of its positions in order.
    tables: Vec<Vec<usize>>,
    free_slots: Vec<usize>,
}

impl KvCache {
    pub(crate) fn new(config: &ModelConfig) -> Self {
        let (layers, kv_heads, head_dim) = (config.layers, config.kv_heads, config.head_dim);
        let (blocks, free_blocks, tables, free_slots) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { layers, kv_heads, head_dim, blocks, free_blocks, tables, free_slots }
    }

    /// Memory that `positions` positions of one sequence take.
    pub(crate) fn bytes(config: &ModelConfig, positions: usize) -> usize {
        let head_bytes = head_rows(config.head_dim) * size_of::<Lanes>();
        positions.div_ceil(BLOCK) * config.layers * config.kv_heads * head_bytes
    }

    /// Starts a sequence.
    pub(crate) fn open(&mut self) -> Slot {
        Slot(self.free_slots.pop().unwrap_or_else(|| {
            self.tables.push(Vec::new());
            self.tables.len() - 1
        }))
    }

    /// Ends a sequence; its blocks serve others.
    pub(crate) fn close(&mut self, slot: Slot) {
        self.free_blocks.append(&mut self.tables[slot.0]);
        self.free_slots.push(slot.0);
    }

    /// Makes room for the positions below `end` of a sequence.
    pub(crate) fn reserve(&mut self, slot: Slot, end: usize) {
        while self.tables[slot.0].len() * BLOCK < end {
            let block = self.free_blocks.pop().unwrap_or_else(|| {
                let rows = self.layers * self.kv_heads * head_rows(self.head_dim);
                self.blocks.push(vec![[0.0; LANES]; rows].into_boxed_slice());
                self.blocks.len() - 1
            });
            self.tables[slot.0].push(block);
        }
    }

    /// Stores the keys and values of some rows at their places.
    ///
    /// # Shapes
    /// `rows` `[rows, width]`, f32, whose last `2 · kv_heads · head_dim` elements are keys (rotated), then values.
    ///
    /// # Panics
    /// When a place was not reserved.
    pub(crate) fn store(
        &mut self,
        layer: usize,
        rows: &Tensor,
        places: impl Iterator<Item = (Slot, usize)>,
    ) -> Result<()> {
        let (_, width) = rows.dims2()?;
        let (storage, layout) = rows.storage_and_layout();
        let (Storage::Cpu(storage), Some((start, end))) = (&*storage, layout.contiguous_offsets()) else {
            bail!("the cache stores contiguous tensors in main memory");
        };
        let kv_width = self.kv_heads * self.head_dim;
        let head_rows = head_rows(self.head_dim);
        let rows = &storage.as_slice::<f32>()?[start..end];
        for (row, (slot, position)) in rows.chunks_exact(width).zip(places) {
            let (keys, values) = row[width - 2 * kv_width..].split_at(kv_width);
            let block = &mut self.blocks[self.tables[slot.0][position / BLOCK]];
            let lane = position % BLOCK;
            let heads = keys.chunks_exact(self.head_dim).zip(values.chunks_exact(self.head_dim));
            for (head, (keys, values)) in heads.enumerate() {
                let head = &mut block[(layer * self.kv_heads + head) * head_rows..][..head_rows];
                let (key_panel, value_panels) = head.split_at_mut(self.head_dim);
                key_panel.iter_mut().zip(keys).for_each(|(lanes, &key)| lanes[lane] = key);
                for (panel, values) in value_panels.chunks_exact_mut(BLOCK).zip(values.chunks(LANES)) {
                    panel[lane][..values.len()].copy_from_slice(values);
                }
            }
        }
        Ok(())
    }

    /// The keys of 16 positions: `[head_dim, 16 positions]`.
    #[inline(always)]
    pub(crate) fn keys(&self, slot: Slot, block: usize, layer: usize, head: usize) -> &[Lanes] {
        &self.head(slot, block, layer, head)[..self.head_dim]
    }

    /// 16 elements of the values of 16 positions: `[16 positions, 16 elements]`.
    #[inline(always)]
    pub(crate) fn values(&self, slot: Slot, block: usize, layer: usize, head: usize, panel: usize) -> &[Lanes] {
        &self.head(slot, block, layer, head)[self.head_dim + panel * BLOCK..][..BLOCK]
    }

    #[inline(always)]
    fn head(&self, slot: Slot, block: usize, layer: usize, head: usize) -> &[Lanes] {
        let head_rows = head_rows(self.head_dim);
        &self.blocks[self.tables[slot.0][block]][(layer * self.kv_heads + head) * head_rows..][..head_rows]
    }

    /// Blocks ever allocated.
    #[cfg(test)]
    pub(crate) fn allocated(&self) -> usize {
        self.blocks.len()
    }
}

/// Rows of 16 that one head of one layer takes in a block: its key panel and its value panels.
fn head_rows(head_dim: usize) -> usize {
    head_dim + head_dim.div_ceil(LANES) * BLOCK
}
