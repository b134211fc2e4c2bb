//! What can be wrong with the search for overlap.

use std::path::PathBuf;

use fault::{Class, Fault, Place};

impl Fault for Error {
    /// A training file that is not what it should be, or else another file, field or option that
    /// should be given.
    fn class(&self) -> Class {
        match self {
            Self::Training(error) => error.class(),
            Self::NoRecords(_) => Class::Integrity,
            _ => Class::Usage,
        }
    }
}

/// An error of the search.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There are no test items.
    #[error("there is no test item to search for")]
    NoItems,
    /// Two items have one id.
    #[error("two test items have the id \"{0}\"")]
    DuplicateId(String),
    /// The length of n-grams is out of its range.
    #[error("n-grams of {0} words: expected 5 to 50")]
    Ngram(usize),
    /// The threshold of near-duplicates is out of its range.
    #[error("a threshold of {0} for near-duplicates: expected 0.5 to 1")]
    MinJaccard(f64),
    /// The share of n-grams is out of its range.
    #[error("a share of {0} of the n-grams: expected 0 to 1")]
    MinShare(f64),
    /// A training file cannot be read.
    #[error(transparent)]
    Training(#[from] record_files::Error),
    /// A training file without any record.
    #[error("{}: this file holds no record", .0.display())]
    NoRecords(PathBuf),
    /// A training record in which no question is recognised.
    #[error("{}, {place}: no question is recognised in {shape}: the field that holds it has to be named", file.display())]
    Unrecognised {
        /// The file.
        file: PathBuf,
        /// The record.
        place: Place,
        /// Its keys, or its type.
        shape: String,
    },
    /// A record without the field that was named.
    #[error("{}, {place}: there is no text in a field \"{field}\" of {shape}", file.display())]
    NoField {
        /// The file.
        file: PathBuf,
        /// The record.
        place: Place,
        /// The field asked for.
        field: String,
        /// The record's keys, or its type.
        shape: String,
    },
}
