//! Records of TAL-SCQ5K as published (math-eval/TAL-SCQ5K). A route of `knowledge_point_routes`
//! reads
//! `… ->Knowledge Point->Number Theory Modules->Division without Remainders->Divisibility Rules`:
//! what follows "Knowledge Point" is a topic, every part after that a knowledge point.

use serde_json::Value;

use super::fields::{Fields, id, strings, text, type_name};
use crate::error::ErrorKind;
use crate::records::Seed;

/// The field by which such a record is recognised.
pub(crate) const ROUTES: &str = "knowledge_point_routes";
const MARK: &str = "Knowledge Point";
const OPTIONS: &str = "answer_option_list";

/// Words by which a question refers to its options (MathScale paper, appendix A).
const OPTION_WORDS: [&str; 5] = [
    "which of the following",
    "which one",
    "which is",
    "the following",
    "which statement",
];

/// The question of such a record, with its options where it refers to them, and the content of the
/// correct one.
pub(crate) fn seed(fields: &Fields, position: usize) -> Result<Seed, ErrorKind> {
    let mut question = text(fields, &["problem", "question"])?;
    let label = text(fields, &["answer_value"])?;
    let options = options(fields)?;
    let correct = options.iter().find(|(own, _)| *own == label);
    let answer = correct.map_or(label.clone(), |(_, content)| content.clone());
    let lower = question.to_lowercase();
    // An import of the benchmark drops such questions; a seed can be read with its options.
    if OPTION_WORDS.iter().any(|words| lower.contains(words)) {
        for (label, content) in &options {
            question.push_str(&format!("\n({label}) {content}"));
        }
    }
    let solution = match fields.get("answer_analysis") {
        Some(Value::Array(_)) => strings(fields, "answer_analysis")?.join("\n"),
        _ => text(fields, &["answer_analysis"])?,
    };
    let solution = Some(solution.trim().to_string()).filter(|solution| !solution.is_empty());
    Ok(Seed {
        id: id(fields, &["qid", "id"], position)?,
        question,
        answer,
        solution,
    })
}

/// Topics and knowledge points, or why the record cannot be used.
type Concepts = Result<(Vec<String>, Vec<String>), String>;

/// The concepts of such a record. The outer error is of the file, the inner one of this record
/// alone.
pub(crate) fn concepts(fields: &Fields) -> Result<Concepts, ErrorKind> {
    let (mut topics, mut knowledge_points) = (Vec::new(), Vec::new());
    for route in strings(fields, ROUTES)? {
        let mut parts = route
            .split("->")
            .skip_while(|part| !part.trim().eq_ignore_ascii_case(MARK))
            .skip(1);
        let Some(topic) = parts.next() else {
            return Ok(Err(format!(
                "the route \"{}\" has no topic after \"{MARK}\"",
                excerpt(&route)
            )));
        };
        topics.push(topic.to_string());
        knowledge_points.extend(parts.map(str::to_string));
    }
    Ok(Ok((topics, knowledge_points)))
}

/// Label and content of each option, which is an object or a list with one.
fn options(fields: &Fields) -> Result<Vec<(String, String)>, ErrorKind> {
    let wrong = |found: &Value| ErrorKind::WrongType {
        field: OPTIONS.to_string(),
        expected: "a list of options with aoVal and content",
        found: type_name(found),
    };
    let list = match fields.get(OPTIONS) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(list)) => list,
        Some(other) => return Err(wrong(other)),
    };
    let option = |value: &Value| {
        let option = match value {
            Value::Array(list) if list.len() == 1 => &list[0],
            other => other,
        };
        let field = |name: &str| Some(option.get(name)?.as_str()?.trim().to_string());
        let option = field("aoVal").zip(field("content"));
        option.ok_or_else(|| wrong(value))
    };
    list.iter().map(option).collect()
}

fn excerpt(route: &str) -> String {
    const MAX_CHARS: usize = 80;
    let start = route.chars().take(MAX_CHARS);
    start.flat_map(char::escape_default).collect()
}
