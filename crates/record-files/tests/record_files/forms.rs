use proptest::prelude::*;
use record_files::{FileFormat, Place, Records};
use serde_json::{Value, json};

use crate::{all, file};

fn format(name: &str, content: &str) -> FileFormat {
    record_files::open(&file(name, content).path)
        .unwrap()
        .format()
}

#[test]
fn the_form_follows_from_content_and_name() {
    for (name, content, expected) in [
        ("a.jsonl", "{\"a\":1}\n{\"a\":2}\n", FileFormat::JsonLines),
        ("a.json", "{\"a\":1}\n{\"a\":2}\n", FileFormat::JsonLines),
        ("a.json", "{\"a\":1}", FileFormat::JsonLines),
        ("a.json", "{\"a\":1} {\"a\":2}", FileFormat::JsonStream),
        (
            "a.json",
            "{\n \"a\": 1\n}\n{\n \"a\": 2\n}",
            FileFormat::JsonStream,
        ),
        ("a.jsonl", "{\n \"a\": 1\n}\n", FileFormat::JsonStream),
        (
            "a.json",
            " \n[{\"a\":1},\n{\"a\":2}]",
            FileFormat::JsonArray,
        ),
        ("a.json", "[{\"a\":1},{\"a\":2}]\n\n", FileFormat::JsonArray),
        (
            "a.jsonl",
            "[{\"a\":1}]\n[{\"a\":2}]\n",
            FileFormat::JsonLines,
        ),
        ("a.jsonl", "[\n1]", FileFormat::JsonArray),
        ("a.jsonl", "{\"a\": \"cut", FileFormat::JsonLines),
        ("a.csv", "a,b\n1,2\n", FileFormat::Table),
        ("a.tsv", "a\tb\n", FileFormat::Table),
        ("a.txt", "{\"a\":1}\n", FileFormat::Text),
        ("a.md", "[{\"a\":1}]\n", FileFormat::Text),
        ("a", "{\"a\":1}\n", FileFormat::JsonLines),
        ("a.data", "[ {\"a\":1}]", FileFormat::JsonArray),
        ("a.data", "{x} is a set", FileFormat::Text),
        ("a.data", "[1] is a list", FileFormat::Text),
        ("a", "plain", FileFormat::Text),
        ("empty.jsonl", "", FileFormat::JsonLines),
        ("empty", "", FileFormat::Text),
    ] {
        assert_eq!(format(name, content), expected, "{name}: {content}");
    }
}

#[test]
fn lines_longer_than_what_is_looked_at_are_still_read() {
    let long = "x".repeat(3 << 20);
    for (content, records) in [
        (format!("{{\"a\":\"{long}\"}}\n{{\"a\":2}}\n"), 2),
        (format!("[{{\"a\":\"{long}\"}},{{\"a\":2}},3]"), 3),
    ] {
        let read = all(&file("a.json", content)).unwrap();
        assert_eq!(read.len(), records);
        assert_eq!(read[0].value["a"].as_str().unwrap().len(), long.len());
    }
}

#[test]
fn a_place_is_the_line_in_which_the_record_begins() {
    let lines = |name: &str, content: &str| -> Vec<usize> {
        all(&file(name, content))
            .unwrap()
            .iter()
            .map(|record| record.place.number())
            .collect()
    };
    assert_eq!(lines("a.jsonl", "\n{\"a\":1}\r\n\r\n  \n{\"a\":2}"), [2, 5]);
    assert_eq!(
        lines("a.json", "[\n\n{\"a\":\n1},  {\"a\":2}\n,\n[3]]\n"),
        [3, 4, 6]
    );
    assert_eq!(
        lines("a.json", "{\n\"a\":1\n}\n\n{\"b\":\n2}{}{\n}"),
        [1, 5, 6, 6]
    );
    assert_eq!(lines("a.txt", "one\n\n two\r\n"), [1, 3]);
    assert_eq!(Place::Row(3).to_string(), "row 3");
}

#[test]
fn byte_order_marks_are_passed_over() {
    for (name, content) in [
        ("a.jsonl", "\u{feff}{\"a\":1}\n\u{feff}{\"a\":2}"),
        ("a.json", "\u{feff}[{\"a\":1},{\"a\":2}]"),
        ("a.json", "\u{feff}{\n\"a\":1}{\"a\":2}"),
    ] {
        let values: Vec<Value> = all(&file(name, content))
            .unwrap()
            .into_iter()
            .map(|record| record.value)
            .collect();
        assert_eq!(values, [json!({"a": 1}), json!({"a": 2})], "{name}");
    }
    assert_eq!(
        all(&file("a.txt", "\u{feff}one")).unwrap()[0].value,
        json!("one")
    );
}

#[test]
fn text_keeps_its_lines_as_they_are() {
    let values: Vec<Value> = all(&file("a.txt", "  one \"1\"\r\n\ntwo\t\n"))
        .unwrap()
        .into_iter()
        .map(|record| record.value)
        .collect();
    assert_eq!(values, [json!("  one \"1\""), json!("two\t")]);
}

#[test]
fn a_run_parts_values_of_every_kind() {
    let values: Vec<Value> = all(&file(
        "a.json",
        "{}1\ntrue\"a]\\\"\"[2]null{\"b\":\"}\"}-1.5e3",
    ))
    .unwrap()
    .into_iter()
    .map(|record| record.value)
    .collect();
    assert_eq!(
        values,
        [
            json!({}),
            json!(1),
            json!(true),
            json!("a]\""),
            json!([2]),
            Value::Null,
            json!({"b": "}"}),
            json!(-1500.0)
        ]
    );
}

#[test]
fn the_position_reaches_the_size_of_the_file() {
    for (name, content) in [
        ("a.jsonl", "\u{feff}{\"a\":1}\n{\"a\":2}\n"),
        ("a.json", "[{\"a\":1},\n{\"a\":2}]\n"),
        ("a.txt", "a\nb"),
    ] {
        let file = file(name, content);
        let mut records = record_files::open(&file.path).unwrap();
        while records.next().transpose().unwrap().is_some() {}
        assert_eq!(records.bytes_read(), content.len() as u64, "{name}");
    }
}

#[test]
fn records_can_be_read_in_another_thread() {
    fn send<T: Send>() {}
    send::<Records>();
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i32>().prop_map(|n| Value::from(f64::from(n) / 8.0)),
        any::<String>().prop_map(Value::from),
        "[\\\\\"{}\\[\\],: \n\u{e9}\u{4e2d}]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..5)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

fn written(values: &[Value], format: FileFormat, pretty: bool) -> String {
    let texts: Vec<String> = values
        .iter()
        .map(|value| {
            if pretty {
                serde_json::to_string_pretty(value)
            } else {
                serde_json::to_string(value)
            }
            .unwrap()
        })
        .collect();
    match format {
        FileFormat::JsonArray => format!("[{}]", texts.join(",\n")),
        // Numbers and words need something between them.
        _ => texts.join("\n"),
    }
}

proptest! {
    #[test]
    fn values_survive_every_form(values in prop::collection::vec(values(), 0..8)) {
        for (format, pretty) in [(FileFormat::JsonLines, false), (FileFormat::JsonArray, false), (FileFormat::JsonArray, true), (FileFormat::JsonStream, false), (FileFormat::JsonStream, true)] {
            let file = file("a.json", written(&values, format, pretty));
            let read: Vec<Value> = record_files::open_as(&file.path, format).unwrap().map(|record| record.unwrap().value).collect();
            prop_assert_eq!(&read, &values, "{:?}", format);
        }
    }

    #[test]
    fn objects_survive_without_naming_the_form(texts in prop::collection::vec(any::<String>(), 1..6), format in prop_oneof![Just(FileFormat::JsonLines), Just(FileFormat::JsonArray), Just(FileFormat::JsonStream)], pretty in any::<bool>()) {
        let values: Vec<Value> = texts.iter().map(|text| json!({"question": text, "parts": [text, {"n": 1}]})).collect();
        let pretty = pretty && format != FileFormat::JsonLines;
        let read: Vec<Value> = all(&file("a.json", written(&values, format, pretty))).unwrap().into_iter().map(|record| record.value).collect();
        prop_assert_eq!(read, values);
    }

    #[test]
    fn any_bytes_end_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), structured in "[\\[\\]{},\":\\\\a1 \n]{0,80}") {
        for name in ["a.json", "a.jsonl", "a.txt", "a.parquet"] {
            for content in [bytes.as_slice(), structured.as_bytes()] {
                let file = file(name, content);
                // Each item takes a byte at least, so the iteration ends.
                if let Ok(records) = record_files::open(&file.path) {
                    prop_assert!(records.count() <= content.len() + 1);
                }
            }
        }
    }
}

#[test]
fn rows_of_a_table_are_objects_and_a_row_of_another_length_is_named() {
    let table = "question,answer\n\"Tom has 3 apples, and\n\"\"5\"\" pears.\",8\nshort\n2 + 2?,4\n";
    let file = file("a.csv", table);
    let records: Vec<_> = record_files::open(&file.path).unwrap().collect();
    let question = "Tom has 3 apples, and\n\"5\" pears.";
    let first = records[0].as_ref().unwrap();
    assert_eq!(first.value, json!({ "question": question, "answer": "8" }));
    assert_eq!(first.place, Place::Line(2));
    let short = records[1].as_ref().unwrap_err().to_string();
    assert!(
        short.contains("line 4: 1 cells where the first row names 2 fields"),
        "{short}"
    );
    assert_eq!(records[2].as_ref().unwrap().value["answer"], "4");
    assert_eq!(records.len(), 3);
}
