//! What can be wrong with data, and where.

use std::fmt;
use std::path::{Path, PathBuf};

use fault::{Class, Fault, Place};

/// An error in the data: what is wrong, in which file and line.
#[derive(Debug)]
pub struct Error {
    file: PathBuf,
    place: Option<Place>,
    kind: ErrorKind,
}

impl Error {
    pub(crate) fn in_file(file: &Path, kind: ErrorKind) -> Self {
        Self {
            file: file.to_path_buf(),
            place: None,
            kind,
        }
    }

    pub(crate) fn at(file: &Path, line: usize, kind: ErrorKind) -> Self {
        Self::at_place(file, Place::Line(line), kind)
    }

    pub(crate) fn at_place(file: &Path, place: Place, kind: ErrorKind) -> Self {
        Self {
            file: file.to_path_buf(),
            place: Some(place),
            kind,
        }
    }

    /// For what is wrong with a name or an id and not with a file.
    pub(crate) fn of(kind: ErrorKind) -> Self {
        Self {
            file: PathBuf::new(),
            place: None,
            kind,
        }
    }

    /// What is wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    /// The file or folder in which it is wrong; empty where none is at fault.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The line, or the row of a parquet file, from 1, where one is at fault.
    pub fn line(&self) -> Option<usize> {
        self.place.map(Place::number)
    }
}

impl Fault for Error {
    /// Usage where the call is at fault (a name or a path), and integrity where the data are.
    fn class(&self) -> Class {
        match &self.kind {
            ErrorKind::Records(error) => error.class(),
            ErrorKind::NotFound
            | ErrorKind::UnknownSet { .. }
            | ErrorKind::UnknownId { .. }
            | ErrorKind::BadName { .. }
            | ErrorKind::Shadows { .. }
            | ErrorKind::AlreadyThere
            | ErrorKind::NotWritable(_)
            | ErrorKind::OutputIsInput
            | ErrorKind::WouldReplace
            | ErrorKind::TrainingSplit { .. }
            | ErrorKind::NeedsOutput { .. }
            | ErrorKind::NoFileOfSplit { .. }
            | ErrorKind::OtherFileOfSet { .. }
            | ErrorKind::Untranslated { .. } => Class::Usage,
            _ => Class::Integrity,
        }
    }
}

impl From<record_files::Error> for Error {
    fn from(error: record_files::Error) -> Self {
        Self {
            file: error.file().to_path_buf(),
            place: error.place(),
            kind: ErrorKind::Records(Box::new(error)),
        }
    }
}

/// The place and what is wrong there. An error of the files' reader has its place in its message.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let ErrorKind::Records(error) = &self.kind {
            return write!(f, "{error}");
        }
        if !self.file.as_os_str().is_empty() {
            write!(f, "{}", self.file.display())?;
            match self.place {
                Some(place) => write!(f, ", {place}: ")?,
                None => f.write_str(": ")?,
            }
        }
        write!(f, "{}", self.kind)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.kind)
    }
}

/// What is wrong with the data.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No such file or folder.
    #[error("there is no such file or folder")]
    NotFound,
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(std::io::Error),
    /// A folder without any data file.
    #[error(
        "this folder holds no data: expected files that end in .jsonl or .json (training files, *train*, are passed over)"
    )]
    EmptyFolder,
    /// A file without any record.
    #[error("this file holds no record")]
    EmptyFile,
    /// The line is not UTF-8.
    #[error("not UTF-8 text (byte {column} of the line): save the file as UTF-8")]
    NotUtf8 {
        /// Position of the first wrong byte in the line, from 1.
        column: usize,
    },
    /// The line is not a JSON object.
    #[error("not a JSON object: {0} (expected one record a line)")]
    NotAnObject(String),
    /// A required field is not there.
    #[error("the field \"{0}\" is missing")]
    MissingField(String),
    /// A field has another type than the record form demands.
    #[error("the field \"{field}\" must be {expected}, found {found}")]
    WrongType {
        /// Name of the field.
        field: String,
        /// The type demanded.
        expected: &'static str,
        /// The type there is.
        found: &'static str,
    },
    /// A required field holds nothing but white space.
    #[error("the field \"{0}\" is empty")]
    BlankField(String),
    /// The task belongs to no set.
    #[error("the field \"{field}\" names no known task: \"{task}\" (known: {known})")]
    UnknownTask {
        /// Name of the field.
        field: String,
        /// The name found.
        task: String,
        /// The known names, separated by commas.
        known: String,
    },
    /// Two records have the same id.
    #[error(
        "the id \"{id}\" was used before, in {first_file}, {first_place}: give each record of a task its own \"question_number\""
    )]
    DuplicateId {
        /// The repeated id.
        id: String,
        /// File of the first record with it.
        first_file: String,
        /// Line or row of the first record with it.
        first_place: String,
    },
    /// A record that cannot be read at all.
    #[error("{0}")]
    Records(Box<record_files::Error>),
    /// A field that the record form does not have.
    #[error(
        "the field \"{field}\" is not of the record form (known: {known}): correct its name, or list it in dataset.toml as `extra = [\"{field}\"]` under [fields]"
    )]
    UnknownField {
        /// Name of the field.
        field: String,
        /// The known names, separated by commas.
        known: String,
    },
    /// A record that is not of its publisher's form.
    #[error("{fault} (expected {form}, or MwpBench's record form)")]
    NotPublished {
        /// What is wrong with it.
        fault: Box<ErrorKind>,
        /// The publisher's form.
        form: &'static str,
    },
    /// The description of a set cannot be read.
    #[error("{0}")]
    Description(String),
    /// A name that a set or task may not have.
    #[error("the name \"{name}\" cannot be used: {reason}")]
    BadName {
        /// The name.
        name: String,
        /// Why not.
        reason: &'static str,
    },
    /// A name that is taken.
    #[error("the name \"{name}\" is taken by {owner}: choose another one")]
    Shadows {
        /// The name.
        name: String,
        /// Who has it.
        owner: String,
    },
    /// A custom data set that wants to be averaged.
    #[error("`in_average = true`: the averages are those of MwpBench's ten sets, remove the line")]
    InAverage,
    /// No set of that name.
    #[error("there is no set \"{name}\" (known: {known})")]
    UnknownSet {
        /// What was asked for.
        name: String,
        /// The known names, separated by commas.
        known: String,
    },
    /// No problem of that id.
    #[error("the data hold no problem \"{id}\"{hint}")]
    UnknownId {
        /// What was asked for.
        id: String,
        /// Similar ids, or nothing.
        hint: String,
    },
    /// A file or folder that would be overwritten.
    #[error("is there already: choose another name or place")]
    AlreadyThere,
    /// A file that holds something else.
    #[error("is there already and holds something else")]
    WouldReplace,
    /// A training split that is imported as problems to ask.
    #[error(
        "this looks like the training split, by its name or by the number of its problems ({read}): models that were trained on it would be asked what they have learnt"
    )]
    TrainingSplit {
        /// Problems read.
        read: usize,
    },
    /// A file that cannot be written.
    #[error("cannot be written: {0}")]
    NotWritable(std::io::Error),
    /// The output is one of the inputs.
    #[error("is read by this import and would be overwritten: choose another output")]
    OutputIsInput,
    /// A folder without a file of a set.
    #[error(
        "this folder holds no file of {title} that belongs to the split \"{split}\" (looked for {expected})"
    )]
    NoFileOfSplit {
        /// The set in print.
        title: String,
        /// The split asked for.
        split: String,
        /// What its files are called.
        expected: &'static str,
    },
    /// No problem is left of all that were read.
    #[error("none of its {read} records gives a problem (the first: {first})")]
    NothingLeft {
        /// Problems read.
        read: usize,
        /// Why the first was left out.
        first: String,
    },
    /// A split for which the data folder has no place.
    #[error(
        "the split \"{split}\" has no place in the data folder, which holds test and train: the output has to be named"
    )]
    NeedsOutput {
        /// The split.
        split: String,
    },
    /// The data folder has problems of the set from elsewhere.
    #[error("{} holds problems of \"{set}\" already, and each set is read from one file: remove it, or choose another output", other.display())]
    OtherFileOfSet {
        /// The set.
        set: String,
        /// The file that has them.
        other: PathBuf,
    },
    /// Problems in another language than the one in which the set is asked.
    #[error(
        "{count} of the problems asked are not translated (the first is \"{first}\", in \"{language}\")"
    )]
    Untranslated {
        /// How many.
        count: usize,
        /// The first one's id.
        first: String,
        /// Its language.
        language: String,
    },
}
