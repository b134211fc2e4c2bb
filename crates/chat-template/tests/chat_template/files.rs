use chat_template::{CheckpointTemplates, Conversation, Error, Message, TemplateFiles};

use crate::recorded::{Layout, expected};

fn read(files: &[(&str, &str)]) -> Result<CheckpointTemplates, Error> {
    let files = files
        .iter()
        .map(|(name, content)| ((*name).to_string(), content.as_bytes().to_vec()));
    CheckpointTemplates::read(&TemplateFiles::new("model", files))
}

fn error_of(files: &[(&str, &str)]) -> String {
    read(files)
        .and_then(|templates| templates.default_template())
        .unwrap_err()
        .to_string()
}

#[test]
fn templates_and_special_tokens_are_those_of_transformers() {
    for Layout {
        name,
        files,
        templates,
        special_tokens,
        text,
    } in expected().layouts
    {
        let folder = tempfile::tempdir().unwrap();
        for (file, content) in &files {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        let on_disk = TemplateFiles::in_folder(folder.path()).unwrap();
        let in_memory = TemplateFiles::new(
            folder.path().display().to_string(),
            files
                .iter()
                .map(|(name, content)| (name.clone(), content.as_bytes().to_vec())),
        );
        assert_eq!(on_disk, in_memory, "{name}");
        let found = CheckpointTemplates::read(&on_disk).unwrap();
        assert_eq!(found.names().collect::<Vec<_>>(), templates, "{name}");
        let tokens = found
            .special_tokens()
            .iter()
            .map(|(name, text)| (name.to_string(), text.to_string()));
        assert_eq!(
            tokens.collect::<std::collections::BTreeMap<_, _>>(),
            special_tokens,
            "{name}"
        );
        let rendered = found.default_template().map(|template| {
            let conversation = Conversation {
                messages: &[Message::new("user", "x")],
                add_generation_prompt: false,
                date: jiff::civil::date(2026, 11, 26),
                variables: &Default::default(),
            };
            template.render(&conversation).unwrap().text
        });
        assert_eq!(rendered.ok(), text, "{name}");
    }
}

#[test]
fn a_checkpoint_without_a_template_is_named() {
    let expected = "model has no chat template";
    assert_eq!(error_of(&[]), expected);
    assert_eq!(error_of(&[("tokenizer_config.json", "{}")]), expected);
}

#[test]
fn several_templates_without_a_default_are_named() {
    let config = r#"{"chat_template": [{"name": "rag", "template": "r"}, {"name": "tool_use", "template": "t"}]}"#;
    let message = error_of(&[("tokenizer_config.json", config)]);
    assert_eq!(
        message,
        "model has several chat templates and no default: rag, tool_use"
    );
    let templates = read(&[("tokenizer_config.json", config)]).unwrap();
    assert_eq!(templates.named("rag").unwrap().unwrap().source(), "r");
    assert!(templates.named("default").unwrap().is_none());
}

#[test]
fn the_first_place_with_a_template_counts() {
    let files = |place: &str, config: &str| {
        TemplateFiles::new(
            place,
            [(
                "tokenizer_config.json".to_string(),
                config.as_bytes().to_vec(),
            )],
        )
    };
    let adapter = files("adapter", r#"{"chat_template": "a"}"#);
    let base = files("base", r#"{"chat_template": "b", "bos_token": "<s>"}"#);
    let nothing = files("nothing", r#"{"bos_token": "<x>"}"#);
    let source = |places: Vec<TemplateFiles>| {
        let found = CheckpointTemplates::first_of(places).unwrap();
        let source = found
            .default_template()
            .map(|template| template.source().to_string());
        (
            source.ok(),
            found.special_tokens().get("bos_token").map(str::to_string),
        )
    };
    let bos = Some("<s>".to_string());
    assert_eq!(
        source(vec![adapter.clone(), base.clone()]),
        (Some("a".to_string()), bos.clone())
    );
    assert_eq!(
        source(vec![nothing.clone(), base.clone()]),
        (Some("b".to_string()), bos.clone())
    );
    assert_eq!(
        source(vec![base, nothing.clone()]),
        (Some("b".to_string()), bos)
    );
    assert_eq!(source(vec![nothing]), (None, Some("<x>".to_string())));
    assert_eq!(source(Vec::new()), (None, None));
}

#[test]
fn a_template_is_chosen_by_name_or_file_or_folder() {
    let config = r#"{"bos_token": "<s>", "chat_template": [{"name": "default", "template": "d"}, {"name": "rag", "template": "r"}]}"#;
    let own = read(&[("tokenizer_config.json", config)]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (file, dir) = (
        folder.path().join("mine.jinja"),
        folder.path().display().to_string(),
    );
    let file_name = file.display().to_string();
    std::fs::write(&file, "f").unwrap();
    std::fs::write(
        folder.path().join("tokenizer_config.json"),
        r#"{"bos_token": "<b>", "chat_template": "t"}"#,
    )
    .unwrap();
    let none = CheckpointTemplates::default();
    let cases = [
        (&own, None, "d", "<s>"),
        (&own, Some("rag"), "r", "<s>"),
        (&own, Some(file_name.as_str()), "f", "<s>"),
        (&own, Some(dir.as_str()), "t", "<b>"),
        (&none, Some(file_name.as_str()), "f", "<b>"),
        (&none, Some(dir.as_str()), "t", "<b>"),
    ];
    for (templates, wish, source, bos) in cases {
        let chosen = templates.choose(wish).unwrap();
        assert_eq!(
            (chosen.source(), chosen.special_tokens().get("bos_token")),
            (source, Some(bos)),
            "{wish:?}"
        );
    }
    let message = own.choose(Some("nowhere.jinja")).unwrap_err().to_string();
    assert!(
        message.contains("no file or folder nowhere.jinja")
            && message.contains("\"default\", \"rag\""),
        "{message}"
    );
    std::fs::write(&file, [0xff]).unwrap();
    let message = own.choose(Some(&file_name)).unwrap_err().to_string();
    assert!(message.contains("mine.jinja: is not UTF-8"), "{message}");
}

#[test]
fn what_processors_wrote_comes_last() {
    let legacy = ("chat_template.json", r#"{"chat_template": "legacy"}"#);
    let config = ("tokenizer_config.json", r#"{"chat_template": "own"}"#);
    assert_eq!(
        read(&[legacy])
            .unwrap()
            .default_template()
            .unwrap()
            .source(),
        "legacy"
    );
    assert_eq!(
        read(&[legacy, config])
            .unwrap()
            .default_template()
            .unwrap()
            .source(),
        "own"
    );
}

#[test]
fn faults_name_file_and_field() {
    let cases = [
        (
            ("tokenizer_config.json", "{"),
            "model/tokenizer_config.json: cannot be understood: ",
        ),
        (
            ("tokenizer_config.json", "[]"),
            "model/tokenizer_config.json: expected an object of JSON",
        ),
        (
            ("tokenizer_config.json", r#"{"bos_token": 3}"#),
            "model/tokenizer_config.json: `bos_token` is neither",
        ),
        (
            ("special_tokens_map.json", r#"{"eos_token": {}}"#),
            "model/special_tokens_map.json: `eos_token` is neither",
        ),
        (
            ("tokenizer_config.json", r#"{"chat_template": 3}"#),
            "model/tokenizer_config.json: `chat_template` is neither",
        ),
        (
            (
                "tokenizer_config.json",
                r#"{"chat_template": [{"name": "default"}]}"#,
            ),
            "model/tokenizer_config.json: `chat_template` is neither",
        ),
        (
            ("chat_template.json", r#"{"chat_template": {}}"#),
            "model/chat_template.json: `chat_template` is neither",
        ),
    ];
    for (file, expected) in cases {
        let message = error_of(&[file]);
        assert!(message.starts_with(expected), "{message}");
    }
    let files = TemplateFiles::new("model", [("chat_template.jinja".to_string(), vec![0xff])]);
    let message = CheckpointTemplates::read(&files).unwrap_err().to_string();
    assert!(
        message.starts_with("model/chat_template.jinja: is not UTF-8"),
        "{message}"
    );
}

#[test]
fn what_cannot_be_read_is_not_absent() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("chat_template.jinja")).unwrap();
    let error = TemplateFiles::in_folder(folder.path()).unwrap_err();
    assert!(matches!(error, Error::Unreadable { .. }), "{error}");
}
