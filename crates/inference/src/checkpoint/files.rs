//! Where the files of a checkpoint come from, and opening them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;

use super::digest_cache;
use crate::adapter::{self, Adapter};
use crate::config::ModelConfig;
use crate::error::{Error, ErrorKind};
use crate::gguf::Gguf;
use crate::small_file::{LFS_POINTER, missing_file, parse_json, read_small, refuse_lfs_pointer};
use crate::tensor_source::{Stored, WeightFile};
use crate::tokenizer::{TOKENIZER_CONFIG_FILE, TOKENIZER_FILE, TokenizerFiles};

pub(super) const SINGLE_FILE: &str = "model.safetensors";
pub(super) const INDEX_FILE: &str = "model.safetensors.index.json";

/// Where the files of a checkpoint come from: the layout that Hugging Face transformers writes, or
/// a GGUF file.
#[derive(Clone, Debug)]
pub struct CheckpointFiles {
    source: Source,
    /// Folder of an adapter to merge.
    adapter: Option<PathBuf>,
    /// A `tokenizer.json` in place of the checkpoint's, or the folder with it.
    tokenizer: Option<PathBuf>,
    /// What the chat template writes behind an assistant's words.
    end_of_turn: Option<String>,
    /// The repositories that checkpoint and adapter are from.
    origins: [Option<Origin>; 2],
}

/// A commit of a repository, of which a folder is a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Its name, which tables show, such as `org/name`.
    pub repository: String,
    /// The commit's id.
    pub commit: String,
}

#[derive(Clone, Debug)]
enum Source {
    Folder(PathBuf),
    Embedded {
        name: String,
        files: &'static [(&'static str, &'static [u8])],
    },
    Gguf(Arc<Gguf>),
}

impl CheckpointFiles {
    /// A folder with `config.json`, `tokenizer.json`, and `model.safetensors` or its shards with
    /// their index, where `generation_config.json` and `tokenizer_config.json` are read too; or a
    /// GGUF file, or the first part of one.
    ///
    /// # Errors
    /// [`ErrorKind::Missing`] or [`ErrorKind::Unsupported`] when a file is absent; the message says
    /// what to do where the checkpoint only has to be converted. Those of [`ErrorKind::Weights`]
    /// when a GGUF file is damaged.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let shown = path.display().to_string();
        let missing = |message: &str| Err(Error::new(ErrorKind::Missing, message).in_file(&shown));
        if path.is_dir() {
            return Self::in_folder(path, None);
        }
        if !path.exists() {
            return missing("no such file or folder");
        }
        if !Gguf::is_gguf(path) {
            refuse_lfs_pointer(&head(path), &shown)?;
            return missing(
                "not a GGUF file, and not a folder that holds config.json and model.safetensors",
            );
        }
        Ok(Self {
            source: Source::Gguf(Arc::new(Gguf::open(path)?)),
            adapter: None,
            tokenizer: None,
            end_of_turn: None,
            origins: [None, None],
        })
    }

    /// The same, with another tokenizer: a `tokenizer.json` (with the `tokenizer_config.json`
    /// beside it), or the folder that holds it. The checkpoint itself then needs none.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_with_tokenizer(path: &Path, tokenizer: &Path) -> Result<Self, Error> {
        let json = if tokenizer.is_dir() {
            tokenizer.join("tokenizer.json")
        } else {
            tokenizer.to_path_buf()
        };
        if !json.is_file() {
            return Err(
                Error::new(ErrorKind::Missing, "no such file").in_file(json.display().to_string())
            );
        }
        match path.is_dir() {
            true => Self::in_folder(path, Some(json)),
            false => Ok(Self {
                tokenizer: Some(json),
                ..Self::open(path)?
            }),
        }
    }

    fn in_folder(dir: &Path, tokenizer: Option<PathBuf>) -> Result<Self, Error> {
        let shown = dir.display().to_string();
        let missing = |message: &str| Err(Error::new(ErrorKind::Missing, message).in_file(&shown));
        let has = |name: &str| dir.join(name).is_file();
        if !has("config.json") {
            if has("adapter_config.json") {
                return missing(
                    "holds an adapter without its base model: give the base's folder, and this one as the adapter",
                );
            }
            let inside = std::fs::read_dir(dir)
                .into_iter()
                .flatten()
                .flatten()
                .map(|entry| entry.path());
            let mut ggufs: Vec<PathBuf> = inside
                .filter(|path| path.extension().is_some_and(|end| end == "gguf"))
                .collect();
            ggufs.sort();
            return match ggufs.first() {
                Some(gguf) => missing(&format!(
                    "holds no config.json; for a GGUF file give the file: {}",
                    gguf.display()
                )),
                None => missing("holds no config.json"),
            };
        }
        if !has("tokenizer.json") && tokenizer.is_none() {
            let convert = format!(
                "convert it with transformers: AutoTokenizer.from_pretrained({shown:?}).save_pretrained({shown:?})"
            );
            return match has("tokenizer.model") {
                true => missing(&format!(
                    "holds tokenizer.model but no tokenizer.json; {convert}"
                )),
                false => missing("holds no tokenizer.json"),
            };
        }
        if !has(SINGLE_FILE) && !has(INDEX_FILE) && shards_without_index(dir)?.is_none() {
            let convert = format!(
                "convert it with transformers: AutoModelForCausalLM.from_pretrained({shown:?})\
                 .save_pretrained({shown:?}, safe_serialization=True)"
            );
            let pickled = std::fs::read_dir(dir)
                .into_iter()
                .flatten()
                .flatten()
                .any(|entry| {
                    let name = entry.file_name().to_string_lossy().into_owned();
                    name.starts_with("pytorch_model")
                        && (name.ends_with(".bin") || name.ends_with(".bin.index.json"))
                });
            return match pickled {
                true => {
                    let message = format!(
                        "holds weights only as pytorch_model*.bin, which can run code; {convert}"
                    );
                    Err(Error::new(ErrorKind::Unsupported, message).in_file(&shown))
                }
                false => missing(&format!(
                    "holds no weights: neither {SINGLE_FILE} nor {INDEX_FILE}"
                )),
            };
        }
        Ok(Self {
            source: Source::Folder(dir.to_path_buf()),
            adapter: None,
            tokenizer,
            end_of_turn: None,
            origins: [None, None],
        })
    }

    /// A checkpoint in the binary itself: pairs of file name and content. `name` is shown in
    /// tables.
    pub fn embedded(name: &str, files: &'static [(&'static str, &'static [u8])]) -> Self {
        Self {
            source: Source::Embedded {
                name: name.to_string(),
                files,
            },
            adapter: None,
            tokenizer: None,
            end_of_turn: None,
            origins: [None, None],
        }
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
            None => Ok(Self {
                adapter: Some(dir.to_path_buf()),
                ..self
            }),
        }
    }

    /// The same with the repositories that the checkpoint's folder and the adapter's are copies of:
    /// they are named in place of the folders.
    pub fn with_origins(self, checkpoint: Option<Origin>, adapter: Option<Origin>) -> Self {
        Self {
            origins: [checkpoint, adapter],
            ..self
        }
    }

    /// Repository and commit of the checkpoint and of the adapter, by the names of facts.
    pub(crate) fn origin_facts(&self) -> Vec<(&'static str, String)> {
        let names = [
            ["repository", "commit"],
            ["adapter_repository", "adapter_commit"],
        ];
        let known = self.origins.iter().zip(names);
        let facts = known.filter_map(|(origin, [repository, commit])| {
            let origin = origin.as_ref()?;
            Some([
                (repository, origin.repository.clone()),
                (commit, origin.commit.clone()),
            ])
        });
        facts.flatten().collect()
    }

    /// The same with what its chat template writes behind an assistant's words: where that begins
    /// with a special token, completions end there too.
    pub fn with_end_of_turn(self, end_of_turn: Option<String>) -> Self {
        Self {
            end_of_turn,
            ..self
        }
    }

    pub(super) fn end_of_turn(&self) -> Option<&str> {
        self.end_of_turn.as_deref()
    }

    /// What to call the checkpoint without its adapter: its repository, else the folder's last part,
    /// or the name it was embedded under.
    pub(super) fn base_name(&self) -> String {
        if let Some(origin) = &self.origins[0] {
            return origin.repository.clone();
        }
        match &self.source {
            Source::Folder(dir) => last_part(dir),
            Source::Embedded { name, .. } => name.clone(),
            Source::Gguf(gguf) => gguf.name.clone(),
        }
    }

    /// What to call the checkpoint: its base's name, then the adapter's.
    pub(super) fn name(&self) -> String {
        match (&self.adapter, &self.origins[1]) {
            (Some(_), Some(origin)) => format!("{}+{}", self.base_name(), origin.repository),
            (Some(adapter), None) => format!("{}+{}", self.base_name(), last_part(adapter)),
            (None, _) => self.base_name(),
        }
    }

    /// The adapter to merge, and BLAKE3 (hex) of its configuration and weights.
    pub(crate) fn adapter(&self) -> Result<Option<(Adapter, String)>, Error> {
        let Some(dir) = &self.adapter else {
            return Ok(None);
        };
        let (config, weights) = (
            dir.join(adapter::CONFIG_FILE),
            WeightFile::map(&dir.join(adapter::WEIGHTS_FILE))?,
        );
        let config = read_small(&config, adapter::CONFIG_FILE)?;
        let config = config.ok_or_else(|| missing_file(adapter::CONFIG_FILE))?;
        let hash = |config: &[u8]| {
            blake3::Hasher::new()
                .update(config)
                .update_rayon(&weights.bytes)
                .finalize()
        };
        let digest = hash(&config).to_hex().to_string();
        Ok(Some((Adapter::parse(&config, weights)?, digest)))
    }

    /// `tokenizer.json` and, where there is one, `tokenizer_config.json`: those that the user gave,
    /// else those of an adapter with an embedding of its own, else the checkpoint's.
    pub(crate) fn tokenizer(&self, adapter_has_embedding: bool) -> Result<TokenizerFiles, Error> {
        let adapted = self
            .adapter
            .as_ref()
            .filter(|_| adapter_has_embedding)
            .map(|dir| dir.join(TOKENIZER_FILE));
        match self
            .tokenizer
            .clone()
            .or(adapted.filter(|json| json.is_file()))
        {
            Some(json) => TokenizerFiles::open(&json),
            None => Ok(TokenizerFiles {
                tokenizer: self.require(TOKENIZER_FILE)?,
                config: self.read(TOKENIZER_CONFIG_FILE)?,
            }),
        }
    }

    /// Whether the user gave a tokenizer in place of the checkpoint's own.
    pub(crate) fn has_other_tokenizer(&self) -> bool {
        self.tokenizer.is_some()
    }

    /// Where a chat template may be, what counts first first: the adapter's folder, that of a
    /// tokenizer that was given, the checkpoint.
    ///
    /// # Errors
    /// [`ErrorKind::Weights`] or [`ErrorKind::Tokenizer`] when a GGUF file is damaged.
    pub fn template_sources(&self) -> Result<Vec<TemplateSource>, Error> {
        let given = self.tokenizer.as_deref().map(|json| match json.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_path_buf(),
            _ => PathBuf::from("."),
        });
        let folders = self.adapter.iter().cloned().chain(given);
        let mut sources: Vec<TemplateSource> = folders.map(TemplateSource::Folder).collect();
        sources.push(match &self.source {
            Source::Folder(dir) => TemplateSource::Folder(dir.clone()),
            Source::Embedded { name, files } => {
                let files = files
                    .iter()
                    .filter(|(file, _)| !file.ends_with(".safetensors"));
                let files = files.map(|(file, bytes)| ((*file).to_string(), bytes.to_vec()));
                TemplateSource::Files {
                    place: name.clone(),
                    files: files.collect(),
                }
            }
            Source::Gguf(gguf) => {
                let config = gguf.template_config()?.to_string().into_bytes();
                let place = gguf.file_name().to_string();
                TemplateSource::Files {
                    place,
                    files: vec![(TOKENIZER_CONFIG_FILE.to_string(), config)],
                }
            }
        });
        Ok(sources)
    }

    /// A small file, or `None` where there is none.
    pub(crate) fn read(&self, name: &str) -> Result<Option<Cow<'static, [u8]>>, Error> {
        match &self.source {
            Source::Embedded { files, .. } => Ok(embedded_file(files, name).map(Cow::Borrowed)),
            Source::Folder(dir) => Ok(read_small(&dir.join(name), name)?.map(Cow::Owned)),
            Source::Gguf(gguf) => Ok(gguf.file(name)?.map(Cow::Owned)),
        }
    }

    /// A small file that must be there.
    pub(crate) fn require(&self, name: &str) -> Result<Cow<'static, [u8]>, Error> {
        self.read(name)?.ok_or_else(|| missing_file(name))
    }

    /// An error about a file of the layout of transformers as one about the file that the user has.
    pub(crate) fn located(&self, error: Error) -> Error {
        let of_tokenizer = error.file() == Some(TOKENIZER_FILE);
        if let Some(given) = self.tokenizer.as_ref().filter(|_| of_tokenizer) {
            return error.in_file(given.display().to_string());
        }
        match (&self.source, error.file()) {
            (Source::Gguf(gguf), Some(file)) if file == "config.json" || file == TOKENIZER_FILE => {
                let place = format!("{}, read as {file}", gguf.file_name());
                error.in_file(place)
            }
            (Source::Gguf(gguf), _) => match error.tensor().map(|name| gguf.stored_name(name)) {
                Some(tensor) => error.of_tensor(tensor),
                None => error,
            },
            _ => error,
        }
    }

    /// What only a GGUF file says: divisors of rotary frequencies, and warnings.
    pub(crate) fn gguf(&self) -> Option<&Gguf> {
        match &self.source {
            Source::Gguf(gguf) => Some(gguf),
            _ => None,
        }
    }

    /// The weight files in order of name.
    pub(crate) fn weights(&self) -> Result<WeightFiles, Error> {
        if let Source::Gguf(gguf) = &self.source {
            return Ok(WeightFiles {
                files: gguf.files(),
                gguf: Some(Arc::clone(gguf)),
            });
        }
        // As in transformers, a single file wins over shards.
        let names = match (self.exists(SINGLE_FILE), self.read(INDEX_FILE)?) {
            (false, Some(index)) => shard_names(&index)?,
            (false, None) => match &self.source {
                Source::Folder(dir) => shards_without_index(dir)?.unwrap_or_default(),
                _ => BTreeSet::new(),
            },
            (true, _) => BTreeSet::from([SINGLE_FILE.to_string()]),
        };
        let files = names.into_iter().map(|name| match &self.source {
            Source::Embedded { files, .. } => {
                let bytes = embedded_file(files, &name).ok_or_else(|| missing_file(&name))?;
                Ok(Arc::new(WeightFile::embedded(name, bytes)))
            }
            Source::Folder(dir) => Ok(Arc::new(WeightFile::map(&dir.join(&name))?)),
            Source::Gguf(_) => Err(missing_file(&name)),
        });
        Ok(WeightFiles {
            files: files.collect::<Result<_, Error>>()?,
            gguf: None,
        })
    }

    fn exists(&self, name: &str) -> bool {
        match &self.source {
            Source::Folder(dir) => dir.join(name).is_file(),
            Source::Embedded { files, .. } => embedded_file(files, name).is_some(),
            Source::Gguf(_) => false,
        }
    }
}

/// Where a chat template may be, in the layout of transformers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateSource {
    /// A folder.
    Folder(PathBuf),
    /// Contents by the names that files would have in a folder; `place` names the folder in
    /// messages.
    Files {
        /// What to call it.
        place: String,
        /// Names and contents.
        files: Vec<(String, Vec<u8>)>,
    },
}

fn last_part(dir: &Path) -> String {
    // Resolved first: the folder `.` has no last part.
    let whole = dir.canonicalize().unwrap_or_else(|_| dir.to_path_buf());
    whole.file_name().map_or_else(
        || dir.display().to_string(),
        |name| name.to_string_lossy().into_owned(),
    )
}

fn embedded_file(files: &[(&str, &'static [u8])], name: &str) -> Option<&'static [u8]> {
    files
        .iter()
        .find(|(file, _)| *file == name)
        .map(|(_, bytes)| *bytes)
}

#[derive(Deserialize)]
struct ShardIndex {
    weight_map: BTreeMap<String, String>,
}

pub(super) fn shard_names(index: &[u8]) -> Result<BTreeSet<String>, Error> {
    let failed = |message: String| Error::new(ErrorKind::Weights, message).in_file(INDEX_FILE);
    let index: ShardIndex =
        parse_json(index).map_err(|error| failed(format!("cannot be understood: {error}")))?;
    let names: BTreeSet<String> = index.weight_map.into_values().collect();
    if names.is_empty() {
        return Err(failed("names no files".to_string()));
    }
    // A shard lies beside its index: anything else could read files that are none of the
    // checkpoint's.
    let beside = |name: &String| name.ends_with(".safetensors") && !name.contains(['/', '\\', ':']);
    match names.iter().find(|name| !beside(name)) {
        Some(name) => Err(failed(format!(
            "names the file {name:?}, which is not a safetensors file of this folder"
        ))),
        None => Ok(names),
    }
}

/// The shards of a folder by the numbers in their names, as `model-00001-of-00002.safetensors`;
/// `None` where there are none.
///
/// # Errors
/// [`ErrorKind::Missing`] where one is missing, [`ErrorKind::Weights`] where there are those of
/// several checkpoints.
pub(super) fn shards_without_index(dir: &Path) -> Result<Option<BTreeSet<String>>, Error> {
    let names = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let of = |name: &str| -> Option<usize> {
        let numbers = name.strip_prefix("model-")?.strip_suffix(".safetensors")?;
        let (number, of) = numbers.split_once("-of-")?;
        let (number, of): (usize, usize) = (number.parse().ok()?, of.parse().ok()?);
        (1..=of).contains(&number).then_some(of)
    };
    let found: BTreeSet<String> = names.filter(|name| of(name).is_some()).collect();
    let Some(first) = found.first() else {
        return Ok(None);
    };
    let count = of(first).unwrap_or_default();
    let failed = |kind, message: String| {
        let place = dir.display().to_string();
        Err(Error::new(kind, message).in_file(place))
    };
    if let Some(other) = found.iter().find(|name| of(name) != Some(count)) {
        let message = format!(
            "holds shards of several checkpoints, {first} and {other}, and no {INDEX_FILE} that says which to take"
        );
        return failed(ErrorKind::Weights, message);
    }
    let wanted = (1..=count).map(|number| format!("model-{number:05}-of-{count:05}.safetensors"));
    match wanted.into_iter().find(|name| !found.contains(name)) {
        Some(missing) => failed(
            ErrorKind::Missing,
            format!(
                "holds {} of {count} shards: {missing} is missing",
                found.len()
            ),
        ),
        None => Ok(Some(found)),
    }
}

/// The first bytes of a file, as far as they can be read.
fn head(path: &Path) -> Vec<u8> {
    let mut head = Vec::new();
    if let Ok(file) = std::fs::File::open(path) {
        // What cannot be read is no pointer, and refused for what it is.
        let _ = file.take(LFS_POINTER.len() as u64).read_to_end(&mut head);
    }
    head
}

/// The open weight files of a checkpoint.
pub(crate) struct WeightFiles {
    pub(super) files: Vec<Arc<WeightFile>>,
    /// Where they are the parts of a GGUF file.
    gguf: Option<Arc<Gguf>>,
}

impl WeightFiles {
    /// All tensors, file by file.
    ///
    /// # Errors
    /// [`ErrorKind::Weights`] when a file is damaged.
    pub(super) fn tensors(&self, config: &ModelConfig) -> Result<Vec<Stored>, Error> {
        if let Some(gguf) = &self.gguf {
            return gguf.tensors(config);
        }
        let mut tensors = Vec::new();
        for file in &self.files {
            tensors.extend(Stored::all(file)?);
        }
        Ok(tensors)
    }

    /// Size of all files.
    pub(crate) fn bytes(&self) -> usize {
        self.files.iter().map(|file| file.bytes.len()).sum()
    }

    /// BLAKE3 (hex) of the contents of all files one after another, in order of name; from the
    /// cache, if there is one and it knows the files.
    pub(crate) fn digest(&self, cache: Option<&Path>) -> String {
        let paths = self
            .files
            .iter()
            .map(|file| file.path().map(Path::to_path_buf))
            .collect::<Option<Vec<PathBuf>>>();
        match (cache, paths) {
            (Some(cache), Some(paths)) => digest_cache::digest(cache, &paths, || self.hash()),
            _ => self.hash(),
        }
    }

    fn hash(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        self.files.iter().for_each(|file| {
            hasher.update_rayon(&file.bytes);
            // Out of this process only: on Linux the pages stay in the page cache, where the first
            // step finds them.
            file.release(0..file.bytes.len());
        });
        hasher.finalize().to_hex().to_string()
    }
}
