//! Every pre-tokenizer that a GGUF file can name: token ids as
//! `tools/parity-checkpoints/pre_tokenizers.py` recorded them with llama.cpp and with Hugging Face
//! tokenizers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use inference::{CheckpointFiles, EngineOptions, ErrorKind, LocalModel};
use serde::Deserialize;

use crate::checkpoints::folder;
use crate::gguf_writer::{GgufWriter, Value};

/// Where more recordings lie, a folder each; see `tools/parity-checkpoints/README.md`.
const RECORDINGS: &str = "MWPBENCH_PRE_TOKENIZER_RECORDINGS";

#[derive(Deserialize)]
struct Vocabulary {
    tokens: Vec<String>,
    merges: Vec<String>,
    /// Ids of tokens that are found in a text as they are, with their types.
    added: Vec<(usize, i32)>,
    bos: u32,
    eos: u32,
}

#[derive(Deserialize)]
struct Vectors {
    names: BTreeMap<String, Row>,
    /// Of each way to read the texts: which of a text's ids.
    ways: Vec<Vec<usize>>,
    texts: Vec<Text>,
}

#[derive(Deserialize)]
struct Row {
    add_bos: bool,
    /// The way of llama.cpp.
    llama_cpp: usize,
    /// That of the `tokenizer.json` of the checkpoints that have the name, where it is known.
    transformers: Option<usize>,
}

#[derive(Deserialize)]
struct Text {
    text: String,
    ids: Vec<Vec<u32>>,
}

fn read<T: for<'a> Deserialize<'a>>(path: &Path) -> T {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{path:?}: {error}"))
}

/// A checkpoint of one layer of zeros with the vocabulary; `None` leaves the pre-tokenizer unnamed.
fn checkpoint(vocabulary: &Vocabulary, pre: Option<&str>) -> GgufWriter {
    let mut gguf = GgufWriter::small_llama(vocabulary.tokens.len());
    let mut types = vec![1; vocabulary.tokens.len()];
    vocabulary
        .added
        .iter()
        .for_each(|&(id, kind)| types[id] = kind);
    gguf.set("tokenizer.ggml.model", Value::text("gpt2"));
    gguf.set(
        "tokenizer.ggml.tokens",
        Value::Texts(vocabulary.tokens.clone()),
    );
    gguf.set("tokenizer.ggml.token_type", Value::Integers(types));
    gguf.set(
        "tokenizer.ggml.merges",
        Value::Texts(vocabulary.merges.clone()),
    );
    gguf.set("tokenizer.ggml.bos_token_id", Value::U32(vocabulary.bos));
    gguf.set("tokenizer.ggml.eos_token_id", Value::U32(vocabulary.eos));
    if let Some(pre) = pre {
        gguf.set("tokenizer.ggml.pre", Value::text(pre));
    }
    gguf
}

fn load(gguf: &GgufWriter) -> Result<LocalModel, inference::Error> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("model.gguf");
    std::fs::write(&path, gguf.bytes()).unwrap();
    LocalModel::load(
        CheckpointFiles::open(&path)?,
        &EngineOptions {
            threads: Some(1),
            ..EngineOptions::default()
        },
    )
}

/// Reads all texts of a recording under all its names; what differs, in words.
fn differences(recording: &Path) -> Vec<String> {
    let vocabulary: Vocabulary = read(&recording.join("vocabulary.json"));
    let vectors: Vectors = read(&recording.join("vectors.json"));
    let mut differences = Vec::new();
    for (name, row) in &vectors.names {
        let model = load(&checkpoint(&vocabulary, Some(name)))
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let way = &vectors.ways[row.transformers.unwrap_or(row.llama_cpp)];
        for (Text { text, ids }, &which) in vectors.texts.iter().zip(way) {
            let mut expected = ids[which].clone();
            expected.splice(0..0, row.add_bos.then_some(vocabulary.bos));
            let found = model.encode(text).unwrap();
            if found != expected {
                differences.push(format!(
                    "{name}: {text:?} became {found:?}, expected {expected:?}"
                ));
            }
        }
    }
    differences
}

#[test]
fn every_name_splits_texts_as_its_tokenizer_and_llama_cpp_do() {
    let recording = folder("pre-tokenizers");
    let vectors: Vectors = read(&recording.join("vectors.json"));
    assert!(
        vectors.names.len() >= 85 && vectors.texts.len() >= 75,
        "{} names",
        vectors.names.len()
    );
    let differences = differences(&recording);
    assert!(
        differences.is_empty(),
        "{} differences\n{}",
        differences.len(),
        differences[..1].join("\n")
    );
}

#[test]
#[ignore = "needs recordings of published vocabularies and of questions of data sets"]
fn published_vocabularies_read_questions_as_recorded() {
    let recordings = PathBuf::from(
        std::env::var_os(RECORDINGS).unwrap_or_else(|| panic!("{RECORDINGS} is not set")),
    );
    let folders = std::fs::read_dir(&recordings)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let folders: Vec<PathBuf> = folders
        .filter(|path| path.join("vectors.json").is_file())
        .collect();
    assert!(!folders.is_empty(), "{recordings:?} holds no recordings");
    let differences: Vec<String> = folders
        .iter()
        .flat_map(|recording| differences(recording))
        .collect();
    println!(
        "{} recordings, {} differences",
        folders.len(),
        differences.len()
    );
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn other_tokenizers_are_refused_by_name() {
    let vocabulary: Vocabulary = read(&folder("pre-tokenizers/vocabulary.json"));
    let way_out = "the checkpoint's own tokenizer.json can take its place";
    // Those that llama.cpp knows beside ours are no byte-level ones.
    for name in [
        "gemma4",
        "granite-embed-multi-311m",
        "mmbert",
        "sarvam-moe",
        "whitespace",
        "llama-xyz",
        "",
    ] {
        let error = load(&checkpoint(&vocabulary, Some(name))).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::UnsupportedTokenizer);
        let refusal = format!(
            "the pre-tokenizer `{name}` (`tokenizer.ggml.pre`) is not supported; {way_out}"
        );
        assert_eq!(error.to_string(), format!("model.gguf: {refusal}"));
    }
    for model in [
        "bert",
        "t5",
        "rwkv",
        "plamo2",
        "gemma4",
        "hybriddna",
        "whitespace",
        "no_vocab",
    ] {
        let mut gguf = checkpoint(&vocabulary, Some("qwen2"));
        gguf.set("tokenizer.ggml.model", Value::text(model));
        let error = load(&gguf).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::UnsupportedTokenizer);
        let refusal =
            format!("the tokenizer `{model}` (`tokenizer.ggml.model`) is not supported; {way_out}");
        assert_eq!(error.to_string(), format!("model.gguf: {refusal}"));
    }
}

#[test]
fn what_a_file_does_not_say_of_its_tokenizer_is_warned_of() {
    let vocabulary: Vocabulary = read(&folder("pre-tokenizers/vocabulary.json"));
    let warnings = |gguf: &GgufWriter| load(gguf).unwrap().warnings().to_vec();
    assert_eq!(
        warnings(&checkpoint(&vocabulary, Some("smollm"))),
        Vec::<String>::new()
    );
    for pre in [None, Some("default")] {
        let warnings = warnings(&checkpoint(&vocabulary, pre));
        assert!(
            warnings[0].starts_with("the file does not say how its tokenizer splits texts"),
            "{warnings:?}"
        );
    }
    let unnamed = load(&checkpoint(&vocabulary, None)).unwrap();
    let default = load(&checkpoint(&vocabulary, Some("default"))).unwrap();
    let text = "abc 12345 (x), it's `code`";
    assert_eq!(unnamed.encode(text).unwrap(), default.encode(text).unwrap());
    for nothing in [Value::U32(u32::MAX), Value::I32(-1)] {
        let mut gguf = checkpoint(&vocabulary, Some("llama-bpe"));
        gguf.set("tokenizer.ggml.bos_token_id", nothing);
        assert_eq!(
            warnings(&gguf),
            ["`tokenizer.ggml.bos_token_id` names no token of the vocabulary and was passed over"]
        );
        let named = load(&checkpoint(&vocabulary, Some("llama-bpe")))
            .unwrap()
            .encode(text)
            .unwrap();
        assert_eq!(load(&gguf).unwrap().encode(text).unwrap(), named[1..]);
    }
    let mut gguf = checkpoint(&vocabulary, Some("smollm"));
    gguf.set("tokenizer.ggml.add_space_prefix", Value::Flag(true));
    assert!(
        warnings(&gguf)[0].starts_with("the file asks for a blank before every prompt"),
        "{:?}",
        warnings(&gguf)
    );
}
