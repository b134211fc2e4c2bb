//! Adapters, as `tools/parity-checkpoints/adapters.py` wrote them with peft.

use std::path::{Path, PathBuf};

use generation::Generator;
use inference::{CheckpointFiles, EngineOptions, Error, ErrorKind, LocalModel, WeightDtype};
use serde_json::{Value, json};

use crate::checkpoints::{cases_in, folder};

const STEPS: usize = 64;

fn adapter(name: &str) -> PathBuf {
    folder("adapters").join(name)
}

/// The base that an adapter was trained on.
fn base(adapter: &Path) -> PathBuf {
    let config: Value =
        serde_json::from_slice(&std::fs::read(adapter.join("adapter_config.json")).unwrap())
            .unwrap();
    // Relative to the folder in which it was trained.
    let name = config["base_model_name_or_path"].as_str().unwrap();
    folder("adapters").join(name)
}

/// What is recorded is computed in f32, whatever the base is stored in.
fn in_f32() -> EngineOptions {
    EngineOptions {
        dtype: WeightDtype::F32,
        ..EngineOptions::default()
    }
}

fn load(base: &Path, adapter: &Path) -> Result<LocalModel, Error> {
    LocalModel::load(
        CheckpointFiles::open(base)?.with_adapter(adapter)?,
        &in_f32(),
    )
}

const MERGED: [&str; 15] = [
    "added-tokens",
    "bias",
    "dora",
    "embedding",
    "gemma3-all",
    "lora",
    "lora-all",
    "lora-negative",
    "mixtral-attention",
    "olmo2-all",
    "patterns",
    "phi3-all",
    "rslora",
    "saved",
    "trainable-tokens",
];

#[test]
fn merging_equals_that_of_peft() {
    for name in MERGED {
        let adapter = adapter(name);
        let mut model =
            load(&base(&adapter), &adapter).unwrap_or_else(|error| panic!("{name}: {error}"));
        let plain = LocalModel::load(CheckpointFiles::open(&base(&adapter)).unwrap(), &in_f32());
        let mut plain = plain.unwrap();
        let cases = cases_in(&adapter);
        assert!(cases.len() >= 8, "{name}");
        let mut differing = 0;
        for case in cases {
            assert_eq!(
                model.encode(&case.prompt).unwrap(),
                case.prompt_ids,
                "{name}: {:?}",
                case.prompt
            );
            let found = model
                .generate_ids(std::slice::from_ref(&case.prompt_ids), STEPS)
                .unwrap();
            assert_eq!(
                found,
                std::slice::from_ref(&case.tokens),
                "{name}: {:?}",
                case.prompt
            );
            if let Some(expected) = case.logits {
                let found = model.logits(&case.prompt_ids).unwrap().pop().unwrap();
                assert_eq!(found.len(), expected.len(), "{name}");
                let worst = found
                    .iter()
                    .zip(&expected)
                    .map(|(a, b)| (a - b).abs())
                    .fold(0.0, f32::max);
                assert!(worst < 2e-4, "{name}: {:?} differs by {worst}", case.prompt);
            }
            differing += usize::from(
                plain.generate_ids(&[case.prompt_ids], STEPS).ok() != Some(vec![case.tokens]),
            );
        }
        assert!(differing > 0, "{name}: the adapter changes nothing");
    }
}

#[test]
fn details_name_what_was_merged() {
    let (first, second) = (adapter("lora"), adapter("patterns"));
    let info = load(&base(&first), &first).unwrap().info();
    assert_eq!(info.name, "base+lora");
    assert!(
        info.details["adapter"].starts_with("LoRA of rank 4, "),
        "{}",
        info.details["adapter"]
    );
    let other = load(&base(&second), &second).unwrap().info();
    assert_ne!(
        info.details["adapter_digest"],
        other.details["adapter_digest"]
    );
    let elsewhere = load(&adapter("base-biased"), &adapter("lora"));
    assert!(
        elsewhere
            .unwrap()
            .warnings()
            .iter()
            .any(|warning| warning.contains("was trained on"))
    );
}

/// The refusal of a copy of `lora` whose configuration was changed.
fn refusal(change: impl FnOnce(&mut Value)) -> Error {
    let copy = copy_of("lora");
    let path = copy.path().join("adapter_config.json");
    let mut config = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    change(&mut config);
    std::fs::write(&path, config.to_string()).unwrap();
    load(&adapter("base"), copy.path())
        .err()
        .expect("it was loaded")
}

#[test]
fn what_is_not_implemented_is_refused_by_name() {
    let error = load(&adapter("base"), &adapter("ia3")).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(
        error.to_string(),
        "adapter_config.json: adapters of the kind `IA3` are not supported; merge it with peft's `merge_and_unload` first"
    );
    for (key, value, expected) in [
        (
            "init_lora_weights",
            json!("pissa"),
            "init_lora_weights `pissa` changes the base and is not supported",
        ),
        (
            "layer_replication",
            json!([[0, 2]]),
            "layer_replication ([[0,2]]) is not supported",
        ),
        (
            "fan_in_fan_out",
            json!(true),
            "fan_in_fan_out (true) is not supported",
        ),
    ] {
        let error = refusal(|config| config[key] = value);
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains(expected), "{error}");
    }
    let error = refusal(|config| config["r"] = json!(8));
    assert!(
        error
            .to_string()
            .contains("has another rank than adapter_config.json says: expected 8, found 4"),
        "{error}"
    );
    let error = refusal(|config| config["use_dora"] = json!(true));
    assert!(
        error.to_string().contains("lacks lora_magnitude_vector"),
        "{error}"
    );
    let error = refusal(|config| config["rank_pattern"] = json!({"(": 4}));
    assert!(
        error
            .to_string()
            .contains("rank_pattern `(` cannot be understood"),
        "{error}"
    );
    let error = refusal(|config| *config = json!([]));
    let expected = "adapter_config.json: cannot be understood: invalid type: sequence, expected an object of settings";
    assert!(error.to_string().starts_with(expected), "{error}");
    let error = load(&folder("llama-tied"), &adapter("lora")).err().unwrap();
    assert!(
        error
            .to_string()
            .contains("does not fit the adapter's change"),
        "{error}"
    );
    let error = load(&adapter("base"), &adapter("base")).err().unwrap();
    assert!(
        error.to_string().ends_with("holds no adapter_config.json"),
        "{error}"
    );
}

/// A copy of an adapter that a test may damage.
fn copy_of(name: &str) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for file in ["adapter_config.json", "adapter_model.safetensors"] {
        std::fs::copy(adapter(name).join(file), copy.path().join(file)).unwrap();
    }
    copy
}

#[test]
fn damaged_adapters_are_refused_in_words() {
    let copy = copy_of("trainable-tokens");
    let config = std::fs::read_to_string(copy.path().join("adapter_config.json")).unwrap();
    std::fs::write(
        copy.path().join("adapter_config.json"),
        config.replace("310", "99999"),
    )
    .unwrap();
    let error = load(&adapter("base"), copy.path()).err().unwrap();
    assert_eq!(
        error.to_string(),
        "adapter_model.safetensors: tensor `model.embed_tokens.weight`: does not fit the adapter's change: \
         expected a row 99999 of 32 columns, found [337, 32]"
    );

    let copy = copy_of("lora");
    let path = copy.path().join("adapter_model.safetensors");
    let bytes = std::fs::read(&path).unwrap();
    for keep in [0, 5, 200, bytes.len() / 2, bytes.len() - 1] {
        std::fs::write(&path, &bytes[..keep]).unwrap();
        let error = load(&adapter("base"), copy.path()).err().unwrap();
        assert!(
            error
                .to_string()
                .starts_with("adapter_model.safetensors: damaged or cut off"),
            "{keep}: {error}"
        );
    }
}
