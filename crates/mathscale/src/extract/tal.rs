//! Records of TAL-SCQ5K as published (math-eval/TAL-SCQ5K). A route of `knowledge_point_routes`
//! reads
//! `… ->Knowledge Point->Number Theory Modules->Division without Remainders->Divisibility Rules`:
//! what follows "Knowledge Point" is a topic, every part after that a KP.

use serde_json::Value;

use super::annotation::{Annotation, Fields, id, strings, text, type_name};
use crate::error::ErrorKind;
use crate::records::Seed;

/// The field that tells such a record.
pub(crate) const ROUTES: &str = "knowledge_point_routes";
const MARK: &str = "Knowledge Point";
const OPTIONS: &str = "answer_option_list";

/// Words by which a question refers to its options (MathScale paper, appendix A).
const OF_OPTIONS: [&str; 5] = [
    "which of the following",
    "which one",
    "which is",
    "the following",
    "which statement",
];

/// The question of such a record, with its options where it speaks of them, and the content of the
/// correct one.
pub(crate) fn seed(fields: &Fields, position: usize) -> Result<Seed, ErrorKind> {
    let mut question = text(fields, &["problem", "question"])?;
    let label = text(fields, &["answer_value"])?;
    let options = options(fields)?;
    let answer = options
        .iter()
        .find(|(own, _)| *own == label)
        .map(|(_, content)| content.clone())
        .unwrap_or(label);
    let lower = question.to_lowercase();
    if OF_OPTIONS.iter().any(|words| lower.contains(words)) {
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

/// What such a record says.
pub(crate) fn read(
    fields: &Fields,
    position: usize,
) -> Result<Result<Annotation, String>, ErrorKind> {
    let seed = seed(fields, position)?;
    let (mut topics, mut knowledge_points) = (Vec::new(), Vec::new());
    for route in strings(fields, ROUTES)? {
        let mut parts = route
            .split("->")
            .skip_while(|part| !part.trim().eq_ignore_ascii_case(MARK))
            .skip(1);
        match parts.next() {
            Some(topic) => topics.push(topic.to_string()),
            None => {
                return Ok(Err(format!(
                    "the route \"{}\" has no topic after \"{MARK}\"",
                    shown(&route)
                )));
            }
        }
        knowledge_points.extend(parts.map(str::to_string));
    }
    Ok(Ok(Annotation {
        seed,
        topics,
        knowledge_points,
    }))
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
        let field = |name: &str| {
            option
                .get(name)
                .and_then(Value::as_str)
                .map(|text| text.trim().to_string())
        };
        field("aoVal")
            .zip(field("content"))
            .ok_or_else(|| wrong(value))
    };
    list.iter().map(option).collect()
}

fn shown(route: &str) -> String {
    const SHOWN: usize = 80;
    route
        .chars()
        .take(SHOWN)
        .flat_map(char::escape_default)
        .collect()
}
