//! The operations of a forward pass on a device, in candle's own operations.

use candle_core::{D, DType, Device, Result, Tensor};

use super::attention::{Arrangement, AttentionBatch, Limits};
use crate::backend::{AttentionLayer, Backend, tokens};
use crate::config::{Activation, ModelConfig, QkNorm};
use crate::kernels::Compute;
use crate::kv_cache::{KvCache, Pool, dtype};
use crate::ops::{AttentionShape, NOT_A_TOKEN};
use crate::rope::Ropes;
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

/// Elements of keys and values, or of scores, that are worked on at a time: 512 MiB in f32, and up
/// to twice that again for what they are computed from.
const MAX_BATCH_ELEMENTS: usize = 128 << 20;

/// A device of candle, for a model.
pub(crate) struct DeviceBackend {
    config: ModelConfig,
    device: Device,
    compute: Compute,
    /// All tokens, `[1, vocab]`.
    ids: Tensor,
    max_batch_elements: usize,
}

impl DeviceBackend {
    /// `compute` has the precision, and the threads for what is computed beside the device.
    ///
    /// # Errors
    /// Those of the device.
    pub(crate) fn new(config: &ModelConfig, device: &Device, compute: Compute) -> Result<Self> {
        let ids = Tensor::arange(0, config.vocab_size as u32, device)?.unsqueeze(0)?;
        Ok(Self {
            config: config.clone(),
            device: device.clone(),
            compute,
            ids,
            max_batch_elements: MAX_BATCH_ELEMENTS,
        })
    }

    /// RMSNorm over the last axis.
    ///
    /// # Shapes
    /// `x` `[…, n]` and `weight` `[n]` to `[…, n]`, all f32.
    fn rms_norm(&self, x: &Tensor, weight: &Tensor) -> Result<Tensor> {
        candle_nn::ops::rms_norm(x, weight, self.config.rms_norm_eps)
    }

    /// The same, where there is a norm.
    fn normed(&self, x: &Tensor, norm: Option<&Tensor>) -> Result<Tensor> {
        match norm {
            Some(weight) => self.rms_norm(x, weight),
            None => Ok(x.clone()),
        }
    }

    /// QK-norm and RoPE of queries or of keys.
    ///
    /// # Shapes
    /// `part` `[1, rows, heads, head_dim]` to `[rows, heads · head_dim]`.
    fn with_rope(
        &self,
        part: Tensor,
        norm: Option<&Tensor>,
        rope: Option<&(Tensor, Tensor)>,
    ) -> Result<Tensor> {
        let (_, rows, heads, head_dim) = part.dims4()?;
        let part = match (norm, self.config.qk_norm) {
            (Some(norm), Some(QkNorm::WholeRow)) => self
                .rms_norm(&part.reshape((rows, heads * head_dim))?, norm)?
                .reshape((1, rows, heads, head_dim))?,
            (Some(norm), _) => self.rms_norm(&part, norm)?,
            (None, _) => part,
        };
        let rotary_dim = self.config.rotary_dim;
        let part = match rope {
            None => part,
            Some((cos, sin)) if rotary_dim == head_dim => {
                candle_nn::rotary_emb::rope_thd(&part, cos, sin)?
            }
            Some((cos, sin)) => {
                let turned = part.narrow(3, 0, rotary_dim)?.contiguous()?;
                let turned = candle_nn::rotary_emb::rope_thd(&turned, cos, sin)?;
                let rest = part.narrow(3, rotary_dim, head_dim - rotary_dim)?;
                Tensor::cat(&[turned, rest], 3)?
            }
        };
        part.reshape((rows, ()))
    }
}

impl Backend for DeviceBackend {
    type Vector = Tensor;
    type Linear = DeviceLinear;
    type Table = Tensor;
    type Memory = Pool;
    type Step<'a> = DeviceStep<'a>;
    type Chosen = Vec<u32>;

    fn rows_are_independent(&self) -> bool {
        false
    }

    fn begin<'a>(
        &self,
        rows: &[Row],
        chosen: Option<&Vec<u32>>,
        cache: &'a mut KvCache<Pool>,
        ropes: &Ropes,
    ) -> Result<DeviceStep<'a>> {
        let arrangement = Arrangement::of(rows);
        let arranged: Vec<Row> = arrangement.order.iter().map(|&row| rows[row]).collect();
        let tokens = tokens(&arranged, chosen);
        DeviceStep::new(self, arrangement, (&arranged, tokens), cache, ropes)
    }

    fn embed(
        &self,
        step: &DeviceStep<'_>,
        table: Option<&Tensor>,
        output: &DeviceLinear,
        scale: Option<f32>,
    ) -> Result<Tensor> {
        let x = table
            .unwrap_or(&output.weight)
            .index_select(&step.tokens, 0)?
            .to_dtype(DType::F32)?;
        match scale {
            Some(scale) => x * f64::from(scale),
            None => Ok(x),
        }
    }

    fn norm(&self, x: &Tensor, weight: &Tensor) -> Result<Tensor> {
        self.rms_norm(x, weight)
    }

    fn linear(&self, x: &Tensor, norm: Option<&Tensor>, linear: &DeviceLinear) -> Result<Tensor> {
        linear.apply(&self.normed(x, norm)?)
    }

    fn add_linear(
        &self,
        sum: Tensor,
        x: &Tensor,
        linear: &DeviceLinear,
        norm: Option<&Tensor>,
    ) -> Result<Tensor> {
        sum + self.normed(&linear.apply(x)?, norm)?
    }

    fn attend(
        &self,
        step: &mut DeviceStep<'_>,
        layer: AttentionLayer<'_, Tensor>,
        qkv: Tensor,
    ) -> Result<Tensor> {
        let shape @ AttentionShape {
            heads,
            kv_heads,
            head_dim,
        } = AttentionShape::of(&self.config);
        let rows = qkv.dim(0)?;
        let part = |first: usize, count: usize| {
            qkv.narrow(1, first * head_dim, count * head_dim)?
                .contiguous()?
                .reshape((1, rows, count, head_dim))
        };
        let rope = layer.rope.map(|rope| &step.cos_sin[rope]);
        let norms = layer.norms;
        let queries = self.with_rope(part(0, heads)?, norms.map(|[queries, _]| queries), rope)?;
        let queries = match self.config.attention_scale {
            Some(scale) => (queries * f64::from(scale))?,
            None => (queries / (head_dim as f64).sqrt())?,
        };
        let keys = self.with_rope(part(heads, kv_heads)?, norms.map(|[_, keys]| keys), rope)?;
        let values = part(heads + kv_heads, kv_heads)?.reshape((rows, ()))?;
        let pool = step.cache.memory();
        pool.write(layer.index, &step.targets, &keys, &values)?;

        let batches = step
            .batches
            .iter()
            .find(|(of, _)| *of == layer.window)
            .map_or(&[][..], |(_, batches)| batches);
        let attended = batches
            .iter()
            .map(|batch| batch.attend(&queries, pool, layer.index, shape));
        let attended: Vec<Tensor> = attended.collect::<Result<_>>()?;
        match &attended[..] {
            [alone] => Ok(alone.clone()),
            several => Tensor::cat(several, 0),
        }
    }

    fn gated(
        &self,
        x: &Tensor,
        norm: Option<&Tensor>,
        gate_up: &DeviceLinear,
        activation: Activation,
    ) -> Result<Tensor> {
        let gate_up = self.linear(x, norm, gate_up)?;
        let half = self.config.intermediate_size;
        let (gates, ups) = (gate_up.narrow(1, 0, half)?, gate_up.narrow(1, half, half)?);
        match activation {
            Activation::Silu => gates.silu()? * ups,
            Activation::GeluTanh => gates.gelu()? * ups,
        }
    }

    fn select(&self, step: &DeviceStep<'_>, x: &Tensor, wanted: &[u32]) -> Result<Tensor> {
        if wanted.is_empty() {
            // A view: nothing of size zero may be allocated on a device.
            return x.narrow(0, 0, 0);
        }
        let order = &step.arrangement.order;
        let mut arranged_at = vec![0; order.len()];
        order
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

    fn argmax(&self, x: &Tensor, norm: &Tensor, output: &DeviceLinear) -> Result<Vec<u32>> {
        let (rows, vocab) = (x.dim(0)?, self.config.vocab_size);
        let at_a_time = (self.max_batch_elements / vocab).max(1);
        // An argmax of candle does not say which of equals it takes.
        let none = Tensor::new(&[[NOT_A_TOKEN]], &self.device)?;
        let mut tokens = Vec::with_capacity(rows);
        for start in (0..rows).step_by(at_a_time) {
            let piece = x.narrow(0, start, at_a_time.min(rows - start))?;
            let logits = self.logits(&piece, norm, output)?;
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

    fn read(&self, chosen: Vec<u32>) -> Result<Vec<u32>> {
        Ok(chosen)
    }

    fn logits(&self, x: &Tensor, norm: &Tensor, output: &DeviceLinear) -> Result<Tensor> {
        self.norm(x, norm)?.matmul(&output.weight.t()?)
    }

    fn new_cache(&self, capacity: usize) -> KvCache<Pool> {
        let dtype = dtype(self.compute.precision);
        KvCache::new(Pool::new(&self.config, &self.device, dtype), capacity)
    }

    /// The memory is freed instead: other programs may need it meanwhile.
    fn recycle_cache(&self, _: &mut KvCache<Pool>) {}

    fn block_bytes(&self) -> usize {
        Pool::block_bytes(&self.config, self.compute.precision)
    }

    fn max_blocks(&self) -> usize {
        Pool::max_blocks(&self.config)
    }

    fn free_bytes(&self) -> Option<usize> {
        super::free_bytes(&self.device)
    }

    fn prepack(&self, _: &DeviceLinear) -> std::io::Result<()> {
        Ok(())
    }

    fn compute(&self) -> &Compute {
        &self.compute
    }
}

/// A step on a device.
pub(crate) struct DeviceStep<'a> {
    arrangement: Arrangement,
    /// Those of the rows in the arranged order, `[rows]`, u32.
    tokens: Tensor,
    /// By each RoPE table, `[rows, rotary_dim / 2]` each, f32.
    cos_sin: Vec<(Tensor, Tensor)>,
    /// The slots that the step's keys and values go to, `[rows, width]`, u32.
    targets: Tensor,
    /// The attention batches, for each sliding window that a layer has.
    batches: Vec<(Option<usize>, Vec<AttentionBatch>)>,
    cache: &'a KvCache<Pool>,
}

impl<'a> DeviceStep<'a> {
    fn new(
        backend: &DeviceBackend,
        arrangement: Arrangement,
        (rows, tokens): (&[Row], Vec<u32>),
        cache: &'a KvCache<Pool>,
        ropes: &Ropes,
    ) -> Result<Self> {
        let DeviceBackend { config, device, .. } = backend;
        let pool = cache.memory();
        let shape = (rows.len(), config.rotary_dim / 2);
        let upload = |pairs: Vec<(f32, f32)>| -> Result<(Tensor, Tensor)> {
            let (cos, sin): (Vec<f32>, Vec<f32>) = pairs.into_iter().unzip();
            Ok((
                Tensor::from_vec(cos, shape, device)?,
                Tensor::from_vec(sin, shape, device)?,
            ))
        };
        let cos_sin = ropes.cos_sin(rows).into_iter().map(upload);
        let targets = rows
            .iter()
            .flat_map(|row| cache.slots(row.seq, row.position..row.position + 1));
        let limits = Limits {
            elements: backend.max_batch_elements,
            shape: AttentionShape::of(config),
        };
        let mut batches: Vec<(Option<usize>, Vec<AttentionBatch>)> = Vec::new();
        for &window in &config.windows {
            // Slots and masks are uploaded once a window and not once a layer.
            if !batches.iter().any(|(known, _)| *known == window) {
                batches.push((
                    window,
                    arrangement.batches(rows, window, cache, limits, device)?,
                ));
            }
        }
        Ok(Self {
            tokens: Tensor::from_vec(tokens, rows.len(), device)?,
            cos_sin: cos_sin.collect::<Result<_>>()?,
            targets: pool.targets(targets.collect())?,
            batches,
            cache,
            arrangement,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::CpuBackend;
    use crate::checkpoint::{Checkpoint, Prepack, WeightForm};
    use crate::kernels::{Compute, InstructionSet, Precision, WeightFormat};
    use crate::model::Model;
    use crate::row::{RowToken, SeqId};
    use crate::tensor_source::Rounding;
    use crate::threads::Threads;
    use std::ops::Range;

    /// A checkpoint on candle's CPU backend, and for the kernels of this crate.
    fn load(name: &str) -> (Model<DeviceBackend>, Model<CpuBackend>) {
        let Checkpoint {
            config, tensors, ..
        } = Checkpoint::fixture(name);
        let precision = Precision::F32;
        let compute = || Compute {
            threads: Threads::start(Some(2)).unwrap(),
            set: InstructionSet::best(),
            precision,
        };
        let form = WeightForm {
            rounding: Rounding::None,
            format: WeightFormat::Numbers(precision),
            prepack: Prepack::WhileLoading,
        };
        let uploaded = tensors.upload(&config, form, &compute(), &Device::Cpu);
        let backend = DeviceBackend::new(&config, &Device::Cpu, compute()).unwrap();
        let on_device = Model::new(config.clone(), backend, uploaded.unwrap());
        let weights = tensors.load(&config, form, &compute()).unwrap();
        let backend = CpuBackend::new(&config, compute());
        (on_device, Model::new(config, backend, weights))
    }

    fn rows(seed: u32, seq: SeqId, positions: Range<usize>) -> Vec<Row> {
        let token = |i: u32| (i * i * 31 + i * 7 + seed * 101) % 290;
        positions
            .map(|position| Row {
                token: RowToken::Known(token(position as u32)),
                seq,
                position,
                length: position + 1,
            })
            .collect()
    }

    fn forward<B: Backend>(
        model: &Model<B>,
        rows: &[Row],
        cache: &mut KvCache<B::Memory>,
    ) -> Tensor {
        let wanted: Vec<u32> = (0..rows.len() as u32).collect();
        model
            .logits(&model.forward(rows, &wanted, cache).unwrap())
            .unwrap()
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
                forward(&kernels, rows, &mut cache)
            });
            let expected: Vec<Tensor> = expected.collect();
            for elements in [1, 700, 5_000, MAX_BATCH_ELEMENTS] {
                model.backend.max_batch_elements = elements;
                let mut cache = model.new_cache(100);
                for (rows, expected) in steps(&mut || cache.add_sequence()).iter().zip(&expected) {
                    assert!(
                        rows.iter()
                            .all(|row| cache.reserve(row.seq, row.position + 1))
                    );
                    let worst = worst(&forward(&model, rows, &mut cache), expected);
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
        forward(&model, &rows(1, short, 0..20), &mut cache);
        forward(&model, &rows(2, long, 0..90), &mut cache);
        let targets = cache
            .memory()
            .targets(cache.slots(long, 0..90).collect())
            .unwrap();
        let poison = Tensor::full(f32::NAN, (90, model.config().kv_width()), &Device::Cpu).unwrap();
        (0..model.config().layers).for_each(|layer| {
            cache
                .memory()
                .write(layer, &targets, &poison, &poison)
                .unwrap()
        });
        let alone = forward(&model, &rows(1, short, 20..21), &mut cache);
        let both = [rows(2, long, 90..91), rows(1, short, 20..21)].concat();
        let logits = forward(&model, &both, &mut cache);
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
        let hidden = model.config().hidden_size;
        let row = |value: f32| vec![value; hidden];
        let states = [row(0.0), row(f32::NAN), row(0.0)].concat();
        let states = Tensor::from_vec(states, (3, hidden), &Device::Cpu).unwrap();
        for elements in [1, 2 * model.config().vocab_size, MAX_BATCH_ELEMENTS] {
            model.backend.max_batch_elements = elements;
            assert_eq!(
                model.argmax(&states).unwrap(),
                [0, NOT_A_TOKEN, 0],
                "{elements}"
            );
        }
        // One logit that is not a number makes a row unsound, however large the others are.
        let (vocab, one) = (
            model.config().vocab_size,
            Tensor::full(f32::NAN, (1, hidden), &Device::Cpu).unwrap(),
        );
        model
            .weights
            .output
            .weight
            .slice_set(&one, 0, vocab / 2)
            .unwrap();
        assert_eq!(
            model.argmax(&states.narrow(0, 0, 1).unwrap()).unwrap(),
            [NOT_A_TOKEN]
        );
    }
}
