//! The files of a checkpoint: where they come from, whether they are whole, and how the names in them map to ours.
//!
//! Weights are memory-mapped, checked by name, shape and dtype before anything is computed, and then laid out once as
//! the panels of [`crate::kernels`], widened to f32 (see [`WeightDtype`](crate::WeightDtype)).

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use half::{bf16, f16};
use memmap2::Mmap;
use rayon::prelude::*;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use serde::Deserialize;

use crate::config::ModelConfig;
use crate::error::{Error, ErrorKind};
use crate::kernels::{LANES, Panels};
use crate::model::{Layer, Linear, Weights};

const SINGLE_FILE: &str = "model.safetensors";
const INDEX_FILE: &str = "model.safetensors.index.json";

/// Where the files of a checkpoint come from, in the layout that Hugging Face transformers writes.
#[derive(Clone, Debug)]
pub struct CheckpointFiles {
    source: Source,
}

#[derive(Clone, Debug)]
enum Source {
    Folder(PathBuf),
    Embedded { name: String, files: &'static [(&'static str, &'static [u8])] },
}

impl CheckpointFiles {
    /// A folder with `config.json`, `tokenizer.json`, and `model.safetensors` or its shards with their index;
    /// `generation_config.json` and `tokenizer_config.json` are read where present.
    ///
    /// # Errors
    /// [`ErrorKind::Missing`] or [`ErrorKind::Unsupported`] when a file is absent; the message says what to do where
    /// the checkpoint only has to be converted.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        let shown = dir.display().to_string();
        let missing = |message: &str| Err(Error::new(ErrorKind::Missing, message).in_file(&shown));
        if !dir.exists() {
            return missing("no such folder");
        }
        if !dir.is_dir() {
            return missing("not a folder; give the folder that holds config.json and model.safetensors");
        }
        let has = |name: &str| dir.join(name).is_file();
        if !has("config.json") {
            return match has("adapter_config.json") {
                true => missing("holds an adapter without its base model; merge it first with `merge_and_unload`"),
                false => missing("holds no config.json"),
            };
        }
        if !has("tokenizer.json") {
            let convert = format!(
                "convert it with transformers: AutoTokenizer.from_pretrained({shown:?}).save_pretrained({shown:?})"
            );
            return match has("tokenizer.model") {
                true => missing(&format!("holds tokenizer.model but no tokenizer.json; {convert}")),
                false => missing("holds no tokenizer.json"),
            };
        }
        if !has(SINGLE_FILE) && !has(INDEX_FILE) {
            let convert = format!(
                "convert it with transformers: AutoModelForCausalLM.from_pretrained({shown:?})\
                 .save_pretrained({shown:?}, safe_serialization=True)"
            );
            let pickled = std::fs::read_dir(dir).into_iter().flatten().flatten().any(|entry| {
                let name = entry.file_name().to_string_lossy().into_owned();
                name.starts_with("pytorch_model") && (name.ends_with(".bin") || name.ends_with(".bin.index.json"))
            });
            return match pickled {
                true => {
                    let message = format!("holds weights only as pytorch_model*.bin, which can run code; {convert}");
                    Err(Error::new(ErrorKind::Unsupported, message).in_file(&shown))
                }
                false => missing(&format!("holds no weights: neither {SINGLE_FILE} nor {INDEX_FILE}")),
            };
        }
        Ok(Self { source: Source::Folder(dir.to_path_buf()) })
    }

    /// A checkpoint in the binary itself: pairs of file name and content. `name` is shown in tables.
    pub fn embedded(name: &str, files: &'static [(&'static str, &'static [u8])]) -> Self {
        Self { source: Source::Embedded { name: name.to_string(), files } }
    }

    /// What to call the checkpoint: the folder's last part, or the name it was embedded under.
    pub(crate) fn name(&self) -> String {
        match &self.source {
            Source::Folder(dir) => {
                let whole = dir.canonicalize().unwrap_or_else(|_| dir.clone());
                whole.file_name().map_or_else(|| dir.display().to_string(), |name| name.to_string_lossy().into_owned())
            }
            Source::Embedded { name, .. } => name.clone(),
        }
    }

    /// A small file, or `None` where there is none.
    pub(crate) fn read(&self, name: &str) -> Result<Option<Cow<'static, [u8]>>, Error> {
        match &self.source {
            Source::Embedded { files, .. } => Ok(embedded_file(files, name).map(Cow::Borrowed)),
            Source::Folder(dir) => match std::fs::read(dir.join(name)) {
                Ok(bytes) => Ok(Some(Cow::Owned(bytes))),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(Error::new(ErrorKind::Io, format!("cannot be read: {error}")).in_file(name)),
            },
        }
    }

    /// A small file that must be there.
    pub(crate) fn require(&self, name: &str) -> Result<Cow<'static, [u8]>, Error> {
        self.read(name)?.ok_or_else(|| Error::new(ErrorKind::Missing, "no such file").in_file(name))
    }

    fn map(&self, name: &str) -> Result<FileBytes, Error> {
        let dir = match &self.source {
            Source::Embedded { files, .. } => {
                let bytes = embedded_file(files, name).map(FileBytes::Embedded);
                return bytes.ok_or_else(|| Error::new(ErrorKind::Missing, "no such file").in_file(name));
            }
            Source::Folder(dir) => dir,
        };
        let file = std::fs::File::open(dir.join(name)).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Error::new(ErrorKind::Missing, "no such file").in_file(name),
            _ => Error::new(ErrorKind::Io, format!("cannot be opened: {error}")).in_file(name),
        })?;
        // SAFETY: the mapping is only read, as plain bytes that are valid whatever they are. Another process must not
        // shorten the file while the model loads; that is the user's to guarantee, as for any memory-mapped checkpoint.
        let mapped = unsafe { Mmap::map(&file) };
        mapped
            .map(FileBytes::Mapped)
            .map_err(|error| Error::new(ErrorKind::Io, format!("cannot be mapped: {error}")).in_file(name))
    }

    /// The weight files in order of name.
    pub(crate) fn weights(&self) -> Result<WeightFiles, Error> {
        let names = match self.read(INDEX_FILE)? {
            // As in transformers, a single file wins over an index.
            Some(index) if !self.exists(SINGLE_FILE) => shard_names(&index)?,
            _ => BTreeSet::from([SINGLE_FILE.to_string()]),
        };
        let files = names.into_iter().map(|name| {
            let bytes = self.map(&name)?;
            Ok((name, bytes))
        });
        Ok(WeightFiles { files: files.collect::<Result<_, Error>>()? })
    }

    fn exists(&self, name: &str) -> bool {
        match &self.source {
            Source::Folder(dir) => dir.join(name).is_file(),
            Source::Embedded { files, .. } => embedded_file(files, name).is_some(),
        }
    }
}

fn embedded_file(files: &[(&str, &'static [u8])], name: &str) -> Option<&'static [u8]> {
    files.iter().find(|(file, _)| *file == name).map(|(_, bytes)| *bytes)
}

#[derive(Deserialize)]
struct ShardIndex {
    weight_map: BTreeMap<String, String>,
}

fn shard_names(index: &[u8]) -> Result<BTreeSet<String>, Error> {
    let failed = |message: String| Error::new(ErrorKind::Weights, message).in_file(INDEX_FILE);
    let index: ShardIndex =
        serde_json::from_slice(index).map_err(|error| failed(format!("cannot be understood: {error}")))?;
    let names: BTreeSet<String> = index.weight_map.into_values().collect();
    if names.is_empty() {
        return Err(failed("names no files".to_string()));
    }
    // A shard lies beside its index: anything else could read files that are none of the checkpoint's.
    let beside = |name: &String| name.ends_with(".safetensors") && !name.contains(['/', '\\', ':']);
    match names.iter().find(|name| !beside(name)) {
        Some(name) => Err(failed(format!("names the file {name:?}, which is not a safetensors file of this folder"))),
        None => Ok(names),
    }
}

enum FileBytes {
    Mapped(Mmap),
    Embedded(&'static [u8]),
}

impl Deref for FileBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(bytes) => bytes,
            Self::Embedded(bytes) => bytes,
        }
    }
}

/// The open weight files of a checkpoint.
pub(crate) struct WeightFiles {
    files: Vec<(String, FileBytes)>,
}

impl WeightFiles {
    /// BLAKE3 (hex) of the contents of all files one after another, in order of name.
    pub(crate) fn digest(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        self.files.iter().for_each(|(_, bytes)| {
            hasher.update(bytes);
        });
        hasher.finalize().to_hex().to_string()
    }

    /// Checks that the files hold exactly the tensors of such a model.
    ///
    /// # Errors
    /// [`ErrorKind::Weights`] naming file, tensor, what was expected and what was found.
    pub(crate) fn tensors(&self, config: &ModelConfig) -> Result<Tensors<'_>, Error> {
        let mut by_name: BTreeMap<String, Stored<'_>> = BTreeMap::new();
        for (file, bytes) in &self.files {
            let parsed = SafeTensors::deserialize(bytes).map_err(|error| {
                let message = format!("damaged or cut off: {error} ({} bytes)", bytes.len());
                Error::new(ErrorKind::Weights, message).in_file(file).caused_by(error)
            })?;
            for (name, view) in parsed.tensors() {
                if let Some(other) = by_name.get(&name) {
                    let message = format!("is also in {}", other.file);
                    return Err(Error::new(ErrorKind::Weights, message).in_file(file).of_tensor(name));
                }
                by_name.insert(name.clone(), Stored { file, name, view });
            }
        }
        let tensors = Tensors { by_name };
        tensors.check(config, self.files.first().map_or("", |(name, _)| name))?;
        Ok(tensors)
    }
}

/// A tensor as it lies in its file.
struct Stored<'a> {
    file: &'a str,
    name: String,
    view: TensorView<'a>,
}

impl Stored<'_> {
    fn error(&self, message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Weights, message).in_file(self.file).of_tensor(&self.name)
    }

    /// Writes elements `start..` to `write`, widened to f32.
    fn read(
        &self,
        start: usize,
        count: usize,
        rounding: Rounding,
        mut write: impl FnMut(usize, f32),
    ) -> Result<(), Error> {
        let size = self.view.dtype().bitsize() / 8;
        let bytes = &self.view.data()[start * size..][..count * size];
        let mut finite = true;
        let mut put = |index: usize, value: f32| {
            let value = match rounding {
                Rounding::None => value,
                Rounding::Bf16 => bf16::from_f32(value).to_f32(),
            };
            finite &= value.is_finite();
            write(index, value);
        };
        match self.view.dtype() {
            Dtype::F32 => {
                let values = bytes.as_chunks::<4>().0.iter();
                values.enumerate().for_each(|(index, bytes)| put(index, f32::from_le_bytes(*bytes)));
            }
            Dtype::BF16 => {
                let values = bytes.as_chunks::<2>().0.iter();
                values.enumerate().for_each(|(index, bytes)| put(index, bf16::from_le_bytes(*bytes).to_f32()));
            }
            _ => {
                let values = bytes.as_chunks::<2>().0.iter();
                values.enumerate().for_each(|(index, bytes)| put(index, f16::from_le_bytes(*bytes).to_f32()));
            }
        }
        if finite { Ok(()) } else { Err(self.error("holds a value that is not finite (NaN or infinity)")) }
    }
}

/// What happens to a weight between the file and the computation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rounding {
    /// Widened exactly.
    None,
    /// Rounded to the nearest bf16, then widened.
    Bf16,
}

/// The tensors of a checkpoint, known to be those of its configuration.
pub(crate) struct Tensors<'a> {
    by_name: BTreeMap<String, Stored<'a>>,
}

const EMBEDDING: &str = "model.embed_tokens.weight";
const OUTPUT: &str = "lm_head.weight";
const FINAL_NORM: &str = "model.norm.weight";

/// Name and shape of every tensor that a model of this configuration has.
fn expected_tensors(config: &ModelConfig) -> BTreeMap<String, Vec<usize>> {
    let hidden = config.hidden_size;
    let mut expected = BTreeMap::from([
        (EMBEDDING.to_string(), vec![config.vocab_size, hidden]),
        (FINAL_NORM.to_string(), vec![hidden]),
    ]);
    if !config.tied {
        expected.insert(OUTPUT.to_string(), vec![config.vocab_size, hidden]);
    }
    for layer in 0..config.layers {
        for norm in ["input_layernorm", "post_attention_layernorm"] {
            expected.insert(format!("model.layers.{layer}.{norm}.weight"), vec![hidden]);
        }
        for (block, projection, outputs, inputs, bias) in [
            ("self_attn", "q_proj", config.query_width(), hidden, config.attention_bias),
            ("self_attn", "k_proj", config.kv_width(), hidden, config.attention_bias),
            ("self_attn", "v_proj", config.kv_width(), hidden, config.attention_bias),
            ("self_attn", "o_proj", hidden, config.query_width(), config.attention_bias),
            ("mlp", "gate_proj", config.intermediate_size, hidden, config.mlp_bias),
            ("mlp", "up_proj", config.intermediate_size, hidden, config.mlp_bias),
            ("mlp", "down_proj", hidden, config.intermediate_size, config.mlp_bias),
        ] {
            expected.insert(format!("model.layers.{layer}.{block}.{projection}.weight"), vec![outputs, inputs]);
            if bias {
                expected.insert(format!("model.layers.{layer}.{block}.{projection}.bias"), vec![outputs]);
            }
        }
    }
    expected
}

impl Tensors<'_> {
    fn check(&self, config: &ModelConfig, first_file: &str) -> Result<(), Error> {
        let expected = expected_tensors(config);
        for (name, shape) in &expected {
            let Some(tensor) = self.by_name.get(name) else {
                let error = Error::new(ErrorKind::Weights, "is missing").in_file(first_file).of_tensor(name);
                return Err(error.expected(format!("shape {shape:?}"), "no tensor of that name"));
            };
            if tensor.view.shape() != shape {
                let found = format!("{:?}", tensor.view.shape());
                return Err(tensor.error("has the wrong shape").expected(format!("{shape:?}"), found));
            }
            if !matches!(tensor.view.dtype(), Dtype::F32 | Dtype::F16 | Dtype::BF16) {
                let found = format!("{:?}", tensor.view.dtype());
                return Err(tensor.error("has an unsupported dtype").expected("F32, F16 or BF16", found));
            }
        }
        for (name, tensor) in &self.by_name {
            // Buffers that transformers once saved and recomputes.
            let recomputed = name.ends_with(".rotary_emb.inv_freq");
            if expected.contains_key(name) || recomputed {
                continue;
            }
            if config.tied && name == OUTPUT {
                let embedding = &self.by_name[EMBEDDING];
                if tensor.view.data() != embedding.view.data() || tensor.view.dtype() != embedding.view.dtype() {
                    return Err(tensor.error(format!(
                        "differs from {EMBEDDING}, although config.json says that they are tied (tie_word_embeddings)"
                    )));
                }
                continue;
            }
            return Err(tensor.error("is not part of such a model"));
        }
        Ok(())
    }

    /// `f32`, `f16`, `bf16`, or `mixed`.
    pub(crate) fn dtype(&self) -> &'static str {
        let mut dtypes = self.by_name.values().filter(|tensor| !tensor.name.ends_with(".inv_freq"));
        let first = dtypes.next().map(|tensor| tensor.view.dtype());
        if dtypes.any(|tensor| Some(tensor.view.dtype()) != first) {
            return "mixed";
        }
        match first {
            Some(Dtype::F16) => "f16",
            Some(Dtype::BF16) => "bf16",
            _ => "f32",
        }
    }

    /// Number of weights; a tied output layer counts once.
    pub(crate) fn parameters(&self, config: &ModelConfig) -> usize {
        expected_tensors(config).values().map(|shape| shape.iter().product::<usize>()).sum()
    }

    /// Lays all weights out for computing.
    ///
    /// # Errors
    /// [`ErrorKind::Weights`] naming the tensor when a value is not finite.
    pub(crate) fn load(&self, config: &ModelConfig, rounding: Rounding, device: &Device) -> Result<Weights, Error> {
        let loader = Loader { tensors: self, rounding, device };
        let layers = (0..config.layers).map(|layer| {
            let attention = |projection: &str| format!("model.layers.{layer}.self_attn.{projection}");
            let feed_forward = |projection: &str| format!("model.layers.{layer}.mlp.{projection}");
            let norm = |norm: &str| loader.vector(&format!("model.layers.{layer}.{norm}.weight"));
            let (attention_bias, mlp_bias) = (config.attention_bias, config.mlp_bias);
            Ok(Layer {
                attention_norm: norm("input_layernorm")?,
                qkv: loader.linear(&["q_proj", "k_proj", "v_proj"].map(attention), attention_bias)?,
                attention_out: loader.linear(&[attention("o_proj")], attention_bias)?,
                feed_forward_norm: norm("post_attention_layernorm")?,
                gate_up: loader.linear(&["gate_proj", "up_proj"].map(feed_forward), mlp_bias)?,
                down: loader.linear(&[feed_forward("down_proj")], mlp_bias)?,
            })
        });
        Ok(Weights {
            embedding: loader.panels(&[EMBEDDING])?,
            layers: layers.collect::<Result<_, Error>>()?,
            final_norm: loader.vector(FINAL_NORM)?,
            output: if config.tied { None } else { Some(loader.panels(&[OUTPUT])?) },
        })
    }
}

struct Loader<'a> {
    tensors: &'a Tensors<'a>,
    rounding: Rounding,
    device: &'a Device,
}

impl Loader<'_> {
    fn stored(&self, name: &str) -> &Stored<'_> {
        self.tensors.by_name.get(name).expect("every expected tensor was checked to be there")
    }

    /// `[n]`, f32.
    fn vector(&self, name: &str) -> Result<Vec<f32>, Error> {
        let stored = self.stored(name);
        let mut values = vec![0.0; stored.view.shape()[0]];
        stored.read(0, values.len(), self.rounding, |index, value| values[index] = value)?;
        Ok(values)
    }

    /// Matrices over the same inputs, one below the other.
    fn linear(&self, names: &[String], bias: bool) -> Result<Linear, Error> {
        let weights: Vec<String> = names.iter().map(|name| format!("{name}.weight")).collect();
        let weight = self.panels(&weights.iter().map(String::as_str).collect::<Vec<_>>())?;
        let bias = match bias {
            true => Some(names.iter().map(|name| self.vector(&format!("{name}.bias"))).collect::<Result<Vec<_>, _>>()?),
            false => None,
        };
        Ok(Linear { weight, bias: bias.map(|parts| parts.concat()) })
    }

    /// Matrices over the same inputs, one below the other, as panels.
    fn panels(&self, names: &[&str]) -> Result<Panels, Error> {
        let parts: Vec<&Stored<'_>> = names.iter().map(|name| self.stored(name)).collect();
        let inputs = parts[0].view.shape()[1];
        let rows: Vec<(&Stored<'_>, usize)> =
            parts.iter().flat_map(|part| (0..part.view.shape()[0]).map(|row| (*part, row))).collect();
        let panel_count = rows.len().div_ceil(LANES);
        let mut panels = vec![0f32; panel_count * inputs * LANES];
        panels.par_chunks_mut(inputs * LANES).zip(rows.par_chunks(LANES)).try_for_each(|(panel, rows)| {
            rows.iter().enumerate().try_for_each(|(lane, (part, row))| {
                part.read(row * inputs, inputs, self.rounding, |index, value| panel[index * LANES + lane] = value)
            })
        })?;
        let tensor = Tensor::from_vec(panels, (panel_count, inputs, LANES), self.device)?;
        Ok(Panels::new(tensor, rows.len())?)
    }
}
