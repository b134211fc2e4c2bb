//! The Python package `mwpbench`: texts of Python go in, verdicts come out; and the whole program
//! as the package's command.
//!
//! What this crate refuses to know: how an answer is found or compared. It holds no logic of its
//! own but what Python needs: texts that may not be Unicode, the interpreter's lock, signals,
//! processes that fork. `python/mwpbench` is what users import, and re-exports what is here.
//!
//! The modules, in reading order:
//!
//! - `text`: Python's texts as UTF-8.
//! - `rules`: which scorer judges, by which profile; a judgement as Python shows it.
//! - `guarded`: a panic becomes an error.
//! - `forking`: no judgement is under way while the process forks.
//! - `judging`: where all work of the scorer is done.
//! - `batch`: many judgements on threads, which Ctrl-C ends.
//! - `arguments`: what a call is about, checked by position.
//! - `verdict`, `scorer`: the two classes.
//! - `functions`: the functions of the module.
//! - `command`: the program.

mod arguments;
mod batch;
mod command;
mod forking;
mod functions;
mod guarded;
mod judging;
mod rules;
mod scorer;
mod text;
mod verdict;

use pyo3::prelude::*;

/// The module as Python imports it.
#[pymodule]
fn _mwpbench(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("scorer_version", scoring::scorer_version())?;
    module.add_class::<scorer::Scorer>()?;
    module.add_class::<verdict::Verdict>()?;
    module.add_function(wrap_pyfunction!(functions::verify, module)?)?;
    module.add_function(wrap_pyfunction!(functions::verify_batch, module)?)?;
    module.add_function(wrap_pyfunction!(functions::extract, module)?)?;
    module.add_function(wrap_pyfunction!(functions::equal, module)?)?;
    module.add_function(wrap_pyfunction!(functions::official, module)?)?;
    module.add_function(wrap_pyfunction!(functions::judge_prediction, module)?)?;
    module.add_function(wrap_pyfunction!(functions::final_answer, module)?)?;
    module.add_function(wrap_pyfunction!(functions::panic_on_purpose, module)?)?;
    module.add_function(wrap_pyfunction!(scorer::scorer_of_text, module)?)?;
    module.add_function(wrap_pyfunction!(verdict::restored, module)?)?;
    module.add_function(wrap_pyfunction!(forking::before_fork, module)?)?;
    module.add_function(wrap_pyfunction!(forking::after_fork_in_parent, module)?)?;
    module.add_function(wrap_pyfunction!(forking::after_fork_in_child, module)?)?;
    module.add_function(wrap_pyfunction!(command::run_command, module)?)
}
