//! Gaokao2023-Math-En as published (MARIO-Math-Reasoning; JSON Lines): `question`, `answer`, which
//! two records leave empty, `source`, `lang`. The first word of a solution that one answer ends with
//! is left out.

use super::{
    PublishedAnswer, PublishedFormat, PublishedItem, RecordPosition, belongs_to_split,
    has_extension, rest, text,
};
use crate::error::ErrorKind;
use crate::record::{Extras, optional_text};

pub(crate) const FORMAT: PublishedFormat = PublishedFormat {
    form: "Gaokao2023-Math-En as published: question, answer, source",
    file_names: "Gaokao2023-Math-En.jsonl, gaokao2023en.jsonl, test.jsonl",
    belongs: |path, split| {
        has_extension(path, &["jsonl", "json", "parquet"]) && belongs_to_split(path, split)
    },
    read,
};

fn read(record: &Extras, at: &RecordPosition<'_>) -> Result<Vec<PublishedItem>, ErrorKind> {
    let stated = optional_text(record, "answer")?.unwrap_or_default().trim();
    let answer = stated.strip_suffix("solution:").unwrap_or(stated).trim();
    let answer = match answer.is_empty() {
        true => PublishedAnswer::Missing("expected an answer in `answer`"),
        false => PublishedAnswer::Text(answer.to_string()),
    };
    Ok(vec![PublishedItem {
        task: None,
        // Several records share an `id` of their own.
        number: at.position.to_string(),
        passage: None,
        question: text(record, "question")?,
        answer,
        language: None,
        extras: rest(record, &["question", "answer", "lang"]),
    }])
}
