use std::path::{Path, PathBuf};

use fault::{Class, Fault};
use generation::{Completion, Decoding, Event, Generator, Prompt};
use inference::{CheckpointFiles, EngineOptions, Error, LocalModel};
use serde_json::Value;
use tempfile::TempDir;

pub const ALL: [&str; 3] = ["llama-tied", "llama-biased", "mistral-window"];

/// The folder of a checkpoint written by `make_tiny.py`.
pub fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

pub fn load(name: &str) -> LocalModel {
    load_with(name, &EngineOptions::default())
}

pub fn load_with(name: &str, options: &EngineOptions) -> LocalModel {
    LocalModel::load(CheckpointFiles::open(&folder(name)).unwrap(), options).unwrap()
}

/// What transformers answered with a checkpoint.
pub struct Case {
    pub prompt: String,
    pub prompt_ids: Vec<u32>,
    /// What llama.cpp makes of the prompt, where it differs from that.
    pub llama_cpp_ids: Option<Vec<u32>>,
    pub tokens: Vec<u32>,
    pub bf16_tokens: Vec<u32>,
    pub text: String,
    pub logits: Option<Vec<f32>>,
    /// Root mean square of what transformers' bf16 logits differ by from these.
    pub bf16_distance: Option<f64>,
}

impl Case {
    /// Root mean square of the differences between a model's logits after the prompt and the
    /// recorded ones.
    pub fn distance(&self, model: &LocalModel) -> f64 {
        let expected = self.logits.as_ref().unwrap();
        let found = model.logits(&self.prompt_ids).unwrap().pop().unwrap();
        let squares = found
            .iter()
            .zip(expected)
            .map(|(a, b)| f64::from(a - b).powi(2));
        (squares.sum::<f64>() / expected.len() as f64).sqrt()
    }
}

pub fn cases(name: &str) -> Vec<Case> {
    cases_in(&folder(name))
}

/// What `expected.json` of a folder records.
pub fn cases_in(folder: &Path) -> Vec<Case> {
    cases_of(&folder.join("expected.json"))
}

/// What a file of expected answers records.
pub fn cases_of(path: &Path) -> Vec<Case> {
    let json = std::fs::read(path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    let cases: Vec<Value> = serde_json::from_slice(&json).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_string();
    let cases = cases.iter().map(|case| Case {
        prompt: text(&case["prompt"]),
        prompt_ids: ids(&case["prompt_ids"]),
        llama_cpp_ids: case.get("llama_cpp_ids").map(ids),
        tokens: ids(&case["tokens"]),
        bf16_tokens: case.get("bf16_tokens").map(ids).unwrap_or_default(),
        text: case.get("text").map(text).unwrap_or_default(),
        bf16_distance: case.get("bf16_distance").and_then(Value::as_f64),
        logits: case["logits"]
            .as_array()
            .map(|logits| logits.iter().map(|x| x.as_f64().unwrap() as f32).collect()),
    });
    cases.collect()
}

pub fn ids(value: &Value) -> Vec<u32> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|id| id.as_u64().unwrap() as u32)
        .collect()
}

/// A copy of a checkpoint that a test may damage.
pub struct Copy {
    dir: TempDir,
}

impl Copy {
    pub fn of(name: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for entry in std::fs::read_dir(folder(name)).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), dir.path().join(entry.file_name())).unwrap();
        }
        Self { dir }
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.dir.path().join(file)
    }

    pub fn remove(&self, file: &str) -> &Self {
        std::fs::remove_file(self.path(file)).unwrap();
        self
    }

    pub fn write(&self, file: &str, content: impl AsRef<[u8]>) -> &Self {
        std::fs::write(self.path(file), content).unwrap();
        self
    }

    /// Changes one file as JSON.
    pub fn edit(&self, file: &str, change: impl FnOnce(&mut Value)) -> &Self {
        let mut value = serde_json::from_slice(&std::fs::read(self.path(file)).unwrap()).unwrap();
        change(&mut value);
        self.write(file, value.to_string())
    }

    pub fn try_load(&self) -> Result<LocalModel, Error> {
        LocalModel::load(
            CheckpointFiles::open(self.dir.path())?,
            &EngineOptions::default(),
        )
    }

    pub fn load(&self) -> LocalModel {
        self.try_load().unwrap_or_else(|error| panic!("{error}"))
    }

    pub fn load_with(&self, options: &EngineOptions) -> LocalModel {
        LocalModel::load(CheckpointFiles::open(self.dir.path()).unwrap(), options).unwrap()
    }

    /// The error of loading, its message without the path of this copy.
    pub fn refusal(&self) -> (Error, String) {
        let Err(error) = self.try_load() else {
            panic!("a damaged checkpoint was loaded")
        };
        assert_eq!(error.class(), Class::Integrity, "{error}");
        let message = error
            .to_string()
            .replace(&self.dir.path().display().to_string(), "DIR");
        (error, message)
    }
}

pub fn prompts<S: AsRef<str>>(texts: &[S]) -> Vec<Prompt> {
    let prompts = texts.iter().enumerate();
    prompts
        .map(|(i, text)| Prompt {
            id: i.to_string(),
            sample: 0,
            text: text.as_ref().to_string(),
        })
        .collect()
}

/// All completions in the order of their prompts.
pub fn complete<S: AsRef<str>>(
    model: &mut LocalModel,
    texts: &[S],
    decoding: &Decoding,
) -> Vec<Completion> {
    let mut completions = Vec::new();
    model
        .generate(&prompts(texts), decoding, &mut |event| {
            if let Event::Finished(completion) = event {
                completions.push(completion);
            }
            Ok(())
        })
        .unwrap();
    completions.sort_by_key(|completion| completion.index);
    assert!(
        completions
            .iter()
            .enumerate()
            .all(|(i, completion)| completion.index == i)
    );
    assert_eq!(completions.len(), texts.len());
    completions
}
