//! A record that says its concepts: lists of `topics` and `knowledge_points`, or the routes of
//! TAL-SCQ5K.

use serde_json::{Map, Value};

use super::tal;
use crate::error::ErrorKind;
use crate::records::Seed;

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Annotation {
    /// The seed; its question may be empty.
    pub(crate) seed: Seed,
    pub(crate) topics: Vec<String>,
    pub(crate) knowledge_points: Vec<String>,
}

pub(crate) type Fields = Map<String, Value>;

/// Reads a record. The outer error is of the file, the inner one of this item alone.
///
/// # Errors
/// A record that is none, or that has fields of another type than they should be.
pub(crate) fn read(
    record: &Value,
    position: usize,
) -> Result<Result<Annotation, String>, ErrorKind> {
    let Value::Object(fields) = record else {
        return Err(ErrorKind::NotAnObject(type_name(record)));
    };
    if fields.contains_key(tal::ROUTES) {
        return tal::read(fields, position);
    }
    if !fields.contains_key("topics") && !fields.contains_key("knowledge_points") {
        let keys: Vec<&str> = fields.keys().map(String::as_str).take(12).collect();
        return Err(ErrorKind::NoAnnotation(keys.join(", ")));
    }
    let topics = strings(fields, "topics")?;
    let knowledge_points = strings(fields, "knowledge_points")?;
    let seed = Seed {
        id: id(fields, &["id", "qid"], position)?,
        question: text(fields, &["question", "problem"])?,
        answer: text(fields, &["answer", "solution"])?,
        solution: None,
    };
    Ok(Ok(Annotation {
        seed,
        topics,
        knowledge_points,
    }))
}

/// A list of strings.
pub(crate) fn strings(fields: &Fields, name: &str) -> Result<Vec<String>, ErrorKind> {
    let wrong = |found: &Value| ErrorKind::WrongType {
        field: name.to_string(),
        expected: "a list of strings",
        found: type_name(found),
    };
    let list = match fields.get(name) {
        None => return Err(ErrorKind::MissingField(name.to_string())),
        Some(Value::Array(list)) => list,
        Some(other) => return Err(wrong(other)),
    };
    list.iter()
        .map(|value| {
            value
                .as_str()
                .map(str::to_string)
                .ok_or_else(|| wrong(value))
        })
        .collect()
}

/// The text of the first of these fields that is there; empty where none is.
pub(crate) fn text(fields: &Fields, names: &[&str]) -> Result<String, ErrorKind> {
    match names
        .iter()
        .find_map(|name| Some((name, fields.get(*name)?)))
    {
        None | Some((_, Value::Null)) => Ok(String::new()),
        Some((_, Value::String(text))) => Ok(text.trim().to_string()),
        Some((_, Value::Number(number))) => Ok(number.to_string()),
        Some((name, other)) => Err(ErrorKind::WrongType {
            field: name.to_string(),
            expected: "a string or a number",
            found: type_name(other),
        }),
    }
}

/// The id, or the record's number where it has none.
pub(crate) fn id(fields: &Fields, names: &[&str], position: usize) -> Result<String, ErrorKind> {
    let id = text(fields, names)?;
    Ok(if id.is_empty() {
        position.to_string()
    } else {
        id
    })
}

pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
