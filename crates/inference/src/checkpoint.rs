//! The files of a checkpoint: where they come from, whether they are whole, and how the names in them map to ours.
//!
//! Weights are memory-mapped and checked by name, shape, dtype and value before anything is computed. The first step
//! computes from the files as they lie there; then the weights are laid out as the panels of [`crate::kernels`].

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::{Deref, Range};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use half::{bf16, f16};
use memmap2::Mmap;
use safetensors::SafeTensors;
use safetensors::tensor::Dtype;
use serde::Deserialize;

use crate::config::ModelConfig;
use crate::error::{Error, ErrorKind};
use crate::kernels::arithmetic::write_cells;
use crate::kernels::{Compute, Matrix, Precision, WeightRows};
use crate::model::{Layer, Weights};
use crate::ops::{Linear, gate_or_up, gate_up_outputs};
use crate::threads::Threads;

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

    /// BLAKE3 (hex) of a small file.
    pub(crate) fn digest(&self, name: &str) -> Result<String, Error> {
        Ok(blake3::hash(&self.require(name)?).to_hex().to_string())
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
            Ok(Arc::new(WeightFile { name, bytes }))
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

/// An open weight file.
struct WeightFile {
    name: String,
    bytes: FileBytes,
}

impl WeightFile {
    /// Tells the system that a part of the file need not stay in this process's memory.
    fn forget(&self, range: Range<usize>) {
        #[cfg(unix)]
        if let FileBytes::Mapped(map) = &self.bytes {
            // SAFETY: the mapping is of a file and only read, so that a page asked for again is the same again.
            // A failure costs memory and nothing else.
            let _ = unsafe { map.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, range.start, range.len()) };
        }
    }
}

/// The open weight files of a checkpoint.
pub(crate) struct WeightFiles {
    files: Vec<Arc<WeightFile>>,
}

impl WeightFiles {
    /// Size of all files.
    pub(crate) fn bytes(&self) -> usize {
        self.files.iter().map(|file| file.bytes.len()).sum()
    }

    /// BLAKE3 (hex) of the contents of all files one after another, in order of name.
    pub(crate) fn digest(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        self.files.iter().for_each(|file| {
            hasher.update_rayon(&file.bytes);
            file.forget(0..file.bytes.len());
        });
        hasher.finalize().to_hex().to_string()
    }

    /// Checks that the files hold exactly the tensors of such a model.
    ///
    /// # Errors
    /// [`ErrorKind::Weights`] naming file, tensor, what was expected and what was found.
    pub(crate) fn tensors(&self, config: &ModelConfig) -> Result<Tensors, Error> {
        let mut by_name: BTreeMap<String, Stored> = BTreeMap::new();
        for file in &self.files {
            let parsed = SafeTensors::deserialize(&file.bytes).map_err(|error| {
                let message = format!("damaged or cut off: {error} ({} bytes)", file.bytes.len());
                Error::new(ErrorKind::Weights, message).in_file(&file.name).caused_by(error)
            })?;
            for (name, view) in parsed.tensors() {
                if let Some(other) = by_name.get(&name) {
                    let message = format!("is also in {}", other.file.name);
                    return Err(Error::new(ErrorKind::Weights, message).in_file(&file.name).of_tensor(name));
                }
                let start = view.data().as_ptr().addr() - file.bytes.as_ptr().addr();
                let range = start..start + view.data().len();
                let (dtype, shape) = (view.dtype(), view.shape().to_vec());
                by_name.insert(name.clone(), Stored { file: Arc::clone(file), name, dtype, shape, range });
            }
        }
        let tensors = Tensors { by_name };
        tensors.check(config, self.files.first().map_or("", |file| &file.name))?;
        Ok(tensors)
    }
}

/// A tensor as it lies in its file.
#[derive(Clone)]
struct Stored {
    file: Arc<WeightFile>,
    name: String,
    dtype: Dtype,
    shape: Vec<usize>,
    /// Its bytes in the file.
    range: Range<usize>,
}

impl Stored {
    fn error(&self, message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Weights, message).in_file(&self.file.name).of_tensor(&self.name)
    }

    fn data(&self) -> &[u8] {
        &self.file.bytes[self.range.clone()]
    }

    /// The bytes of `width` elements from row `index` on.
    fn row_bytes(&self, index: usize, width: usize) -> &[u8] {
        let size = self.dtype.bitsize() / 8 * width;
        &self.data()[index * size..][..size]
    }

    /// Row `index` widened to f32; a vector is one row.
    fn row(&self, index: usize, rounding: Rounding, to: &mut [f32]) {
        let bytes = self.row_bytes(index, to.len());
        match self.dtype {
            Dtype::F32 => {
                let values = bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes));
                to.iter_mut().zip(values).for_each(|(to, value)| *to = value);
            }
            Dtype::BF16 => {
                let values = bytes.as_chunks::<2>().0.iter().map(|bytes| bf16::from_le_bytes(*bytes).to_f32());
                to.iter_mut().zip(values).for_each(|(to, value)| *to = value);
            }
            _ => {
                let values = bytes.as_chunks::<2>().0.iter().map(|bytes| f16::from_le_bytes(*bytes).to_f32());
                to.iter_mut().zip(values).for_each(|(to, value)| *to = value);
            }
        }
        if rounding == Rounding::Bf16 {
            to.iter_mut().for_each(|value| *value = bf16::from_f32(*value).to_f32());
        }
    }

    /// Row `index` as cells of a product.
    fn cells(&self, index: usize, rounding: Rounding, precision: Precision, to: &mut [u32]) {
        let width = self.shape[1];
        if precision == Precision::Bf16 && self.dtype == Dtype::BF16 && width.is_multiple_of(2) {
            let pairs = self.row_bytes(index, width).as_chunks::<4>().0;
            return to.iter_mut().zip(pairs).for_each(|(to, pair)| *to = u32::from_le_bytes(*pair));
        }
        let mut values = vec![0.0; width];
        self.row(index, rounding, &mut values);
        write_cells(precision, &values, to);
    }

    /// Checks that every value is a finite number, and stays one when it is rounded.
    fn check_finite(&self, rounding: Rounding, threads: &Threads) -> Result<(), Error> {
        let bytes = self.data();
        let sound = AtomicBool::new(true);
        threads.for_each(bytes.len().div_ceil(BYTES_CHECKED), |_, task| {
            let bytes = &bytes[task * BYTES_CHECKED..((task + 1) * BYTES_CHECKED).min(bytes.len())];
            if !all_finite(self.dtype, rounding, bytes) {
                sound.store(false, Ordering::Relaxed);
            }
        });
        if sound.into_inner() { Ok(()) } else { Err(self.error("holds a value that is not finite (NaN or infinity)")) }
    }
}

/// What the values of a tensor look like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    pub(crate) not_finite: usize,
    pub(crate) all_zero: bool,
}

impl Stored {
    fn look(&self, threads: &Threads) -> Look {
        let bytes = self.data();
        let (not_finite, not_zero) = (AtomicUsize::new(0), AtomicBool::new(false));
        threads.for_each(bytes.len().div_ceil(BYTES_CHECKED), |_, task| {
            let bytes = &bytes[task * BYTES_CHECKED..((task + 1) * BYTES_CHECKED).min(bytes.len())];
            if bytes.iter().any(|byte| *byte != 0) {
                not_zero.store(true, Ordering::Relaxed);
            }
            if !all_finite(self.dtype, Rounding::None, bytes) {
                let size = self.dtype.bitsize() / 8;
                let values = bytes.chunks_exact(size).filter(|value| !all_finite(self.dtype, Rounding::None, value));
                not_finite.fetch_add(values.count(), Ordering::Relaxed);
            }
        });
        Look { not_finite: not_finite.into_inner(), all_zero: !not_zero.into_inner() }
    }
}

/// Bytes that one task checks.
const BYTES_CHECKED: usize = 1 << 20;

/// Whether the values of a dtype in `bytes` are all finite, after rounding too.
fn all_finite(dtype: Dtype, rounding: Rounding, bytes: &[u8]) -> bool {
    let all_16_bits_below = |infinity: u16| {
        let values = bytes.as_chunks::<2>().0.iter().map(|bytes| u16::from_le_bytes(*bytes) & 0x7fff);
        values.fold(true, |sound, value| sound & (value < infinity))
    };
    match dtype {
        Dtype::F32 => {
            // From the latter on, bf16 rounds to infinity.
            let infinity = if rounding == Rounding::None { 0x7f80_0000 } else { 0x7f7f_8000 };
            let values = bytes.as_chunks::<4>().0.iter().map(|bytes| u32::from_le_bytes(*bytes) & 0x7fff_ffff);
            values.fold(true, |sound, value| sound & (value < infinity))
        }
        Dtype::BF16 => all_16_bits_below(0x7f80),
        _ => all_16_bits_below(0x7c00),
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
pub(crate) struct Tensors {
    by_name: BTreeMap<String, Stored>,
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
        if config.head_norms {
            for norm in ["q_norm", "k_norm"] {
                expected.insert(format!("model.layers.{layer}.self_attn.{norm}.weight"), vec![config.head_dim]);
            }
        }
        for (block, projection, outputs, inputs, bias) in [
            ("self_attn", "q_proj", config.query_width(), hidden, config.qkv_bias),
            ("self_attn", "k_proj", config.kv_width(), hidden, config.qkv_bias),
            ("self_attn", "v_proj", config.kv_width(), hidden, config.qkv_bias),
            ("self_attn", "o_proj", hidden, config.query_width(), config.attention_output_bias),
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

impl Tensors {
    fn check(&self, config: &ModelConfig, first_file: &str) -> Result<(), Error> {
        let expected = expected_tensors(config);
        for (name, shape) in &expected {
            let Some(tensor) = self.by_name.get(name) else {
                let error = Error::new(ErrorKind::Weights, "is missing").in_file(first_file).of_tensor(name);
                return Err(error.expected(format!("shape {shape:?}"), "no tensor of that name"));
            };
            if &tensor.shape != shape {
                let found = format!("{:?}", tensor.shape);
                return Err(tensor.error("has the wrong shape").expected(format!("{shape:?}"), found));
            }
            if !matches!(tensor.dtype, Dtype::F32 | Dtype::F16 | Dtype::BF16) {
                let found = format!("{:?}", tensor.dtype);
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
                if tensor.data() != embedding.data() || tensor.dtype != embedding.dtype {
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
        let first = dtypes.next().map(|tensor| tensor.dtype);
        if dtypes.any(|tensor| Some(tensor.dtype) != first) {
            return "mixed";
        }
        match first {
            Some(Dtype::F16) => "f16",
            Some(Dtype::BF16) => "bf16",
            _ => "f32",
        }
    }

    /// Whether all matrices are stored as bf16.
    pub(crate) fn matrices_are_bf16(&self) -> bool {
        self.by_name.values().all(|tensor| tensor.shape.len() != 2 || tensor.dtype == Dtype::BF16)
    }

    /// Memory that the weights take once they are laid out for computing; an embedding of its own stays in its file.
    pub(crate) fn packed_bytes(&self, config: &ModelConfig, precision: Precision) -> usize {
        let matrices = expected_tensors(config)
            .into_iter()
            .filter(|(name, shape)| shape.len() == 2 && (config.tied || name != EMBEDDING));
        matrices.map(|(_, shape)| shape[0] * precision.cells(shape[1]) * size_of::<u32>()).sum()
    }

    /// Number of weights; a tied output layer counts once.
    pub(crate) fn parameters(&self, config: &ModelConfig) -> usize {
        expected_tensors(config).values().map(|shape| shape.iter().product::<usize>()).sum()
    }

    /// What the values of each tensor look like, by name.
    pub(crate) fn look(&self, threads: &Threads) -> Vec<(String, Look)> {
        self.by_name.iter().map(|(name, tensor)| (name.clone(), tensor.look(threads))).collect()
    }

    /// Rows of the embedding that are zero or equal to another one.
    pub(crate) fn untrained_rows(&self) -> Vec<usize> {
        let Some(embedding) = self.by_name.get(EMBEDDING) else { return Vec::new() };
        let (rows, width) = (embedding.shape[0], embedding.shape[1]);
        let mut alike: HashMap<&[u8], Vec<usize>> = HashMap::new();
        for row in 0..rows {
            alike.entry(embedding.row_bytes(row, width)).or_default().push(row);
        }
        let is_zero = |bytes: &[u8]| bytes.iter().all(|byte| *byte == 0);
        let untrained = alike.into_iter().filter(|(bytes, rows)| rows.len() > 1 || is_zero(bytes));
        let mut untrained: Vec<usize> = untrained.flat_map(|(_, rows)| rows).collect();
        untrained.sort_unstable();
        untrained
    }

    /// Checks all values, and lays them out at once where `layout` says so.
    ///
    /// # Errors
    /// [`ErrorKind::Weights`] naming the tensor when a value is not finite.
    pub(crate) fn load(
        &self,
        config: &ModelConfig,
        rounding: Rounding,
        layout: Layout,
        compute: &Compute,
    ) -> Result<Weights, Error> {
        let loader = Loader { tensors: self, rounding, layout, compute };
        let layers = (0..config.layers).map(|layer| {
            let attention = |projection: &str| format!("model.layers.{layer}.self_attn.{projection}");
            let feed_forward = |projection: &str| format!("model.layers.{layer}.mlp.{projection}");
            let norm = |norm: &str| loader.vector(&format!("model.layers.{layer}.{norm}.weight"));
            let ModelConfig { qkv_bias, attention_output_bias, mlp_bias, head_norms, .. } = *config;
            let head_norms = head_norms.then_some(["self_attn.q_norm", "self_attn.k_norm"]);
            let head_norms = match head_norms.map(|names| names.map(norm)) {
                Some([queries, keys]) => Some([queries?, keys?]),
                None => None,
            };
            Ok(Layer {
                attention_norm: norm("input_layernorm")?,
                qkv: loader.stacked(&["q_proj", "k_proj", "v_proj"].map(attention), qkv_bias)?,
                head_norms,
                attention_out: loader.stacked(&[attention("o_proj")], attention_output_bias)?,
                feed_forward_norm: norm("post_attention_layernorm")?,
                gate_up: loader.gate_up(&["gate_proj", "up_proj"].map(feed_forward), mlp_bias)?,
                down: loader.stacked(&[feed_forward("down_proj")], mlp_bias)?,
            })
        });
        let (embedding, output) = if config.tied { (None, EMBEDDING) } else { (Some(EMBEDDING), OUTPUT) };
        let embedding = embedding.map(|name| loader.table(name)).transpose()?;
        let layers = layers.collect::<Result<_, Error>>()?;
        let output = loader.matrix(&[output], config.vocab_size, |output| Some((0, output)))?;
        let output = Linear { weight: output, bias: None };
        Ok(Weights { embedding, layers, final_norm: loader.vector(FINAL_NORM)?, output })
    }
}

/// When weights are laid out for computing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// While they are read: the memory cannot hold both forms.
    AtOnce,
    /// After the first step, which computes from the files.
    Later,
}

struct Loader<'a> {
    tensors: &'a Tensors,
    rounding: Rounding,
    layout: Layout,
    compute: &'a Compute,
}

impl Loader<'_> {
    fn stored(&self, name: &str) -> &Stored {
        self.tensors.by_name.get(name).expect("every expected tensor was checked to be there")
    }

    /// A tensor whose values are all finite.
    fn sound(&self, name: &str) -> Result<&Stored, Error> {
        let stored = self.stored(name);
        stored.check_finite(self.rounding, &self.compute.threads)?;
        Ok(stored)
    }

    /// `[n]`, f32.
    fn vector(&self, name: &str) -> Result<Vec<f32>, Error> {
        let stored = self.sound(name)?;
        let mut values = vec![0.0; stored.shape[0]];
        stored.row(0, self.rounding, &mut values);
        Ok(values)
    }

    /// A table whose rows are read where they are stored.
    fn table(&self, name: &str) -> Result<StoredTable, Error> {
        Ok(StoredTable { stored: self.sound(name)?.clone(), rounding: self.rounding })
    }

    /// Matrices over the same inputs, one below the other.
    fn stacked(&self, names: &[String], bias: bool) -> Result<Linear, Error> {
        let ends: Vec<usize> = names.iter().map(|name| self.stored(&format!("{name}.weight")).shape[0]).collect();
        let outputs = ends.iter().sum();
        self.linear(names, bias, outputs, move |mut output| {
            for (part, &rows) in ends.iter().enumerate() {
                if output < rows {
                    return Some((part, output));
                }
                output -= rows;
            }
            None
        })
    }

    /// Gates and ups in turn, as [`Gate`](crate::ops::Gate) wants them.
    fn gate_up(&self, names: &[String; 2], bias: bool) -> Result<Linear, Error> {
        let intermediate = self.stored(&format!("{}.weight", names[0])).shape[0];
        let source = move |output| gate_or_up(output, intermediate).map(|(is_up, row)| (usize::from(is_up), row));
        self.linear(names, bias, gate_up_outputs(intermediate), source)
    }

    /// A matrix and its bias, whose output `_` is a row of one of the named ones, or zero.
    fn linear(
        &self,
        names: &[String],
        bias: bool,
        outputs: usize,
        source: impl Fn(usize) -> Option<(usize, usize)> + Send + Sync + 'static,
    ) -> Result<Linear, Error> {
        let weights: Vec<String> = names.iter().map(|name| format!("{name}.weight")).collect();
        let weights: Vec<&str> = weights.iter().map(String::as_str).collect();
        let bias = match bias {
            false => None,
            true => {
                let parts = names.iter().map(|name| self.vector(&format!("{name}.bias")));
                let parts = parts.collect::<Result<Vec<_>, _>>()?;
                let value = |output| source(output).map_or(0.0, |(part, row): (usize, usize)| parts[part][row]);
                Some((0..outputs).map(value).collect())
            }
        };
        Ok(Linear { weight: self.matrix(&weights, outputs, source)?, bias })
    }

    fn matrix(
        &self,
        names: &[&str],
        outputs: usize,
        source: impl Fn(usize) -> Option<(usize, usize)> + Send + Sync + 'static,
    ) -> Result<Matrix, Error> {
        let parts = names.iter().map(|name| self.sound(name).cloned()).collect::<Result<Vec<_>, _>>()?;
        let Self { rounding, compute: Compute { threads, precision, .. }, .. } = *self;
        let shape = (outputs, parts[0].shape[1]);
        let matrix = Matrix::new(StoredRows { parts, source, rounding, precision: *precision }, *precision, shape);
        if self.layout == Layout::AtOnce {
            matrix.lay_out(threads)?;
        }
        Ok(matrix)
    }
}

/// The rows of a matrix in their files.
struct StoredRows<S> {
    parts: Vec<Stored>,
    /// The part and its row that an output is, `None` for zeros.
    source: S,
    rounding: Rounding,
    precision: Precision,
}

impl<S: Fn(usize) -> Option<(usize, usize)> + Send + Sync> WeightRows for StoredRows<S> {
    fn write(&self, output: usize, cells: &mut [u32]) {
        match (self.source)(output) {
            Some((part, row)) => self.parts[part].cells(row, self.rounding, self.precision, cells),
            None => cells.fill(0),
        }
    }

    fn forget(&self) {
        self.parts.iter().for_each(|part| part.file.forget(part.range.clone()));
    }
}

/// A table `[rows, width]` in its file, such as an embedding.
pub(crate) struct StoredTable {
    stored: Stored,
    rounding: Rounding,
}

impl StoredTable {
    /// Row `index`, `[width]`, f32.
    pub(crate) fn row(&self, index: usize, to: &mut [f32]) {
        self.stored.row(index, self.rounding, to);
    }
}
