//! Connected components, by union and find.

/// Which of some nodes are joined, directly or through others.
pub(crate) struct Components {
    parents: Vec<u32>,
}

impl Components {
    /// No two of `nodes` are joined.
    pub(crate) fn new(nodes: usize) -> Self {
        Self {
            parents: (0..nodes as u32).collect(),
        }
    }

    pub(crate) fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        // A root that is joined with itself stays its own parent.
        self.parents[a.max(b) as usize] = a.min(b);
    }

    /// Sizes of the components, the largest first.
    pub(crate) fn sizes(mut self) -> Vec<usize> {
        let mut sizes = vec![0; self.parents.len()];
        for node in 0..self.parents.len() as u32 {
            sizes[self.root(node) as usize] += 1;
        }
        sizes.retain(|&size| size > 0);
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        sizes
    }

    fn root(&mut self, mut node: u32) -> u32 {
        while self.parents[node as usize] != node {
            // Path halving: what lies on the way is moved up, so that the next search is shorter.
            let above = self.parents[self.parents[node as usize] as usize];
            self.parents[node as usize] = above;
            node = above;
        }
        node
    }
}
