use record_files::{ErrorKind, MAX_RECORD_BYTES};

use crate::{error, file};

#[test]
fn errors_name_line_and_column() {
    for (name, content, expected) in [
        (
            "a.jsonl",
            "{\"a\":1}\n{\"a\":}\n",
            "a.jsonl, line 2: not JSON: expected value (column 6)",
        ),
        (
            "a.jsonl",
            "{\"a\":1}\n{\"a\":1} x\n",
            "a.jsonl, line 2: not JSON: trailing characters (column 9)",
        ),
        (
            "a.jsonl",
            "{\"a\":\"cut",
            "a.jsonl, line 1: not JSON: EOF while parsing a string (column 9)",
        ),
        (
            "a.json",
            "[\n  {\n    \"a\": 1,\n    \"b\": x\n  }\n]",
            "a.json, line 4: not JSON: expected value (column 10; the record begins in line 2)",
        ),
        (
            "a.json",
            "[{\"a\":1},  {\"a\":tru}]",
            "a.json, line 1: not JSON: expected ident (column 20)",
        ),
        (
            "a.json",
            "[{\"a\":1}\n {\"a\":2}]",
            "a.json, line 2: not JSON: expected \",\" or \"]\" after the record (column 2)",
        ),
        (
            "a.json",
            "[{\"a\":1},\n]",
            "a.json, line 2: not JSON: a comma before the end of the array (column 1)",
        ),
        (
            "a.json",
            "[{\"a\":1},\n{\"a\":2}]\n x",
            "a.json, line 3: not JSON: something follows the end of the array (column 2)",
        ),
        (
            "a.json",
            "{\n\"a\":1},\n{\"a\":2}",
            "a.json, line 2: not JSON: expected a record, found \",\" (column 7)",
        ),
        (
            "a.json",
            "{\n\"a\":1}\n}",
            "a.json, line 3: not JSON: expected a record, found \"}\" (column 1)",
        ),
        (
            "a.json",
            "[{\"a\":1},\n{\"a\":\n\"cut",
            "a.json, line 2: the record that begins here is not closed before the end of the file: the file is cut off, or a quotation mark is missing",
        ),
        (
            "a.json",
            "[{\"a\":1},\n",
            "a.json, line 2: the array is not closed before the end of the file: the file is cut off",
        ),
    ] {
        assert_eq!(error(&file(name, content)), expected);
    }
}

#[test]
fn bytes_that_are_no_text_are_named() {
    assert_eq!(
        error(&file("a.jsonl", b"{}\n{\"a\":\"\xff\"}")),
        "a.jsonl, line 2: not UTF-8 text (byte 7 of the line): save the file as UTF-8"
    );
    assert_eq!(
        error(&file("a.json", b"[{\"a\":1,\n\"b\":\"\xe4\"}]")),
        "a.json, line 2: not UTF-8 text (byte 6 of the line): save the file as UTF-8"
    );
    assert_eq!(
        error(&file("a.txt", b"one\ntw\0o\n")),
        "a.txt, line 2: a NUL byte (byte 3 of the line): the file is damaged, or not a text in UTF-8"
    );
    assert_eq!(
        error(&file("a.txt", b"\xff\xfeo\0n\0")),
        "a.txt: UTF-16 or UTF-32 text: save the file as UTF-8"
    );
}

#[test]
fn an_error_in_one_record_leaves_the_others() {
    for (name, content) in [
        ("a.jsonl", "{\"a\":1}\n{\"a\":x}\n{\"a\":3}"),
        ("a.json", "[{\"a\":1},\n{\"a\":x},\n{\"a\":3}]"),
    ] {
        let file = file(name, content);
        let items: Vec<_> = record_files::open(&file.path).unwrap().collect();
        assert_eq!(items.len(), 3);
        assert_eq!(items[1].as_ref().unwrap_err().place().unwrap().number(), 2);
        assert_eq!(items[2].as_ref().unwrap().value["a"], 3);
    }
}

#[test]
fn nesting_without_end_is_an_error_and_not_a_full_stack() {
    for open in ["[", "{\"a\":"] {
        let deep = open.repeat(1_000_000);
        for name in ["a.json", "a.jsonl"] {
            assert!(!error(&file(name, &deep)).is_empty());
        }
    }
    let closed = format!("[{}{}]", "[".repeat(200_000), "]".repeat(200_000));
    assert!(error(&file("a.json", closed)).contains("recursion limit exceeded"));
}

#[test]
fn a_record_longer_than_the_limit_is_an_error() {
    let long = "x".repeat(MAX_RECORD_BYTES + 1);
    for (name, content) in [
        ("a.jsonl", format!("\"{long}\"")),
        ("a.json", format!("[\"{long}\"]")),
        ("a.txt", long),
    ] {
        let records = record_files::open(&file(name, &content).path).unwrap();
        let items: Vec<_> = records.collect();
        assert_eq!(items.len(), 1);
        assert!(matches!(
            items[0].as_ref().unwrap_err().kind(),
            ErrorKind::TooLong { .. }
        ));
    }
}

#[test]
fn what_is_no_file_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let kind = |path| {
        record_files::open(path)
            .err()
            .map(|e| format!("{:?}", e.kind()))
    };
    assert_eq!(kind(folder.path()).as_deref(), Some("Folder"));
    assert_eq!(
        kind(&folder.path().join("none.jsonl")).as_deref(),
        Some("NotFound")
    );
    let not_an_array = file("a.json", "{}");
    let mut records =
        record_files::open_as(&not_an_array.path, record_files::FileFormat::JsonArray).unwrap();
    assert!(matches!(
        records.next().unwrap().unwrap_err().kind(),
        ErrorKind::NotAnArray
    ));
    assert!(records.next().is_none());
}
