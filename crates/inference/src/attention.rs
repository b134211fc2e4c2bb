//! Attention of each row over the cached keys and values of its own sequence.
//!
//! A row reads blocks from that of its first visible position to that of its own, in order of position, whatever other
//! rows travel with it; so it is exact by construction that neighbours never change it.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use crate::kernels::{Kernel, LANES, Lanes, accumulate, dispatch, exp};
use crate::kv_cache::{BLOCK, KvCache, Slot};

/// The attention of one layer for the rows of a step.
pub(crate) struct Attention<'a> {
    pub(crate) cache: &'a KvCache,
    pub(crate) layer: usize,
    pub(crate) heads: usize,
    pub(crate) kv_heads: usize,
    pub(crate) head_dim: usize,
    /// How many of the latest positions a row sees, its own included.
    pub(crate) window: Option<usize>,
    /// Sequence and position of each row.
    pub(crate) places: &'a [(Slot, usize)],
}

impl Attention<'_> {
    /// `softmax(q · Kᵀ / sqrt(head_dim)) · V` for each query head. Keys and values of the rows must have been stored.
    ///
    /// # Shapes
    /// `x` `[rows, width]` whose first `heads · head_dim` elements are queries (rotated), to `[rows, heads · head_dim]`.
    pub(crate) fn apply(&self, x: &Tensor) -> Result<Tensor> {
        x.apply_op1_no_bwd(self)
    }
}

impl CustomOp1 for Attention<'_> {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (rows, width) = layout.shape().dims2()?;
        let Some((start, end)) = layout.contiguous_offsets() else { bail!("attention needs contiguous tensors") };
        let query_width = self.heads * self.head_dim;
        if rows != self.places.len() || query_width > width {
            bail!("{rows} rows of {width} elements do not fit attention over {} places", self.places.len());
        }
        let x = &storage.as_slice::<f32>()?[start..end];
        let mut out = vec![0f32; rows * query_width];
        out.par_chunks_mut(query_width).zip(x.par_chunks(width)).zip(self.places).with_min_len(4).for_each_init(
            Vec::new,
            |scores, ((out, x), &(slot, position))| {
                dispatch(AttendRow { attention: self, slot, position, queries: &x[..query_width], out, scores });
            },
        );
        Ok((CpuStorage::F32(out), (rows, query_width).into()))
    }
}

/// The attention of one row.
struct AttendRow<'a> {
    attention: &'a Attention<'a>,
    slot: Slot,
    position: usize,
    /// `[heads, head_dim]`.
    queries: &'a [f32],
    /// `[heads, head_dim]`.
    out: &'a mut [f32],
    scores: &'a mut Vec<Lanes>,
}

impl Kernel for AttendRow<'_> {
    #[inline(always)]
    fn run<const FUSED: bool>(mut self) {
        // Query heads that share a key-value head are taken together, so that each key is read once for all.
        let group = self.attention.heads / self.attention.kv_heads;
        for kv_head in 0..self.attention.kv_heads {
            let end = (kv_head + 1) * group;
            let mut head = kv_head * group;
            while head < end {
                match end - head {
                    1 => self.heads::<1, FUSED>(kv_head, head),
                    2 => self.heads::<2, FUSED>(kv_head, head),
                    3 => self.heads::<3, FUSED>(kv_head, head),
                    _ => self.heads::<4, FUSED>(kv_head, head),
                }
                head += 4;
            }
        }
    }
}

impl AttendRow<'_> {
    #[inline(always)]
    fn heads<const HEADS: usize, const FUSED: bool>(&mut self, kv_head: usize, head: usize) {
        let Attention { cache, layer, head_dim, window, .. } = *self.attention;
        let first = window.map_or(0, |window| (self.position + 1).saturating_sub(window));
        let blocks = first / BLOCK..self.position / BLOCK + 1;
        let queries: [&[f32]; HEADS] = std::array::from_fn(|h| &self.queries[(head + h) * head_dim..][..head_dim]);

        // Scores `[HEADS, blocks, 16]`. What lies outside the visible positions is another's, or nobody's.
        self.scores.clear();
        self.scores.resize(HEADS * blocks.len(), [0.0; LANES]);
        let scale = 1.0 / (head_dim as f32).sqrt();
        for (index, block) in blocks.clone().enumerate() {
            let mut sums = [[[0.0; LANES]; 1]; HEADS];
            accumulate::<HEADS, 1, FUSED>(queries, [cache.keys(self.slot, block, layer, kv_head)], &mut sums);
            for (h, [sums]) in sums.iter().enumerate() {
                let scores = &mut self.scores[h * blocks.len() + index];
                for lane in 0..LANES {
                    scores[lane] = sums[lane] * scale;
                }
            }
        }
        let totals: [f32; HEADS] = std::array::from_fn(|h| {
            let scores = &mut self.scores[h * blocks.len()..][..blocks.len()];
            scores[0][..first % BLOCK].fill(f32::NEG_INFINITY);
            scores[blocks.len() - 1][self.position % BLOCK + 1..].fill(f32::NEG_INFINITY);
            exponentials(scores)
        });

        let mut panel = 0;
        while panel < head_dim.div_ceil(LANES) {
            let mut sums = [[[0.0; LANES]; 1]; HEADS];
            for (index, block) in blocks.clone().enumerate() {
                let low = if index == 0 { first % BLOCK } else { 0 };
                let high = if index + 1 == blocks.len() { self.position % BLOCK + 1 } else { BLOCK };
                let weights: [&[f32]; HEADS] =
                    std::array::from_fn(|h| &self.scores[h * blocks.len() + index][low..high]);
                let values = &cache.values(self.slot, block, layer, kv_head, panel)[low..high];
                accumulate::<HEADS, 1, FUSED>(weights, [values], &mut sums);
            }
            let width = LANES.min(head_dim - panel * LANES);
            for (h, [sums]) in sums.iter().enumerate() {
                let out = &mut self.out[(head + h) * head_dim + panel * LANES..][..width];
                out.iter_mut().zip(sums).for_each(|(out, sum)| *out = sum / totals[h]);
            }
            panel += 1;
        }
    }
}

/// Replaces every score by `exp(score − max)` and returns their sum.
#[inline(always)]
fn exponentials(scores: &mut [Lanes]) -> f32 {
    let mut most = [f32::NEG_INFINITY; LANES];
    for scores in &*scores {
        for lane in 0..LANES {
            most[lane] = if scores[lane] > most[lane] { scores[lane] } else { most[lane] };
        }
    }
    let most = most.into_iter().fold(f32::NEG_INFINITY, f32::max);
    let mut totals = [0.0; LANES];
    for scores in scores {
        for lane in 0..LANES {
            scores[lane] = exp(scores[lane] - most);
            totals[lane] += scores[lane];
        }
    }
    totals.iter().sum()
}

#[cfg(test)]
mod tests {
    use candle_core::{D, Device, Tensor};

    use super::*;
    use crate::config::ModelConfig;

    fn config(heads: usize, kv_heads: usize, head_dim: usize) -> ModelConfig {
        let json = format!(
            r#"{{"model_type":"llama","hidden_size":8,"intermediate_size":8,"num_hidden_layers":1,"vocab_size":8,
            "num_attention_heads":{heads},"num_key_value_heads":{kv_heads},"head_dim":{head_dim}}}"#
        );
        ModelConfig::parse(json.as_bytes(), None).unwrap()
    }

    fn random(shape: (usize, usize)) -> Tensor {
        Tensor::randn(0f32, 1f32, shape, &Device::Cpu).unwrap()
    }

    /// Attention of all rows of one sequence, by plain candle operations: `[rows, width]` to `[rows, heads · head_dim]`.
    fn reference(x: &Tensor, config: &ModelConfig, window: usize) -> Tensor {
        let rows = x.dims2().unwrap().0;
        let part = |start: usize, heads: usize| {
            let part = x.narrow(1, start, heads * config.head_dim).unwrap();
            part.reshape((rows, heads, config.head_dim)).unwrap().transpose(0, 1).unwrap().contiguous().unwrap()
        };
        let (q, k) = (part(0, config.heads), part(config.query_width(), config.kv_heads));
        let v = part(config.query_width() + config.kv_width(), config.kv_heads);
        let group: Vec<u32> = (0..config.heads).map(|head| (head * config.kv_heads / config.heads) as u32).collect();
        let group = Tensor::new(group, &Device::Cpu).unwrap();
        let (k, v) = (k.index_select(&group, 0).unwrap(), v.index_select(&group, 0).unwrap());
        let mask: Vec<f32> = (0..rows)
            .flat_map(|q| (0..rows).map(move |k| if k <= q && k + window > q { 0.0 } else { f32::NEG_INFINITY }))
            .collect();
        let mask = Tensor::from_vec(mask, (rows, rows), &Device::Cpu).unwrap();
        let scores = (q.matmul(&k.t().unwrap()).unwrap() / (config.head_dim as f64).sqrt()).unwrap();
        let scores = scores.broadcast_add(&mask).unwrap();
        let scores = scores.broadcast_sub(&scores.max_keepdim(D::Minus1).unwrap()).unwrap().exp().unwrap();
        let weights = scores.broadcast_div(&scores.sum_keepdim(D::Minus1).unwrap()).unwrap();
        weights.matmul(&v).unwrap().transpose(0, 1).unwrap().reshape((rows, config.query_width())).unwrap()
    }

    fn attend(
        x: &Tensor,
        config: &ModelConfig,
        window: Option<usize>,
        cache: &KvCache,
        places: &[(Slot, usize)],
    ) -> Tensor {
        let (heads, kv_heads, head_dim) = (config.heads, config.kv_heads, config.head_dim);
        Attention { cache, layer: 0, heads, kv_heads, head_dim, window, places }.apply(x).unwrap()
    }

    #[test]
    fn agrees_with_candle() {
        for (heads, kv_heads, head_dim, window) in
            [(4, 2, 8, None), (6, 2, 32, None), (5, 1, 20, Some(7)), (8, 8, 16, Some(16)), (2, 2, 48, Some(1))]
        {
            let config = config(heads, kv_heads, head_dim);
            let rows = 53;
            let x = random((rows, config.query_width() + 2 * config.kv_width()));
            let mut cache = KvCache::new(&config);
            let slot = cache.open();
            cache.reserve(slot, rows);
            let places: Vec<(Slot, usize)> = (0..rows).map(|position| (slot, position)).collect();
            cache.store(0, &x, places.iter().copied()).unwrap();
            let found = attend(&x, &config, window, &cache, &places);
            let expected = reference(&x, &config, window.unwrap_or(usize::MAX - rows));
            let worst: f32 = (found - expected).unwrap().abs().unwrap().max_all().unwrap().to_scalar().unwrap();
            assert!(worst < 1e-5, "{heads}/{kv_heads}×{head_dim} window {window:?}: differs by {worst}");
        }
    }

    #[test]
    fn a_reused_block_leaks_nothing() {
        let config = config(2, 1, 8);
        let x = random((19, config.query_width() + 2 * config.kv_width()));
        let run = |cache: &mut KvCache| {
            let slot = cache.open();
            cache.reserve(slot, 19);
            let places: Vec<(Slot, usize)> = (0..19).map(|position| (slot, position)).collect();
            cache.store(0, &x, places.iter().copied()).unwrap();
            let out = attend(&x, &config, None, cache, &places);
            cache.close(slot);
            out.flatten_all().unwrap().to_vec1::<f32>().unwrap()
        };
        let mut cache = KvCache::new(&config);
        let clean = run(&mut cache);
        let slot = cache.open();
        cache.reserve(slot, 32);
        let poison = Tensor::full(f32::NAN, (32, x.dims2().unwrap().1), &Device::Cpu).unwrap();
        cache.store(0, &poison, (0..32).map(|position| (slot, position))).unwrap();
        cache.close(slot);
        assert_eq!(run(&mut cache), clean);
        assert_eq!(cache.allocated(), 2);
    }
}
