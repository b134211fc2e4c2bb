//! A record with its concepts: lists of `topics` and `knowledge_points`, or the routes of
//! TAL-SCQ5K.

use serde_json::Value;

use super::fields::{id, key_list, strings, text, type_name};
use super::{SeedConcepts, names, tal};
use crate::error::ErrorKind;
use crate::records::Seed;

/// What a record holds: the seed with its concepts, or the seed's id and why the seed cannot be
/// used.
pub(crate) type Read = Result<SeedConcepts, (String, String)>;

/// Reads the record of this position in its file, from 1.
///
/// # Errors
/// A record that is none, or that has fields of another type than they should be.
pub(crate) fn read(record: &Value, position: usize) -> Result<Read, ErrorKind> {
    let Value::Object(fields) = record else {
        return Err(ErrorKind::NotAnObject(type_name(record)));
    };
    if fields.contains_key(tal::ROUTES) {
        let seed = tal::seed(fields, position)?;
        return Ok(match tal::concepts(fields)? {
            Ok((topics, knowledge_points)) => seed_concepts(seed, topics, knowledge_points),
            // Such a record goes by its position: its id has been used by no seed.
            Err(reason) => Err((position.to_string(), reason)),
        });
    }
    if !fields.contains_key("topics") && !fields.contains_key("knowledge_points") {
        return Err(ErrorKind::NoAnnotation(key_list(fields)));
    }
    let topics = strings(fields, "topics")?;
    let knowledge_points = strings(fields, "knowledge_points")?;
    let seed = Seed {
        id: id(fields, &["id", "qid"], position)?,
        question: text(fields, &["question", "problem"])?,
        answer: text(fields, &["answer", "solution"])?,
        solution: None,
    };
    Ok(seed_concepts(seed, topics, knowledge_points))
}

fn seed_concepts(seed: Seed, topics: Vec<String>, knowledge_points: Vec<String>) -> Read {
    let named = || {
        if topics.is_empty() && knowledge_points.is_empty() {
            return Err("it names no concept".to_string());
        }
        let topics = names(topics, "topic")?;
        Ok((topics, names(knowledge_points, "knowledge point")?))
    };
    match named() {
        Ok((topics, knowledge_points)) => Ok(SeedConcepts {
            seed,
            topics,
            knowledge_points,
        }),
        Err(reason) => Err((seed.id, reason)),
    }
}
