use std::fs;
use std::path::Path;

use dataset_loader::{Benchmark, Data, DataOrigin, ErrorKind, load};
use proptest::prelude::*;

const GOOD: &str = r#"{"data_topic":"gsm8k","question_number":"1","question":"1+1?","answer":"2"}"#;

fn load_text(content: impl AsRef<[u8]>) -> Result<Data, dataset_loader::Error> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data.jsonl");
    fs::write(&file, content).unwrap();
    load(&Benchmark::published(), &file)
}

fn ids(data: &Data) -> Vec<&str> {
    data.problems
        .iter()
        .map(|problem| problem.id.as_str())
        .collect()
}

/// The message without the folder, which differs from run to run.
fn message(content: impl AsRef<[u8]>) -> String {
    let text = load_text(content)
        .expect_err("the data are bad")
        .to_string();
    text[text.find("data.jsonl").expect("the message names the file")..].to_string()
}

#[test]
fn one_file_may_hold_several_tasks_and_comes_out_in_the_order_of_the_sets() {
    let data = load_text(format!(
        "{}\n\n{GOOD}\r\n{}\n",
        r#"{"data_topic":"MATH.Algebra","question_number":7,"question":"x+1=2, x?","answer":"1","level":"Level 1"}"#,
        r#"{"data_topic":"gsm8k","question":"2+2?","answer":"4"}"#,
    ))
    .unwrap();
    assert_eq!(ids(&data), ["gsm8k/1", "gsm8k/4", "MATH.Algebra/7"]);
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    assert_eq!(
        ids(&load_text(format!("\u{feff}{GOOD}")).unwrap()),
        ["gsm8k/1"]
    );
}

#[test]
fn a_number_used_by_another_source_of_the_task_is_qualified_by_the_source() {
    let record = |source: &str, question: &str| {
        format!(
            r#"{{"data_topic":"college_math.probability","question_number":"exercise.6.3.3","data_source":"{source}","question":"{question}","answer":"1"}}"#
        )
    };
    let data = load_text([record("book_a", "p?"), record("book_b", "q?")].join("\n")).unwrap();
    assert_eq!(
        ids(&data),
        [
            "college_math.probability/exercise.6.3.3",
            "college_math.probability/exercise.6.3.3@book_b"
        ]
    );
    let repeated = message(
        [
            record("book_a", "p?"),
            record("book_b", "q?"),
            record("book_b", "r?"),
        ]
        .join("\n"),
    );
    assert!(
        repeated.starts_with(
            "data.jsonl, line 3: the id \"college_math.probability/exercise.6.3.3@book_b\" was used before"
        )
    );
    assert!(repeated.contains("line 2"), "{repeated}");
}

#[test]
fn a_repeated_id_is_refused_with_both_lines() {
    let text = message(format!("{GOOD}\n{GOOD}"));
    assert!(
        text.starts_with("data.jsonl, line 2: the id \"gsm8k/1\" was used before, in "),
        "{text}"
    );
    assert!(text.contains("line 1"), "{text}");
}

#[test]
fn bad_records_are_named_by_file_line_and_field() {
    for (bad, expected) in [
        (
            r#"{"data_topic":"gsm8k","answer":"2"}"#,
            "the field \"question\" is missing",
        ),
        (
            r#"{"data_topic":"gsm8k","question":"q"}"#,
            "the field \"answer\" is missing",
        ),
        (
            r#"{"question":"q","answer":"2"}"#,
            "the field \"data_topic\" is missing",
        ),
        (
            r#"{"data_topic":"gsm8k","question":"q","answer":2}"#,
            "the field \"answer\" must be a string, found a number",
        ),
        (
            r#"{"data_topic":"gsm8k","question":["q"],"answer":"2"}"#,
            "the field \"question\" must be a string, found a list",
        ),
        (
            r#"{"data_topic":"gsm8k","question":" \n","answer":"2"}"#,
            "the field \"question\" is empty",
        ),
        (
            r#"{"data_topic":"gsm8k","question":"q","answer":""}"#,
            "the field \"answer\" is empty",
        ),
        (
            r#"{"data_topic":"gsm8k","question":"q","answer":null}"#,
            "the field \"answer\" must be a string, found null",
        ),
        (
            r#"{"data_topic":"gsm8k","question":"q","answer":"2","question_number":1.5}"#,
            "the field \"question_number\" must be a string or an integer, found a number",
        ),
        (
            r#"{"data_topic":"gsm9k","question":"q","answer":"2"}"#,
            "the field \"data_topic\" names no known task: \"gsm9k\" (known: gsm8k, MATH.Algebra",
        ),
        (
            r#"[1, 2]"#,
            "not a JSON object: found a list (expected one record a line)",
        ),
        (
            r#"{"data_topic":"gsm8k", "question" "q"}"#,
            "not a JSON object: expected `:` at column",
        ),
        (
            "question,answer",
            "not a JSON object: expected value at column 1",
        ),
    ] {
        let text = message(format!("{GOOD}\n{bad}\n"));
        assert!(
            text.starts_with(&format!("data.jsonl, line 2: {expected}")),
            "{bad}\ngave {text}"
        );
    }
}

#[test]
fn invalid_utf8_is_named_by_line_and_byte() {
    let mut content = format!("{GOOD}\n").into_bytes();
    content.extend(b"{\"question\": \"caf\xe9\"}\n");
    assert!(
        message(content).starts_with("data.jsonl, line 2: not UTF-8 text (byte 18 of the line)")
    );
}

#[test]
fn files_and_folders_without_records_are_refused() {
    assert!(message("\n \n").starts_with("data.jsonl: this file holds no record"));
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("notes.txt"), "hello").unwrap();
    let error = load(&Benchmark::published(), folder.path()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::EmptyFolder), "{error}");
    let error = load(&Benchmark::published(), Path::new("no/such/file.jsonl")).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::NotFound), "{error}");
}

#[test]
fn a_folder_is_read_in_order_of_name_without_training_files() {
    let folder = tempfile::tempdir().unwrap();
    let record = |number: u32| {
        format!(r#"{{"data_topic":"tal","question_number":{number},"question":"q","answer":"2"}}"#)
    };
    fs::write(folder.path().join("b.json"), record(2)).unwrap();
    fs::write(folder.path().join("a.jsonl"), record(1)).unwrap();
    fs::write(folder.path().join("full_train.json"), record(3)).unwrap();
    let data = load(&Benchmark::published(), folder.path()).unwrap();
    assert_eq!(ids(&data), ["tal/1", "tal/2"]);
    assert_eq!(
        data.origin,
        DataOrigin::Files {
            paths: vec![folder.path().join("a.jsonl"), folder.path().join("b.json")]
        }
    );
}

#[test]
fn the_digest_follows_the_content() {
    let (one, same, other) = (
        load_text(GOOD),
        load_text(GOOD),
        load_text(GOOD.replace("1+1", "1 + 1")),
    );
    assert_eq!(one.as_ref().unwrap().digest, same.unwrap().digest);
    assert_ne!(one.unwrap().digest, other.unwrap().digest);
}

proptest! {
    #[test]
    fn any_bytes_give_data_or_an_error(content in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = load_text(content);
    }

    #[test]
    fn a_record_with_any_text_comes_back_as_it_was(question in "\\PC*[a-z]", answer in "\\PC*[0-9]") {
        let record = serde_json::json!({ "data_topic": "tal", "question": question, "answer": answer });
        let data = load_text(record.to_string()).unwrap();
        prop_assert_eq!(&data.problems[0].question, &question);
        prop_assert_eq!(&data.problems[0].reference, &answer);
    }
}
