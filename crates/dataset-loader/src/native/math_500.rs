//! MATH-500 as published (openai/prm800k, HuggingFaceH4/MATH-500; JSON Lines): `problem`, `answer`,
//! `solution`, `subject`, `level`, `unique_id`. MATH's own form is read too.

use serde_json::Value;

use super::math::last_boxed;
use super::{
    PublishedAnswer, PublishedFormat, PublishedItem, RecordPosition, belongs_to_split,
    has_extension, number_or_position, rest, text,
};
use crate::error::ErrorKind;
use crate::record::{Extras, optional_text};

pub(crate) const FORMAT: PublishedFormat = PublishedFormat {
    form: "MATH-500 as published: problem, answer, solution, subject, unique_id",
    file_names: "test.jsonl, math_500.jsonl, train.jsonl",
    belongs: |path, split| {
        has_extension(path, &["jsonl", "json", "parquet"]) && belongs_to_split(path, split)
    },
    read,
};

fn read(record: &Extras, at: &RecordPosition<'_>) -> Result<Vec<PublishedItem>, ErrorKind> {
    let question = text(record, "problem")?;
    let stated = optional_text(record, "answer")?.map(str::trim);
    let boxed = record
        .get("solution")
        .and_then(Value::as_str)
        .and_then(last_boxed);
    let answer = match stated.filter(|answer| !answer.is_empty()).or(boxed) {
        Some(answer) => PublishedAnswer::Text(answer.to_string()),
        None => PublishedAnswer::Missing("expected `answer`, or a \\boxed answer"),
    };
    Ok(vec![PublishedItem {
        task: None,
        number: number_or_position(record, "unique_id", at)?,
        passage: None,
        question,
        answer,
        language: None,
        extras: rest(record, &["problem", "answer", "unique_id"]),
    }])
}
