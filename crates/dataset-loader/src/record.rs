//! The reader of MwpBench's record form: a JSON object a line, see `datasets/README.md`.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use fault::Place;
use serde_json::{Map, Value};

use crate::benchmark::{Benchmark, Fields, Set};
use crate::error::{Error, ErrorKind};
use crate::problem::Problem;

/// The names of the record form's fields.
pub(crate) const TASK: &str = "data_topic";
pub(crate) const NUMBER: &str = "question_number";
pub(crate) const QUESTION: &str = "question";
pub(crate) const REFERENCE: &str = "answer";
pub(crate) const ORIGIN: &str = "data_source";
pub(crate) const LICENSE: &str = "license";

/// Fields that an import writes beside those of the record form; a custom data set may have them
/// too.
pub(crate) const LANGUAGE: &str = "language";
pub(crate) const IMPORTED_FIELDS: [&str; 10] = [
    LANGUAGE,
    "split",
    "form",
    "options",
    "label",
    "solution",
    "level",
    "type",
    "knowledge_point_routes",
    "knowledge_points",
];

/// What a record holds beside its problem, by field.
pub type Extras = Map<String, Value>;

/// Collects problems from any number of files and keeps their ids unique.
pub(crate) struct Reader<'a> {
    benchmark: &'a Benchmark,
    problems: Vec<Problem>,
    extras: BTreeMap<String, Extras>,
    ids: IdRegistry,
}

/// The fields of one record that make a problem.
struct Parts<'r> {
    task: &'r str,
    number: Option<String>,
    question: &'r str,
    reference: &'r str,
    source: Option<&'r str>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(benchmark: &'a Benchmark) -> Self {
        Self {
            benchmark,
            problems: Vec::new(),
            extras: BTreeMap::new(),
            ids: IdRegistry::default(),
        }
    }

    /// Reads one file's whole content; `file` is its name in messages, `own` the custom data set
    /// that it belongs to.
    pub(crate) fn read(
        &mut self,
        file: &Path,
        content: &[u8],
        own: Option<&'a Set>,
    ) -> Result<(), Error> {
        // A byte order mark would make the first line no JSON.
        let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
        let before = self.problems.len();
        for (index, line) in content.split(|&byte| byte == b'\n').enumerate() {
            let number = index + 1;
            let at = |kind| Error::at(file, number, kind);
            let text = std::str::from_utf8(line).map_err(|error| {
                at(ErrorKind::NotUtf8 {
                    column: error.valid_up_to() + 1,
                })
            })?;
            if text.trim().is_empty() {
                continue;
            }
            let record = parse_object(text).map_err(at)?;
            self.add(file, number, record, own).map_err(at)?;
        }
        match self.problems.len() > before {
            true => Ok(()),
            false => Err(Error::in_file(file, ErrorKind::EmptyFile)),
        }
    }

    /// The problems read since there were so many.
    pub(crate) fn since(&self, count: usize) -> &[Problem] {
        &self.problems[count..]
    }

    /// How many problems were read.
    pub(crate) fn count(&self) -> usize {
        self.problems.len()
    }

    /// The problems, in reading order, and what their records hold beside them, by id.
    pub(crate) fn finish(self) -> (Vec<Problem>, BTreeMap<String, Extras>) {
        (self.problems, self.extras)
    }

    fn add(
        &mut self,
        file: &Path,
        line: usize,
        mut record: Extras,
        own: Option<&'a Set>,
    ) -> Result<(), ErrorKind> {
        let (parts, set) = match own {
            Some(set) => (own_parts(&record, set)?, set),
            None => published_parts(&record, self.benchmark)?,
        };
        let number = parts.number.unwrap_or_else(|| line.to_string());
        let id = self.ids.claim(
            file,
            Place::Line(line),
            format!("{}/{number}", parts.task),
            parts.source,
        )?;
        self.problems.push(Problem {
            id: id.clone(),
            set: set.name.clone(),
            task: parts.task.to_string(),
            question: parts.question.to_string(),
            reference: parts.reference.to_string(),
        });
        // Origin and licence stay among the extras: they describe the problem and are no part of it.
        for field in [
            &set.fields.task,
            &set.fields.number,
            &set.fields.question,
            &set.fields.reference,
        ] {
            record.shift_remove(field);
        }
        if !record.is_empty() {
            self.extras.insert(id, record);
        }
        Ok(())
    }
}

fn published_parts<'r, 'b>(
    record: &'r Extras,
    benchmark: &'b Benchmark,
) -> Result<(Parts<'r>, &'b Set), ErrorKind> {
    let task = required_text(record, TASK)?;
    let set = benchmark
        .sets()
        .iter()
        // Records of a custom data set are read with its own field names, and only beside its
        // description.
        .find(|set| !set.is_custom() && set.tasks.iter().any(|own| own.name == task));
    let set = set.ok_or_else(|| {
        let known = benchmark
            .sets()
            .iter()
            .filter(|set| !set.is_custom())
            .flat_map(|set| &set.tasks);
        unknown_task(TASK, task, known.map(|task| task.name.as_str()))
    })?;
    Ok((parts(record, &set.fields, task)?, set))
}

fn own_parts<'r>(record: &'r Extras, set: &'r Set) -> Result<Parts<'r>, ErrorKind> {
    let fields = &set.fields;
    let task = match (optional_text(record, &fields.task)?, set.tasks.as_slice()) {
        (Some(task), _) => task,
        (None, [only]) => &only.name,
        (None, _) => return Err(ErrorKind::MissingField(fields.task.clone())),
    };
    if !set.tasks.iter().any(|own| own.name == task) {
        return Err(unknown_task(
            &fields.task,
            task,
            set.tasks.iter().map(|task| task.name.as_str()),
        ));
    }
    let named = [
        &fields.task,
        &fields.number,
        &fields.question,
        &fields.reference,
        &fields.origin,
        &fields.license,
    ];
    let known = || {
        named
            .into_iter()
            .map(String::as_str)
            .chain(IMPORTED_FIELDS)
            .chain(fields.extra.iter().map(String::as_str))
    };
    if let Some(field) = record
        .keys()
        .find(|&field| !known().any(|name| name == field))
    {
        let known = known().collect::<Vec<_>>().join(", ");
        return Err(ErrorKind::UnknownField {
            field: field.clone(),
            known,
        });
    }
    parts(record, fields, task)
}

fn parts<'r>(record: &'r Extras, fields: &Fields, task: &'r str) -> Result<Parts<'r>, ErrorKind> {
    // Nothing here uses these two; at load a wrong type is refused with its file and line.
    optional_text(record, &fields.license)?;
    optional_text(record, LANGUAGE)?;
    Ok(Parts {
        task,
        number: number(record, &fields.number)?,
        question: required_text(record, &fields.question)?,
        reference: required_text(record, &fields.reference)?,
        source: optional_text(record, &fields.origin)?,
    })
}

fn unknown_task<'n>(field: &str, task: &str, known: impl Iterator<Item = &'n str>) -> ErrorKind {
    let known = known.collect::<Vec<_>>().join(", ");
    ErrorKind::UnknownTask {
        field: field.to_string(),
        task: task.to_string(),
        known,
    }
}

/// The ids given so far, and where.
#[derive(Default)]
pub(crate) struct IdRegistry {
    first_seen: HashMap<String, FirstSeen>,
}

/// Where an id was used first, and by which source.
struct FirstSeen {
    file: PathBuf,
    place: Place,
    source: Option<String>,
}

impl IdRegistry {
    /// Registers the id, qualified by the source where another source of the same task took the
    /// number first.
    pub(crate) fn claim(
        &mut self,
        file: &Path,
        place: Place,
        id: String,
        source: Option<&str>,
    ) -> Result<String, ErrorKind> {
        let qualified = match (self.first_seen.get(&id), source) {
            (Some(first), Some(source)) if first.source.as_deref() != Some(source) => {
                format!("{id}@{source}")
            }
            _ => id,
        };
        if let Some(first) = self.first_seen.get(&qualified) {
            let (first_file, first_place) =
                (first.file.display().to_string(), first.place.to_string());
            return Err(ErrorKind::DuplicateId {
                id: qualified,
                first_file,
                first_place,
            });
        }
        // The qualified id too: the same number twice in one source stays an error.
        let seen = FirstSeen {
            file: file.to_path_buf(),
            place,
            source: source.map(str::to_string),
        };
        self.first_seen.insert(qualified.clone(), seen);
        Ok(qualified)
    }
}

fn parse_object(text: &str) -> Result<Extras, ErrorKind> {
    match serde_json::from_str(text) {
        Ok(Value::Object(record)) => Ok(record),
        Ok(other) => Err(ErrorKind::NotAnObject(format!(
            "found {}",
            type_name(&other)
        ))),
        Err(error) => Err(ErrorKind::NotAnObject(format!(
            "{} at column {}",
            reason(&error),
            error.column()
        ))),
    }
}

/// The parser's reason without its "at line 1 column 9", which would contradict the line that the
/// message names.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ")
        .map_or(text.clone(), |(reason, _)| reason.to_string())
}

/// A field that must be there, a string that is not blank.
pub(crate) fn required_text<'r>(record: &'r Extras, field: &str) -> Result<&'r str, ErrorKind> {
    let text =
        optional_text(record, field)?.ok_or_else(|| ErrorKind::MissingField(field.to_string()))?;
    match text.trim().is_empty() {
        true => Err(ErrorKind::BlankField(field.to_string())),
        false => Ok(text),
    }
}

/// A field that is a string where it is there.
pub(crate) fn optional_text<'r>(
    record: &'r Extras,
    field: &str,
) -> Result<Option<&'r str>, ErrorKind> {
    match record.get(field) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(wrong_type(field, "a string", other)),
    }
}

/// A field that is a string or an integer where it is there; null and blank strings count as
/// absent.
pub(crate) fn number(record: &Extras, field: &str) -> Result<Option<String>, ErrorKind> {
    match record.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(Value::Number(number)) if number.is_u64() || number.is_i64() => {
            Ok(Some(number.to_string()))
        }
        Some(other) => Err(wrong_type(field, "a string or an integer", other)),
    }
}

pub(crate) fn wrong_type(field: &str, expected: &'static str, found: &Value) -> ErrorKind {
    ErrorKind::WrongType {
        field: field.to_string(),
        expected,
        found: type_name(found),
    }
}

/// What a JSON value is, in words.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
