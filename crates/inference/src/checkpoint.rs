//! The files of a checkpoint: where they come from, whether they are whole, and how the names in
//! them map to ours.
//!
//! Weights are memory-mapped and checked by name, shape, dtype and value before anything is
//! computed. The first step computes from the mapped files; then the weights are packed as the
//! panels of [`crate::kernels`].

mod digest_cache; // digests of files that did not change
mod files; // where they come from
mod tensors; // tensors by name
mod upload; // tensors to weights on a device
mod weights; // tensors to weights
mod wrappers; // names of tensors as training tools leave them
mod written; // whether a checkpoint that is being written is all there

pub(crate) use files::WeightFiles;
pub use files::{CheckpointFiles, Origin, TemplateSource};
pub(crate) use tensors::Tensors;
pub(crate) use weights::{Prepack, WeightForm};
pub use written::{Stamp, Written, trained_steps};

use std::sync::Arc;

use crate::config::ModelConfig;
use crate::error::Error;
use crate::tokenizer::TextTokenizer;

/// A checkpoint whose files fit each other, an adapter's changes included; no weight has been read.
pub(crate) struct Checkpoint {
    pub(crate) name: String,
    pub(crate) config: ModelConfig,
    pub(crate) tokenizer: TextTokenizer,
    pub(crate) weight_files: WeightFiles,
    pub(crate) tensors: Tensors,
    pub(crate) config_digest: String,
    pub(crate) tokenizer_digest: String,
    pub(crate) adapter: Option<MergedAdapter>,
    /// Repositories and commits, by the names of facts.
    pub(crate) origin: Vec<(&'static str, String)>,
    /// Tokens that end a completion although the configuration does not name them: the token with
    /// who names it.
    pub(crate) added_eos: Vec<(u32, &'static str)>,
    /// What the user should know although the checkpoint can be run.
    pub(crate) warnings: Vec<String>,
}

/// What the manifest says of an adapter.
pub(crate) struct MergedAdapter {
    pub(crate) description: String,
    pub(crate) digest: String,
}

impl Checkpoint {
    /// One of the tiny checkpoints that tests have.
    #[cfg(test)]
    pub(crate) fn fixture(name: &str) -> Self {
        let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
        Self::open(&CheckpointFiles::open(&fixtures.join(name)).unwrap()).unwrap()
    }

    /// Tokens that only the chat template names as the end of a turn.
    pub(crate) fn turn_eos(&self) -> Arc<[u32]> {
        let added = self.added_eos.iter();
        let of_template = added.filter(|(_, source)| *source == OF_TEMPLATE);
        of_template.map(|(id, _)| *id).collect()
    }

    /// Opens and checks all files.
    ///
    /// # Errors
    /// Those of the files name the file, and the tensor or key; see
    /// [`ErrorKind`](crate::ErrorKind).
    pub(crate) fn open(files: &CheckpointFiles) -> Result<Self, Error> {
        Self::open_unlocated(files).map_err(|error| files.located(error))
    }

    fn open_unlocated(files: &CheckpointFiles) -> Result<Self, Error> {
        let config_json = files.require("config.json")?;
        let mut config = ModelConfig::parse(
            &config_json,
            files.read("generation_config.json")?.as_deref(),
        )?;
        let adapter = files.adapter()?;
        let mut warnings = config.warnings.clone();
        if let Some(gguf) = files.gguf() {
            warnings.extend(gguf.warnings(!files.has_other_tokenizer())?);
            gguf.complete(&mut config)?;
        }
        let mut adapter_has_embedding = false;
        if let Some((adapter, _)) = &adapter {
            adapter_has_embedding = adapter.has_embedding();
            if adapter_has_embedding {
                // Before the tokenizer is checked against it: the adapter may have added tokens.
                config.vocab_size = adapter.vocabulary().unwrap_or(config.vocab_size);
            }
            warnings.extend(adapter.warning(&files.base_name()));
        }
        let tokenizer_files = files.tokenizer(adapter_has_embedding)?;
        let tokenizer = TextTokenizer::load(&tokenizer_files, &config)?;
        warnings.extend_from_slice(tokenizer.warnings());
        let added_eos = added_eos(&config, &tokenizer, files.end_of_turn());
        warnings.extend(eos_warnings(&config, &tokenizer, &added_eos));
        config
            .eos_token_ids
            .extend(added_eos.iter().map(|(id, _)| id));
        config.eos_token_ids.sort_unstable();
        let weight_files = files.weights()?;
        let merged = adapter.as_ref().map(|(adapter, digest)| MergedAdapter {
            description: adapter.description.clone(),
            digest: digest.clone(),
        });
        let tensors = Tensors::of(&weight_files, &config, adapter.map(|(adapter, _)| adapter))?;
        warnings.extend(tensors.warning());
        // generation_config.json and tokenizer_config.json are in no digest: what they decide here,
        // EOS and BOS, stands in the manifest itself.
        let digest = |bytes: &[u8]| blake3::hash(bytes).to_hex().to_string();
        Ok(Self {
            name: files.name(),
            config_digest: digest(&config_json),
            tokenizer_digest: digest(&tokenizer_files.tokenizer),
            config,
            tokenizer,
            weight_files,
            tensors,
            adapter: merged,
            origin: files.origin_facts(),
            added_eos,
            warnings,
        })
    }
}

/// Who names a token that ends a turn.
const OF_TEMPLATE: &str = "the chat template's end of turn";

/// Tokens that end a completion beside those of the configuration, as in other engines (vLLM,
/// `LLMEngine`; llama.cpp, `llama_vocab_is_eog`): a model is trained to end with the token that its
/// tokenizer writes at the end.
fn added_eos(
    config: &ModelConfig,
    tokenizer: &TextTokenizer,
    end_of_turn: Option<&str>,
) -> Vec<(u32, &'static str)> {
    let named = [
        (tokenizer.eos(), "the tokenizer's eos_token"),
        (
            end_of_turn.and_then(|text| tokenizer.leading_special(text)),
            OF_TEMPLATE,
        ),
    ];
    let mut added: Vec<(u32, &str)> = Vec::new();
    for (id, source) in named {
        if let Some(id) = id
            && !config.eos_token_ids.contains(&id)
            && added.iter().all(|(other, _)| *other != id)
        {
            added.push((id, source));
        }
    }
    added
}

fn eos_warnings(
    config: &ModelConfig,
    tokenizer: &TextTokenizer,
    added: &[(u32, &str)],
) -> Vec<String> {
    let mut warnings = Vec::new();
    for (id, source) in added {
        let token = tokenizer.describe_token(*id);
        let named: Vec<String> = config
            .eos_token_ids
            .iter()
            .map(|&id| tokenizer.describe_token(id))
            .collect();
        let named = match named.is_empty() {
            true => "none".to_string(),
            false => named.join(", "),
        };
        warnings.push(format!(
            "{source} is {token}, and config.json and generation_config.json end a sequence with {named}: completions end at each of them"
        ));
    }
    if config.eos_token_ids.is_empty() && added.is_empty() {
        warnings.push(
            "neither config.json nor generation_config.json names an end-of-sequence token: completions end only at a \
             stop string or at their greatest length"
                .to_string(),
        );
    }
    if let Some(id) = config
        .eos_token_ids
        .iter()
        .find(|&&id| id as usize >= config.vocab_size)
    {
        warnings.push(format!(
            "the end-of-sequence token {id} is not below the vocabulary size {}",
            config.vocab_size
        ));
    }
    if tokenizer.appends_eos() {
        warnings.push("the tokenizer puts an end-of-sequence token after every prompt".to_string());
    }
    warnings
}
