//! The random numbers of a walk: a block of ChaCha8 each.
//!
//! A walk draws at most eight numbers of 64 bits, which is what a block of ChaCha holds. Walk i
//! draws from block i under the seed: any walk can be made alone, so threads can share the work in
//! any way, and walks in a row cost a block each. A stream for each walk would cost four blocks, as
//! the generator makes four at a time.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Numbers that a walk may draw: one for its length, two among topics, five among KPs.
const MAX_DRAWS: usize = 8;
/// 32-bit words of a block.
const BLOCK_WORDS: u128 = 16;

/// The blocks from that of a walk on.
#[derive(Clone, Debug)]
pub(crate) struct Blocks(ChaCha8Rng);

/// The numbers of one walk.
#[derive(Clone, Debug)]
pub(crate) struct Draws {
    numbers: [u64; MAX_DRAWS],
    next: usize,
}

impl Blocks {
    pub(crate) fn from_walk(seed: u64, walk: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        // No overflow: the product has at most 68 bits.
        random.set_word_pos(u128::from(walk) * BLOCK_WORDS);
        Self(random)
    }

    /// The numbers of the next walk.
    #[inline]
    pub(crate) fn next(&mut self) -> Draws {
        Draws {
            // All eight, used or not: the next walk begins with the next block.
            numbers: std::array::from_fn(|_| self.0.next_u64()),
            next: 0,
        }
    }
}

impl Draws {
    /// A number below `bound`, and where between it and the next the draw fell, in units of 2⁻⁶⁴.
    /// Every number is as likely as every other to within `bound` / 2⁶⁴.
    ///
    /// # Panics
    /// At the ninth draw.
    #[inline]
    pub(crate) fn below(&mut self, bound: u32) -> (u32, u64) {
        let number = self.numbers[self.next];
        self.next += 1;
        // Without rejection, which would need a ninth number now and then.
        let product = u128::from(number) * u128::from(bound);
        ((product >> 64) as u32, product as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_draws_the_same_whether_alone_or_in_a_row() {
        let mut row = Blocks::from_walk(7, 1 << 40);
        for walk in (1 << 40)..(1 << 40) + 9 {
            let alone = Blocks::from_walk(7, walk).next().numbers;
            assert_eq!(row.next().numbers, alone, "walk {walk}");
        }
    }

    #[test]
    fn walks_and_seeds_differ() {
        let numbers = |seed, walk| Blocks::from_walk(seed, walk).next().numbers;
        assert_ne!(numbers(7, 1), numbers(7, 2));
        assert_ne!(numbers(7, 1), numbers(8, 1));
        assert_ne!(numbers(1 << 33, 1), numbers(0, 1));
        assert_ne!(numbers(7, 1), numbers(7, 1 << 63 | 1));
    }
}
