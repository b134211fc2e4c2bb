//! How a checkpoint is run, and what follows from it for its weights.

use std::path::PathBuf;

use crate::checkpoint::Checkpoint;
use crate::device::DeviceChoice;
use crate::error::{Error, ErrorKind};
use crate::kernels::{Compute, InstructionSet, Precision, WeightFormat};
use crate::tensor_source::Rounding;
use crate::threads::Threads;
use crate::tokenizer::PromptKind;

/// The precision of weights, and with them of the arithmetic.
///
/// In f32 everything is f32. In bf16 both factors of every product are rounded to bf16, activations
/// and the KV cache too, and summed in f32; norms, RoPE, the softmax and the residual sums stay in
/// f32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WeightDtype {
    /// Bf16 for a checkpoint whose matrices are all bf16, else f32.
    #[default]
    Auto,
    /// F32: widening a bf16 or f16 checkpoint is exact.
    F32,
    /// Bf16: weights are rounded to the nearest, which changes nothing in a bf16 checkpoint.
    Bf16,
}

/// How matrices are quantized beyond their precision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantization {
    /// 8-bit integers in blocks of 32 along the inputs, each with a scale: GGUF's Q8_0. Activations
    /// are rounded to such blocks too, for each product; the KV cache stays as `dtype` says, and so
    /// does an embedding of its own.
    Q8,
}

/// How to run a model. Nothing but `dtype`, `quantize`, `device` and `prompts` can change a
/// completion, on the CPU; on a GPU also what decides which rows are computed together.
#[derive(Clone, Debug, Default)]
pub struct EngineOptions {
    /// The device to compute on; on several GPUs each has a copy of the model.
    pub device: DeviceChoice,
    /// Precision of weights and products.
    pub dtype: WeightDtype,
    /// How matrices are quantized; `None` for not at all.
    pub quantize: Option<Quantization>,
    /// Threads to compute with, or, where a GPU computes, to tokenize prompts and to sample; `None`
    /// for one a core.
    pub threads: Option<usize>,
    /// Sequences at a time on a device; `None` to find the fastest number (`BatchSizeTuner`).
    pub batch_size: Option<usize>,
    /// Bytes that the KV cache may take on a device; `None` for half of the memory that is free when
    /// generation begins, on a GPU for nine tenths of its own.
    pub kv_memory: Option<usize>,
    /// What prompts are.
    pub prompts: PromptKind,
    /// File with digests of weight files, so that files that did not change are not hashed again;
    /// `None` to hash always.
    pub digest_cache: Option<PathBuf>,
    /// Completions go on after an end-of-sequence token, to their greatest length: for measuring
    /// speed.
    pub ignore_eos: bool,
    /// Completions have the log-probability of each new token: the log-softmax of the model's
    /// logits as they are, before temperature, penalties and whatever else sampling does to them.
    /// Costs the logits of the whole vocabulary at each token; without it greedy decoding never
    /// stores them.
    pub logprobs: bool,
    /// Completions have the ids of their new tokens.
    pub token_ids: bool,
}

impl EngineOptions {
    /// What computes beside one of so many copies of the model: threads of its own.
    ///
    /// # Errors
    /// When the system starts no threads.
    pub(crate) fn compute(&self, precision: Precision, copies: usize) -> Result<Compute, Error> {
        let threads = match copies {
            1 => self.threads,
            _ => Some((Threads::wanted(self.threads) / copies).max(1)),
        };
        let threads = Threads::start(threads).map_err(|error| {
            Error::new(
                ErrorKind::Backend,
                format!("threads cannot be started: {error}"),
            )
            .caused_by(error)
        })?;
        Ok(Compute {
            threads,
            set: InstructionSet::best(),
            precision,
        })
    }

    /// How weights are rounded and multiplied, and what the manifest calls it.
    pub(crate) fn precision(&self, checkpoint: &Checkpoint) -> (Rounding, Precision, String) {
        let tensors = &checkpoint.tensors;
        match self.dtype {
            WeightDtype::Auto => (Rounding::None, tensors.precision(), tensors.dtype()),
            WeightDtype::F32 => (Rounding::None, Precision::F32, "f32".to_string()),
            WeightDtype::Bf16 => (Rounding::Bf16, Precision::Bf16, "bf16".to_string()),
        }
    }

    /// The format in which the kernels of this crate multiply by weights.
    pub(crate) fn weight_format(
        &self,
        checkpoint: &Checkpoint,
        precision: Precision,
    ) -> WeightFormat {
        match (self.quantize, self.dtype) {
            (Some(Quantization::Q8), _) => WeightFormat::Q8,
            (None, WeightDtype::Auto) => checkpoint.tensors.format(),
            (None, _) => WeightFormat::Numbers(precision),
        }
    }
}
