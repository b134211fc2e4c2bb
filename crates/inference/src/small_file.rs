//! Reading the small files of a checkpoint, with errors that name them.

use std::path::Path;

use serde::de::DeserializeOwned;

use crate::error::{Error, ErrorKind};

/// How a Git LFS pointer begins (git-lfs, docs/spec.md).
pub(crate) const LFS_POINTER: &[u8] = b"version https://git-lfs.github.com/spec/";

/// The error about a file that is not there.
pub(crate) fn missing_file(name: &str) -> Error {
    Error::new(ErrorKind::Missing, "no such file").in_file(name)
}

/// The content of a file that messages call `name`, or `None` where there is none.
///
/// # Errors
/// [`ErrorKind::Io`]; [`ErrorKind::Missing`] for a Git LFS pointer.
pub(crate) fn read_small(path: &Path, name: &str) -> Result<Option<Vec<u8>>, Error> {
    match std::fs::read(path) {
        Ok(bytes) => refuse_lfs_pointer(&bytes, name).map(|()| Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            Err(Error::new(ErrorKind::Io, format!("cannot be read: {error}")).in_file(name))
        }
    }
}

/// Refuses what a clone without Git LFS leaves in place of a file.
///
/// # Errors
/// [`ErrorKind::Missing`].
pub(crate) fn refuse_lfs_pointer(bytes: &[u8], name: &str) -> Result<(), Error> {
    match bytes.starts_with(LFS_POINTER) {
        true => Err(Error::new(
            ErrorKind::Missing,
            "is a Git LFS pointer and not the file itself: `git lfs pull` in its repository fetches the file",
        )
        .in_file(name)),
        false => Ok(()),
    }
}

/// JSON, also as Python writes it: with `NaN` and `Infinity`, which are then the strings of that
/// name, so that only a field that needs a number is refused.
///
/// # Errors
/// As those of [`serde_json::from_slice`].
pub(crate) fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, serde_json::Error> {
    serde_json::from_slice(bytes).or_else(|error| match quoted_constants(bytes) {
        Some(quoted) => serde_json::from_slice(&quoted),
        None => Err(error),
    })
}

/// The text with Python's constants in quotes; `None` where there is none outside of strings.
fn quoted_constants(json: &[u8]) -> Option<Vec<u8>> {
    const CONSTANTS: [&[u8]; 3] = [b"-Infinity", b"Infinity", b"NaN"];
    let mut quoted = Vec::with_capacity(json.len() + 8);
    let mut found = false;
    let (mut at, mut in_string) = (0, false);
    while let Some(&byte) = json.get(at) {
        let constant = CONSTANTS
            .into_iter()
            .find(|constant| !in_string && json[at..].starts_with(constant));
        if let Some(constant) = constant {
            quoted.extend([b"\"", constant, b"\""].concat());
            at += constant.len();
            found = true;
            continue;
        }
        // What follows a backslash never ends a string.
        let length = if in_string && byte == b'\\' { 2 } else { 1 };
        in_string ^= byte == b'"';
        quoted.extend(json[at..].iter().take(length));
        at += length;
    }
    found.then_some(quoted)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn constants_of_python_are_strings_and_strings_stay_as_they_are() {
        let text = r#"{"a": NaN, "b": [-Infinity, Infinity], "c": "NaN \"NaN\\", "d": 1}"#;
        let expected =
            json!({ "a": "NaN", "b": ["-Infinity", "Infinity"], "c": "NaN \"NaN\\", "d": 1 });
        assert_eq!(parse_json::<Value>(text.as_bytes()).unwrap(), expected);
        assert!(parse_json::<Value>(br#"{"a": nan}"#).is_err());
        assert!(parse_json::<Value>(br#"{"a": "NaN"#).is_err());
        let error = parse_json::<f64>(b"NaN").unwrap_err();
        assert!(error.to_string().contains("NaN"), "{error}");
    }
}
