//! GSM8K as published (openai/grade-school-math; JSON Lines, and parquet on the Hugging Face hub):
//! `question`, and `answer`, a worked solution whose last line is `#### N`. The solution is kept as
//! it is, with its `<<…>>` calculations.

use serde_json::Value;

use super::{
    PublishedAnswer, PublishedFormat, PublishedItem, RecordPosition, belongs_to_split,
    has_extension, rest, text,
};
use crate::error::ErrorKind;
use crate::record::Extras;

pub(crate) const FORMAT: PublishedFormat = PublishedFormat {
    form: "GSM8K as published: question, and answer that ends in `#### N`",
    file_names: "test.jsonl, train.jsonl, test-*.parquet",
    belongs: |path, split| {
        // The repository has the same problems again as chains of questions, and completions of
        // models.
        let other = path.iter().any(|part| {
            let part = part.to_string_lossy();
            part.contains("socratic") || part.contains("solutions")
        });
        !other
            && has_extension(path, &["jsonl", "json", "parquet"])
            && belongs_to_split(path, split)
    },
    read,
};

/// What stands before the answer.
const MARK: &str = "####";

fn read(record: &Extras, at: &RecordPosition<'_>) -> Result<Vec<PublishedItem>, ErrorKind> {
    let question = text(record, "question")?;
    let solution = text(record, "answer")?;
    let answer = solution
        .rsplit_once(MARK)
        .map(|(_, answer)| answer.trim())
        .filter(|answer| !answer.is_empty());
    let answer = match answer {
        Some(answer) => PublishedAnswer::Text(answer.to_string()),
        None => PublishedAnswer::Missing("expected a last line `#### N`"),
    };
    let mut extras = rest(record, &["question", "answer"]);
    extras.insert("solution".to_string(), Value::String(solution));
    Ok(vec![PublishedItem {
        task: None,
        number: at.position.to_string(),
        passage: None,
        question,
        answer,
        language: None,
        extras,
    }])
}
