//! Checkpoints in a GGUF file, the format of llama.cpp: read as what the same checkpoint would be
//! in the layout of Hugging Face transformers, so that everything behind is the same.
//!
//! [`container`] reads the file: metadata by key, tensors by name. [`settings`] turns metadata into
//! `config.json`, [`vocabulary`] into `tokenizer.json` (by the table of [`pre_tokenizers`]), and
//! [`tensor_names`] says what each tensor is called. [`description`] describes a file even where it
//! is refused.

mod container; // the file
mod description; // what a file says of itself
mod pre_tokenizers; // how texts are split, by name
mod settings; // metadata to config.json
mod tensor_names; // what tensors are called
mod vocabulary; // metadata to tokenizer.json

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use crate::config::ModelConfig;
use crate::error::{Error, ErrorKind};
use crate::tensor_source::{RowOrder, Stored, WeightFile};
use container::{Container, GgufTensor};

pub(crate) use description::{Facts, of_file as facts_of_file};

/// Rotary frequencies of LLaMA 3.1 and later come divided, pair by pair.
const ROPE_FACTORS: &str = "rope_freqs.weight";

/// The tensors that are settings.
const FACTORS: [&str; 3] = [
    ROPE_FACTORS,
    settings::LONGROPE_SHORT,
    settings::LONGROPE_LONG,
];

/// A checkpoint in one GGUF file, or in several that `llama-gguf-split` made of it.
#[derive(Debug)]
pub(crate) struct Gguf {
    /// The file's name without its ending, and of a split one without its number.
    pub(crate) name: String,
    /// In the order of their numbers; the first has the metadata.
    parts: Vec<Container>,
}

impl Gguf {
    /// Whether a file says that it is one.
    pub(crate) fn is_gguf(path: &Path) -> bool {
        container::has_magic(path)
    }

    /// Opens and checks the file, and those that belong to it. No weight is read.
    ///
    /// # Errors
    /// [`ErrorKind::Weights`] when it is damaged, [`ErrorKind::Unsupported`] when it holds what
    /// cannot be computed, [`ErrorKind::Missing`] when a part is absent.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let first = Container::open(path)?;
        let stem = path
            .file_stem()
            .map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
        let count = first.metadata.number("split.count")?.unwrap_or(1);
        if count <= 1 {
            return Ok(Self {
                name: stem,
                parts: vec![first],
            });
        }
        let (name, paths) = split_paths(path, &stem, count).ok_or_else(|| {
            Error::new(ErrorKind::Missing, SPLIT_NAMES).in_file(first.file_name())
        })?;
        if first.metadata.number("split.no")?.unwrap_or(0) != 0 {
            let first_part = paths[0].display();
            let message = format!("is not the first of {count} parts: give {first_part}");
            return Err(Error::new(ErrorKind::Missing, message).in_file(first.file_name()));
        }
        let mut parts = vec![first];
        for (number, path) in paths.iter().enumerate().skip(1) {
            let part = Container::open(path)?;
            // `split.no` counts from 0, the names of files from 1.
            if part.metadata.number("split.no")? != Some(number as u64) {
                let message = format!("is not part {} of {count}, as its name says", number + 1);
                return Err(Error::new(ErrorKind::Weights, message).in_file(part.file_name()));
            }
            parts.push(part);
        }
        let tensors: usize = parts.iter().map(|part| part.tensors.len()).sum();
        match parts[0].metadata.number("split.tensors.count")? {
            Some(expected) if expected != tensors as u64 => {
                let message =
                    "the parts together have another number of tensors than the first one says";
                let error = Error::new(ErrorKind::Weights, message).in_file(parts[0].file_name());
                Err(error.expected(expected.to_string(), tensors.to_string()))
            }
            _ => Ok(Self { name, parts }),
        }
    }

    /// A file of the layout of transformers, made of the metadata; `None` for those that are not
    /// needed.
    pub(crate) fn file(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let metadata = &self.parts[0].metadata;
        let content = match name {
            "config.json" => settings::config(self)?,
            "tokenizer.json" => vocabulary::tokenizer(metadata)?,
            "tokenizer_config.json" => vocabulary::tokenizer_config(metadata)?,
            _ => return Ok(None),
        };
        Ok(Some(content.to_string().into_bytes()))
    }

    /// What `tokenizer_config.json` would say of chat templates and of the special tokens that they
    /// write.
    pub(crate) fn template_config(&self) -> Result<Value, Error> {
        vocabulary::template_config(&self.parts[0].metadata)
    }

    /// What the user should know although the file can be run; of its tokenizer too, where that is
    /// the one in use.
    pub(crate) fn warnings(&self, own_tokenizer: bool) -> Result<Vec<String>, Error> {
        let metadata = &self.parts[0].metadata;
        let mut warnings = settings::warnings(metadata)?;
        if own_tokenizer {
            warnings.extend(vocabulary::warnings(metadata)?);
        }
        Ok(warnings)
    }

    /// The facts of the file beside those of every checkpoint.
    pub(crate) fn facts(&self) -> Facts {
        description::of_parts(&self.parts)
    }

    pub(crate) fn files(&self) -> Vec<Arc<WeightFile>> {
        self.parts
            .iter()
            .map(|part| Arc::clone(&part.file))
            .collect()
    }

    /// Name of the file with the metadata, for messages.
    pub(crate) fn file_name(&self) -> &str {
        self.parts[0].file_name()
    }

    /// All tensors of a model of this configuration, named and ordered as transformers does.
    ///
    /// # Errors
    /// [`ErrorKind::Weights`] when a tensor has another number of experts.
    pub(crate) fn tensors(&self, config: &ModelConfig) -> Result<Vec<Stored>, Error> {
        let interleaves = settings::interleaves(&self.parts[0].metadata);
        let entries = self
            .parts
            .iter()
            .flat_map(|part| part.tensors.iter().map(move |tensor| (part, tensor)));
        let entries = entries.filter(|(_, tensor)| !FACTORS.contains(&tensor.name.as_str()));
        let mut tensors = Vec::new();
        for (part, tensor) in entries {
            let name = tensor_names::transformers_name(config.architecture, &tensor.name);
            // Biases too: they are added before the rotation.
            let rotated = [".q_proj.", ".k_proj."]
                .iter()
                .any(|projection| name.contains(projection));
            let order = match interleaves && rotated {
                true => RowOrder::Interleaved {
                    head_dim: config.head_dim,
                },
                false => RowOrder::AsStored,
            };
            tensors.extend(by_expert(stored(part, tensor, name, order), config)?);
        }
        Ok(tensors)
    }

    /// Sets in a configuration what [`file`](Self::file) cannot say of it: frequencies that come
    /// divided, and norms whose weight is what they multiply by, in every family.
    ///
    /// # Errors
    /// [`ErrorKind::Weights`] when the divisors do not fit the heads.
    pub(crate) fn complete(&self, config: &mut ModelConfig) -> Result<(), Error> {
        config.norm_offset = 0.0;
        match self.factors(ROPE_FACTORS)? {
            Some(factors) => config.set_rope_factors(factors),
            None => Ok(()),
        }
    }

    /// The name in the file of a tensor of transformers; names of other tensors stay.
    pub(crate) fn stored_name(&self, name: &str) -> String {
        match settings::family(self) {
            Ok(family) => tensor_names::stored_name(family, name),
            Err(_) => name.to_string(),
        }
    }

    /// RoPE factors: what each frequency is divided by, `[rotary_dim / 2]`, f32.
    fn factors(&self, name: &str) -> Result<Option<Vec<f32>>, Error> {
        let Some((part, tensor)) = self.find(name) else {
            return Ok(None);
        };
        let factors = stored(part, tensor, tensor.name.clone(), RowOrder::AsStored);
        let values = factors.vector()?;
        match values.iter().find(|factor| **factor <= 0.0) {
            Some(factor) => Err(factors.error(format!(
                "holds {factor}, which no frequency can be divided by"
            ))),
            None => Ok(Some(values)),
        }
    }

    fn find(&self, name: &str) -> Option<(&Container, &GgufTensor)> {
        let mut parts = self.parts.iter();
        parts.find_map(|part| {
            part.tensors
                .iter()
                .find(|tensor| tensor.name == name)
                .map(|tensor| (part, tensor))
        })
    }
}

const SPLIT_NAMES: &str =
    "is one of several parts and not named like one: NAME-00001-of-00003.gguf";

/// The name that all parts have in common, and their paths.
fn split_paths(path: &Path, stem: &str, count: u64) -> Option<(String, Vec<PathBuf>)> {
    const MAX_PARTS: u64 = 99_999;
    let (name, numbers) =
        stem.split_at_checked(stem.len().checked_sub("-00001-of-00003".len())?)?;
    let (_, of) = numbers.strip_prefix('-')?.split_once("-of-")?;
    if of.parse() != Ok(count) || count > MAX_PARTS {
        return None;
    }
    let path_of =
        |number: u64| path.with_file_name(format!("{name}-{number:05}-of-{count:05}.gguf"));
    Some((name.to_string(), (1..=count).map(path_of).collect()))
}

fn stored(part: &Container, tensor: &GgufTensor, name: String, order: RowOrder) -> Stored {
    Stored {
        file: Arc::clone(&part.file),
        name,
        stored_name: tensor.name.clone(),
        storage: tensor.storage,
        shape: tensor.shape.clone(),
        range: tensor.range.clone(),
        order,
        change: None,
    }
}

/// The matrices of a tensor `[experts, outputs, inputs]` whose name has a `*` for the expert; any
/// other tensor as it is.
///
/// # Errors
/// [`ErrorKind::Weights`] when they are not as many as the metadata say.
fn by_expert(stored: Stored, config: &ModelConfig) -> Result<Vec<Stored>, Error> {
    if !stored.name.contains('*') {
        return Ok(vec![stored]);
    }
    let (outputs, inputs) = match *stored.shape.as_slice() {
        [experts, outputs, inputs] if experts == config.experts => (outputs, inputs),
        _ => {
            let wanted = format!("matrices of {} experts", config.experts);
            let found = format!("shape {:?}", stored.shape);
            return Err(stored.error("has the wrong shape").expected(wanted, found));
        }
    };
    let bytes = stored.range.len() / config.experts;
    let expert = |index: usize| {
        let start = stored.range.start + index * bytes;
        Stored {
            name: stored.name.replace('*', &index.to_string()),
            shape: vec![outputs, inputs],
            range: start..start + bytes,
            ..stored.clone()
        }
    };
    Ok((0..config.experts).map(expert).collect())
}
