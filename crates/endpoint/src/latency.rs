//! How long requests took: for the manifest, never for a decision.

use std::sync::Mutex;
use std::time::Duration;

use generation::{Latency, Spread};

use crate::limiter::Pace;

/// Collects the times of requests that succeeded.
#[derive(Debug, Default)]
pub(crate) struct Latencies {
    times: Mutex<Times>,
}

#[derive(Debug, Default)]
struct Times {
    first_token_s: Vec<f64>,
    tokens_per_s: Vec<f64>,
    whole_s: Vec<f64>,
}

impl Latencies {
    /// Takes note of a completion of so many tokens.
    pub(crate) fn record(&self, pace: Pace, tokens: usize) {
        let mut times = self
            .times
            .lock()
            .expect("nothing panics while the times are held");
        times.whole_s.push(pace.whole.as_secs_f64());
        times
            .first_token_s
            .extend(pace.to_first_word.map(|time| time.as_secs_f64()));
        times.tokens_per_s.extend(tokens_per_s(pace, tokens));
    }

    /// Medians and 95th percentiles; `None` where nothing succeeded.
    pub(crate) fn summary(&self) -> Option<Latency> {
        let times = self
            .times
            .lock()
            .expect("nothing panics while the times are held");
        Some(Latency {
            requests: times.whole_s.len(),
            time_to_first_token_s: Spread::of(&times.first_token_s),
            tokens_per_s: Spread::of(&times.tokens_per_s),
            request_s: Spread::of(&times.whole_s)?,
        })
    }
}

/// The speed of one request: of the tokens after the first where its time is known, else of all in
/// the whole time.
fn tokens_per_s(pace: Pace, tokens: usize) -> Option<f64> {
    let (tokens, time) = match pace.to_first_word {
        Some(first) => (tokens.checked_sub(1)?, pace.whole.saturating_sub(first)),
        None => (tokens, pace.whole),
    };
    (tokens > 0 && time > Duration::ZERO).then(|| tokens as f64 / time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(to_first_word: Option<u64>, whole: u64) -> Pace {
        let millis = Duration::from_millis;
        Pace {
            to_first_word: to_first_word.map(millis),
            whole: millis(whole),
        }
    }

    #[test]
    fn speeds_are_those_after_the_first_token() {
        assert_eq!(tokens_per_s(pace(Some(500), 2500), 21), Some(10.0));
        assert_eq!(tokens_per_s(pace(None, 2000), 20), Some(10.0));
        assert_eq!(
            [
                tokens_per_s(pace(Some(5), 5), 1),
                tokens_per_s(pace(Some(5), 9), 0)
            ],
            [None; 2]
        );
    }

    #[test]
    fn medians_and_percentiles_are_told_of_what_there_is() {
        let latencies = Latencies::default();
        assert_eq!(latencies.summary(), None);
        latencies.record(pace(None, 1000), 10);
        for millis in 1..=100 {
            latencies.record(pace(Some(millis), 2000), 1);
        }
        let summary = latencies.summary().unwrap();
        assert_eq!(summary.requests, 101);
        let first = summary.time_to_first_token_s.unwrap();
        assert!(
            (first.median - 0.0505).abs() < 1e-9 && (first.p95 - 0.09505).abs() < 1e-9,
            "{first:?}"
        );
        assert_eq!(
            summary.tokens_per_s,
            Some(Spread {
                median: 10.0,
                p95: 10.0
            })
        );
        assert_eq!(summary.request_s.median, 2.0);
    }
}
