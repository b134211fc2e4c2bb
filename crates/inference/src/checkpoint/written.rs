//! Whether a checkpoint that a training run writes is all there, and at which step it was written.
//!
//! Nothing says that a trainer is done with a folder, so the files themselves are asked: JSON that
//! ends is whole, a safetensors file says in its head how long it is, and an index names the files
//! that belong to it. What no file can say (a tokenizer that is still to come) is seen by looking
//! twice: [`Written::Whole`] has a stamp, and a folder whose stamp changes is still being written.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::SystemTime;

use serde::Deserialize;
use serde_json::Value;

use super::files::{INDEX_FILE, SINGLE_FILE, shard_names, shards_without_index};
use crate::adapter;
use crate::small_file::parse_json;
use crate::tokenizer::TOKENIZER_FILE;

/// What a trainer of transformers notes beside each checkpoint.
const TRAINER_STATE: &str = "trainer_state.json";

/// The length of a safetensors file's head stands in its first bytes (safetensors, "Format").
const LENGTH_BYTES: usize = 8;
/// Longer heads are refused by the format.
const MAX_HEAD: u64 = 100_000_000;

/// What a folder holds of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// Nothing that looks like one.
    Nothing,
    /// A part, and what is missing, such as `no tokenizer.json`.
    Part(String),
    /// Everything.
    Whole {
        /// What the system says of its files now.
        stamp: Stamp,
        /// Whether it is a LoRA adapter, which wants its base model.
        is_adapter: bool,
    },
}

/// Size and time of change of each file directly in a folder: equal stamps are of equal files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp(BTreeMap<String, (u64, Option<SystemTime>)>);

impl Written {
    /// What a folder holds now. A model needs a tokenizer unless it is given one elsewhere; an
    /// adapter has its base model's.
    pub fn of(folder: &Path, needs_tokenizer: bool) -> Self {
        // Before the files are looked at: what is written meanwhile gives the next stamp another
        // value.
        let stamp = Stamp::of(folder);
        let has = |name: &str| folder.join(name).is_file();
        let is_adapter = !has("config.json") && has(adapter::CONFIG_FILE);
        let missing = match (is_adapter, has("config.json")) {
            (true, _) => missing_of_adapter(folder),
            (false, true) => missing_of_model(folder, needs_tokenizer),
            (false, false) if stamp.has_weights() => Some("no config.json".to_string()),
            (false, false) => return Self::Nothing,
        };
        match missing {
            Some(missing) => Self::Part(missing),
            None => Self::Whole { stamp, is_adapter },
        }
    }
}

impl Stamp {
    fn of(folder: &Path) -> Self {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let files = entries.filter_map(|entry| {
            // The file behind a link.
            let there = std::fs::metadata(entry.path()).ok()?;
            let name = entry.file_name().to_string_lossy().into_owned();
            there
                .is_file()
                .then(|| (name, (there.len(), there.modified().ok())))
        });
        Self(files.collect())
    }

    fn has_weights(&self) -> bool {
        self.0.keys().any(|name| name.ends_with(".safetensors"))
    }
}

/// The optimizer step after which a checkpoint was written, as the trainer of transformers notes it
/// in `trainer_state.json`; `None` where it did not.
pub fn trained_steps(folder: &Path) -> Option<u64> {
    #[derive(Deserialize)]
    struct TrainerState {
        global_step: u64,
    }
    let json = std::fs::read(folder.join(TRAINER_STATE)).ok()?;
    let state: TrainerState = parse_json(&json).ok()?;
    Some(state.global_step)
}

fn missing_of_model(folder: &Path, needs_tokenizer: bool) -> Option<String> {
    let weights = match weight_names(folder) {
        Ok(names) => names,
        Err(missing) => return Some(missing),
    };
    missing_json(folder, "config.json")
        .or_else(|| {
            weights
                .iter()
                .find_map(|name| missing_weights(folder, name))
        })
        .or_else(|| match needs_tokenizer {
            true => missing_json(folder, TOKENIZER_FILE),
            false => None,
        })
}

fn missing_of_adapter(folder: &Path) -> Option<String> {
    missing_json(folder, adapter::CONFIG_FILE)
        .or_else(|| missing_weights(folder, adapter::WEIGHTS_FILE))
}

/// The weight files that belong to a checkpoint, or what is missing to know them.
fn weight_names(folder: &Path) -> Result<Vec<String>, String> {
    if folder.join(SINGLE_FILE).is_file() {
        return Ok(vec![SINGLE_FILE.to_string()]);
    }
    // What is read while it is written ends too early, which is no error yet.
    let names = match std::fs::read(folder.join(INDEX_FILE)) {
        Ok(index) => shard_names(&index).map(Some),
        Err(_) => shards_without_index(folder),
    };
    match names {
        Ok(Some(names)) => Ok(names.into_iter().collect()),
        Ok(None) => Err(format!("neither {SINGLE_FILE} nor {INDEX_FILE}")),
        Err(error) => Err(error.to_string()),
    }
}

fn missing_json(folder: &Path, name: &str) -> Option<String> {
    match std::fs::read(folder.join(name)) {
        Err(_) => Some(format!("no {name}")),
        Ok(json) => match parse_json::<serde::de::IgnoredAny>(&json) {
            Ok(_) => None,
            Err(_) => Some(format!("{name} is not whole")),
        },
    }
}

fn missing_weights(folder: &Path, name: &str) -> Option<String> {
    let path = folder.join(name);
    let Ok(there) = std::fs::metadata(&path) else {
        return Some(format!("no {name}"));
    };
    match declared_bytes(&path) {
        Some(bytes) if there.len() >= bytes => None,
        Some(bytes) => Some(format!("{name} has {} of {bytes} bytes", there.len())),
        None => Some(format!("{name} has no whole head")),
    }
}

/// How long a safetensors file says that it is; `None` while its head is not whole.
fn declared_bytes(path: &Path) -> Option<u64> {
    let mut file = File::open(path).ok()?;
    let mut length = [0; LENGTH_BYTES];
    file.read_exact(&mut length).ok()?;
    let length = u64::from_le_bytes(length);
    if length > MAX_HEAD {
        return None;
    }
    let mut head = Vec::new();
    file.take(length).read_to_end(&mut head).ok()?;
    let tensors: BTreeMap<String, Value> = serde_json::from_slice(&head).ok()?;
    // Beside the tensors stands `__metadata__`, which has no offsets.
    let ends = tensors
        .values()
        .filter_map(|tensor| tensor["data_offsets"][1].as_u64());
    let data = ends.max().unwrap_or(0);
    (LENGTH_BYTES as u64).checked_add(length)?.checked_add(data)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::CheckpointFiles;

    /// A copy of a tiny checkpoint.
    fn copy() -> tempfile::TempDir {
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/llama-biased");
        let folder = tempfile::tempdir().unwrap();
        for entry in std::fs::read_dir(fixture).unwrap() {
            let path = entry.unwrap().path();
            std::fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
        }
        folder
    }

    fn part(folder: &Path) -> String {
        match Written::of(folder, true) {
            Written::Part(missing) => missing,
            other => panic!("{other:?}"),
        }
    }

    fn stamp(folder: &Path) -> Stamp {
        match Written::of(folder, true) {
            Written::Whole {
                stamp,
                is_adapter: false,
            } => stamp,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_checkpoint_is_whole_when_every_file_is() {
        let folder = copy();
        let path = folder.path();
        let whole = stamp(path);
        assert_eq!(whole, stamp(path));
        CheckpointFiles::open(path).unwrap();
        for (file, missing) in [
            ("tokenizer.json", "no tokenizer.json"),
            (
                "model.safetensors",
                "neither model.safetensors nor model.safetensors.index.json",
            ),
        ] {
            let content = std::fs::read(path.join(file)).unwrap();
            std::fs::remove_file(path.join(file)).unwrap();
            assert_eq!(part(path), missing);
            std::fs::write(path.join(file), content).unwrap();
        }
        std::fs::remove_file(path.join("tokenizer.json")).unwrap();
        assert!(matches!(Written::of(path, false), Written::Whole { .. }));
        std::fs::remove_file(path.join("config.json")).unwrap();
        // Weights belong to something; what is left without them does not.
        assert_eq!(part(path), "no config.json");
        std::fs::remove_file(path.join("model.safetensors")).unwrap();
        assert_eq!(Written::of(path, true), Written::Nothing);
    }

    #[test]
    fn files_that_are_still_being_written_are_seen_at_every_length() {
        let folder = copy();
        let path = folder.path();
        for file in ["config.json", "tokenizer.json", "model.safetensors"] {
            let content = std::fs::read(path.join(file)).unwrap();
            for length in [0, 1, 7, 8, 9, content.len() / 2, content.len() - 1] {
                // JSON may end in a line break.
                let cut = content[..length].trim_ascii_end();
                if file.ends_with(".json") && cut == content.trim_ascii_end() {
                    continue;
                }
                std::fs::write(path.join(file), &content[..length]).unwrap();
                let missing = part(path);
                assert!(missing.starts_with(file), "{file} {length}: {missing}");
            }
            std::fs::write(path.join(file), &content).unwrap();
            stamp(path);
        }
    }

    #[test]
    fn all_shards_of_an_index_or_of_a_count_must_be_there() {
        let folder = copy();
        let path = folder.path();
        let weights = std::fs::read(path.join("model.safetensors")).unwrap();
        std::fs::remove_file(path.join("model.safetensors")).unwrap();
        let first = "model-00001-of-00002.safetensors";
        std::fs::write(path.join(first), &weights).unwrap();
        assert!(part(path).contains("model-00002-of-00002.safetensors is missing"));
        let index = format!(r#"{{"weight_map": {{"a": "{first}", "b": "other.safetensors"}}}}"#);
        std::fs::write(path.join(INDEX_FILE), &index[..20]).unwrap();
        assert!(part(path).contains(INDEX_FILE));
        std::fs::write(path.join(INDEX_FILE), &index).unwrap();
        assert_eq!(part(path), "no other.safetensors");
        std::fs::write(path.join("other.safetensors"), &weights).unwrap();
        let before = stamp(path);
        std::fs::write(path.join("chat_template.jinja"), "{{ messages }}").unwrap();
        assert_ne!(before, stamp(path));
    }

    #[test]
    fn an_adapter_is_known_by_its_configuration_and_steps_by_the_trainers_notes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        std::fs::write(path.join("adapter_config.json"), "{}").unwrap();
        assert_eq!(part(path), "no adapter_model.safetensors");
        let head = br#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
        let mut weights = (head.len() as u64).to_le_bytes().to_vec();
        weights.extend(head);
        weights.extend([0; 4]);
        std::fs::write(path.join("adapter_model.safetensors"), &weights).unwrap();
        let written = Written::of(path, true);
        assert!(
            matches!(
                written,
                Written::Whole {
                    is_adapter: true,
                    ..
                }
            ),
            "{written:?}"
        );
        assert_eq!(trained_steps(path), None);
        // Python writes losses that are no numbers as NaN.
        let state = r#"{"log_history": [{"loss": NaN}], "global_step": 500}"#;
        std::fs::write(path.join(TRAINER_STATE), state).unwrap();
        assert_eq!(trained_steps(path), Some(500));
    }
}
