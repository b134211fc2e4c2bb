//! Python's texts as UTF-8. They may hold lone surrogates, which UTF-8 has no bytes for: each
//! becomes U+FFFD, one sign for one, so that places in the text stay what they are.

use pyo3::exceptions::PyUnicodeEncodeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

/// U+FFFD in UTF-8: as many bytes as a surrogate takes.
const REPLACEMENT: [u8; 3] = [0xEF, 0xBF, 0xBD];

/// The bytes of a text, held as long as a judgement needs them.
pub struct Text<'py>(Held<'py>);

enum Held<'py> {
    /// As Python encodes it.
    Encoded(Bound<'py, PyBytes>),
    /// With lone surrogates replaced.
    Mended(String),
}

impl<'py> Text<'py> {
    /// # Errors
    /// What Python raises where there is no memory.
    pub fn new(text: &Bound<'py, PyString>) -> PyResult<Self> {
        match text.encode_utf8() {
            Ok(bytes) => Ok(Self(Held::Encoded(bytes))),
            Err(error) if error.is_instance_of::<PyUnicodeEncodeError>(text.py()) => {
                mended(text).map(|text| Self(Held::Mended(text)))
            }
            Err(error) => Err(error),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Held::Encoded(bytes) => {
                std::str::from_utf8(bytes.as_bytes()).expect("Python encodes to UTF-8")
            }
            Held::Mended(text) => text,
        }
    }
}

/// A text with lone surrogates.
fn mended(text: &Bound<'_, PyString>) -> PyResult<String> {
    // The method of `str` itself: a subclass may have another.
    let encoded = text
        .py()
        .get_type::<PyString>()
        .call_method1("encode", (text, "utf-8", "surrogatepass"))?;
    let mut bytes = encoded.cast::<PyBytes>()?.as_bytes().to_vec();
    for at in 0..bytes.len().saturating_sub(2) {
        // U+D800 to U+DFFF; what comes before them begins with ED 80 to ED 9F.
        if bytes[at] == 0xED && bytes[at + 1] >= 0xA0 {
            bytes[at..at + 3].copy_from_slice(&REPLACEMENT);
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A place in a text that is counted in bytes, counted in characters as Python does.
pub fn in_characters(text: &str, [start, end]: [usize; 2]) -> [usize; 2] {
    let before = text.get(..start).map_or(0, |text| text.chars().count());
    let within = text.get(start..end).map_or(0, |text| text.chars().count());
    [before, before + within]
}
