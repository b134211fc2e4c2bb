//! The reader of MwpBench's record form: a JSON object a line, see `datasets/README.md`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::benchmark::Benchmark;
use crate::error::{Error, ErrorKind};
use crate::problem::Problem;

/// Collects problems from any number of files and keeps their ids unique.
pub(crate) struct Reader<'a> {
    benchmark: &'a Benchmark,
    problems: Vec<Problem>,
    first_seen: HashMap<String, FirstSeen>,
}

/// Where an id was used first, and by which source.
struct FirstSeen {
    file: PathBuf,
    line: usize,
    source: Option<String>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(benchmark: &'a Benchmark) -> Self {
        Self { benchmark, problems: Vec::new(), first_seen: HashMap::new() }
    }

    /// Reads one file's whole content; `file` is its name in messages.
    pub(crate) fn read(&mut self, file: &Path, content: &[u8]) -> Result<(), Error> {
        let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
        let before = self.problems.len();
        for (index, line) in content.split(|&byte| byte == b'\n').enumerate() {
            let number = index + 1;
            let at = |kind| Error::at(file, number, kind);
            let text = std::str::from_utf8(line)
                .map_err(|error| at(ErrorKind::NotUtf8 { column: error.valid_up_to() + 1 }))?;
            if text.trim().is_empty() {
                continue;
            }
            let record = parse_object(text).map_err(at)?;
            self.add(file, number, &record)?;
        }
        match self.problems.len() > before {
            true => Ok(()),
            false => Err(Error::in_file(file, ErrorKind::EmptyFile)),
        }
    }

    /// The problems, in reading order.
    pub(crate) fn finish(self) -> Vec<Problem> {
        self.problems
    }

    fn add(&mut self, file: &Path, line: usize, record: &Map<String, Value>) -> Result<(), Error> {
        let at = |kind| Error::at(file, line, kind);
        let task = required_text(record, "data_topic").map_err(at)?;
        let question = required_text(record, "question").map_err(at)?;
        let reference = required_text(record, "answer").map_err(at)?;
        let source = optional_text(record, "data_source").map_err(at)?;
        optional_text(record, "license").map_err(at)?;
        let number = number(record).map_err(at)?.unwrap_or_else(|| line.to_string());
        let set = self.benchmark.set_of_task(task).ok_or_else(|| {
            let known = self.benchmark.task_names().collect::<Vec<_>>().join(", ");
            at(ErrorKind::UnknownTask { task: task.to_string(), known })
        })?;
        let id = self.claim_id(file, line, format!("{task}/{number}"), source)?;
        self.problems.push(Problem {
            id,
            set: set.name.clone(),
            task: task.to_string(),
            question: question.to_string(),
            reference: reference.to_string(),
        });
        Ok(())
    }

    /// Registers the id, qualified by the source where another source of the same task took the number first.
    fn claim_id(&mut self, file: &Path, line: usize, id: String, source: Option<&str>) -> Result<String, Error> {
        let qualified = match (self.first_seen.get(&id), source) {
            (Some(first), Some(source)) if first.source.as_deref() != Some(source) => format!("{id}@{source}"),
            _ => id,
        };
        if let Some(first) = self.first_seen.get(&qualified) {
            let (first_file, first_line) = (first.file.display().to_string(), first.line);
            return Err(Error::at(file, line, ErrorKind::DuplicateId { id: qualified, first_file, first_line }));
        }
        let seen = FirstSeen { file: file.to_path_buf(), line, source: source.map(str::to_string) };
        self.first_seen.insert(qualified.clone(), seen);
        Ok(qualified)
    }
}

fn parse_object(text: &str) -> Result<Map<String, Value>, ErrorKind> {
    match serde_json::from_str(text) {
        Ok(Value::Object(record)) => Ok(record),
        Ok(other) => Err(ErrorKind::NotAnObject(format!("found {}", type_name(&other)))),
        Err(error) => Err(ErrorKind::NotAnObject(format!("{} at column {}", reason(&error), error.column()))),
    }
}

/// The parser's reason without its "at line 1 column 9", which would contradict the line that the message names.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(reason, _)| reason.to_string())
}

fn required_text<'r>(record: &'r Map<String, Value>, field: &'static str) -> Result<&'r str, ErrorKind> {
    let text = optional_text(record, field)?.ok_or(ErrorKind::MissingField(field))?;
    match text.trim().is_empty() {
        true => Err(ErrorKind::BlankField(field)),
        false => Ok(text),
    }
}

fn optional_text<'r>(record: &'r Map<String, Value>, field: &'static str) -> Result<Option<&'r str>, ErrorKind> {
    match record.get(field) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(ErrorKind::WrongType { field, expected: "a string", found: type_name(other) }),
    }
}

fn number(record: &Map<String, Value>) -> Result<Option<String>, ErrorKind> {
    const FIELD: &str = "question_number";
    match record.get(FIELD) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(Value::Number(number)) if number.is_u64() || number.is_i64() => Ok(Some(number.to_string())),
        Some(other) => {
            Err(ErrorKind::WrongType { field: FIELD, expected: "a string or an integer", found: type_name(other) })
        }
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
