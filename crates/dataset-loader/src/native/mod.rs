//! The files that each set's own publisher gives out, read into problems.
//!
//! One module a publisher. Each turns one record of the publisher's file into [`PublishedItem`]s, and says
//! what its files are called. Nothing is lost: fields that make no problem are kept as extras under
//! the publisher's names.

mod agieval; // AGIEval v1: SAT, Gaokao (questions with options, blanks), MATH
mod ape210k; // Ape210k
mod asdiv; // ASDiv
mod cmath; // CMATH
mod competition; // AIME and AMC
mod gaokao_bench; // GAOKAO-Bench, objective questions
mod gaokao_en; // Gaokao2023-Math-En
mod gsm8k; // GSM8K: `#### N`
mod lettered; // AQuA-RAT and the SAT of May 2023: letters of options
mod math; // MATH: the last \boxed
mod math23k; // Math23k
mod math_500; // MATH-500
mod mawps; // MAWPS
mod minerva; // OCWCourses of Minerva
mod mwpbench; // MwpBench's own record form
mod numbers; // numbers as a person would write them
mod olympiadbench; // OlympiadBench: lists of answers, tolerances
mod svamp; // SVAMP
mod tal; // TAL-SCQ5K

use std::path::Path;

use serde_json::{Map, Value};

use crate::benchmark::Set;
use crate::choice::Choices;
use crate::error::ErrorKind;
use crate::record::{self, Extras, optional_text, wrong_type};

pub(crate) use mwpbench::is_record_form;
pub(crate) use mwpbench::item as record_form_item;

/// A set's publisher: its form, and what its files are called.
pub(crate) struct PublishedFormat {
    /// The form in words, for messages.
    pub(crate) form: &'static str,
    /// What its files are called, for messages.
    pub(crate) file_names: &'static str,
    /// Whether a file of a folder belongs to the split. The path is the one below the folder, in
    /// small letters.
    pub(crate) belongs: fn(path: &Path, split: &str) -> bool,
    /// The problems of one record.
    pub(crate) read:
        fn(record: &Extras, place: &RecordPosition<'_>) -> Result<Vec<PublishedItem>, ErrorKind>,
}

/// Where a record stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RecordPosition<'a> {
    /// Its file, below the folder that is imported, or its name alone.
    pub(crate) file: &'a Path,
    /// Its position among the records of all files, from 1.
    pub(crate) position: usize,
    /// Its position in its own file, from 1.
    pub(crate) in_file: usize,
}

/// A problem as its publisher has it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PublishedItem {
    /// Its task; `None` where the set has one only.
    pub(crate) task: Option<String>,
    /// Its number in the task.
    pub(crate) number: String,
    /// What stands before the question and belongs to it: a text or table that several questions
    /// share.
    pub(crate) passage: Option<String>,
    /// The question, without options.
    pub(crate) question: String,
    /// What is known of its answer.
    pub(crate) answer: PublishedAnswer,
    /// Language of the question, where it is not English.
    pub(crate) language: Option<&'static str>,
    /// The publisher's other fields.
    pub(crate) extras: Extras,
}

/// What is known of an item's answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum PublishedAnswer {
    /// The reference.
    Text(String),
    /// Options, some of which are correct.
    Choice(Choices),
    /// None was found in the solution, where such a mark was expected.
    Missing(&'static str),
}

/// The language of the Chinese sets.
const CHINESE: Option<&str> = Some("zh");

/// The publisher of a set; `None` for sets that were published in MwpBench's record form only.
pub(crate) fn of(set: &str) -> Option<&'static PublishedFormat> {
    Some(match set {
        "gsm8k" => &gsm8k::FORMAT,
        "math" => &math::FORMAT,
        "tal" => &tal::FORMAT,
        "math23k" => &math23k::FORMAT,
        "ape210k" => &ape210k::FORMAT,
        "gaokao_bench" => &gaokao_bench::FORMAT,
        "agieval_gaokao" => &agieval::GAOKAO,
        "agieval_sat" => &agieval::SAT,
        "agieval_math" => &agieval::MATH,
        "math_500" => &math_500::FORMAT,
        "aime_2024" | "aime_2025" | "amc_2023" => &competition::FORMAT,
        "minerva_math" => &minerva::FORMAT,
        "olympiadbench" => &olympiadbench::FORMAT,
        "gaokao_2023_en" => &gaokao_en::FORMAT,
        "svamp" => &svamp::FORMAT,
        "asdiv" => &asdiv::FORMAT,
        "mawps" => &mawps::FORMAT,
        "cmath" => &cmath::FORMAT,
        "sat_math_qwen" => &lettered::SAT,
        "aqua" => &lettered::AQUA,
        _ => return None,
    })
}

/// Sets published in MwpBench's record form: any file of the folder in that form.
pub(crate) static RECORD_FORM: PublishedFormat = PublishedFormat {
    form: "a record with data_topic, question and answer",
    file_names: "*.jsonl, *.json",
    belongs: |path, split| belongs_to_split(path, split),
    read: |record, _| Err(mwpbench::fault(record)),
};

/// The name of the task that an item belongs to.
pub(crate) fn task_of<'a>(set: &'a Set, item: &'a PublishedItem) -> Option<&'a str> {
    match (&item.task, set.tasks.as_slice()) {
        (Some(task), tasks) => tasks
            .iter()
            .find(|own| own.name == *task)
            .map(|own| own.name.as_str()),
        (None, [only]) => Some(&only.name),
        (None, _) => None,
    }
}

/// A required text of a publisher's record, without white space around it.
fn text(record: &Extras, field: &str) -> Result<String, ErrorKind> {
    record::required_text(record, field).map(|text| crate::choice::trimmed(text).to_string())
}

/// A text, or null or nothing at all.
fn text_or_null<'r>(record: &'r Extras, field: &str) -> Result<Option<&'r str>, ErrorKind> {
    match record.get(field) {
        Some(Value::Null) => Ok(None),
        _ => optional_text(record, field),
    }
}

/// A list.
fn list<'r>(record: &'r Extras, field: &str) -> Result<&'r [Value], ErrorKind> {
    match record.get(field) {
        Some(Value::Array(list)) => Ok(list),
        Some(other) => Err(wrong_type(field, "a list", other)),
        None => Err(ErrorKind::MissingField(field.to_string())),
    }
}

/// The fields that made no problem, under their own names; where the record form has a field of
/// that name, with `published_` before it. Nulls are left out.
fn rest(record: &Extras, used: &[&str]) -> Extras {
    const TAKEN: [&str; 11] = [
        record::TASK,
        record::NUMBER,
        record::QUESTION,
        record::REFERENCE,
        record::ORIGIN,
        record::LICENSE,
        record::LANGUAGE,
        "split",
        "form",
        "options",
        "label",
    ];
    let mut extras = Map::new();
    for (field, value) in record
        .iter()
        .filter(|(field, value)| !used.contains(&field.as_str()) && !value.is_null())
    {
        let name = if TAKEN.contains(&field.as_str()) {
            format!("published_{field}")
        } else {
            field.clone()
        };
        extras.insert(name, value.clone());
    }
    extras
}

/// The publisher's number of the record, else its position.
fn number_or_position(
    record: &Extras,
    field: &str,
    at: &RecordPosition<'_>,
) -> Result<String, ErrorKind> {
    Ok(record::number(record, field)?.unwrap_or_else(|| at.position.to_string()))
}

/// Splits that files are named after.
const SPLITS: [&str; 6] = ["test", "train", "valid", "validation", "dev", "val"];

/// Whether a file belongs to a split: the innermost of its name and the folders above it that names
/// one decides. Where none does, it is a test; a split of another name must be named.
fn belongs_to_split(path: &Path, split: &str) -> bool {
    let split = split.to_lowercase();
    let parts: Vec<String> = path
        .iter()
        .map(|part| part.to_string_lossy().to_lowercase())
        .collect();
    let names = |part: &str, name: &str| {
        part.split(|c: char| !c.is_alphanumeric())
            .any(|word| word == name)
    };
    let named =
        |part: &&String| names(part, &split) || SPLITS.iter().any(|other| names(part, other));
    // Innermost first: `train/test.jsonl` is a test, whatever its folder is called.
    match parts.iter().rev().find(named) {
        Some(part) => names(part, &split),
        None => split == "test",
    }
}

/// Whether the name ends like a file of records.
fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    path.extension().is_some_and(|own| {
        extensions
            .iter()
            .any(|&extension| own.eq_ignore_ascii_case(extension))
    })
}

/// The file's name without its last ending.
fn stem(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
