use proptest::prelude::*;

use crate::checkpoints::{Copy, folder};

/// Loads a copy in which some bytes of a file were replaced or its end was cut off. Whether it still loads depends on
/// the bytes; it must neither panic nor report anything but a fault of the files.
fn survives(checkpoint: &str, file: &str, changes: &[(usize, u8)], keep: usize) {
    let mut bytes = std::fs::read(folder(checkpoint).join(file)).unwrap();
    for &(position, value) in changes {
        let position = position % bytes.len();
        bytes[position] = value;
    }
    bytes.truncate(keep);
    let copy = Copy::of(checkpoint);
    copy.write(file, bytes);
    if let Err(error) = copy.try_load() {
        assert!(error.is_integrity(), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_damaged_weight_header_never_panics(changes in prop::collection::vec((0usize..2400, any::<u8>()), 1..6)) {
        survives("llama-tied", "model.safetensors", &changes, usize::MAX);
    }

    #[test]
    fn a_damaged_length_never_panics(changes in prop::collection::vec((0usize..8, any::<u8>()), 1..3)) {
        survives("llama-tied", "model.safetensors", &changes, usize::MAX);
    }

    #[test]
    fn cut_off_weights_never_panic(keep in 0usize..208_000) {
        survives("llama-tied", "model.safetensors", &[], keep);
    }

    #[test]
    fn a_damaged_configuration_never_panics(changes in prop::collection::vec((0usize..700, 32u8..127), 1..4)) {
        survives("mistral-window", "config.json", &changes, usize::MAX);
    }

    #[test]
    fn a_damaged_index_never_panics(changes in prop::collection::vec((0usize..1700, 32u8..127), 1..4)) {
        survives("mistral-window", "model.safetensors.index.json", &changes, usize::MAX);
    }

    #[test]
    fn a_damaged_tokenizer_never_panics(changes in prop::collection::vec((0usize..4200, 32u8..127), 1..4)) {
        survives("llama-biased", "tokenizer.json", &changes, usize::MAX);
    }
}
