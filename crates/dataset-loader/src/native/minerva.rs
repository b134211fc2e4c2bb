//! OCWCourses of Minerva as those keep them who evaluate on them (JSON Lines): `problem`,
//! `solution`, whose last `\boxed` is the answer, `type` (the course), `idx`. A field `answer` or
//! `question` in place of these is read too.

use super::math::last_boxed;
use super::{
    PublishedAnswer, PublishedFormat, PublishedItem, RecordPosition, belongs_to_split,
    has_extension, number_or_position, rest,
};
use crate::choice::trimmed;
use crate::error::ErrorKind;
use crate::record::{Extras, optional_text, required_text};

pub(crate) const FORMAT: PublishedFormat = PublishedFormat {
    form: "OCWCourses as published: problem, solution with a \\boxed answer",
    file_names: "test.jsonl, minerva_math.jsonl",
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
    let boxed = optional_text(record, "solution")?.and_then(last_boxed);
    let stated = optional_text(record, "answer")?.map(str::trim);
    let answer = match boxed.or(stated.filter(|answer| !answer.is_empty())) {
        Some(answer) => PublishedAnswer::Text(answer.to_string()),
        None => PublishedAnswer::Missing("expected a \\boxed answer"),
    };
    Ok(vec![PublishedItem {
        task: None,
        number: number_or_position(record, "idx", at)?,
        passage: None,
        question,
        answer,
        language: None,
        extras: rest(record, &["problem", "question", "answer", "idx"]),
    }])
}
