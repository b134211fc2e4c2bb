//! One sub-graph in compressed sparse rows.

/// An edge: from, to, and the number of seeds that have both.
pub(crate) type Edge = (u32, u32, u32);

/// Edges from every concept of one kind to concepts of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Links {
    /// Where the edges of each concept begin, and the end: one more than there are concepts.
    offsets: Vec<usize>,
    targets: Vec<u32>,
    weights: Vec<u32>,
}

impl Links {
    /// From edges sorted by their ends, without repetition, of concepts below `concepts`.
    pub(crate) fn of(concepts: usize, edges: &[Edge]) -> Self {
        debug_assert!(
            edges
                .windows(2)
                .all(|pair| (pair[0].0, pair[0].1) < (pair[1].0, pair[1].1))
        );
        let mut offsets = vec![0; concepts + 1];
        for &(from, ..) in edges {
            offsets[from as usize + 1] += 1;
        }
        for at in 0..concepts {
            offsets[at + 1] += offsets[at];
        }
        Self {
            offsets,
            targets: edges.iter().map(|edge| edge.1).collect(),
            weights: edges.iter().map(|edge| edge.2).collect(),
        }
    }

    /// Concepts that edges go from.
    pub fn concepts(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Edges, each direction counted.
    pub fn len(&self) -> usize {
        self.targets.len()
    }

    /// Whether there is no edge.
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// Neighbours of a concept.
    pub fn degree(&self, from: u32) -> usize {
        self.row(from).len()
    }

    /// The neighbours of a concept in the order of their ids, each with the number of seeds that
    /// have both.
    pub fn neighbours(&self, from: u32) -> impl ExactSizeIterator<Item = (u32, u32)> + '_ {
        let row = self.row(from);
        self.targets[row.clone()]
            .iter()
            .copied()
            .zip(self.weights[row].iter().copied())
    }

    /// All edges, sorted.
    pub(crate) fn edges(&self) -> impl Iterator<Item = Edge> + '_ {
        (0..self.concepts() as u32).flat_map(|from| {
            self.neighbours(from)
                .map(move |(to, weight)| (from, to, weight))
        })
    }

    /// Where the edges of a concept stand.
    pub(crate) fn row(&self, from: u32) -> std::ops::Range<usize> {
        self.offsets[from as usize]..self.offsets[from as usize + 1]
    }
}
