//! The families of checkpoints, as data: what each is called, what transformers takes where
//! `config.json` does not say, and which tensors its layers have.
//!
//! Numbers are those of the configuration classes of transformers 5.24; names in GGUF files those of
//! llama.cpp, `gguf-py/gguf/tensor_mapping.py`.

use crate::config::{Activation, ModelConfig, QkNorm};

/// A family of checkpoints that this crate can run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// `LlamaForCausalLM`.
    Llama,
    /// `MistralForCausalLM`.
    Mistral,
    /// `Qwen2ForCausalLM`: LLaMA with biases of queries, keys and values.
    Qwen2,
    /// `Qwen3ForCausalLM`: LLaMA with norms of queries and keys.
    Qwen3,
    /// `SmolLM3ForCausalLM`: LLaMA with some layers without RoPE.
    SmolLm3,
    /// `Olmo2ForCausalLM`: norms behind the blocks, and over all queries and all keys.
    Olmo2,
    /// `Phi3ForCausalLM`, of Phi-3 and Phi-4: one matrix for queries, keys and values and one for
    /// gates and ups; RoPE of a part of each head.
    Phi3,
    /// `Gemma3ForCausalLM`, the text model: norms before and behind the blocks, scaled embeddings,
    /// GeGLU, and RoPE of another base in layers with a window.
    Gemma3,
    /// `MixtralForCausalLM`: Mistral with a mixture of experts as its feed-forward block.
    Mixtral,
}

/// What there is to know of a family beside its computation.
pub(crate) struct Family {
    /// The class name that transformers gives it.
    pub(crate) class_name: &'static str,
    pub(crate) model_type: &'static str,
    /// Where `config.json` names none; `None` for as many as there are query heads.
    pub(crate) kv_heads: Option<u64>,
    /// Where `config.json` names none; `None` for `hidden_size / num_attention_heads`.
    pub(crate) head_dim: Option<u64>,
    /// Where `config.json` names none.
    pub(crate) context: u64,
    /// Where `config.json` names none.
    pub(crate) eos_token_ids: &'static [u32],
    pub(crate) rms_norm_eps: f64,
    pub(crate) rope_theta: f64,
    pub(crate) tied: bool,
    pub(crate) activation: Activation,
    pub(crate) biases: Biases,
    pub(crate) windows: Windows,
    /// Whether `layer_types` of `config.json` is heeded.
    pub(crate) heeds_layer_types: bool,
    pub(crate) qk_norm: Option<QkNorm>,
    /// What norms multiply by is their weight plus this.
    pub(crate) norm_offset: f32,
    /// Whether embeddings are multiplied by `sqrt(hidden_size)`.
    pub(crate) scales_embeddings: bool,
    /// Keys of `config.json` that change the computation and are known for this family alone.
    pub(crate) own_keys: &'static [&'static str],
    /// The tensors of a layer.
    pub(crate) layer: &'static [LayerSpec],
}

/// Which linear layers have biases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Biases {
    /// None, whatever `config.json` says.
    Never,
    /// Those of queries, keys and values.
    Qkv,
    /// Those of attention where `attention_bias` is true.
    Attention,
    /// The same, and those of the feed-forward block where `mlp_bias` is true.
    AttentionAndMlp,
}

/// Which layers have a sliding window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Windows {
    /// None.
    Never,
    /// All where `config.json` gives one; where it gives none this one, if any.
    All(Option<u64>),
    /// Those from `max_window_layers` on, where `use_sliding_window` is true.
    FromLayer,
    /// Those without RoPE, where `use_sliding_window` is true.
    WithoutRope,
    /// All but each `sliding_window_pattern`-th.
    Alternating,
}

/// What a tensor of a layer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The norm of what attention reads.
    AttentionNorm,
    /// Queries, keys and values: three matrices, or one.
    Qkv,
    QueryNorm,
    KeyNorm,
    AttentionOut,
    /// The norm of what attention adds.
    AttentionPostNorm,
    /// The norm of what the feed-forward block reads.
    FeedForwardNorm,
    /// Gates and ups: two matrices, or one.
    GateUp,
    Down,
    /// The norm of what the feed-forward block adds.
    FeedForwardPostNorm,
    /// The matrix by which experts are chosen.
    Router,
    /// Gates and ups of each expert.
    ExpertGateUp,
    ExpertDown,
}

/// Tensors of one role in a layer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LayerSpec {
    pub(crate) role: Role,
    /// What transformers calls them, behind `model.layers.N.` and before `.weight` or `.bias`; `*`
    /// stands for the number of an expert.
    pub(crate) names: &'static [&'static str],
    /// What they are called in GGUF files, behind `blk.N.`; those of experts lie there one behind the
    /// other in one tensor, `[experts, outputs, inputs]`.
    pub(crate) gguf: &'static [&'static str],
}

const fn spec(
    role: Role,
    names: &'static [&'static str],
    gguf: &'static [&'static str],
) -> LayerSpec {
    LayerSpec { role, names, gguf }
}

const ATTENTION_NORM: LayerSpec = spec(Role::AttentionNorm, &["input_layernorm"], &["attn_norm"]);
const QKV: LayerSpec = spec(
    Role::Qkv,
    &["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"],
    &["attn_q", "attn_k", "attn_v"],
);
const QUERY_NORM: LayerSpec = spec(Role::QueryNorm, &["self_attn.q_norm"], &["attn_q_norm"]);
const KEY_NORM: LayerSpec = spec(Role::KeyNorm, &["self_attn.k_norm"], &["attn_k_norm"]);
const ATTENTION_OUT: LayerSpec = spec(Role::AttentionOut, &["self_attn.o_proj"], &["attn_output"]);
const FEED_FORWARD_NORM: LayerSpec = spec(
    Role::FeedForwardNorm,
    &["post_attention_layernorm"],
    &["ffn_norm"],
);
const ATTENTION_POST_NORM: LayerSpec = spec(
    Role::AttentionPostNorm,
    &["post_attention_layernorm"],
    &["post_attention_norm"],
);
const FEED_FORWARD_POST_NORM: LayerSpec = spec(
    Role::FeedForwardPostNorm,
    &["post_feedforward_layernorm"],
    &["post_ffw_norm"],
);
const GATE_UP: LayerSpec = spec(
    Role::GateUp,
    &["mlp.gate_proj", "mlp.up_proj"],
    &["ffn_gate", "ffn_up"],
);
const DOWN: LayerSpec = spec(Role::Down, &["mlp.down_proj"], &["ffn_down"]);

/// The layers of LLaMA, Mistral, Qwen2 and SmolLM3.
const LLAMA_LAYER: &[LayerSpec] = &[
    ATTENTION_NORM,
    QKV,
    ATTENTION_OUT,
    FEED_FORWARD_NORM,
    GATE_UP,
    DOWN,
];

const LLAMA: Family = Family {
    class_name: "LlamaForCausalLM",
    model_type: "llama",
    kv_heads: None,
    head_dim: None,
    context: 2048,
    eos_token_ids: &[2],
    rms_norm_eps: 1e-6,
    rope_theta: 10_000.0,
    tied: false,
    activation: Activation::Silu,
    biases: Biases::AttentionAndMlp,
    windows: Windows::Never,
    heeds_layer_types: false,
    qk_norm: None,
    norm_offset: 0.0,
    scales_embeddings: false,
    own_keys: &[],
    layer: LLAMA_LAYER,
};

const MISTRAL: Family = Family {
    class_name: "MistralForCausalLM",
    model_type: "mistral",
    kv_heads: Some(8),
    context: 4096 * 32,
    biases: Biases::Never,
    windows: Windows::All(Some(4096)),
    ..LLAMA
};

const QWEN2: Family = Family {
    class_name: "Qwen2ForCausalLM",
    model_type: "qwen2",
    kv_heads: Some(32),
    context: 32_768,
    eos_token_ids: &[],
    biases: Biases::Qkv,
    windows: Windows::FromLayer,
    heeds_layer_types: true,
    ..LLAMA
};

const QWEN3: Family = Family {
    class_name: "Qwen3ForCausalLM",
    model_type: "qwen3",
    head_dim: Some(128),
    biases: Biases::Attention,
    qk_norm: Some(QkNorm::EachHead),
    layer: &[
        ATTENTION_NORM,
        QKV,
        QUERY_NORM,
        KEY_NORM,
        ATTENTION_OUT,
        FEED_FORWARD_NORM,
        GATE_UP,
        DOWN,
    ],
    ..QWEN2
};

const SMOLLM3: Family = Family {
    class_name: "SmolLM3ForCausalLM",
    model_type: "smollm3",
    kv_heads: Some(4),
    context: 32_768,
    eos_token_ids: &[128_001],
    rope_theta: 2_000_000.0,
    tied: true,
    windows: Windows::WithoutRope,
    heeds_layer_types: true,
    own_keys: &["no_rope_layers", "no_rope_layer_interval"],
    ..LLAMA
};

const OLMO2: Family = Family {
    class_name: "Olmo2ForCausalLM",
    model_type: "olmo2",
    eos_token_ids: &[50_279],
    rms_norm_eps: 1e-5,
    biases: Biases::Attention,
    qk_norm: Some(QkNorm::WholeRow),
    layer: &[
        QKV,
        QUERY_NORM,
        KEY_NORM,
        ATTENTION_OUT,
        ATTENTION_POST_NORM,
        GATE_UP,
        DOWN,
        FEED_FORWARD_POST_NORM,
    ],
    ..LLAMA
};

const PHI3: Family = Family {
    class_name: "Phi3ForCausalLM",
    model_type: "phi3",
    context: 4096,
    eos_token_ids: &[32_000],
    rms_norm_eps: 1e-5,
    biases: Biases::Never,
    windows: Windows::All(None),
    own_keys: &["partial_rotary_factor"],
    layer: &[
        ATTENTION_NORM,
        spec(Role::Qkv, &["self_attn.qkv_proj"], &["attn_qkv"]),
        ATTENTION_OUT,
        FEED_FORWARD_NORM,
        spec(Role::GateUp, &["mlp.gate_up_proj"], &["ffn_up"]),
        DOWN,
    ],
    ..LLAMA
};

const GEMMA3: Family = Family {
    class_name: "Gemma3ForCausalLM",
    model_type: "gemma3_text",
    kv_heads: Some(4),
    head_dim: Some(256),
    context: 131_072,
    eos_token_ids: &[1],
    rope_theta: 1_000_000.0,
    tied: true,
    activation: Activation::GeluTanh,
    biases: Biases::Attention,
    windows: Windows::Alternating,
    heeds_layer_types: true,
    qk_norm: Some(QkNorm::EachHead),
    norm_offset: 1.0,
    scales_embeddings: true,
    own_keys: &["query_pre_attn_scalar"],
    layer: &[
        ATTENTION_NORM,
        QKV,
        QUERY_NORM,
        KEY_NORM,
        ATTENTION_OUT,
        ATTENTION_POST_NORM,
        spec(
            Role::FeedForwardNorm,
            &["pre_feedforward_layernorm"],
            &["ffn_norm"],
        ),
        GATE_UP,
        DOWN,
        FEED_FORWARD_POST_NORM,
    ],
    ..LLAMA
};

const MIXTRAL: Family = Family {
    class_name: "MixtralForCausalLM",
    model_type: "mixtral",
    rms_norm_eps: 1e-5,
    rope_theta: 1_000_000.0,
    windows: Windows::All(None),
    own_keys: &["num_local_experts"],
    layer: &[
        ATTENTION_NORM,
        QKV,
        ATTENTION_OUT,
        FEED_FORWARD_NORM,
        spec(Role::Router, &["block_sparse_moe.gate"], &["ffn_gate_inp"]),
        spec(
            Role::ExpertGateUp,
            &[
                "block_sparse_moe.experts.*.w1",
                "block_sparse_moe.experts.*.w3",
            ],
            &["ffn_gate_exps", "ffn_up_exps"],
        ),
        spec(
            Role::ExpertDown,
            &["block_sparse_moe.experts.*.w2"],
            &["ffn_down_exps"],
        ),
    ],
    ..MISTRAL
};

impl Architecture {
    /// All of them.
    pub(crate) const ALL: [Self; 9] = [
        Self::Llama,
        Self::Mistral,
        Self::Qwen2,
        Self::Qwen3,
        Self::SmolLm3,
        Self::Olmo2,
        Self::Phi3,
        Self::Gemma3,
        Self::Mixtral,
    ];

    /// The class name that transformers gives it.
    pub fn class_name(self) -> &'static str {
        self.family().class_name
    }

    pub(crate) fn family(self) -> &'static Family {
        match self {
            Self::Llama => &LLAMA,
            Self::Mistral => &MISTRAL,
            Self::Qwen2 => &QWEN2,
            Self::Qwen3 => &QWEN3,
            Self::SmolLm3 => &SMOLLM3,
            Self::Olmo2 => &OLMO2,
            Self::Phi3 => &PHI3,
            Self::Gemma3 => &GEMMA3,
            Self::Mixtral => &MIXTRAL,
        }
    }
}

/// Name and shape of every tensor that a model has.
pub(crate) type TensorShapes = Vec<(String, Vec<usize>)>;

pub(crate) const EMBEDDING: &str = "model.embed_tokens.weight";
pub(crate) const OUTPUT: &str = "lm_head.weight";
pub(crate) const FINAL_NORM: &str = "model.norm.weight";

/// What the tensors of no layer are called in GGUF files and by transformers, without their kind.
pub(crate) const WHOLE: [(&str, &str); 3] = [
    ("token_embd", "model.embed_tokens"),
    ("output_norm", "model.norm"),
    ("output", "lm_head"),
];

/// What transformers calls the tensors of a role in a layer, and of an expert where the role is one
/// of experts, without their kind; `None` where the family has none.
pub(crate) fn names(
    architecture: Architecture,
    (layer, expert): (usize, usize),
    role: Role,
) -> Option<Vec<String>> {
    let mut specs = architecture.family().layer.iter();
    let spec = specs.find(|spec| spec.role == role)?;
    Some(spec.names_in(layer, expert))
}

impl LayerSpec {
    fn push_shapes(
        &self,
        config: &ModelConfig,
        (layer, expert): (usize, usize),
        shapes: &mut TensorShapes,
    ) {
        let outputs = self.role.outputs(config, self.names.len());
        for (name, outputs) in self.names_in(layer, expert).into_iter().zip(outputs) {
            let weight = match self.role.inputs(config) {
                Some(inputs) => vec![outputs, inputs],
                None => vec![outputs],
            };
            shapes.push((format!("{name}.weight"), weight));
            if self.role.has_bias(config) {
                shapes.push((format!("{name}.bias"), vec![outputs]));
            }
        }
    }

    fn names_in(&self, layer: usize, expert: usize) -> Vec<String> {
        let expert = expert.to_string();
        let name = |name: &&str| format!("model.layers.{layer}.{}", name.replace('*', &expert));
        self.names.iter().map(name).collect()
    }
}

/// Name and shape of every tensor of a model of this configuration.
pub(crate) fn tensor_shapes(config: &ModelConfig) -> TensorShapes {
    let hidden = config.hidden_size;
    let mut shapes = vec![
        (EMBEDDING.to_string(), vec![config.vocab_size, hidden]),
        (FINAL_NORM.to_string(), vec![hidden]),
    ];
    if !config.tied {
        shapes.push((OUTPUT.to_string(), vec![config.vocab_size, hidden]));
    }
    for layer in 0..config.layers {
        for spec in config.architecture.family().layer {
            let experts = match spec.role {
                Role::ExpertGateUp | Role::ExpertDown => config.experts,
                _ => 1,
            };
            for expert in 0..experts {
                spec.push_shapes(config, (layer, expert), &mut shapes);
            }
        }
    }
    shapes
}

impl Role {
    /// The lengths of so many vectors of this role, or the outputs of so many matrices.
    fn outputs(self, config: &ModelConfig, tensors: usize) -> Vec<usize> {
        let parts = match self {
            Self::Qkv => vec![config.query_width(), config.kv_width(), config.kv_width()],
            Self::GateUp | Self::ExpertGateUp => vec![config.intermediate_size; 2],
            Self::Router => vec![config.experts],
            Self::QueryNorm => vec![match config.qk_norm {
                Some(QkNorm::WholeRow) => config.query_width(),
                _ => config.head_dim,
            }],
            Self::KeyNorm => vec![match config.qk_norm {
                Some(QkNorm::WholeRow) => config.kv_width(),
                _ => config.head_dim,
            }],
            _ => vec![config.hidden_size],
        };
        match tensors == parts.len() {
            true => parts,
            // All in one.
            false => vec![parts.iter().sum()],
        }
    }

    /// The inputs of a matrix; `None` for a vector.
    fn inputs(self, config: &ModelConfig) -> Option<usize> {
        match self {
            Self::Qkv | Self::GateUp | Self::ExpertGateUp | Self::Router => {
                Some(config.hidden_size)
            }
            Self::AttentionOut => Some(config.query_width()),
            Self::Down | Self::ExpertDown => Some(config.intermediate_size),
            _ => None,
        }
    }

    /// Whether there are biases beside the matrices.
    pub(crate) fn has_bias(self, config: &ModelConfig) -> bool {
        match self {
            Self::Qkv => config.qkv_bias,
            Self::AttentionOut => config.attention_output_bias,
            Self::GateUp | Self::Down => config.mlp_bias,
            _ => false,
        }
    }
}
