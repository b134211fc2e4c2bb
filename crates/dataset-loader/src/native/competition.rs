//! Competition problems as those publish them who collect them (AIME of 2024 and 2025, AMC of 2023;
//! JSON Lines or parquet): `problem`, and `answer`, a whole number as a text or a number, `027` and
//! `27.0` among them; `id`, `url` and `solution` where there are any. A field `question` that
//! repeats the problem is left out.

use serde_json::Value;

use super::numbers::plain_number;
use super::{
    PublishedAnswer, PublishedFormat, PublishedItem, RecordPosition, belongs_to_split,
    has_extension, number_or_position, rest,
};
use crate::choice::trimmed;
use crate::error::ErrorKind;
use crate::record::{Extras, required_text, wrong_type};

pub(crate) const FORMAT: PublishedFormat = PublishedFormat {
    form: "competition problems as published: problem, answer",
    file_names: "test.jsonl, aime24.jsonl, aime25.jsonl, amc23.jsonl, test-*.parquet",
    belongs: |path, split| {
        has_extension(path, &["jsonl", "json", "parquet"]) && belongs_to_split(path, split)
    },
    read,
};

fn read(record: &Extras, at: &RecordPosition<'_>) -> Result<Vec<PublishedItem>, ErrorKind> {
    let field = match record.contains_key("problem") {
        true => "problem",
        false => "question",
    };
    let question = trimmed(required_text(record, field)?).to_string();
    let answer = whole_number(record, "answer")?;
    let mut extras = rest(record, &["problem", "question", "answer", "id"]);
    // Some say no more here than the answer: no solution.
    if extras.get("solution").and_then(Value::as_str) == Some(answer.as_str()) {
        extras.shift_remove("solution");
    }
    Ok(vec![PublishedItem {
        task: None,
        number: number_or_position(record, "id", at)?,
        passage: None,
        question,
        answer: PublishedAnswer::Text(answer),
        language: None,
        extras,
    }])
}

/// A whole number, without zeros before it.
fn whole_number(record: &Extras, field: &str) -> Result<String, ErrorKind> {
    const EXPECTED: &str = "a whole number, or a text with one";
    let value = record
        .get(field)
        .ok_or_else(|| ErrorKind::MissingField(field.to_string()))?;
    let text = match value {
        Value::Number(_) => plain_number(value),
        Value::String(text) => Some(text.trim().to_string()),
        _ => None,
    };
    let is_whole = |text: &String| {
        let digits = text.strip_prefix('-').unwrap_or(text);
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    let text = text
        .filter(is_whole)
        .ok_or_else(|| wrong_type(field, EXPECTED, value))?;
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.as_str()),
    };
    let digits = match digits.trim_start_matches('0') {
        "" => "0",
        digits => digits,
    };
    Ok(format!("{sign}{digits}"))
}
