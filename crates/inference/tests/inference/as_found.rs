//! Checkpoints as people have them: what tools leave behind, and what is read all the same.

use generation::{Decoding, Generator};
use inference::{CheckpointFiles, EngineOptions, ErrorKind, Inspection, LocalModel};
use serde_json::{Value, json};

use crate::checkpoints::{Copy, complete, prompts};
use crate::loading::with_tensors;

const POINTER: &str = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n";

fn warnings(copy: &Copy) -> String {
    copy.load().warnings().join("\n")
}

/// The special tokens of the fixtures' tokenizer, by id.
fn special_tokens(copy: &Copy) -> Vec<(u32, String)> {
    let json = std::fs::read(copy.path("tokenizer.json")).unwrap();
    let tokenizer: Value = serde_json::from_slice(&json).unwrap();
    let added = tokenizer["added_tokens"].as_array().unwrap();
    let token = |token: &Value| {
        let id = token["id"].as_u64().unwrap() as u32;
        (id, token["content"].as_str().unwrap().to_string())
    };
    added.iter().map(token).collect()
}

#[test]
fn a_pointer_of_git_lfs_is_called_that() {
    for file in [
        "config.json",
        "generation_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "model.safetensors",
    ] {
        let (error, message) = Copy::of("llama-tied").write(file, POINTER).refusal();
        assert_eq!(error.kind(), ErrorKind::Missing, "{message}");
        assert_eq!(
            message,
            format!(
                "{file}: is a Git LFS pointer and not the file itself: `git lfs pull` in its repository fetches the file"
            )
        );
    }
    let copy = Copy::of("llama-tied");
    copy.write("model.gguf", POINTER);
    let error = CheckpointFiles::open(&copy.path("model.gguf")).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("model.gguf: is a Git LFS pointer"),
        "{error}"
    );
}

#[test]
fn the_tokenizers_end_of_sequence_ends_completions_too() {
    let copy = Copy::of("llama-tied");
    let whole = warnings(&copy);
    assert!(!whole.contains("eos_token"), "{whole}");
    let id_of = |text: &str| {
        let tokens = special_tokens(&copy);
        tokens.iter().find(|(_, token)| token == text).unwrap().0
    };
    // The configuration ends with another token than the tokenizer.
    copy.edit("tokenizer_config.json", |config| {
        config["eos_token"] = json!("</s>")
    });
    copy.edit("config.json", |config| config["eos_token_id"] = json!(77));
    copy.edit("generation_config.json", |config| {
        config["eos_token_id"] = json!(77)
    });
    let (eos, model) = (id_of("</s>"), copy.load());
    assert_eq!(model.config().eos_token_ids, [eos, 77]);
    let warnings = model.warnings().join("\n");
    assert!(
        warnings.contains(&format!("the tokenizer's eos_token is {eos} \"</s>\", and config.json and generation_config.json end a sequence with 77")),
        "{warnings}"
    );
    let details = model.info().details;
    assert_eq!(details["eos"], format!("{eos},77"));
    assert_eq!(
        details["eos_added"],
        format!("{eos} (the tokenizer's eos_token)")
    );
    // Where no configuration names one, the tokenizer's is enough.
    copy.edit("config.json", |config| config["eos_token_id"] = Value::Null);
    copy.edit("generation_config.json", |config| {
        config["eos_token_id"] = Value::Null
    });
    assert_eq!(copy.load().config().eos_token_ids, [eos]);
    // One that the model does not know ends nothing.
    copy.edit("tokenizer_config.json", |config| {
        config["eos_token"] = json!("<nowhere>")
    });
    assert!(copy.load().config().eos_token_ids.is_empty());
}

#[test]
fn the_end_of_a_turn_ends_completions_of_chats() {
    let copy = Copy::of("llama-tied");
    let (id, token) = special_tokens(&copy).pop().unwrap();
    copy.edit("config.json", |config| config["eos_token_id"] = json!(77));
    copy.edit("generation_config.json", |config| {
        config["eos_token_id"] = json!(77)
    });
    copy.edit("tokenizer_config.json", |config| {
        config["eos_token"] = Value::Null
    });
    let open = |end: String| {
        let files = CheckpointFiles::open(copy.path("config.json").parent().unwrap()).unwrap();
        files.with_end_of_turn(Some(end))
    };
    let model = LocalModel::load(open(format!("{token}\n")), &EngineOptions::default()).unwrap();
    let mut both = [id, 77];
    both.sort_unstable();
    assert_eq!(model.config().eos_token_ids, both);
    let inspection = Inspection::of(&open(format!("{token}\n"))).unwrap();
    let warnings = inspection.warnings.join("\n");
    assert!(
        warnings.contains("the chat template's end of turn is"),
        "{warnings}"
    );
    // What is no special token is a text, which a stop string could end.
    let model = LocalModel::load(open("###\n".to_string()), &EngineOptions::default()).unwrap();
    assert_eq!(model.config().eos_token_ids, [77]);
}

#[test]
fn a_token_beyond_the_embedding_is_refused_where_a_prompt_needs_it() {
    let copy = Copy::of("llama-tied");
    copy.edit("tokenizer.json", |tokenizer| {
        let pad = json!({ "id": 300, "content": "<pad>", "single_word": false, "lstrip": false,
            "rstrip": false, "normalized": false, "special": true });
        tokenizer["added_tokens"].as_array_mut().unwrap().push(pad);
    });
    let mut model = copy.load();
    let warnings = model.warnings().join("\n");
    assert!(
        warnings
            .contains("a token of tokenizer.json lies beyond the model's 300 rows: 300 \"<pad>\""),
        "{warnings}"
    );
    assert_eq!(
        complete(&mut model, &["2 + 3"], &Decoding::greedy(2)).len(),
        1
    );
    let issues = model
        .check(&prompts(&["2 + 3", "2 + <pad>"]), &Decoding::greedy(2))
        .unwrap();
    assert_eq!((issues.len(), issues[0].index), (1, 1));
    assert_eq!(
        issues[0].message,
        "the prompt needs the token 300 \"<pad>\", and the embedding has 300 rows"
    );
}

#[test]
fn an_id_of_the_post_processor_that_the_model_does_not_know_is_named() {
    let copy = Copy::of("llama-tied");
    copy.edit("tokenizer.json", |tokenizer| {
        let text = tokenizer["post_processor"].to_string();
        let tokens = tokenizer["post_processor"]["special_tokens"].as_object_mut();
        let tokens = tokens.unwrap_or_else(|| panic!("{text}"));
        for token in tokens.values_mut() {
            token["ids"] = json!([4000]);
        }
    });
    let (error, message) = copy.refusal();
    assert_eq!(error.kind(), ErrorKind::Tokenizer);
    assert!(
        message.starts_with("tokenizer.json: the post-processor adds the token 4000 (not in the tokenizer) to every prompt"),
        "{message}"
    );
    assert!(
        message.ends_with("expected ids below the vocabulary size 300, found id 4000"),
        "{message}"
    );
}

#[test]
fn a_post_processor_against_add_bos_token_is_told() {
    let copy = Copy::of("llama-tied");
    copy.edit("tokenizer_config.json", |config| {
        config["add_bos_token"] = json!(false)
    });
    let model = copy.load();
    let warnings = model.warnings().join("\n");
    assert!(warnings.contains("says add_bos_token: false"), "{warnings}");
    let bos = &model.info().details["bos"];
    assert!(
        bos.ends_with("(post-processor, against add_bos_token: false)"),
        "{bos}"
    );
}

#[test]
fn json_of_python_is_read_and_needed_numbers_are_refused_by_name() {
    let copy = Copy::of("llama-tied");
    let config = std::fs::read_to_string(copy.path("config.json")).unwrap();
    let with = |more: &str| config.replacen('{', &format!("{{ {more},"), 1);
    copy.write(
        "config.json",
        with("\"router_z_loss\": NaN, \"best_metric\": -Infinity"),
    );
    copy.load();
    let changed = config.replace(
        "\"rms_norm_eps\"",
        "\"was\": 1, \"rms_norm_eps\": NaN, \"x\"",
    );
    let (error, message) = copy.write("config.json", changed).refusal();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(
        message.contains("string \"NaN\", expected f64"),
        "{message}"
    );
}

#[test]
fn shards_need_no_index_where_all_are_there() {
    let copy = Copy::of("mistral-window");
    let tokens = |copy: &Copy| {
        let mut completions = complete(&mut copy.load(), &["What is 2 + 3?"], &Decoding::greedy(8));
        completions.pop().unwrap().text
    };
    let with_index = tokens(&copy);
    copy.remove("model.safetensors.index.json");
    assert_eq!(tokens(&copy), with_index);
    let (error, message) = copy.remove("model-00002-of-00003.safetensors").refusal();
    assert_eq!(error.kind(), ErrorKind::Missing);
    assert_eq!(
        message,
        "DIR: holds 2 of 3 shards: model-00002-of-00003.safetensors is missing"
    );
    // Numbers that no writer gives are those of no shards.
    copy.write("model-00000-of-00000.safetensors", "");
    copy.write("model-00004-of-00003.safetensors", "");
    assert_eq!(copy.refusal().1, message);
    copy.write("model-00001-of-00002.safetensors", "");
    let (_, message) = copy.refusal();
    assert!(
        message.contains("holds shards of several checkpoints"),
        "{message}"
    );
}

#[test]
fn names_of_wrapped_models_are_read_and_told() {
    let plain = Copy::of("llama-tied");
    let answer = |copy: &Copy| {
        let mut completions = complete(&mut copy.load(), &["What is 2 + 3?"], &Decoding::greedy(8));
        completions.pop().unwrap().text
    };
    let expected = answer(&plain);
    for (prefix, told) in [
        ("_orig_mod.", "_orig_mod"),
        ("module.", "module"),
        ("base_model.model.", "base_model.model"),
    ] {
        let copy = with_tensors(|tensors| {
            *tensors = std::mem::take(tensors)
                .into_iter()
                .map(|(name, tensor)| (format!("{prefix}{name}"), tensor))
                .collect();
        });
        assert_eq!(answer(&copy), expected, "{prefix}");
        let warnings = warnings(&copy);
        assert!(
            warnings.contains(&format!("names of tensors have {told}, ")),
            "{warnings}"
        );
    }
    let copy = with_tensors(|tensors| {
        *tensors = std::mem::take(tensors)
            .into_iter()
            .map(|(name, tensor)| (name.trim_start_matches("model.").to_string(), tensor))
            .collect();
    });
    assert_eq!(answer(&copy), expected);
    // What is not known is named.
    let copy = with_tensors(|tensors| {
        *tensors = std::mem::take(tensors)
            .into_iter()
            .map(|(name, tensor)| (format!("student.{name}"), tensor))
            .collect();
    });
    let (_, message) = copy.refusal();
    assert!(
        message.contains("found `student.model.embed_tokens.weight`"),
        "{message}"
    );
    let copy = with_tensors(|tensors| {
        let tensor = tensors
            .remove("model.layers.1.self_attn.q_proj.weight")
            .unwrap();
        tensors.insert(
            "model.layers.1.self_attn.q_proj.lora_A.default.weight".to_string(),
            tensor,
        );
    });
    let (_, message) = copy.refusal();
    assert!(message.contains("adapter that is not merged"), "{message}");
}
