//! MAWPS as those keep it who evaluate on it (JSON Lines): `input`, `target`, a number, `type` (the
//! subset), `idx`. Numbers of decimals without end are rounded to ten places there, and stay so.

use super::numbers::plain_number;
use super::{
    PublishedAnswer, PublishedFormat, PublishedItem, RecordPosition, belongs_to_split,
    has_extension, number_or_position, rest, text,
};
use crate::error::ErrorKind;
use crate::record::{Extras, wrong_type};

pub(crate) const FORMAT: PublishedFormat = PublishedFormat {
    form: "MAWPS: input, target, type",
    file_names: "mawps.jsonl, test.jsonl",
    belongs: |path, split| {
        has_extension(path, &["jsonl", "json", "parquet"]) && belongs_to_split(path, split)
    },
    read,
};

fn read(record: &Extras, at: &RecordPosition<'_>) -> Result<Vec<PublishedItem>, ErrorKind> {
    let value = record
        .get("target")
        .ok_or_else(|| ErrorKind::MissingField("target".to_string()))?;
    let answer = plain_number(value).ok_or_else(|| wrong_type("target", "a number", value))?;
    Ok(vec![PublishedItem {
        task: None,
        number: number_or_position(record, "idx", at)?,
        passage: None,
        question: text(record, "input")?,
        answer: PublishedAnswer::Text(answer),
        language: None,
        extras: rest(record, &["input", "target", "idx"]),
    }])
}
