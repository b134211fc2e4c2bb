//! What a concept is joined with, and how likely a walk goes there.

use serde::Serialize;

use super::{EPSILON, Graph, Kind, edge_weight};
use crate::concept;

/// A concept and what it is joined with.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Neighbourhood {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: Kind,
    /// Seeds that have it.
    pub seeds: u32,
    /// Its neighbours among the topics, the likeliest first.
    pub topics: Vec<Neighbour>,
    /// Its neighbours among the knowledge points, the likeliest first.
    pub knowledge_points: Vec<Neighbour>,
}

/// A neighbour of a concept.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Neighbour {
    /// Its name.
    pub name: String,
    /// Seeds that have both.
    pub seeds: u32,
    /// f = ln(seeds + ε).
    pub weight: f64,
    /// How likely a step from the concept into this sub-graph goes here, in 0..=1.
    pub probability: f64,
}

/// A name that no concept has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no concept is called {name:?}{}", Hint(similar))]
pub struct UnknownConcept {
    /// What was asked for.
    pub name: String,
    /// Names that contain it, or that share the most words with it.
    pub similar: Vec<String>,
}

struct Hint<'a>(&'a [String]);

impl std::fmt::Display for Hint<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, name) in self.0.iter().enumerate() {
            write!(
                f,
                "{}\"{name}\"",
                if index == 0 { " (is it " } else { ", " }
            )?;
        }
        f.write_str(if self.0.is_empty() { "" } else { "?)" })
    }
}

impl Graph {
    /// The neighbourhood of every concept of that name, case and white space apart: a topic, a knowledge point,
    /// or one of each.
    ///
    /// # Errors
    /// There is none; with similar names.
    pub fn neighbourhoods(&self, name: &str) -> Result<Vec<Neighbourhood>, UnknownConcept> {
        let found: Vec<Neighbourhood> = self
            .find(name)
            .map(|(kind, id)| self.neighbourhood(kind, id))
            .collect();
        match found.is_empty() {
            false => Ok(found),
            true => Err(UnknownConcept {
                name: name.chars().take(concept::MAX_NAME_CHARS).collect(),
                similar: self.similar_names(name),
            }),
        }
    }

    /// The concepts of that name, case and white space apart.
    pub(crate) fn find(&self, name: &str) -> impl Iterator<Item = (Kind, u32)> + '_ {
        let key = concept::canonical(name)
            .map(|canonical| concept::case_key(&canonical))
            .unwrap_or_default();
        let of_kind = move |kind| {
            let key = key.clone();
            let ids = self
                .concepts(kind)
                .iter()
                .enumerate()
                .filter(move |(_, own)| concept::case_key(&own.name) == key);
            ids.map(move |(id, _)| (kind, id as u32))
        };
        Kind::ALL.into_iter().flat_map(of_kind)
    }

    fn neighbourhood(&self, kind: Kind, id: u32) -> Neighbourhood {
        let own = &self.concepts(kind)[id as usize];
        Neighbourhood {
            name: own.name.clone(),
            kind,
            seeds: own.seeds,
            topics: self.neighbours(kind, id, Kind::Topic),
            knowledge_points: self.neighbours(kind, id, Kind::KnowledgePoint),
        }
    }

    fn neighbours(&self, from: Kind, id: u32, to: Kind) -> Vec<Neighbour> {
        let links = self.links(from, to);
        let total: f64 = links
            .neighbours(id)
            .map(|(_, seeds)| f64::from(seeds) + EPSILON)
            .sum();
        let neighbour = |(target, seeds): (u32, u32)| Neighbour {
            name: self.concepts(to)[target as usize].name.clone(),
            seeds,
            weight: edge_weight(seeds),
            probability: (f64::from(seeds) + EPSILON) / total,
        };
        let mut found: Vec<Neighbour> = links.neighbours(id).map(neighbour).collect();
        // Stable: equally likely ones stay in the order of their names.
        found.sort_by_key(|neighbour| std::cmp::Reverse(neighbour.seeds));
        found
    }

    /// At most five names that contain the text, or else share the most words with it.
    fn similar_names(&self, name: &str) -> Vec<String> {
        const MAX_NAMES: usize = 5;
        let key = concept::case_key(name.trim());
        let words: Vec<&str> = key.split_whitespace().collect();
        let mut found: Vec<(usize, &str)> = Kind::ALL
            .into_iter()
            .flat_map(|kind| self.concepts(kind))
            .filter_map(|own| {
                let own_key = concept::case_key(&own.name);
                let shared = own_key
                    .split_whitespace()
                    .filter(|word| words.contains(word))
                    .count();
                let contains = !key.is_empty() && own_key.contains(&key);
                (contains || shared > 0).then_some((
                    if contains { usize::MAX } else { shared },
                    own.name.as_str(),
                ))
            })
            .collect();
        found.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
        found.dedup();
        found
            .into_iter()
            .take(MAX_NAMES)
            .map(|(_, name)| name.to_string())
            .collect()
    }
}
