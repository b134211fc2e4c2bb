//! The kernels as candle operations on candle tensors. An operation owns or borrows its packed
//! weights, as candle's quantized tensors do; everything it reads and writes is f32 and contiguous.

mod attention; // RoPE, the KV cache, and rows over their own sequences
mod linear; // linear layers, gated ones, argmax
mod norms; // RMSNorm by itself
#[cfg(test)]
mod tests;

use candle_core::{CpuStorage, Layout, Result, bail};

pub(crate) use attention::{Attention, AttentionShape, RopeAndCacheWrite};
pub(crate) use linear::{
    Argmax, GatedLinear, Linear, LinearWeights, NOT_A_TOKEN, gate_or_up, gate_up_outputs,
};
pub(crate) use norms::{Norm, NormAdd, NormParts};

/// The elements behind a tensor.
fn elements<'a>(op: &str, storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => bail!("{op} needs contiguous tensors"),
    }
}

/// The elements behind a tensor that is written to.
fn elements_mut<'a>(
    op: &str,
    storage: &'a mut CpuStorage,
    layout: &Layout,
) -> Result<&'a mut [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(elements), Some((start, end))) => Ok(&mut elements[start..end]),
        _ => bail!("{op} needs contiguous tensors of f32"),
    }
}
