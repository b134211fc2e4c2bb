//! Sizes, degrees and connected components of a graph.

use serde::Serialize;

use super::components::Components;
use super::{Graph, Kind, edge_weight};

/// The figures of a graph.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GraphStats {
    /// Seeds that it was made of.
    pub seeds: u64,
    /// Topics.
    pub topics: usize,
    /// Knowledge points.
    pub knowledge_points: usize,
    /// The three sub-graphs: topic–topic, topic–KP, KP–KP.
    pub links: [LinkStats; 3],
    /// Sizes of the connected components of the whole graph, in concepts, the largest first.
    pub components: Vec<usize>,
    /// Topics that are joined with no knowledge point.
    pub topics_without_kp: usize,
    /// The sum of all w over the three sub-graphs, each edge counted once.
    pub total_weight: u64,
}

/// The figures of a sub-graph.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LinkStats {
    /// Kind at one end.
    pub from: Kind,
    /// Kind at the other end.
    pub to: Kind,
    /// Edges, each counted once.
    pub edges: usize,
    /// Neighbours that the concepts of kind `from` have.
    pub degrees: Degrees,
    /// Connected components of the concepts of these kinds, in concepts, the largest first.
    pub components: Vec<usize>,
    /// The heaviest edges, the heaviest first.
    pub heaviest: Vec<HeavyEdge>,
}

/// How many neighbours concepts have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Degrees {
    /// The fewest.
    #[serde(rename = "least")]
    pub min: usize,
    /// The lower median.
    pub median: usize,
    /// The mean; 0 without concepts.
    pub mean: f64,
    /// The most.
    #[serde(rename = "most")]
    pub max: usize,
    /// Concepts without any.
    pub isolated: usize,
}

/// An edge by its ends.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HeavyEdge {
    /// Name of one end.
    pub from: String,
    /// Name of the other.
    pub to: String,
    /// Seeds that have both.
    pub seeds: u32,
    /// ln(seeds + ε).
    pub weight: f64,
}

impl Graph {
    /// The figures, with at most `heaviest` edges of each sub-graph.
    pub fn stats(&self, heaviest: usize) -> GraphStats {
        let without_kp =
            (0..self.topics.len() as u32).filter(|&topic| self.topic_kp.degree(topic) == 0);
        GraphStats {
            seeds: self.seeds,
            topics: self.topics.len(),
            knowledge_points: self.knowledge_points.len(),
            links: Kind::PAIRS.map(|(from, to)| self.link_stats(from, to, heaviest)),
            components: self.components(&Kind::PAIRS),
            topics_without_kp: without_kp.count(),
            total_weight: Kind::PAIRS
                .into_iter()
                .flat_map(|(from, to)| self.edges_once(from, to))
                .map(|edge| u64::from(edge.2))
                .sum(),
        }
    }

    fn link_stats(&self, from: Kind, to: Kind, heaviest: usize) -> LinkStats {
        let mut edges: Vec<_> = self.edges_once(from, to).collect();
        let count = edges.len();
        // Equal weights in the order of their names.
        edges.sort_by_key(|&(.., weight)| std::cmp::Reverse(weight));
        edges.truncate(heaviest);
        let named = |(u, v, seeds): super::links::Edge| HeavyEdge {
            from: self.concepts(from)[u as usize].name.clone(),
            to: self.concepts(to)[v as usize].name.clone(),
            seeds,
            weight: edge_weight(seeds),
        };
        LinkStats {
            from,
            to,
            edges: count,
            degrees: self.degrees(from, to),
            components: self.components(&[(from, to)]),
            heaviest: edges.into_iter().map(named).collect(),
        }
    }

    fn degrees(&self, from: Kind, to: Kind) -> Degrees {
        let links = self.links(from, to);
        let mut degrees: Vec<usize> = (0..links.concepts() as u32)
            .map(|concept| links.degree(concept))
            .collect();
        degrees.sort_unstable();
        let (Some(&min), Some(&max)) = (degrees.first(), degrees.last()) else {
            return Degrees::default();
        };
        Degrees {
            min,
            median: degrees[(degrees.len() - 1) / 2],
            mean: links.len() as f64 / degrees.len() as f64,
            max,
            isolated: degrees.iter().take_while(|&&degree| degree == 0).count(),
        }
    }

    /// Components of the concepts of the kinds that these sub-graphs join.
    fn components(&self, kinds: &[(Kind, Kind)]) -> Vec<usize> {
        let has = |kind| kinds.iter().any(|&(from, to)| from == kind || to == kind);
        let nodes = |kind| {
            if has(kind) {
                self.concepts(kind).len()
            } else {
                0
            }
        };
        let [topics, kps] = Kind::ALL.map(nodes);
        let place = |kind, id: u32| match kind {
            Kind::Topic => id,
            Kind::KnowledgePoint => topics as u32 + id,
        };
        let mut components = Components::new(topics + kps);
        for &(from, to) in kinds {
            for (u, v, _) in self.links(from, to).edges() {
                components.join(place(from, u), place(to, v));
            }
        }
        components.sizes()
    }
}
