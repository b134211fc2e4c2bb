//! Pairs of question and solution: what the later stages pass on, and how pairs from elsewhere are
//! read.

use std::path::{Path, PathBuf};

use record_files::{Record, Records};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use store::JsonLines;

use crate::error::{Error, ErrorKind};
use crate::project::{Input, Project};
use crate::stage::{PAIRS, Stage, VALIDATED};

/// A line of `pairs.jsonl`, `validated.jsonl` and `screened.jsonl`: a question with its solution.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    /// Unique among the pairs: `pair/N` for the composition in line N.
    pub id: String,
    /// The topics that it was made for.
    pub topics: Vec<String>,
    /// The knowledge points that it was made for.
    pub knowledge_points: Vec<String>,
    /// The question.
    pub question: String,
    /// The worked solution.
    pub solution: String,
    /// The model that wrote the solution.
    pub model: String,
    /// Ids of the seeds that were the few-shot examples, the nearest first.
    pub seeds: Vec<String>,
    /// Its verdict by validation, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<Validation>,
}

/// The verdict of validation on a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Validation {
    /// The solution is right.
    Confirmed,
    /// The solution was wrong and another one stands in its place.
    Replaced,
    /// The solution is wrong and was kept.
    Rejected,
    /// Nothing could be found out.
    Unjudged,
}

/// Where the pairs of a stage come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PairSource {
    /// `validated.jsonl` where the project was validated, else `pairs.jsonl`.
    #[default]
    Latest,
    /// `pairs.jsonl`, validated or not.
    Generated,
    /// A file from elsewhere, in any form that `record-files` reads.
    File(PathBuf),
}

impl PairSource {
    /// The file, bound to its content.
    pub(crate) fn input(&self, project: &Project) -> Result<Input, Error> {
        let validated = project.manifest().stages.contains_key(&Stage::Validate);
        match self {
            Self::File(file) => Input::of_file(file),
            // Also where validation was begun and not finished: that is an error here, and no
            // reason to pass on what was not validated.
            Self::Latest if validated => project.input(Stage::Validate, VALIDATED),
            Self::Latest | Self::Generated => project.input(Stage::Generate, PAIRS),
        }
    }
}

/// The pairs of an input, in its order.
pub(crate) fn read_pairs(project: &Project, input: &Input) -> Result<Pairs, Error> {
    match input.stage {
        Some(_) => Ok(Pairs::Own(JsonLines::open(&project.file(&input.file))?)),
        None => {
            let file = PathBuf::from(&input.file);
            Ok(Pairs::Foreign {
                records: record_files::open(&file)?,
                file,
            })
        }
    }
}

/// Pairs, one at a time.
pub(crate) enum Pairs {
    Own(JsonLines<Pair>),
    Foreign { file: PathBuf, records: Records },
}

impl Iterator for Pairs {
    type Item = Result<Pair, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Own(lines) => Some(lines.next()?.map_err(Error::from)),
            Self::Foreign { file, records } => {
                let pair = |record: Record| {
                    pair_of(&record, &stem(file))
                        .map_err(|kind| Error::at(file, record.place, kind))
                };
                Some(records.next()?.map_err(Error::from).and_then(pair))
            }
        }
    }
}

/// A file's name without its ending, for ids.
pub(crate) fn stem(file: &Path) -> String {
    file.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

const QUESTIONS: [&str; 6] = [
    "question",
    "problem",
    "instruction",
    "prompt",
    "query",
    "input",
];
const SOLUTIONS: [&str; 6] = [
    "solution",
    "output",
    "response",
    "completion",
    "answer",
    "generated_solution",
];

/// A record from elsewhere as a pair. Where it has both a solution and an answer, the solution
/// counts. An id that is missing is `STEM/PLACE`.
pub(crate) fn pair_of(record: &Record, stem: &str) -> Result<Pair, ErrorKind> {
    let Value::Object(object) = &record.value else {
        return Err(ErrorKind::NoPair(
            "a record that is no JSON object".to_string(),
        ));
    };
    let (question, solution) = texts(object).ok_or_else(|| {
        let keys: Vec<&str> = match object.is_empty() {
            true => vec!["(none)"],
            false => object.keys().map(String::as_str).collect(),
        };
        ErrorKind::NoPair(format!("a record with the keys {}", keys.join(", ")))
    })?;
    let id = match object.get("id").or_else(|| object.get("question_number")) {
        Some(Value::String(id)) if !id.is_empty() => format!("{stem}/{id}"),
        Some(Value::Number(id)) => format!("{stem}/{id}"),
        _ => format!("{stem}/{}", record.place.number()),
    };
    let text = |name: &str| {
        object
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_string()
    };
    Ok(Pair {
        id,
        topics: names(object, "topics"),
        knowledge_points: names(object, "knowledge_points"),
        question,
        solution,
        model: text("model"),
        seeds: Vec::new(),
        validation: None,
    })
}

fn texts(object: &Map<String, Value>) -> Option<(String, String)> {
    if let Some(Value::Array(messages)) = object
        .get("messages")
        .or_else(|| object.get("conversations"))
    {
        let content_of = |roles: [&str; 2]| {
            let of_role = |message: &&Value| {
                let role = message
                    .get("role")
                    .or_else(|| message.get("from"))
                    .and_then(Value::as_str);
                role.is_some_and(|role| roles.contains(&role))
            };
            let message = messages.iter().find(of_role)?;
            message
                .get("content")
                .or_else(|| message.get("value"))?
                .as_str()
        };
        return Some((
            content_of(["user", "human"])?.to_string(),
            content_of(["assistant", "gpt"])?.to_string(),
        ));
    }
    let first = |names: &[&str]| names.iter().find_map(|name| object.get(*name)?.as_str());
    let question = first(&QUESTIONS)?;
    let solution = first(&SOLUTIONS)?;
    // Alpaca: the input goes with the instruction.
    let input = object
        .get("input")
        .and_then(Value::as_str)
        .filter(|input| !input.trim().is_empty());
    let question = match (object.contains_key("instruction"), input) {
        (true, Some(input)) => format!("{question}\n\n{input}"),
        _ => question.to_string(),
    };
    Some((question, solution.to_string()))
}

fn names(object: &Map<String, Value>, field: &str) -> Vec<String> {
    let values = object
        .get(field)
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    values
        .filter_map(Value::as_str)
        .map(str::to_string)
        .collect()
}

#[cfg(test)]
mod tests {
    use record_files::Place;
    use serde_json::json;

    use super::*;

    fn pair(value: Value) -> Result<Pair, ErrorKind> {
        pair_of(
            &Record {
                place: Place::Line(3),
                value,
            },
            "file",
        )
    }

    #[test]
    fn usual_forms_are_read() {
        for value in [
            json!({"question": "Q", "answer": "S"}),
            json!({"problem": "Q", "solution": "S", "answer": "5"}),
            json!({"instruction": "Q", "input": "", "output": "S"}),
            json!({"prompt": "Q", "completion": "S"}),
            json!({"messages": [{"role": "system", "content": "X"}, {"role": "user", "content": "Q"}, {"role": "assistant", "content": "S"}]}),
            json!({"conversations": [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "S"}]}),
        ] {
            let pair = pair(value.clone()).unwrap();
            assert_eq!(
                (
                    pair.id.as_str(),
                    pair.question.as_str(),
                    pair.solution.as_str()
                ),
                ("file/3", "Q", "S"),
                "{value}"
            );
        }
        assert_eq!(
            pair(json!({"instruction": "Q", "input": "I", "output": "S"}))
                .unwrap()
                .question,
            "Q\n\nI"
        );
        assert_eq!(
            pair(json!({"id": 7, "question": "Q", "answer": "S"}))
                .unwrap()
                .id,
            "file/7"
        );
    }

    #[test]
    fn what_is_no_pair_is_refused_with_its_keys() {
        for (value, message) in [
            (json!({"question": "Q"}), "the keys question"),
            (json!({}), "(none)"),
            (json!(["Q", "S"]), "no JSON object"),
            (
                json!({"question": 5, "answer": "S"}),
                "the keys question, answer",
            ),
        ] {
            let error = pair(value).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
    }
}
