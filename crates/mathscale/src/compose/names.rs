//! Compositions as lines of JSON, names escaped once.

use super::walk::{Id, Key};
use crate::graph::{Concept, Graph};
use crate::records::Composition;

/// The names of a graph's concepts as JSON strings.
pub(crate) struct Names {
    topics: Strings,
    kps: Strings,
}

struct Strings {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Strings {
    fn of(concepts: &[Concept]) -> Self {
        let mut strings = Self {
            bytes: Vec::new(),
            ends: vec![0],
        };
        for concept in concepts {
            serde_json::to_writer(&mut strings.bytes, &concept.name)
                .expect("writing to memory succeeds");
            strings.ends.push(strings.bytes.len());
        }
        strings
    }

    #[inline]
    fn list(&self, ids: impl Iterator<Item = u32>, out: &mut Vec<u8>) {
        for (number, id) in ids.enumerate() {
            if number > 0 {
                out.push(b',');
            }
            out.extend_from_slice(&self.bytes[self.ends[id as usize]..self.ends[id as usize + 1]]);
        }
    }
}

impl Names {
    pub(crate) fn of(graph: &Graph) -> Self {
        Self {
            topics: Strings::of(graph.topics()),
            kps: Strings::of(graph.knowledge_points()),
        }
    }

    /// Adds a line for each.
    pub(crate) fn lines<I: Id>(&self, keys: &[Key<I>], out: &mut Vec<u8>) {
        for key in keys {
            out.extend_from_slice(b"{\"topics\":[");
            self.topics.list(key.topics(), out);
            out.extend_from_slice(b"],\"knowledge_points\":[");
            self.kps.list(key.kps(), out);
            out.extend_from_slice(b"]}\n");
        }
    }
}

/// A composition by its names.
pub(crate) fn composition<I: Id>(graph: &Graph, key: &Key<I>) -> Composition {
    let named = |concepts: &[Concept], id: u32| concepts[id as usize].name.clone();
    Composition {
        topics: key.topics().map(|id| named(graph.topics(), id)).collect(),
        knowledge_points: key
            .kps()
            .map(|id| named(graph.knowledge_points(), id))
            .collect(),
    }
}
