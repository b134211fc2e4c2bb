//! What a repository holds, and which of it is needed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

use crate::checksum::Checksum;
use crate::error::Error;
use crate::name::{RepositoryName, is_commit, is_safe_path};

/// What of a repository is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Contents {
    /// A checkpoint: configuration, tokenizer, chat templates and weights as safetensors; or the one
    /// GGUF file that the name names.
    Checkpoint,
    /// A LoRA adapter.
    Adapter,
    /// A tokenizer with its chat templates, and no weights.
    Tokenizer,
    /// The file that the name names.
    File,
}

/// A file of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RemoteFile {
    pub(crate) path: String,
    pub(crate) bytes: u64,
    pub(crate) checksum: Checksum,
}

/// A commit of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listing {
    pub(crate) commit: String,
    /// Files whose checksum the hub gives, in its order.
    pub(crate) files: Vec<RemoteFile>,
}

#[derive(Deserialize)]
struct Described {
    sha: String,
    #[serde(default)]
    siblings: Vec<Sibling>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sibling {
    rfilename: String,
    size: Option<u64>,
    blob_id: Option<String>,
    lfs: Option<Lfs>,
}

#[derive(Deserialize)]
struct Lfs {
    sha256: Option<String>,
    size: Option<u64>,
}

impl Listing {
    /// Reads what the hub's API says of a repository.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, String> {
        let described: Described = serde_json::from_slice(json)
            .map_err(|error| format!("the list of files cannot be understood: {error}"))?;
        if !is_commit(&described.sha) {
            return Err(format!("it names no commit: {:?}", described.sha));
        }
        let mut files = Vec::new();
        for sibling in described.siblings {
            if !is_safe_path(&sibling.rfilename) {
                return Err(format!(
                    "it lists {:?}, which leads out of the repository",
                    sibling.rfilename
                ));
            }
            let lfs = sibling.lfs.as_ref();
            let bytes = lfs.and_then(|lfs| lfs.size).or(sibling.size);
            let sha256 = lfs.map(|lfs| lfs.sha256.as_deref().unwrap_or_default());
            let checksum = Checksum::parse(sha256, sibling.blob_id.as_deref());
            if let (Some(bytes), Some(checksum)) = (bytes, checksum) {
                files.push(RemoteFile {
                    path: sibling.rfilename,
                    bytes,
                    checksum,
                });
            }
        }
        Ok(Self {
            commit: described.sha,
            files,
        })
    }

    /// What lies in the folder of a commit, without checksums.
    pub(crate) fn of_folder(commit: &str, folder: &Path) -> Self {
        let mut files = Vec::new();
        let mut open = vec![(folder.to_path_buf(), String::new())];
        while let Some((folder, prefix)) = open.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
                match std::fs::metadata(entry.path()) {
                    Ok(there) if there.is_dir() => open.push((entry.path(), format!("{path}/"))),
                    Ok(there) => files.push(RemoteFile {
                        path,
                        bytes: there.len(),
                        checksum: Checksum::GitBlob(String::new()),
                    }),
                    // A link to a content that was removed.
                    Err(_) => {}
                }
            }
        }
        Self {
            commit: commit.to_string(),
            files,
        }
    }

    fn file(&self, path: &str) -> Option<&RemoteFile> {
        self.files.iter().find(|file| file.path == path)
    }

    fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|file| file.path.as_str())
    }
}

const CONFIG: &str = "config.json";
const TOKENIZER: &str = "tokenizer.json";
const ADAPTER_CONFIG: &str = "adapter_config.json";
const ADAPTER_WEIGHTS: &str = "adapter_model.safetensors";
const WEIGHTS: &str = "model.safetensors";
pub(crate) const INDEX: &str = "model.safetensors.index.json";
/// Small files that a checkpoint or an adapter may have.
const SMALL: [&str; 5] = [
    TOKENIZER,
    "tokenizer_config.json",
    "special_tokens_map.json",
    "chat_template.jinja",
    "chat_template.json",
];
const MORE_TEMPLATES: &str = "additional_chat_templates/";

/// What is fetched: the small files first, so that where weights are everything is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Needed {
    pub(crate) small: Vec<String>,
    /// The list of shards, which says what is needed beside these.
    pub(crate) index: Option<String>,
    pub(crate) large: Vec<String>,
}

impl Needed {
    /// Of the files there are.
    pub(crate) fn of(
        name: &RepositoryName,
        contents: Contents,
        listing: &Listing,
    ) -> Result<Self, Error> {
        match (contents, name.file()) {
            (Contents::Adapter, _) => Self::of_adapter(name, listing),
            (Contents::Tokenizer, None) => Self::of_tokenizer(name, listing),
            (Contents::Checkpoint, None) => Self::of_checkpoint(name, listing),
            (_, Some(file)) => Self::of_file(name, listing, file),
            (Contents::File, None) => Err(lacks(name, "file that is named", "name of one")),
        }
    }

    fn of_checkpoint(name: &RepositoryName, listing: &Listing) -> Result<Self, Error> {
        if listing.file(CONFIG).is_none() {
            return Err(Self::not_a_checkpoint(name, listing));
        }
        let mut needed = Self {
            small: small(listing, &[CONFIG, "generation_config.json"]),
            ..Self::default()
        };
        // Not read, but its being there tells the user what to do.
        if listing.file(TOKENIZER).is_none() && listing.file("tokenizer.model").is_some() {
            needed.small.push("tokenizer.model".to_string());
        }
        let shards = || {
            listing
                .paths()
                .filter(|path| is_shard(path))
                .map(str::to_string)
        };
        if listing.file(WEIGHTS).is_some() {
            needed.large.push(WEIGHTS.to_string());
        } else if listing.file(INDEX).is_some() {
            needed.index = Some(INDEX.to_string());
        } else {
            needed.large = shards().collect();
        }
        match needed.large.is_empty() && needed.index.is_none() {
            false => Ok(needed),
            true => Err(Self::without_weights(name, listing)),
        }
    }

    fn without_weights(name: &RepositoryName, listing: &Listing) -> Error {
        let pickled = |path: &&str| {
            [".bin", ".pt", ".pth", ".ckpt"]
                .iter()
                .any(|end| path.ends_with(end))
                && !path.contains('/')
        };
        match listing.paths().find(pickled) {
            Some(found) => Error::NoSafetensors {
                name: name.to_string(),
                found: found.to_string(),
            },
            None => gguf_files(name, listing).unwrap_or_else(|| lacks(name, "weights", WEIGHTS)),
        }
    }

    fn not_a_checkpoint(name: &RepositoryName, listing: &Listing) -> Error {
        match listing.file(ADAPTER_CONFIG) {
            Some(_) => Error::IsAdapter {
                name: name.to_string(),
            },
            None => gguf_files(name, listing).unwrap_or_else(|| lacks(name, "checkpoint", CONFIG)),
        }
    }

    fn of_adapter(name: &RepositoryName, listing: &Listing) -> Result<Self, Error> {
        if listing.file(ADAPTER_CONFIG).is_none() {
            return Err(lacks(name, "adapter", ADAPTER_CONFIG));
        }
        if listing.file(ADAPTER_WEIGHTS).is_none() {
            return Err(match listing.file("adapter_model.bin") {
                Some(file) => Error::NoSafetensors {
                    name: name.to_string(),
                    found: file.path.clone(),
                },
                None => lacks(name, "adapter", ADAPTER_WEIGHTS),
            });
        }
        Ok(Self {
            small: small(listing, &[ADAPTER_CONFIG]),
            index: None,
            large: vec![ADAPTER_WEIGHTS.to_string()],
        })
    }

    fn of_tokenizer(name: &RepositoryName, listing: &Listing) -> Result<Self, Error> {
        let small = small(listing, &[]);
        match small.is_empty() {
            true => Err(lacks(name, "tokenizer", TOKENIZER)),
            false => Ok(Self {
                small,
                ..Self::default()
            }),
        }
    }

    /// A file, with the others where it is a part of one.
    fn of_file(name: &RepositoryName, listing: &Listing, file: &str) -> Result<Self, Error> {
        if listing.file(file).is_none() {
            return Err(lacks(name, "file of that name", file));
        }
        let beside: Vec<String> = match gguf_part(file) {
            Some((stem, count)) => {
                let is_part = |path: &&str| gguf_part(path) == Some((stem, count));
                listing
                    .paths()
                    .filter(is_part)
                    .map(str::to_string)
                    .collect()
            }
            None => vec![file.to_string()],
        };
        Ok(Self {
            large: beside,
            ..Self::default()
        })
    }

    /// The shards that an index names, as far as the repository has them: which one is missing is
    /// said by whoever reads them.
    pub(crate) fn add_shards(&mut self, index: &[u8], listing: &Listing) -> Result<(), String> {
        let shards = shards(index)?.into_iter();
        self.large
            .extend(shards.filter(|name| listing.file(name).is_some()));
        Ok(())
    }

    /// The first shard that an index names and that is not there.
    pub(crate) fn missing_shard(
        &self,
        index: &[u8],
        listing: &Listing,
    ) -> Result<Option<String>, String> {
        let mut shards = shards(index)?.into_iter();
        Ok(shards.find(|name| listing.file(name).is_none()))
    }

    /// All of them, in order.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &String> {
        self.small.iter().chain(&self.index).chain(&self.large)
    }
}

/// The files that a list of shards names.
fn shards(index: &[u8]) -> Result<BTreeSet<String>, String> {
    #[derive(Deserialize)]
    struct Index {
        weight_map: BTreeMap<String, String>,
    }
    let index: Index = serde_json::from_slice(index)
        .map_err(|error| format!("{INDEX} cannot be understood: {error}"))?;
    Ok(index.weight_map.into_values().collect())
}

fn small(listing: &Listing, first: &[&str]) -> Vec<String> {
    let names = first.iter().chain(&SMALL);
    let templates = listing
        .paths()
        .filter(|path| path.starts_with(MORE_TEMPLATES) && path.ends_with(".jinja"));
    names
        .filter(|name| listing.file(name).is_some())
        .copied()
        .chain(templates)
        .map(str::to_string)
        .collect()
}

/// Whether a file is one of `model-00001-of-00002.safetensors`.
fn is_shard(path: &str) -> bool {
    let numbers = path
        .strip_prefix("model-")
        .and_then(|rest| rest.strip_suffix(".safetensors"));
    numbers
        .and_then(|numbers| numbers.split_once("-of-"))
        .is_some_and(|(number, of)| {
            [number, of].iter().all(|digits| {
                !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
            })
        })
}

/// Of `x-00001-of-00003.gguf`: `x` and `00003`.
fn gguf_part(path: &str) -> Option<(&str, &str)> {
    let (rest, count) = path.strip_suffix(".gguf")?.rsplit_once("-of-")?;
    let (stem, number) = rest.rsplit_once('-')?;
    let digits = |text: &str| text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit());
    (digits(number) && digits(count)).then_some((stem, count))
}

/// Files that are listed in a message.
const MAX_LISTED: usize = 6;

fn gguf_files(name: &RepositoryName, listing: &Listing) -> Option<Error> {
    let mut files: Vec<&str> = listing
        .paths()
        .filter(|path| path.ends_with(".gguf"))
        .collect();
    files.sort_unstable();
    let first = (*files.first()?).to_string();
    let more = match files.len().saturating_sub(MAX_LISTED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    files.truncate(MAX_LISTED);
    Some(Error::NameTheFile {
        name: name.to_string(),
        files: format!("{}{more}", files.join(", ")),
        first,
    })
}

fn lacks(name: &RepositoryName, wanted: &'static str, lacks: &str) -> Error {
    Error::Lacks {
        name: name.to_string(),
        wanted,
        lacks: lacks.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(paths: &[&str]) -> Listing {
        let file = |path: &&str| RemoteFile {
            path: path.to_string(),
            bytes: 1,
            checksum: Checksum::GitBlob("0".repeat(40)),
        };
        Listing {
            commit: "c".repeat(40),
            files: paths.iter().map(file).collect(),
        }
    }

    fn needed(name: &str, contents: Contents, paths: &[&str]) -> Result<Vec<String>, String> {
        let name = RepositoryName::parse(name).unwrap().unwrap();
        let needed =
            Needed::of(&name, contents, &listing(paths)).map_err(|error| error.to_string())?;
        Ok(needed.paths().cloned().collect())
    }

    #[test]
    fn only_what_is_needed_is_taken() {
        let checkpoint = [
            "README.md",
            "config.json",
            "generation_config.json",
            "tokenizer.json",
            "tokenizer.model",
            "tokenizer_config.json",
            "model-00001-of-00002.safetensors",
            "model-00002-of-00002.safetensors",
            "model.safetensors.index.json",
            "pytorch_model-00001-of-00002.bin",
            "consolidated.safetensors",
            "original/consolidated.00.pth",
            "onnx/config.json",
            "additional_chat_templates/rag.jinja",
        ];
        assert_eq!(
            needed("o/n", Contents::Checkpoint, &checkpoint).unwrap(),
            [
                "config.json",
                "generation_config.json",
                "tokenizer.json",
                "tokenizer_config.json",
                "additional_chat_templates/rag.jinja",
                "model.safetensors.index.json"
            ]
        );
        assert_eq!(
            needed(
                "o/n",
                Contents::Checkpoint,
                &[
                    "config.json",
                    "tokenizer.model",
                    "model.safetensors",
                    INDEX,
                    "pytorch_model.bin"
                ]
            )
            .unwrap(),
            ["config.json", "tokenizer.model", "model.safetensors"]
        );
        assert_eq!(
            needed(
                "o/n",
                Contents::Adapter,
                &[
                    "adapter_config.json",
                    "adapter_model.safetensors",
                    "optimizer.pt"
                ]
            )
            .unwrap(),
            ["adapter_config.json", "adapter_model.safetensors"]
        );
        assert_eq!(
            needed("o/n", Contents::Tokenizer, &checkpoint).unwrap(),
            [
                "tokenizer.json",
                "tokenizer_config.json",
                "additional_chat_templates/rag.jinja"
            ]
        );
        assert_eq!(
            needed(
                "hf://o/n/q4-00001-of-00002.gguf",
                Contents::Checkpoint,
                &[
                    "q4-00001-of-00002.gguf",
                    "q4-00002-of-00002.gguf",
                    "q8-00001-of-00002.gguf"
                ]
            )
            .unwrap(),
            ["q4-00001-of-00002.gguf", "q4-00002-of-00002.gguf"]
        );
    }

    #[test]
    fn what_is_no_checkpoint_is_told_apart() {
        for (contents, paths, part) in [
            (
                Contents::Checkpoint,
                vec!["config.json", "pytorch_model.bin"],
                "only pytorch_model.bin",
            ),
            (
                Contents::Checkpoint,
                vec!["a.Q8_0.gguf", "a.Q4_K_M.gguf"],
                "a.Q4_K_M.gguf, a.Q8_0.gguf",
            ),
            (
                Contents::Checkpoint,
                vec!["adapter_config.json"],
                "adapter without",
            ),
            (Contents::Checkpoint, vec!["README.md"], "no config.json"),
            (
                Contents::Adapter,
                vec!["config.json"],
                "no adapter_config.json",
            ),
            (
                Contents::Adapter,
                vec!["adapter_config.json", "adapter_model.bin"],
                "only adapter_model.bin",
            ),
            (
                Contents::Tokenizer,
                vec!["config.json", "model.safetensors"],
                "no tokenizer.json",
            ),
        ] {
            let error = needed("o/n", contents, &paths).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn a_list_that_leads_elsewhere_is_refused() {
        let sha = "a".repeat(40);
        for json in [
            format!(r#"{{"sha": "{sha}", "siblings": [{{"rfilename": "../x"}}]}}"#),
            r#"{"sha": "../../x", "siblings": []}"#.to_string(),
            "<html>".to_string(),
        ] {
            assert!(Listing::parse(json.as_bytes()).is_err(), "{json}");
        }
    }
}
