use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use inference::{
    Architecture, CheckpointFiles, EngineOptions, ErrorKind, LocalModel, RopeScaling, WeightDtype,
};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde_json::{Value, json};

use crate::checkpoints::{Copy, cases, folder, load, load_with};

/// Loads a copy of `llama-tied` with a changed configuration and returns the refusal.
fn config_refusal(change: impl FnOnce(&mut Value)) -> (ErrorKind, String) {
    let copy = Copy::of("llama-tied");
    copy.edit("config.json", change);
    let (error, message) = copy.refusal();
    assert_eq!(error.file(), Some("config.json"), "{message}");
    (error.kind(), message)
}

pub struct OwnedTensor {
    pub dtype: Dtype,
    pub shape: Vec<usize>,
    pub data: Vec<u8>,
}

/// Rewrites the tensors of a copy of `llama-tied`.
pub fn with_tensors(change: impl FnOnce(&mut BTreeMap<String, OwnedTensor>)) -> Copy {
    let copy = Copy::of("llama-tied");
    let bytes = std::fs::read(copy.path("model.safetensors")).unwrap();
    let parsed = SafeTensors::deserialize(&bytes).unwrap();
    let owned = |view: &TensorView<'_>| OwnedTensor {
        dtype: view.dtype(),
        shape: view.shape().to_vec(),
        data: view.data().to_vec(),
    };
    let mut tensors = parsed
        .tensors()
        .iter()
        .map(|(name, view)| (name.clone(), owned(view)))
        .collect();
    change(&mut tensors);
    let views = tensors.iter().map(|(name, tensor)| {
        (
            name.clone(),
            TensorView::new(tensor.dtype, tensor.shape.clone(), &tensor.data).unwrap(),
        )
    });
    copy.write(
        "model.safetensors",
        safetensors::serialize(views.collect::<Vec<_>>(), None).unwrap(),
    );
    copy
}

const Q_PROJ: &str = "model.layers.1.self_attn.q_proj.weight";

#[test]
fn refuses_a_folder_that_is_not_there() {
    let error = CheckpointFiles::open(Path::new("/nowhere/at/all")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Missing);
    assert_eq!(error.to_string(), "/nowhere/at/all: no such file or folder");
}

#[test]
fn names_the_file_that_is_missing() {
    let message = |file| Copy::of("llama-tied").remove(file).refusal().1;
    assert_eq!(message("config.json"), "DIR: holds no config.json");
    assert_eq!(message("tokenizer.json"), "DIR: holds no tokenizer.json");
    let nothing =
        "DIR: holds no weights: neither model.safetensors nor model.safetensors.index.json";
    assert_eq!(message("model.safetensors"), nothing);

    let copy = Copy::of("mistral-window");
    let (error, message) = copy.remove("model-00002-of-00003.safetensors").refusal();
    assert_eq!(error.kind(), ErrorKind::Missing);
    assert_eq!(message, "model-00002-of-00003.safetensors: no such file");
}

#[test]
fn says_how_to_convert_what_only_needs_converting() {
    let copy = Copy::of("llama-tied");
    let (_, message) = copy
        .remove("tokenizer.json")
        .write("tokenizer.model", "sentencepiece")
        .refusal();
    assert_eq!(
        message,
        "DIR: holds tokenizer.model but no tokenizer.json; convert it with transformers: \
         AutoTokenizer.from_pretrained(\"DIR\").save_pretrained(\"DIR\")"
    );

    let copy = Copy::of("llama-tied");
    let (error, message) = copy
        .remove("model.safetensors")
        .write("pytorch_model-00001-of-00002.bin", "")
        .refusal();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(
        message,
        "DIR: holds weights only as pytorch_model*.bin, which can run code; convert it with transformers: \
         AutoModelForCausalLM.from_pretrained(\"DIR\").save_pretrained(\"DIR\", safe_serialization=True)"
    );

    let (_, message) = Copy::of("llama-tied")
        .remove("config.json")
        .write("adapter_config.json", "{}")
        .refusal();
    assert_eq!(
        message,
        "DIR: holds an adapter without its base model: give the base's folder, and this one as the adapter"
    );
}

#[test]
fn refuses_other_architectures_by_name() {
    let supported = "supported are LlamaForCausalLM (model_type llama), MistralForCausalLM (mistral), \
                     Qwen2ForCausalLM (qwen2), Qwen3ForCausalLM (qwen3), SmolLM3ForCausalLM (smollm3), \
                     Olmo2ForCausalLM (olmo2), Phi3ForCausalLM (phi3), Gemma3ForCausalLM (gemma3_text) \
                     and MixtralForCausalLM (mixtral)";
    let (kind, message) =
        config_refusal(|config| config["architectures"] = json!(["Qwen2MoeForCausalLM"]));
    assert_eq!(kind, ErrorKind::Unsupported);
    assert_eq!(
        message,
        format!("config.json: architecture `Qwen2MoeForCausalLM` is not supported; {supported}")
    );

    let (_, message) = config_refusal(|config| {
        config["model_type"] = json!("gemma");
        config.as_object_mut().unwrap().remove("architectures");
    });
    assert_eq!(
        message,
        format!("config.json: model_type `gemma` is not supported; {supported}")
    );

    let (_, message) = config_refusal(|config| config["model_type"] = json!("mistral"));
    assert_eq!(
        message,
        "config.json: model_type `mistral` contradicts architecture `LlamaForCausalLM`"
    );
}

#[test]
fn refuses_what_would_change_the_result() {
    for (key, value, expected) in [
        (
            "hidden_act",
            json!("gelu"),
            "hidden_act `gelu` is not supported; only `silu` is",
        ),
        (
            "quantization_config",
            json!({"quant_method": "gptq", "bits": 4}),
            "quantized weights (quant_method `gptq`) are not supported",
        ),
        (
            "rope_parameters",
            json!({"rope_type": "proportional", "factor": 4.0}),
            "rope type `proportional` is not supported; supported are `default`, `linear`, `dynamic`, `llama3`, `yarn` and `longrope`",
        ),
        (
            "rope_parameters",
            json!({"full_attention": {"rope_type": "default"}}),
            "rotary positions of their own for `full_attention` are not supported",
        ),
        (
            "partial_rotary_factor",
            json!(0.5),
            "partial_rotary_factor 0.5 is not supported for LlamaForCausalLM",
        ),
        (
            "num_local_experts",
            json!(8),
            "num_local_experts (8) is not supported for LlamaForCausalLM",
        ),
        (
            "final_logit_softcapping",
            json!(30.0),
            "final_logit_softcapping (30.0) is not supported",
        ),
        ("qk_norm", json!(true), "qk_norm (true) is not supported"),
        (
            "logit_scale",
            json!(0.0625),
            "logit_scale (0.0625) is not supported",
        ),
        (
            "layer_types",
            json!(["full_attention", "linear_attention"]),
            "layer_types[1] `linear_attention` is not supported",
        ),
    ] {
        let (kind, message) = config_refusal(|config| config[key] = value);
        assert_eq!(kind, ErrorKind::Unsupported, "{message}");
        assert_eq!(message, format!("config.json: {expected}"));
    }
}

#[test]
fn takes_what_changes_nothing() {
    for (key, value) in [
        ("hidden_act", json!("swish")),
        ("num_local_experts", json!(1)),
        ("final_logit_softcapping", json!(null)),
        ("qk_norm", json!(false)),
        ("logit_scale", json!(1)),
        ("quantization_config", json!(null)),
        ("layer_types", json!(["full_attention", "full_attention"])),
        (
            "rope_scaling",
            json!({"type": "default", "rope_type": "default"}),
        ),
        ("pretraining_tp", json!(2)),
    ] {
        let copy = Copy::of("llama-tied");
        copy.edit("config.json", |config| config[key] = value);
        assert_eq!(
            copy.load().warnings(),
            load("llama-tied").warnings(),
            "{key}"
        );
    }
    let copy = Copy::of("llama-tied");
    copy.edit("config.json", |config| {
        config["auto_map"] = json!({"AutoModelForCausalLM": "modeling.Model"})
    });
    assert_eq!(
        copy.load().warnings(),
        ["config.json names code of its own (auto_map), which is not run"]
    );
}

#[test]
fn layer_types_must_fit_the_family() {
    let refusal = |types: Value| {
        let copy = Copy::of("mistral-window");
        copy.edit("config.json", |config| config["layer_types"] = types);
        copy.refusal().1
    };
    assert_eq!(
        refusal(json!(["sliding_attention", "full_attention"])),
        "config.json: layer_types[1] `full_attention` is not what MistralForCausalLM computes"
    );
    assert_eq!(
        refusal(json!(["sliding_attention"])),
        "config.json: layer_types names 1 layers, num_hidden_layers 2"
    );
    let (kind, message) = config_refusal(|config| {
        config["layer_types"] = json!(["sliding_attention", "full_attention"])
    });
    assert_eq!(kind, ErrorKind::Config);
    assert_eq!(
        message,
        "config.json: layer_types[0] is `sliding_attention` and there is no window"
    );
}

#[test]
fn refuses_impossible_dimensions() {
    for (key, value, expected) in [
        ("hidden_size", json!(0), "`hidden_size` is 0"),
        ("vocab_size", json!(null), "`vocab_size` is missing"),
        (
            "num_key_value_heads",
            json!(3),
            "num_attention_heads (4) is not a multiple of num_key_value_heads (3)",
        ),
        (
            "head_dim",
            json!(11),
            "head_dim (11) is odd; rotary positions need pairs",
        ),
        (
            "intermediate_size",
            json!(u64::MAX),
            "`intermediate_size` is 18446744073709551615, beyond the largest sensible 1048576",
        ),
        (
            "rms_norm_eps",
            json!(-1.0),
            "`rms_norm_eps` is -1, not a positive number",
        ),
        (
            "eos_token_id",
            json!([2, -1]),
            "`eos_token_id` holds -1, which is not a token id",
        ),
    ] {
        let (kind, message) = config_refusal(|config| config[key] = value);
        assert_eq!(kind, ErrorKind::Config, "{message}");
        assert_eq!(message, format!("config.json: {expected}"));
    }
    for (scaling, expected) in [
        (
            json!({"rope_type": "yarn", "factor": 2.0, "rope_theta": 1.0}),
            "`rope_theta` is 1, and yarn scaling needs more than 1",
        ),
        (
            json!({"rope_type": "dynamic", "factor": 1e30}),
            "rotary scaling by 1000000000000000000000000000000 of 256 tokens goes beyond the largest sensible context of \
             16777216 tokens",
        ),
        (
            json!({"rope_type": "linear", "factor": 0.0}),
            "`factor` is 0, not a positive number",
        ),
        (
            json!({"rope_type": "dynamic", "factor": 0.5}),
            "the factor of dynamic rotary scaling is 0.5, below 1",
        ),
    ] {
        let (_, message) = config_refusal(|config| config["rope_parameters"] = scaling);
        assert_eq!(message, format!("config.json: {expected}"));
    }
    let (_, message) = config_refusal(|config| {
        config["head_dim"] = json!(2);
        config["rope_parameters"] = json!({"rope_type": "dynamic", "factor": 2.0});
    });
    assert_eq!(
        message,
        "config.json: dynamic rotary scaling is not defined for heads of width 2"
    );
    let (_, message) = config_refusal(|config| *config = json!([]));
    assert!(
        message.contains("expected an object of settings"),
        "{message}"
    );
    let (_, message) = config_refusal(|config| config["hidden_size"] = json!("48"));
    assert!(
        message.starts_with("config.json: cannot be understood: invalid type"),
        "{message}"
    );
}

#[test]
fn names_a_missing_tensor() {
    let (error, message) = with_tensors(|tensors| drop(tensors.remove(Q_PROJ))).refusal();
    assert_eq!(error.tensor(), Some(Q_PROJ));
    assert_eq!(
        message,
        format!(
            "model.safetensors: tensor `{Q_PROJ}`: is missing: expected shape [48, 48], found no tensor of that name"
        )
    );
}

#[test]
fn names_an_unknown_tensor() {
    let copy = with_tensors(|tensors| {
        let data = vec![0; 16];
        tensors.insert(
            "model.layers.0.self_attn.q_norm.weight".into(),
            OwnedTensor {
                dtype: Dtype::F32,
                shape: vec![4],
                data,
            },
        );
    });
    assert_eq!(
        copy.refusal().1,
        "model.safetensors: tensor `model.layers.0.self_attn.q_norm.weight`: is not part of such a model"
    );
}

#[test]
fn names_a_misshapen_tensor() {
    let (error, message) =
        with_tensors(|tensors| tensors.get_mut(Q_PROJ).unwrap().shape = vec![96, 24]).refusal();
    assert_eq!(
        (error.expected_value(), error.found_value()),
        (Some("[48, 48]"), Some("[96, 24]"))
    );
    assert_eq!(
        message,
        format!(
            "model.safetensors: tensor `{Q_PROJ}`: has the wrong shape: expected [48, 48], found [96, 24]"
        )
    );
}

#[test]
fn names_a_tensor_of_an_unsupported_dtype() {
    let (_, message) =
        with_tensors(|tensors| tensors.get_mut(Q_PROJ).unwrap().dtype = Dtype::I32).refusal();
    assert_eq!(
        message,
        format!(
            "model.safetensors: tensor `{Q_PROJ}`: has an unsupported dtype: expected F32, F16 or BF16, found I32"
        )
    );
}

#[test]
fn names_a_tensor_that_is_not_finite() {
    for value in [f32::NAN, f32::INFINITY] {
        let copy = with_tensors(|tensors| {
            tensors.get_mut(Q_PROJ).unwrap().data[400..404].copy_from_slice(&value.to_le_bytes());
        });
        let (error, message) = copy.refusal();
        assert_eq!(error.kind(), ErrorKind::Weights);
        assert_eq!(
            message,
            format!(
                "model.safetensors: tensor `{Q_PROJ}`: holds a value that is not finite (NaN or infinity)"
            )
        );
    }
}

#[test]
fn reports_a_file_that_is_cut_off() {
    let copy = Copy::of("llama-tied");
    let bytes = std::fs::read(copy.path("model.safetensors")).unwrap();
    for keep in [0, 4, 100, bytes.len() - 1] {
        let (error, message) = copy.write("model.safetensors", &bytes[..keep]).refusal();
        assert_eq!(error.kind(), ErrorKind::Weights);
        assert!(
            message.starts_with("model.safetensors: damaged or cut off: "),
            "{message}"
        );
        assert!(message.ends_with(&format!("({keep} bytes)")), "{message}");
    }
}

#[test]
fn refuses_shards_outside_the_folder() {
    for name in [
        "../model.safetensors",
        "/etc/passwd",
        "a/b.safetensors",
        "pytorch_model.bin",
    ] {
        let copy = Copy::of("mistral-window");
        let (_, message) = copy
            .edit("model.safetensors.index.json", |index| {
                index["weight_map"]["lm_head.weight"] = json!(name)
            })
            .refusal();
        assert_eq!(
            message,
            format!(
                "model.safetensors.index.json: names the file {name:?}, which is not a safetensors file of this folder"
            )
        );
    }
}

#[test]
fn tolerates_tensors_that_say_nothing_new() {
    let copy = with_tensors(|tensors| {
        let embedding = &tensors["model.embed_tokens.weight"];
        let output = OwnedTensor {
            dtype: embedding.dtype,
            shape: embedding.shape.clone(),
            data: embedding.data.clone(),
        };
        tensors.insert("lm_head.weight".into(), output);
        let frequencies = OwnedTensor {
            dtype: Dtype::F32,
            shape: vec![6],
            data: vec![0; 24],
        };
        tensors.insert(
            "model.layers.0.self_attn.rotary_emb.inv_freq".into(),
            frequencies,
        );
    });
    let case = &cases("llama-tied")[0];
    assert_eq!(
        copy.load()
            .generate_ids(std::slice::from_ref(&case.prompt_ids), 48)
            .unwrap(),
        std::slice::from_ref(&case.tokens)
    );
}

#[test]
fn refuses_a_tied_output_layer_that_differs() {
    let copy = with_tensors(|tensors| {
        let embedding = &tensors["model.embed_tokens.weight"];
        let data = vec![0; embedding.data.len()];
        let output = OwnedTensor {
            dtype: embedding.dtype,
            shape: embedding.shape.clone(),
            data,
        };
        tensors.insert("lm_head.weight".into(), output);
    });
    assert_eq!(
        copy.refusal().1,
        "model.safetensors: tensor `lm_head.weight`: differs from model.embed_tokens.weight, although config.json says \
         that they are tied (tie_word_embeddings)"
    );
}

#[test]
fn stored_half_precision_is_widened_exactly() {
    let in_f32 = EngineOptions {
        dtype: WeightDtype::F32,
        ..Default::default()
    };
    let as_bf16 = |bytes: &[u8]| {
        bytes
            .as_chunks::<4>()
            .0
            .iter()
            .map(|b| half::bf16::from_f32(f32::from_le_bytes(*b)))
            .collect::<Vec<_>>()
    };
    let copy = with_tensors(|tensors| {
        for tensor in tensors.values_mut() {
            tensor.data = as_bf16(&tensor.data)
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect();
            tensor.dtype = Dtype::BF16;
        }
    });
    let mut model = copy.load_with(&in_f32);
    assert_eq!(model.dtype(), "f32");
    for case in cases("llama-tied") {
        assert_eq!(
            model.generate_ids(&[case.prompt_ids], 48).unwrap(),
            [case.bf16_tokens]
        );
    }
    // Rounding while loading is the same as having rounded before, and so is the arithmetic.
    let mut stored = copy.load();
    let mut rounded = load_with(
        "llama-tied",
        &EngineOptions {
            dtype: WeightDtype::Bf16,
            ..Default::default()
        },
    );
    assert_eq!((stored.dtype(), rounded.dtype()), ("bf16", "bf16"));
    for case in cases("llama-tied") {
        let prompt = [case.prompt_ids];
        assert_eq!(
            stored.generate_ids(&prompt, 48).unwrap(),
            rounded.generate_ids(&prompt, 48).unwrap()
        );
    }
    let copy = with_tensors(|tensors| {
        for tensor in tensors.values_mut() {
            // Values that bf16 rounding has left are also exact in f16, unless tiny.
            let values = as_bf16(&tensor.data);
            let half: Vec<half::f16> = values
                .iter()
                .map(|value| half::f16::from_f32(value.to_f32()))
                .collect();
            tensor.data = half.iter().flat_map(|value| value.to_le_bytes()).collect();
            tensor.dtype = Dtype::F16;
        }
    });
    let mut model = copy.load_with(&in_f32);
    assert_eq!((model.dtype(), copy.load().dtype()), ("f32", "f16"));
    for case in cases("llama-tied") {
        assert_eq!(
            model.generate_ids(&[case.prompt_ids], 48).unwrap(),
            [case.bf16_tokens]
        );
    }
}

#[test]
fn reads_the_configurations_of_transformers_4_and_5() {
    let model = load("llama-tied");
    assert_eq!(model.config().architecture, Architecture::Llama);
    assert_eq!(
        (
            model.config().heads,
            model.config().kv_heads,
            model.config().head_dim
        ),
        (4, 2, 12)
    );
    assert!(model.config().tied);
    assert_eq!(model.config().rope_scaling, RopeScaling::Default);
    assert_eq!(model.config().eos_token_ids.len(), 2);

    let model = load("llama-biased");
    assert_eq!(model.config().rope_theta, 500.0);
    assert!(matches!(
        model.config().rope_scaling,
        RopeScaling::Llama3 {
            original_context: 64,
            ..
        }
    ));
    assert_eq!(model.config().kv_heads, 4);
    assert!(
        model.config().qkv_bias && model.config().attention_output_bias && model.config().mlp_bias
    );
    assert!(!model.config().tied);

    let model = load("mistral-window");
    assert_eq!(model.config().windows, [Some(24), Some(24)]);
    assert_eq!(
        model.config().rope_scaling,
        RopeScaling::Linear { factor: 2.0 }
    );
}

#[test]
fn an_absent_window_is_the_default_of_mistral_and_null_is_none() {
    let copy = Copy::of("mistral-window");
    copy.edit("config.json", |config| {
        config["sliding_window"] = json!(null)
    });
    assert_eq!(copy.load().config().windows, [None, None]);
    copy.edit("config.json", |config| {
        config.as_object_mut().unwrap().remove("sliding_window");
        config["max_position_embeddings"] = json!(8192);
    });
    assert_eq!(copy.load().config().windows, [Some(4096), Some(4096)]);
}

#[test]
fn an_embedded_checkpoint_is_the_same_as_its_folder() {
    static FILES: &[(&str, &[u8])] = &[
        (
            "config.json",
            include_bytes!("../fixtures/llama-tied/config.json"),
        ),
        (
            "generation_config.json",
            include_bytes!("../fixtures/llama-tied/generation_config.json"),
        ),
        (
            "model.safetensors",
            include_bytes!("../fixtures/llama-tied/model.safetensors"),
        ),
        (
            "tokenizer.json",
            include_bytes!("../fixtures/llama-tied/tokenizer.json"),
        ),
        (
            "tokenizer_config.json",
            include_bytes!("../fixtures/llama-tied/tokenizer_config.json"),
        ),
    ];
    use generation::Generator;
    let mut model = LocalModel::load(
        CheckpointFiles::embedded("tiny", FILES),
        &EngineOptions::default(),
    )
    .unwrap();
    assert_eq!(model.info().name, "tiny");
    assert_eq!(model.info().details, load("llama-tied").info().details);
    let case = &cases("llama-tied")[0];
    assert_eq!(
        model
            .generate_ids(std::slice::from_ref(&case.prompt_ids), 48)
            .unwrap(),
        std::slice::from_ref(&case.tokens)
    );

    let missing = LocalModel::load(
        CheckpointFiles::embedded("tiny", &FILES[..2]),
        &EngineOptions::default(),
    );
    assert_eq!(
        missing.err().unwrap().to_string(),
        "tokenizer.json: no such file"
    );
}

#[test]
fn a_damaged_tokenizer_or_generation_config_is_named() {
    let message = |file: &str| Copy::of("llama-tied").write(file, "{").refusal().1;
    for file in [
        "tokenizer.json",
        "tokenizer_config.json",
        "generation_config.json",
        "config.json",
    ] {
        assert!(
            message(file).starts_with(&format!("{file}: cannot be understood")),
            "{}",
            message(file)
        );
    }
    assert!(folder("llama-tied").join("config.json").exists());
}

/// Weights of 512 layers of a million neurons each, in a file that is large in name only.
#[test]
fn a_checkpoint_that_cannot_fit_is_refused_before_it_is_read() {
    const LAYERS: usize = 512;
    const INTERMEDIATE: usize = 1 << 20;
    let copy = Copy::of("llama-tied");
    copy.edit("config.json", |config| {
        config["intermediate_size"] = json!(INTERMEDIATE);
        config["num_hidden_layers"] = json!(LAYERS);
    });
    let bytes = std::fs::read(copy.path("model.safetensors")).unwrap();
    let mut header = serde_json::Map::new();
    let mut end = 0;
    for (name, view) in SafeTensors::deserialize(&bytes).unwrap().tensors() {
        let shape: Vec<usize> = view
            .shape()
            .iter()
            .map(|&size| if size == 80 { INTERMEDIATE } else { size })
            .collect();
        let layers = match name
            .split('.')
            .nth(2)
            .and_then(|part| part.parse::<usize>().ok())
        {
            None => 0..1,
            Some(0) => 0..LAYERS,
            Some(_) => 0..0,
        };
        for layer in layers {
            let start = end;
            end += shape.iter().product::<usize>() * 4;
            let name = name.replace(".0.", &format!(".{layer}."));
            header.insert(
                name,
                json!({"dtype": "F32", "shape": shape, "data_offsets": [start, end]}),
            );
        }
    }
    let header = Value::Object(header).to_string();
    let mut file = std::fs::File::create(copy.path("model.safetensors")).unwrap();
    file.write_all(&(header.len() as u64).to_le_bytes())
        .unwrap();
    file.write_all(header.as_bytes()).unwrap();
    file.set_len((8 + header.len() + end) as u64).unwrap();

    let Err(error) = copy.try_load() else {
        panic!("320 GiB were loaded")
    };
    assert_eq!(error.kind(), ErrorKind::WeightsTooLarge);
    let message = error.to_string();
    assert!(
        message.contains("the weights need 320.0 GiB")
            && message.contains(
                "are free; in bf16 they need 160.0 GiB, which is too much too; in q8_0 they need "
            ),
        "{message}"
    );
}
