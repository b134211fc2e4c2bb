//! Fields of a record.

use serde_json::{Map, Value};

use crate::error::ErrorKind;

pub(crate) type Fields = Map<String, Value>;

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
    let text = |value: &Value| Some(value.as_str()?.to_string());
    list.iter()
        .map(|value| text(value).ok_or_else(|| wrong(value)))
        .collect()
}

/// The text of the first of these fields that is there; empty where none is.
pub(crate) fn text(fields: &Fields, names: &[&str]) -> Result<String, ErrorKind> {
    let mut found = names
        .iter()
        .filter_map(|name| Some((name, fields.get(*name)?)));
    match found.next() {
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
    Ok(match id.is_empty() {
        true => position.to_string(),
        false => id,
    })
}

/// The first keys, for a message.
pub(crate) fn key_list(fields: &Fields) -> String {
    const MAX_KEYS: usize = 12;
    let keys: Vec<&str> = fields.keys().map(String::as_str).take(MAX_KEYS).collect();
    keys.join(", ")
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
