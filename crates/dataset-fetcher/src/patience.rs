//! How often, how long, how much.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

/// The bounds of a download.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Attempts in a row that bring no new byte before a file is given up; at least 1.
    pub attempts: u32,
    /// Attempts in all for one file, however much each brings; at least 1.
    pub attempts_in_all: u32,
    /// The wait before the second attempt; it doubles with each attempt in vain, and a random half
    /// of it is left out.
    pub first_wait: Duration,
    /// The longest wait of our own choice.
    pub longest_wait: Duration,
    /// The longest wait that a server may ask for with `Retry-After`; where it asks for more, the
    /// file is given up.
    pub longest_asked_wait: Duration,
    /// How long to wait for a connection.
    pub connect: Duration,
    /// How long a connection may say nothing.
    pub idle: Duration,
    /// How large a file may be, in bytes, where its size is not known otherwise.
    pub largest_file: u64,
    /// How many redirects are followed.
    pub redirects: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            attempts: 6,
            attempts_in_all: 60,
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(30),
            longest_asked_wait: Duration::from_secs(120),
            connect: Duration::from_secs(20),
            idle: Duration::from_secs(30),
            largest_file: 2 << 30,
            redirects: 5,
        }
    }
}

impl Patience {
    /// The wait after so many attempts in vain (1 or more): doubled each time, bounded, and between
    /// half and all of that, so that clients which failed together do not come back together.
    pub(crate) fn wait(&self, in_vain: u32) -> Duration {
        let doubled = self
            .first_wait
            .saturating_mul(2_u32.saturating_pow(in_vain.saturating_sub(1)));
        let bounded = doubled.min(self.longest_wait);
        // Each `RandomState` has keys of its own: enough chance for this, without a generator.
        let chance = RandomState::new().build_hasher().finish() as f64 / u64::MAX as f64;
        bounded.mul_f64(0.5 + 0.5 * chance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_vary() {
        let patience = Patience::default();
        for (in_vain, whole) in [
            (1, 500),
            (2, 1_000),
            (3, 2_000),
            (7, 30_000),
            (4_000_000_000, 30_000),
        ] {
            let whole = Duration::from_millis(whole);
            let waits: Vec<Duration> = (0..50).map(|_| patience.wait(in_vain)).collect();
            assert!(
                waits
                    .iter()
                    .all(|wait| *wait >= whole / 2 && *wait <= whole),
                "{in_vain}: {waits:?}"
            );
            assert!(
                waits.iter().any(|wait| *wait != waits[0]),
                "no chance in {waits:?}"
            );
        }
    }
}
