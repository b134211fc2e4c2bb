//! Products by packed weights: linear layers, SwiGLU, and the argmax of the logits.

use candle_core::{CpuStorage, CustomOp1, InplaceOp2, Layout, Result, Shape, Tensor, bail};

use super::norms::Norm;
use super::{elements, elements_mut};
use crate::config::Activation;
use crate::kernels::arithmetic::{Arithmetic, LANES, PANEL};
use crate::kernels::elementwise::{gelu_tanh, rms_norm, silu};
use crate::kernels::packing::{Epilogue, PanelSums, RowSource};
use crate::kernels::product::{PackedInputs, product};
use crate::kernels::{Compute, Matrix, Shared, WeightFormat, quantized};

/// The weights of a linear layer: a matrix `[outputs, inputs]` and its optional bias `[outputs]`,
/// f32.
pub(crate) struct LinearWeights {
    pub(crate) weight: Matrix,
    pub(crate) bias: Option<Vec<f32>>,
}

/// Rows of a tensor, with RMSNorm where one is given.
struct Rows<'a> {
    x: &'a [f32],
    width: usize,
    norm: Option<Norm<'a>>,
}

impl<'x> RowSource<'x> for Rows<'x> {
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

/// A linear layer behind an optional RMSNorm: `norm(x) · Wᵀ + bias`.
pub(crate) struct Linear<'a> {
    pub(crate) compute: &'a Compute,
    pub(crate) norm: Option<Norm<'a>>,
    pub(crate) linear: &'a LinearWeights,
}

impl Linear<'_> {
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
        bail!(
            "rows of {width} elements do not fit a matrix with {} inputs",
            weight.inputs()
        );
    }
    let x = elements("a product", storage, layout)?;
    let Compute { threads, set, .. } = compute;
    let source = Rows { x, width, norm };
    match weight.format() {
        WeightFormat::Numbers(precision) => {
            let inputs = PackedInputs::pack(threads, *set, precision, (rows, width), source);
            product(threads, *set, precision, &inputs, weight, epilogue);
        }
        WeightFormat::Q8 => quantized::multiply(threads, *set, rows, &source, weight, epilogue),
    }
    Ok(())
}

impl CustomOp1 for Linear<'_> {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (rows, outputs) = (layout.shape().dims2()?.0, self.linear.weight.outputs());
        let mut out = vec![0f32; rows * outputs];
        let bias = self.linear.bias.as_deref();
        self.run(
            (storage, layout),
            &StoreEpilogue {
                out: Shared::new(&mut out),
                outputs,
                bias,
                add: false,
            },
        )?;
        Ok((CpuStorage::F32(out), (rows, outputs).into()))
    }
}

impl InplaceOp2 for Linear<'_> {
    fn name(&self) -> &'static str {
        "linear_add"
    }

    fn cpu_fwd(
        &self,
        s1: &mut CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
    ) -> Result<()> {
        let (rows, outputs) = l1.shape().dims2()?;
        if rows != l2.shape().dims2()?.0 || outputs != self.linear.weight.outputs() {
            bail!(
                "the product of {:?} does not fit {:?}",
                l2.shape(),
                l1.shape()
            );
        }
        let out = Shared::new(elements_mut("linear_add", s1, l1)?);
        let bias = self.linear.bias.as_deref();
        self.run(
            (s2, l2),
            &StoreEpilogue {
                out,
                outputs,
                bias,
                add: true,
            },
        )
    }
}

/// Writes sums to, or adds them to, `[rows, outputs]`.
struct StoreEpilogue<'a> {
    out: Shared<f32>,
    outputs: usize,
    bias: Option<&'a [f32]>,
    add: bool,
}

impl Epilogue for StoreEpilogue<'_> {
    #[inline(always)]
    fn apply<A: Arithmetic>(&self, _: usize, panel: usize, first_row: usize, sums: &[PanelSums]) {
        let column = panel * PANEL;
        let width = PANEL.min(self.outputs - column);
        for (index, sums) in sums.iter().enumerate() {
            // SAFETY: each part of each row belongs to one panel and one task.
            let out = unsafe {
                self.out
                    .slice((first_row + index) * self.outputs + column, width)
            };
            let mut sums = *sums;
            if let Some(bias) = self.bias {
                sums.iter_mut()
                    .zip(&bias[column..])
                    .for_each(|(sum, bias)| *sum += bias);
            }
            if self.add {
                out.iter_mut().zip(sums).for_each(|(out, sum)| *out += sum);
            } else {
                out.copy_from_slice(&sums[..width]);
            }
        }
    }
}

/// A gated linear unit, the first half of the feed-forward block: `activation(norm(x) · Gᵀ) ·
/// (norm(x) · Uᵀ)`; SwiGLU with SiLU, GeGLU with GELU.
///
/// The matrix holds 16 gates, then the 16 ups that belong to them, and so on: both halves of a
/// panel make 16 results.
pub(crate) struct GatedLinear<'a> {
    pub(crate) compute: &'a Compute,
    pub(crate) norm: Option<Norm<'a>>,
    pub(crate) gate_up: &'a LinearWeights,
    pub(crate) intermediate: usize,
    pub(crate) activation: Activation,
}

impl GatedLinear<'_> {
    /// # Shapes
    /// `x` `[rows, hidden]` to `[rows, intermediate]`.
    pub(crate) fn apply(&self, x: &Tensor) -> Result<Tensor> {
        x.apply_op1_no_bwd(self)
    }
}

/// Where output `column` of a matrix of gates and ups comes from: `Some((is_up, row))`, or `None`
/// for filling.
pub(crate) fn gate_or_up(column: usize, intermediate: usize) -> Option<(bool, usize)> {
    let row = column / PANEL * LANES + column % LANES;
    (row < intermediate).then_some((column % PANEL >= LANES, row))
}

/// Outputs of a matrix of gates and ups, filling included.
pub(crate) fn gate_up_outputs(intermediate: usize) -> usize {
    intermediate.div_ceil(LANES) * PANEL
}

impl CustomOp1 for GatedLinear<'_> {
    fn name(&self) -> &'static str {
        "gated_linear"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        match self.activation {
            Activation::Silu => self.run(storage, layout, silu),
            Activation::GeluTanh => self.run(storage, layout, gelu_tanh),
        }
    }
}

impl GatedLinear<'_> {
    fn run(
        &self,
        storage: &CpuStorage,
        layout: &Layout,
        activation: impl Fn(f32) -> f32 + Copy + Send + Sync,
    ) -> Result<(CpuStorage, Shape)> {
        let rows = layout.shape().dims2()?.0;
        let mut out = vec![0f32; rows * self.intermediate];
        let epilogue = GatedEpilogue {
            out: Shared::new(&mut out),
            intermediate: self.intermediate,
            bias: self.gate_up.bias.as_deref(),
            activation,
        };
        let (x, weight) = ((storage, layout), &self.gate_up.weight);
        multiply(self.compute, x, self.norm, weight, &epilogue)?;
        Ok((CpuStorage::F32(out), (rows, self.intermediate).into()))
    }
}

struct GatedEpilogue<'a, F> {
    out: Shared<f32>,
    intermediate: usize,
    bias: Option<&'a [f32]>,
    activation: F,
}

impl<F: Fn(f32) -> f32 + Copy + Send + Sync> Epilogue for GatedEpilogue<'_, F> {
    #[inline(always)]
    fn apply<A: Arithmetic>(&self, _: usize, panel: usize, first_row: usize, sums: &[PanelSums]) {
        let column = panel * LANES;
        let width = LANES.min(self.intermediate - column);
        for (index, sums) in sums.iter().enumerate() {
            let mut sums = *sums;
            if let Some(bias) = self.bias {
                sums.iter_mut()
                    .zip(&bias[panel * PANEL..])
                    .for_each(|(sum, bias)| *sum += bias);
            }
            let mut gated = [0f32; LANES];
            for lane in 0..LANES {
                gated[lane] = (self.activation)(sums[lane]) * sums[LANES + lane];
            }
            // SAFETY: each part of each row belongs to one panel and one task.
            let out = unsafe {
                self.out
                    .slice((first_row + index) * self.intermediate + column, width)
            };
            out.copy_from_slice(&gated[..width]);
        }
    }
}

/// The argmax of each row's logits, without storing them: the lowest id of equals, as
/// `torch.argmax` chooses, and [`NOT_A_TOKEN`] where a logit is NaN.
pub(crate) struct Argmax<'a> {
    pub(crate) compute: &'a Compute,
    pub(crate) norm: Norm<'a>,
    pub(crate) output: &'a Matrix,
}

/// Stands for the token of a row whose logits are not numbers.
pub(crate) const NOT_A_TOKEN: u32 = u32::MAX;

impl Argmax<'_> {
    /// # Shapes
    /// `x` `[rows, hidden]` to `[rows]`, u32.
    pub(crate) fn apply(&self, x: &Tensor) -> Result<Tensor> {
        x.apply_op1_no_bwd(self)
    }
}

impl CustomOp1 for Argmax<'_> {
    fn name(&self) -> &'static str {
        "argmax"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let rows = layout.shape().dims2()?.0;
        let threads = self.compute.threads.count();
        // One for each thread and row. Which panels a thread takes does not matter: the better of
        // two is the same in any order.
        let mut best = vec![Candidate::NONE; threads * rows];
        let epilogue = ArgmaxEpilogue {
            best: Shared::new(&mut best),
            rows,
            outputs: self.output.outputs(),
        };
        multiply(
            self.compute,
            (storage, layout),
            Some(self.norm),
            self.output,
            &epilogue,
        )?;
        let token = |row: usize| {
            let of_threads = best[row..].iter().step_by(rows);
            of_threads
                .fold(Candidate::NONE, |best, candidate| best.or(*candidate))
                .token
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
    const NONE: Self = Self {
        logit: f32::NEG_INFINITY,
        // Above all ids, so that a row of −∞ alone still has a token, and not the one that stands
        // for NaN.
        token: NOT_A_TOKEN - 1,
    };

    /// The better of two: NaN before all, then the larger logit, then the lower id.
    #[inline(always)]
    fn or(self, other: Self) -> Self {
        let better =
            other.logit > self.logit || (other.logit == self.logit && other.token < self.token);
        let other_wins = !self.logit.is_nan() && (other.logit.is_nan() || better);
        if other_wins { other } else { self }
    }
}

struct ArgmaxEpilogue {
    /// `[threads, rows]`.
    best: Shared<Candidate>,
    rows: usize,
    outputs: usize,
}

impl Epilogue for ArgmaxEpilogue {
    #[inline(always)]
    fn apply<A: Arithmetic>(
        &self,
        thread: usize,
        panel: usize,
        first_row: usize,
        sums: &[PanelSums],
    ) {
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
                *best = Candidate {
                    logit: f32::NAN,
                    token: NOT_A_TOKEN,
                };
            } else if most >= best.logit {
                // Equals too: a row may hold −∞ alone, and `or` decides between ids.
                let lane = sums[..width]
                    .iter()
                    .position(|&sum| sum == most)
                    .unwrap_or_default();
                *best = best.or(Candidate {
                    logit: most,
                    token: (first + lane) as u32,
                });
            }
        }
    }
}
