//! The arithmetic: every number that the model computes comes from here.
//!
//! Each output element is reduced in an order fixed by its own row, never by how many rows travel together, how they
//! are cut into blocks, or how many threads share them. A completion is therefore the same bit for bit in any batch.
//!
//! The one inner loop is [`accumulate`]: a row times a *panel*, 16 columns stored side by side for each input, so that
//! the 16 sums advance together in vector registers and each adds its terms in the order of the inputs. Matrices, keys
//! and values are all kept as panels. [`dispatch`] picks AVX-512, AVX2 or portable code at run time; the first two
//! agree bit for bit, the portable one rounds once more a term because it has no fused multiply-add.

use std::sync::LazyLock;

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

/// Columns of a panel.
pub(crate) const LANES: usize = 16;

/// One row of a panel, or 16 running sums.
pub(crate) type Lanes = [f32; LANES];

/// Rows that one task of a matrix product takes: enough to reuse each panel from cache, few enough to share out.
const ROWS_PER_TASK: usize = 64;

/// Multiply-adds below which a product is not worth handing to other threads.
const SERIAL_WORK: usize = 1 << 18;

/// A computation that [`dispatch`] compiles once for each instruction set.
pub(crate) trait Kernel {
    /// Runs it; `FUSED` says whether multiply-add rounds once.
    fn run<const FUSED: bool>(self);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum InstructionSet {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    Portable,
}

static INSTRUCTION_SET: LazyLock<InstructionSet> = LazyLock::new(|| {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("fma") {
            return InstructionSet::Avx512;
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            return InstructionSet::Avx2;
        }
    }
    InstructionSet::Portable
});

/// Whether the portable code has a fused multiply-add: always on 64-bit ARM.
const PORTABLE_FUSED: bool = cfg!(target_arch = "aarch64");

/// Whether multiply-add rounds once on this machine. Completions are comparable bit for bit where this is equal.
pub(crate) fn fused_arithmetic() -> bool {
    PORTABLE_FUSED || *INSTRUCTION_SET != InstructionSet::Portable
}

/// Runs `kernel` with the best instructions of this machine.
#[inline]
pub(crate) fn dispatch<K: Kernel>(kernel: K) {
    match *INSTRUCTION_SET {
        // SAFETY: chosen only after the processor reported avx512f and fma.
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx512 => unsafe { run_avx512(kernel) },
        // SAFETY: chosen only after the processor reported avx2 and fma.
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx2 => unsafe { run_avx2(kernel) },
        InstructionSet::Portable => kernel.run::<PORTABLE_FUSED>(),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,fma")]
fn run_avx512<K: Kernel>(kernel: K) {
    kernel.run::<true>();
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn run_avx2<K: Kernel>(kernel: K) {
    kernel.run::<true>();
}

#[inline(always)]
fn multiply_add<const FUSED: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}

/// `sums[row][panel] += inputs[row] × panels[panel]`, each of the sums in the order of the inputs.
///
/// # Shapes
/// Every input `[depth]`, every panel `[depth, 16]`.
#[inline(always)]
pub(crate) fn accumulate<const ROWS: usize, const PANELS: usize, const FUSED: bool>(
    inputs: [&[f32]; ROWS],
    panels: [&[Lanes]; PANELS],
    sums: &mut [[Lanes; PANELS]; ROWS],
) {
    let depth = inputs[0].len();
    assert!(inputs.iter().all(|input| input.len() == depth) && panels.iter().all(|panel| panel.len() == depth));
    let mut local = *sums;
    for k in 0..depth {
        for row in 0..ROWS {
            let x = inputs[row][k];
            for panel in 0..PANELS {
                let weights = &panels[panel][k];
                for lane in 0..LANES {
                    local[row][panel][lane] = multiply_add::<FUSED>(x, weights[lane], local[row][panel][lane]);
                }
            }
        }
    }
    *sums = local;
}

/// A weight matrix `[outputs, inputs]` kept as panels of 16 outputs: `[ceil(outputs / 16), inputs, 16]`, f32, the last
/// panel filled up with zeros.
#[derive(Clone, Debug)]
pub(crate) struct Panels {
    tensor: Tensor,
    outputs: usize,
}

impl Panels {
    /// Takes panels already laid out.
    ///
    /// # Shapes
    /// `tensor` is `[ceil(outputs / 16), inputs, 16]`, f32, contiguous.
    pub(crate) fn new(tensor: Tensor, outputs: usize) -> Result<Self> {
        let (panels, _, lanes) = tensor.dims3()?;
        if lanes != LANES || panels != outputs.div_ceil(LANES) {
            bail!("{outputs} outputs do not fit panels of shape {:?}", tensor.shape());
        }
        Ok(Self { tensor, outputs })
    }

    /// `x · Wᵀ + bias`.
    ///
    /// # Shapes
    /// `x` `[rows, inputs]` and `bias` `[outputs]` to `[rows, outputs]`, f32.
    pub(crate) fn project(&self, x: &Tensor, bias: Option<&[f32]>) -> Result<Tensor> {
        x.apply_op2_no_bwd(&self.tensor, &Project { outputs: self.outputs, bias })
    }

    /// The rows of the matrix named by `ids`, as an embedding table reads them.
    ///
    /// # Shapes
    /// `[ids, inputs]`, f32.
    pub(crate) fn lookup(&self, ids: &[u32]) -> Result<Tensor> {
        self.tensor.apply_op1_no_bwd(&Lookup { ids, outputs: self.outputs })
    }

    /// The matrix as `[outputs, inputs]`: the layout that plain candle code reads.
    #[cfg(test)]
    pub(crate) fn dense(&self) -> Result<Tensor> {
        let (panels, inputs, lanes) = self.tensor.dims3()?;
        self.tensor.transpose(1, 2)?.contiguous()?.reshape((panels * lanes, inputs))?.narrow(0, 0, self.outputs)
    }

    /// Panels of a matrix `[outputs, inputs]`.
    #[cfg(test)]
    pub(crate) fn from_dense(dense: &Tensor) -> Result<Self> {
        let (outputs, inputs) = dense.dims2()?;
        let padded = dense.pad_with_zeros(0, 0, outputs.next_multiple_of(LANES) - outputs)?;
        let panels = padded.reshape((outputs.div_ceil(LANES), LANES, inputs))?.transpose(1, 2)?.contiguous()?;
        Self::new(panels, outputs)
    }
}

/// The contiguous f32 elements behind a tensor.
fn elements<'a>(op: &str, storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => bail!("{op} needs contiguous tensors"),
    }
}

struct Project<'a> {
    outputs: usize,
    bias: Option<&'a [f32]>,
}

impl CustomOp2 for Project<'_> {
    fn name(&self) -> &'static str {
        "project"
    }

    fn cpu_fwd(&self, s1: &CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        let (rows, inputs) = l1.shape().dims2()?;
        let (_, depth, _) = l2.shape().dims3()?;
        if inputs != depth {
            bail!("rows of {inputs} elements do not fit a matrix with {depth} inputs");
        }
        let x = elements("project", s1, l1)?;
        let panels = elements("project", s2, l2)?.as_chunks::<LANES>().0;
        let mut out = vec![0f32; rows * self.outputs];
        project(x, inputs, panels, &mut out, self.outputs);
        if let Some(bias) = self.bias {
            out.chunks_exact_mut(self.outputs).for_each(|row| row.iter_mut().zip(bias).for_each(|(y, b)| *y += b));
        }
        Ok((CpuStorage::F32(out), (rows, self.outputs).into()))
    }
}

/// Shares the product out over the current thread pool: by rows when there are many, else by panels.
fn project(x: &[f32], inputs: usize, panels: &[Lanes], out: &mut [f32], outputs: usize) {
    let rows = x.len() / inputs;
    if rows * inputs * outputs < SERIAL_WORK {
        dispatch(ProjectBlock { x, inputs, panels, out, outputs });
    } else if rows >= ROWS_PER_TASK {
        let threads = rayon::current_num_threads();
        let rows_per_task = rows.div_ceil(threads).next_multiple_of(8).min(ROWS_PER_TASK);
        x.par_chunks(rows_per_task * inputs)
            .zip(out.par_chunks_mut(rows_per_task * outputs))
            .for_each(|(x, out)| dispatch(ProjectBlock { x, inputs, panels, out, outputs }));
    } else {
        let panel_count = outputs.div_ceil(LANES);
        let panels_per_task = panel_count.div_ceil(2 * rayon::current_num_threads()).next_multiple_of(8);
        let parts: Vec<(usize, Vec<f32>)> = panels
            .par_chunks(panels_per_task * inputs)
            .enumerate()
            .map(|(task, panels)| {
                let first = task * panels_per_task * LANES;
                let width = (outputs - first).min(panels_per_task * LANES);
                let mut part = vec![0f32; rows * width];
                dispatch(ProjectBlock { x, inputs, panels, out: &mut part, outputs: width });
                (first, part)
            })
            .collect();
        for (first, part) in parts {
            let width = part.len() / rows;
            for (row, part) in out.chunks_exact_mut(outputs).zip(part.chunks_exact(width)) {
                row[first..first + width].copy_from_slice(part);
            }
        }
    }
}

/// One thread's share of a product.
struct ProjectBlock<'a> {
    x: &'a [f32],
    inputs: usize,
    panels: &'a [Lanes],
    out: &'a mut [f32],
    outputs: usize,
}

impl Kernel for ProjectBlock<'_> {
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Self { x, inputs, panels, out, outputs } = self;
        let rows = x.len() / inputs;
        let panel_count = outputs.div_ceil(LANES);
        let full = rows / TILE_ROWS * TILE_ROWS;
        let panel = |panel: usize| &panels[panel * inputs..][..inputs];
        for first in 0..panel_count {
            for row in (0..full).step_by(TILE_ROWS) {
                let mut sums = [[[0.0; LANES]; 1]; TILE_ROWS];
                let rows = std::array::from_fn(|r| &x[(row + r) * inputs..][..inputs]);
                accumulate::<TILE_ROWS, 1, FUSED>(rows, [panel(first)], &mut sums);
                write_sums(&sums, out, outputs, row, first);
            }
        }
        // A row alone takes several panels at once, so that enough independent sums hide the latency of an addition.
        for row in full..rows {
            let x = [&x[row * inputs..][..inputs]];
            for first in (0..panel_count / 8 * 8).step_by(8) {
                let mut sums = [[[0.0; LANES]; 8]];
                accumulate::<1, 8, FUSED>(x, std::array::from_fn(|p| panel(first + p)), &mut sums);
                write_sums(&sums, out, outputs, row, first);
            }
            for first in panel_count / 8 * 8..panel_count {
                let mut sums = [[[0.0; LANES]; 1]];
                accumulate::<1, 1, FUSED>(x, [panel(first)], &mut sums);
                write_sums(&sums, out, outputs, row, first);
            }
        }
    }
}

/// Rows that share every load of a panel. Eight times 16 sums are as many as the compiler keeps in registers; with more
/// it gives up, and the whole program is ten times slower.
const TILE_ROWS: usize = 8;

/// Puts the sums of some rows from `row` and some panels from `panel` in their places.
#[inline(always)]
fn write_sums<const ROWS: usize, const PANELS: usize>(
    sums: &[[Lanes; PANELS]; ROWS],
    out: &mut [f32],
    outputs: usize,
    row: usize,
    panel: usize,
) {
    for (r, sums) in sums.iter().enumerate() {
        for (p, sums) in sums.iter().enumerate() {
            let first = (panel + p) * LANES;
            let width = LANES.min(outputs - first);
            out[(row + r) * outputs + first..][..width].copy_from_slice(&sums[..width]);
        }
    }
}

struct Lookup<'a> {
    ids: &'a [u32],
    outputs: usize,
}

impl CustomOp1 for Lookup<'_> {
    fn name(&self) -> &'static str {
        "lookup"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (_, inputs, _) = layout.shape().dims3()?;
        let panels = elements("lookup", storage, layout)?.as_chunks::<LANES>().0;
        let mut out = Vec::with_capacity(self.ids.len() * inputs);
        for &id in self.ids {
            let id = id as usize;
            if id >= self.outputs {
                bail!("token {id} is not below the vocabulary size {}", self.outputs);
            }
            out.extend(panels[id / LANES * inputs..][..inputs].iter().map(|lanes| lanes[id % LANES]));
        }
        Ok((CpuStorage::F32(out), (self.ids.len(), inputs).into()))
    }
}

/// Applies `per_row` to every row of `x` in parallel.
///
/// # Shapes
/// `x` `[rows, inputs]` to `[rows, outputs]`, f32.
fn map_rows(
    op: &str,
    (storage, layout): (&CpuStorage, &Layout),
    outputs: usize,
    per_row: impl Fn(&[f32], &mut [f32]) + Sync,
) -> Result<(CpuStorage, Shape)> {
    let (rows, inputs) = layout.shape().dims2()?;
    let x = elements(op, storage, layout)?;
    let mut out = vec![0f32; rows * outputs];
    let rows_per_task = (SERIAL_WORK / 8).div_ceil(inputs);
    x.par_chunks(rows_per_task * inputs).zip(out.par_chunks_mut(rows_per_task * outputs)).for_each(|(x, out)| {
        x.chunks_exact(inputs).zip(out.chunks_exact_mut(outputs)).for_each(|(x, out)| per_row(x, out));
    });
    Ok((CpuStorage::F32(out), (rows, outputs).into()))
}

/// `x + y`, element by element: on this crate's threads, where candle would start its own.
///
/// # Shapes
/// Both `[rows, width]`, f32.
pub(crate) fn add(x: &Tensor, y: &Tensor) -> Result<Tensor> {
    x.apply_op2_no_bwd(y, &Add)
}

struct Add;

impl CustomOp2 for Add {
    fn name(&self) -> &'static str {
        "add"
    }

    fn cpu_fwd(&self, s1: &CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        if l1.shape() != l2.shape() {
            bail!("cannot add {:?} to {:?}", l2.shape(), l1.shape());
        }
        let (x, y) = (elements("add", s1, l1)?, elements("add", s2, l2)?);
        let mut out = vec![0f32; x.len()];
        let size = SERIAL_WORK / 8;
        out.par_chunks_mut(size).zip(x.par_chunks(size)).zip(y.par_chunks(size)).for_each(|((out, x), y)| {
            out.iter_mut().zip(x).zip(y).for_each(|((out, x), y)| *out = x + y);
        });
        Ok((CpuStorage::F32(out), l1.shape().clone()))
    }
}

/// Root-mean-square normalization of each row: `x / sqrt(mean(x²) + epsilon) · weight`.
///
/// # Shapes
/// `x` `[rows, hidden]` and `weight` `[hidden]` to `[rows, hidden]`, f32.
pub(crate) fn rms_norm(x: &Tensor, weight: &[f32], epsilon: f32) -> Result<Tensor> {
    x.apply_op1_no_bwd(&RmsNorm { weight, epsilon })
}

struct RmsNorm<'a> {
    weight: &'a [f32],
    epsilon: f32,
}

impl CustomOp1 for RmsNorm<'_> {
    fn name(&self) -> &'static str {
        "rms_norm"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        map_rows("rms_norm", (storage, layout), self.weight.len(), |x, out| {
            dispatch(RmsNormRow { x, weight: self.weight, epsilon: self.epsilon, out });
        })
    }
}

struct RmsNormRow<'a> {
    x: &'a [f32],
    weight: &'a [f32],
    epsilon: f32,
    out: &'a mut [f32],
}

impl Kernel for RmsNormRow<'_> {
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let (chunks, rest) = self.x.as_chunks::<LANES>();
        let mut squares = [0f32; LANES];
        for chunk in chunks {
            for lane in 0..LANES {
                squares[lane] = multiply_add::<FUSED>(chunk[lane], chunk[lane], squares[lane]);
            }
        }
        for (square, &x) in squares.iter_mut().zip(rest) {
            *square = multiply_add::<FUSED>(x, x, *square);
        }
        let mean = squares.iter().sum::<f32>() / self.x.len() as f32;
        let scale = 1.0 / (mean + self.epsilon).sqrt();
        for ((y, &x), &weight) in self.out.iter_mut().zip(self.x).zip(self.weight) {
            *y = weight * (x * scale);
        }
    }
}

/// The gated activation of the feed-forward block: `silu(gate) · up`, where a row holds its gates, then its ups.
///
/// # Shapes
/// `x` `[rows, 2 · intermediate]` to `[rows, intermediate]`, f32.
pub(crate) fn silu_gate(x: &Tensor) -> Result<Tensor> {
    x.apply_op1_no_bwd(&SiluGate)
}

struct SiluGate;

impl CustomOp1 for SiluGate {
    fn name(&self) -> &'static str {
        "silu_gate"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let intermediate = layout.shape().dims2()?.1 / 2;
        map_rows("silu_gate", (storage, layout), intermediate, |x, out| {
            let (gate, up) = x.split_at(intermediate);
            dispatch(SiluGateRow { gate, up, out });
        })
    }
}

struct SiluGateRow<'a> {
    gate: &'a [f32],
    up: &'a [f32],
    out: &'a mut [f32],
}

impl Kernel for SiluGateRow<'_> {
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        for ((y, &gate), &up) in self.out.iter_mut().zip(self.gate).zip(self.up) {
            *y = gate / (1.0 + exp(-gate)) * up;
        }
    }
}

/// `eˣ` with a relative error below 2e-7 where the result is a normal number; 0 below −87.3, infinite above 88.7, and
/// NaN for NaN.
///
/// Ours rather than the C library's, because a loop over it becomes vector code and because its result does not
/// change with the C library that a binary is linked to.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    // Adding and subtracting 1.5·2²³ rounds to the nearest integer without needing SSE4.1.
    const ROUND: f32 = 12_582_912.0;
    // ln 2 in two parts: the first has few enough bits that its product with any exponent is exact.
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    let clamped = x.clamp(-87.3, 88.7);
    let rounded = clamped * std::f32::consts::LOG2_E + ROUND;
    let exponent = rounded - ROUND;
    let r = clamped - exponent * LN2_HIGH - exponent * LN2_LOW;
    // The Taylor series: |r| ≤ ln 2 / 2, so that its first term left out, r⁸/8!, is below 6e-9.
    let mut p = 1.0 / 5040.0;
    p = p * r + 1.0 / 720.0;
    p = p * r + 1.0 / 120.0;
    p = p * r + 1.0 / 24.0;
    p = p * r + 1.0 / 6.0;
    p = p * r + 0.5;
    p = p * r + 1.0;
    p = p * r + 1.0;
    // Two factors, because 2¹²⁸ alone is not a finite number.
    let whole = (rounded.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32);
    let half = whole >> 1;
    let result = p * power_of_two(half) * power_of_two(whole - half);
    let result = if x < -87.3 { 0.0 } else { result };
    if x > 88.7 { f32::INFINITY } else { result }
}

/// `2ⁿ` for −126 ≤ n ≤ 127.
#[inline(always)]
fn power_of_two(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) as u32) << 23)
}

#[cfg(test)]
mod tests {
    use candle_core::{D, Device};

    use super::*;

    fn random(shape: impl Into<Shape>) -> Tensor {
        Tensor::randn(0f32, 1f32, shape, &Device::Cpu).unwrap()
    }

    fn assert_close(found: &Tensor, expected: &Tensor, tolerance: f32) {
        assert_eq!(found.shape(), expected.shape());
        let worst: f32 = (found - expected).unwrap().abs().unwrap().max_all().unwrap().to_scalar().unwrap();
        assert!(worst <= tolerance, "differs by {worst}, more than {tolerance}");
    }

    fn bits(tensor: &Tensor) -> Vec<u32> {
        tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap().into_iter().map(f32::to_bits).collect()
    }

    #[test]
    fn projection_agrees_with_candle() {
        for (rows, inputs, outputs) in [(1, 8, 3), (7, 33, 50), (9, 64, 16), (70, 96, 257), (200, 192, 320)] {
            let (x, w) = (random((rows, inputs)), random((outputs, inputs)));
            let bias: Vec<f32> = (0..outputs).map(|o| o as f32 / 8.0).collect();
            let bias_tensor = Tensor::from_slice(&bias, outputs, &Device::Cpu).unwrap();
            let expected = x.matmul(&w.t().unwrap()).unwrap().broadcast_add(&bias_tensor).unwrap();
            let found = Panels::from_dense(&w).unwrap().project(&x, Some(&bias)).unwrap();
            // Sums of up to 192 products of unit size: a few dozen units in the last place of 14.
            assert_close(&found, &expected, 1e-4);
        }
    }

    #[test]
    fn a_row_does_not_depend_on_its_neighbours_or_on_threads() {
        let (inputs, outputs) = (192, 2048 + 5);
        let (x, panels) = (random((150, inputs)), Panels::from_dense(&random((outputs, inputs))).unwrap());
        let whole = panels.project(&x, None).unwrap();
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            for (first, count) in [(0, 1), (3, 8), (5, 9), (17, 63), (2, 64), (11, 139), (149, 1)] {
                let part =
                    pool.install(|| panels.project(&x.narrow(0, first, count).unwrap().contiguous().unwrap(), None));
                assert_eq!(bits(&part.unwrap()), bits(&whole.narrow(0, first, count).unwrap()), "{first}+{count}");
            }
        }
    }

    #[test]
    fn instruction_sets_agree() {
        struct Both<'a>(&'a [f32], &'a [Lanes], &'a mut [f32]);
        impl Kernel for Both<'_> {
            fn run<const FUSED: bool>(self) {
                ProjectBlock { x: self.0, inputs: 96, panels: self.1, out: self.2, outputs: 40 }.run::<FUSED>();
            }
        }
        let x = random((11, 96)).flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let w = random((3, 96, 16)).flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let panels = w.as_chunks::<LANES>().0;
        let (mut best, mut fused, mut portable) = (vec![0f32; 440], vec![0f32; 440], vec![0f32; 440]);
        dispatch(Both(&x, panels, &mut best));
        Both(&x, panels, &mut fused).run::<true>();
        Both(&x, panels, &mut portable).run::<false>();
        if fused_arithmetic() {
            assert_eq!(best, fused);
        }
        assert!(fused.iter().zip(&portable).all(|(a, b)| (a - b).abs() < 1e-4));
    }

    #[test]
    fn lookup_reads_the_named_rows() {
        let table = random((37, 24));
        let panels = Panels::from_dense(&table).unwrap();
        let expected = table.index_select(&Tensor::new(&[0u32, 36, 16, 0], &Device::Cpu).unwrap(), 0).unwrap();
        assert_eq!(bits(&panels.lookup(&[0, 36, 16, 0]).unwrap()), bits(&expected));
        assert_eq!(bits(&panels.dense().unwrap()), bits(&table));
        assert!(panels.lookup(&[37]).is_err());
    }

    #[test]
    fn rms_norm_agrees_with_candle() {
        for hidden in [8, 48, 200] {
            let (x, weight) = (random((70, hidden)), random(hidden));
            let mean = x.sqr().unwrap().mean_keepdim(D::Minus1).unwrap();
            let expected = x.broadcast_div(&(mean + 1e-5).unwrap().sqrt().unwrap()).unwrap();
            let expected = expected.broadcast_mul(&weight).unwrap();
            assert_close(&rms_norm(&x, &weight.to_vec1::<f32>().unwrap(), 1e-5).unwrap(), &expected, 1e-5);
        }
    }

    #[test]
    fn silu_gate_agrees_with_candle() {
        let x = (random((40, 100)) * 8.0).unwrap();
        let gate = x.narrow(1, 0, 50).unwrap().contiguous().unwrap();
        let expected = (gate.silu().unwrap() * x.narrow(1, 50, 50).unwrap()).unwrap();
        assert_close(&silu_gate(&x).unwrap(), &expected, 1e-4);
    }

    #[test]
    fn addition_agrees_with_candle() {
        let (x, y) = (random((70, 1000)), random((70, 1000)));
        assert_eq!(bits(&add(&x, &y).unwrap()), bits(&(&x + &y).unwrap()));
        assert!(add(&x, &random((70, 999))).is_err());
    }

    #[test]
    fn exponential_is_accurate_over_its_whole_range() {
        let mut worst = 0f64;
        for step in -872_000..=887_000 {
            let x = step as f32 * 1e-4;
            let expected = f64::from(x).exp();
            worst = worst.max((f64::from(exp(x)) - expected).abs() / expected);
        }
        assert!(worst < 2e-7, "relative error {worst}");
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(-1000.0), 0.0);
        assert_eq!(exp(f32::NEG_INFINITY), 0.0);
        assert_eq!(exp(1000.0), f32::INFINITY);
        assert!(exp(f32::NAN).is_nan());
    }
}
