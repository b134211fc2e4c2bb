//! Attention: RoPE, writing the KV cache, and each row over its own sequence.

use candle_core::{CpuStorage, CustomOp1, InplaceOp1, Layout, Result, Shape, Tensor, bail};

use super::norms::Norm;
use super::{elements, elements_mut};
use crate::config::ModelConfig;
use crate::kernels::arithmetic::Arithmetic;
use crate::kernels::attend::{AttendRow, Scratch};
use crate::kernels::dispatch::Kernel;
use crate::kernels::elementwise::rms_norm;
use crate::kernels::{Compute, Shared};
use crate::kv_cache::{CacheWriter, KvCache, Slabs};
use crate::row::SeqId;
use crate::row::visible;

/// Applies QK-norm, where there is one, and RoPE to queries and keys in place, and writes keys and
/// values to the KV cache.
pub(crate) struct RopeAndCacheWrite<'a> {
    pub(crate) compute: &'a Compute,
    pub(crate) writer: &'a CacheWriter<'a>,
    pub(crate) layer: usize,
    pub(crate) shape: AttentionShape,
    pub(crate) rows: usize,
    /// `(cos, sin)` of each row: `[rows, pairs]`; of a head's first `2 · pairs` elements the first
    /// half is turned with the second. Empty for no RoPE.
    pub(crate) cos_sin: &'a [(f32, f32)],
    /// QK-norm: of each head of queries and of keys before RoPE; weights `[head_dim]`.
    pub(crate) norms: Option<[Norm<'a>; 2]>,
    /// Multiplies queries, where scores have another scale than `1 / sqrt(head_dim)`.
    pub(crate) query_factor: Option<f32>,
}

/// Dimensions of attention.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AttentionShape {
    pub(crate) heads: usize,
    pub(crate) kv_heads: usize,
    pub(crate) head_dim: usize,
}

impl AttentionShape {
    pub(crate) fn of(config: &ModelConfig) -> Self {
        Self {
            heads: config.heads,
            kv_heads: config.kv_heads,
            head_dim: config.head_dim,
        }
    }

    /// Rows of queries, keys and values: `[rows, (heads + 2 · kv_heads) · head_dim]`.
    fn rows(self, layout: &Layout, expected: usize) -> Result<(usize, usize)> {
        let (rows, width) = layout.shape().dims2()?;
        if rows != expected || width != (self.heads + 2 * self.kv_heads) * self.head_dim {
            bail!("{rows} rows of {width} elements do not fit attention over {expected} rows");
        }
        Ok((rows, width))
    }
}

impl RopeAndCacheWrite<'_> {
    /// # Shapes
    /// `qkv` `[rows, (heads + 2 · kv_heads) · head_dim]`: queries, keys, values.
    pub(crate) fn apply(&self, qkv: &Tensor) -> Result<()> {
        qkv.inplace_op1(self)
    }
}

impl InplaceOp1 for RopeAndCacheWrite<'_> {
    fn name(&self) -> &'static str {
        "rope_and_cache_write"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let AttentionShape {
            heads, kv_heads, ..
        } = self.shape;
        let (rows, width) = self.shape.rows(layout, self.rows)?;
        let x = Shared::new(elements_mut("rope_and_cache_write", storage, layout)?);
        self.compute.threads.for_each(heads + kv_heads, |_, head| {
            let kernel = RopeHead {
                op: self,
                x: &x,
                width,
                head,
                rows,
            };
            self.compute.set.run(self.compute.precision, kernel);
        });
        Ok(())
    }
}

/// One head of all rows of a step.
struct RopeHead<'a> {
    op: &'a RopeAndCacheWrite<'a>,
    x: &'a Shared<f32>,
    width: usize,
    head: usize,
    rows: usize,
}

impl Kernel for RopeHead<'_> {
    #[inline(always)]
    fn run<A: Arithmetic>(self) {
        let Self {
            op,
            x,
            width,
            head,
            rows,
        } = self;
        let AttentionShape {
            heads,
            kv_heads,
            head_dim,
        } = op.shape;
        let mut scratch = vec![0f32; head_dim];
        let pairs = op.cos_sin.len() / rows.max(1);
        for row in 0..rows {
            // SAFETY: each head of each row is one task's.
            let element = |head: usize| unsafe { x.slice(row * width + head * head_dim, head_dim) };
            let rotated = element(head);
            if let Some(norms) = op.norms {
                let Norm { weight, epsilon } = norms[usize::from(head >= heads)];
                scratch.copy_from_slice(rotated);
                rms_norm::<A>(&scratch, weight, epsilon, rotated);
            }
            let (first, second) = rotated.split_at_mut(pairs);
            let cos_sin = &op.cos_sin[row * pairs..][..pairs];
            for ((a, b), &(cos, sin)) in first.iter_mut().zip(second).zip(cos_sin) {
                (*a, *b) = (*a * cos - *b * sin, *b * cos + *a * sin);
            }
            if let (Some(factor), true) = (op.query_factor, head < heads) {
                rotated.iter_mut().for_each(|x| *x *= factor);
            }
            // Values need no rotation: the task of a key head writes them along, `kv_heads` further
            // on.
            if let Some(kv_head) = head.checked_sub(heads) {
                // SAFETY: one task writes all rows of a head.
                unsafe {
                    op.writer
                        .store(row, op.layer, kv_head, rotated, element(head + kv_heads))
                };
            }
        }
    }
}

/// `softmax(q · Kᵀ / sqrt(head_dim)) · V` of each row over its own sequence in the cache.
pub(crate) struct Attention<'a> {
    pub(crate) compute: &'a Compute,
    pub(crate) cache: &'a KvCache<Slabs>,
    pub(crate) layer: usize,
    pub(crate) shape: AttentionShape,
    /// How many of the latest positions a row sees, its own included.
    pub(crate) window: Option<usize>,
    /// Sequence and position of each row.
    pub(crate) rows: &'a [(SeqId, usize)],
}

/// Rows that a task of attention takes.
const ATTENTION_ROWS: usize = 8;

impl Attention<'_> {
    /// # Shapes
    /// `qkv` `[rows, (heads + 2 · kv_heads) · head_dim]`, after [`RopeAndCacheWrite`], to `[rows,
    /// heads · head_dim]`.
    pub(crate) fn apply(&self, qkv: &Tensor) -> Result<Tensor> {
        qkv.apply_op1_no_bwd(self)
    }
}

impl CustomOp1 for Attention<'_> {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (rows, width) = self.shape.rows(layout, self.rows.len())?;
        let AttentionShape {
            heads,
            kv_heads,
            head_dim,
        } = self.shape;
        let x = elements("attention", storage, layout)?;
        let (query_width, group_width) = (heads * head_dim, heads / kv_heads * head_dim);
        let mut out = vec![0f32; rows * query_width];
        let to = Shared::new(&mut out);
        let groups = rows.div_ceil(ATTENTION_ROWS);
        let Compute { threads, set, .. } = self.compute;
        threads.for_each(groups * kv_heads, |_, task| {
            let (group, kv_head) = (task / kv_heads, task % kv_heads);
            let (mut scratch, mut blocks) = (Scratch::default(), Vec::new());
            for row in group * ATTENTION_ROWS..((group + 1) * ATTENTION_ROWS).min(rows) {
                let (seq, position) = self.rows[row];
                let visible = visible(position, self.window);
                blocks.clear();
                blocks.extend(
                    self.cache
                        .head_blocks(seq, visible.end, self.layer, kv_head),
                );
                let start = kv_head * group_width;
                // SAFETY: each group of heads of each row is one task's.
                let out = unsafe { to.slice(row * query_width + start, group_width) };
                let queries = &x[row * width + start..][..group_width];
                let layout = self.cache.memory().layout();
                let kernel = AttendRow {
                    layout,
                    queries,
                    blocks: &blocks,
                    visible,
                    out,
                    scratch: &mut scratch,
                };
                set.run(layout.precision, kernel);
            }
        });
        Ok((CpuStorage::F32(out), (rows, query_width).into()))
    }
}
