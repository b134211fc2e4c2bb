//! What kind of error an error is.
//!
//! Every library of the workspace has one error type that says what is wrong and where. Each of
//! them answers here for its [`Class`], from which the binary takes its exit code, and its
//! [`Place`] in a file. What a user can do about it is said by whoever knows the flags: the binary.
//!
//! This crate refuses to know any error of its own.
//!
//! ```
//! use fault::{Class, Fault};
//!
//! #[derive(Debug)]
//! struct NoSuchSet;
//! impl std::fmt::Display for NoSuchSet {
//!     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
//!         f.write_str("there is no such set")
//!     }
//! }
//! impl std::error::Error for NoSuchSet {}
//! impl Fault for NoSuchSet {
//!     fn class(&self) -> Class {
//!         Class::Usage
//!     }
//! }
//! assert_eq!(NoSuchSet.class(), Class::Usage);
//! ```

use std::fmt;
use std::io;

/// What kind of error an error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// What was asked for cannot be done: a wrong name, path or option.
    Usage,
    /// A part of the result is missing; the same call continues.
    Incomplete,
    /// Data, model or folder are not what they should be, or do not belong together.
    Integrity,
    /// What generates text failed.
    Backend,
    /// The user stopped it.
    Interrupted,
    /// The system could not read or write: a full disk, a broken pipe, a network that is down.
    Io,
}

impl Class {
    /// The class of a failure to read a path that was given: where there is nothing, or nothing
    /// that may be read, the path is at fault.
    pub fn of_reading(error: &io::Error) -> Self {
        use io::ErrorKind::{
            InvalidInput, IsADirectory, NotADirectory, NotFound, PermissionDenied,
        };
        match error.kind() {
            NotFound | PermissionDenied | IsADirectory | NotADirectory | InvalidInput => {
                Self::Usage
            }
            _ => Self::Io,
        }
    }

    /// The class of a failure to write where something was to be written: as for
    /// [`Class::of_reading`], with what cannot be written to at all.
    pub fn of_writing(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::AlreadyExists => Self::Usage,
            _ => Self::of_reading(error),
        }
    }
}

/// An error that knows what kind it is.
pub trait Fault: std::error::Error {
    /// What kind it is.
    fn class(&self) -> Class;
}

/// Where in a file something is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// The line, from 1.
    Line(usize),
    /// The row of a parquet file, from 1.
    Row(usize),
}

impl Place {
    /// The number of the line or row, from 1.
    pub fn number(self) -> usize {
        match self {
            Self::Line(number) | Self::Row(number) => number,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(number) => write!(f, "line {number}"),
            Self::Row(number) => write!(f, "row {number}"),
        }
    }
}
