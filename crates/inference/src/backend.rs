//! The operations that a forward pass is made of, and who computes them: the kernels of this crate
//! on the CPU ([`CpuBackend`]), its kernels for NVIDIA GPUs (`crate::cuda`), or plain candle
//! operations on any device of candle ([`DeviceBackend`](crate::device::DeviceBackend)), which every
//! operation of another backend is tested against.

mod cpu; // the kernels of this crate

use candle_core::{Result, Tensor};

use crate::config::Activation;
use crate::kernels::Compute;
use crate::kv_cache::{BlockMemory, KvCache};
use crate::ops::NOT_A_TOKEN;
use crate::rope::Ropes;
use crate::row::{Row, RowToken};
use crate::sampling::Draw;

pub(crate) use cpu::CpuBackend;

/// Computes the operations of a forward pass. Rows are `[rows, width]`, f32 in what they mean.
pub(crate) trait Backend: Send + Sync {
    /// A weight of one axis, f32.
    type Vector: Send + Sync;
    /// A matrix `[outputs, inputs]` that rows are multiplied by, and its optional bias.
    type Linear: Send + Sync;
    /// A table of rows that are looked up, `[vocab, hidden]`.
    type Table: Send + Sync;
    /// The memory of the KV cache.
    type Memory: BlockMemory + Send + Sync;
    /// What all layers of a step have in common.
    type Step<'a>;
    /// Tokens that were chosen for rows, which may still be on their way to the host.
    type Chosen;

    /// Whether a row comes out bit for bit the same whatever rows are beside it.
    fn rows_are_independent(&self) -> bool;

    /// Whether the next step may begin before the host has read the tokens that this one chose. It
    /// gains nothing where a step is computed by the time it is asked for.
    fn runs_ahead(&self) -> bool {
        false
    }

    /// Begins a step over these rows, whose blocks are reserved in the cache. `chosen` has the tokens
    /// of those that name them by place ([`RowToken::Chosen`]).
    fn begin<'a>(
        &self,
        rows: &[Row],
        chosen: Option<&Self::Chosen>,
        cache: &'a mut KvCache<Self::Memory>,
        ropes: &Ropes,
    ) -> Result<Self::Step<'a>>;

    /// The embeddings of the rows' tokens times `scale`: `[rows, hidden]`. Without a table of its
    /// own the output matrix is the table.
    fn embed(
        &self,
        step: &Self::Step<'_>,
        table: Option<&Self::Table>,
        output: &Self::Linear,
        scale: Option<f32>,
    ) -> Result<Tensor>;

    /// RMSNorm of each row: `[rows, hidden]`.
    fn norm(&self, x: &Tensor, weight: &Self::Vector) -> Result<Tensor>;

    /// `norm(x) · Wᵀ + bias`: `[rows, inputs]` to `[rows, outputs]`.
    fn linear(
        &self,
        x: &Tensor,
        norm: Option<&Self::Vector>,
        linear: &Self::Linear,
    ) -> Result<Tensor>;

    /// `sum + norm(x · Wᵀ + bias)`, where a norm is given, else `sum + x · Wᵀ + bias`.
    fn add_linear(
        &self,
        sum: Tensor,
        x: &Tensor,
        linear: &Self::Linear,
        norm: Option<&Self::Vector>,
    ) -> Result<Tensor>;

    /// QK-norm and RoPE of queries and keys, their keys and values written to the cache, then
    /// `softmax(q · Kᵀ · scale) · V` of each row over its own sequence: `[rows, (heads + 2 ·
    /// kv_heads) · head_dim]` to `[rows, heads · head_dim]`.
    fn attend(
        &self,
        step: &mut Self::Step<'_>,
        layer: AttentionLayer<'_, Self::Vector>,
        qkv: Tensor,
    ) -> Result<Tensor>;

    /// `activation(norm(x) · Gᵀ) · (norm(x) · Uᵀ)`: `[rows, hidden]` to `[rows, intermediate]`.
    fn gated(
        &self,
        x: &Tensor,
        norm: Option<&Self::Vector>,
        gate_up: &Self::Linear,
        activation: Activation,
    ) -> Result<Tensor>;

    /// Some rows of a step, by their indices in it: `[wanted, hidden]`.
    fn select(&self, step: &Self::Step<'_>, x: &Tensor, wanted: &[u32]) -> Result<Tensor>;

    /// The argmax of `norm(x) · Wᵀ` for each row, the lowest id of equals, and
    /// [`NOT_A_TOKEN`](crate::ops::NOT_A_TOKEN) where a logit is NaN.
    fn argmax(
        &self,
        x: &Tensor,
        norm: &Self::Vector,
        output: &Self::Linear,
    ) -> Result<Self::Chosen>;

    /// A token of each row by its draw; needed where a backend runs ahead.
    fn sample(
        &self,
        x: &Tensor,
        norm: &Self::Vector,
        output: &Self::Linear,
        draws: &[Draw],
    ) -> Result<Self::Chosen> {
        let _ = (x, norm, output, draws);
        candle_core::bail!("tokens are sampled on the host")
    }

    /// Waits for tokens that were chosen.
    fn read(&self, chosen: Self::Chosen) -> Result<Vec<u32>>;

    /// `norm(x) · Wᵀ` in f32: `[rows, hidden]` to `[rows, vocab]`.
    fn logits(&self, x: &Tensor, norm: &Self::Vector, output: &Self::Linear) -> Result<Tensor>;

    /// A KV cache of at most `capacity` blocks, in the memory of the last one that was recycled.
    fn new_cache(&self, capacity: usize) -> KvCache<Self::Memory>;

    /// Keeps the memory of a cache that is not needed any more for the next one.
    fn recycle_cache(&self, cache: &mut KvCache<Self::Memory>);

    /// Bytes of a block of the KV cache.
    fn block_bytes(&self) -> usize;

    /// Blocks that a KV cache can have at most.
    fn max_blocks(&self) -> usize;

    /// Bytes that are free where the KV cache lies; `None` where nothing says how many.
    fn free_bytes(&self) -> Option<usize>;

    /// Bytes of the KV cache where no number is given and so many are free: half of them.
    fn kv_memory(&self, free: usize) -> usize {
        free / 2
    }

    /// Packs a matrix that is not packed yet.
    ///
    /// # Errors
    /// When there is no memory.
    fn prepack(&self, linear: &Self::Linear) -> std::io::Result<()>;

    /// Threads and precision, also for what is computed beside the forward pass.
    fn compute(&self) -> &Compute;
}

/// The tokens of rows, where those that the step before chose are at hand.
pub(crate) fn tokens(rows: &[Row], chosen: Option<&Vec<u32>>) -> Vec<u32> {
    let token = |row: &Row| match (row.token, chosen) {
        (RowToken::Known(token), _) => token,
        (RowToken::Chosen(place), Some(chosen)) => chosen[place as usize],
        (RowToken::Chosen(_), None) => NOT_A_TOKEN,
    };
    rows.iter().map(token).collect()
}

/// A layer, as far as attention goes.
pub(crate) struct AttentionLayer<'a, V> {
    /// From 0.
    pub(crate) index: usize,
    /// How many of the latest positions a row sees, its own included; `None` for all.
    pub(crate) window: Option<usize>,
    /// Which of the model's RoPE tables turns queries and keys; `None` for none.
    pub(crate) rope: Option<usize>,
    /// QK-norm of queries and of keys.
    pub(crate) norms: Option<[&'a V; 2]>,
}
