//! MwpBench's own record form, which holds any set and task: passed on as it is.

use super::PublishedAnswer;
use super::{PublishedItem, RecordPosition};
use crate::error::ErrorKind;
use crate::record::{self, Extras, number, optional_text, required_text};

/// Whether a record is in MwpBench's form: no publisher has a field `data_topic`.
pub(crate) fn is_record_form(record: &Extras) -> bool {
    record.contains_key(record::TASK)
}

/// The problem of a record. Its extras hold everything but the fields of a problem, origin and
/// licence among them.
pub(crate) fn item(record: &Extras, at: &RecordPosition<'_>) -> Result<PublishedItem, ErrorKind> {
    optional_text(record, record::ORIGIN)?;
    optional_text(record, record::LICENSE)?;
    optional_text(record, record::LANGUAGE)?;
    let mut extras = record.clone();
    for field in [
        record::TASK,
        record::NUMBER,
        record::QUESTION,
        record::REFERENCE,
    ] {
        extras.shift_remove(field);
    }
    Ok(PublishedItem {
        task: Some(required_text(record, record::TASK)?.to_string()),
        number: number(record, record::NUMBER)?.unwrap_or_else(|| at.position.to_string()),
        passage: None,
        question: required_text(record, record::QUESTION)?.to_string(),
        answer: PublishedAnswer::Text(required_text(record, record::REFERENCE)?.to_string()),
        language: None,
        extras,
    })
}

/// What a record lacks that is not in this form.
pub(crate) fn fault(_: &Extras) -> ErrorKind {
    ErrorKind::MissingField(record::TASK.to_string())
}
