//! The kernels of this crate, on the CPU.

use std::sync::{Mutex, PoisonError};

use candle_core::{Device, Result, Tensor};

use super::{AttentionLayer, Backend, tokens};
use crate::config::{Activation, ModelConfig, QkNorm};
use crate::kernels::buffer::Buffer;
use crate::kernels::{Compute, Matrix};
use crate::kv_cache::{KvCache, Slabs};
use crate::memory;
use crate::ops::{
    Argmax, Attention, AttentionShape, GatedLinear, Linear, LinearWeights, Norm, NormAdd,
    NormParts, RopeAndCacheWrite,
};
use crate::rope::Ropes;
use crate::row::Row;
use crate::row::SeqId;

/// The kernels of this crate, for a model.
pub(crate) struct CpuBackend {
    config: ModelConfig,
    compute: Compute,
    /// Buffers of the KV cache, between one use and the next.
    cache_buffers: Mutex<Vec<Buffer>>,
}

/// A step on the CPU.
pub(crate) struct CpuStep<'a> {
    tokens: Vec<u32>,
    positions: Vec<(SeqId, usize)>,
    /// `(cos, sin)` of each rotated pair of a head for each row, by each RoPE table.
    cos_sin: Vec<Vec<(f32, f32)>>,
    cache: &'a mut KvCache<Slabs>,
}

impl CpuBackend {
    pub(crate) fn new(config: &ModelConfig, compute: Compute) -> Self {
        Self {
            config: config.clone(),
            compute,
            cache_buffers: Mutex::default(),
        }
    }

    fn shape(&self) -> AttentionShape {
        AttentionShape::of(&self.config)
    }

    fn weighted<'a>(&self, weight: &'a [f32]) -> Norm<'a> {
        Norm {
            weight,
            epsilon: self.config.rms_norm_eps,
        }
    }
}

impl Backend for CpuBackend {
    type Vector = Vec<f32>;
    type Linear = LinearWeights;
    type Table = Matrix;
    type Memory = Slabs;
    type Step<'a> = CpuStep<'a>;
    type Chosen = Vec<u32>;

    fn rows_are_independent(&self) -> bool {
        true
    }

    fn begin<'a>(
        &self,
        rows: &[Row],
        chosen: Option<&Vec<u32>>,
        cache: &'a mut KvCache<Slabs>,
        ropes: &Ropes,
    ) -> Result<CpuStep<'a>> {
        Ok(CpuStep {
            tokens: tokens(rows, chosen),
            positions: rows.iter().map(|row| (row.seq, row.position)).collect(),
            cos_sin: ropes.cos_sin(rows),
            cache,
        })
    }

    fn embed(
        &self,
        step: &CpuStep<'_>,
        table: Option<&Matrix>,
        output: &LinearWeights,
        scale: Option<f32>,
    ) -> Result<Tensor> {
        let (hidden, rows) = (self.config.hidden_size, step.tokens.len());
        let table = table.unwrap_or(&output.weight);
        let mut x = vec![0f32; rows * hidden];
        for (&token, x) in step.tokens.iter().zip(x.chunks_exact_mut(hidden)) {
            table.row(token as usize, x);
        }
        if let Some(scale) = scale {
            x.iter_mut().for_each(|x| *x *= scale);
        }
        Tensor::from_vec(x, (rows, hidden), &Device::Cpu)
    }

    fn norm(&self, x: &Tensor, weight: &Vec<f32>) -> Result<Tensor> {
        let normed = x.zeros_like()?;
        let add = NormAdd {
            compute: &self.compute,
            norm: self.weighted(weight),
        };
        add.add_to(&normed, x)?;
        Ok(normed)
    }

    fn linear(
        &self,
        x: &Tensor,
        norm: Option<&Vec<f32>>,
        linear: &LinearWeights,
    ) -> Result<Tensor> {
        Linear {
            compute: &self.compute,
            norm: norm.map(|weight| self.weighted(weight)),
            linear,
        }
        .apply(x)
    }

    fn add_linear(
        &self,
        sum: Tensor,
        x: &Tensor,
        linear: &LinearWeights,
        norm: Option<&Vec<f32>>,
    ) -> Result<Tensor> {
        let linear = Linear {
            compute: &self.compute,
            norm: None,
            linear,
        };
        match norm {
            None => linear.add_to(&sum, x)?,
            Some(weight) => NormAdd {
                compute: &self.compute,
                norm: self.weighted(weight),
            }
            .add_to(&sum, &linear.apply(x)?)?,
        }
        Ok(sum)
    }

    fn attend(
        &self,
        step: &mut CpuStep<'_>,
        layer: AttentionLayer<'_, Vec<f32>>,
        qkv: Tensor,
    ) -> Result<Tensor> {
        let (compute, shape) = (&self.compute, self.shape());
        let norms = layer
            .norms
            .map(|norms| norms.map(|weight| self.weighted(weight)));
        let norms = match self.config.qk_norm {
            Some(QkNorm::WholeRow) => {
                if let Some(norms) = norms {
                    NormParts { compute, norms }.apply(&qkv)?;
                }
                None
            }
            Some(QkNorm::EachHead) | None => norms,
        };
        let rows = step.positions.len();
        RopeAndCacheWrite {
            compute,
            writer: &step.cache.writer(&step.positions),
            layer: layer.index,
            shape,
            rows,
            cos_sin: layer.rope.map_or(&[], |rope| &step.cos_sin[rope]),
            norms,
            query_factor: self.config.query_factor(),
        }
        .apply(&qkv)?;
        // After all rows have written: rows of one prompt see each other within their step. What a
        // row sees ends at its own position, so that later ones do not show.
        Attention {
            compute,
            cache: step.cache,
            layer: layer.index,
            shape,
            window: layer.window,
            rows: &step.positions,
        }
        .apply(&qkv)
    }

    fn gated(
        &self,
        x: &Tensor,
        norm: Option<&Vec<f32>>,
        gate_up: &LinearWeights,
        activation: Activation,
    ) -> Result<Tensor> {
        GatedLinear {
            compute: &self.compute,
            norm: norm.map(|weight| self.weighted(weight)),
            gate_up,
            intermediate: self.config.intermediate_size,
            activation,
        }
        .apply(x)
    }

    fn select(&self, _: &CpuStep<'_>, x: &Tensor, wanted: &[u32]) -> Result<Tensor> {
        match wanted.is_empty() {
            true => x.narrow(0, 0, 0),
            false => x.index_select(&Tensor::from_slice(wanted, wanted.len(), &Device::Cpu)?, 0),
        }
    }

    fn argmax(&self, x: &Tensor, norm: &Vec<f32>, output: &LinearWeights) -> Result<Vec<u32>> {
        Argmax {
            compute: &self.compute,
            norm: self.weighted(norm),
            output: &output.weight,
        }
        .apply(x)?
        .to_vec1()
    }

    fn read(&self, chosen: Vec<u32>) -> Result<Vec<u32>> {
        Ok(chosen)
    }

    fn logits(&self, x: &Tensor, norm: &Vec<f32>, output: &LinearWeights) -> Result<Tensor> {
        self.linear(x, Some(norm), output)
    }

    fn new_cache(&self, capacity: usize) -> KvCache<Slabs> {
        // A second cache at the same time finds none and takes new memory.
        let memory = std::mem::take(
            &mut *self
                .cache_buffers
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
        let slabs = Slabs::new(&self.config, self.compute.precision, capacity);
        KvCache::new(slabs.reuse(memory, capacity), capacity)
    }

    fn recycle_cache(&self, cache: &mut KvCache<Slabs>) {
        *self
            .cache_buffers
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = cache.memory_mut().take();
    }

    fn block_bytes(&self) -> usize {
        Slabs::block_bytes(&self.config, self.compute.precision)
    }

    fn max_blocks(&self) -> usize {
        usize::MAX
    }

    fn free_bytes(&self) -> Option<usize> {
        memory::free_bytes()
    }

    fn prepack(&self, linear: &LinearWeights) -> std::io::Result<()> {
        linear.weight.prepack(&self.compute.threads)
    }

    fn compute(&self) -> &Compute {
        &self.compute
    }
}
