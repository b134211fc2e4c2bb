//! Errors → exit codes. Scripts rely on these.

use std::io;

use anyhow::Error;
use fault::{Class, Fault};

use crate::way_out::way_out;

/// Shown below `--help`.
pub const HELP: &str = "\
Exit codes:
  0    done
  1    a gate or a check failed
  2    usage: wrong flags, names or paths
  3    incomplete: items are missing, a file could not be written, or a gate could not tell
  4    integrity: data, model or run folder are not what they should be, or two runs are not comparable
  5    the backend that generates text failed
  130  interrupted";

const DONE: u8 = 0;
const GATE: u8 = 1;
const USAGE: u8 = 2;
const INCOMPLETE: u8 = 3;
const INTEGRITY: u8 = 4;
const BACKEND: u8 = 5;
/// A signal ended the program.
pub const INTERRUPTED: u8 = 130;

/// How a command that did not fail ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything was done.
    Done,
    /// Items are missing from the result.
    Incomplete,
    /// What was checked does not hold.
    CheckFailed,
    /// What was to be compared is not comparable.
    NotComparable,
    /// A signal ended what has no other end.
    Interrupted,
}

/// Prints an error as one chain on stderr and gives the code for it.
pub fn report(outcome: Result<Outcome, Error>) -> u8 {
    match outcome {
        Ok(Outcome::Done) => DONE,
        Ok(Outcome::Incomplete) => INCOMPLETE,
        Ok(Outcome::CheckFailed) => GATE,
        Ok(Outcome::NotComparable) => INTEGRITY,
        Ok(Outcome::Interrupted) => INTERRUPTED,
        Err(error) if is_broken_pipe(&error) => DONE,
        Err(error) => {
            eprintln!("error: {}", message(&error));
            code(&error)
        }
    }
}

/// The whole chain of an error, and what a user can do about it.
pub fn message(error: &Error) -> String {
    format!("{}{}", chain(error), way_out(error))
}

/// The messages from the outermost to the innermost, without those that the one before has quoted
/// already.
pub fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1) {
        let message = cause.to_string();
        if !text.contains(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
    }
    text
}

/// The reader of our output went away (`mwpbench show RUN | head`): no error of ours.
fn is_broken_pipe(error: &Error) -> bool {
    io_error(error).is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

fn io_error(error: &Error) -> Option<&io::Error> {
    error.chain().find_map(|cause| cause.downcast_ref())
}

/// The code of an error: that of the first cause that knows its class. What the command line
/// itself refuses has none; a bare error of the system is one of our output.
fn code(error: &Error) -> u8 {
    let class = error.chain().find_map(class_of);
    let class = class.or_else(|| io_error(error).map(Class::of_writing));
    match class.unwrap_or(Class::Usage) {
        Class::Usage => USAGE,
        Class::Incomplete | Class::Io => INCOMPLETE,
        Class::Integrity => INTEGRITY,
        Class::Backend => BACKEND,
        Class::Interrupted => INTERRUPTED,
    }
}

/// Whether a signal ended the work.
pub fn is_interruption(error: &Error) -> bool {
    code(error) == INTERRUPTED
}

/// The class of an error of one of our libraries.
fn class_of(cause: &(dyn std::error::Error + 'static)) -> Option<Class> {
    macro_rules! first_of {
        ($($error:ty),+ $(,)?) => {
            $(if let Some(error) = cause.downcast_ref::<$error>() {
                return Some(error.class());
            })+
        };
    }
    first_of!(
        chat_template::Error,
        dataset_fetcher::Error,
        dataset_loader::Error,
        endpoint::Error,
        evaluation::ComparisonError,
        evaluation::Error,
        evaluation::GateRulesError,
        evaluation::GraderError,
        evaluation::MergeError,
        evaluation::SelectionError,
        evaluation::TemplateError,
        hub::Error,
        hub::NameError,
        interchange::ExportError,
        interchange::ImportError,
        inference::Error,
        jobs::JobError,
        mathscale::Error,
        overlap::Error,
        reporting::LeaderboardError,
        reporting::PngError,
        ::serve::Error,
        store::FileError,
        translation::Error,
    );
    None
}
