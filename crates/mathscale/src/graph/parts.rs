//! A graph as a file has it: concepts and edges in any order, before anything is checked.

use std::collections::HashSet;

use super::links::{Edge, Links};
use super::{Concept, Graph, Kind};
use crate::concept;

/// Concepts and edges in any order. An edge names its ends by kind and position.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parts {
    pub(crate) seeds: u64,
    pub(crate) topics: Vec<Concept>,
    pub(crate) knowledge_points: Vec<Concept>,
    pub(crate) edges: Vec<(End, End, u32)>,
}

/// One end of an edge.
pub(crate) type End = (Kind, usize);

impl Parts {
    /// Checks everything and sorts it.
    ///
    /// # Errors
    /// What is wrong: a name twice, one that no concept may have, an edge to nowhere, to itself,
    /// twice or without weight.
    pub(crate) fn assemble(self) -> Result<Graph, String> {
        if self.topics.len().max(self.knowledge_points.len()) > u32::MAX as usize {
            return Err("more concepts than can be numbered".to_string());
        }
        let (topics, topic_ids) = ordered(self.topics, Kind::Topic)?;
        let (knowledge_points, kp_ids) = ordered(self.knowledge_points, Kind::KnowledgePoint)?;
        let id = |(kind, at): End| {
            let ids = if kind == Kind::Topic {
                &topic_ids
            } else {
                &kp_ids
            };
            ids.get(at).copied().ok_or_else(|| {
                format!(
                    "an edge goes to {} {at}, and there are {}",
                    kind.name(),
                    ids.len()
                )
            })
        };
        let name = |kind, id: u32| match kind {
            Kind::Topic => &topics[id as usize].name,
            Kind::KnowledgePoint => &knowledge_points[id as usize].name,
        };
        let [mut topic_topic, mut topic_kp, mut kp_topic, mut kp_kp]: [Vec<Edge>; 4] =
            Default::default();
        for (a, b, weight) in self.edges {
            let (u, v) = (id(a)?, id(b)?);
            if weight == 0 {
                let ends = format!("\"{}\" and \"{}\"", name(a.0, u), name(b.0, v));
                return Err(format!(
                    "the edge between {ends} has weight 0: at least one seed has to have both"
                ));
            }
            let (there, back, u, v) = match (a.0, b.0) {
                (Kind::Topic, Kind::Topic) => (&mut topic_topic, None, u, v),
                (Kind::KnowledgePoint, Kind::KnowledgePoint) => (&mut kp_kp, None, u, v),
                (Kind::Topic, Kind::KnowledgePoint) => (&mut topic_kp, Some(&mut kp_topic), u, v),
                (Kind::KnowledgePoint, Kind::Topic) => (&mut topic_kp, Some(&mut kp_topic), v, u),
            };
            there.push((u, v, weight));
            match back {
                Some(back) => back.push((v, u, weight)),
                None if u == v => {
                    return Err(format!("\"{}\" has an edge to itself", name(a.0, u)));
                }
                None => there.push((v, u, weight)),
            }
        }
        let kinds = [
            (&mut topic_topic, Kind::Topic, Kind::Topic),
            (&mut topic_kp, Kind::Topic, Kind::KnowledgePoint),
            (&mut kp_topic, Kind::KnowledgePoint, Kind::Topic),
            (&mut kp_kp, Kind::KnowledgePoint, Kind::KnowledgePoint),
        ];
        for (edges, from, to) in kinds {
            // After numbering by name, as the order of a file from elsewhere means nothing: equal
            // graphs must give equal compositions.
            edges.sort_unstable();
            if let Some(pair) = edges
                .windows(2)
                .find(|pair| (pair[0].0, pair[0].1) == (pair[1].0, pair[1].1))
            {
                return Err(format!(
                    "two edges join \"{}\" and \"{}\"",
                    name(from, pair[0].0),
                    name(to, pair[0].1)
                ));
            }
        }
        Ok(Graph {
            seeds: self.seeds,
            topic_topic: Links::of(topics.len(), &topic_topic),
            topic_kp: Links::of(topics.len(), &topic_kp),
            kp_topic: Links::of(knowledge_points.len(), &kp_topic),
            kp_kp: Links::of(knowledge_points.len(), &kp_kp),
            topics,
            knowledge_points,
        })
    }
}

/// The concepts in the order of their names, and the new place of each old one.
fn ordered(concepts: Vec<Concept>, kind: Kind) -> Result<(Vec<Concept>, Vec<u32>), String> {
    let mut places: Vec<usize> = (0..concepts.len()).collect();
    places.sort_unstable_by(|&a, &b| concepts[a].name.cmp(&concepts[b].name));
    let mut ids = vec![0; concepts.len()];
    for (id, &place) in places.iter().enumerate() {
        ids[place] = id as u32;
    }
    let mut names = HashSet::new();
    for concept in &concepts {
        let name = concept::canonical(&concept.name).map_err(|fault| {
            format!(
                "the {} \"{}\": {fault}",
                kind.name(),
                fault.excerpt(&concept.name)
            )
        })?;
        if name != concept.name {
            return Err(format!(
                "the {} {:?} has to be written {name:?}",
                kind.name(),
                concept.name
            ));
        }
        if !names.insert(&concept.name) {
            return Err(format!(
                "there are two concepts {:?} of the kind {}",
                concept.name,
                kind.name()
            ));
        }
    }
    let mut concepts: Vec<Option<Concept>> = concepts.into_iter().map(Some).collect();
    let ordered = places
        .iter()
        .filter_map(|&place| concepts[place].take())
        .collect();
    Ok((ordered, ids))
}
