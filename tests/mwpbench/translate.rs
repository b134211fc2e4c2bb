use std::fs;

use crate::command::mwpbench;

const USAGE: i32 = 2;
const INCOMPLETE: i32 = 3;
const INTEGRITY: i32 = 4;

const ROPE: &str =
    r#"{"question":"一根绳子长12米，用去5米，还剩几米？","answer":"7","data_topic":"math23k_en","language":"zh"}"#;

#[test]
fn what_the_model_cannot_translate_is_told_and_not_written() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rope.jsonl"), ROPE).unwrap();
    let command =
        ["data", "translate", "rope.jsonl", "--model", "demo", "--max-tokens", "16", "--attempts", "2", "--quiet"];
    mwpbench(folder.path(), command)
        .refused(INCOMPLETE, &["none of 1 problems could be translated, the first (math23k_en/1): "]);
    assert!(!folder.path().join("rope.en.jsonl").exists());
    let replies = folder.path().join("rope.translation/translation.replies.jsonl");
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
    fs::write(folder.path().join("english.jsonl"), ROPE.replace("zh", "en")).unwrap();
    let translate = |input| mwpbench(folder.path(), ["data", "translate", input, "--model", "demo"]);
    translate("english.jsonl").refused(USAGE, &["english.jsonl: no record says that it is in another language"]);
    translate("math23k").refused(USAGE, &["import the publisher's file first (`mwpbench data import math23k FILE`)"]);
}
