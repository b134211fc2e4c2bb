//! RMSNorm, where it is no part of a product.

use candle_core::{CpuStorage, InplaceOp1, InplaceOp2, Layout, Result, Tensor, bail};

use super::{elements, elements_mut};
use crate::kernels::arithmetic::Arithmetic;
use crate::kernels::dispatch::Kernel;
use crate::kernels::elementwise::rms_norm;
use crate::kernels::{Compute, Shared};

/// RMSNorm.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Norm<'a> {
    /// `[hidden]`.
    pub(crate) weight: &'a [f32],
    pub(crate) epsilon: f32,
}

/// Adds the RMSNorm of rows to others: `sum += norm(x)`.
pub(crate) struct NormAdd<'a> {
    pub(crate) compute: &'a Compute,
    pub(crate) norm: Norm<'a>,
}

impl NormAdd<'_> {
    /// # Shapes
    /// Both `[rows, hidden]`.
    pub(crate) fn add_to(&self, sum: &Tensor, x: &Tensor) -> Result<()> {
        sum.inplace_op2(x, self)
    }
}

impl InplaceOp2 for NormAdd<'_> {
    fn name(&self) -> &'static str {
        "norm_add"
    }

    fn cpu_fwd(
        &self,
        s1: &mut CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
    ) -> Result<()> {
        let (rows, width) = l1.shape().dims2()?;
        if l2.shape().dims2()? != (rows, width) || self.norm.weight.len() != width {
            bail!("the norm of {:?} does not fit {:?}", l2.shape(), l1.shape());
        }
        let x = elements("norm_add", s2, l2)?;
        let sum = Shared::new(elements_mut("norm_add", s1, l1)?);
        let Compute { threads, set, .. } = self.compute;
        threads.for_each(rows, |_, row| {
            let kernel = NormAddRow {
                x: &x[row * width..][..width],
                // SAFETY: each row is one task's.
                sum: unsafe { sum.slice(row * width, width) },
                norm: self.norm,
            };
            set.run(self.compute.precision, kernel);
        });
        Ok(())
    }
}

struct NormAddRow<'a> {
    x: &'a [f32],
    sum: &'a mut [f32],
    norm: Norm<'a>,
}

impl Kernel for NormAddRow<'_> {
    #[inline(always)]
    fn run<A: Arithmetic>(self) {
        let Norm { weight, epsilon } = self.norm;
        let mut normed = vec![0f32; self.x.len()];
        rms_norm::<A>(self.x, weight, epsilon, &mut normed);
        let sum = self.sum.iter_mut().zip(normed);
        sum.for_each(|(sum, normed)| *sum += normed);
    }
}

/// RMSNorm in place of the first parts of each row, one part behind the other, each as wide as its
/// weight: QK-norm over all heads.
pub(crate) struct NormParts<'a> {
    pub(crate) compute: &'a Compute,
    pub(crate) norms: [Norm<'a>; 2],
}

impl NormParts<'_> {
    /// # Shapes
    /// `x` `[rows, width]`, at least as wide as the weights together.
    pub(crate) fn apply(&self, x: &Tensor) -> Result<()> {
        x.inplace_op1(self)
    }
}

impl InplaceOp1 for NormParts<'_> {
    fn name(&self) -> &'static str {
        "norm_parts"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let (rows, width) = layout.shape().dims2()?;
        let normed: usize = self.norms.iter().map(|norm| norm.weight.len()).sum();
        if normed > width {
            bail!("norms of {normed} elements do not fit rows of {width}");
        }
        let x = Shared::new(elements_mut("norm_parts", storage, layout)?);
        let Compute { threads, set, .. } = self.compute;
        threads.for_each(rows, |_, row| {
            let kernel = NormPartsRow {
                // SAFETY: each row is one task's.
                x: unsafe { x.slice(row * width, width) },
                norms: self.norms,
            };
            set.run(self.compute.precision, kernel);
        });
        Ok(())
    }
}

struct NormPartsRow<'a> {
    x: &'a mut [f32],
    norms: [Norm<'a>; 2],
}

impl Kernel for NormPartsRow<'_> {
    #[inline(always)]
    fn run<A: Arithmetic>(self) {
        let mut rest = self.x;
        for Norm { weight, epsilon } in self.norms {
            let (part, behind) = rest.split_at_mut(weight.len());
            let before = part.to_vec();
            rms_norm::<A>(&before, weight, epsilon, part);
            rest = behind;
        }
    }
}
