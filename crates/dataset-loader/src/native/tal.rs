//! TAL-SCQ5K as published (math-eval/TAL-SCQ5K): `problem`, `answer_option_list` (a list of
//! options, each a list with one `{aoVal, content}`), `answer_value`; the routes of knowledge
//! points and everything else are kept.

use serde_json::Value;

use super::{
    CHINESE, PublishedAnswer, PublishedFormat, PublishedItem, RecordPosition, belongs_to_split,
    has_extension, list, number_or_position, rest, text,
};
use crate::choice::{Choices, labels, trimmed};
use crate::error::ErrorKind;
use crate::record::{Extras, type_name, wrong_type};

pub(crate) const FORMAT: PublishedFormat = PublishedFormat {
    form: "TAL-SCQ5K as published: problem, answer_option_list, answer_value",
    file_names: "en_single_choice_test_2K.jsonl, en_single_choice_train_3K.jsonl",
    belongs: |path, split| {
        // The repository has the Chinese sister set beside it, in files called ch_….
        let chinese = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("ch_"));
        !chinese
            && has_extension(path, &["jsonl", "json", "parquet"])
            && belongs_to_split(path, split)
    },
    read,
};

const OPTIONS: &str = "answer_option_list";

fn read(record: &Extras, at: &RecordPosition<'_>) -> Result<Vec<PublishedItem>, ErrorKind> {
    let question = text(record, "problem")?;
    let value = text(record, "answer_value")?;
    let correct = labels(&value).ok_or_else(|| ErrorKind::WrongType {
        field: "answer_value".to_string(),
        expected: "the label of an option",
        found: "another text",
    })?;
    let options = list(record, OPTIONS)?
        .iter()
        .map(option)
        .collect::<Result<_, _>>()?;
    let is_chinese = record
        .get("dataset_name")
        .and_then(Value::as_str)
        .is_some_and(|name| name.contains("_ch_"));
    let item = PublishedItem {
        task: None,
        number: number_or_position(record, "qid", at)?,
        passage: None,
        question,
        answer: PublishedAnswer::Choice(Choices { options, correct }),
        language: CHINESE.filter(|_| is_chinese),
        extras: rest(record, &["problem", OPTIONS, "answer_value", "qid"]),
    };
    Ok(vec![item])
}

/// An option: an object, or a list with one.
fn option(value: &Value) -> Result<(String, String), ErrorKind> {
    let wrong = |value| wrong_type(OPTIONS, "a list of options with aoVal and content", value);
    let option = match value {
        Value::Array(list) if list.len() == 1 => &list[0],
        other => other,
    };
    let field = |name: &str| option.get(name).and_then(Value::as_str);
    match (field("aoVal"), field("content")) {
        (Some(label), Some(content)) => {
            Ok((label.trim().to_string(), trimmed(content).to_string()))
        }
        _ if type_name(option) == "an object" => Err(ErrorKind::MissingField(format!(
            "{OPTIONS}[].aoVal, content"
        ))),
        _ => Err(wrong(option)),
    }
}
