//! Errors → exit codes. Scripts rely on these.

use std::process::ExitCode;

use anyhow::Error;

/// Shown below `--help`.
pub const HELP: &str = "\
Exit codes:
  0    done
  1    a gate or a check failed
  2    usage: wrong flags, names or paths
  3    the run is incomplete, or a gate could not tell
  4    integrity: data, model or run folder are not what they should be, or two runs are not comparable
  5    the backend that generates text failed
  130  interrupted";

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
}

/// Prints an error as one chain on stderr and gives the code for it.
pub fn report(outcome: Result<Outcome, Error>) -> ExitCode {
    match outcome {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Incomplete) => ExitCode::from(INCOMPLETE),
        Ok(Outcome::CheckFailed) => ExitCode::from(GATE),
        Ok(Outcome::NotComparable) => ExitCode::from(INTEGRITY),
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", message(&error));
            ExitCode::from(code(&error))
        }
    }
}

/// The whole chain of an error, and what a user can do about it.
pub fn message(error: &Error) -> String {
    format!("{}{}", chain(error), way_out(error))
}

/// What a user can do about an error whose library knows no flags; empty or the end of a sentence.
fn way_out(error: &Error) -> &'static str {
    let kinds = error.chain().filter_map(|cause| {
        cause
            .downcast_ref::<inference::Error>()
            .map(inference::Error::kind)
    });
    match kinds.last() {
        Some(inference::ErrorKind::UnsupportedTokenizer) => ": give it with --tokenizer FILE|DIR",
        _ => "",
    }
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
    let io_error = error.downcast_ref::<std::io::Error>();
    io_error.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

fn code(error: &Error) -> u8 {
    error.chain().find_map(code_of_cause).unwrap_or(USAGE)
}

fn code_of_cause(cause: &(dyn std::error::Error + 'static)) -> Option<u8> {
    if let Some(error) = cause.downcast_ref::<dataset_loader::Error>() {
        return Some(code_of_data(error));
    }
    if let Some(evaluation::GraderError::OfSet { .. }) = cause.downcast_ref() {
        return Some(INTEGRITY);
    }
    if let Some(evaluation::ComparisonError::Run(_)) = cause.downcast_ref() {
        return None; // The error of the run decides.
    }
    if let Some(error) = cause.downcast_ref::<evaluation::ComparisonError>() {
        return Some(match error {
            error if error.is_usage() => USAGE,
            error if error.is_incomplete() => INCOMPLETE,
            _ => INTEGRITY,
        });
    }
    if let Some(reporting::LeaderboardError::Run(_)) = cause.downcast_ref() {
        return None; // The error of the run decides.
    }
    if let Some(error) = cause.downcast_ref::<reporting::LeaderboardError>() {
        return Some(match error {
            error if error.is_integrity() => INTEGRITY,
            error if error.is_incomplete() => INCOMPLETE,
            _ => USAGE,
        });
    }
    if let Some(error) = cause.downcast_ref::<dataset_fetcher::Error>() {
        return Some(match error.kind() {
            dataset_fetcher::ErrorKind::Usage => USAGE,
            dataset_fetcher::ErrorKind::Incomplete => INCOMPLETE,
            dataset_fetcher::ErrorKind::Integrity => INTEGRITY,
        });
    }
    let of_template = match cause.downcast_ref::<evaluation::TemplateError>() {
        Some(evaluation::TemplateError::Chat(error)) => Some(error),
        _ => cause.downcast_ref::<chat_template::Error>(),
    };
    if let Some(error) = of_template {
        return Some(if error.is_integrity() {
            INTEGRITY
        } else {
            USAGE
        });
    }
    if let Some(error) = cause.downcast_ref::<overlap::Error>() {
        return Some(if error.is_integrity() {
            INTEGRITY
        } else {
            USAGE
        });
    }
    if let Some(error) = cause.downcast_ref::<endpoint::Error>() {
        return Some(if error.is_usage() { USAGE } else { BACKEND });
    }
    if let Some(error) = cause.downcast_ref::<inference::Error>() {
        return Some(match error.kind() {
            inference::ErrorKind::Options => USAGE,
            _ if error.is_integrity() => INTEGRITY,
            _ => BACKEND,
        });
    }
    if let Some(error) = cause.downcast_ref::<translation::Error>() {
        return Some(match error {
            translation::Error::Data(error) => code_of_data(error),
            translation::Error::Job(error) => code_of_job(error),
            translation::Error::Failed { .. } | translation::Error::NothingLeft { .. } => {
                INCOMPLETE
            }
            _ => USAGE,
        });
    }
    if let Some(error) = cause.downcast_ref::<jobs::JobError>() {
        return Some(code_of_job(error));
    }
    if let Some(error) = cause.downcast_ref::<mathscale::Error>() {
        return Some(match error {
            error if error.is_interrupted() => INTERRUPTED,
            error if error.is_of_generator() => BACKEND,
            error if error.is_incomplete() => INCOMPLETE,
            error if error.is_usage() => USAGE,
            _ => INTEGRITY,
        });
    }
    cause
        .downcast_ref::<evaluation::Error>()
        .map(|error| match error {
            evaluation::Error::FolderNotWritable { .. }
            | evaluation::Error::NotARunFolder(_)
            | evaluation::Error::Locked { .. }
            | evaluation::Error::NoRun(_)
            | evaluation::Error::Unreadable { .. }
            | evaluation::Error::OutputIsInput(_)
            | evaluation::Error::NoTokenIds
            | evaluation::Error::OtherTokenDetails { .. }
            | evaluation::Error::Exclusion(_)
            | evaluation::Error::NothingToDo => USAGE,
            evaluation::Error::WriteFailed { .. } | evaluation::Error::Incomplete { .. } => {
                INCOMPLETE
            }
            evaluation::Error::Generation(_) => BACKEND,
            evaluation::Error::Interrupted { .. } => INTERRUPTED,
            _ => INTEGRITY,
        })
}

fn code_of_data(error: &dataset_loader::Error) -> u8 {
    if error.is_usage() { USAGE } else { INTEGRITY }
}

fn code_of_job(error: &jobs::JobError) -> u8 {
    match error {
        jobs::JobError::File(jobs::FileError::WriteFailed { .. }) => INCOMPLETE,
        jobs::JobError::File(jobs::FileError::Corrupt { .. }) | jobs::JobError::OtherJob { .. } => {
            INTEGRITY
        }
        jobs::JobError::File(_) => USAGE,
        jobs::JobError::Interrupted { .. } => INTERRUPTED,
        _ => BACKEND,
    }
}
