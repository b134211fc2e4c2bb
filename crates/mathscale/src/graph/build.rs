//! Extractions to a graph: every two concepts of one seed are joined.

use std::collections::{BTreeMap, BTreeSet};

use super::links::{Edge, Links};
use super::{Concept, Graph};
use crate::records::Extraction;

impl Graph {
    /// The graph of these extractions, a seed each. A concept that a seed names twice counts once.
    ///
    /// # Panics
    /// With 2³² concepts or seeds, which no memory holds.
    pub fn of(extractions: &[Extraction]) -> Self {
        let topics = concepts(
            extractions
                .iter()
                .map(|extraction| extraction.topics.as_slice()),
        );
        let kps = concepts(
            extractions
                .iter()
                .map(|extraction| extraction.knowledge_points.as_slice()),
        );
        let [mut topic_topic, mut topic_kp, mut kp_topic, mut kp_kp]: [Vec<(u32, u32)>; 4] =
            Default::default();
        for extraction in extractions {
            let seed_topics = ids(&topics, &extraction.topics);
            let seed_kps = ids(&kps, &extraction.knowledge_points);
            for &u in &seed_topics {
                topic_topic.extend(seed_topics.iter().filter(|&&v| v != u).map(|&v| (u, v)));
                topic_kp.extend(seed_kps.iter().map(|&v| (u, v)));
                kp_topic.extend(seed_kps.iter().map(|&v| (v, u)));
            }
            for &u in &seed_kps {
                kp_kp.extend(seed_kps.iter().filter(|&&v| v != u).map(|&v| (u, v)));
            }
        }
        let listed = |concepts: BTreeMap<&str, (u32, u32)>| -> Vec<Concept> {
            concepts
                .into_iter()
                .map(|(name, (_, seeds))| Concept {
                    name: name.to_string(),
                    seeds,
                })
                .collect()
        };
        Self {
            seeds: extractions.len() as u64,
            topic_topic: Links::of(topics.len(), &counted(topic_topic)),
            topic_kp: Links::of(topics.len(), &counted(topic_kp)),
            kp_topic: Links::of(kps.len(), &counted(kp_topic)),
            kp_kp: Links::of(kps.len(), &counted(kp_kp)),
            topics: listed(topics),
            knowledge_points: listed(kps),
        }
    }
}

/// Each name with its id and the number of seeds that have it.
fn concepts<'a>(seeds: impl Iterator<Item = &'a [String]>) -> BTreeMap<&'a str, (u32, u32)> {
    let mut found: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    for names in seeds {
        for name in names.iter().map(String::as_str).collect::<BTreeSet<_>>() {
            found.entry(name).or_default().1 += 1;
        }
    }
    // In the order of the map: ids are numbered by name, and sorted ids are sorted names.
    for (id, concept) in found.values_mut().enumerate() {
        concept.0 = u32::try_from(id).expect("fewer than 2³² concepts");
    }
    found
}

/// The ids of a seed's concepts, each once.
fn ids(concepts: &BTreeMap<&str, (u32, u32)>, names: &[String]) -> BTreeSet<u32> {
    names.iter().map(|name| concepts[name.as_str()].0).collect()
}

/// Equal pairs to one edge with their number.
fn counted(mut pairs: Vec<(u32, u32)>) -> Vec<Edge> {
    pairs.sort_unstable();
    pairs
        .chunk_by(|a, b| a == b)
        // One pair a seed, as its ids are a set: no more pairs than seeds.
        .map(|equal| (equal[0].0, equal[0].1, equal.len() as u32))
        .collect()
}
