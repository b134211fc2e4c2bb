//! `graph.json`: concepts by kind, and edges as `[from, to, seeds]` with positions in those lists.

use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use store::FileError;

use super::links::Edge;
use super::parts::Parts;
use super::{Concept, Graph, Kind};
use crate::error::{Error, ErrorKind};

/// Version of the file.
const SCHEMA: &str = "mwpbench.mathscale.graph.v1";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    schema: String,
    epsilon: f64,
    seeds: u64,
    topics: Vec<Concept>,
    knowledge_points: Vec<Concept>,
    topic_topic: Vec<Edge>,
    topic_kp: Vec<Edge>,
    kp_kp: Vec<Edge>,
}

impl Graph {
    /// Writes it as JSON.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_json(&self, mut out: impl Write) -> io::Result<()> {
        let edges = |from, to| self.edges_once(from, to).collect();
        let form = Form {
            schema: SCHEMA.to_string(),
            epsilon: super::EPSILON,
            seeds: self.seeds,
            topics: self.topics.clone(),
            knowledge_points: self.knowledge_points.clone(),
            topic_topic: edges(Kind::Topic, Kind::Topic),
            topic_kp: edges(Kind::Topic, Kind::KnowledgePoint),
            kp_kp: edges(Kind::KnowledgePoint, Kind::KnowledgePoint),
        };
        serde_json::to_writer(&mut out, &form)?;
        out.write_all(b"\n")
    }

    /// Reads it from JSON, checked.
    ///
    /// # Errors
    /// A file that cannot be read, of another version, or that holds no graph.
    pub fn read_json(file: &Path) -> Result<Self, Error> {
        let corrupt = |message| Error::in_file(file, ErrorKind::Corrupt(message));
        let bytes = std::fs::read(file).map_err(FileError::unreadable(file))?;
        let form: Form = serde_json::from_slice(&bytes)
            .map_err(|error| corrupt(format!("not a concept graph: {error}")))?;
        if form.schema != SCHEMA {
            return Err(corrupt(format!(
                "written as \"{}\", this program reads \"{SCHEMA}\"",
                form.schema
            )));
        }
        // The weights of the file are counts: what they mean to a walk depends on ε.
        if form.epsilon != super::EPSILON {
            return Err(corrupt(format!(
                "\"epsilon\" is {}, this program walks with {}",
                form.epsilon,
                super::EPSILON
            )));
        }
        let edges = |from: Kind, to: Kind, edges: Vec<Edge>| {
            edges
                .into_iter()
                .map(move |(u, v, weight)| ((from, u as usize), (to, v as usize), weight))
        };
        let parts = Parts {
            seeds: form.seeds,
            topics: form.topics,
            knowledge_points: form.knowledge_points,
            edges: edges(Kind::Topic, Kind::Topic, form.topic_topic)
                .chain(edges(Kind::Topic, Kind::KnowledgePoint, form.topic_kp))
                .chain(edges(
                    Kind::KnowledgePoint,
                    Kind::KnowledgePoint,
                    form.kp_kp,
                ))
                .collect(),
        };
        parts.assemble().map_err(corrupt)
    }
}
