//! How often, how long, how much.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

use crate::error::Error;

/// The bounds of a conversation with a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Attempts for one prompt while others succeed, at least 1.
    pub attempts: u32,
    /// The wait before the second attempt; it doubles with each further one, and up to as much
    /// again is added by chance.
    pub first_wait: Duration,
    /// The longest wait of our own choice, chance apart.
    pub longest_wait: Duration,
    /// The longest wait that a server may ask for with `Retry-After`; what it asks beyond that is
    /// cut.
    pub longest_asked_wait: Duration,
    /// How long to wait for a connection.
    pub connect: Duration,
    /// How long the server may say nothing: before an answer that is not streamed, and between two
    /// pieces of one that is.
    pub idle: Duration,
    /// How long one attempt may take in all, however much the server says.
    pub whole: Duration,
    /// How long nothing may succeed, while attempts fail, before the server counts as gone.
    pub gone_after: Duration,
    /// Most bytes of one answer.
    pub largest_answer: usize,
    /// Most bytes of one event of a stream.
    pub largest_event: usize,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            attempts: 6,
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(30),
            longest_asked_wait: Duration::from_secs(300),
            connect: Duration::from_secs(20),
            idle: Duration::from_secs(300),
            whole: Duration::from_secs(3600),
            gone_after: Duration::from_secs(120),
            largest_answer: 16 << 20,
            largest_event: 1 << 20,
        }
    }
}

impl Patience {
    pub(crate) fn validate(&self) -> Result<(), Error> {
        let zero = [
            ("attempts", self.attempts == 0),
            ("the time for a connection", self.connect.is_zero()),
            ("the longest silence", self.idle.is_zero()),
            ("the time for an answer", self.whole.is_zero()),
            ("the size of an answer", self.largest_answer == 0),
            ("the size of an event", self.largest_event == 0),
        ];
        match zero.into_iter().find(|(_, is_zero)| *is_zero) {
            Some((name, _)) => Err(Error::Options(format!("{name} must be above 0"))),
            None => Ok(()),
        }
    }

    /// The waits before the second attempt, the third and so on, without an end.
    pub(crate) fn waits(&self) -> ExponentialBackoff {
        ExponentialBuilder::new()
            .with_min_delay(self.first_wait)
            .with_max_delay(self.longest_wait)
            .without_max_times()
            .with_jitter()
            .build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_vary() {
        let patience = Patience::default();
        let rounds: Vec<Vec<Duration>> = (0..30)
            .map(|_| patience.waits().take(12).collect())
            .collect();
        for (number, whole) in [(0, 500), (1, 1_000), (2, 2_000), (8, 30_000), (11, 30_000)] {
            let whole = Duration::from_millis(whole);
            let waits: Vec<Duration> = rounds.iter().map(|waits| waits[number]).collect();
            assert!(
                waits
                    .iter()
                    .all(|wait| *wait >= whole && *wait <= whole * 2),
                "{number}: {waits:?}"
            );
            assert!(
                waits.iter().any(|wait| *wait != waits[0]),
                "no chance in {waits:?}"
            );
        }
    }

    #[test]
    fn a_bound_of_zero_is_refused() {
        assert!(Patience::default().validate().is_ok());
        let message = Patience {
            idle: Duration::ZERO,
            ..Patience::default()
        }
        .validate()
        .unwrap_err()
        .to_string();
        assert_eq!(message, "the longest silence must be above 0");
    }
}
