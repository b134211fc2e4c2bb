//! Prompts that a chat template has written, and where templates are looked for.

use std::path::{Path, PathBuf};

use generation::Generator;
use inference::{CheckpointFiles, EngineOptions, LocalModel, PromptKind, TemplateSource};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::checkpoints::{ALL, Copy, folder, ids, load, load_with};
use crate::gguf;

fn chat() -> EngineOptions {
    EngineOptions {
        prompts: PromptKind::Chat,
        ..EngineOptions::default()
    }
}

#[derive(Deserialize)]
struct Case {
    tokenizer: PathBuf,
    template: String,
    conversation: String,
    text: String,
    ids: Value,
}

#[test]
fn token_ids_are_those_of_apply_chat_template() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let recorded = std::fs::read(folder("chat_ids.json")).unwrap();
    let mut recorded: Value = serde_json::from_slice(&recorded).unwrap();
    let cases: Vec<Case> = serde_json::from_value(recorded["cases"].take()).unwrap();
    let mut model: Option<(PathBuf, LocalModel)> = None;
    let mut begin_with_bos = 0;
    for Case {
        tokenizer,
        template,
        conversation,
        text,
        ids: expected,
    } in &cases
    {
        if model.as_ref().is_none_or(|(path, _)| path != tokenizer) {
            let files = CheckpointFiles::open(&root.join(tokenizer)).unwrap();
            model = Some((tokenizer.clone(), LocalModel::load(files, &chat()).unwrap()));
        }
        let (_, model) = model.as_ref().unwrap();
        let found = model.encode(text).unwrap();
        assert_eq!(
            found,
            ids(expected),
            "{tokenizer:?}, {template}, {conversation}"
        );
        begin_with_bos += usize::from(model.bos_text().is_some_and(|bos| text.starts_with(&bos)));
    }
    println!(
        "{} conversations, {begin_with_bos} of them begin with the token that the tokenizer adds elsewhere",
        cases.len()
    );
    assert!(
        cases.len() > 150 && begin_with_bos > 30,
        "{} and {begin_with_bos}",
        cases.len()
    );
}

#[test]
fn a_conversation_begins_with_the_bos_that_its_template_writes() {
    for name in ALL {
        let model = load_with(name, &chat());
        for (prompt, count) in [("A", 0), ("<s>A", 1), ("<s><s>A", 1)] {
            let ids = model.encode(prompt).unwrap();
            assert_eq!(
                ids.iter().filter(|&&id| id == 1).count(),
                count,
                "{name}: {prompt:?} became {ids:?}"
            );
        }
        assert_eq!(model.bos_text().as_deref(), Some("<s>"), "{name}");
        assert_eq!(model.eos_texts()[0], "</s>", "{name}");
        let info = model.info();
        assert_eq!(info.details["bos"], "as the chat template writes it");
        assert_ne!(info, load(name).info());
    }
}

#[test]
fn templates_are_searched_where_the_tokenizer_is() {
    let base = Copy::of("llama-tied");
    let own = |path: PathBuf| TemplateSource::Folder(path);
    let files = CheckpointFiles::open(&base.path("")).unwrap();
    assert_eq!(files.template_sources().unwrap(), [own(base.path(""))]);
    let given = folder("llama-biased").join("tokenizer.json");
    let files = CheckpointFiles::open_with_tokenizer(&base.path(""), &given).unwrap();
    assert_eq!(
        files.template_sources().unwrap(),
        [own(folder("llama-biased")), own(base.path(""))]
    );

    static EMBEDDED: &[(&str, &[u8])] = &[
        ("tokenizer_config.json", b"{}"),
        ("model.safetensors", b"weights"),
    ];
    let sources = CheckpointFiles::embedded("demo", EMBEDDED)
        .template_sources()
        .unwrap();
    let files = vec![("tokenizer_config.json".to_string(), b"{}".to_vec())];
    assert_eq!(
        sources,
        [TemplateSource::Files {
            place: "demo".to_string(),
            files
        }]
    );
}

/// A GGUF file with one more text among its metadata, of a length that leaves the weights aligned.
fn with_metadata(bytes: &mut Vec<u8>, key: &str, text: &str) {
    const HEADER: usize = 24;
    const TEXT: u32 = 8;
    let entry = |text: &str| {
        let mut entry = (key.len() as u64).to_le_bytes().to_vec();
        entry.extend(key.as_bytes());
        entry.extend(TEXT.to_le_bytes());
        entry.extend((text.len() as u64).to_le_bytes());
        entry.extend(text.as_bytes());
        entry
    };
    let missing = (32 - entry(text).len() % 32) % 32;
    let entry = entry(&format!("{text}{}", " ".repeat(missing)));
    let count = u64::from_le_bytes(bytes[16..HEADER].try_into().unwrap()) + 1;
    bytes[16..HEADER].copy_from_slice(&count.to_le_bytes());
    bytes.splice(HEADER..HEADER, entry);
}

#[test]
fn a_gguf_file_has_its_templates_and_tokens_in_its_metadata() {
    let (_folder, path) = gguf::changed("llama2-gqa-f32.gguf", |bytes| {
        with_metadata(bytes, "tokenizer.chat_template", "{{ bos_token }}");
        with_metadata(bytes, "tokenizer.chat_template.rag", "rag");
    });
    let sources = CheckpointFiles::open(&path)
        .unwrap()
        .template_sources()
        .unwrap();
    let [TemplateSource::Files { place, files }] = sources.as_slice() else {
        panic!("{sources:?}")
    };
    assert!(place.ends_with(".gguf"), "{place}");
    assert_eq!(files[0].0, "tokenizer_config.json");
    let config: Value = serde_json::from_slice(&files[0].1).unwrap();
    let templates = config["chat_template"].as_array().unwrap();
    let named = |name: &str| {
        let found = templates
            .iter()
            .find(|template| template["name"] == name)
            .unwrap();
        found["template"].as_str().unwrap().trim_end().to_string()
    };
    assert_eq!(
        (named("default").as_str(), named("rag").as_str()),
        ("{{ bos_token }}", "rag")
    );
    assert_eq!(
        (&config["bos_token"], &config["eos_token"]),
        (&json!("<s>"), &json!("</s>"))
    );
    // The model is the same.
    LocalModel::load(CheckpointFiles::open(&path).unwrap(), &chat()).unwrap();
}
