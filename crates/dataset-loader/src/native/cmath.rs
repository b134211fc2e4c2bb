//! CMATH as published (XiaoMi/cmath, weitianwen/cmath; JSON Lines), Chinese: `question`, `answer`
//! (`golden` in the publisher's own files), `grade`, `reasoning_step`, `num_digits`.

use serde_json::Value;

use super::numbers::plain_number;
use super::{
    CHINESE, PublishedAnswer, PublishedFormat, PublishedItem, RecordPosition, has_extension, rest,
    stem, text,
};
use crate::error::ErrorKind;
use crate::record::{Extras, wrong_type};

pub(crate) const FORMAT: PublishedFormat = PublishedFormat {
    form: "CMATH as published: question, answer, grade",
    file_names: "cmath_dev.jsonl, cmath.jsonl, test.jsonl",
    belongs: |path, split| {
        // What is reported as the test is called the development set by its publisher; the test
        // that came later is another one.
        split == "test"
            && has_extension(path, &["jsonl", "json"])
            && ["cmath_dev", "cmath", "test"].contains(&stem(path).as_str())
    },
    read,
};

fn read(record: &Extras, at: &RecordPosition<'_>) -> Result<Vec<PublishedItem>, ErrorKind> {
    let field = match record.contains_key("answer") {
        true => "answer",
        false => "golden",
    };
    let value = record
        .get(field)
        .ok_or_else(|| ErrorKind::MissingField("answer".to_string()))?;
    let answer = match value {
        Value::String(_) => text(record, field)?,
        _ => plain_number(value).ok_or_else(|| wrong_type(field, "a text, or a number", value))?,
    };
    Ok(vec![PublishedItem {
        task: None,
        number: at.position.to_string(),
        passage: None,
        question: text(record, "question")?,
        answer: PublishedAnswer::Text(answer),
        language: CHINESE,
        extras: rest(record, &["question", field]),
    }])
}
