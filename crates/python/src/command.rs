//! The package's command: the whole program, in this process.

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};

use pyo3::prelude::*;

/// What a Rust program that panics exits with.
const PANICKED: u8 = 101;

/// Runs the program with its arguments, of which the first is its own name, and ends the process
/// with its exit code. Nothing of Python runs afterwards.
#[pyfunction]
#[pyo3(name = "_run_command")]
pub fn run_command(py: Python<'_>, arguments: Vec<OsString>) {
    py.detach(|| {
        let run = AssertUnwindSafe(|| command_line::run(arguments));
        let code = catch_unwind(run).unwrap_or(PANICKED);
        std::process::exit(code.into())
    })
}
