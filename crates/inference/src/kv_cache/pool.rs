//! The KV cache on a device: for each layer one tensor, a row a slot, written in place and grown by
//! doubling.

use candle_core::{DType, Device, Result, Tensor};

use crate::config::ModelConfig;
use crate::kernels::Precision;
use crate::kernels::attend::BLOCK;
use crate::kv_cache::BlockMemory;

/// The dtype of weights and of the KV cache on a device.
pub(crate) fn dtype(precision: Precision) -> DType {
    match precision {
        Precision::F32 => DType::F32,
        Precision::Bf16 => DType::BF16,
    }
}

/// The blocks of a [`KvCache`](crate::kv_cache::KvCache).
#[derive(Debug)]
pub(crate) struct Pool {
    device: Device,
    dtype: DType,
    /// Elements of a position in one layer: its keys, then its values, `2 · kv_heads · head_dim`.
    width: usize,
    /// Layers of the model.
    count: usize,
    /// For each layer `[positions, width]`, none before the first block is held; block `b` has the
    /// positions from `b · 16` on.
    layers: Vec<Tensor>,
}

/// Blocks that are allocated at first.
const FIRST_BLOCKS: usize = 64;

impl Pool {
    pub(crate) fn new(config: &ModelConfig, device: &Device, dtype: DType) -> Self {
        let (width, count) = (2 * config.kv_width(), config.layers);
        Self {
            device: device.clone(),
            dtype,
            width,
            count,
            layers: Vec::new(),
        }
    }

    /// Bytes of a block in all layers.
    pub(crate) fn block_bytes(config: &ModelConfig, precision: Precision) -> usize {
        config.layers * 2 * config.kv_width() * BLOCK * dtype(precision).size_in_bytes()
    }

    /// Blocks that there can be at most: candle's kernels count the elements of a tensor in 32
    /// bits.
    pub(crate) fn max_blocks(config: &ModelConfig) -> usize {
        u32::MAX as usize / (2 * config.kv_width() * BLOCK)
    }

    /// Allocates memory for so many blocks in all, and for as many again where `most` allows, so
    /// that copying what is there stays a small part of the work.
    ///
    /// # Errors
    /// When the device has no memory; what is there stays as it is.
    fn allocate(&mut self, blocks: usize, most: usize) -> Result<()> {
        let wanted = (2 * blocks).max(FIRST_BLOCKS).min(most.max(blocks));
        let zeros = || Tensor::zeros((wanted * BLOCK, self.width), self.dtype, &self.device);
        for layer in &mut self.layers {
            // One layer after the other, so that only one of them is there twice.
            if layer.dim(0)? < blocks * BLOCK {
                let larger = zeros()?;
                larger.slice_set(layer, 0, 0)?;
                *layer = larger;
            }
        }
        while self.layers.len() < self.count {
            self.layers.push(zeros()?);
        }
        Ok(())
    }

    /// # Errors
    /// Those of the device.
    fn copy(&self, from: usize, to: usize) -> Result<()> {
        for layer in &self.layers {
            // A copy between: a tensor is not written from itself.
            let block = layer.narrow(0, from * BLOCK, BLOCK)?.force_contiguous()?;
            layer.slice_set(&block, 0, to * BLOCK)?;
        }
        Ok(())
    }

    /// The slots of rows as [`Self::write`] needs them: `[rows, width]`, u32.
    ///
    /// # Errors
    /// Those of the device.
    pub(crate) fn targets(&self, slots: Vec<u32>) -> Result<Tensor> {
        let rows = slots.len();
        Tensor::from_vec(slots, (rows, 1), &self.device)?
            // candle's scatter wants an index for each element, not for each row.
            .broadcast_as((rows, self.width))?
            .contiguous()
    }

    /// Writes the keys and values of rows to their slots.
    ///
    /// # Shapes
    /// `keys` and `values` `[rows, kv_heads · head_dim]`, f32; `targets` those of the same rows.
    ///
    /// # Errors
    /// Those of the device.
    pub(crate) fn write(
        &self,
        layer: usize,
        targets: &Tensor,
        keys: &Tensor,
        values: &Tensor,
    ) -> Result<()> {
        let rows = Tensor::cat(&[keys, values], 1)?.to_dtype(self.dtype)?;
        self.layers[layer].scatter_set(targets, &rows, 0)
    }

    /// Reads keys and values from some slots.
    ///
    /// # Shapes
    /// `slots` `[n]`, u32, to `[n, width]` in the pool's dtype.
    ///
    /// # Errors
    /// Those of the device.
    pub(crate) fn read(&self, layer: usize, slots: &Tensor) -> Result<Tensor> {
        self.layers[layer].index_select(slots, 0)
    }
}

impl BlockMemory for Pool {
    fn grow(&mut self, blocks: usize, capacity: usize) -> Option<()> {
        // If the device's error is more than a lack of memory, it shows again at the next operation.
        self.allocate(blocks, capacity).ok()
    }

    fn copy_block(&mut self, from: usize, to: usize) -> Option<()> {
        self.copy(from, to).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kv_cache::KvCache;

    /// A cache of a model with two layers and one head of two elements.
    fn cache(capacity: usize) -> KvCache<Pool> {
        let json = r#"{"model_type": "llama", "hidden_size": 2, "intermediate_size": 8, "num_hidden_layers": 2,
            "vocab_size": 8, "num_attention_heads": 1}"#;
        let config = ModelConfig::parse(json.as_bytes(), None).unwrap();
        KvCache::new(Pool::new(&config, &Device::Cpu, DType::F32), capacity)
    }

    fn write(
        cache: &KvCache<Pool>,
        seq: crate::kv_cache::SeqId,
        positions: std::ops::Range<usize>,
        value: f32,
    ) {
        let (pool, rows) = (cache.memory(), positions.len());
        let targets = pool.targets(cache.slots(seq, positions).collect()).unwrap();
        for layer in 0..2 {
            let keys = Tensor::full(value + layer as f32, (rows, 2), &Device::Cpu).unwrap();
            pool.write(layer, &targets, &keys, &keys.neg().unwrap())
                .unwrap();
        }
    }

    /// The first element of the keys, and that of the values, of each position.
    fn read(
        cache: &KvCache<Pool>,
        seq: crate::kv_cache::SeqId,
        end: usize,
        layer: usize,
    ) -> Vec<(f32, f32)> {
        let slots = Tensor::from_iter(cache.slots(seq, 0..end), &Device::Cpu).unwrap();
        let rows = cache
            .memory()
            .read(layer, &slots)
            .unwrap()
            .to_vec2::<f32>()
            .unwrap();
        rows.into_iter().map(|row| (row[0], row[2])).collect()
    }

    #[test]
    fn what_was_written_stays_while_the_pool_grows() {
        let mut cache = cache(500);
        let seqs: Vec<_> = (0..4).map(|_| cache.add_sequence()).collect();
        for end in (1..2_000).step_by(97) {
            for (index, &seq) in seqs.iter().enumerate() {
                assert!(cache.reserve(seq, end));
                write(
                    &cache,
                    seq,
                    end.saturating_sub(97)..end,
                    10.0 * (index + 1) as f32,
                );
            }
        }
        for (index, &seq) in seqs.iter().enumerate() {
            for layer in 0..2 {
                let expected = 10.0 * (index + 1) as f32 + layer as f32;
                let found = read(&cache, seq, 1_900, layer);
                assert!(
                    found.iter().all(|&found| found == (expected, -expected)),
                    "{index} {layer}"
                );
            }
        }
        assert!(
            !cache.reserve(seqs[0], 4_000 * BLOCK),
            "there are 500 blocks"
        );
    }

    #[test]
    fn a_shared_start_is_copied_where_a_block_is_shared_in_part() {
        let mut cache = cache(8);
        let first = cache.add_sequence();
        assert!(cache.reserve(first, 40));
        write(&cache, first, 0..40, 1.0);
        let second = cache.fork(first, 20).unwrap();
        assert!(cache.reserve(second, 24));
        write(&cache, second, 20..24, 5.0);
        write(&cache, first, 20..24, 7.0);
        for layer in 0..2 {
            let [one, five, seven] = [1.0, 5.0, 7.0]
                .map(|value| value + layer as f32)
                .map(|value| (value, -value));
            assert_eq!(
                read(&cache, second, 24, layer),
                [[one; 20].as_slice(), &[five; 4]].concat()
            );
            assert_eq!(
                read(&cache, first, 24, layer),
                [[one; 20].as_slice(), &[seven; 4]].concat()
            );
        }
        cache.free(first);
        cache.free(second);
        assert_eq!(cache.available_blocks(), 8);
    }
}
