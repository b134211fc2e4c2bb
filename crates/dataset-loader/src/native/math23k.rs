//! Math23k as published (SCNU203/Math23k): JSON objects one after the other without commas, in
//! Chinese: `id`, `original_text`, `equation`, `ans`. Answers are numbers, `15%`, `((1)/(5))` and
//! `1((1)/(2))` (one and a half); they stay as they are, both scorers read them.

use super::{
    CHINESE, PublishedAnswer, PublishedFormat, PublishedItem, RecordPosition, belongs_to_split,
    has_extension, number_or_position, rest, text,
};
use crate::error::ErrorKind;
use crate::record::Extras;

pub(crate) const FORMAT: PublishedFormat = PublishedFormat {
    form: "Math23k as published: original_text, equation, ans",
    file_names: "math23k_test.json, math23k_train.json",
    belongs: |path, split| has_extension(path, &["json", "jsonl"]) && belongs_to_split(path, split),
    read,
};

/// Ape210k has the same fields.
pub(super) fn read(
    record: &Extras,
    at: &RecordPosition<'_>,
) -> Result<Vec<PublishedItem>, ErrorKind> {
    let item = PublishedItem {
        task: None,
        number: number_or_position(record, "id", at)?,
        passage: None,
        question: text(record, "original_text")?,
        answer: PublishedAnswer::Text(text(record, "ans")?),
        language: CHINESE,
        extras: rest(record, &["original_text", "ans", "id"]),
    };
    Ok(vec![item])
}
