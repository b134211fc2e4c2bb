//! How large a graph is and how it hangs together.

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
    /// KPs.
    pub knowledge_points: usize,
    /// The three sub-graphs: topic–topic, topic–KP, KP–KP.
    pub links: [LinkStats; 3],
    /// Sizes of the connected components of the whole graph, in concepts, the largest first.
    pub components: Vec<usize>,
    /// Topics that are joined with no KP.
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
    pub least: usize,
    /// The lower median.
    pub median: usize,
    /// The mean; 0 without concepts.
    pub mean: f64,
    /// The most.
    pub most: usize,
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
    /// Seeds that yielded both.
    pub seeds: u32,
    /// ln(seeds + ε).
    pub weight: f64,
}

impl Graph {
    /// The figures, with at most `heaviest` edges of each sub-graph.
    pub fn stats(&self, heaviest: usize) -> GraphStats {
        let kinds = [
            (Kind::Topic, Kind::Topic),
            (Kind::Topic, Kind::KnowledgePoint),
            (Kind::KnowledgePoint, Kind::KnowledgePoint),
        ];
        let without_kp =
            (0..self.topics.len() as u32).filter(|&topic| self.topic_kp.degree(topic) == 0);
        GraphStats {
            seeds: self.seeds,
            topics: self.topics.len(),
            knowledge_points: self.knowledge_points.len(),
            links: kinds.map(|(from, to)| self.link_stats(from, to, heaviest)),
            components: self.components(&kinds),
            topics_without_kp: without_kp.count(),
            total_weight: kinds
                .iter()
                .flat_map(|&(from, to)| self.once(from, to))
                .map(|edge| u64::from(edge.2))
                .sum(),
        }
    }

    /// The edges of a sub-graph, each once.
    fn once(&self, from: Kind, to: Kind) -> impl Iterator<Item = super::links::Edge> + '_ {
        self.links(from, to)
            .edges()
            .filter(move |&(u, v, _)| from != to || u < v)
    }

    fn link_stats(&self, from: Kind, to: Kind, heaviest: usize) -> LinkStats {
        let mut edges: Vec<_> = self.once(from, to).collect();
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
        let (Some(&least), Some(&most)) = (degrees.first(), degrees.last()) else {
            return Degrees::default();
        };
        Degrees {
            least,
            median: degrees[(degrees.len() - 1) / 2],
            mean: links.len() as f64 / degrees.len() as f64,
            most,
            isolated: degrees.iter().take_while(|&&degree| degree == 0).count(),
        }
    }

    /// Components of the concepts of the kinds that these sub-graphs join.
    fn components(&self, kinds: &[(Kind, Kind)]) -> Vec<usize> {
        let has = |kind| kinds.iter().any(|&(from, to)| from == kind || to == kind);
        let topics = if has(Kind::Topic) {
            self.topics.len()
        } else {
            0
        };
        let kps = if has(Kind::KnowledgePoint) {
            self.knowledge_points.len()
        } else {
            0
        };
        let place = |kind, id: u32| {
            if kind == Kind::Topic {
                id
            } else {
                topics as u32 + id
            }
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
