//! The forward pass on a device, in one function: [`DeviceModel::forward`]. The steps are those of
//! [`Model::forward`](crate::model::Model::forward), written with candle's own operations.

use candle_core::{D, DType, Device, Result, Tensor};

use super::attention::{Arrangement, AttentionBatch, Limits};
use super::{Pool, dtype};
use crate::config::ModelConfig;
use crate::kernels::Precision;
use crate::kv_cache::KvCache;
use crate::ops::{AttentionShape, NOT_A_TOKEN};
use crate::row::Row;

/// A matrix `[outputs, inputs]` and its optional bias `[outputs]`, f32.
pub(crate) struct DeviceLinear {
    pub(crate) weight: Tensor,
    pub(crate) bias: Option<Tensor>,
}

impl DeviceLinear {
    /// `x · Wᵀ + bias`: both factors in the dtype of the matrix, and so the product, which is then
    /// widened.
    ///
    /// # Shapes
    /// `x` `[rows, inputs]` to `[rows, outputs]`, both f32.
    fn apply(&self, x: &Tensor) -> Result<Tensor> {
        let product = x
            .to_dtype(self.weight.dtype())?
            .matmul(&self.weight.t()?)?
            .to_dtype(DType::F32)?;
        match &self.bias {
            None => Ok(product),
            Some(bias) => product.broadcast_add(bias),
        }
    }
}

/// The weights of one decoder layer on a device. Vectors are f32.
pub(crate) struct DeviceLayer {
    /// `[hidden]`.
    pub(crate) attention_norm: Tensor,
    /// Queries, keys and values in one: `[(heads + 2 · kv_heads) · head_dim, hidden]`.
    pub(crate) qkv: DeviceLinear,
    /// QK-norm: RMSNorm of each head of queries and of keys, where the family has it; `[head_dim]`
    /// each, f32.
    pub(crate) qk_norms: Option<[Tensor; 2]>,
    /// `[hidden, heads · head_dim]`.
    pub(crate) attention_out: DeviceLinear,
    /// `[hidden]`.
    pub(crate) feed_forward_norm: Tensor,
    /// Gates, then ups: `[2 · intermediate, hidden]`.
    pub(crate) gate_up: DeviceLinear,
    /// `[hidden, intermediate]`.
    pub(crate) down: DeviceLinear,
}

/// All weights of a model on a device.
pub(crate) struct DeviceWeights {
    /// `[vocab, hidden]`; `None` where it is the output matrix.
    pub(crate) embedding: Option<Tensor>,
    pub(crate) layers: Vec<DeviceLayer>,
    /// `[hidden]`, f32.
    pub(crate) final_norm: Tensor,
    /// `[vocab, hidden]`, f32 also where the others are bf16: a product is rounded to the dtype of
    /// its factors, and among logits rounded to bf16 the best are often equal.
    pub(crate) output: Tensor,
}

/// Elements of keys and values, or of scores, that are worked on at a time: 512 MiB in f32, and up
/// to twice that again for what they are computed from.
const MAX_BATCH_ELEMENTS: usize = 128 << 20;

/// A model on a device.
pub(crate) struct DeviceModel {
    config: ModelConfig,
    device: Device,
    precision: Precision,
    weights: DeviceWeights,
    /// All tokens, `[1, vocab]`.
    ids: Tensor,
    max_batch_elements: usize,
}

impl DeviceModel {
    /// # Errors
    /// Those of the device.
    pub(crate) fn new(
        config: &ModelConfig,
        device: &Device,
        precision: Precision,
        weights: DeviceWeights,
    ) -> Result<Self> {
        let ids = Tensor::arange(0, config.vocab_size as u32, device)?.unsqueeze(0)?;
        let (config, device) = (config.clone(), device.clone());
        Ok(Self {
            config,
            device,
            precision,
            weights,
            ids,
            max_batch_elements: MAX_BATCH_ELEMENTS,
        })
    }

    pub(crate) fn device(&self) -> &Device {
        &self.device
    }

    /// A KV cache of at most `capacity` blocks.
    pub(crate) fn new_cache(&self, capacity: usize) -> KvCache {
        KvCache::on_device(
            Pool::new(&self.config, &self.device, dtype(self.precision)),
            capacity,
        )
    }

    /// Bytes of a block of the KV cache.
    pub(crate) fn block_bytes(&self) -> usize {
        Pool::block_bytes(&self.config, self.precision)
    }

    /// Blocks that a cache can have at most.
    pub(crate) fn max_blocks(&self) -> usize {
        Pool::max_blocks(&self.config)
    }

    /// As [`Model::forward`](crate::model::Model::forward). `cos_sin` gives `(cos, sin)` of every
    /// pair in a head for some rows, `[rows, head_dim / 2]`.
    ///
    /// # Shapes
    /// `[wanted, hidden]`, f32.
    pub(crate) fn forward(
        &self,
        rows: &[Row],
        wanted: &[u32],
        cache: &KvCache,
        cos_sin: impl FnOnce(&[Row]) -> Vec<(f32, f32)>,
    ) -> Result<Tensor> {
        let arrangement = Arrangement::of(rows);
        let arranged: Vec<Row> = arrangement.order.iter().map(|&row| rows[row]).collect();
        let step = Step::new(self, &arrangement, &arranged, cache, &cos_sin(&arranged))?;

        let mut x = self.embed(&arranged)?;
        for (layer, (weights, window)) in self
            .weights
            .layers
            .iter()
            .zip(&self.config.windows)
            .enumerate()
        {
            let normed = self.norm(&x, &weights.attention_norm)?;
            let attended = self.attention(&step, layer, *window, &weights.qkv.apply(&normed)?)?;
            x = (x + weights.attention_out.apply(&attended)?)?;

            let gate_up = weights
                .gate_up
                .apply(&self.norm(&x, &weights.feed_forward_norm)?)?;
            let half = self.config.intermediate_size;
            let gated = (gate_up.narrow(1, 0, half)?.silu()? * gate_up.narrow(1, half, half)?)?;
            x = (x + weights.down.apply(&gated)?)?;
        }
        if wanted.is_empty() {
            // A view: nothing of size zero may be allocated on a device.
            return x.narrow(0, 0, 0);
        }
        let mut arranged_at = vec![0; rows.len()];
        arrangement
            .order
            .iter()
            .enumerate()
            .for_each(|(at, &row)| arranged_at[row] = at as u32);
        let wanted: Vec<u32> = wanted
            .iter()
            .map(|&row| arranged_at[row as usize])
            .collect();
        let wanted_rows = wanted.len();
        x.index_select(&Tensor::from_vec(wanted, wanted_rows, &self.device)?, 0)
    }

    /// Attention of one layer.
    ///
    /// # Shapes
    /// `qkv` `[rows, (heads + 2 · kv_heads) · head_dim]` to `[rows, heads · head_dim]`, f32.
    fn attention(
        &self,
        step: &Step<'_>,
        layer: usize,
        window: Option<usize>,
        qkv: &Tensor,
    ) -> Result<Tensor> {
        let shape @ AttentionShape {
            heads,
            kv_heads,
            head_dim,
        } = self.shape();
        let rows = qkv.dim(0)?;
        let norms = self.weights.layers[layer].qk_norms.as_ref();
        let part = |first: usize, count: usize| {
            qkv.narrow(1, first * head_dim, count * head_dim)?
                .contiguous()?
                .reshape((1, rows, count, head_dim))
        };
        let with_rope = |part: Tensor, norm: Option<&Tensor>| {
            let part = match norm {
                None => part,
                Some(norm) => self.norm(&part, norm)?,
            };
            candle_nn::rotary_emb::rope_thd(&part, &step.cos, &step.sin)?.reshape((rows, ()))
        };
        let queries = (with_rope(part(0, heads)?, norms.map(|[queries, _]| queries))?
            / (head_dim as f64).sqrt())?;
        let keys = with_rope(part(heads, kv_heads)?, norms.map(|[_, keys]| keys))?;
        let values = part(heads + kv_heads, kv_heads)?.reshape((rows, ()))?;
        step.pool.write(layer, &step.targets, &keys, &values)?;

        let batches = step
            .batches
            .iter()
            .find(|(of, _)| *of == window)
            .map_or(&[][..], |(_, batches)| batches);
        let attended = batches
            .iter()
            .map(|batch| batch.attend(&queries, step.pool, layer, shape));
        let attended: Vec<Tensor> = attended.collect::<Result<_>>()?;
        match &attended[..] {
            [alone] => Ok(alone.clone()),
            several => Tensor::cat(several, 0),
        }
    }

    fn shape(&self) -> AttentionShape {
        let ModelConfig {
            heads,
            kv_heads,
            head_dim,
            ..
        } = self.config;
        AttentionShape {
            heads,
            kv_heads,
            head_dim,
        }
    }

    /// RMSNorm over the last axis.
    ///
    /// # Shapes
    /// `x` `[…, n]` and `weight` `[n]` to `[…, n]`, all f32.
    fn norm(&self, x: &Tensor, weight: &Tensor) -> Result<Tensor> {
        candle_nn::ops::rms_norm(x, weight, self.config.rms_norm_eps)
    }

    /// The embeddings of the rows' tokens: `[rows, hidden]`, f32.
    fn embed(&self, rows: &[Row]) -> Result<Tensor> {
        let tokens: Vec<u32> = rows.iter().map(|row| row.token).collect();
        let table = self
            .weights
            .embedding
            .as_ref()
            .unwrap_or(&self.weights.output);
        table
            .index_select(&Tensor::from_vec(tokens, rows.len(), &self.device)?, 0)?
            .to_dtype(DType::F32)
    }

    /// The logits of all tokens as the next one.
    ///
    /// # Shapes
    /// `hidden` `[rows, hidden]` to `[rows, vocab]`, f32.
    pub(crate) fn logits(&self, hidden: &Tensor) -> Result<Tensor> {
        self.norm(hidden, &self.weights.final_norm)?
            .matmul(&self.weights.output.t()?)
    }

    /// Greedy decoding: the argmax of each row's logits, the lowest id of equals, [`NOT_A_TOKEN`]
    /// where a logit is NaN.
    ///
    /// # Shapes
    /// `hidden` `[rows, hidden]` to `[rows]`.
    pub(crate) fn argmax(&self, hidden: &Tensor) -> Result<Vec<u32>> {
        let (rows, vocab) = (hidden.dim(0)?, self.config.vocab_size);
        let at_a_time = (self.max_batch_elements / vocab).max(1);
        // An argmax of candle does not say which of equals it takes.
        let none = Tensor::new(&[[NOT_A_TOKEN]], &self.device)?;
        let mut tokens = Vec::with_capacity(rows);
        for start in (0..rows).step_by(at_a_time) {
            let logits = self.logits(&hidden.narrow(0, start, at_a_time.min(rows - start))?)?;
            let best = logits.broadcast_eq(&logits.max_keepdim(D::Minus1)?)?;
            let ids = best.where_cond(
                &self.ids.broadcast_as(best.shape())?,
                &none.broadcast_as(best.shape())?,
            )?;
            let ids = ids.min(D::Minus1)?.to_vec1::<u32>()?;
            // Only NaN differs from itself, and a row that holds one has no maximum to trust.
            let unsound = logits.ne(&logits)?.max(D::Minus1)?.to_vec1::<u8>()?;
            tokens.extend(
                ids.into_iter()
                    .zip(unsound)
                    .map(|(id, unsound)| if unsound == 0 { id } else { NOT_A_TOKEN }),
            );
        }
        Ok(tokens)
    }
}

/// What all layers of a step have in common.
struct Step<'a> {
    /// `[rows, head_dim / 2]`, f32.
    cos: Tensor,
    sin: Tensor,
    /// The slots that the step's keys and values go to, `[rows, width]`, u32.
    targets: Tensor,
    /// The attention batches, for each sliding window that a layer has.
    batches: Vec<(Option<usize>, Vec<AttentionBatch>)>,
    pool: &'a Pool,
}

impl<'a> Step<'a> {
    fn new(
        model: &DeviceModel,
        arrangement: &Arrangement,
        rows: &[Row],
        cache: &'a KvCache,
        cos_sin: &[(f32, f32)],
    ) -> Result<Self> {
        let (device, pool) = (&model.device, cache.pool());
        let shape = (rows.len(), model.config.head_dim / 2);
        let (cos, sin): (Vec<f32>, Vec<f32>) = cos_sin.iter().copied().unzip();
        let targets = rows
            .iter()
            .flat_map(|row| cache.slots(row.seq, row.position..row.position + 1));
        let limits = Limits {
            elements: model.max_batch_elements,
            shape: model.shape(),
        };
        let mut batches: Vec<(Option<usize>, Vec<AttentionBatch>)> = Vec::new();
        for &window in &model.config.windows {
            // Slots and masks are uploaded once a window and not once a layer.
            if !batches.iter().any(|(known, _)| *known == window) {
                batches.push((
                    window,
                    arrangement.batches(rows, window, cache, limits, device)?,
                ));
            }
        }
        Ok(Self {
            cos: Tensor::from_vec(cos, shape, device)?,
            sin: Tensor::from_vec(sin, shape, device)?,
            targets: pool.targets(targets.collect())?,
            batches,
            pool,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;
    use std::path::Path;

    use super::*;
    use crate::checkpoint::{Checkpoint, CheckpointFiles, Prepack, Rounding, WeightForm};
    use crate::kernels::{Compute, InstructionSet, WeightFormat};
    use crate::kv_cache::SeqId;
    use crate::model::Model;
    use crate::rope::{RopePosition, RopeTable};
    use crate::threads::Threads;

    /// A checkpoint on candle's CPU backend, and for the kernels of this crate.
    fn load(name: &str) -> (DeviceModel, Model) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/fixtures")
            .join(name);
        let files = CheckpointFiles::open(&folder).unwrap();
        let Checkpoint {
            config, tensors, ..
        } = Checkpoint::open(&files).unwrap();
        let (threads, precision) = (Threads::start(Some(2)).unwrap(), Precision::F32);
        let compute = Compute {
            threads,
            set: InstructionSet::best(),
            precision,
        };
        let format = WeightFormat::Numbers(precision);
        let form = WeightForm {
            rounding: Rounding::None,
            format,
            prepack: Prepack::WhileLoading,
        };
        let uploaded = tensors
            .upload(&config, form, &compute, &Device::Cpu)
            .unwrap();
        let model = DeviceModel::new(&config, &Device::Cpu, precision, uploaded).unwrap();
        let weights = tensors.load(&config, form, &compute).unwrap();
        (model, Model::new(config, weights, compute))
    }

    fn rows(seed: u32, seq: SeqId, positions: Range<usize>) -> Vec<Row> {
        let token = |i: u32| (i * i * 31 + i * 7 + seed * 101) % 290;
        positions
            .map(|position| Row {
                token: token(position as u32),
                seq,
                position,
                length: position + 1,
            })
            .collect()
    }

    fn forward(model: &DeviceModel, rows: &[Row], cache: &KvCache) -> Tensor {
        let mut rope_table = RopeTable::new(&model.config);
        let wanted: Vec<u32> = (0..rows.len() as u32).collect();
        let position = |&Row {
                            position, length, ..
                        }: &Row| RopePosition { position, length };
        let hidden = model
            .forward(rows, &wanted, cache, |rows| {
                rope_table.of(rows.iter().map(position))
            })
            .unwrap();
        model.logits(&hidden).unwrap()
    }

    /// Rows of four sequences of different lengths, step by step: prompts of several rows and
    /// single ones, mixed.
    fn steps(open: &mut dyn FnMut() -> SeqId) -> Vec<Vec<Row>> {
        let seqs: [SeqId; 4] = std::array::from_fn(|_| open());
        let parts = |parts: [Range<usize>; 4]| {
            let parts = parts.into_iter().enumerate();
            parts
                .flat_map(|(index, part)| rows(index as u32, seqs[index], part))
                .collect()
        };
        vec![
            parts([0..40, 0..1, 0..7, 0..0]),
            parts([40..41, 1..33, 7..8, 0..1]),
            parts([41..42, 33..34, 8..9, 1..60]),
            parts([42..43, 34..35, 9..10, 60..61]),
        ]
    }

    fn worst(found: &Tensor, expected: &Tensor) -> f32 {
        (found - expected)
            .unwrap()
            .abs()
            .unwrap()
            .max_all()
            .unwrap()
            .to_scalar()
            .unwrap()
    }

    #[test]
    fn logits_are_those_of_the_kernels_however_small_the_bands() {
        for name in ["llama-tied", "llama-biased", "mistral-window"] {
            let (mut model, kernels) = load(name);
            let mut cache = kernels.new_cache(100);
            let steps_of_kernels = steps(&mut || cache.add_sequence());
            let expected = steps_of_kernels.iter().map(|rows| {
                assert!(
                    rows.iter()
                        .all(|row| cache.reserve(row.seq, row.position + 1))
                );
                let wanted: Vec<u32> = (0..rows.len() as u32).collect();
                kernels
                    .logits(&kernels.forward(rows, &wanted, &mut cache).unwrap())
                    .unwrap()
            });
            let expected: Vec<Tensor> = expected.collect();
            for elements in [1, 700, 5_000, MAX_BATCH_ELEMENTS] {
                model.max_batch_elements = elements;
                let mut cache = model.new_cache(100);
                for (rows, expected) in steps(&mut || cache.add_sequence()).iter().zip(&expected) {
                    assert!(
                        rows.iter()
                            .all(|row| cache.reserve(row.seq, row.position + 1))
                    );
                    let worst = worst(&forward(&model, rows, &cache), expected);
                    assert!(
                        worst < 1e-4,
                        "{name}: {elements} elements: differs by {worst}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_is_not_a_number_stays_in_its_sequence() {
        let (model, _) = load("llama-biased");
        let mut cache = model.new_cache(20);
        let [short, long] = [cache.add_sequence(), cache.add_sequence()];
        assert!(cache.reserve(short, 21) && cache.reserve(long, 100));
        forward(&model, &rows(1, short, 0..20), &cache);
        forward(&model, &rows(2, long, 0..90), &cache);
        let targets = cache
            .pool()
            .targets(cache.slots(long, 0..90).collect())
            .unwrap();
        let poison = Tensor::full(f32::NAN, (90, model.config.kv_width()), &Device::Cpu).unwrap();
        (0..model.config.layers).for_each(|layer| {
            cache
                .pool()
                .write(layer, &targets, &poison, &poison)
                .unwrap()
        });
        let alone = forward(&model, &rows(1, short, 20..21), &cache);
        let both = [rows(2, long, 90..91), rows(1, short, 20..21)].concat();
        let logits = forward(&model, &both, &cache);
        assert!(worst(&logits.narrow(0, 1, 1).unwrap(), &alone) < 1e-5);
        assert!(
            logits
                .get(0)
                .unwrap()
                .to_vec1::<f32>()
                .unwrap()
                .iter()
                .all(|logit| logit.is_nan())
        );
    }

    #[test]
    fn the_lowest_of_equals_is_taken_and_nan_is_no_token() {
        let (mut model, _) = load("llama-tied");
        let hidden = model.config.hidden_size;
        let row = |value: f32| vec![value; hidden];
        let states = [row(0.0), row(f32::NAN), row(0.0)].concat();
        let states = Tensor::from_vec(states, (3, hidden), &Device::Cpu).unwrap();
        for elements in [1, 2 * model.config.vocab_size, MAX_BATCH_ELEMENTS] {
            model.max_batch_elements = elements;
            assert_eq!(
                model.argmax(&states).unwrap(),
                [0, NOT_A_TOKEN, 0],
                "{elements}"
            );
        }
        // One logit that is not a number makes a row unsound, however large the others are.
        let (vocab, one) = (
            model.config.vocab_size,
            Tensor::full(f32::NAN, (1, hidden), &Device::Cpu).unwrap(),
        );
        model.weights.output.slice_set(&one, 0, vocab / 2).unwrap();
        assert_eq!(
            model.argmax(&states.narrow(0, 0, 1).unwrap()).unwrap(),
            [NOT_A_TOKEN]
        );
    }
}
