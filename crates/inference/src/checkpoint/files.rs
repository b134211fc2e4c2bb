//! Where the files of a checkpoint come from, and opening them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Deref, Range};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use memmap2::Mmap;
use serde::Deserialize;

use crate::adapter::{self, Adapter};
use crate::error::{Error, ErrorKind};

const SINGLE_FILE: &str = "model.safetensors";
const INDEX_FILE: &str = "model.safetensors.index.json";

/// Where the files of a checkpoint come from, in the layout that Hugging Face transformers writes.
#[derive(Clone, Debug)]
pub struct CheckpointFiles {
    source: Source,
    /// Folder of an adapter to merge.
    adapter: Option<PathBuf>,
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
                true => missing(
                    "holds an adapter without its base model: give the base's folder, and this one as the adapter",
                ),
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
        Ok(Self { source: Source::Folder(dir.to_path_buf()), adapter: None })
    }

    /// A checkpoint in the binary itself: pairs of file name and content. `name` is shown in tables.
    pub fn embedded(name: &str, files: &'static [(&'static str, &'static [u8])]) -> Self {
        Self { source: Source::Embedded { name: name.to_string(), files }, adapter: None }
    }

    /// The same with a LoRA adapter merged into it: a folder with `adapter_config.json` and
    /// `adapter_model.safetensors`, as PEFT writes them.
    ///
    /// # Errors
    /// [`ErrorKind::Missing`] or [`ErrorKind::Unsupported`] when a file is absent.
    pub fn with_adapter(self, dir: &Path) -> Result<Self, Error> {
        let shown = dir.display().to_string();
        let has = |name: &str| dir.join(name).is_file();
        let refusal = if !dir.is_dir() {
            Some((ErrorKind::Missing, "no such folder"))
        } else if !has(adapter::CONFIG_FILE) {
            Some((ErrorKind::Missing, "holds no adapter_config.json"))
        } else if has(adapter::WEIGHTS_FILE) {
            None
        } else if has("adapter_model.bin") {
            let message = "holds its weights only as adapter_model.bin, which can run code; \
                           load it with peft and save it again with safe_serialization=True";
            Some((ErrorKind::Unsupported, message))
        } else {
            Some((ErrorKind::Missing, "holds no adapter_model.safetensors"))
        };
        match refusal {
            Some((kind, message)) => Err(Error::new(kind, message).in_file(&shown)),
            None => Ok(Self { adapter: Some(dir.to_path_buf()), ..self }),
        }
    }

    /// What to call the checkpoint without its adapter: the folder's last part, or the name it was embedded under.
    pub(super) fn base_name(&self) -> String {
        match &self.source {
            Source::Folder(dir) => last_part(dir),
            Source::Embedded { name, .. } => name.clone(),
        }
    }

    /// What to call the checkpoint: its base's name, then the adapter's.
    pub(super) fn name(&self) -> String {
        match &self.adapter {
            Some(adapter) => format!("{}+{}", self.base_name(), last_part(adapter)),
            None => self.base_name(),
        }
    }

    /// The adapter to merge, and BLAKE3 (hex) of its configuration and weights.
    pub(crate) fn adapter(&self) -> Result<Option<(Adapter, String)>, Error> {
        let Some(dir) = &self.adapter else { return Ok(None) };
        let files = Self { source: Source::Folder(dir.clone()), adapter: None };
        let (config, weights) = (files.require(adapter::CONFIG_FILE)?, files.map(adapter::WEIGHTS_FILE)?);
        let digest = blake3::Hasher::new().update(&config).update_rayon(&weights).finalize().to_hex().to_string();
        let weights = WeightFile { name: adapter::WEIGHTS_FILE.to_string(), bytes: weights };
        Ok(Some((Adapter::parse(&config, weights)?, digest)))
    }

    /// The files whose tokenizer goes with an adapter that has an embedding of its own: the adapter's, if it has one.
    pub(crate) fn of_adapter_tokenizer(&self) -> Self {
        match &self.adapter {
            Some(dir) if dir.join("tokenizer.json").is_file() => {
                Self { source: Source::Folder(dir.clone()), adapter: None }
            }
            _ => self.clone(),
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

fn last_part(dir: &Path) -> String {
    let whole = dir.canonicalize().unwrap_or_else(|_| dir.to_path_buf());
    whole.file_name().map_or_else(|| dir.display().to_string(), |name| name.to_string_lossy().into_owned())
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

pub(super) enum FileBytes {
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
pub(crate) struct WeightFile {
    pub(super) name: String,
    pub(super) bytes: FileBytes,
}

impl WeightFile {
    /// Tells the system that a part of the file need not stay in this process's memory.
    pub(super) fn forget(&self, range: Range<usize>) {
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
    pub(super) files: Vec<Arc<WeightFile>>,
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
}
