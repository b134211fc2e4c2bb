//! How long a server's requests took, in a line.

use generation::{Latency, Spread};

use crate::wording::counted;

/// Medians and 95th percentiles of time to first token, speed and whole requests.
pub fn latency_line(latency: &Latency) -> String {
    let seconds = |name: &str, spread: Spread| {
        format!(
            "{name} {} (p95 {})",
            duration(spread.median),
            duration(spread.p95)
        )
    };
    let first = latency
        .time_to_first_token_s
        .map(|spread| seconds("time to first token", spread));
    let speed = latency
        .tokens_per_s
        .map(|Spread { median, .. }| format!("{median:.1} tokens/s a request"));
    let parts = [first, speed, Some(seconds("request", latency.request_s))];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    format!(
        "Latency of {}, medians: {}.",
        counted(latency.requests, "request"),
        parts.join(", ")
    )
}

fn duration(seconds: f64) -> String {
    match seconds < 1.0 {
        true => format!("{:.0} ms", seconds * 1e3),
        false => format!("{seconds:.1} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_measured_is_printed_and_nothing_else() {
        let spread = |median, p95| Spread { median, p95 };
        let mut latency = Latency {
            requests: 398,
            time_to_first_token_s: Some(spread(0.0521, 0.31)),
            tokens_per_s: Some(spread(35.25, 40.0)),
            request_s: spread(1.94, 12.0),
        };
        assert_eq!(
            latency_line(&latency),
            "Latency of 398 requests, medians: time to first token 52 ms (p95 310 ms), 35.2 tokens/s a request, request 1.9 s (p95 12.0 s)."
        );
        (latency.time_to_first_token_s, latency.tokens_per_s) = (None, None);
        assert_eq!(
            latency_line(&latency),
            "Latency of 398 requests, medians: request 1.9 s (p95 12.0 s)."
        );
    }
}
