//! GAOKAO-Bench as published (OpenLMLab/GAOKAO-Bench, objective questions of mathematics): a file
//! an exam and kind, each one object with `keywords` and `example`, a list of
//! `{year, category, question, answer, analysis, index, score}`, in Chinese. Options stand in the
//! question's text; the answer is then a list of labels (`["D"]`), and else the text for the blank.
//!
//! Numbers are `keywords.index`, as in the published benchmark.

use serde_json::Value;

use super::{
    CHINESE, PublishedAnswer, PublishedFormat, PublishedItem, RecordPosition, belongs_to_split,
    has_extension, list, rest, text,
};
use crate::choice::{Choices, labels, split_options};
use crate::error::ErrorKind;
use crate::record::{self, Extras, required_text, wrong_type};

pub(crate) const FORMAT: PublishedFormat = PublishedFormat {
    form: "GAOKAO-Bench as published: keywords, and example with question, answer, index",
    file_names: "2010-2022_Math_I_MCQs.json, 2010-2022_Math_I_Fill-in-the-Blank.json and those of Math_II",
    belongs: |path, split| {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let kind = name.contains("mcq") || name.contains("fill-in");
        name.contains("math")
            && kind
            && has_extension(path, &["json"])
            && belongs_to_split(path, split)
    },
    read,
};

fn read(record: &Extras, _: &RecordPosition<'_>) -> Result<Vec<PublishedItem>, ErrorKind> {
    let keywords = required_text(record, "keywords")?;
    let examples = list(record, "example")?;
    let mut items = Vec::with_capacity(examples.len());
    for (position, example) in examples.iter().enumerate() {
        let Value::Object(example) = example else {
            return Err(wrong_type("example", "a list of objects", example));
        };
        let number = record::number(example, "index").and_then(|index| {
            let number = format!(
                "{keywords}.{}",
                index.unwrap_or_else(|| position.to_string())
            );
            item(example, number)
        });
        items.push(number.map_err(|kind| in_example(kind, position))?);
    }
    Ok(items)
}

/// The record is the whole file: the message must name the example.
fn in_example(kind: ErrorKind, position: usize) -> ErrorKind {
    let named = |field: String| format!("example[{position}].{field}");
    match kind {
        ErrorKind::MissingField(field) => ErrorKind::MissingField(named(field)),
        ErrorKind::BlankField(field) => ErrorKind::BlankField(named(field)),
        ErrorKind::WrongType {
            field,
            expected,
            found,
        } => ErrorKind::WrongType {
            field: named(field),
            expected,
            found,
        },
        other => other,
    }
}

fn item(example: &Extras, number: String) -> Result<PublishedItem, ErrorKind> {
    let question = text(example, "question")?;
    let answer = match example.get("answer") {
        Some(Value::Array(list)) => {
            let named: Option<Vec<&str>> = list.iter().map(Value::as_str).collect();
            let correct = named.and_then(|named| labels(&named.concat()));
            correct.ok_or_else(|| {
                wrong_type(
                    "answer",
                    "a text, or a list of labels",
                    &Value::Array(list.clone()),
                )
            })?
        }
        _ => {
            let extras = rest(example, &["question", "answer", "index"]);
            let answer = PublishedAnswer::Text(text(example, "answer")?);
            return Ok(PublishedItem {
                task: None,
                number,
                passage: None,
                question,
                answer,
                language: CHINESE,
                extras,
            });
        }
    };
    let (question, options) = split_options(&question).ok_or_else(|| ErrorKind::WrongType {
        field: "question".to_string(),
        expected: "a text with options A., B. and so on, as its answer is a label",
        found: "a text without",
    })?;
    let extras = rest(example, &["question", "answer", "index"]);
    let answer = PublishedAnswer::Choice(Choices {
        options,
        correct: answer,
    });
    Ok(PublishedItem {
        task: None,
        number,
        passage: None,
        question,
        answer,
        language: CHINESE,
        extras,
    })
}
