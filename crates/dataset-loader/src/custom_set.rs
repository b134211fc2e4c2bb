//! Custom data sets: a folder with a `dataset.toml` and JSON Lines beside it.
//!
//! The description needs a name and nothing else. It is checked as hard as the records: unknown
//! keys, names that are taken and odd characters are refused with file and line.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::benchmark::{Benchmark, Fields, Set, Task};
use crate::error::{Error, ErrorKind};
use crate::files::{data_files, unreadable};
use crate::record::{self, Reader};

/// Name of the description in the set's folder.
pub(crate) const DESCRIPTION: &str = "dataset.toml";

/// Longest name of a set or task, in bytes.
const MAX_NAME_BYTES: usize = 64;

/// A description as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    name: String,
    title: Option<String>,
    level: Option<String>,
    difficulty: Option<String>,
    question_type: Option<String>,
    language: Option<String>,
    scoring_profile: Option<String>,
    in_average: Option<bool>,
    #[serde(rename = "source")]
    _source: Option<CustomSource>,
    #[serde(default)]
    fields: CustomFields,
    #[serde(default, rename = "task")]
    tasks: Vec<CustomTask>,
}

/// For the reader of the file: nothing depends on it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CustomSource {
    #[serde(rename = "origin")]
    _origin: Option<String>,
    #[serde(rename = "license")]
    _license: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct CustomFields {
    task: Option<String>,
    number: Option<String>,
    question: Option<String>,
    reference: Option<String>,
    origin: Option<String>,
    license: Option<String>,
    #[serde(default)]
    extra: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CustomTask {
    name: String,
    subject: Option<String>,
}

/// The custom data sets at a place: the folder itself where it holds a `dataset.toml`, and else
/// its sub-folders that do, in order of name. A file, or a place that is not there, holds none. The
/// records are read too, so that they are counted.
///
/// # Errors
/// A description or a record that is not as it should be, or names that are taken.
pub fn custom_sets(published: &Benchmark, place: &Path) -> Result<Vec<Set>, Error> {
    let mut known = published.clone();
    let mut sets = Vec::new();
    for folder in folders(place)? {
        let set = load_set(&known, &folder)?;
        // At once, so that the next folder cannot take the same name.
        known = known.with(vec![set.clone()])?;
        sets.push(set);
    }
    Ok(sets)
}

/// The folders of custom data sets at a place, in order of name.
pub(crate) fn folders(place: &Path) -> Result<Vec<PathBuf>, Error> {
    if !place.is_dir() {
        return Ok(Vec::new());
    }
    if place.join(DESCRIPTION).is_file() {
        return Ok(vec![place.to_path_buf()]);
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(place).map_err(|error| unreadable(place, error))? {
        let path = entry.map_err(|error| unreadable(place, error))?.path();
        if path.join(DESCRIPTION).is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// The name of the set in a folder.
pub(crate) fn name(folder: &Path) -> Result<String, Error> {
    Ok(describe(&folder.join(DESCRIPTION))?.name)
}

/// Whether a set or task of one's own may have this name.
///
/// # Errors
/// It is taken, or has characters that names do not have.
pub fn check_name(published: &Benchmark, name: &str) -> Result<(), Error> {
    check_set_name(published, name).map_err(Error::of)
}

fn check_set_name(known: &Benchmark, name: &str) -> Result<(), ErrorKind> {
    let bad = |reason| {
        Err(ErrorKind::BadName {
            name: name.to_string(),
            reason,
        })
    };
    match name {
        "" => return bad("it is empty"),
        // `mwpbench` stands for all sets in an import, `samples` for the bundled problems in files
        // of runs.
        "mwpbench" | "samples" => return bad("it has a meaning of its own"),
        _ if name.len() > MAX_NAME_BYTES => return bad("it is longer than 64 letters"),
        _ if !name
            .bytes()
            .all(|c| matches!(c, b'a'..=b'z' | b'0'..=b'9' | b'_')) =>
        {
            return bad("names are of a-z, 0-9 and _ only");
        }
        _ => {}
    }
    match known.owner(name) {
        Some(owner) => Err(ErrorKind::Shadows {
            name: name.to_string(),
            owner,
        }),
        None => Ok(()),
    }
}

/// A task is called like its set, or begins so: then names of different sets cannot meet.
fn check_task_name(set: &str, task: &str) -> Result<(), ErrorKind> {
    let bad = |reason| {
        Err(ErrorKind::BadName {
            name: task.to_string(),
            reason,
        })
    };
    let rest = match task.strip_prefix(set) {
        Some("") => return Ok(()),
        Some(rest) => rest,
        None => {
            return bad(
                "a task is called like its set, or like its set with a dot and a word after it",
            );
        }
    };
    let word = rest.strip_prefix('.').unwrap_or_default();
    match word {
        "" => bad("a task is called like its set, or like its set with a dot and a word after it"),
        _ if task.len() > MAX_NAME_BYTES => bad("it is longer than 64 letters"),
        _ if !word
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || b"_.-".contains(&c)) =>
        {
            bad("names of tasks are of letters, digits, _, . and - only")
        }
        _ => Ok(()),
    }
}

fn load_set(known: &Benchmark, folder: &Path) -> Result<Set, Error> {
    let file = folder.join(DESCRIPTION);
    let description = describe(&file)?;
    let at = |kind| Error::in_file(&file, kind);
    check_set_name(known, &description.name).map_err(at)?;
    if let Some((title, owner)) = description
        .title
        .as_ref()
        .and_then(|title| Some((title, known.owner(title)?)))
    {
        return Err(at(ErrorKind::Shadows {
            name: title.clone(),
            owner,
        }));
    }
    if description.in_average == Some(true) {
        return Err(at(ErrorKind::InAverage));
    }
    for (index, task) in description.tasks.iter().enumerate() {
        check_task_name(&description.name, &task.name).map_err(at)?;
        if description.tasks[..index]
            .iter()
            .any(|other| other.name == task.name)
        {
            let owner = "another task of this set".to_string();
            return Err(at(ErrorKind::Shadows {
                name: task.name.clone(),
                owner,
            }));
        }
    }
    let mut set = description.into_set();
    count(&mut set, folder)?;
    Ok(set)
}

/// Reads the set's records and notes how many each task has.
fn count(set: &mut Set, folder: &Path) -> Result<(), Error> {
    let files = data_files(folder)?;
    if files.is_empty() {
        return Err(Error::in_file(folder, ErrorKind::EmptyFolder));
    }
    let described = set.clone();
    let alone = Benchmark::published().with(vec![described.clone()])?;
    let mut reader = Reader::new(&alone);
    for file in files {
        let content = std::fs::read(&file).map_err(|error| unreadable(&file, error))?;
        reader.read(&file, &content, Some(&described))?;
    }
    let (problems, _) = reader.finish();
    for task in &mut set.tasks {
        task.count = problems
            .iter()
            .filter(|problem| problem.task == task.name)
            .count();
    }
    Ok(())
}

fn describe(file: &Path) -> Result<Description, Error> {
    let text = std::fs::read_to_string(file).map_err(|error| unreadable(file, error))?;
    toml::from_str(&text).map_err(|error| {
        let kind = ErrorKind::Description(error.message().trim().replace('\n', " "));
        match error.span() {
            Some(span) => Error::at(
                file,
                1 + text
                    .get(..span.start)
                    .unwrap_or(&text)
                    .matches('\n')
                    .count(),
                kind,
            ),
            None => Error::in_file(file, kind),
        }
    })
}

impl Description {
    fn into_set(self) -> Set {
        let title = self.title.unwrap_or_else(|| self.name.clone());
        let mut tasks: Vec<Task> = self
            .tasks
            .into_iter()
            .map(|task| Task {
                name: task.name,
                count: 0,
                subject: task.subject,
            })
            .collect();
        if tasks.is_empty() {
            tasks.push(Task {
                name: self.name.clone(),
                count: 0,
                subject: None,
            });
        }
        Set {
            title,
            level: self.level.unwrap_or_else(|| "own".to_string()),
            difficulty: self.difficulty.unwrap_or_default(),
            question_type: self.question_type.unwrap_or_else(|| "Word".to_string()),
            language: self.language.unwrap_or_else(|| "En".to_string()),
            train_count: 0,
            in_average: false,
            on_request: false,
            answers: None,
            examples_from: None,
            scoring_profile: self.scoring_profile.unwrap_or_else(|| "strict".to_string()),
            source: None,
            note: None,
            publisher: None,
            fields: self.fields.into_fields(),
            tasks,
            name: self.name,
        }
    }
}

impl CustomFields {
    /// The names of MwpBench's record form, where no others are given.
    fn into_fields(self) -> Fields {
        let or = |given: Option<String>, name: &str| given.unwrap_or_else(|| name.to_string());
        Fields {
            task: or(self.task, record::TASK),
            number: or(self.number, record::NUMBER),
            question: or(self.question, record::QUESTION),
            reference: or(self.reference, record::REFERENCE),
            origin: or(self.origin, record::ORIGIN),
            license: or(self.license, record::LICENSE),
            extra: self.extra,
        }
    }
}
