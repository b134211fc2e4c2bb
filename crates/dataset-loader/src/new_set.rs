//! The folder of a new custom data set: a description with comments, two problems and a page about
//! it, which load as they are.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::benchmark::Benchmark;
use crate::custom_set::{DESCRIPTION, check_name};
use crate::error::{Error, ErrorKind};

/// Stands for the set's name in the template.
const NAME: &str = "my_set";

/// The files of the template.
const FILES: [(&str, &str); 3] = [
    ("example.jsonl", include_str!("template/example.jsonl")),
    ("README.md", include_str!("template/README.md")),
    // Last: a folder is a set when it has its description.
    (DESCRIPTION, include_str!("template/dataset.toml")),
];

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NewSet {
    /// Name of the set.
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
    /// The files in it.
    pub files: Vec<PathBuf>,
}

/// Writes the folder `name` into `parent`.
///
/// # Errors
/// A name that is taken or not a name, a folder that is there already or cannot be written.
pub fn new_set(published: &Benchmark, name: &str, parent: &Path) -> Result<NewSet, Error> {
    check_name(published, name)?;
    let folder = parent.join(name);
    let failed = |path: &Path, error: std::io::Error| {
        let kind = match error.kind() {
            std::io::ErrorKind::AlreadyExists => ErrorKind::AlreadyThere,
            _ => ErrorKind::NotWritable(error),
        };
        Error::in_file(path, kind)
    };
    if !parent.as_os_str().is_empty() {
        std::fs::create_dir_all(parent).map_err(|error| failed(parent, error))?;
    }
    // Not `create_dir_all`: a folder that is there may hold a set, and is an error.
    std::fs::create_dir(&folder).map_err(|error| failed(&folder, error))?;
    let mut files = Vec::new();
    for (file, text) in FILES {
        let path = folder.join(file);
        let mut out = std::fs::File::create_new(&path).map_err(|error| failed(&path, error))?;
        out.write_all(text.replace(NAME, name).as_bytes())
            .map_err(|error| failed(&path, error))?;
        files.push(path);
    }
    Ok(NewSet {
        name: name.to_string(),
        folder,
        files,
    })
}
