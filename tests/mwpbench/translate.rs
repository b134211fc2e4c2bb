use std::fs;

use serde_json::Value;

use crate::command::mwpbench;
use loopback::completions::{MODEL, ModelRequest, ModelServer, json_answer, whole_answer};

const USAGE: i32 = 2;
const INCOMPLETE: i32 = 3;
const INTEGRITY: i32 = 4;

const ROPE: &str = r#"{"question":"一根绳子长12米，用去5米，还剩几米？","answer":"7","data_topic":"math23k_en","language":"zh"}"#;

#[test]
fn what_the_model_cannot_translate_is_named_and_not_written() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rope.jsonl"), ROPE).unwrap();
    let command = [
        "data",
        "translate",
        "rope.jsonl",
        "--model",
        "demo",
        "--max-tokens",
        "16",
        "--attempts",
        "2",
        "--quiet",
    ];
    mwpbench(folder.path(), command).refused(
        INCOMPLETE,
        &["none of 1 problems is left after translation, the first (math23k_en/1): "],
    );
    assert!(!folder.path().join("rope.en.jsonl").exists());
    let replies = folder
        .path()
        .join("rope.translation/translation.replies.jsonl");
    let before = fs::read(&replies).unwrap();
    assert_eq!(before.iter().filter(|&&byte| byte == b'\n').count(), 2);
    // Nothing is asked twice, and other work is not mixed in.
    mwpbench(folder.path(), command).refused(INCOMPLETE, &[]);
    assert_eq!(fs::read(&replies).unwrap(), before);
    mwpbench(folder.path(), [&command[..6], &["17"]].concat())
        .refused(INTEGRITY, &["decoding.max_tokens is 16 there and 17 here"]);
}

#[test]
fn what_needs_no_translation_is_refused_before_a_model_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("english.jsonl"),
        ROPE.replace("zh", "en"),
    )
    .unwrap();
    let translate = |input| {
        mwpbench(
            folder.path(),
            ["data", "translate", input, "--model", "demo"],
        )
    };
    translate("english.jsonl").refused(
        USAGE,
        &["english.jsonl: no record says that it is in another language"],
    );
    fs::write(folder.path().join("rope.jsonl"), ROPE).unwrap();
    let rope = ["data", "translate", "rope.jsonl", "--model", "demo"];
    mwpbench(
        folder.path(),
        [&rope[..], &["--output", "./rope.jsonl"]].concat(),
    )
    .refused(USAGE, &["is the input", "--output"]);
    mwpbench(
        folder.path(),
        [&rope[..], &["--prompt-template", "chat"]].concat(),
    )
    .refused(USAGE, &["has no chat template"]);
    assert_eq!(
        fs::read_to_string(folder.path().join("rope.jsonl")).unwrap(),
        ROPE
    );
    translate("math23k").refused(
        USAGE,
        &["import the publisher's file first (`mwpbench data import math23k FILE`)"],
    );
}

/// Loses a number at first.
fn translator(asked: &ModelRequest) -> Vec<loopback::completions::Act> {
    let text = match asked.prompt() {
        prompt if prompt.contains("绳子") && prompt.contains("are missing: 12") => {
            "A rope is 12 metres long, and 5 metres are used. How many metres are left?"
        }
        prompt if prompt.contains("绳子") => {
            "A rope is long, and 5 metres are used. How many metres are left?"
        }
        _ => "我不知道",
    };
    json_answer(200, &whole_answer(asked, text))
}

#[test]
fn an_imported_set_is_translated_and_can_then_be_asked() {
    let folder = tempfile::tempdir().unwrap();
    let published = [("1", "一根绳子长12米，用去5米，还剩几米？", "7"), ("2", "小明有3个苹果", "3")].map(|(id, text, answer)| {
        format!(r#"{{"id":"{id}","segmented_text":"{text}","original_text":"{text}","ans":"{answer}","equation":"x={answer}"}}"#)
    });
    fs::write(folder.path().join("test.ape.json"), published.join("\n")).unwrap();
    mwpbench(
        folder.path(),
        ["data", "import", "ape210k", "test.ape.json"],
    )
    .ok();
    let server = ModelServer::start(translator);
    let translate = [
        "data",
        "translate",
        "ape210k",
        "--endpoint",
        &server.url,
        "--model",
        MODEL,
    ];
    let done = mwpbench(folder.path(), translate).ok();
    assert!(
        done.stdout.starts_with("2 read, 1 written, 1 left out"),
        "{}",
        done.stdout
    );
    assert!(
        done.stdout
            .contains("ape210k_en/2: there is Chinese left in it: 我不知道"),
        "{}",
        done.stdout
    );
    let line = fs::read_to_string(folder.path().join("home/data/ape210k.jsonl")).unwrap();
    let record: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(
        record["question"],
        "A rope is 12 metres long, and 5 metres are used. How many metres are left?"
    );
    assert_eq!(
        (&record["answer"], &record["question_number"]),
        (&"7".into(), &"1".into())
    );
    assert_eq!(
        record["source_question"],
        "一根绳子长12米，用去5米，还剩几米？"
    );
    // Two for the rope, three for the apples.
    assert_eq!(server.completion_requests().len(), 5);
    let again = mwpbench(folder.path(), [&translate[..], &["--json"]].concat())
        .ok()
        .json();
    assert_eq!(
        (&again["written"], server.completion_requests().len()),
        (&1.into(), 5)
    );

    let eval = [
        "eval",
        "--model",
        "demo",
        "--tasks",
        "ape210k",
        "--max-tokens",
        "4",
        "--json",
        "--quiet",
    ];
    assert_eq!(mwpbench(folder.path(), eval).ok().json()["sets"][0]["n"], 1);
}
