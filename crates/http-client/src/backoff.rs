//! How long to wait between attempts.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

/// Exponential backoff with jitter: the delay doubles with each attempt up to a maximum, and up to
/// as much again is added at random, so that clients which failed together do not return together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// Before the second attempt, jitter apart.
    pub first: Duration,
    /// The longest, jitter apart.
    pub max: Duration,
}

impl Default for Backoff {
    /// From half a second to half a minute.
    fn default() -> Self {
        Self {
            first: Duration::from_millis(500),
            max: Duration::from_secs(30),
        }
    }
}

impl Backoff {
    /// The delays before the second attempt, the third and so on, without an end.
    pub fn delays(&self) -> ExponentialBackoff {
        ExponentialBuilder::new()
            .with_min_delay(self.first)
            .with_max_delay(self.max)
            .without_max_times()
            .with_jitter()
            .build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_maximum_and_vary() {
        let rounds: Vec<Vec<Duration>> = (0..30)
            .map(|_| Backoff::default().delays().take(12).collect())
            .collect();
        for (number, whole) in [(0, 500), (1, 1_000), (2, 2_000), (8, 30_000), (11, 30_000)] {
            let whole = Duration::from_millis(whole);
            let delays: Vec<Duration> = rounds.iter().map(|delays| delays[number]).collect();
            assert!(
                delays
                    .iter()
                    .all(|delay| *delay >= whole && *delay <= whole * 2),
                "{number}: {delays:?}"
            );
            assert!(
                delays.iter().any(|delay| *delay != delays[0]),
                "no jitter in {delays:?}"
            );
        }
    }
}
