//! SVAMP as published (arkilpatel/SVAMP, `SVAMP.json`; also JSON Lines): `Body` and `Question`,
//! which make the question together, `Answer`, a number, `Equation`, `Type`, `ID`.

use serde_json::Value;

use super::numbers::plain_number;
use super::{
    PublishedAnswer, PublishedFormat, PublishedItem, RecordPosition, belongs_to_split,
    has_extension, number_or_position, rest, text,
};
use crate::error::ErrorKind;
use crate::record::{Extras, wrong_type};

pub(crate) const FORMAT: PublishedFormat = PublishedFormat {
    form: "SVAMP as published: Body, Question, Answer",
    file_names: "SVAMP.json, svamp.jsonl, test.jsonl",
    belongs: |path, split| {
        has_extension(path, &["jsonl", "json", "parquet"]) && belongs_to_split(path, split)
    },
    read,
};

fn read(record: &Extras, at: &RecordPosition<'_>) -> Result<Vec<PublishedItem>, ErrorKind> {
    let body = text(record, "Body")?;
    let asked = text(record, "Question")?;
    let value = record
        .get("Answer")
        .ok_or_else(|| ErrorKind::MissingField("Answer".to_string()))?;
    let answer = match value {
        Value::String(text) if !text.trim().is_empty() => text.trim().to_string(),
        _ => plain_number(value).ok_or_else(|| wrong_type("Answer", "a number", value))?,
    };
    Ok(vec![PublishedItem {
        task: None,
        number: number_or_position(record, "ID", at)?,
        passage: None,
        question: joined(&body, &asked),
        answer: PublishedAnswer::Text(answer),
        language: None,
        extras: rest(record, &["Body", "Question", "Answer", "ID", "idx"]),
    }])
}

/// What is told and what is asked, as one text. Some bodies end without a full stop: the first half
/// of a sentence that the question ends (`If …,`), or a sentence.
pub(super) fn joined(body: &str, asked: &str) -> String {
    format!("{body} {asked}")
}
