//! The kernels as candle operations on candle tensors. An operation owns or borrows its packed weights, as candle's
//! quantized tensors do; everything it reads and writes is f32 and contiguous.

use std::ops::Range;

use candle_core::{CpuStorage, CustomOp1, InplaceOp1, InplaceOp2, Layout, Result, Shape, Tensor, bail};

use crate::kernels::arithmetic::{Arithmetic, LANES};
use crate::kernels::attend::{AttendRow, Scratch};
use crate::kernels::dispatch::Kernel;
use crate::kernels::elementwise::{rms_norm, silu};
use crate::kernels::product::{Epilogue, Inputs, PANEL, PanelSums, Row, product};
use crate::kernels::{Compute, Matrix, Shared};
use crate::kv_cache::{CacheWriter, KvCache, Slot};

/// The elements behind a tensor.
fn elements<'a>(op: &str, storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => bail!("{op} needs contiguous tensors"),
    }
}

/// The elements behind a tensor that is written to.
fn elements_mut<'a>(op: &str, storage: &'a mut CpuStorage, layout: &Layout) -> Result<&'a mut [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(elements), Some((start, end))) => Ok(&mut elements[start..end]),
        _ => bail!("{op} needs contiguous tensors of f32"),
    }
}

/// A matrix `[outputs, inputs]` and its optional bias `[outputs]`.
#[derive(Debug)]
pub(crate) struct Linear {
    pub(crate) weight: Matrix,
    pub(crate) bias: Option<Vec<f32>>,
}

/// A root-mean-square norm.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Norm<'a> {
    /// `[hidden]`.
    pub(crate) weight: &'a [f32],
    pub(crate) epsilon: f32,
}

/// Rows of a tensor, normalized where a norm is given.
struct Rows<'a> {
    x: &'a [f32],
    width: usize,
    norm: Option<Norm<'a>>,
}

impl<'x> Row<'x> for Rows<'x> {
    #[inline(always)]
    fn get<'s, A: Arithmetic>(&self, index: usize, scratch: &'s mut [f32]) -> &'s [f32]
    where
        'x: 's,
    {
        let row = &self.x[index * self.width..][..self.width];
        match self.norm {
            None => row,
            Some(norm) => {
                rms_norm::<A>(row, norm.weight, norm.epsilon, scratch);
                scratch
            }
        }
    }
}

/// `norm(x) · Wᵀ + bias`.
pub(crate) struct Project<'a> {
    pub(crate) compute: &'a Compute,
    pub(crate) norm: Option<Norm<'a>>,
    pub(crate) linear: &'a Linear,
}

impl Project<'_> {
    /// # Shapes
    /// `x` `[rows, inputs]` to `[rows, outputs]`.
    pub(crate) fn apply(&self, x: &Tensor) -> Result<Tensor> {
        x.apply_op1_no_bwd(self)
    }

    /// `sum += x · Wᵀ + bias`.
    ///
    /// # Shapes
    /// `sum` `[rows, outputs]`, `x` `[rows, inputs]`.
    pub(crate) fn add_to(&self, sum: &Tensor, x: &Tensor) -> Result<()> {
        sum.inplace_op2(x, self)
    }

    fn run(&self, x: (&CpuStorage, &Layout), epilogue: &impl Epilogue) -> Result<()> {
        multiply(self.compute, x, self.norm, &self.linear.weight, epilogue)
    }
}

/// Multiplies the rows behind a tensor by a matrix.
fn multiply(
    compute: &Compute,
    (storage, layout): (&CpuStorage, &Layout),
    norm: Option<Norm<'_>>,
    weight: &Matrix,
    epilogue: &impl Epilogue,
) -> Result<()> {
    let (rows, width) = layout.shape().dims2()?;
    if width != weight.inputs() || norm.is_some_and(|norm| norm.weight.len() != width) {
        bail!("rows of {width} elements do not fit a matrix with {} inputs", weight.inputs());
    }
    let x = elements("a product", storage, layout)?;
    let Compute { threads, set, .. } = compute;
    let inputs = Inputs::pack(threads, *set, weight.precision(), (rows, width), Rows { x, width, norm });
    product(threads, *set, &inputs, weight, epilogue);
    Ok(())
}

impl CustomOp1 for Project<'_> {
    fn name(&self) -> &'static str {
        "project"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (rows, outputs) = (layout.shape().dims2()?.0, self.linear.weight.outputs());
        let mut out = vec![0f32; rows * outputs];
        let bias = self.linear.bias.as_deref();
        self.run((storage, layout), &Store { out: Shared::new(&mut out), outputs, bias, add: false })?;
        Ok((CpuStorage::F32(out), (rows, outputs).into()))
    }
}

impl InplaceOp2 for Project<'_> {
    fn name(&self) -> &'static str {
        "project_add"
    }

    fn cpu_fwd(&self, s1: &mut CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<()> {
        let (rows, outputs) = l1.shape().dims2()?;
        if rows != l2.shape().dims2()?.0 || outputs != self.linear.weight.outputs() {
            bail!("the product of {:?} does not fit {:?}", l2.shape(), l1.shape());
        }
        let out = Shared::new(elements_mut("project_add", s1, l1)?);
        let bias = self.linear.bias.as_deref();
        self.run((s2, l2), &Store { out, outputs, bias, add: true })
    }
}

/// Writes sums to, or adds them to, `[rows, outputs]`.
struct Store<'a> {
    out: Shared<f32>,
    outputs: usize,
    bias: Option<&'a [f32]>,
    add: bool,
}

impl Epilogue for Store<'_> {
    #[inline(always)]
    fn take<A: Arithmetic>(&self, _: usize, panel: usize, first_row: usize, sums: &[PanelSums]) {
        let column = panel * PANEL;
        let width = PANEL.min(self.outputs - column);
        for (index, sums) in sums.iter().enumerate() {
            // SAFETY: each part of each row belongs to one panel and one task.
            let out = unsafe { self.out.slice((first_row + index) * self.outputs + column, width) };
            let mut sums = *sums;
            if let Some(bias) = self.bias {
                sums.iter_mut().zip(&bias[column..]).for_each(|(sum, bias)| *sum += bias);
            }
            if self.add {
                out.iter_mut().zip(sums).for_each(|(out, sum)| *out += sum);
            } else {
                out.copy_from_slice(&sums[..width]);
            }
        }
    }
}

/// The first half of the feed-forward block: `silu(norm(x) · Gᵀ) · (norm(x) · Uᵀ)`.
///
/// The matrix holds 16 gates, then the 16 ups that belong to them, and so on: both halves of a panel make 16 results.
pub(crate) struct Gate<'a> {
    pub(crate) compute: &'a Compute,
    pub(crate) norm: Norm<'a>,
    pub(crate) gate_up: &'a Linear,
    pub(crate) intermediate: usize,
}

impl Gate<'_> {
    /// # Shapes
    /// `x` `[rows, hidden]` to `[rows, intermediate]`.
    pub(crate) fn apply(&self, x: &Tensor) -> Result<Tensor> {
        x.apply_op1_no_bwd(self)
    }
}

/// Where output `column` of a matrix of gates and ups comes from: `Some((is_up, row))`, or `None` for filling.
pub(crate) fn gate_or_up(column: usize, intermediate: usize) -> Option<(bool, usize)> {
    let row = column / PANEL * LANES + column % LANES;
    (row < intermediate).then_some((column % PANEL >= LANES, row))
}

/// Outputs of a matrix of gates and ups, filling included.
pub(crate) fn gate_up_outputs(intermediate: usize) -> usize {
    intermediate.div_ceil(LANES) * PANEL
}

impl CustomOp1 for Gate<'_> {
    fn name(&self) -> &'static str {
        "gate"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let rows = layout.shape().dims2()?.0;
        let mut out = vec![0f32; rows * self.intermediate];
        let bias = self.gate_up.bias.as_deref();
        let epilogue = SiluGate { out: Shared::new(&mut out), intermediate: self.intermediate, bias };
        multiply(self.compute, (storage, layout), Some(self.norm), &self.gate_up.weight, &epilogue)?;
        Ok((CpuStorage::F32(out), (rows, self.intermediate).into()))
    }
}

struct SiluGate<'a> {
    out: Shared<f32>,
    intermediate: usize,
    bias: Option<&'a [f32]>,
}

impl Epilogue for SiluGate<'_> {
    #[inline(always)]
    fn take<A: Arithmetic>(&self, _: usize, panel: usize, first_row: usize, sums: &[PanelSums]) {
        let column = panel * LANES;
        let width = LANES.min(self.intermediate - column);
        for (index, sums) in sums.iter().enumerate() {
            let mut sums = *sums;
            if let Some(bias) = self.bias {
                sums.iter_mut().zip(&bias[panel * PANEL..]).for_each(|(sum, bias)| *sum += bias);
            }
            let mut gated = [0f32; LANES];
            for lane in 0..LANES {
                gated[lane] = silu(sums[lane]) * sums[LANES + lane];
            }
            // SAFETY: each part of each row belongs to one panel and one task.
            let out = unsafe { self.out.slice((first_row + index) * self.intermediate + column, width) };
            out.copy_from_slice(&gated[..width]);
        }
    }
}

/// The most likely token of each row, without storing logits: the lowest id of equals, as `torch.argmax` chooses, and
/// [`NOT_A_TOKEN`] where a logit is NaN.
pub(crate) struct MostLikely<'a> {
    pub(crate) compute: &'a Compute,
    pub(crate) norm: Norm<'a>,
    pub(crate) output: &'a Matrix,
}

/// Stands for the token of a row whose logits are not numbers.
pub(crate) const NOT_A_TOKEN: u32 = u32::MAX;

impl MostLikely<'_> {
    /// # Shapes
    /// `x` `[rows, hidden]` to `[rows]`, u32.
    pub(crate) fn apply(&self, x: &Tensor) -> Result<Tensor> {
        x.apply_op1_no_bwd(self)
    }
}

impl CustomOp1 for MostLikely<'_> {
    fn name(&self) -> &'static str {
        "most_likely"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let rows = layout.shape().dims2()?.0;
        let threads = self.compute.threads.count();
        let mut best = vec![Candidate::NONE; threads * rows];
        let epilogue = Best { best: Shared::new(&mut best), rows, outputs: self.output.outputs() };
        multiply(self.compute, (storage, layout), Some(self.norm), self.output, &epilogue)?;
        let token = |row: usize| {
            let of_threads = best[row..].iter().step_by(rows);
            of_threads.fold(Candidate::NONE, |best, candidate| best.or(*candidate)).token
        };
        Ok((CpuStorage::U32((0..rows).map(token).collect()), rows.into()))
    }
}

/// A token and its logit.
#[derive(Clone, Copy)]
struct Candidate {
    logit: f32,
    token: u32,
}

impl Candidate {
    const NONE: Self = Self { logit: f32::NEG_INFINITY, token: NOT_A_TOKEN - 1 };

    /// The better of two: NaN before all, then the larger logit, then the lower id.
    #[inline(always)]
    fn or(self, other: Self) -> Self {
        let better = other.logit > self.logit || (other.logit == self.logit && other.token < self.token);
        let other_wins = !self.logit.is_nan() && (other.logit.is_nan() || better);
        if other_wins { other } else { self }
    }
}

struct Best {
    /// `[threads, rows]`.
    best: Shared<Candidate>,
    rows: usize,
    outputs: usize,
}

impl Epilogue for Best {
    #[inline(always)]
    fn take<A: Arithmetic>(&self, thread: usize, panel: usize, first_row: usize, sums: &[PanelSums]) {
        let first = panel * PANEL;
        let width = PANEL.min(self.outputs - first);
        // SAFETY: each thread has rows of its own.
        let best = unsafe { self.best.slice(thread * self.rows + first_row, sums.len()) };
        for (best, sums) in best.iter_mut().zip(sums) {
            let mut most = f32::NEG_INFINITY;
            let mut sound = true;
            for &sum in &sums[..width] {
                most = if sum > most { sum } else { most };
                sound &= !sum.is_nan();
            }
            if !sound {
                *best = Candidate { logit: f32::NAN, token: NOT_A_TOKEN };
            } else if most >= best.logit {
                let lane = sums[..width].iter().position(|&sum| sum == most).unwrap_or_default();
                *best = best.or(Candidate { logit: most, token: (first + lane) as u32 });
            }
        }
    }
}

/// Rotates queries and keys by their positions and puts keys and values into the cache.
pub(crate) struct RotateAndStore<'a> {
    pub(crate) compute: &'a Compute,
    pub(crate) writer: &'a CacheWriter<'a>,
    pub(crate) layer: usize,
    pub(crate) shape: AttentionShape,
    /// `(cos, sin)` of each row: `[rows, head_dim / 2]`.
    pub(crate) rotation: &'a [(f32, f32)],
}

/// Dimensions of attention.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AttentionShape {
    pub(crate) heads: usize,
    pub(crate) kv_heads: usize,
    pub(crate) head_dim: usize,
}

impl AttentionShape {
    /// Rows of queries, keys and values: `[rows, (heads + 2 · kv_heads) · head_dim]`.
    fn rows(self, layout: &Layout, expected: usize) -> Result<(usize, usize)> {
        let (rows, width) = layout.shape().dims2()?;
        if rows != expected || width != (self.heads + 2 * self.kv_heads) * self.head_dim {
            bail!("{rows} rows of {width} elements do not fit attention over {expected} places");
        }
        Ok((rows, width))
    }
}

impl RotateAndStore<'_> {
    /// # Shapes
    /// `qkv` `[rows, (heads + 2 · kv_heads) · head_dim]`: queries, keys, values.
    pub(crate) fn apply(&self, qkv: &Tensor) -> Result<()> {
        qkv.inplace_op1(self)
    }
}

impl InplaceOp1 for RotateAndStore<'_> {
    fn name(&self) -> &'static str {
        "rotate_and_store"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let AttentionShape { heads, kv_heads, head_dim } = self.shape;
        let (rows, width) = self.shape.rows(layout, self.rotation.len() / (head_dim / 2))?;
        let x = Shared::new(elements_mut("rotate_and_store", storage, layout)?);
        self.compute.threads.for_each(heads + kv_heads, |_, head| {
            let kernel = RotateHead { op: self, x: &x, width, head, rows };
            self.compute.set.run(self.compute.precision, kernel);
        });
        Ok(())
    }
}

/// One head of all rows of a step.
struct RotateHead<'a> {
    op: &'a RotateAndStore<'a>,
    x: &'a Shared<f32>,
    width: usize,
    head: usize,
    rows: usize,
}

impl Kernel for RotateHead<'_> {
    #[inline(always)]
    fn run<A: Arithmetic>(self) {
        let Self { op, x, width, head, rows } = self;
        let AttentionShape { heads, kv_heads, head_dim } = op.shape;
        for (row, pairs) in op.rotation.chunks_exact(head_dim / 2).enumerate().take(rows) {
            // SAFETY: each head of each row is one task's.
            let element = |head: usize| unsafe { x.slice(row * width + head * head_dim, head_dim) };
            let rotated = element(head);
            let (first, second) = rotated.split_at_mut(head_dim / 2);
            for ((a, b), &(cos, sin)) in first.iter_mut().zip(second).zip(pairs) {
                (*a, *b) = (*a * cos - *b * sin, *b * cos + *a * sin);
            }
            if let Some(kv_head) = head.checked_sub(heads) {
                // SAFETY: one task writes all rows of a head.
                unsafe { op.writer.store(row, op.layer, kv_head, rotated, element(head + kv_heads)) };
            }
        }
    }
}

/// `softmax(q · Kᵀ / sqrt(head_dim)) · V` of each row over its own sequence in the cache.
pub(crate) struct Attention<'a> {
    pub(crate) compute: &'a Compute,
    pub(crate) cache: &'a KvCache,
    pub(crate) layer: usize,
    pub(crate) shape: AttentionShape,
    /// How many of the latest positions a row sees, its own included.
    pub(crate) window: Option<usize>,
    /// Sequence and position of each row.
    pub(crate) places: &'a [(Slot, usize)],
}

/// Rows that a task of attention takes.
const ATTENTION_ROWS: usize = 8;

impl Attention<'_> {
    /// # Shapes
    /// `qkv` `[rows, (heads + 2 · kv_heads) · head_dim]`, rotated and stored, to `[rows, heads · head_dim]`.
    pub(crate) fn apply(&self, qkv: &Tensor) -> Result<Tensor> {
        qkv.apply_op1_no_bwd(self)
    }
}

impl CustomOp1 for Attention<'_> {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (rows, width) = self.shape.rows(layout, self.places.len())?;
        let AttentionShape { heads, kv_heads, head_dim } = self.shape;
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
                let (slot, position) = self.places[row];
                let visible = visible(position, self.window);
                blocks.clear();
                blocks.extend(self.cache.head_blocks(slot, visible.end, self.layer, kv_head));
                let start = kv_head * group_width;
                // SAFETY: each group of heads of each row is one task's.
                let out = unsafe { to.slice(row * query_width + start, group_width) };
                let queries = &x[row * width + start..][..group_width];
                let layout = self.cache.layout();
                let kernel = AttendRow { layout, queries, blocks: &blocks, visible, out, scratch: &mut scratch };
                set.run(layout.precision, kernel);
            }
        });
        Ok((CpuStorage::F32(out), (rows, query_width).into()))
    }
}

/// Positions that a row sees.
fn visible(position: usize, window: Option<usize>) -> Range<usize> {
    window.map_or(0, |window| (position + 1).saturating_sub(window))..position + 1
}

#[cfg(test)]
mod tests {
    use candle_core::{D, Device};

    use super::*;
    use crate::config::ModelConfig;
    use crate::kernels::arithmetic::bf16_pair;
    use crate::kernels::{InstructionSet, Precision};
    use crate::threads::Threads;

    fn compute(precision: Precision, threads: usize) -> Compute {
        with_set(InstructionSet::best(), precision, threads)
    }

    fn with_set(set: InstructionSet, precision: Precision, threads: usize) -> Compute {
        Compute { threads: Threads::start(Some(threads)).unwrap(), set, precision }
    }

    fn random(shape: impl Into<Shape>) -> Tensor {
        Tensor::randn(0f32, 1f32, shape, &Device::Cpu).unwrap()
    }

    fn values(tensor: &Tensor) -> Vec<f32> {
        tensor.flatten_all().unwrap().to_vec1().unwrap()
    }

    fn bits(tensor: &Tensor) -> Vec<u32> {
        values(tensor).into_iter().map(f32::to_bits).collect()
    }

    fn assert_close(found: &Tensor, expected: &Tensor, tolerance: f32) {
        assert_eq!(found.shape(), expected.shape());
        let worst = values(found).iter().zip(values(expected)).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst <= tolerance, "differs by {worst}, more than {tolerance}");
    }

    /// The tensor as products see it.
    fn rounded(tensor: &Tensor, precision: Precision) -> Tensor {
        match precision {
            Precision::F32 => tensor.clone(),
            Precision::Bf16 => {
                tensor.to_dtype(candle_core::DType::BF16).unwrap().to_dtype(candle_core::DType::F32).unwrap()
            }
        }
    }

    /// A matrix of rows in the given order, `None` for rows of zeros.
    fn matrix(compute: &Compute, dense: &Tensor, order: &[Option<usize>]) -> Matrix {
        let dense = dense.to_vec2::<f32>().unwrap();
        let shape = (order.len(), dense[0].len());
        let packed = Matrix::pack::<std::io::Error>(&compute.threads, compute.precision, shape, |output, cells| {
            if let Some(row) = order[output] {
                let row = &dense[row];
                for (index, cell) in cells.iter_mut().enumerate() {
                    let value = |index: usize| row.get(index).copied().unwrap_or(0.0);
                    *cell = match compute.precision {
                        Precision::F32 => row[index].to_bits(),
                        Precision::Bf16 => bf16_pair(value(2 * index), value(2 * index + 1)),
                    };
                }
            }
            Ok(())
        });
        packed.unwrap()
    }

    fn linear(compute: &Compute, dense: &Tensor, bias: Option<Vec<f32>>) -> Linear {
        let order: Vec<Option<usize>> = (0..dense.dims2().unwrap().0).map(Some).collect();
        Linear { weight: matrix(compute, dense, &order), bias }
    }

    fn plain_norm(x: &Tensor, weight: &Tensor, epsilon: f64) -> Tensor {
        let mean = x.sqr().unwrap().mean_keepdim(D::Minus1).unwrap();
        x.broadcast_div(&(mean + epsilon).unwrap().sqrt().unwrap()).unwrap().broadcast_mul(weight).unwrap()
    }

    const PRECISIONS: [Precision; 2] = [Precision::F32, Precision::Bf16];

    #[test]
    fn projections_agree_with_candle() {
        for precision in PRECISIONS {
            for (rows, inputs, outputs) in
                [(1, 8, 3), (7, 33, 50), (13, 64, 16), (70, 96, 257), (200, 192, 320), (401, 2100, 70)]
            {
                let compute = compute(precision, 2);
                let (x, w) = (random((rows, inputs)), random((outputs, inputs)));
                let bias = random(outputs);
                let expected = rounded(&x, precision).matmul(&rounded(&w, precision).t().unwrap()).unwrap();
                let expected = expected.broadcast_add(&bias).unwrap();
                let linear = linear(&compute, &w, Some(values(&bias)));
                let project = Project { compute: &compute, norm: None, linear: &linear };
                // Sums of up to 2,100 products of unit size in two orders: some units in the last place of 150.
                assert_close(&project.apply(&x).unwrap(), &expected, 1e-3);
                let sum = random((rows, outputs));
                let expected = (&sum + expected).unwrap();
                project.add_to(&sum, &x).unwrap();
                assert_close(&sum, &expected, 1e-3);
                assert!(project.apply(&random((rows, inputs + 1))).is_err());
            }
        }
    }

    #[test]
    fn norms_agree_with_candle() {
        let compute = compute(Precision::F32, 2);
        for hidden in [8, 48, 200] {
            let (x, weight) = (random((70, hidden)), random(hidden));
            let identity = linear(&compute, &Tensor::eye(hidden, candle_core::DType::F32, &Device::Cpu).unwrap(), None);
            let weights = values(&weight);
            let norm = Some(Norm { weight: &weights, epsilon: 1e-5 });
            let found = Project { compute: &compute, norm, linear: &identity }.apply(&x).unwrap();
            assert_close(&found, &plain_norm(&x, &weight, 1e-5), 1e-5);
        }
    }

    #[test]
    fn gates_agree_with_candle() {
        for (precision, tolerance) in [(Precision::F32, 2e-3), (Precision::Bf16, 2.0)] {
            for (hidden, intermediate) in [(32, 16), (48, 50), (96, 129)] {
                let compute = compute(precision, 2);
                let (x, weight) = (random((40, hidden)), random(hidden));
                let (gate, up) = (random((intermediate, hidden)), random((intermediate, hidden)));
                let order: Vec<Option<usize>> = (0..gate_up_outputs(intermediate))
                    .map(|output| {
                        gate_or_up(output, intermediate).map(|(is_up, row)| row + if is_up { intermediate } else { 0 })
                    })
                    .collect();
                let gate_up = matrix(&compute, &Tensor::cat(&[&gate, &up], 0).unwrap(), &order);
                let gate_up = Linear { weight: gate_up, bias: None };
                let weights = values(&weight);
                let norm = Norm { weight: &weights, epsilon: 1e-5 };
                let found = Gate { compute: &compute, norm, gate_up: &gate_up, intermediate }.apply(&x).unwrap();
                let x = rounded(&plain_norm(&x, &weight, 1e-5), precision);
                let (gate, up) = (rounded(&gate, precision), rounded(&up, precision));
                let gates = x.matmul(&gate.t().unwrap()).unwrap().silu().unwrap();
                let expected = (gates * x.matmul(&up.t().unwrap()).unwrap()).unwrap();
                // Values up to 1,000, where one activation that is rounded the other way makes a difference of one half.
                assert_close(&found, &expected, tolerance);
            }
        }
    }

    #[test]
    fn a_row_does_not_depend_on_its_neighbours_or_on_threads() {
        for precision in PRECISIONS {
            let (inputs, outputs) = (192, 2048 + 5);
            let (x, w) = (random((450, inputs)), random((outputs, inputs)));
            let one = compute(precision, 1);
            let whole_matrix = linear(&one, &w, None);
            let whole = Project { compute: &one, norm: None, linear: &whole_matrix }.apply(&x).unwrap();
            for threads in [1, 3] {
                let compute = compute(precision, threads);
                let linear = linear(&compute, &w, None);
                for (first, count) in [(0, 1), (3, 8), (5, 9), (17, 63), (2, 64), (11, 139), (149, 1), (20, 400)] {
                    let part = x.narrow(0, first, count).unwrap().contiguous().unwrap();
                    let part = Project { compute: &compute, norm: None, linear: &linear }.apply(&part).unwrap();
                    assert_eq!(bits(&part), bits(&whole.narrow(0, first, count).unwrap()), "{first}+{count}");
                }
            }
        }
    }

    #[test]
    fn instruction_sets_agree() {
        for precision in PRECISIONS {
            let (x, w) = (random((29, 301)), random((75, 301)));
            let product = |set| {
                let compute = with_set(set, precision, 1);
                let linear = linear(&compute, &w, None);
                Project { compute: &compute, norm: None, linear: &linear }.apply(&x).unwrap()
            };
            let best = product(InstructionSet::best());
            for set in InstructionSet::available() {
                let found = product(set);
                if set.describe(precision) == InstructionSet::best().describe(precision) {
                    assert_eq!(bits(&found), bits(&best), "{set:?} {precision:?}");
                }
                assert_close(&found, &best, 1e-4);
            }
        }
    }

    #[test]
    fn the_most_likely_token_is_the_first_of_the_largest_logits() {
        for precision in PRECISIONS {
            let compute = compute(precision, 3);
            let (x, w) = (random((31, 24)), random((333, 24)));
            // Rows 40 and 300 are equal, and so are 7 and 8.
            let order: Vec<Option<usize>> = (0..333)
                .map(|row| {
                    Some(match row {
                        300 => 40,
                        8 => 7,
                        row => row,
                    })
                })
                .collect();
            let ones = vec![1.0; 24];
            let norm = Norm { weight: &ones, epsilon: 1e-5 };
            let linear = Linear { weight: matrix(&compute, &w, &order), bias: None };
            let logits = Project { compute: &compute, norm: Some(norm), linear: &linear }.apply(&x).unwrap();
            let expected: Vec<u32> = logits
                .to_vec2::<f32>()
                .unwrap()
                .iter()
                .map(|row| (0..333).rev().max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap() as u32)
                .collect();
            let likely = MostLikely { compute: &compute, norm, output: &linear.weight };
            assert_eq!(likely.apply(&x).unwrap().to_vec1::<u32>().unwrap(), expected);
            assert!(!expected.contains(&8) && !expected.contains(&300));
            let broken = (&x * f64::NAN).unwrap();
            assert_eq!(likely.apply(&broken).unwrap().to_vec1::<u32>().unwrap(), [NOT_A_TOKEN; 31]);
        }
    }

    fn config(heads: usize, kv_heads: usize, head_dim: usize) -> ModelConfig {
        let json = format!(
            r#"{{"model_type":"llama","hidden_size":8,"intermediate_size":8,"num_hidden_layers":1,"vocab_size":8,
            "num_attention_heads":{heads},"num_key_value_heads":{kv_heads},"head_dim":{head_dim}}}"#
        );
        ModelConfig::parse(json.as_bytes(), None).unwrap()
    }

    /// Attention of all rows of one sequence, by plain candle operations: `[rows, width]` to `[rows, heads · head_dim]`.
    fn plain_attention(x: &Tensor, shape: AttentionShape, window: usize) -> Tensor {
        let AttentionShape { heads, kv_heads, head_dim } = shape;
        let rows = x.dims2().unwrap().0;
        let part = |start: usize, heads: usize| {
            let part = x.narrow(1, start * head_dim, heads * head_dim).unwrap();
            part.reshape((rows, heads, head_dim)).unwrap().transpose(0, 1).unwrap().contiguous().unwrap()
        };
        let (q, k, v) = (part(0, heads), part(heads, kv_heads), part(heads + kv_heads, kv_heads));
        let group: Vec<u32> = (0..heads).map(|head| (head * kv_heads / heads) as u32).collect();
        let group = Tensor::new(group, &Device::Cpu).unwrap();
        let (k, v) = (k.index_select(&group, 0).unwrap(), v.index_select(&group, 0).unwrap());
        let mask: Vec<f32> = (0..rows)
            .flat_map(|q| (0..rows).map(move |k| if k <= q && k + window > q { 0.0 } else { f32::NEG_INFINITY }))
            .collect();
        let mask = Tensor::from_vec(mask, (rows, rows), &Device::Cpu).unwrap();
        let scores = (q.matmul(&k.t().unwrap()).unwrap() / (head_dim as f64).sqrt()).unwrap();
        let scores = scores.broadcast_add(&mask).unwrap();
        let scores = scores.broadcast_sub(&scores.max_keepdim(D::Minus1).unwrap()).unwrap().exp().unwrap();
        let weights = scores.broadcast_div(&scores.sum_keepdim(D::Minus1).unwrap()).unwrap();
        weights.matmul(&v).unwrap().transpose(0, 1).unwrap().reshape((rows, heads * head_dim)).unwrap()
    }

    /// Rotates by nothing, stores and attends.
    fn attend(
        x: &Tensor,
        shape: AttentionShape,
        window: Option<usize>,
        compute: &Compute,
        cache: &mut KvCache,
        slot: Slot,
    ) -> Tensor {
        let x = x.copy().unwrap();
        let rows = x.dims2().unwrap().0;
        assert!(cache.reserve(slot, rows));
        let places: Vec<(Slot, usize)> = (0..rows).map(|position| (slot, position)).collect();
        let rotation = vec![(1.0, 0.0); rows * shape.head_dim / 2];
        let writer = cache.writer(&places);
        RotateAndStore { compute, writer: &writer, layer: 0, shape, rotation: &rotation }.apply(&x).unwrap();
        Attention { compute, cache, layer: 0, shape, window, places: &places }.apply(&x).unwrap()
    }

    #[test]
    fn attention_agrees_with_candle() {
        for (precision, tolerance) in [(Precision::F32, 1e-5), (Precision::Bf16, 3e-2)] {
            for set in InstructionSet::available() {
                for (heads, kv_heads, head_dim, window) in [
                    (4, 2, 8, None),
                    (6, 2, 32, None),
                    (5, 1, 20, Some(7)),
                    (8, 8, 16, Some(16)),
                    (2, 2, 48, Some(1)),
                    (7, 1, 64, None),
                ] {
                    let shape = AttentionShape { heads, kv_heads, head_dim };
                    let compute = with_set(set, precision, 2);
                    for rows in [1, 53, 150] {
                        let x = random((rows, (heads + 2 * kv_heads) * head_dim));
                        let mut cache = KvCache::new(&config(heads, kv_heads, head_dim), precision, 10);
                        let slot = cache.open();
                        let found = attend(&x, shape, window, &compute, &mut cache, slot);
                        let expected = plain_attention(&x, shape, window.unwrap_or(usize::MAX - rows));
                        assert_close(&found, &expected, tolerance);
                    }
                }
            }
        }
    }

    #[test]
    fn a_reused_block_leaks_nothing() {
        for precision in PRECISIONS {
            let compute = compute(precision, 2);
            let shape = AttentionShape { heads: 2, kv_heads: 1, head_dim: 8 };
            let x = random((19, 32));
            let mut cache = KvCache::new(&config(2, 1, 8), precision, 2);
            let slot = cache.open();
            let clean = values(&attend(&x, shape, None, &compute, &mut cache, slot));
            cache.close(slot);
            let slot = cache.open();
            let poison = Tensor::full(f32::NAN, (32, 32), &Device::Cpu).unwrap();
            attend(&poison, shape, None, &compute, &mut cache, slot);
            assert!(!cache.reserve(slot, 33), "there are only two blocks");
            cache.close(slot);
            let slot = cache.open();
            assert_eq!(values(&attend(&x, shape, None, &compute, &mut cache, slot)), clean);
        }
    }

    #[test]
    fn rotation_agrees_with_candle() {
        let shape = AttentionShape { heads: 2, kv_heads: 1, head_dim: 8 };
        let x = random((4, 32));
        let angles: Vec<f32> = (0..16).map(|index| index as f32 * 0.7 - 3.0).collect();
        let rotation: Vec<(f32, f32)> = angles.iter().map(|angle| (angle.cos(), angle.sin())).collect();
        let found = x.copy().unwrap();
        let mut cache = KvCache::new(&config(2, 1, 8), Precision::F32, 1);
        let slot = cache.open();
        assert!(cache.reserve(slot, 4));
        let writer = cache.writer(&[(slot, 0), (slot, 1), (slot, 2), (slot, 3)]);
        let compute = compute(Precision::F32, 2);
        RotateAndStore { compute: &compute, writer: &writer, layer: 0, shape, rotation: &rotation }
            .apply(&found)
            .unwrap();

        let angles = Tensor::from_vec(angles, (4, 4), &Device::Cpu).unwrap();
        let angles = Tensor::cat(&[&angles, &angles], 1).unwrap().unsqueeze(1).unwrap();
        let heads = x.narrow(1, 0, 24).unwrap().reshape((4, 3, 8)).unwrap();
        let (first, second) = (heads.narrow(2, 0, 4).unwrap(), heads.narrow(2, 4, 4).unwrap());
        let turned = Tensor::cat(&[&second.neg().unwrap(), &first], D::Minus1).unwrap();
        let expected = (heads.broadcast_mul(&angles.cos().unwrap()).unwrap()
            + turned.broadcast_mul(&angles.sin().unwrap()).unwrap())
        .unwrap();
        let expected = Tensor::cat(&[&expected.reshape((4, 24)).unwrap(), &x.narrow(1, 24, 8).unwrap()], 1).unwrap();
        assert_close(&found, &expected, 1e-5);
    }
}
