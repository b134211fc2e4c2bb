//! OlympiadBench as published (OpenBMB/OlympiadBench; JSON Lines, a JSON list or parquet), the
//! open-ended problems: `question`, `context` before it, `final_answer`, a list of texts, `unit`,
//! `error` (a tolerance), `is_multiple_answer`, `answer_type`, `subfield`, `solution` (a list), `id`.
//!
//! Several answers stand in one text, between commas, as most do already. A tolerance stands behind
//! the answer, as ` (tolerance 0.1)`: the profile `olympiadbench` reads it. A unit is kept beside the
//! problem: its publisher asks for answers without one.

use serde_json::Value;

use super::{
    PublishedAnswer, PublishedFormat, PublishedItem, RecordPosition, belongs_to_split,
    has_extension, list, number_or_position, rest, text, text_or_null,
};
use crate::error::ErrorKind;
use crate::record::{Extras, wrong_type};

pub(crate) const FORMAT: PublishedFormat = PublishedFormat {
    form: "OlympiadBench as published: question, final_answer, unit, error",
    file_names: "OE_TO_maths_en_COMP.json, olympiadbench.jsonl, test.jsonl",
    belongs: |path, split| {
        let named = |name: &str| path.to_string_lossy().contains(name);
        // The repository has proofs, physics, pictures and Chinese problems beside these.
        let other = named("tp_") || named("_mm_") || named("physics") || named("_zh_");
        !other
            && has_extension(path, &["jsonl", "json", "parquet"])
            && belongs_to_split(path, split)
    },
    read,
};

fn read(record: &Extras, at: &RecordPosition<'_>) -> Result<Vec<PublishedItem>, ErrorKind> {
    let question = text(record, "question")?;
    let context = text_or_null(record, "context")?.map(str::trim);
    let answers = list(record, "final_answer")?;
    let texts: Option<Vec<&str>> = answers.iter().map(Value::as_str).collect();
    let texts = texts.ok_or_else(|| ErrorKind::WrongType {
        field: "final_answer".to_string(),
        expected: "a list of texts",
        found: "a list with something else",
    })?;
    let answer = texts
        .iter()
        .map(|text| text.trim())
        .filter(|text| !text.is_empty())
        .collect::<Vec<_>>()
        .join(", ");
    let answer = match (answer.is_empty(), tolerance(record)?) {
        (true, _) => PublishedAnswer::Missing("expected an answer in `final_answer`"),
        (false, None) => PublishedAnswer::Text(answer),
        (false, Some(tolerance)) => {
            PublishedAnswer::Text(format!("{answer} (tolerance {tolerance})"))
        }
    };
    let mut extras = rest(
        record,
        &["question", "context", "final_answer", "id", "solution"],
    );
    // One solution of several, as other sets have one.
    let solution = record
        .get("solution")
        .and_then(|value| value.as_str().or_else(|| value.get(0)?.as_str()));
    if let Some(solution) = solution {
        extras.insert("solution".to_string(), Value::String(solution.to_string()));
    }
    Ok(vec![PublishedItem {
        task: None,
        number: number_or_position(record, "id", at)?,
        passage: context.filter(|text| !text.is_empty()).map(str::to_string),
        question,
        answer,
        language: None,
        extras,
    }])
}

/// The tolerance, such as `1e-1`, as a decimal. One for each of several answers
/// (`1e-1,1e-2`) is the largest of them.
fn tolerance(record: &Extras) -> Result<Option<String>, ErrorKind> {
    const EXPECTED: &str = "a tolerance such as 1e-1, or null";
    let value = record.get("error").unwrap_or(&Value::Null);
    let text = match value {
        Value::Null => return Ok(None),
        Value::Number(number) => number.to_string(),
        Value::String(text) if text.trim().is_empty() => return Ok(None),
        Value::String(text) => text.clone(),
        other => return Err(wrong_type("error", EXPECTED, other)),
    };
    let parsed: Result<Vec<f64>, _> = text.split(',').map(|part| part.trim().parse()).collect();
    let largest = parsed
        .ok()
        .and_then(|tolerances| tolerances.into_iter().max_by(f64::total_cmp))
        .filter(|tolerance| *tolerance > 0.0 && tolerance.is_finite());
    match largest {
        Some(tolerance) => Ok(Some(tolerance.to_string())),
        None => Err(ErrorKind::WrongType {
            field: "error".to_string(),
            expected: EXPECTED,
            found: "another text",
        }),
    }
}
