//! A panic of ours becomes an error of Python's: it must not end the interpreter, nor go through as
//! an exception that no program catches.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use pyo3::PyErr;
use pyo3::exceptions::PyRuntimeError;

/// What a panic said.
#[derive(Debug)]
pub struct Panicked(String);

/// Does the work, and keeps a panic to itself.
///
/// # Errors
/// The work panicked.
pub fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    // What is judged is not written to, and nothing of a judgement outlives it.
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| Panicked(message(payload.as_ref())))
}

fn message(payload: &(dyn Any + Send)) -> String {
    let said = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned());
    said.unwrap_or_else(|| "no message".to_owned())
}

impl Panicked {
    /// The error, `place` being where the work was, such as `completions[3]`.
    pub fn error(self, place: &str) -> PyErr {
        PyRuntimeError::new_err(format!(
            "{place}: the scorer failed, which is an error of its own: {}",
            self.0
        ))
    }
}
