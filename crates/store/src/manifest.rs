//! JSON files that begin with their schema.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::FileError;

/// Reads a JSON file whose field `schema` must be this one. `what` names such a file in messages
/// ("a run's manifest"). The schema is looked at first: with another one, any field may be missing.
///
/// # Errors
/// [`FileError::Unreadable`], or [`FileError::Corrupt`] for a file of another schema or another
/// kind.
pub fn read_manifest<T: DeserializeOwned>(
    file: &Path,
    schema: &str,
    what: &str,
) -> Result<T, FileError> {
    let corrupt = |message: String| FileError::corrupt(file, None, message);
    let text = std::fs::read(file).map_err(FileError::unreadable(file))?;
    let value: Value =
        serde_json::from_slice(&text).map_err(|error| corrupt(format!("not JSON: {error}")))?;
    match value.get("schema").and_then(Value::as_str) {
        Some(found) if found == schema => {}
        Some(found) => {
            return Err(corrupt(format!(
                "written as \"{found}\", this program reads \"{schema}\""
            )));
        }
        None => return Err(corrupt(format!("no field \"schema\": not {what}"))),
    }
    serde_json::from_value(value).map_err(|error| corrupt(format!("not {what}: {error}")))
}
