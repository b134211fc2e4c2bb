//! How much memory the training takes, by arithmetic: an estimate.
//!
//! On each GPU lie
//!
//! * weights, gradients and AdamW's two moments. In mixed precision a trained parameter takes 16
//!   bytes (Rajbhandari et al., ZeRO, arXiv:1910.02054, section 3.1, K = 12), in bfloat16 throughout
//!   8, in float32 throughout 16; a frozen one the 2 of bfloat16. ZeRO-3 and FSDP divide all of that
//!   by the number of GPUs, and gather the weights of two layers at a time in bfloat16;
//! * activations, with gradient checkpointing: the input of every layer, and all intermediate values
//!   of the layer that is computed again, 2 bytes each (attention is computed block by block and
//!   keeps no scores);
//! * logits: 10 bytes for each token and word of the vocabulary (bfloat16, float32 and the gradient);
//! * 2 GiB for the CUDA context, communication and fragmentation.

use serde::Serialize;

/// Sizes of a model, as `config.json` has them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModelShape {
    /// Width of the residual stream.
    pub hidden: u64,
    /// Decoder layers.
    pub layers: u64,
    /// Attention heads.
    pub heads: u64,
    /// Heads of keys and values.
    pub kv_heads: u64,
    /// Width of a head.
    pub head_dim: u64,
    /// Width of the MLP; of an expert where there are some.
    pub intermediate: u64,
    /// Experts of a layer; 0 for a plain MLP.
    pub experts: u64,
    /// Words of the vocabulary.
    pub vocabulary: u64,
    /// Whether input and output embeddings are one tensor.
    pub tied: bool,
    /// Whether queries, keys and values have biases.
    pub qkv_bias: bool,
    /// Whether the output of the attention has one too.
    pub output_bias: bool,
    /// Whether queries and keys are normalized.
    pub qk_norm: bool,
}

impl ModelShape {
    fn query_width(&self) -> u64 {
        self.heads * self.head_dim
    }

    fn kv_width(&self) -> u64 {
        self.kv_heads * self.head_dim
    }

    /// Inputs and outputs of the linear layers of one decoder layer.
    fn linear(&self) -> Vec<(u64, u64)> {
        let (hidden, inner) = (self.hidden, self.intermediate);
        let mlp = [(hidden, inner), (hidden, inner), (inner, hidden)];
        let mut linear = vec![
            (hidden, self.query_width()),
            (hidden, self.kv_width()),
            (hidden, self.kv_width()),
            (self.query_width(), hidden),
        ];
        (0..self.experts.max(1)).for_each(|_| linear.extend(mlp));
        linear
    }

    /// Parameters of one decoder layer.
    pub fn layer_parameters(&self) -> u64 {
        let linear: u64 = self.linear().iter().map(|(from, to)| from * to).sum();
        let biases = match self.qkv_bias {
            true => self.query_width() + 2 * self.kv_width(),
            false => 0,
        };
        let output_bias = if self.output_bias { self.hidden } else { 0 };
        let norms = 2 * self.hidden + if self.qk_norm { 2 * self.head_dim } else { 0 };
        linear + biases + output_bias + norms + self.hidden * self.experts
    }

    /// Parameters of the whole model.
    pub fn parameters(&self) -> u64 {
        let embeddings = if self.tied { 1 } else { 2 };
        embeddings * self.vocabulary * self.hidden
            + self.layers * self.layer_parameters()
            + self.hidden
    }

    /// Parameters of adapters of this rank for the linear layers of attention and MLP.
    pub fn lora_parameters(&self, rank: u64) -> u64 {
        let widths: u64 = self.linear().iter().map(|(from, to)| from + to).sum();
        self.layers * rank * widths
    }

    /// Intermediate values of a layer for one token.
    fn values_of_layer(&self) -> u64 {
        // Two normalized inputs and two results; queries, keys, values and what attention gives;
        // gate, up, their product.
        4 * self.hidden + 2 * self.query_width() + 2 * self.kv_width() + 3 * self.intermediate
    }
}

/// How the state of a training is shared by devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Sharding {
    /// Each device has all of it.
    None,
    /// PyTorch's fully sharded data parallel.
    Fsdp,
    /// Stage 3 of DeepSpeed's ZeRO.
    Zero3,
}

/// Bytes that a parameter takes, and who shares them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    weight: u64,
    gradient: u64,
    optimizer: u64,
    frozen: u64,
    pub(crate) sharding: Sharding,
    context: u64,
}

/// CUDA context, communication, fragmentation.
const CONTEXT: u64 = 2 << 30;

impl Layout {
    /// Mixed precision; the split into weight and gradient is that of float32 weights under
    /// autocast, DeepSpeed has 2 + 2 + 12 in its place.
    pub(crate) fn mixed(sharding: Sharding) -> Self {
        let (weight, gradient, optimizer) = match sharding {
            Sharding::Zero3 => (2, 2, 12),
            _ => (4, 4, 8),
        };
        Self {
            weight,
            gradient,
            optimizer,
            frozen: 2,
            sharding,
            context: CONTEXT,
        }
    }

    /// bfloat16 throughout.
    pub(crate) fn bfloat16(sharding: Sharding) -> Self {
        Self {
            weight: 2,
            gradient: 2,
            optimizer: 4,
            frozen: 2,
            sharding,
            context: CONTEXT,
        }
    }

    /// float32 throughout, without a GPU.
    pub(crate) fn float32() -> Self {
        Self {
            frozen: 4,
            context: 0,
            ..Self::mixed(Sharding::None)
        }
    }

    /// Bytes of a trained parameter.
    fn trained(self) -> u64 {
        self.weight + self.gradient + self.optimizer
    }
}

/// What the memory is estimated of.
#[derive(Clone, Debug)]
pub(crate) struct Training {
    pub(crate) shape: ModelShape,
    pub(crate) layout: Layout,
    pub(crate) lora_rank: Option<usize>,
    pub(crate) devices: usize,
    pub(crate) per_device: usize,
    /// Tokens of a record, padded.
    pub(crate) tokens: usize,
}

/// Memory of each device in bytes, estimated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MemoryEstimate {
    /// Parameters of the model.
    pub parameters: u64,
    /// Parameters that are trained.
    pub trained: u64,
    /// Bytes of a trained parameter: weight, gradient, moments.
    pub bytes_per_trained: u64,
    /// Devices that share weights, gradients and moments.
    pub shared_by: u64,
    /// Weights, gradients and moments.
    pub state: u64,
    /// Weights of layers that are gathered to compute with.
    pub gathered: u64,
    /// Activations.
    pub activations: u64,
    /// Logits.
    pub logits: u64,
    /// CUDA context, communication and fragmentation.
    pub context: u64,
    /// All of it.
    pub total: u64,
}

impl MemoryEstimate {
    pub(crate) fn of(training: &Training) -> Self {
        let Training { shape, layout, .. } = training;
        let parameters = shape.parameters();
        let rank = training.lora_rank.map(|rank| rank as u64);
        let (trained, state) = match rank {
            None => (parameters, parameters * layout.trained()),
            Some(rank) => {
                let trained = shape.lora_parameters(rank);
                (
                    trained,
                    trained * layout.trained() + parameters * layout.frozen,
                )
            }
        };
        let shared_by = match layout.sharding {
            Sharding::None => 1,
            Sharding::Fsdp | Sharding::Zero3 => training.devices as u64,
        };
        const GATHERED_LAYERS: u64 = 2;
        let gathered = match layout.sharding {
            Sharding::None => 0,
            _ => GATHERED_LAYERS * 2 * shape.layer_parameters(),
        };
        let tokens = (training.per_device * training.tokens) as u64;
        let activations = 2 * tokens * (shape.layers * shape.hidden + shape.values_of_layer());
        let logits = 10 * tokens * shape.vocabulary;
        let state = state.div_ceil(shared_by);
        Self {
            parameters,
            trained,
            bytes_per_trained: layout.trained(),
            shared_by,
            state,
            gathered,
            activations,
            logits,
            context: layout.context,
            total: state + gathered + activations + logits + layout.context,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn llama_2_7b() -> ModelShape {
        ModelShape {
            hidden: 4096,
            layers: 32,
            heads: 32,
            kv_heads: 32,
            head_dim: 128,
            intermediate: 11008,
            experts: 0,
            vocabulary: 32000,
            tied: false,
            qkv_bias: false,
            output_bias: false,
            qk_norm: false,
        }
    }

    fn mistral_7b() -> ModelShape {
        ModelShape {
            kv_heads: 8,
            intermediate: 14336,
            ..llama_2_7b()
        }
    }

    /// The numbers of parameters that the checkpoints have.
    #[test]
    fn parameters_are_those_of_published_checkpoints() {
        assert_eq!(llama_2_7b().parameters(), 6_738_415_616);
        assert_eq!(mistral_7b().parameters(), 7_241_732_096);
        let mixtral = ModelShape {
            experts: 8,
            ..mistral_7b()
        };
        assert_eq!(mixtral.parameters(), 46_702_792_704);
        let qwen2_5_0_5b = ModelShape {
            hidden: 896,
            layers: 24,
            heads: 14,
            kv_heads: 2,
            head_dim: 64,
            intermediate: 4864,
            vocabulary: 151_936,
            tied: true,
            qkv_bias: true,
            ..llama_2_7b()
        };
        assert_eq!(qwen2_5_0_5b.parameters(), 494_032_768);
    }

    fn training(devices: usize, layout: Layout, lora_rank: Option<usize>) -> Training {
        Training {
            shape: llama_2_7b(),
            layout,
            lora_rank,
            devices,
            per_device: 1,
            tokens: 2048,
        }
    }

    #[test]
    fn eight_gpus_hold_an_eighth_of_the_state_each() {
        let one = MemoryEstimate::of(&training(1, Layout::mixed(Sharding::None), None));
        assert_eq!(one.state, 16 * 6_738_415_616);
        let eight = MemoryEstimate::of(&training(8, Layout::mixed(Sharding::Fsdp), None));
        assert_eq!(eight.state, one.state / 8);
        assert_eq!(eight.gathered, 4 * llama_2_7b().layer_parameters());
        let parts = [eight.state, eight.gathered, eight.activations, eight.logits];
        assert_eq!(eight.total, parts.iter().sum::<u64>() + eight.context);
        // A full fine-tuning of 7B does not fit one GPU of 80 GB, and does fit eight.
        assert!(one.total > 80_000_000_000 && eight.total < 40_000_000_000);
    }

    #[test]
    fn adapters_take_little_beside_the_frozen_weights() {
        let lora = MemoryEstimate::of(&training(1, Layout::mixed(Sharding::None), Some(16)));
        // The adapters that peft makes of rank 16 for all seven linear layers.
        assert_eq!(lora.trained, 39_976_960);
        assert_eq!(lora.state, 2 * 6_738_415_616 + 16 * 39_976_960);
        assert!(lora.total < 24_000_000_000, "{lora:?}");
    }
}
