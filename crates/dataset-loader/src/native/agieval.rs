//! AGIEval as published (ruixiangcui/AGIEval, `data/v1`): JSON Lines with `passage`, `question`,
//! `options` ("(A)…" or null), `label`, `answer` and `other`. A passage stands before the question.
//! Several correct options are written `AD` or `A B D`.
//!
//! Numbers are the file's name and the position from 0, such as `gaokao-mathqa.12`, as the
//! benchmark numbers GAOKAO-Bench.

use std::path::Path;

use serde_json::Value;

use super::{
    CHINESE, PublishedAnswer, PublishedFormat, PublishedItem, RecordPosition, has_extension, rest,
    stem, text, text_or_null,
};
use crate::choice::{Choices, labelled, labels};
use crate::error::ErrorKind;
use crate::record::{Extras, wrong_type};

const FORM: &str = "AGIEval as published: question, options, label, answer";

pub(crate) const SAT: PublishedFormat = PublishedFormat {
    form: FORM,
    file_names: "sat-math.jsonl",
    belongs: |path, split| belongs(path, split, &["sat-math"]),
    read: |record, at| read(record, at, None),
};

pub(crate) const GAOKAO: PublishedFormat = PublishedFormat {
    form: FORM,
    file_names: "gaokao-mathqa.jsonl, gaokao-mathcloze.jsonl",
    belongs: |path, split| belongs(path, split, &["gaokao-mathqa", "gaokao-mathcloze"]),
    read: |record, at| read(record, at, CHINESE),
};

pub(crate) const MATH: PublishedFormat = PublishedFormat {
    form: FORM,
    file_names: "math.jsonl",
    belongs: |path, split| belongs(path, split, &["math"]),
    read: |record, at| read(record, at, None),
};

/// The files are a test; there is no other split.
fn belongs(path: &Path, split: &str, names: &[&str]) -> bool {
    split == "test" && has_extension(path, &["jsonl"]) && names.contains(&stem(path).as_str())
}

fn read(
    record: &Extras,
    at: &RecordPosition<'_>,
    language: Option<&'static str>,
) -> Result<Vec<PublishedItem>, ErrorKind> {
    let question = text(record, "question")?;
    let answer = match options(record)? {
        Some(options) => PublishedAnswer::Choice(Choices {
            options,
            correct: correct(record)?,
        }),
        None => PublishedAnswer::Text(text(record, "answer")?),
    };
    let passage = text_or_null(record, "passage")?
        .map(str::trim)
        .filter(|passage| !passage.is_empty());
    let item = PublishedItem {
        task: None,
        // Positions begin with 1, so this cannot underflow.
        number: format!("{}.{}", stem(at.file), at.in_file - 1),
        passage: passage.map(str::to_string),
        question,
        answer,
        language,
        extras: extras(record)?,
    };
    Ok(vec![item])
}

fn options(record: &Extras) -> Result<Option<Vec<(String, String)>>, ErrorKind> {
    const EXPECTED: &str = "a list of texts like \"(A)…\", or null";
    let list = match record.get("options") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Array(list)) if list.is_empty() => return Ok(None),
        Some(Value::Array(list)) => list,
        Some(other) => return Err(wrong_type("options", EXPECTED, other)),
    };
    let option = |value: &Value| {
        value
            .as_str()
            .and_then(labelled)
            .ok_or_else(|| ErrorKind::WrongType {
                field: "options".to_string(),
                expected: EXPECTED,
                found: "an option without a label",
            })
    };
    list.iter().map(option).collect::<Result<_, _>>().map(Some)
}

/// The labels: of `label`, a text or a list.
fn correct(record: &Extras) -> Result<Vec<String>, ErrorKind> {
    let wrong = |value| wrong_type("label", "the labels of the correct options", value);
    let label = record
        .get("label")
        .ok_or_else(|| ErrorKind::MissingField("label".to_string()))?;
    let text = match label {
        Value::String(text) => Some(text.clone()),
        Value::Array(list) => list
            .iter()
            .map(Value::as_str)
            .collect::<Option<Vec<_>>>()
            .map(|list| list.concat()),
        _ => None,
    };
    text.as_deref().and_then(labels).ok_or_else(|| wrong(label))
}

/// The remaining fields, those of `other` among them.
fn extras(record: &Extras) -> Result<Extras, ErrorKind> {
    let mut extras = rest(
        record,
        &["passage", "question", "options", "label", "answer", "other"],
    );
    match record.get("other") {
        None | Some(Value::Null) => {}
        Some(Value::Object(other)) => {
            for (field, value) in rest(other, &[]) {
                extras.insert(field, value);
            }
        }
        Some(other) => return Err(wrong_type("other", "an object, or null", other)),
    }
    Ok(extras)
}
