//! How long requests took: for the manifest, never for a decision.

use std::sync::Mutex;
use std::time::Duration;

use generation::{Latency, Spread};

use crate::limiter::Timing;

/// Collects the times of requests that succeeded.
#[derive(Debug, Default)]
pub(crate) struct LatencyRecorder {
    times: Mutex<Times>,
}

#[derive(Debug, Default)]
struct Times {
    first_token_s: Vec<f64>,
    tokens_per_s: Vec<f64>,
    whole_s: Vec<f64>,
}

impl LatencyRecorder {
    /// Records a completion of so many tokens.
    pub(crate) fn record(&self, timing: Timing, tokens: usize) {
        let mut times = self
            .times
            .lock()
            .expect("nothing panics while the times are held");
        times.whole_s.push(timing.total.as_secs_f64());
        times
            .first_token_s
            .extend(timing.time_to_first_token.map(|time| time.as_secs_f64()));
        times.tokens_per_s.extend(tokens_per_s(timing, tokens));
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
fn tokens_per_s(timing: Timing, tokens: usize) -> Option<f64> {
    let (tokens, time) = match timing.time_to_first_token {
        Some(first) => (tokens.checked_sub(1)?, timing.total.saturating_sub(first)),
        None => (tokens, timing.total),
    };
    (tokens > 0 && time > Duration::ZERO).then(|| tokens as f64 / time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timing(time_to_first_token: Option<u64>, whole: u64) -> Timing {
        let millis = Duration::from_millis;
        Timing {
            time_to_first_token: time_to_first_token.map(millis),
            total: millis(whole),
        }
    }

    #[test]
    fn speeds_are_those_after_the_first_token() {
        assert_eq!(tokens_per_s(timing(Some(500), 2500), 21), Some(10.0));
        assert_eq!(tokens_per_s(timing(None, 2000), 20), Some(10.0));
        assert_eq!(
            [
                tokens_per_s(timing(Some(5), 5), 1),
                tokens_per_s(timing(Some(5), 9), 0)
            ],
            [None; 2]
        );
    }

    #[test]
    fn medians_and_percentiles_are_reported_of_what_there_is() {
        let latencies = LatencyRecorder::default();
        assert_eq!(latencies.summary(), None);
        latencies.record(timing(None, 1000), 10);
        for millis in 1..=100 {
            latencies.record(timing(Some(millis), 2000), 1);
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
