//! The concept graph (paper, section 3.2): topics and knowledge points (KPs), joined where a seed
//! has both.
//!
//! Three weighted sub-graphs: topic–topic, topic–KP, KP–KP. With w the number of seeds that have
//! both ends, an edge weighs f = ln(w + ε), and a step from u goes to a neighbour v with
//! probability exp f(u,v) / Σ exp f(u,·), which is (w + ε) / Σ (w + ε). Only w is stored. Concepts
//! are in the order of their names, so that sorted ids are sorted names.

mod build; // extractions → graph
mod components; // connected components
mod graphml; // GraphML for other programs
mod json; // graph.json, written and read
mod links; // one sub-graph in compressed sparse rows
mod neighbours; // what a concept is joined with
mod parts; // a graph before its order and its references are checked
mod stage; // mwpbench mathscale graph
mod stats; // sizes, degrees, components, heaviest edges

use serde::{Deserialize, Serialize};

use links::Edge;
pub use links::Links;
pub use neighbours::{Neighbour, Neighbourhood, UnknownConcept};
pub use stage::{GraphOutcome, GraphPlan, GraphWarnings, graph};
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

    /// The sub-graphs, by the kinds that they join.
    pub const PAIRS: [(Self, Self); 3] = [
        (Self::Topic, Self::Topic),
        (Self::Topic, Self::KnowledgePoint),
        (Self::KnowledgePoint, Self::KnowledgePoint),
    ];

    /// Its name in files.
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
    /// Seeds that have it.
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

    /// The edges of a sub-graph, each once, sorted.
    pub(crate) fn edges_once(&self, from: Kind, to: Kind) -> impl Iterator<Item = Edge> + '_ {
        let edges = self.links(from, to).edges();
        edges.filter(move |&(u, v, _)| from != to || u < v)
    }
}

/// The weight of an edge: f = ln(w + ε), for w seeds that have both ends.
pub fn edge_weight(seeds: u32) -> f64 {
    (f64::from(seeds) + EPSILON).ln()
}
