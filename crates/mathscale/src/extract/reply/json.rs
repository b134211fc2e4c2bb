//! Concepts in a JSON object, alone, in a code fence or with words around it.

use serde_json::{Map, Value};

use super::Listed;

/// The concepts of the first JSON object that lists topics or knowledge points; `None` where there
/// is none.
pub(crate) fn parse(reply: &str) -> Option<Listed> {
    // Of nested objects the outer one comes first; what is no JSON is skipped.
    let starts = reply.match_indices('{').take(MAX_STARTS).map(|(at, _)| at);
    starts
        .filter_map(|at| object(&reply[at..]))
        .find_map(|object| of_object(&object))
}

/// Brackets that are tried: more do not come before an answer.
const MAX_STARTS: usize = 50;

fn object(text: &str) -> Option<Map<String, Value>> {
    // As a stream, of which only the first value is read: words may follow the object.
    serde_json::Deserializer::from_str(text)
        .into_iter()
        .next()?
        .ok()
}

fn of_object(object: &Map<String, Value>) -> Option<Listed> {
    let field = |names: &[&str]| {
        object
            .iter()
            .find(|(key, _)| names.contains(&plain(key).as_str()))
            .map(|(_, value)| strings(value))
    };
    let topics = field(&["topic", "topics", "mathtopics"]);
    let knowledge_points = field(&[
        "knowledgepoint",
        "knowledgepoints",
        "keyknowledgepoints",
        "keypoints",
        "kp",
        "kps",
    ]);
    if topics.is_none() && knowledge_points.is_none() {
        return None;
    }
    let is_blank = |value: &Value| value.as_str().is_some_and(|text| text.trim().is_empty());
    let ends_empty = |value: &Value| {
        let list = value.as_array();
        list.and_then(|list| list.last()).is_some_and(is_blank)
    };
    Some(Listed {
        topics: topics.unwrap_or_default(),
        knowledge_points: knowledge_points.unwrap_or_default(),
        ends_in_empty_item: object.values().any(ends_empty),
    })
}

/// Letters only, in lower case: `knowledge_points` and `Knowledge Points` are one key.
fn plain(key: &str) -> String {
    key.chars()
        .filter(|c| c.is_alphabetic())
        .flat_map(char::to_lowercase)
        .collect()
}

/// A list of strings or of objects with a name; a string with semicolons or lines.
fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::Array(list) => list.iter().flat_map(strings).collect(),
        Value::String(text) => text
            .split([';', '\n'])
            .map(|part| part.trim().to_string())
            .filter(|part| !part.is_empty())
            .collect(),
        Value::Object(object) => ["name", "topic", "knowledge_point", "title"]
            .iter()
            .find_map(|key| object.get(*key)?.as_str())
            .map(str::to_string)
            .into_iter()
            .collect(),
        _ => Vec::new(),
    }
}
