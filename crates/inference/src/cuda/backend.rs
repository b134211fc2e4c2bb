//! The operations of a forward pass, by the kernels of this crate on a GPU.
//!
//! A layer is four products and these launches: a norm, RoPE with the writes to the cache,
//! attention (and a merge of its splits where a row sees more than one), a norm, a gated
//! activation. Sums with the residual stream are part of the products.

use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{DType, Result, Tensor};

use super::launches::{
    self, MAX_HEAD_DIM, NormMode, PagedLayer, Turn, add_bias, argmax, block_product, gather,
    gather_blocks, norm, product, sample,
};
use super::matrix::{CudaLinear, CudaMatrix};
use super::runner::{Fetched, Product, Runner, address, unwritten};
use super::step::StepTensors;
use crate::backend::{AttentionLayer, Backend};
use crate::config::{Activation, ModelConfig, QkNorm};
use crate::device;
use crate::kernels::{Compute, Precision};
use crate::kv_cache::{BLOCK, KvCache, Pages, Pool, dtype};
use crate::model::{FeedForward, Weights};
use crate::ops::AttentionShape;
use crate::rope::Ropes;
use crate::row::{Row, RowToken, SeqId};
use crate::sampling::Draw;

/// Logits that are computed at a time: 512 MiB.
const MAX_LOGITS: usize = 128 << 20;

/// Positions of the RoPE tables that are uploaded at first.
const FIRST_TURNS: usize = 1024;

/// A GPU, for a model.
pub(crate) struct CudaBackend {
    config: ModelConfig,
    runner: Arc<dyn Runner>,
    compute: Compute,
    /// Of activations, factors and the KV cache.
    dtype: DType,
    /// By each RoPE table: cosines and sines of the positions from 0 on, `[positions, pairs, 2]`.
    turns: Mutex<Vec<Tensor>>,
    max_logits: usize,
}

/// A step on a GPU.
pub(crate) struct CudaStep<'a> {
    tensors: StepTensors,
    /// By each RoPE table, as [`StepTensors`] has the rows' places in them.
    cos_sin: Vec<Tensor>,
    /// The tokens that the step before chose.
    chosen: Option<Tensor>,
    cache: &'a KvCache<Pages>,
}

/// Tokens that were chosen on a GPU, and are on their way to the host.
pub(crate) struct ChosenTokens {
    /// `[rows]`, u32.
    tokens: Tensor,
    fetched: Box<dyn Fetched>,
}

impl CudaBackend {
    /// Whether there are kernels for a model of these dimensions.
    pub(crate) fn supports(config: &ModelConfig, precision: Precision) -> bool {
        // Elements of 16 bytes.
        let pack = 16 / dtype(precision).size_in_bytes();
        let packed = [config.head_dim, config.intermediate_size]
            .into_iter()
            .all(|width| width.is_multiple_of(pack));
        packed && config.hidden_size.is_multiple_of(4) && config.head_dim <= MAX_HEAD_DIM
    }

    /// `compute` has the precision, and the threads for what is computed beside the device.
    pub(crate) fn new(config: &ModelConfig, runner: Arc<dyn Runner>, compute: Compute) -> Self {
        Self {
            config: config.clone(),
            dtype: dtype(compute.precision),
            runner,
            compute,
            turns: Mutex::default(),
            max_logits: MAX_LOGITS,
        }
    }

    /// Chooses how to compute the products of a model.
    ///
    /// # Errors
    /// Those of the device.
    pub(crate) fn prepare(&self, weights: &Weights<Self>) -> Result<()> {
        let prepare = |linear: &CudaLinear, out_dtype: DType, add: bool| -> Result<()> {
            // Blocks of integers are multiplied in one way.
            let CudaMatrix::Numbers(weight) = &linear.matrix else {
                return Ok(());
            };
            let (outputs, inputs) = weight.dims2()?;
            let product = Product {
                x: 0,
                weight: address(weight)?,
                out: 0,
                rows: 0,
                inputs,
                outputs,
                dtype: weight.dtype(),
                out_dtype,
                add,
            };
            // SAFETY: the matrix is that of the tensor.
            unsafe { self.runner.prepare(product) }
        };
        // Layers have matrices of the same dimensions.
        if let Some(layer) = weights.layers.first() {
            prepare(&layer.qkv, DType::F32, false)?;
            prepare(
                &layer.attention_out,
                DType::F32,
                layer.attention_post_norm.is_none(),
            )?;
            match &layer.feed_forward {
                FeedForward::Dense(block) => {
                    prepare(&block.gate_up, self.dtype, false)?;
                    let add = layer.feed_forward_post_norm.is_none();
                    prepare(&block.down, DType::F32, add)?;
                }
                FeedForward::Experts { router, experts } => {
                    prepare(router, DType::F32, false)?;
                    for block in experts.iter().take(1) {
                        prepare(&block.gate_up, self.dtype, false)?;
                        prepare(&block.down, DType::F32, false)?;
                    }
                }
            }
        }
        prepare(&weights.output, DType::F32, false)
    }

    fn runner(&self) -> &dyn Runner {
        self.runner.as_ref()
    }

    /// Rows as products read them: normed where there is a norm, in the dtype of the factors.
    fn factor(&self, x: &Tensor, weight: Option<&Tensor>, dtype: DType) -> Result<Tensor> {
        let mode = match weight {
            Some(_) => NormMode::Norm,
            None if x.dtype() == dtype => return Ok(x.clone()),
            None => NormMode::Round,
        };
        let epsilon = self.config.rms_norm_eps;
        let rounded = norm(self.runner(), x, weight, epsilon, mode, dtype)?;
        Ok(rounded.unwrap_or_else(|| x.clone()))
    }

    /// `norm(x) · Wᵀ`, or added to `sum`.
    fn multiply(
        &self,
        x: &Tensor,
        norm: Option<&Tensor>,
        matrix: &CudaMatrix,
        sum: Option<&Tensor>,
        out_dtype: DType,
    ) -> Result<Tensor> {
        match matrix {
            CudaMatrix::Numbers(weight) => {
                let x = self.factor(x, norm, self.dtype)?;
                product(self.runner(), &x, weight, sum, out_dtype)
            }
            CudaMatrix::Blocks(blocks) => {
                // Rounded to integers, and not to bf16 before.
                let dtype = if norm.is_some() {
                    DType::F32
                } else {
                    x.dtype()
                };
                let x = self.factor(x, norm, dtype)?;
                block_product(self.runner(), &x, blocks, sum, out_dtype)
            }
        }
    }

    /// Chooses tokens by the logits of rows, so many at a time as there is memory for: by their draws,
    /// or else the likeliest.
    fn choose(
        &self,
        x: &Tensor,
        norm: &Tensor,
        output: &CudaLinear,
        draws: Option<&[Draw]>,
    ) -> Result<ChosenTokens> {
        let (rows, vocab) = (x.dim(0)?, self.config.vocab_size);
        let at_a_time = (self.max_logits / vocab).max(1);
        let chosen = unwritten(self.runner(), rows, DType::U32)?;
        for start in (0..rows).step_by(at_a_time) {
            let count = at_a_time.min(rows - start);
            let logits = self.logits(&x.narrow(0, start, count)?, norm, output)?;
            let tokens = chosen.narrow(0, start, count)?;
            match draws {
                None => argmax(self.runner(), &logits, &tokens)?,
                Some(draws) => {
                    sample(
                        self.runner(),
                        &logits,
                        &draws[start..start + count],
                        &tokens,
                    )?;
                }
            }
        }
        // SAFETY: there are so many.
        let fetched = unsafe { self.runner.fetch(address(&chosen)?, rows)? };
        Ok(ChosenTokens {
            tokens: chosen,
            fetched,
        })
    }

    /// Cosines and sines of the positions below `end`, by each RoPE table; of sequences within the
    /// trained context.
    fn turns_up_to(&self, end: usize, ropes: &Ropes) -> Result<Vec<Tensor>> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        let known = turns.first().map_or(Ok(0), |table| table.dim(0))?;
        if known < end {
            let positions = (2 * known).max(FIRST_TURNS).max(end);
            // Rows of no sequence: only positions and lengths are looked at.
            let rows: Vec<Row> = (0..positions)
                .map(|position| Row {
                    token: RowToken::Known(0),
                    seq: SeqId(0),
                    position,
                    length: 0,
                })
                .collect();
            *turns = self.upload_turns(&rows, ropes)?;
        }
        Ok(turns.clone())
    }

    /// Cosines and sines of these rows, by each RoPE table: `[rows, pairs, 2]`.
    fn upload_turns(&self, rows: &[Row], ropes: &Ropes) -> Result<Vec<Tensor>> {
        let pairs = self.config.rotary_dim / 2;
        let upload = |cos_sin: Vec<(f32, f32)>| {
            let values = cos_sin.into_iter().flat_map(|(cos, sin)| [cos, sin]);
            let values: Vec<f32> = values.collect();
            Tensor::from_vec(values, (rows.len(), pairs, 2), self.runner.device())
        };
        ropes.cos_sin(rows).into_iter().map(upload).collect()
    }
}

impl Backend for CudaBackend {
    type Vector = Tensor;
    type Linear = CudaLinear;
    type Table = Tensor;
    type Memory = Pages;
    type Step<'a> = CudaStep<'a>;
    type Chosen = ChosenTokens;

    fn rows_are_independent(&self) -> bool {
        self.runner.rows_are_independent()
    }

    fn runs_ahead(&self) -> bool {
        true
    }

    fn begin<'a>(
        &self,
        rows: &[Row],
        chosen: Option<&ChosenTokens>,
        cache: &'a mut KvCache<Pages>,
        ropes: &Ropes,
    ) -> Result<CudaStep<'a>> {
        let AttentionShape {
            heads, kv_heads, ..
        } = AttentionShape::of(&self.config);
        let static_length = self.config.static_rope_length();
        let (turns, cos_sin) = if rows.iter().all(|row| row.length <= static_length) {
            let positions = rows.iter().map(|row| row.position as u32);
            let end = rows.iter().map(|row| row.position + 1).max().unwrap_or(0);
            (positions.collect(), self.turns_up_to(end, ropes)?)
        } else {
            let numbers = (0..rows.len() as u32).collect();
            (numbers, self.upload_turns(rows, ropes)?)
        };
        let device = self.runner.device();
        Ok(CudaStep {
            tensors: StepTensors::upload(rows, heads / kv_heads, turns, cache, device)?,
            cos_sin,
            chosen: chosen.map(|chosen| chosen.tokens.clone()),
            cache,
        })
    }

    fn embed(
        &self,
        step: &CudaStep<'_>,
        table: Option<&Tensor>,
        output: &CudaLinear,
        scale: Option<f32>,
    ) -> Result<Tensor> {
        let tokens = (step.tensors.tokens()?, step.tensors.rows);
        let (chosen, scale) = (step.chosen.as_ref(), scale.unwrap_or(1.0));
        // SAFETY: the step has a token for each of its rows, or the place of one.
        unsafe {
            match (table, &output.matrix) {
                (Some(table), _) | (None, CudaMatrix::Numbers(table)) => {
                    gather(self.runner(), table, tokens, chosen, scale)
                }
                (None, CudaMatrix::Blocks(blocks)) => {
                    gather_blocks(self.runner(), blocks, tokens, chosen, scale)
                }
            }
        }
    }

    fn norm(&self, x: &Tensor, weight: &Tensor) -> Result<Tensor> {
        self.factor(x, Some(weight), self.dtype)
    }

    fn linear(&self, x: &Tensor, norm: Option<&Tensor>, linear: &CudaLinear) -> Result<Tensor> {
        let out = self.multiply(x, norm, &linear.matrix, None, DType::F32)?;
        if let Some(bias) = &linear.bias {
            add_bias(self.runner(), &out, bias)?;
        }
        Ok(out)
    }

    fn add_linear(
        &self,
        sum: Tensor,
        x: &Tensor,
        linear: &CudaLinear,
        norm_weight: Option<&Tensor>,
    ) -> Result<Tensor> {
        let runner = self.runner();
        match norm_weight {
            Some(weight) => {
                let delta = self.linear(x, None, linear)?;
                let (epsilon, mode) = (self.config.rms_norm_eps, NormMode::AddNorm(&delta));
                norm(runner, &sum, Some(weight), epsilon, mode, self.dtype)?;
                Ok(sum)
            }
            None => {
                let sum = self.multiply(x, None, &linear.matrix, Some(&sum), DType::F32)?;
                if let Some(bias) = &linear.bias {
                    add_bias(runner, &sum, bias)?;
                }
                Ok(sum)
            }
        }
    }

    fn attend(
        &self,
        step: &mut CudaStep<'_>,
        layer: AttentionLayer<'_, Tensor>,
        qkv: Tensor,
    ) -> Result<Tensor> {
        let paged = PagedLayer {
            index: layer.index,
            pages: step.cache.memory(),
            shape: AttentionShape::of(&self.config),
            step: &step.tensors,
        };
        let turn = Turn {
            norms: layer.norms,
            whole_row: self.config.qk_norm == Some(QkNorm::WholeRow),
            epsilon: self.config.rms_norm_eps,
            cos_sin: layer.rope.map(|rope| &step.cos_sin[rope]),
        };
        let queries = paged.rope(&qkv, &turn)?;
        let scale = self.config.attention_scale;
        let scale = scale.unwrap_or_else(|| 1.0 / (self.config.head_dim as f32).sqrt());
        paged.attend(&queries, layer.window, scale)
    }

    fn gated(
        &self,
        x: &Tensor,
        norm: Option<&Tensor>,
        gate_up: &CudaLinear,
        activation: Activation,
    ) -> Result<Tensor> {
        let both = self.multiply(x, norm, &gate_up.matrix, None, self.dtype)?;
        launches::gated(self.runner(), &both, gate_up.bias.as_ref(), activation)
    }

    fn select(&self, step: &CudaStep<'_>, x: &Tensor, wanted: &[u32]) -> Result<Tensor> {
        if wanted.is_empty() {
            // A view: nothing of size zero may be allocated on a device.
            return x.narrow(0, 0, 0);
        }
        if wanted.len() == step.tensors.rows && wanted.iter().copied().eq(0..wanted.len() as u32) {
            return Ok(x.clone());
        }
        let rows = Tensor::from_slice(wanted, wanted.len(), self.runner.device())?;
        // SAFETY: there are as many indices.
        unsafe { gather(self.runner(), x, (address(&rows)?, wanted.len()), None, 1.0) }
    }

    fn argmax(&self, x: &Tensor, norm: &Tensor, output: &CudaLinear) -> Result<ChosenTokens> {
        self.choose(x, norm, output, None)
    }

    fn sample(
        &self,
        x: &Tensor,
        norm: &Tensor,
        output: &CudaLinear,
        draws: &[Draw],
    ) -> Result<ChosenTokens> {
        self.choose(x, norm, output, Some(draws))
    }

    fn read(&self, chosen: ChosenTokens) -> Result<Vec<u32>> {
        chosen.fetched.wait()
    }

    fn logits(&self, x: &Tensor, norm: &Tensor, output: &CudaLinear) -> Result<Tensor> {
        self.multiply(x, Some(norm), &output.matrix, None, DType::F32)
    }

    fn new_cache(&self, capacity: usize) -> KvCache<Pages> {
        let runner = Arc::clone(&self.runner);
        let pages = Pages::new(&self.config, self.compute.precision, capacity, runner);
        KvCache::new(pages, capacity)
    }

    /// The memory is freed instead: other programs may need it meanwhile.
    fn recycle_cache(&self, _: &mut KvCache<Pages>) {}

    fn block_bytes(&self) -> usize {
        Pool::block_bytes(&self.config, self.compute.precision)
    }

    /// Slots are counted in 32 bits.
    fn max_blocks(&self) -> usize {
        u32::MAX as usize / BLOCK
    }

    fn free_bytes(&self) -> Option<usize> {
        device::free_bytes(self.runner.device())
    }

    /// Nine tenths: the rest is for activations, logits and partial sums.
    fn kv_memory(&self, free: usize) -> usize {
        free / 10 * 9
    }

    fn prepack(&self, _: &CudaLinear) -> std::io::Result<()> {
        Ok(())
    }

    fn compute(&self) -> &Compute {
        &self.compute
    }
}

#[cfg(test)]
mod tests;
