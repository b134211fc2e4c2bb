//! What a call is about, checked: a wrong type is named with its position.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFrozenSet, PySet, PyString};

use crate::batch::processors;

/// How many items of a sequence are read between two looks at signals.
const BETWEEN_SIGNALS: usize = 1 << 14;

/// A text.
///
/// # Errors
/// `TypeError` with the place, such as `references[3]`.
pub fn text<'py>(
    value: &Bound<'py, PyAny>,
    place: impl FnOnce() -> String,
) -> PyResult<Bound<'py, PyString>> {
    match value.cast::<PyString>() {
        Ok(text) => Ok(text.clone()),
        Err(_) => Err(wrong(&place(), "a str", value)),
    }
}

/// A text or `None`.
///
/// # Errors
/// As [`text`].
pub fn optional_text<'py>(
    value: Option<&Bound<'py, PyAny>>,
    place: &str,
) -> PyResult<Option<Bound<'py, PyString>>> {
    value
        .map(|value| text(value, || place.to_owned()))
        .transpose()
}

/// The texts of a sequence.
///
/// # Errors
/// `TypeError` for what is no sequence of texts, with the place.
pub fn texts<'py>(value: &Bound<'py, PyAny>, name: &str) -> PyResult<Vec<Bound<'py, PyString>>> {
    let read =
        |(number, item): (usize, Bound<'py, PyAny>)| text(&item, || format!("{name}[{number}]"));
    items(value, name)?
        .into_iter()
        .enumerate()
        .map(read)
        .collect()
}

/// The texts of a sequence, any of which may be `None`.
///
/// # Errors
/// As [`texts`].
pub fn optional_texts<'py>(
    value: &Bound<'py, PyAny>,
    name: &str,
) -> PyResult<Vec<Option<Bound<'py, PyString>>>> {
    let read = |(number, item): (usize, Bound<'py, PyAny>)| match item.is_none() {
        true => Ok(None),
        false => text(&item, || format!("{name}[{number}]")).map(Some),
    };
    items(value, name)?
        .into_iter()
        .enumerate()
        .map(read)
        .collect()
}

/// How many threads: as many as there are processors, where nothing is said.
///
/// # Errors
/// `TypeError` for what is no whole number, `ValueError` below one.
pub fn threads(value: Option<&Bound<'_, PyAny>>) -> PyResult<usize> {
    let Some(value) = value else {
        return Ok(processors());
    };
    if value.is_instance_of::<PyBool>() {
        return Err(wrong("threads", "an int", value));
    }
    let count: isize = value
        .extract()
        .map_err(|_| wrong("threads", "an int", value))?;
    match usize::try_from(count) {
        Ok(count) if count > 0 => Ok(count),
        _ => Err(PyValueError::new_err(format!(
            "threads must be 1 or more, not {count}"
        ))),
    }
}

/// Sees to it that two sequences are of one length.
///
/// # Errors
/// `ValueError` with both.
pub fn same_length(references: usize, others: usize, name: &str) -> PyResult<()> {
    match references == others {
        true => Ok(()),
        false => Err(PyValueError::new_err(format!(
            "there must be as many {name} as references, not {others} and {references}"
        ))),
    }
}

fn items<'py>(value: &Bound<'py, PyAny>, name: &str) -> PyResult<Vec<Bound<'py, PyAny>>> {
    // These can be gone through, and are no lists of texts: one text, or items in no order.
    let is_none = value.is_instance_of::<PyString>()
        || value.is_instance_of::<PyBytes>()
        || value.is_instance_of::<PyDict>()
        || value.is_instance_of::<PySet>()
        || value.is_instance_of::<PyFrozenSet>();
    let all = match value.try_iter() {
        Ok(all) if !is_none => all,
        _ => return Err(wrong(name, "a sequence of str", value)),
    };
    let mut read = Vec::with_capacity(value.len().unwrap_or(0));
    for item in all {
        read.push(item?);
        if read.len() % BETWEEN_SIGNALS == 0 {
            value.py().check_signals()?;
        }
    }
    Ok(read)
}

/// The error for a value of another type.
pub fn wrong(place: &str, expected: &str, value: &Bound<'_, PyAny>) -> PyErr {
    let kind = value.get_type().name();
    let kind = kind.map_or_else(|_| "another type".to_owned(), |name| name.to_string());
    PyTypeError::new_err(format!("{place} must be {expected}, not {kind}"))
}
