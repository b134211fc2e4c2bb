//! The forward pass of every family, in one function: [`Model::forward`]. What a family does is in
//! its [`ModelConfig`] and in which weights its layers have; who computes is a [`Backend`].
//!
//! A step is a set of rows, each one token of some sequence at some position. Prefill and decode
//! mix freely in a step, and there is no padding. Rows meet only in attention, and there only those
//! of the same sequence, through the cache.

use candle_core::{Result, Tensor};

use crate::backend::{AttentionLayer, Backend};
use crate::config::ModelConfig;
use crate::kernels::elementwise::exp;
use crate::kv_cache::KvCache;
use crate::rope::Ropes;
use crate::row::Row;
use crate::sampling::Draw;

/// The weights of one decoder layer. A family has norms before its blocks, behind them, or both.
pub(crate) struct Layer<B: Backend> {
    /// `[hidden]`, of what attention reads.
    pub(crate) attention_norm: Option<B::Vector>,
    /// Queries, keys and values in one: `[(heads + 2 · kv_heads) · head_dim, hidden]`.
    pub(crate) qkv: B::Linear,
    /// QK-norm of queries and of keys: `[head_dim]` each, or as wide as all their heads.
    pub(crate) qk_norms: Option<[B::Vector; 2]>,
    /// `[hidden, heads · head_dim]`.
    pub(crate) attention_out: B::Linear,
    /// `[hidden]`, of what attention adds.
    pub(crate) attention_post_norm: Option<B::Vector>,
    /// `[hidden]`, of what the feed-forward block reads.
    pub(crate) feed_forward_norm: Option<B::Vector>,
    pub(crate) feed_forward: FeedForward<B>,
    /// `[hidden]`, of what the feed-forward block adds.
    pub(crate) feed_forward_post_norm: Option<B::Vector>,
}

/// The feed-forward block of a layer.
pub(crate) enum FeedForward<B: Backend> {
    Dense(GatedBlock<B>),
    /// Each row is put to the experts that the router gives most to.
    Experts {
        /// `[experts, hidden]`.
        router: B::Linear,
        experts: Vec<GatedBlock<B>>,
    },
}

/// A gated linear unit and the projection behind it.
pub(crate) struct GatedBlock<B: Backend> {
    /// Gates and ups, in the order that the backend needs.
    pub(crate) gate_up: B::Linear,
    /// `[hidden, intermediate]`.
    pub(crate) down: B::Linear,
}

impl<B: Backend> Layer<B> {
    fn linears(&self) -> Vec<&B::Linear> {
        let mut linears = vec![&self.qkv, &self.attention_out];
        match &self.feed_forward {
            FeedForward::Dense(block) => linears.extend([&block.gate_up, &block.down]),
            FeedForward::Experts { router, experts } => {
                linears.push(router);
                linears.extend(
                    experts
                        .iter()
                        .flat_map(|block| [&block.gate_up, &block.down]),
                );
            }
        }
        linears
    }
}

/// All weights of a model.
pub(crate) struct Weights<B: Backend> {
    /// `[vocab, hidden]`; `None` where it is the output matrix.
    pub(crate) embedding: Option<B::Table>,
    pub(crate) layers: Vec<Layer<B>>,
    /// `[hidden]`.
    pub(crate) final_norm: B::Vector,
    /// `[vocab, hidden]`.
    pub(crate) output: B::Linear,
}

/// Bytes that are thought to be free where nothing says how many are.
const UNKNOWN_MEMORY: usize = 4 << 30;

/// A model ready to compute.
pub(crate) struct Model<B: Backend> {
    config: ModelConfig,
    pub(crate) backend: B,
    pub(crate) weights: Weights<B>,
    ropes: Ropes,
}

impl<B: Backend> Model<B> {
    pub(crate) fn new(config: ModelConfig, backend: B, weights: Weights<B>) -> Self {
        Self {
            ropes: Ropes::new(&config),
            config,
            backend,
            weights,
        }
    }
}

impl<B: Backend> Model<B> {
    /// `x` and what the feed-forward block of a layer adds.
    ///
    /// # Shapes
    /// `[rows, hidden]`, f32.
    fn feed_forward(&self, x: Tensor, layer: &Layer<B>) -> Result<Tensor> {
        let (backend, activation) = (&self.backend, self.config.activation);
        let norm = layer.feed_forward_norm.as_ref();
        match &layer.feed_forward {
            FeedForward::Dense(block) => {
                let gated = backend.gated(&x, norm, &block.gate_up, activation)?;
                let norm = layer.feed_forward_post_norm.as_ref();
                backend.add_linear(x, &gated, &block.down, norm)
            }
            FeedForward::Experts { router, experts } => {
                let normed = match norm {
                    Some(weight) => backend.norm(&x, weight)?,
                    None => x.clone(),
                };
                let chosen = self.route(&normed, router)?;
                let mut sum = x;
                for (expert, block) in experts.iter().enumerate() {
                    let of_expert = |(row, chosen): (usize, &Vec<(usize, f32)>)| {
                        let (_, share) = chosen.iter().find(|(other, _)| *other == expert)?;
                        Some((row as u32, *share))
                    };
                    let (rows, shares): (Vec<u32>, Vec<f32>) =
                        chosen.iter().enumerate().filter_map(of_expert).unzip();
                    if rows.is_empty() {
                        continue;
                    }
                    let (count, device) = (rows.len(), normed.device());
                    let rows = Tensor::from_vec(rows, count, device)?;
                    let shares = Tensor::from_vec(shares, (count, 1), device)?;
                    let of_rows = normed.index_select(&rows, 0)?;
                    let gated = backend.gated(&of_rows, None, &block.gate_up, activation)?;
                    let added = backend.linear(&gated, None, &block.down)?;
                    // Expert by expert: a row's sum does not depend on the rows beside it.
                    sum = sum.index_add(&rows, &added.broadcast_mul(&shares)?, 0)?;
                }
                Ok(sum)
            }
        }
    }

    /// The experts that each row is put to, with the share that each has in the sum.
    fn route(&self, normed: &Tensor, router: &B::Linear) -> Result<Vec<Vec<(usize, f32)>>> {
        let logits = self
            .backend
            .linear(normed, None, router)?
            .to_vec2::<f32>()?;
        let chosen = logits.into_iter().map(|logits| {
            let mut order: Vec<usize> = (0..logits.len()).collect();
            // Stable: of equals the lower number first, as torch.topk takes them.
            order.sort_by(|&one, &other| logits[other].total_cmp(&logits[one]));
            order.truncate(self.config.experts_per_token);
            // The softmax over all experts, its largest shares made to sum to 1: that of those alone.
            let most = logits[order[0]];
            let powers = order.iter().map(|&expert| exp(logits[expert] - most));
            let powers: Vec<f32> = powers.collect();
            let sum: f32 = powers.iter().sum();
            let shares = powers.into_iter().map(|power| power / sum);
            order.into_iter().zip(shares).collect()
        });
        Ok(chosen.collect())
    }
}

impl<B: Backend> Model<B> {
    pub(crate) fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// A KV cache of at most `capacity` blocks, in the buffers of the last one that was recycled.
    pub(crate) fn new_cache(&self, capacity: usize) -> KvCache<B::Memory> {
        self.backend.new_cache(capacity)
    }

    /// Blocks that a KV cache of so many bytes can have.
    pub(crate) fn blocks_within(&self, bytes: usize) -> usize {
        (bytes / self.backend.block_bytes()).min(self.backend.max_blocks())
    }

    /// Bytes of the KV cache where no number is given: a share of what is free, which the backend
    /// decides; of 4 GiB where nothing says how many are.
    pub(crate) fn default_kv_memory(&self) -> usize {
        let free = self.backend.free_bytes().unwrap_or(UNKNOWN_MEMORY);
        self.backend.kv_memory(free)
    }

    /// Packs all weights that are not packed yet: worth it for more than one step.
    ///
    /// # Errors
    /// When there is no memory.
    pub(crate) fn prepack(&self) -> std::io::Result<()> {
        let of_layers = self.weights.layers.iter().flat_map(Layer::linears);
        of_layers
            .chain([&self.weights.output])
            .try_for_each(|linear| self.backend.prepack(linear))
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
        cache: &mut KvCache<B::Memory>,
    ) -> Result<Tensor> {
        self.forward_after(None, rows, wanted, cache)
    }

    /// The same, behind a step that chose these tokens, which some rows name by their places.
    pub(crate) fn forward_after(
        &self,
        chosen: Option<&B::Chosen>,
        rows: &[Row],
        wanted: &[u32],
        cache: &mut KvCache<B::Memory>,
    ) -> Result<Tensor> {
        let Self {
            config,
            backend,
            weights,
            ropes,
        } = self;
        let mut step = backend.begin(rows, chosen, cache, ropes)?;

        // [rows, hidden] from here to the end of the layers.
        let mut x = backend.embed(
            &step,
            weights.embedding.as_ref(),
            &weights.output,
            config.embedding_scale,
        )?;
        for (index, layer) in weights.layers.iter().enumerate() {
            // [rows, (heads + 2 · kv_heads) · head_dim]: queries, keys, values.
            let qkv = backend.linear(&x, layer.attention_norm.as_ref(), &layer.qkv)?;
            let attention = AttentionLayer {
                index,
                window: config.windows[index],
                rope: config.layer_rope(index),
                norms: layer.qk_norms.as_ref().map(|norms| norms.each_ref()),
            };
            let attended = backend.attend(&mut step, attention, qkv)?;
            x = backend.add_linear(
                x,
                &attended,
                &layer.attention_out,
                layer.attention_post_norm.as_ref(),
            )?;

            x = self.feed_forward(x, layer)?;
        }
        backend.select(&step, &x, wanted)
    }

    /// Greedy decoding: the argmax of each row's logits; [`NOT_A_TOKEN`](crate::ops::NOT_A_TOKEN)
    /// where the model's logits are not numbers. [`Backend::read`] gives the tokens.
    ///
    /// # Shapes
    /// `hidden` `[rows, hidden]` to `[rows]`.
    pub(crate) fn argmax(&self, hidden: &Tensor) -> Result<B::Chosen> {
        let Weights {
            final_norm, output, ..
        } = &self.weights;
        self.backend.argmax(hidden, final_norm, output)
    }

    /// A token of each row by its draw, where the backend runs ahead.
    ///
    /// # Shapes
    /// `hidden` `[rows, hidden]`, and as many draws, to `[rows]`.
    pub(crate) fn sample(&self, hidden: &Tensor, draws: &[Draw]) -> Result<B::Chosen> {
        let Weights {
            final_norm, output, ..
        } = &self.weights;
        self.backend.sample(hidden, final_norm, output, draws)
    }

    /// The logits of all tokens as the next one.
    ///
    /// # Shapes
    /// `hidden` `[rows, hidden]` to `[rows, vocab]`, f32.
    pub(crate) fn logits(&self, hidden: &Tensor) -> Result<Tensor> {
        let Weights {
            final_norm, output, ..
        } = &self.weights;
        self.backend.logits(hidden, final_norm, output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::CpuBackend;
    use crate::checkpoint::{Checkpoint, Prepack, WeightForm};
    use crate::kernels::{Compute, InstructionSet, Precision, WeightFormat};
    use crate::kv_cache::{BLOCK, Slabs};
    use crate::row::{RowToken, SeqId};
    use crate::tensor_source::Rounding;
    use crate::threads::Threads;

    fn load(name: &str, precision: Precision, threads: usize) -> Model<CpuBackend> {
        load_with(name, precision, threads, Prepack::WhileLoading)
    }

    fn load_with(
        name: &str,
        precision: Precision,
        threads: usize,
        prepack: Prepack,
    ) -> Model<CpuBackend> {
        let Checkpoint {
            config, tensors, ..
        } = Checkpoint::fixture(name);
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
        Model::new(config.clone(), CpuBackend::new(&config, compute), weights)
    }

    fn prompt(seed: u32, length: usize) -> Vec<u32> {
        (0..length as u32)
            .map(|i| (i * i * 31 + i * 7 + seed * 101) % 290)
            .collect()
    }

    /// Logits after every token, as bits, when `pieces` tokens are computed at a time.
    fn alone(model: &Model<CpuBackend>, tokens: &[u32], pieces: usize) -> Vec<Vec<u32>> {
        let mut cache = model.new_cache(tokens.len().div_ceil(BLOCK));
        let seq = cache.add_sequence();
        assert!(cache.reserve(seq, tokens.len()));
        let rows = tokens.iter().enumerate().map(|(position, &token)| Row {
            token: RowToken::Known(token),
            seq,
            position,
            length: tokens.len(),
        });
        let rows: Vec<Row> = rows.collect();
        rows.chunks(pieces)
            .flat_map(|rows| bits(model, rows, &mut cache))
            .collect()
    }

    fn bits(model: &Model<CpuBackend>, rows: &[Row], cache: &mut KvCache<Slabs>) -> Vec<Vec<u32>> {
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
                let mut cache = model.new_cache(1000);
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
                                token: RowToken::Known(token),
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
                let mut cache = model.new_cache(12);
                let first = cache.add_sequence();
                assert!(cache.reserve(first, 70));
                let rows = |seq, range: std::ops::Range<usize>| -> Vec<Row> {
                    range
                        .map(|position| Row {
                            token: RowToken::Known(tokens[position]),
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
                        token: RowToken::Known(3),
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
