//! The Jinja that transformers renders chat templates with (5.23, `utils/chat_template_utils.py`,
//! `_compile_jinja_template`), in minijinja: blank treatment, loop controls, and what templates may
//! call.
//!
//! Known differences: nothing can be loaded from files, here as there; Python's type hierarchy is
//! not to be seen; the letters that `strip` and `upper` know are those of Unicode as Rust has it;
//! numbers of 10¹⁶ and more are written out.

use jiff::civil::Date;
use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, State, Value};

use crate::date;
use crate::python_json::tojson;

/// Name of the one template of an environment.
pub(crate) const TEMPLATE: &str = "chat template";
/// The variable that holds the date. Not an identifier, so that no template can name it.
pub(crate) const TODAY: &str = "the date";
/// Set by `strftime_now`, to report that the text depends on the date.
pub(crate) const DATE_USED: &str = "the date was used";

/// Depth to which macros may call one another.
const MAX_RECURSION: usize = 100;

/// What `raise_exception` raised.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Raised(pub(crate) String);

/// An environment with this one template, compiled.
///
/// # Errors
/// Minijinja's, with the line.
pub(crate) fn compile(source: String, fuel: u64) -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    environment.set_syntax(
        SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build()?,
    );
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    environment.set_fuel(Some(fuel));
    // The fuel does not bound the stack, which macros that call themselves use up first.
    environment.set_recursion_limit(MAX_RECURSION);
    minijinja_contrib::add_to_environment(&mut environment);
    environment.add_filter("tojson", tojson);
    environment.add_function("raise_exception", raise_exception);
    environment.add_function("strftime_now", strftime_now);
    environment.add_template_owned(TEMPLATE, source)?;
    Ok(environment)
}

fn raise_exception(message: Value) -> Result<Value, Error> {
    let message = message.to_string();
    Err(Error::new(ErrorKind::InvalidOperation, message.clone()).with_source(Raised(message)))
}

fn strftime_now(state: &mut State, format: &str) -> Result<String, Error> {
    state.set_temp(DATE_USED, Value::from(true));
    let date = state
        .lookup(TODAY)
        .and_then(|date| date.as_str()?.parse::<Date>().ok());
    let date = date.ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "no date was given"))?;
    date::strftime(date, format).map_err(|message| Error::new(ErrorKind::InvalidOperation, message))
}
