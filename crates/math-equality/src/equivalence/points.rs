//! Seeded points: where expressions are evaluated, the same on every run and machine.

use dashu_ratio::RBig;

use crate::expr::Symbol;

/// Where a point lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Region {
    /// Reals from about 0.1 to 10: where answers of the school are meant to hold.
    Positive,
    /// Reals in (0, 1), for functions defined there only.
    Unit,
    /// Integers from 1 to 12, for factorials and sums up to a symbol.
    Integers,
    /// Integers from 1 to 48, one after the other for a single symbol.
    Counted,
    /// Negative reals from about −10 to −0.1.
    Negative,
    /// Complex numbers with parts from −3 to 3.
    Plane,
}

// `mwpbench` in ASCII; another number would do as well, but may move a verdict.
const SEED: u64 = 0x6d77_7062_656e_6368;

/// Ends of the ranges that positive coordinates are drawn from in turn, in sixteenths: different
/// magnitudes, and both signs of the circular functions.
const RANGES: [(i64, i64); 6] = [(16, 48), (2, 16), (54, 94), (5, 32), (104, 160), (26, 72)];

/// Real and imaginary part of a coordinate: that of the symbol at this place in the sorted list of
/// all. Fractions with a short power of two as denominator, so that they are exact in every
/// arithmetic.
pub(super) fn coordinate(region: Region, point: usize, symbol: usize) -> (RBig, RBig) {
    // The fields do not overlap, so that no two coordinates draw from one stream.
    let stream = SEED ^ ((region as u64) << 48) ^ ((point as u64) << 24) ^ symbol as u64;
    let draw = mix(stream);
    match region {
        Region::Positive | Region::Negative => {
            // At one point neighbouring symbols lie in different ranges: large beside small.
            let (low, high) = RANGES[(point + symbol) % RANGES.len()];
            let magnitude = dyadic(low << 12, high << 12, draw);
            (
                if region == Region::Negative {
                    -magnitude
                } else {
                    magnitude
                },
                RBig::ZERO,
            )
        }
        Region::Unit => (dyadic(1 << 12, 15 << 12, draw), RBig::ZERO),
        Region::Integers => (RBig::from(1 + draw % 12), RBig::ZERO),
        Region::Counted => (
            RBig::from(1 + (point as u64 + 7 * symbol as u64) % 48),
            RBig::ZERO,
        ),
        Region::Plane => (
            dyadic(-48 << 12, 48 << 12, draw),
            dyadic(-48 << 12, 48 << 12, mix(draw)),
        ),
    }
}

/// A fraction between `low` and `high`, both in units of 2^−16.
fn dyadic(low: i64, high: i64, draw: u64) -> RBig {
    // Odd numerators keep clear of integers and halves.
    let numerator = (low + (draw % (high - low) as u64) as i64) | 1;
    RBig::from_parts(numerator.into(), (1u32 << 16).into())
}

/// The finalizer of SplitMix64 (Steele, Lea and Flood, 2014).
pub(super) fn mix(seed: u64) -> u64 {
    let mut state = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

/// What an unknown function is called with, as a number that stands for its value.
pub(super) struct Hash(u64);

impl Hash {
    pub(super) fn new(name: &Symbol) -> Self {
        let mut hash = Self(SEED);
        hash.text(&name.0);
        hash
    }

    pub(super) fn text(&mut self, text: &str) {
        self.0 = text
            .bytes()
            .fold(mix(self.0), |hash, byte| mix(hash ^ u64::from(byte)));
    }

    /// Takes an argument, by its first nine digits: arguments computed on two ways agree in more.
    pub(super) fn number(&mut self, re: f64, im: f64) {
        for part in [re, im] {
            let part = if part.abs() < 1e-12 { 0.0 } else { part };
            self.text(&format!("{part:.8e}"));
        }
    }

    /// The value: a positive fraction between 1/2 and 9/2.
    pub(super) fn value(&self) -> RBig {
        dyadic(8 << 12, 72 << 12, self.0)
    }
}
