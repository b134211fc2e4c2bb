//! Steps in a sub-graph, by alias tables: one number drawn and one place looked up, however many
//! neighbours there are (M. D. Vose, "A linear algorithm for generating random numbers with a given
//! distribution", 1991).

use super::random::Draws;
use crate::graph::{EPSILON, Links};

/// A table for each concept that edges go from.
#[derive(Clone, Debug)]
pub(crate) struct Steps {
    /// Where the slots of each concept begin, and the end.
    offsets: Vec<u32>,
    slots: Vec<Slot>,
}

/// Below `threshold` (in units of 2⁻³² of a slot) the step goes to `own`, else to `other`.
#[derive(Clone, Copy, Debug)]
struct Slot {
    threshold: u32,
    own: u32,
    other: u32,
}

impl Steps {
    /// # Panics
    /// With 2³² edges or more, which no memory holds.
    pub(crate) fn of(links: &Links) -> Self {
        let mut slots = Vec::with_capacity(links.len());
        let mut offsets = vec![0];
        for concept in 0..links.concepts() as u32 {
            let neighbours: Vec<(u32, f64)> = links
                .neighbours(concept)
                .map(|(to, seeds)| (to, f64::from(seeds) + EPSILON))
                .collect();
            slots.extend(table(&neighbours));
            offsets.push(u32::try_from(slots.len()).expect("fewer than 2³² edges"));
        }
        Self { offsets, slots }
    }

    /// A step from a concept; `None` where it has no neighbour.
    #[inline]
    pub(crate) fn step(&self, from: u32, draws: &mut Draws) -> Option<u32> {
        let slots = &self.slots
            [self.offsets[from as usize] as usize..self.offsets[from as usize + 1] as usize];
        if slots.is_empty() {
            return None;
        }
        // One number for both: the slot, and with what is left of it the place within the slot.
        let (index, within) = draws.below(slots.len() as u32);
        let slot = slots[index as usize];
        Some(if ((within >> 32) as u32) < slot.threshold {
            slot.own
        } else {
            slot.other
        })
    }
}

/// Vose's method: slots of equal size, each shared by at most two neighbours.
fn table(neighbours: &[(u32, f64)]) -> Vec<Slot> {
    // In the order of the ids and on one thread: sums of floats depend on the order, and the same
    // graph must give the same tables everywhere.
    let total: f64 = neighbours.iter().map(|(_, weight)| weight).sum();
    let mut shares: Vec<f64> = neighbours
        .iter()
        .map(|(_, weight)| weight * neighbours.len() as f64 / total)
        .collect();
    let mut slots: Vec<Slot> = neighbours
        .iter()
        .map(|&(own, _)| Slot {
            threshold: u32::MAX,
            own,
            other: own,
        })
        .collect();
    let (mut small, mut large): (Vec<usize>, Vec<usize>) =
        (0..shares.len()).partition(|&at| shares[at] < 1.0);
    // What is left of either list at the end fills its slot, up to rounding: threshold and other
    // say so already.
    while let (Some(poor), Some(&rich)) = (small.pop(), large.last()) {
        // Below 2³² and not negative: what is in `small` is below 1, and a rich one gives away at
        // most 1.
        slots[poor].threshold = (shares[poor] * 2f64.powi(32)) as u32;
        slots[poor].other = slots[rich].own;
        shares[rich] -= 1.0 - shares[poor];
        if shares[rich] < 1.0 {
            large.pop();
            small.push(rich);
        }
    }
    slots
}

#[cfg(test)]
mod tests {
    use statrs::distribution::{ChiSquared, ContinuousCDF};

    use super::super::random::Blocks;
    use super::*;
    use crate::graph::{Graph, Kind};
    use crate::records::Extraction;

    /// 40 seeds over 6 topics and 9 KPs, with frequencies that fall off.
    fn graph() -> Graph {
        let mut blocks = Blocks::from_walk(3, 0);
        let mut name = |kinds: &[&str]| {
            let mut draws = blocks.next();
            let square = draws.below(1000).0 as usize * draws.below(1000).0 as usize;
            kinds[square * kinds.len() / 1_000_000].to_string()
        };
        let topics = ["a", "b", "c", "d", "e", "f"];
        let kps = ["p", "q", "r", "s", "t", "u", "v", "w", "x"];
        let seed = |n: usize, name: &mut dyn FnMut(&[&str]) -> String| Extraction {
            id: n.to_string(),
            topics: vec![name(&topics), name(&topics)],
            knowledge_points: (0..=n % 5).map(|_| name(&kps)).collect(),
        };
        Graph::of(&(0..40).map(|n| seed(n, &mut name)).collect::<Vec<_>>())
    }

    /// Chi-square over all edges of all three sub-graphs: the numbers of steps against exp f / Σ
    /// exp f.
    #[test]
    fn steps_agree_with_the_formula() {
        const STEPS: u32 = 200_000;
        let graph = graph();
        let (mut statistic, mut freedom, mut edges) = (0.0, 0.0, 0);
        for (number, (from, to)) in Kind::PAIRS.into_iter().enumerate() {
            let links = graph.links(from, to);
            let steps = Steps::of(links);
            for concept in 0..links.concepts() as u32 {
                let first = (u64::from(concept) << 2 | number as u64) << 32;
                let mut blocks = Blocks::from_walk(11, first);
                let mut counts = vec![0u32; graph.concepts(to).len()];
                for _ in 0..STEPS {
                    match steps.step(concept, &mut blocks.next()) {
                        Some(next) => counts[next as usize] += 1,
                        None => assert_eq!(links.degree(concept), 0),
                    }
                }
                let weights = links
                    .neighbours(concept)
                    .map(|(_, seeds)| crate::edge_weight(seeds).exp());
                let total: f64 = weights.sum();
                let mut seen = 0;
                for (next, seeds) in links.neighbours(concept) {
                    let expected = f64::from(STEPS) * crate::edge_weight(seeds).exp() / total;
                    statistic += (f64::from(counts[next as usize]) - expected).powi(2) / expected;
                    seen += counts[next as usize];
                    edges += 1;
                }
                assert_eq!(
                    seen,
                    if links.degree(concept) > 0 { STEPS } else { 0 },
                    "a step to what is no neighbour"
                );
                freedom += links.degree(concept).saturating_sub(1) as f64;
            }
        }
        assert!(edges > 80 && freedom > 60.0, "{edges} edges");
        // Fixed numbers: this passes or fails for ever. One in ten thousand right generators would
        // fail.
        let p = 1.0 - ChiSquared::new(freedom).unwrap().cdf(statistic);
        assert!(
            p > 1e-4 && p < 1.0 - 1e-4,
            "chi-square {statistic} with {freedom} degrees of freedom, p = {p}"
        );
    }

    #[test]
    fn slots_hold_exactly_what_each_neighbour_is_due() {
        let graph = graph();
        for from in Kind::ALL {
            for to in Kind::ALL {
                let links = graph.links(from, to);
                let steps = Steps::of(links);
                for concept in 0..links.concepts() as u32 {
                    let slots = &steps.slots[steps.offsets[concept as usize] as usize
                        ..steps.offsets[concept as usize + 1] as usize];
                    let mut shares = vec![0.0; graph.concepts(to).len()];
                    for slot in slots {
                        let own = if slot.threshold == u32::MAX {
                            1.0
                        } else {
                            f64::from(slot.threshold) / 2f64.powi(32)
                        };
                        shares[slot.own as usize] += own / slots.len() as f64;
                        shares[slot.other as usize] += (1.0 - own) / slots.len() as f64;
                    }
                    let total: f64 = links
                        .neighbours(concept)
                        .map(|(_, seeds)| f64::from(seeds) + EPSILON)
                        .sum();
                    for (next, seeds) in links.neighbours(concept) {
                        let due = (f64::from(seeds) + EPSILON) / total;
                        assert!(
                            (shares[next as usize] - due).abs() < 1e-8,
                            "{} for {due}",
                            shares[next as usize]
                        );
                    }
                }
            }
        }
    }
}
