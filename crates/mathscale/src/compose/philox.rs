//! Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC
//! 2011): a block cipher over a counter. Any number of any stream is computed alone, so threads can
//! share the work in any way.

/// A stream of random numbers: the one of number `stream` under a seed.
#[derive(Clone, Debug)]
pub(crate) struct Philox {
    key: [u32; 2],
    counter: [u32; 4],
    /// The second half of the last block, where it was not handed out yet.
    half: Option<u64>,
}

impl Philox {
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let [seed, stream] = [seed, stream].map(|number| [number as u32, (number >> 32) as u32]);
        Self {
            key: seed,
            counter: [0, 0, stream[0], stream[1]],
            half: None,
        }
    }

    /// 64 bits.
    #[inline]
    pub(crate) fn next(&mut self) -> u64 {
        if let Some(half) = self.half.take() {
            return half;
        }
        let [a, b, c, d] = block(self.counter, self.key);
        // No walk draws 2³² blocks.
        self.counter[0] = self.counter[0].wrapping_add(1);
        self.half = Some(u64::from(c) | u64::from(d) << 32);
        u64::from(a) | u64::from(b) << 32
    }

    /// A number below `bound`, and where between it and the next the draw fell, in units of 2⁻⁶⁴.
    /// Every number is as likely as every other to within `bound` / 2⁶⁴.
    #[inline]
    pub(crate) fn below(&mut self, bound: u32) -> (u32, u64) {
        let product = u128::from(self.next()) * u128::from(bound);
        ((product >> 64) as u32, product as u64)
    }
}

#[inline]
fn block(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    const ROUNDS: usize = 10;
    const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
    const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
    for _ in 0..ROUNDS {
        let [a, b, c, d] = counter;
        let first = u64::from(a) * u64::from(MULTIPLIERS[0]);
        let second = u64::from(c) * u64::from(MULTIPLIERS[1]);
        counter = [
            (second >> 32) as u32 ^ b ^ key[0],
            second as u32,
            (first >> 32) as u32 ^ d ^ key[1],
            first as u32,
        ];
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
    }
    counter
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The known answers that the authors publish with their Random123 library (`kat_vectors`).
    #[test]
    fn known_answers() {
        let vectors: [([u32; 4], [u32; 2], [u32; 4]); 3] = [
            (
                [0; 4],
                [0; 2],
                [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8],
            ),
            (
                [u32::MAX; 4],
                [u32::MAX; 2],
                [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd],
            ),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ];
        for (counter, key, expected) in vectors {
            assert_eq!(block(counter, key), expected);
        }
    }

    #[test]
    fn streams_and_seeds_differ_and_repeat() {
        let numbers = |seed, stream| {
            let mut philox = Philox::new(seed, stream);
            [(); 5].map(|()| philox.next())
        };
        assert_eq!(numbers(7, 1 << 40), numbers(7, 1 << 40));
        assert_ne!(numbers(7, 1), numbers(7, 2));
        assert_ne!(numbers(7, 1), numbers(8, 1));
        assert_ne!(numbers(1 << 33, 1), numbers(0, 1));
    }
}
