//! ASDiv as those keep it who evaluate on it (JSON Lines): `body` and `question`, which make the
//! question together, `answer` with its unit in brackets (`15 (balls)`), `solution_type`,
//! `formula`, `idx`. The unit is kept beside the problem; the reference is the number. Ratios, times
//! of day and names stay as they are.

use serde_json::Value;

use super::svamp::joined;
use super::{
    PublishedAnswer, PublishedFormat, PublishedItem, RecordPosition, belongs_to_split,
    has_extension, number_or_position, rest, text,
};
use crate::error::ErrorKind;
use crate::record::Extras;

pub(crate) const FORMAT: PublishedFormat = PublishedFormat {
    form: "ASDiv: body, question, answer with its unit in brackets",
    file_names: "asdiv.jsonl, test.jsonl",
    belongs: |path, split| {
        has_extension(path, &["jsonl", "json", "parquet"]) && belongs_to_split(path, split)
    },
    read,
};

fn read(record: &Extras, at: &RecordPosition<'_>) -> Result<Vec<PublishedItem>, ErrorKind> {
    let (body, asked) = (text(record, "body")?, text(record, "question")?);
    let stated = text(record, "answer")?;
    let (answer, unit) = without_unit(&stated);
    let mut extras = rest(record, &["body", "question", "answer", "idx"]);
    if let Some(unit) = unit {
        extras.insert("unit".to_string(), Value::String(unit.to_string()));
    }
    Ok(vec![PublishedItem {
        task: None,
        number: number_or_position(record, "idx", at)?,
        passage: None,
        question: joined(&body, &asked),
        answer: PublishedAnswer::Text(answer.to_string()),
        language: None,
        extras,
    }])
}

/// A number, and the unit in brackets behind it. Brackets behind something else belong to it:
/// `-(1/3)`.
fn without_unit(answer: &str) -> (&str, Option<&str>) {
    let parts = answer
        .strip_suffix(')')
        .and_then(|text| text.rsplit_once('('))
        .map(|(number, unit)| (number.trim_end(), unit.trim()));
    match parts {
        Some((number, unit)) if is_number(number) && !unit.is_empty() => (number, Some(unit)),
        _ => (answer, None),
    }
}

fn is_number(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b".,-/".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::without_unit;

    #[test]
    fn a_unit_is_taken_from_a_number_and_from_nothing_else() {
        for (answer, expected) in [
            ("15 (balls)", ("15", Some("balls"))),
            ("14  (seats)", ("14", Some("seats"))),
            ("2.5 (square feet)", ("2.5", Some("square feet"))),
            ("1/6", ("1/6", None)),
            ("-(1/3)", ("-(1/3)", None)),
            ("5:6", ("5:6", None)),
            ("3:30 p.m.", ("3:30 p.m.", None)),
            ("Mrs. Hilt", ("Mrs. Hilt", None)),
            ("7 ()", ("7 ()", None)),
        ] {
            assert_eq!(without_unit(answer), expected, "{answer}");
        }
    }
}
