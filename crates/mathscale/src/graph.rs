//! The concept graph (paper, section 3.2): topics and knowledge points, joined where a seed yielded
//! both.
//!
//! Three weighted sub-graphs: topic–topic, topic–KP, KP–KP. With w the number of seeds that yielded
//! both ends, an edge weighs f = ln(w + ε), and a step from u goes to a neighbour v with
//! probability exp f(u,v) / Σ exp f(u,·), which is (w + ε) / Σ (w + ε). Only w is stored. Concepts
//! are in the order of their names, so that sorted ids are sorted names.

mod build; // extractions → graph
mod components; // what hangs together
mod graphml; // GraphML, written and read
mod json; // graph.json, written and read
mod links; // one sub-graph, compactly
mod neighbours; // what a concept is joined with
mod parts; // a graph before its order and its references are checked
mod picture; // the neighbourhood of a concept as SVG
mod stage; // mwpbench mathscale graph
mod stats; // sizes, degrees, components, heaviest edges

use serde::{Deserialize, Serialize};

pub use links::Links;
pub use neighbours::{Neighbour, Neighbourhood, UnknownConcept};
pub use picture::PictureOptions;
pub use stage::{GraphOutcome, GraphPlan, graph};
pub use stats::{Degrees, GraphStats, HeavyEdge, LinkStats};

/// ε of the edge weight ln(w + ε).
pub const EPSILON: f64 = 1e-5;

/// Which kind of concept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A subject or chapter.
    Topic,
    /// A fine-grained knowledge point.
    KnowledgePoint,
}

impl Kind {
    /// Both kinds.
    pub const ALL: [Self; 2] = [Self::Topic, Self::KnowledgePoint];

    /// As it is written in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Topic => "topic",
            Self::KnowledgePoint => "knowledge_point",
        }
    }
}

/// A node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Concept {
    /// Unique among its kind.
    pub name: String,
    /// Seeds that yielded it.
    pub seeds: u32,
}

/// The graph. Topics and KPs each have ids from 0, in the order of their names (by bytes).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Graph {
    seeds: u64,
    topics: Vec<Concept>,
    knowledge_points: Vec<Concept>,
    topic_topic: Links,
    topic_kp: Links,
    kp_topic: Links,
    kp_kp: Links,
}

impl Graph {
    /// Seeds that it was made of, those without a concept included.
    pub fn seeds(&self) -> u64 {
        self.seeds
    }

    /// The topics by id.
    pub fn topics(&self) -> &[Concept] {
        &self.topics
    }

    /// The KPs by id.
    pub fn knowledge_points(&self) -> &[Concept] {
        &self.knowledge_points
    }

    /// The concepts of a kind by id.
    pub fn concepts(&self, kind: Kind) -> &[Concept] {
        match kind {
            Kind::Topic => &self.topics,
            Kind::KnowledgePoint => &self.knowledge_points,
        }
    }

    /// The edges from concepts of one kind to those of another. Edges within a kind are there in
    /// both directions.
    pub fn links(&self, from: Kind, to: Kind) -> &Links {
        match (from, to) {
            (Kind::Topic, Kind::Topic) => &self.topic_topic,
            (Kind::Topic, Kind::KnowledgePoint) => &self.topic_kp,
            (Kind::KnowledgePoint, Kind::Topic) => &self.kp_topic,
            (Kind::KnowledgePoint, Kind::KnowledgePoint) => &self.kp_kp,
        }
    }

    /// Edges in all, each counted once.
    pub fn edges(&self) -> usize {
        self.topic_topic.len() / 2 + self.topic_kp.len() + self.kp_kp.len() / 2
    }
}

/// What an edge weighs: f = ln(w + ε), for w seeds that yielded both ends.
pub fn edge_weight(seeds: u32) -> f64 {
    (f64::from(seeds) + EPSILON).ln()
}
