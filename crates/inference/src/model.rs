//! The forward pass of LLaMA, Mistral and Qwen, in one function: [`Model::forward`], for the
//! kernels of this crate; that on a device is in [`crate::device`].
//!
//! A step is a set of rows, each one token of some sequence at some position. Prefill and decode
//! mix freely in a step, and there is no padding. Rows meet only in attention, and there only those
//! of the same sequence, through the cache.

use std::sync::{Mutex, PoisonError};

use candle_core::{Device, Result, Tensor};

use crate::config::ModelConfig;
use crate::device::{self, DeviceModel};
use crate::kernels::buffer::Buffer;
use crate::kernels::{Compute, Matrix};
use crate::kv_cache::{KvCache, SeqId};
use crate::memory;
use crate::ops::{
    Argmax, Attention, AttentionShape, Linear, LinearWeights, Norm, RopeAndCacheWrite, SwiGlu,
};
use crate::rope::{RopePosition, RopeTable};
use crate::row::Row;

/// The weights of one decoder layer.
pub(crate) struct Layer {
    /// `[hidden]`.
    pub(crate) attention_norm: Vec<f32>,
    /// Queries, keys and values in one: `[(heads + 2 · kv_heads) · head_dim, hidden]`.
    pub(crate) qkv: LinearWeights,
    /// QK-norm: RMSNorm of each head of queries and of keys, where the family has it; `[head_dim]`
    /// each, f32.
    pub(crate) qk_norms: Option<[Vec<f32>; 2]>,
    /// `[hidden, heads · head_dim]`.
    pub(crate) attention_out: LinearWeights,
    /// `[hidden]`.
    pub(crate) feed_forward_norm: Vec<f32>,
    /// Gates and ups, in the order that [`SwiGlu`] needs.
    pub(crate) gate_up: LinearWeights,
    /// `[hidden, intermediate]`.
    pub(crate) down: LinearWeights,
}

/// All weights of a model.
pub(crate) struct Weights {
    /// `[vocab, hidden]`; `None` where it is the output matrix.
    pub(crate) embedding: Option<Matrix>,
    pub(crate) layers: Vec<Layer>,
    /// `[hidden]`.
    pub(crate) final_norm: Vec<f32>,
    /// `[vocab, hidden]`.
    pub(crate) output: LinearWeights,
}

impl Weights {
    fn matrices(&self) -> impl Iterator<Item = &Matrix> {
        let of_layers = self.layers.iter().flat_map(
            |Layer {
                 qkv,
                 attention_out,
                 gate_up,
                 down,
                 ..
             }| { [qkv, attention_out, gate_up, down].map(|linear| &linear.weight) },
        );
        of_layers.chain([&self.output.weight])
    }
}

/// Bytes that are thought to be free where nothing says how many are.
const UNKNOWN_MEMORY: usize = 4 << 30;

/// A model ready to compute.
pub(crate) struct Model {
    config: ModelConfig,
    backend: Backend,
    compute: Compute,
    rope_table: Mutex<RopeTable>,
    /// Buffers of the KV cache, between one use and the next.
    cache_buffers: Mutex<Vec<Buffer>>,
}

/// Where a model computes, with its weights there.
pub(crate) enum Backend {
    Cpu(Weights),
    Device(DeviceModel),
}

impl From<Weights> for Backend {
    fn from(weights: Weights) -> Self {
        Self::Cpu(weights)
    }
}

impl Model {
    pub(crate) fn new(config: ModelConfig, backend: impl Into<Backend>, compute: Compute) -> Self {
        let rope_table = Mutex::new(RopeTable::new(&config));
        Self {
            config,
            backend: backend.into(),
            compute,
            rope_table,
            cache_buffers: Mutex::default(),
        }
    }

    /// A KV cache of at most `capacity` blocks, in the buffers of the last one that was recycled.
    pub(crate) fn new_cache(&self, capacity: usize) -> KvCache {
        match &self.backend {
            Backend::Cpu(_) => {
                // A second cache at the same time finds none and takes new memory.
                let memory = std::mem::take(
                    &mut *self
                        .cache_buffers
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner),
                );
                KvCache::new(&self.config, self.compute.precision, capacity).reuse_buffers(memory)
            }
            Backend::Device(model) => model.new_cache(capacity),
        }
    }

    /// Bytes of a block of the KV cache.
    pub(crate) fn block_bytes(&self) -> usize {
        match &self.backend {
            Backend::Cpu(_) => KvCache::block_bytes(&self.config, self.compute.precision),
            Backend::Device(model) => model.block_bytes(),
        }
    }

    /// Blocks that a KV cache of so many bytes can have.
    pub(crate) fn blocks_within(&self, bytes: usize) -> usize {
        let blocks = bytes / self.block_bytes();
        match &self.backend {
            Backend::Cpu(_) => blocks,
            Backend::Device(model) => blocks.min(model.max_blocks()),
        }
    }

    /// Bytes of the KV cache where no number is given: half of what is free, 4 GiB where a device
    /// does not say.
    pub(crate) fn default_kv_memory(&self) -> usize {
        match &self.backend {
            Backend::Cpu(_) => memory::free_bytes().unwrap_or(UNKNOWN_MEMORY) / 2,
            Backend::Device(model) => {
                device::free_bytes(model.device()).map_or(UNKNOWN_MEMORY, |free| free / 2)
            }
        }
    }

    /// Keeps the buffers of a cache that is not needed any more for the next one.
    pub(crate) fn recycle_cache(&self, cache: &mut KvCache) {
        *self
            .cache_buffers
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = cache.take_buffers();
    }

    pub(crate) fn config(&self) -> &ModelConfig {
        &self.config
    }

    pub(crate) fn compute(&self) -> &Compute {
        &self.compute
    }

    /// Packs all weights that are not packed yet: worth it for more than one step.
    ///
    /// # Errors
    /// When there is no memory.
    pub(crate) fn prepack(&self) -> std::io::Result<()> {
        match &self.backend {
            Backend::Cpu(weights) => weights
                .matrices()
                .try_for_each(|matrix| matrix.prepack(&self.compute.threads)),
            Backend::Device(_) => Ok(()),
        }
    }

    /// Computes a step: writes the keys and values of all rows to the KV cache and returns the last
    /// hidden states of the `wanted` ones.
    ///
    /// The rows of one sequence must be in order of position, without gaps after what the cache
    /// already holds, and their blocks reserved.
    ///
    /// # Shapes
    /// `[wanted, hidden]`, f32.
    pub(crate) fn forward(
        &self,
        rows: &[Row],
        wanted: &[u32],
        cache: &mut KvCache,
    ) -> Result<Tensor> {
        match &self.backend {
            Backend::Cpu(weights) => self.forward_on_cpu(weights, rows, wanted, cache),
            Backend::Device(model) => model.forward(rows, wanted, cache, |rows| self.cos_sin(rows)),
        }
    }

    /// `(cos, sin)` of each pair of a head for each row: `[rows, head_dim / 2]`.
    fn cos_sin(&self, rows: &[Row]) -> Vec<(f32, f32)> {
        // A panic while the lock was held leaves a sound table: positions are added whole.
        let positions = rows.iter().map(
            |&Row {
                 position, length, ..
             }| RopePosition { position, length },
        );
        self.rope_table
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .of(positions)
    }

    fn forward_on_cpu(
        &self,
        weights: &Weights,
        rows: &[Row],
        wanted: &[u32],
        cache: &mut KvCache,
    ) -> Result<Tensor> {
        let ModelConfig {
            heads,
            kv_heads,
            head_dim,
            intermediate_size,
            ..
        } = self.config;
        let compute = &self.compute;
        let shape = AttentionShape {
            heads,
            kv_heads,
            head_dim,
        };
        let positions: Vec<(SeqId, usize)> =
            rows.iter().map(|row| (row.seq, row.position)).collect();
        let cos_sin = self.cos_sin(rows);

        // [rows, hidden] from here to the end of the layers.
        let x = self.embed(weights, rows)?;
        for (layer, (weights, &window)) in
            weights.layers.iter().zip(&self.config.windows).enumerate()
        {
            let norm = Some(self.norm(&weights.attention_norm));
            // [rows, (heads + 2 · kv_heads) · head_dim]: queries, keys, values.
            let qkv = Linear {
                compute,
                norm,
                linear: &weights.qkv,
            }
            .apply(&x)?;
            let writer = cache.writer(&positions);
            let norms = weights.qk_norms.as_ref();
            let norms = norms.map(|norms| norms.each_ref().map(|weight| self.norm(weight)));
            RopeAndCacheWrite {
                compute,
                writer: &writer,
                layer,
                shape,
                cos_sin: &cos_sin,
                norms,
            }
            .apply(&qkv)?;
            // After all rows have written: rows of one prompt see each other within their step.
            // What a row sees ends at its own position, so that later ones do not show.
            let attended = Attention {
                compute,
                cache,
                layer,
                shape,
                window,
                rows: &positions,
            }
            .apply(&qkv)?;
            Linear {
                compute,
                norm: None,
                linear: &weights.attention_out,
            }
            .add_to(&x, &attended)?;

            let norm = self.norm(&weights.feed_forward_norm);
            let gate = SwiGlu {
                compute,
                norm,
                gate_up: &weights.gate_up,
                intermediate: intermediate_size,
            };
            Linear {
                compute,
                norm: None,
                linear: &weights.down,
            }
            .add_to(&x, &gate.apply(&x)?)?;
        }
        if wanted.is_empty() {
            return x.narrow(0, 0, 0);
        }
        x.index_select(&Tensor::from_slice(wanted, wanted.len(), &Device::Cpu)?, 0)
    }

    /// Greedy decoding: the argmax of each row's logits; [`NOT_A_TOKEN`](crate::ops::NOT_A_TOKEN)
    /// where the model's logits are not numbers.
    ///
    /// # Shapes
    /// `hidden` `[rows, hidden]` to `[rows]`.
    pub(crate) fn argmax(&self, hidden: &Tensor) -> Result<Vec<u32>> {
        let weights = match &self.backend {
            Backend::Cpu(weights) => weights,
            Backend::Device(model) => return model.argmax(hidden),
        };
        let (norm, output) = (self.norm(&weights.final_norm), &weights.output.weight);
        Argmax {
            compute: &self.compute,
            norm,
            output,
        }
        .apply(hidden)?
        .to_vec1()
    }

    /// The logits of all tokens as the next one.
    ///
    /// # Shapes
    /// `hidden` `[rows, hidden]` to `[rows, vocab]`, f32.
    pub(crate) fn logits(&self, hidden: &Tensor) -> Result<Tensor> {
        let weights = match &self.backend {
            Backend::Cpu(weights) => weights,
            Backend::Device(model) => return model.logits(hidden),
        };
        let norm = Some(self.norm(&weights.final_norm));
        Linear {
            compute: &self.compute,
            norm,
            linear: &weights.output,
        }
        .apply(hidden)
    }

    /// RMSNorm with a weight `[hidden]` or `[head_dim]`.
    fn norm<'a>(&self, weight: &'a [f32]) -> Norm<'a> {
        Norm {
            weight,
            epsilon: self.config.rms_norm_eps,
        }
    }

    /// The embeddings of the rows' tokens: `[rows, hidden]`, f32.
    fn embed(&self, weights: &Weights, rows: &[Row]) -> Result<Tensor> {
        let hidden = self.config.hidden_size;
        let table = weights.embedding.as_ref().unwrap_or(&weights.output.weight);
        let mut x = vec![0f32; rows.len() * hidden];
        for (row, x) in rows.iter().zip(x.chunks_exact_mut(hidden)) {
            table.row(row.token as usize, x);
        }
        Tensor::from_vec(x, (rows.len(), hidden), &Device::Cpu)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::checkpoint::{Checkpoint, CheckpointFiles, Prepack, Rounding, WeightForm};
    use crate::kernels::{InstructionSet, Precision, WeightFormat};
    use crate::kv_cache::BLOCK;
    use crate::threads::Threads;

    fn load(name: &str, precision: Precision, threads: usize) -> Model {
        load_with(name, precision, threads, Prepack::WhileLoading)
    }

    fn load_with(name: &str, precision: Precision, threads: usize, prepack: Prepack) -> Model {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/fixtures")
            .join(name);
        let files = CheckpointFiles::open(&folder).unwrap();
        let Checkpoint {
            config, tensors, ..
        } = Checkpoint::open(&files).unwrap();
        let threads = Threads::start(Some(threads)).unwrap();
        let compute = Compute {
            threads,
            set: InstructionSet::best(),
            precision,
        };
        let form = WeightForm {
            rounding: Rounding::None,
            format: WeightFormat::Numbers(precision),
            prepack,
        };
        let weights = tensors.load(&config, form, &compute).unwrap();
        Model::new(config, weights, compute)
    }

    fn prompt(seed: u32, length: usize) -> Vec<u32> {
        (0..length as u32)
            .map(|i| (i * i * 31 + i * 7 + seed * 101) % 290)
            .collect()
    }

    /// Logits after every token, as bits, when `pieces` tokens are computed at a time.
    fn alone(model: &Model, tokens: &[u32], pieces: usize) -> Vec<Vec<u32>> {
        let mut cache = KvCache::new(
            model.config(),
            model.compute().precision,
            tokens.len().div_ceil(BLOCK),
        );
        let seq = cache.add_sequence();
        assert!(cache.reserve(seq, tokens.len()));
        let rows = tokens.iter().enumerate().map(|(position, &token)| Row {
            token,
            seq,
            position,
            length: tokens.len(),
        });
        let rows: Vec<Row> = rows.collect();
        rows.chunks(pieces)
            .flat_map(|rows| bits(model, rows, &mut cache))
            .collect()
    }

    fn bits(model: &Model, rows: &[Row], cache: &mut KvCache) -> Vec<Vec<u32>> {
        let wanted: Vec<u32> = (0..rows.len() as u32).collect();
        let hidden = model.forward(rows, &wanted, cache).unwrap();
        let logits = model.logits(&hidden).unwrap().to_vec2::<f32>().unwrap();
        logits
            .into_iter()
            .map(|row| row.into_iter().map(f32::to_bits).collect())
            .collect()
    }

    const MODELS: [&str; 3] = ["llama-tied", "llama-biased", "mistral-window"];
    const PRECISIONS: [Precision; 2] = [Precision::F32, Precision::Bf16];

    #[test]
    fn prefill_at_once_equals_prefill_token_by_token() {
        for (name, precision) in MODELS
            .into_iter()
            .flat_map(|name| PRECISIONS.map(|precision| (name, precision)))
        {
            let model = load(name, precision, 2);
            let tokens = prompt(1, 70);
            let whole = alone(&model, &tokens, 70);
            for pieces in [1, 3, 8, 33] {
                assert_eq!(
                    alone(&model, &tokens, pieces),
                    whole,
                    "{name} {precision:?}: {pieces} at a time"
                );
            }
        }
    }

    #[test]
    fn prepacking_changes_no_bit() {
        for (name, precision) in MODELS
            .into_iter()
            .flat_map(|name| PRECISIONS.map(|precision| (name, precision)))
        {
            let tokens = prompt(3, 40);
            let expected = alone(&load(name, precision, 2), &tokens, 40);
            let model = load_with(name, precision, 2, Prepack::AfterFirstStep);
            for pieces in [40, 1] {
                assert_eq!(
                    alone(&model, &tokens, pieces),
                    expected,
                    "{name} {precision:?}: from the files"
                );
            }
            for _ in 0..2 {
                model.prepack().unwrap();
                assert_eq!(
                    alone(&model, &tokens, 40),
                    expected,
                    "{name} {precision:?}: packed"
                );
            }
        }
    }

    #[test]
    fn batching_changes_no_bit_of_a_row() {
        for (name, precision) in MODELS
            .into_iter()
            .flat_map(|name| PRECISIONS.map(|precision| (name, precision)))
        {
            for (sequences, threads) in [(3, 1), (16, 1), (16, 3)] {
                let model = load(name, precision, threads);
                let prompts: Vec<Vec<u32>> = (0..sequences)
                    .map(|i| prompt(i, 20 + 3 * i as usize))
                    .collect();
                let mut cache = KvCache::new(model.config(), precision, 1000);
                let seqs: Vec<SeqId> = prompts.iter().map(|_| cache.add_sequence()).collect();
                let longest = prompts.iter().map(Vec::len).max().unwrap();
                let mut found = vec![Vec::new(); prompts.len()];
                // Sequence i joins i steps late and takes 1 + i mod 4 rows a step, so that no two
                // steps are alike.
                for step in 0..longest + prompts.len() {
                    let mut rows = Vec::new();
                    let mut owners = Vec::new();
                    for (i, prompt) in prompts.iter().enumerate() {
                        let pace = 1 + i % 4;
                        let start = step.saturating_sub(i).saturating_mul(pace);
                        let end = if step < i {
                            0
                        } else {
                            (start + pace).min(prompt.len())
                        };
                        for (position, &token) in prompt.iter().enumerate().take(end).skip(start) {
                            assert!(cache.reserve(seqs[i], position + 1));
                            rows.push(Row {
                                token,
                                seq: seqs[i],
                                position,
                                length: prompt.len(),
                            });
                            owners.push(i);
                        }
                    }
                    if !rows.is_empty() {
                        let logits = bits(&model, &rows, &mut cache);
                        owners
                            .iter()
                            .zip(logits)
                            .for_each(|(&i, logits)| found[i].push(logits));
                    }
                }
                for (prompt, found) in prompts.iter().zip(found) {
                    assert_eq!(
                        found,
                        alone(&model, prompt, prompt.len()),
                        "{name} {precision:?}: {sequences} sequences"
                    );
                }
            }
        }
    }

    #[test]
    fn a_shared_prefix_changes_no_bit() {
        for (name, precision) in MODELS
            .into_iter()
            .flat_map(|name| PRECISIONS.map(|precision| (name, precision)))
        {
            let model = load(name, precision, 2);
            let tokens = prompt(5, 70);
            let whole = alone(&model, &tokens, 70);
            for shared in [1, 15, 16, 17, 31, 48, 69] {
                let mut cache = KvCache::new(model.config(), precision, 12);
                let first = cache.add_sequence();
                assert!(cache.reserve(first, 70));
                let rows = |seq, range: std::ops::Range<usize>| -> Vec<Row> {
                    range
                        .map(|position| Row {
                            token: tokens[position],
                            seq,
                            position,
                            length: 70,
                        })
                        .collect()
                };
                bits(&model, &rows(first, 0..shared), &mut cache);
                let second = cache.fork(first, shared).unwrap();
                // The first goes on with other tokens, which the second must not see.
                let others: Vec<Row> = (shared..70)
                    .map(|position| Row {
                        token: 3,
                        seq: first,
                        position,
                        length: 70,
                    })
                    .collect();
                bits(&model, &others, &mut cache);
                cache.free(first);
                assert!(cache.reserve(second, 70));
                let found = bits(&model, &rows(second, shared..70), &mut cache);
                assert_eq!(
                    found,
                    whole[shared..],
                    "{name} {precision:?}: {shared} shared"
                );
                cache.free(second);
                assert_eq!(cache.available_blocks(), 12);
            }
        }
    }
}
