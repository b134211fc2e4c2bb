//! GGUF files, as `tools/parity-checkpoints/gguf_files.py` wrote them with llama.cpp's converter
//! and quantizer.

use std::path::{Path, PathBuf};

use generation::Generator;
use inference::{
    Architecture, CheckpointFiles, EngineOptions, Error, ErrorKind, Inspection, LocalModel,
    Quantization, WeightDtype,
};
use proptest::prelude::*;
use tempfile::TempDir;

use crate::checkpoints::{Case, cases_of, folder};
use crate::damage;

pub const STEPS: usize = 64;

/// The files that can be given as they are: of a split one the first.
pub fn files() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder("gguf"))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries
        .filter(|path| path.extension().is_some_and(|end| end == "gguf"))
        .collect();
    files.retain(|path| !path.to_string_lossy().contains("-00002-of-"));
    files.sort();
    assert!(files.len() >= 20, "only {} files", files.len());
    files
}

pub fn cases(file: &Path) -> Vec<Case> {
    let whole = file.to_string_lossy().replace("-00001-of-00002", "");
    let cases = cases_of(&Path::new(&whole).with_extension("expected.json"));
    assert!(cases.len() >= 8, "{file:?}");
    cases
}

fn load_with(file: &Path, options: &EngineOptions) -> LocalModel {
    LocalModel::load(CheckpointFiles::open(file).unwrap(), options)
        .unwrap_or_else(|error| panic!("{error}"))
}

fn load(file: &Path, dtype: WeightDtype) -> LocalModel {
    load_with(
        file,
        &EngineOptions {
            dtype,
            threads: Some(2),
            ..EngineOptions::default()
        },
    )
}

#[test]
fn greedy_tokens_are_those_of_transformers_with_the_same_numbers() {
    for file in files() {
        let cases = cases(&file);
        let prompts: Vec<Vec<u32>> = cases.iter().map(|case| case.prompt_ids.clone()).collect();
        let mut model = load(&file, WeightDtype::F32);
        let found = model.generate_ids(&prompts, STEPS).unwrap();
        for (case, found) in cases.iter().zip(found) {
            assert_eq!(found, expected(case, &model), "{file:?}: {:?}", case.prompt);
        }
    }
}

/// Recorded up to the one end that the metadata name; control tokens that say so by their text end
/// it too.
pub fn expected<'a>(case: &'a Case, model: &LocalModel) -> &'a [u32] {
    let end = case
        .tokens
        .iter()
        .position(|token| model.config().eos_token_ids.contains(token));
    &case.tokens[..end.map_or(case.tokens.len(), |end| end + 1)]
}

#[test]
fn prompts_become_the_token_ids_of_llama_cpp() {
    for file in files() {
        let model = load(&file, WeightDtype::Auto);
        for case in cases(&file) {
            // Letters and their accents are composed as in transformers, where llama.cpp leaves
            // them apart.
            let composed =
                model.config().architecture != Architecture::Llama && !case.prompt.is_ascii();
            let ids = case
                .llama_cpp_ids
                .as_ref()
                .filter(|_| !composed)
                .unwrap_or(&case.prompt_ids);
            let expected = match ids[..] {
                // A text that brings its own: there is exactly one beginning of a sequence.
                [first, second, ..] if first == second && case.prompt.starts_with("<s>") => {
                    &ids[1..]
                }
                _ => ids,
            };
            assert_eq!(
                model.encode(&case.prompt).unwrap(),
                expected,
                "{file:?}: {:?}",
                case.prompt
            );
        }
    }
}

#[test]
fn logits_are_those_of_transformers_with_the_same_numbers() {
    for file in files() {
        let model = load(&file, WeightDtype::F32);
        for case in cases(&file).iter().filter(|case| case.logits.is_some()) {
            let distance = case.distance(&model);
            assert!(
                distance < 3e-5,
                "{file:?}: {:?} differs by {distance}",
                case.prompt
            );
        }
    }
}

fn file(name: &str) -> PathBuf {
    folder("gguf").join(name)
}

#[test]
fn blocks_of_8_bits_are_multiplied_as_they_are_stored() {
    let path = file("llama-q-q8_0.gguf");
    let cases = cases(&path);
    let prompts: Vec<Vec<u32>> = cases.iter().map(|case| case.prompt_ids.clone()).collect();
    let stored = load(&path, WeightDtype::Auto);
    let details = stored.info().details;
    assert_eq!(
        (details["quantization"].as_str(), stored.dtype()),
        ("q8_0", "q8_0")
    );
    assert!(details["arithmetic"].contains("8-bit"), "{details:?}");
    let quantize = Some(Quantization::Q8);
    let mut asked = load_with(
        &path,
        &EngineOptions {
            quantize,
            ..EngineOptions::default()
        },
    );
    let distance: f64 = cases[..2].iter().map(|case| case.distance(&stored)).sum();
    assert!(distance > 0.0 && distance < 0.2, "{distance}");
    let found = { stored }.generate_ids(&prompts, STEPS).unwrap();
    assert_eq!(found, asked.generate_ids(&prompts, STEPS).unwrap());
    for (prompt, found) in prompts.iter().zip(&found) {
        let options = EngineOptions {
            batch_size: Some(1),
            threads: Some(1),
            ..EngineOptions::default()
        };
        assert_eq!(
            &load_with(&path, &options)
                .generate_ids(std::slice::from_ref(prompt), STEPS)
                .unwrap()[0],
            found
        );
    }
}

#[test]
fn other_blocks_are_multiplied_as_bf16_and_say_what_they_were() {
    let path = file("llama-k-q4_k_m.gguf");
    let model = load(&path, WeightDtype::Auto);
    let details = model.info().details;
    assert!(details["quantization"].starts_with("q4_k, "), "{details:?}");
    assert!(details["arithmetic"].starts_with("bf16"), "{details:?}");
    for case in &cases(&path)[..2] {
        let distance = case.distance(&model);
        assert!(distance > 0.0 && distance < 0.1, "{distance}");
    }
}

/// A copy of a file that a test may change.
pub fn changed(name: &str, change: impl FnOnce(&mut Vec<u8>)) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let mut bytes = std::fs::read(file(name)).unwrap();
    change(&mut bytes);
    let path = dir.path().join("model.gguf");
    std::fs::write(&path, bytes).unwrap();
    (dir, path)
}

fn try_load(path: &Path) -> Result<LocalModel, Error> {
    LocalModel::load(CheckpointFiles::open(path)?, &EngineOptions::default())
}

fn refusal(path: &Path) -> (ErrorKind, String) {
    let error = try_load(path).err().expect("a changed file was loaded");
    (error.kind(), error.to_string())
}

/// Where the bytes behind a text lie.
fn behind(bytes: &[u8], text: &str) -> usize {
    let found = bytes
        .windows(text.len())
        .position(|window| window == text.as_bytes());
    found.unwrap_or_else(|| panic!("no {text:?}")) + text.len()
}

fn replace(bytes: &mut [u8], text: &str, other: &str) {
    let end = behind(bytes, text);
    bytes[end - text.len()..end].copy_from_slice(other.as_bytes());
}

#[test]
fn what_is_not_supported_is_refused_by_name() {
    // Behind a tensor's name: how many dimensions it has, these, and the number of its type.
    let (_dir, path) = changed("llama-q-q8_0.gguf", |bytes| {
        let at = behind(bytes, "blk.0.attn_q.weight") + 4 + 16;
        bytes[at..at + 4].copy_from_slice(&20u32.to_le_bytes());
    });
    let (kind, message) = refusal(&path);
    let expected =
        "model.gguf: tensor `blk.0.attn_q.weight` is stored as IQ4_NL, which is not supported";
    assert!(
        kind == ErrorKind::Unsupported && message.starts_with(expected),
        "{message}"
    );

    let (_dir, path) = changed("llama-q-q8_0.gguf", |bytes| {
        // The text behind the key: its type, its length, its letters.
        let at = behind(bytes, "general.architecture") + 4 + 8;
        assert_eq!(&bytes[at..at + 5], b"llama");
        bytes[at..at + 5].copy_from_slice(b"gemma");
    });
    let (kind, message) = refusal(&path);
    assert_eq!(kind, ErrorKind::Unsupported);
    assert!(
        message.starts_with(
            "model.gguf: architecture `gemma` is not supported; supported are `llama`"
        ),
        "{message}"
    );

    let (_dir, path) = changed("llama-q-q8_0.gguf", |bytes| {
        bytes[4..8].copy_from_slice(&1u32.to_le_bytes())
    });
    assert!(
        refusal(&path)
            .1
            .contains("is GGUF version 1; supported are 2 and 3")
    );
    let (_dir, path) = changed("llama-q-q8_0.gguf", |bytes| {
        bytes[4..8].copy_from_slice(&3u32.to_be_bytes())
    });
    assert!(refusal(&path).1.contains("big-endian"));
    let (_dir, path) = changed("llama-q-q8_0.gguf", |bytes| {
        replace(bytes, "blk.0.ffn_up.weight", "blk.0.ffn_xx.weight")
    });
    assert!(
        refusal(&path)
            .1
            .contains("tensor `blk.0.ffn_up.weight`: is missing"),
        "{}",
        refusal(&path).1
    );
    let (_dir, path) = changed("llama-q-q8_0.gguf", |bytes| {
        bytes.truncate(bytes.len() - 40)
    });
    assert!(
        refusal(&path).1.contains("the file is cut off"),
        "{}",
        refusal(&path).1
    );
    let (_dir, path) = changed("llama-q-q8_0.gguf", |bytes| {
        // The scale of the last block of the last matrix.
        let name = "blk.0.ffn_up.weight";
        let parsed = behind(bytes, name) + 4 + 16 + 4;
        let offset = u64::from_le_bytes(*bytes[parsed..].first_chunk().unwrap()) as usize;
        let start = bytes.len() - weights_of(bytes);
        bytes[start + offset..start + offset + 2].copy_from_slice(&0x7c00_u16.to_le_bytes());
    });
    let (kind, message) = refusal(&path);
    let expected = "model.gguf: tensor `blk.0.ffn_up.weight`: holds a value that is not finite (NaN or infinity)";
    assert_eq!((kind, message.as_str()), (ErrorKind::Weights, expected));
    let inspection = Inspection::of(&CheckpointFiles::open(&path).unwrap()).unwrap();
    assert_eq!(inspection.faults.len(), 1, "{:?}", inspection.faults);
    assert!(
        inspection.faults[0].contains("32 values are not finite"),
        "{:?}",
        inspection.faults
    );
}

#[test]
fn what_a_family_needs_and_a_file_lacks_is_named() {
    let number_behind = |bytes: &mut [u8], key: &str, number: u32| {
        let at = behind(bytes, key) + 4;
        bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
    };
    let (_dir, path) = changed("mixtral-f32.gguf", |bytes| {
        number_behind(bytes, "llama.expert_count", 5)
    });
    let expected = "model.gguf: tensor `blk.0.ffn_gate_exps.weight`: has the wrong shape: \
                    expected matrices of 5 experts, found shape [4, 24, 32]";
    assert_eq!(refusal(&path).1, expected);

    let (_dir, path) = changed("mixtral-f32.gguf", |bytes| {
        replace(bytes, "llama.expert_used_count", "llama.expert_used_xxxxx")
    });
    let expected = "model.gguf: lacks the key `llama.expert_used_count`";
    assert_eq!(refusal(&path).1, expected);

    let (_dir, path) = changed("longrope-f32.gguf", |bytes| {
        replace(
            bytes,
            "rope_factors_long.weight",
            "rope_factors_xxxx.weight",
        )
    });
    let expected = "model.gguf, read as config.json: the rotary scaling lacks `long_factor`";
    assert_eq!(refusal(&path).1, expected);

    let (_dir, path) = changed("phi4-mini-bf16.gguf", |bytes| {
        number_behind(bytes, "phi3.rope.dimension_count", 18)
    });
    let expected = "model.gguf: `phi3.rope.dimension_count` is 18: rotations narrower or wider than \
                    heads (16) are not supported";
    assert_eq!(refusal(&path).1, expected);
}

/// Bytes of all tensors together, each filled up to 32.
fn weights_of(bytes: &[u8]) -> usize {
    let header = safe_header(bytes);
    bytes.len() - header.next_multiple_of(32)
}

/// Where the last entry of the list of tensors ends: behind the name that comes last, with its
/// dimensions.
fn safe_header(bytes: &[u8]) -> usize {
    let names = bytes
        .windows(4)
        .enumerate()
        .filter(|(_, window)| window == b"blk." || window == b"outp");
    let last = names.map(|(at, _)| at).max().unwrap();
    let length = u64::from_le_bytes(*bytes[last - 8..].first_chunk().unwrap()) as usize;
    let dimensions = u32::from_le_bytes(*bytes[last + length..].first_chunk().unwrap()) as usize;
    last + length + 4 + 8 * dimensions + 4 + 8
}

#[test]
fn another_tokenizer_takes_the_place_of_one_that_is_not_known() {
    let (_dir, path) = changed("llama3-bf16.gguf", |bytes| {
        replace(bytes, "llama-bpe", "llama-xyz")
    });
    let (kind, message) = refusal(&path);
    assert_eq!(kind, ErrorKind::UnsupportedTokenizer);
    let expected = "model.gguf: the pre-tokenizer `llama-xyz` (`tokenizer.ggml.pre`) is not supported; \
                    the checkpoint's own tokenizer.json can take its place";
    assert_eq!(message, expected);
    let own = folder("variants/llama3");
    for tokenizer in [own.clone(), own.join("tokenizer.json")] {
        let files = CheckpointFiles::open_with_tokenizer(&path, &tokenizer).unwrap();
        let model = LocalModel::load(files, &EngineOptions::default()).unwrap();
        for case in cases(&file("llama3-bf16.gguf")) {
            assert_eq!(
                model.encode(&case.prompt).unwrap(),
                case.prompt_ids,
                "{:?}",
                case.prompt
            );
        }
    }
    let wrong = CheckpointFiles::open_with_tokenizer(&path, &own.join("config.json")).unwrap();
    let message = LocalModel::load(wrong, &EngineOptions::default())
        .err()
        .unwrap()
        .to_string();
    assert!(
        message.contains("variants/llama3/config.json: cannot be understood"),
        "{message}"
    );
    let nowhere = CheckpointFiles::open_with_tokenizer(&path, &folder("gguf"))
        .err()
        .unwrap();
    assert!(
        nowhere
            .to_string()
            .ends_with("gguf/tokenizer.json: no such file"),
        "{nowhere}"
    );
}

#[test]
fn an_adapter_changes_the_same_rows_as_in_a_folder() {
    let adapter = folder("adapters/lora-all");
    let options = EngineOptions {
        dtype: WeightDtype::F32,
        ..EngineOptions::default()
    };
    let logits = |base: &Path| {
        let files = CheckpointFiles::open(base)
            .unwrap()
            .with_adapter(&adapter)
            .unwrap();
        LocalModel::load(files, &options)
            .unwrap()
            .logits(&[1, 5, 9, 14])
            .unwrap()
    };
    let (ours, theirs) = (
        logits(&file("llama2-gqa-f32.gguf")),
        logits(&folder("variants/llama2-gqa")),
    );
    assert_eq!(ours, theirs);
    assert_ne!(
        ours,
        load(&file("llama2-gqa-f32.gguf"), WeightDtype::F32)
            .logits(&[1, 5, 9, 14])
            .unwrap()
    );
}

#[test]
fn parts_of_a_split_file_belong_together() {
    let (first, second) = (
        "llama-mqa-split-bf16-00001-of-00002.gguf",
        "llama-mqa-split-bf16-00002-of-00002.gguf",
    );
    let dir = tempfile::tempdir().unwrap();
    let copy = |from: &str, to: &str| std::fs::copy(file(from), dir.path().join(to)).unwrap();
    copy(first, first);
    let message = |name: &str| refusal(&dir.path().join(name)).1;
    assert_eq!(message(first), format!("{second}: no such file"));
    copy(first, second);
    assert_eq!(
        message(first),
        format!("{second}: is not part 2 of 2, as its name says")
    );
    copy(second, second);
    assert_eq!(
        try_load(&dir.path().join(first)).unwrap().info().name,
        "llama-mqa-split-bf16"
    );
    assert!(
        message(second).starts_with(&format!("{second}: is ")),
        "{}",
        message(second)
    );
    copy(first, "renamed.gguf");
    assert!(message("renamed.gguf").contains("not named like one: NAME-00001-of-00003.gguf"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_damaged_gguf_header_never_panics(
        changes in prop::collection::vec((0usize..30_000, any::<u8>()), 1..6),
        name in prop::sample::select(vec![
            "llama-q-q8_0.gguf", "llama3-bf16.gguf", "qwen2-f32.gguf", "gemma3-f32.gguf", "longrope-f32.gguf",
            "mixtral-q-q8_0.gguf",
        ]),
    ) {
        damage::file_survives(&file(name), |bytes| {
            changes.iter().for_each(|&(at, value)| { let at = at % bytes.len(); bytes[at] = value; });
        });
    }

    #[test]
    fn a_flipped_bit_of_a_gguf_header_never_panics(
        position in 0usize..30_000, bit in 0u8..8,
        name in prop::sample::select(vec!["llama-q-q8_0.gguf", "llama3-bf16.gguf"]),
    ) {
        damage::file_survives(&file(name), |bytes| { let at = position % bytes.len(); bytes[at] ^= 1 << bit; });
    }

    #[test]
    fn a_gguf_file_cut_off_never_panics(keep in 0usize..90_000) {
        damage::file_survives(&file("llama-q-q8_0.gguf"), |bytes| bytes.truncate(keep));
    }

    /// Counts and lengths that claim anything.
    #[test]
    fn sizes_of_a_gguf_file_without_bounds_never_allocate(
        which in 0usize..1000, value in any::<u64>(), shift in 0u32..64,
    ) {
        damage::file_survives(&file("llama-q-q8_0.gguf"), |bytes| {
            // Wherever eight bytes look like a length or a count.
            let places: Vec<usize> = (8..20_000).filter(|&at| bytes[at] != 0 && bytes[at + 2..at + 8] == [0; 6]).collect();
            let at = places[which % places.len()];
            bytes[at..at + 8].copy_from_slice(&(value >> shift).to_le_bytes());
        });
    }
}
