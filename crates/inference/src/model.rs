//! The forward pass of LLaMA and Mistral, in one function: [`Model::forward`].
//!
//! A step is a set of rows, each one token of some sequence at some position. Prompts being read and completions
//! being written mix freely in a step, and there is no padding. Rows meet only in attention, and there only those of
//! the same sequence, through the cache.

use candle_core::{Device, Result, Tensor};

use crate::attention::Attention;
use crate::config::ModelConfig;
use crate::kernels::{Panels, add, rms_norm, silu_gate};
use crate::kv_cache::{KvCache, Slot};
use crate::rope::{Rotation, frequencies};

/// A matrix and its optional bias.
pub(crate) struct Linear {
    /// `[outputs, inputs]`, f32.
    pub(crate) weight: Panels,
    /// `[outputs]`, f32.
    pub(crate) bias: Option<Vec<f32>>,
}

impl Linear {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.weight.project(x, self.bias.as_deref())
    }
}

/// The weights of one decoder layer, all f32.
pub(crate) struct Layer {
    /// `[hidden]`.
    pub(crate) attention_norm: Vec<f32>,
    /// Queries, keys and values in one: `[(heads + 2 · kv_heads) · head_dim, hidden]`.
    pub(crate) qkv: Linear,
    /// `[hidden, heads · head_dim]`.
    pub(crate) attention_out: Linear,
    /// `[hidden]`.
    pub(crate) feed_forward_norm: Vec<f32>,
    /// Gates and ups in one: `[2 · intermediate, hidden]`.
    pub(crate) gate_up: Linear,
    /// `[hidden, intermediate]`.
    pub(crate) down: Linear,
}

/// All weights of a model, f32.
pub(crate) struct Weights {
    /// `[vocab, hidden]`.
    pub(crate) embedding: Panels,
    pub(crate) layers: Vec<Layer>,
    /// `[hidden]`.
    pub(crate) final_norm: Vec<f32>,
    /// `[vocab, hidden]`; `None` where it is the embedding.
    pub(crate) output: Option<Panels>,
}

/// One token to compute: which, for whom, and where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) token: u32,
    pub(crate) slot: Slot,
    pub(crate) position: usize,
}

/// A model ready to compute.
pub(crate) struct Model {
    config: ModelConfig,
    weights: Weights,
    frequencies: Vec<f32>,
    device: Device,
}

impl Model {
    pub(crate) fn new(config: ModelConfig, weights: Weights, device: Device) -> Self {
        let frequencies = frequencies(&config);
        Self { config, weights, frequencies, device }
    }

    pub(crate) fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// Computes a step: stores the keys and values of all rows and returns the logits of the `wanted` ones.
    ///
    /// The rows of one sequence must be in order of position, without gaps after what the cache already holds, and
    /// their places reserved.
    ///
    /// # Shapes
    /// `[wanted, vocab]`, f32.
    pub(crate) fn forward(&self, rows: &[Row], wanted: &[u32], cache: &mut KvCache) -> Result<Tensor> {
        let ModelConfig { heads, kv_heads, head_dim, rms_norm_eps: epsilon, sliding_window: window, .. } = self.config;
        let tokens: Vec<u32> = rows.iter().map(|row| row.token).collect();
        let places: Vec<(Slot, usize)> = rows.iter().map(|row| (row.slot, row.position)).collect();
        let rotation = Rotation::new(&self.frequencies, rows.iter().map(|row| row.position));

        // [rows, hidden] from here to the end of the layers.
        let mut x = self.weights.embedding.lookup(&tokens)?;
        for (index, layer) in self.weights.layers.iter().enumerate() {
            let h = rms_norm(&x, &layer.attention_norm, epsilon)?;
            // [rows, (heads + 2 · kv_heads) · head_dim]: queries, keys, values; the first two are rotated.
            let qkv = rotation.apply(&layer.qkv.forward(&h)?, heads + kv_heads)?;
            cache.store(index, &qkv, places.iter().copied())?;
            let attention = Attention { cache, layer: index, heads, kv_heads, head_dim, window, places: &places };
            x = add(&x, &layer.attention_out.forward(&attention.apply(&qkv)?)?)?;

            let h = rms_norm(&x, &layer.feed_forward_norm, epsilon)?;
            x = add(&x, &layer.down.forward(&silu_gate(&layer.gate_up.forward(&h)?)?)?)?;
        }
        let wanted = Tensor::from_slice(wanted, wanted.len(), &self.device)?;
        let x = rms_norm(&x.index_select(&wanted, 0)?, &self.weights.final_norm, epsilon)?;
        self.weights.output.as_ref().unwrap_or(&self.weights.embedding).project(&x, None)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::checkpoint::{CheckpointFiles, Rounding};

    fn load(name: &str) -> Model {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
        let files = CheckpointFiles::open(&folder).unwrap();
        let config = ModelConfig::parse(&files.require("config.json").unwrap(), None).unwrap();
        let weight_files = files.weights().unwrap();
        let weights = weight_files.tensors(&config).unwrap().load(&config, Rounding::None, &Device::Cpu).unwrap();
        Model::new(config, weights, Device::Cpu)
    }

    fn prompt(seed: u32, length: usize) -> Vec<u32> {
        (0..length as u32).map(|i| (i * i * 31 + i * 7 + seed * 101) % 290).collect()
    }

    /// Logits after every token, as bits, when `pieces` tokens are computed at a time.
    fn alone(model: &Model, tokens: &[u32], pieces: usize) -> Vec<Vec<u32>> {
        let mut cache = KvCache::new(model.config());
        let slot = cache.open();
        cache.reserve(slot, tokens.len());
        let rows = tokens.iter().enumerate().map(|(position, &token)| Row { token, slot, position });
        let rows: Vec<Row> = rows.collect();
        rows.chunks(pieces).flat_map(|rows| bits(model, rows, &mut cache)).collect()
    }

    fn bits(model: &Model, rows: &[Row], cache: &mut KvCache) -> Vec<Vec<u32>> {
        let wanted: Vec<u32> = (0..rows.len() as u32).collect();
        let logits = model.forward(rows, &wanted, cache).unwrap().to_vec2::<f32>().unwrap();
        logits.into_iter().map(|row| row.into_iter().map(f32::to_bits).collect()).collect()
    }

    #[test]
    fn reading_at_once_equals_reading_token_by_token() {
        for name in ["llama-tied", "llama-biased", "mistral-window"] {
            let model = load(name);
            let tokens = prompt(1, 70);
            let whole = alone(&model, &tokens, 70);
            for pieces in [1, 3, 8, 33] {
                assert_eq!(alone(&model, &tokens, pieces), whole, "{name}: {pieces} at a time");
            }
        }
    }

    #[test]
    fn company_changes_no_bit_of_a_row() {
        for name in ["llama-tied", "llama-biased", "mistral-window"] {
            let model = load(name);
            for (sequences, threads) in [(3, 1), (16, 1), (16, 3)] {
                let prompts: Vec<Vec<u32>> = (0..sequences).map(|i| prompt(i, 20 + 3 * i as usize)).collect();
                let mut cache = KvCache::new(model.config());
                let slots: Vec<Slot> = prompts.iter().map(|_| cache.open()).collect();
                let longest = prompts.iter().map(Vec::len).max().unwrap();
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let mut found = vec![Vec::new(); prompts.len()];
                // Sequence i joins i steps late and takes 1 + i mod 4 rows a step, so that no two steps are alike.
                for step in 0..longest + prompts.len() {
                    let mut rows = Vec::new();
                    let mut owners = Vec::new();
                    for (i, prompt) in prompts.iter().enumerate() {
                        let pace = 1 + i % 4;
                        let start = step.saturating_sub(i).saturating_mul(pace);
                        let end = if step < i { 0 } else { (start + pace).min(prompt.len()) };
                        for (position, &token) in prompt.iter().enumerate().take(end).skip(start) {
                            cache.reserve(slots[i], position + 1);
                            rows.push(Row { token, slot: slots[i], position });
                            owners.push(i);
                        }
                    }
                    if !rows.is_empty() {
                        let logits = pool.install(|| bits(&model, &rows, &mut cache));
                        owners.iter().zip(logits).for_each(|(&i, logits)| found[i].push(logits));
                    }
                }
                for (prompt, found) in prompts.iter().zip(found) {
                    assert_eq!(found, alone(&model, prompt, prompt.len()), "{name}: {sequences} sequences");
                }
            }
        }
    }
}
