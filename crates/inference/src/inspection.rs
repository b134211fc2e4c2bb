//! What the program reads from a checkpoint, and what looks wrong with it.

use std::path::Path;

use serde::Serialize;

use crate::checkpoint::{Checkpoint, CheckpointFiles};
use crate::config::{ModelConfig, QkNorm, RopeScaling};
use crate::error::Error;
use crate::gguf::{self, Gguf};
use crate::kernels::InstructionSet;
use crate::threads::Threads;
use crate::tokenizer::PromptKind;

/// A checkpoint as the program reads it.
#[derive(Clone, Debug, Serialize)]
pub struct Inspection {
    /// Names and values, in the order in which to show them.
    #[serde(serialize_with = "as_map")]
    pub facts: Vec<(&'static str, String)>,
    /// What looks wrong although the checkpoint can be run.
    pub warnings: Vec<String>,
    /// Why the checkpoint cannot be run.
    pub faults: Vec<String>,
}

fn as_map<S: serde::Serializer>(
    facts: &[(&'static str, String)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(facts.iter().map(|(key, value)| (key, value)))
}

impl Inspection {
    /// Reads all of a checkpoint.
    ///
    /// # Errors
    /// As those of [`LocalModel::load`](crate::LocalModel::load), but for values that are not
    /// finite, which become faults.
    pub fn of(files: &CheckpointFiles) -> Result<Self, Error> {
        let threads = Threads::start(None)?;
        let checkpoint = Checkpoint::open(files)?;
        let (config, tokenizer, tensors) = (
            &checkpoint.config,
            &checkpoint.tokenizer,
            &checkpoint.tensors,
        );
        let (precision, format) = (tensors.precision(), tensors.format());

        let ids: Vec<String> = config
            .eos_token_ids
            .iter()
            .map(|&id| tokenizer.describe_token(id))
            .collect();
        let windows: Vec<String> = runs(&config.windows)
            .into_iter()
            .map(describe_windows)
            .collect();
        let biases = [
            ("queries, keys, values", config.qkv_bias),
            ("attention output", config.attention_output_bias),
            ("feed-forward", config.mlp_bias),
        ];
        let biases: Vec<&str> = biases
            .into_iter()
            .filter(|(_, there)| *there)
            .map(|(name, _)| name)
            .collect();
        let yes_or_no = |yes: bool| if yes { "yes" } else { "no" }.to_string();
        let or = |text: String, none: &str| {
            if text.is_empty() {
                none.to_string()
            } else {
                text
            }
        };
        let mut facts = vec![
            ("name", checkpoint.name),
            ("architecture", config.architecture.class_name().to_string()),
            ("parameters", tensors.parameters(config).to_string()),
            ("dtype", tensors.dtype().to_string()),
            ("layers", config.layers.to_string()),
            ("hidden_size", config.hidden_size.to_string()),
            ("intermediate_size", config.intermediate_size.to_string()),
            (
                "heads",
                format!(
                    "{} of queries, {} of keys and values, width {}",
                    config.heads, config.kv_heads, config.head_dim
                ),
            ),
            ("head_norms", describe_qk_norm(config.qk_norm)),
            ("biases", or(biases.join("; "), "none")),
            ("tied_embeddings", yes_or_no(config.tied)),
            ("context_length", config.context_length.to_string()),
            (
                "positions",
                format!(
                    "rotary, base {}, {}",
                    config.rope_theta,
                    describe_scaling(config)
                ),
            ),
            ("window", windows.join("; ")),
            ("rms_norm_eps", config.rms_norm_eps.to_string()),
            (
                "vocabulary",
                format!(
                    "{} in the model, {} in the tokenizer",
                    config.vocab_size,
                    tokenizer.vocabulary()
                ),
            ),
            ("tokenizer", tokenizer.describe_kind()),
            ("bos", tokenizer.describe_bos(PromptKind::Plain)),
            ("eos", or(ids.join(", "), "none")),
            (
                "arithmetic",
                InstructionSet::best().describe(format, precision),
            ),
            ("weight_bytes", checkpoint.weight_files.bytes().to_string()),
            (
                "memory_bytes",
                tensors.packed_bytes(config, format).to_string(),
            ),
            // Not from the cache: an inspection tells what is there now.
            ("weights_digest", checkpoint.weight_files.digest(None)),
            ("config_digest", checkpoint.config_digest),
            ("tokenizer_digest", checkpoint.tokenizer_digest),
        ];
        facts.extend(files.gguf().map(Gguf::facts).unwrap_or_default());
        if let Some(adapter) = checkpoint.adapter {
            facts.extend([
                ("adapter", adapter.description),
                ("adapter_digest", adapter.digest),
            ]);
        }
        let mut warnings = checkpoint.warnings;
        let surplus = config.vocab_size - tokenizer.vocabulary().min(config.vocab_size);
        if surplus > 0 {
            warnings.push(format!(
                "{surplus} rows of the embedding belong to no token of the tokenizer"
            ));
        }
        let mut faults = Vec::new();
        for (tensor, value_stats) in tensors.value_stats(&threads) {
            if value_stats.not_finite > 0 {
                faults.push(format!(
                    "tensor `{tensor}`: {} values are not finite (NaN or infinity)",
                    value_stats.not_finite
                ));
            }
            if value_stats.all_zero {
                warnings.push(format!("tensor `{tensor}`: all values are zero"));
            }
        }
        let untrained = tensors
            .untrained_rows()
            .into_iter()
            // Rows beyond the tokenizer have a warning of their own.
            .filter(|&row| row < tokenizer.vocabulary());
        let untrained: Vec<String> = untrained
            .map(|row| tokenizer.describe_token(row as u32))
            .collect();
        if !untrained.is_empty() {
            let shown = untrained
                .iter()
                .take(MAX_TOKENS_NAMED)
                .cloned()
                .collect::<Vec<_>>()
                .join(", ");
            let more = if untrained.len() > MAX_TOKENS_NAMED {
                ", …"
            } else {
                ""
            };
            warnings.push(format!(
                "{} rows of the embedding look untrained (zero, or the same as another): {shown}{more}",
                untrained.len()
            ));
        }
        Ok(Self {
            facts,
            warnings,
            faults,
        })
    }

    /// What a GGUF file that is refused says of itself; the refusal becomes its one fault. `None`
    /// for other files, and where the header cannot be read.
    pub fn of_refused(path: &Path, refusal: &str) -> Option<Self> {
        let facts = if Gguf::is_gguf(path) {
            gguf::facts_of_file(path).ok()?
        } else {
            return None;
        };
        Some(Self {
            facts,
            warnings: Vec::new(),
            faults: vec![refusal.to_string()],
        })
    }
}

fn describe_qk_norm(norm: Option<QkNorm>) -> String {
    match norm {
        None => "no",
        Some(QkNorm::EachHead) => "yes",
        Some(QkNorm::WholeRow) => "yes, over all heads of a row",
    }
    .to_string()
}

/// Tokens that a warning names.
const MAX_TOKENS_NAMED: usize = 5;

fn describe_scaling(config: &ModelConfig) -> String {
    match config.rope_scaling {
        RopeScaling::Default if config.rope_factors.is_some() => {
            "each frequency divided by a factor of its own".to_string()
        }
        RopeScaling::Default => "not scaled".to_string(),
        RopeScaling::Linear { factor } => format!("linear scaling by {factor}"),
        RopeScaling::Dynamic {
            factor,
            original_context,
        } => {
            format!("dynamic scaling up to {factor} times {original_context} tokens")
        }
        RopeScaling::Llama3 {
            factor,
            low_freq_factor,
            high_freq_factor,
            original_context,
        } => format!(
            "llama3 scaling by {factor} from {original_context} tokens (low {low_freq_factor}, high {high_freq_factor})"
        ),
        RopeScaling::LongRope {
            attention_factor,
            original_context,
        } => format!(
            "longrope, other factors beyond {original_context} tokens (attention {attention_factor})"
        ),
        RopeScaling::Yarn {
            factor,
            attention_factor,
            beta_fast,
            beta_slow,
            original_context,
            ..
        } => format!(
            "yarn scaling by {factor} from {original_context} tokens (attention {attention_factor}, beta {beta_fast} to {beta_slow})"
        ),
    }
}

/// Equal neighbours together: first layer, last layer, window.
fn runs(windows: &[Option<usize>]) -> Vec<(usize, usize, Option<usize>)> {
    let mut runs: Vec<(usize, usize, Option<usize>)> = Vec::new();
    for (layer, &window) in windows.iter().enumerate() {
        match runs.last_mut() {
            Some((_, last, same)) if *same == window => *last = layer,
            _ => runs.push((layer, layer, window)),
        }
    }
    runs
}

fn describe_windows((first, last, window): (usize, usize, Option<usize>)) -> String {
    let seen = window.map_or_else(
        || "all positions".to_string(),
        |window| format!("the latest {window} positions"),
    );
    format!("layers {first} to {last} see {seen}")
}
