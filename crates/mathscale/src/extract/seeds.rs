//! Seed questions of a file: question and answer, in the forms that training files have.

use std::collections::HashMap;
use std::path::Path;

use record_files::Place;
use serde_json::Value;

use super::fields::{Fields, id, key_list, text, type_name};
use super::tal;
use crate::error::{Error, ErrorKind};
use crate::project::Input;
use crate::records::Seed;

/// Fields that hold a question, the first that is there.
const QUESTION: [&str; 5] = ["question", "problem", "instruction", "prompt", "query"];
/// Fields that hold an answer.
const ANSWER: [&str; 6] = [
    "answer",
    "solution",
    "output",
    "response",
    "completion",
    "target",
];

/// The seeds of a file in any form that `record-files` reads, and the file as an input. Records of
/// MwpBench get the id `topic/number`, others their `id` or position.
///
/// # Errors
/// A file that cannot be read or holds no record; a record without a question, or an id twice.
pub fn read_seeds(file: &Path) -> Result<(Vec<Seed>, Input), Error> {
    let mut seeds = Vec::new();
    let mut places: HashMap<String, Place> = HashMap::new();
    for (record, position) in record_files::open(file)?.zip(1..) {
        let record = record?;
        let at = |kind| Error::at(file, record.place, kind);
        let seed = seed(&record.value, position).map_err(at)?;
        if let Some(first) = places.insert(seed.id.clone(), record.place) {
            return Err(at(ErrorKind::DuplicateId {
                id: seed.id,
                first: first.to_string(),
            }));
        }
        seeds.push(seed);
    }
    match seeds.is_empty() {
        true => Err(Error::in_file(file, ErrorKind::NoRecords)),
        false => Ok((seeds, Input::of_file(file)?)),
    }
}

fn seed(record: &Value, position: usize) -> Result<Seed, ErrorKind> {
    let Value::Object(fields) = record else {
        return Err(ErrorKind::NotAnObject(type_name(record)));
    };
    let seed = match fields.contains_key(tal::ROUTES) {
        true => tal::seed(fields, position)?,
        false => plain(fields, position)?,
    };
    match seed.question.is_empty() {
        false => Ok(seed),
        true => Err(ErrorKind::NoQuestion {
            known: QUESTION.join(", "),
            keys: key_list(fields),
        }),
    }
}

fn plain(fields: &Fields, position: usize) -> Result<Seed, ErrorKind> {
    let mut question = text(fields, &QUESTION)?;
    // Alpaca's records may have a second part.
    let input = if fields.contains_key("instruction") {
        text(fields, &["input"])?
    } else {
        String::new()
    };
    if !input.is_empty() {
        question = format!("{question}\n{input}");
    }
    let of_benchmark = (
        text(fields, &["data_topic"])?,
        text(fields, &["question_number"])?,
    );
    let id = match of_benchmark {
        (topic, number) if !topic.is_empty() && !number.is_empty() => format!("{topic}/{number}"),
        _ => id(fields, &["id", "qid"], position)?,
    };
    Ok(Seed {
        id,
        question,
        answer: text(fields, &ANSWER)?,
        solution: None,
    })
}
