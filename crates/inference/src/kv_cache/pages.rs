//! The KV cache on a GPU, as its kernels read it: slabs of pages that are allocated as they are
//! needed and never move.

use std::sync::Arc;

use candle_core::{DType, Result, Tensor, bail};

use super::{BlockMemory, KvCache, dtype};
use crate::config::ModelConfig;
use crate::cuda::{Runner, address, copy_page};
use crate::kernels::Precision;
use crate::kernels::attend::BLOCK;
use crate::row::SeqId;

/// Pages of a slab, where there may be so many: of a 7B model in bf16 with 8 KV heads 128 MiB.
const SLAB_PAGES: usize = 64;

/// The blocks of a [`KvCache`](crate::kv_cache::KvCache): one page each.
#[derive(Debug)]
pub(crate) struct Pages {
    runner: Arc<dyn Runner>,
    dtype: DType,
    layers: usize,
    kv_heads: usize,
    head_dim: usize,
    slab_pages: usize,
    /// `[layers · slab_pages · 2 · kv_heads · 16 · head_dim]` each, keys and values apart.
    slabs: Vec<Tensor>,
    /// Where they lie: `[slabs]`, i64.
    addresses: Option<Tensor>,
}

impl Pages {
    /// Pages for at most `capacity` blocks.
    pub(crate) fn new(
        config: &ModelConfig,
        precision: Precision,
        capacity: usize,
        runner: Arc<dyn Runner>,
    ) -> Self {
        Self {
            runner,
            dtype: dtype(precision),
            layers: config.layers,
            kv_heads: config.kv_heads,
            head_dim: config.head_dim,
            slab_pages: SLAB_PAGES.min(capacity).max(1),
            slabs: Vec::new(),
            addresses: None,
        }
    }

    /// Allocates memory for so many blocks in all.
    ///
    /// # Errors
    /// When the device has no memory; what is there stays as it is.
    fn allocate(&mut self, blocks: usize) -> Result<()> {
        let page = 2 * self.kv_heads * BLOCK * self.head_dim;
        let mut added = false;
        while self.slabs.len() * self.slab_pages < blocks {
            let elements = self.layers * self.slab_pages * page;
            let slab = Tensor::zeros(elements, self.dtype, self.runner.device())?;
            self.slabs.push(slab);
            added = true;
        }
        if added {
            let addresses = self.slabs.iter().map(|slab| Ok(address(slab)? as i64));
            let addresses = addresses.collect::<Result<Vec<i64>>>()?;
            let count = addresses.len();
            self.addresses = Some(Tensor::from_vec(addresses, count, self.runner.device())?);
        }
        Ok(())
    }

    /// The addresses of the slabs.
    ///
    /// # Errors
    /// When there is no slab yet.
    pub(crate) fn addresses(&self) -> Result<&Tensor> {
        match &self.addresses {
            Some(addresses) => Ok(addresses),
            None => bail!("the KV cache has no block"),
        }
    }

    pub(crate) fn runner(&self) -> &dyn Runner {
        self.runner.as_ref()
    }

    pub(crate) fn dtype(&self) -> DType {
        self.dtype
    }

    pub(crate) fn layers(&self) -> usize {
        self.layers
    }

    pub(crate) fn kv_heads(&self) -> usize {
        self.kv_heads
    }

    pub(crate) fn head_dim(&self) -> usize {
        self.head_dim
    }

    pub(crate) fn slab_pages(&self) -> usize {
        self.slab_pages
    }

    /// The slabs, for tests to look into.
    #[cfg(test)]
    pub(crate) fn slabs(&self) -> &[Tensor] {
        &self.slabs
    }
}

impl BlockMemory for Pages {
    fn grow(&mut self, blocks: usize, _: usize) -> Option<()> {
        // If the device's error is more than a lack of memory, it shows again at the next operation.
        self.allocate(blocks).ok()
    }

    fn copy_block(&mut self, from: usize, to: usize) -> Option<()> {
        copy_page(self, from, to).ok()
    }
}

impl KvCache<Pages> {
    /// The pages of a sequence's positions below `end`.
    ///
    /// # Panics
    /// When a position was not reserved.
    pub(crate) fn pages_of(&self, seq: SeqId, end: usize) -> impl Iterator<Item = u32> {
        let table = &self.block_tables[seq.0][..end.div_ceil(BLOCK)];
        // 32 bits are enough: `CudaBackend::max_blocks` bounds slots by that.
        table.iter().map(|&block| block as u32)
    }

    /// The page of a position of a sequence.
    ///
    /// # Panics
    /// When it was not reserved.
    pub(crate) fn page_at(&self, seq: SeqId, position: usize) -> usize {
        self.block_tables[seq.0][position / BLOCK]
    }
}
