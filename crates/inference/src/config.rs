//! The model's dimensions: [`ModelConfig`], which can only describe a model that this crate computes
//! correctly.

mod raw; // config.json and generation_config.json as they are written, validated
mod raw_rope; // rope_scaling and rope_parameters as they are written

use crate::error::{Error, ErrorKind};
use crate::family::Architecture;

/// How the frequencies of RoPE are scaled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RopeScaling {
    /// As trained.
    Default,
    /// Every frequency divided by `factor`.
    Linear {
        /// At least 1 in practice; any positive number is taken.
        factor: f32,
    },
    /// NTK scaling that grows with the sequence: up to the original context as trained, then with a
    /// larger base. A prompt is prefilled with the frequencies of its own length, each later token
    /// with those of the length it makes.
    Dynamic {
        /// How much longer than the original context sequences may become.
        factor: f32,
        /// The context in tokens before it was extended.
        original_context: usize,
    },
    /// The scheme of LLaMA 3.1: long wavelengths divided by `factor`, short ones kept, those
    /// between interpolated.
    Llama3 {
        /// Divisor of the long wavelengths.
        factor: f32,
        /// The original context divided by this is the wavelength above which all are divided.
        low_freq_factor: f32,
        /// The original context divided by this is the wavelength below which all are kept.
        high_freq_factor: f32,
        /// The context in tokens before it was extended.
        original_context: usize,
    },
    /// LongRoPE (arXiv:2402.13753): every frequency divided by a factor of its own, of a sequence
    /// within the original context by [`ModelConfig::rope_factors`], of a longer one by
    /// [`ModelConfig::long_rope_factors`]. A sequence that grows beyond it is computed anew.
    LongRope {
        /// Sines and cosines are multiplied by this, and attention scores so by its square.
        attention_factor: f32,
        /// The context in tokens before it was extended.
        original_context: usize,
    },
    /// YaRN (arXiv:2309.00071): a ramp over the pairs of a head, from kept to divided by `factor`.
    Yarn {
        /// Divisor of the low frequencies.
        factor: f32,
        /// Sines and cosines are multiplied by this, and attention scores so by its square.
        attention_factor: f32,
        /// Rotations within the original context from which on a frequency is kept.
        beta_fast: f32,
        /// Rotations within the original context up to which a frequency is divided.
        beta_slow: f32,
        /// The context in tokens before it was extended.
        original_context: usize,
        /// Whether the ends of the ramp are rounded outwards to whole pairs.
        truncate: bool,
    },
}

/// What QK-norm is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QkNorm {
    /// Each head by itself, all with one weight `[head_dim]`.
    EachHead,
    /// All heads of a row together.
    WholeRow,
}

/// The activation of gates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// `x / (1 + e⁻ˣ)`.
    Silu,
    /// GELU by the tangent.
    GeluTanh,
}

/// The validated dimensions of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelConfig {
    /// Family of the checkpoint.
    pub architecture: Architecture,
    /// Width of a token's hidden state.
    pub hidden_size: usize,
    /// Width inside the feed-forward block.
    pub intermediate_size: usize,
    /// Number of decoder layers.
    pub layers: usize,
    /// Number of query heads.
    pub heads: usize,
    /// Number of key and value heads; divides `heads`. Fewer than `heads` is grouped-query
    /// attention (GQA).
    pub kv_heads: usize,
    /// Width of a head; even.
    pub head_dim: usize,
    /// The first elements of a head that RoPE turns; even, at most `head_dim`.
    pub rotary_dim: usize,
    /// Number of experts of a feed-forward block; 0 for one that is none of several.
    pub experts: usize,
    /// How many of them a token is put to; from 1 to `experts` where there are any.
    pub experts_per_token: usize,
    /// Number of token ids.
    pub vocab_size: usize,
    /// Tokens that prompt and completion may have together.
    pub context_length: usize,
    /// Added to the mean square in RMSNorm.
    pub rms_norm_eps: f32,
    /// Base of the RoPE frequencies.
    pub rope_theta: f32,
    /// Scaling of the RoPE frequencies.
    pub rope_scaling: RopeScaling,
    /// RoPE factors, what each frequency is divided by beside that: `[rotary_dim / 2]`, positive:
    /// those of LongRoPE, or as GGUF files hold the scaling of LLaMA 3.1.
    pub rope_factors: Option<Vec<f32>>,
    /// The same of sequences beyond the original context of LongRoPE.
    pub long_rope_factors: Option<Vec<f32>>,
    /// Whether the output layer is the embedding table.
    pub tied: bool,
    /// The sliding window of each layer: how many of the latest positions a token sees, its own
    /// included; `None` for all.
    pub windows: Vec<Option<usize>>,
    /// Whether each layer is one with a window, also where the window is as long as the context.
    pub windowed: Vec<bool>,
    /// Whether the projections to queries, keys and values have biases.
    pub qkv_bias: bool,
    /// Whether the projection of what was attended to has a bias.
    pub attention_output_bias: bool,
    /// QK-norm: RMSNorm of queries and of keys before RoPE, where the family has it.
    pub qk_norm: Option<QkNorm>,
    /// What norms multiply by is their weight plus this.
    pub norm_offset: f32,
    /// The activation of gates.
    pub activation: Activation,
    /// Embeddings are multiplied by this.
    pub embedding_scale: Option<f32>,
    /// Scores of attention are multiplied by this; `None` for `1 / sqrt(head_dim)`.
    pub attention_scale: Option<f32>,
    /// Base of the RoPE frequencies of layers with a window, not scaled, where it is another.
    pub local_rope_theta: Option<f32>,
    /// Layers without RoPE, from 0.
    pub layers_without_rope: Vec<usize>,
    /// Whether the feed-forward projections have biases.
    pub mlp_bias: bool,
    /// Beginning-of-sequence token, where the configuration names one.
    pub bos_token_id: Option<u32>,
    /// Tokens that end a completion, ascending: those of `config.json`, of
    /// `generation_config.json` and of the tokenizer together.
    pub eos_token_ids: Vec<u32>,
    /// What the user should know about the configuration although it can be run.
    pub warnings: Vec<String>,
}

impl ModelConfig {
    /// Sets the divisors of the RoPE frequencies, `[rotary_dim / 2]`.
    ///
    /// # Errors
    /// [`ErrorKind::Weights`] when they are not as many as there are frequencies.
    pub(crate) fn set_rope_factors(&mut self, factors: Vec<f32>) -> Result<(), Error> {
        let (found, wanted) = (factors.len(), self.rotary_dim / 2);
        if found != wanted {
            let message = "the divisors of rotary frequencies do not fit the heads";
            let error = Error::new(ErrorKind::Weights, message);
            return Err(error.expected(wanted.to_string(), found.to_string()));
        }
        self.rope_factors = Some(factors);
        Ok(())
    }

    /// Length in tokens up to which RoPE does not depend on the length of a prompt.
    pub(crate) fn static_rope_length(&self) -> usize {
        match self.rope_scaling {
            RopeScaling::Dynamic {
                original_context, ..
            } => original_context,
            _ => self.restart_length().unwrap_or(self.context_length),
        }
    }

    /// Length in tokens beyond which all of a sequence is computed anew by other frequencies.
    pub(crate) fn restart_length(&self) -> Option<usize> {
        match self.rope_scaling {
            RopeScaling::LongRope {
                original_context, ..
            } => Some(original_context),
            _ => None,
        }
    }

    /// Which RoPE table a layer uses, `None` for none: see [`Ropes`](crate::rope::Ropes).
    pub(crate) fn layer_rope(&self, layer: usize) -> Option<usize> {
        let is_local = self.local_rope_theta.is_some() && self.windowed[layer];
        (!self.layers_without_rope.contains(&layer)).then_some(usize::from(is_local))
    }

    /// What queries are multiplied by before scores are divided by `sqrt(head_dim)`.
    pub(crate) fn query_factor(&self) -> Option<f32> {
        let scale = self.attention_scale?;
        Some(scale * (self.head_dim as f32).sqrt())
    }

    /// Width of all query heads together.
    pub(crate) fn query_width(&self) -> usize {
        self.heads * self.head_dim
    }

    /// Width of all key heads together, and of all value heads together.
    pub(crate) fn kv_width(&self) -> usize {
        self.kv_heads * self.head_dim
    }
}
