//! Whatever happens to the files of a checkpoint, it is refused in words or it runs; and what a
//! damaged size claims is never allocated.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::path::Path;

use fault::{Class, Fault};
use inference::{CheckpointFiles, EngineOptions, Inspection, LocalModel};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::checkpoints::{Copy, folder};

/// The system's allocator, which also notes the largest size that each thread asks for.
pub struct Watched;

thread_local! {
    static LARGEST: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: everything is passed on to the system's allocator.
unsafe impl GlobalAlloc for Watched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LARGEST.set(LARGEST.get().max(layout.size()));
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        LARGEST.set(LARGEST.get().max(layout.size()));
        // SAFETY: as the caller promises.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        LARGEST.set(LARGEST.get().max(size));
        // SAFETY: as the caller promises.
        unsafe { System.realloc(at, layout, size) }
    }
}

/// What the tables of a tokenizer and of the parsers may take beside the files.
const TABLES: usize = 1 << 20;

/// Loads a damaged copy and, if it loads, runs it. It must neither panic nor report anything but a
/// fault of the files, nor ask for more memory at once than the files are large.
fn survives(copy: &Copy) {
    survives_within(copy, TABLES);
}

fn survives_within(copy: &Copy, tables: usize) {
    let files = std::fs::read_dir(copy.path("")).unwrap();
    let size: u64 = files
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .sum();
    path_survives(&copy.path(""), size as usize, tables);
}

/// The same of a copy of a single file. Its tokenizer may be damaged too, see [`changed`].
pub fn file_survives(file: &Path, damage: impl FnOnce(&mut Vec<u8>)) {
    let dir = tempfile::tempdir().unwrap();
    let mut bytes = std::fs::read(file).unwrap();
    damage(&mut bytes);
    let path = dir.path().join("damaged.gguf");
    std::fs::write(&path, &bytes).unwrap();
    path_survives(&path, bytes.len(), 1 << 26);
}

fn path_survives(path: &Path, size: usize, tables: usize) {
    LARGEST.set(0);
    let files = CheckpointFiles::open(path);
    let loaded = files.and_then(|files| LocalModel::load(files, &EngineOptions::default()));
    let largest = LARGEST.get();
    assert!(
        largest <= size.saturating_add(tables),
        "{largest} bytes at once for files of {size}"
    );
    match loaded {
        Err(error) => assert!(
            error.class() == Class::Integrity && !error.to_string().is_empty(),
            "{error}"
        ),
        Ok(mut model) => drop(model.generate_ids(&[vec![1, 5, 9]], 2)),
    }
    if let Err(error) = CheckpointFiles::open(path).and_then(|files| Inspection::of(&files)) {
        assert_eq!(error.class(), Class::Integrity, "{error}");
        drop(Inspection::of_refused(path, "a reason"));
    }
}

/// A copy in which some bytes of a file were replaced, or its end was cut off.
fn changed(checkpoint: &str, file: &str, changes: &[(usize, u8)], keep: usize) {
    let mut bytes = std::fs::read(folder(checkpoint).join(file)).unwrap();
    for &(position, value) in changes {
        let position = position % bytes.len();
        bytes[position] = value;
    }
    bytes.truncate(keep);
    let copy = Copy::of(checkpoint);
    copy.write(file, bytes);
    // The tokenizers library panics on some damage, and what prints a trace of that takes memory
    // too.
    survives_within(
        &copy,
        if file == "tokenizer.json" {
            1 << 26
        } else {
            TABLES
        },
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_damaged_weight_header_never_panics(changes in prop::collection::vec((0usize..2400, any::<u8>()), 1..6)) {
        changed("llama-tied", "model.safetensors", &changes, usize::MAX);
    }

    #[test]
    fn a_flipped_bit_never_panics(position in 0usize..2400, bit in 0u8..8) {
        let before = std::fs::read(folder("llama-tied").join("model.safetensors")).unwrap()[position];
        changed("llama-tied", "model.safetensors", &[(position, before ^ 1 << bit)], usize::MAX);
    }

    #[test]
    fn a_damaged_length_never_panics(changes in prop::collection::vec((0usize..8, any::<u8>()), 1..3)) {
        changed("llama-tied", "model.safetensors", &changes, usize::MAX);
    }

    #[test]
    fn cut_off_weights_never_panic(keep in 0usize..208_000) {
        changed("llama-tied", "model.safetensors", &[], keep);
    }

    #[test]
    fn a_damaged_configuration_never_panics(changes in prop::collection::vec((0usize..700, 32u8..127), 1..4)) {
        changed("mistral-window", "config.json", &changes, usize::MAX);
    }

    #[test]
    fn a_digit_of_the_configuration_never_panics(
        key in prop::sample::select(vec![
            "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads",
            "head_dim", "vocab_size", "max_position_embeddings", "rms_norm_eps", "rope_theta", "sliding_window",
            "bos_token_id", "eos_token_id", "tie_word_embeddings", "attention_bias",
        ]),
        value in prop_oneof![
            any::<u64>().prop_map(|number| json!(number)),
            (0u64..300).prop_map(|number| json!(number)),
            any::<i32>().prop_map(|number| json!(number)),
            any::<f64>().prop_map(|number| json!(number)),
            any::<bool>().prop_map(|on| json!(on)),
            Just(Value::Null),
            Just(json!("48")),
            Just(json!([])),
        ],
    ) {
        let copy = Copy::of("mistral-window");
        copy.edit("config.json", |config| config[key] = value);
        survives(&copy);
    }

    #[test]
    fn a_damaged_index_never_panics(changes in prop::collection::vec((0usize..1700, 32u8..127), 1..4)) {
        changed("mistral-window", "model.safetensors.index.json", &changes, usize::MAX);
    }

    #[test]
    fn a_damaged_tokenizer_never_panics(changes in prop::collection::vec((0usize..4200, 32u8..127), 1..4)) {
        changed("llama-biased", "tokenizer.json", &changes, usize::MAX);
    }

    /// A header that claims any shape and any place for a tensor.
    #[test]
    fn sizes_without_bounds_never_allocate(
        rows in any::<u64>(), columns in any::<u64>(), start in any::<u64>(), end in any::<u64>(), small in any::<bool>(),
    ) {
        let limit = if small { 300_000 } else { u64::MAX };
        let copy = Copy::of("llama-tied");
        let bytes = std::fs::read(copy.path("model.safetensors")).unwrap();
        let length = u64::from_le_bytes(*bytes.first_chunk().unwrap()) as usize;
        let mut header: Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
        header["model.embed_tokens.weight"]["shape"] = json!([rows % limit, columns % limit]);
        header["model.embed_tokens.weight"]["data_offsets"] = json!([start % limit, end % limit]);
        let header = header.to_string().into_bytes();
        let parts = [&(header.len() as u64).to_le_bytes()[..], &header, &bytes[8 + length..]];
        copy.write("model.safetensors", parts.concat());
        survives(&copy);
    }
}

#[test]
fn shards_in_each_others_place_are_the_same_checkpoint_or_refused() {
    let copy = Copy::of("mistral-window");
    let (first, second) = (
        "model-00001-of-00003.safetensors",
        "model-00002-of-00003.safetensors",
    );
    let contents = [first, second].map(|name| std::fs::read(copy.path(name)).unwrap());
    copy.write(first, &contents[1]).write(second, &contents[0]);
    // Tensors are found by their names, so nothing is wrong with the computation.
    let case = &crate::checkpoints::cases("mistral-window")[0];
    let found = copy
        .load()
        .generate_ids(std::slice::from_ref(&case.prompt_ids), 48)
        .unwrap();
    assert_eq!(found, std::slice::from_ref(&case.tokens));

    copy.write(first, &contents[0]);
    let (_, message) = copy.refusal();
    assert!(
        message.starts_with(second) && message.contains("is also in model-00001"),
        "{message}"
    );
}
