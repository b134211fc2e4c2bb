//! Which format a path is in, by its content, and its records.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use record_files::FileFormat;
use serde_json::{Map, Value};

use super::error::{ImportError, ImportErrorKind};
use super::{
    At, FieldMap, Source, SourceFormat, inspect, json_lines, lm_eval, nemo_skills, official,
    opencompass,
};

/// Reads the completions of another program's run. `format`: whose files they are, where the user
/// says so; else it is found by their content. `map`: which field holds what, where it is not where
/// the format has it.
///
/// # Errors
/// A path in no known format, files that are not as their format has them, or mapped fields that
/// are not there.
pub fn read(
    path: &Path,
    format: Option<SourceFormat>,
    map: &FieldMap,
) -> Result<Source, ImportError> {
    let format = match format {
        Some(format) => format,
        None => detect(path, map)?,
    };
    let source = match format {
        SourceFormat::LmEval => lm_eval::read(path, map)?,
        SourceFormat::Inspect => inspect::read(path, map)?,
        SourceFormat::Official => official::read(path, map)?,
        SourceFormat::NemoSkills => nemo_skills::read(path, map)?,
        SourceFormat::OpenCompass => opencompass::read(path, map)?,
        SourceFormat::JsonLines => json_lines::read(path, map)?,
    };
    match source.records.is_empty() {
        true => Err(ImportError::of(path, ImportErrorKind::Empty)),
        false => Ok(source),
    }
}

fn detect(path: &Path, map: &FieldMap) -> Result<SourceFormat, ImportError> {
    let found = match path.is_dir() {
        true => of_folder(path)?,
        false => of_file(path, map)?,
    };
    found.ok_or_else(|| ImportError::of(path, ImportErrorKind::NotRecognised))
}

/// By the names that programs give their files, and else by the first file.
fn of_folder(folder: &Path) -> Result<Option<SourceFormat>, ImportError> {
    if folder.join("run.json").is_file() && folder.join("problems.jsonl").is_file() {
        return Err(ImportError::of(folder, ImportErrorKind::OwnRun));
    }
    let files = files(folder)?;
    let any = |holds: &dyn Fn(&str) -> bool| files.iter().any(|file| holds(&name(file)));
    if any(&|name| name.ends_with(official::ENDING)) {
        return Ok(Some(SourceFormat::Official));
    }
    if any(&|name| name.ends_with(".eval")) {
        return Ok(Some(SourceFormat::Inspect));
    }
    if any(&nemo_skills::is_output) {
        return Ok(Some(SourceFormat::NemoSkills));
    }
    if any(&|name| lm_eval::is_samples(name) || lm_eval::is_results(name))
        || !lm_eval::inner_folders(folder)?.is_empty()
    {
        return Ok(Some(SourceFormat::LmEval));
    }
    let Some(first) = files.iter().find(|file| name(file).ends_with(".json")) else {
        return Ok(None);
    };
    let format = of_file(first, &FieldMap::default());
    let is_of_folder =
        |format: &SourceFormat| [SourceFormat::Inspect, SourceFormat::OpenCompass].contains(format);
    Ok(format.ok().flatten().filter(is_of_folder))
}

fn of_file(path: &Path, map: &FieldMap) -> Result<Option<SourceFormat>, ImportError> {
    let mut start = [0; 4];
    let read = File::open(path).and_then(|mut file| file.read(&mut start));
    read.map_err(|error| ImportError::of(path, ImportErrorKind::Unreadable(error)))?;
    if start == *b"PK\x03\x04" {
        return Ok(Some(SourceFormat::Inspect));
    }
    let file_name = name(path);
    if lm_eval::is_results(&file_name) {
        return Ok(Some(SourceFormat::LmEval));
    }
    let Some((_, first)) = first_object(path)? else {
        return Err(ImportError::of(path, ImportErrorKind::Empty));
    };
    let has = |names: &[&str]| names.iter().all(|name| first.contains_key(*name));
    let format = if has(&["eval", "status"]) {
        SourceFormat::Inspect
    } else if has(&["results", "configs"]) || has(&["doc_id", "resps"]) {
        SourceFormat::LmEval
    } else if has(&["question", "answer", "completion", "judge"]) {
        SourceFormat::Official
    } else if has(&["generation", "expected_answer"]) && map.is_empty() {
        SourceFormat::NemoSkills
    } else if opencompass::is_predictions(&first) {
        SourceFormat::OpenCompass
    } else if !map.is_empty() || has(&["completion", "reference"]) {
        SourceFormat::JsonLines
    } else {
        let fields = first.keys().cloned().collect();
        return Err(ImportError::of(
            path,
            ImportErrorKind::UnknownFields { fields },
        ));
    };
    Ok(Some(format))
}

/// The objects of a file, one after the other, each with its place.
///
/// # Errors
/// An unreadable file, what is no JSON, or a value that is no object.
pub(crate) fn objects(
    path: &Path,
    mut take: impl FnMut(At, Map<String, Value>) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    let of_file = |error| ImportError::of(path, ImportErrorKind::File(error));
    for record in open(path).map_err(of_file)? {
        let record = record.map_err(of_file)?;
        let at = At {
            file: path.to_path_buf(),
            place: record.place.to_string(),
        };
        match record.value {
            Value::Object(fields) => take(at, fields)?,
            _ => {
                let message = "this is no JSON object".to_string();
                return Err(ImportError::at(&at, ImportErrorKind::Malformed(message)));
            }
        }
    }
    Ok(())
}

/// As its content says, but never as plain text: a line that is no JSON is an error here.
fn open(path: &Path) -> Result<record_files::Records, record_files::Error> {
    let records = record_files::open(path)?;
    match records.format() {
        FileFormat::Text => record_files::open_as(path, FileFormat::JsonLines),
        _ => Ok(records),
    }
}

/// An object with its place.
type Placed = (At, Map<String, Value>);

fn first_object(path: &Path) -> Result<Option<Placed>, ImportError> {
    let of_file = |error| ImportError::of(path, ImportErrorKind::File(error));
    let Some(first) = open(path).map_err(of_file)?.next() else {
        return Ok(None);
    };
    let first = first.map_err(of_file)?;
    let at = At {
        file: path.to_path_buf(),
        place: first.place.to_string(),
    };
    match first.value {
        Value::Object(fields) => Ok(Some((at, fields))),
        _ => Err(ImportError::of(path, ImportErrorKind::NotRecognised)),
    }
}

/// The one object of a file.
pub(crate) fn object(path: &Path) -> Result<Map<String, Value>, ImportError> {
    match first_object(path)? {
        Some((_, fields)) => Ok(fields),
        None => Err(ImportError::of(path, ImportErrorKind::Empty)),
    }
}

/// The files of a folder, in order of name, hidden ones left out.
pub(crate) fn files(folder: &Path) -> Result<Vec<PathBuf>, ImportError> {
    entries(folder, |path| path.is_file())
}

/// What a folder holds of one kind, in order of name.
pub(crate) fn entries(
    folder: &Path,
    is_of_kind: impl Fn(&Path) -> bool,
) -> Result<Vec<PathBuf>, ImportError> {
    let unreadable = |error| ImportError::of(folder, ImportErrorKind::Unreadable(error));
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if !name(&path).starts_with('.') && is_of_kind(&path) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// A file's name.
pub(crate) fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// The files that are meant by a path: itself, or those in the folder that are of a kind.
pub(crate) fn meant(
    path: &Path,
    is_of_kind: impl Fn(&str) -> bool,
) -> Result<Vec<PathBuf>, ImportError> {
    if !path.is_dir() {
        return Ok(vec![path.to_path_buf()]);
    }
    let mut files = files(path)?;
    files.retain(|file| is_of_kind(&name(file)));
    match files.is_empty() {
        true => Err(ImportError::of(path, ImportErrorKind::Empty)),
        false => Ok(files),
    }
}
