//! The wait that a server asks for.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

/// Seconds that a server is believed to ask for at most.
const MAX_SECONDS: f64 = 1e6;

/// What `Retry-After` asks for: seconds, or the time until a date (RFC 9110, section 10.2.3). A
/// date is compared with the server's own clock where the server states it, else with `now`; one
/// that has passed asks for no wait. `None` where nothing is asked, or nothing that is understood.
pub fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = |name: HeaderName| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::trim)
    };
    let date = |text: &str| DateTimeParser::new().parse_timestamp(text).ok();
    let asked = text(RETRY_AFTER)?;
    if let Ok(seconds) = asked.parse::<f64>() {
        // "inf" and "nan" are numbers to the parser, and a Duration panics on what it cannot hold.
        return (seconds.is_finite() && seconds >= 0.0)
            .then(|| Duration::from_secs_f64(seconds.min(MAX_SECONDS)));
    }
    let now = text(DATE).and_then(date).unwrap_or(now);
    let seconds = date(asked)?.duration_since(now).as_secs_f64();
    Some(Duration::from_secs_f64(seconds.clamp(0.0, MAX_SECONDS)))
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn seconds(after: &'static str, date: Option<&'static str>) -> Option<f64> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_static(after));
        date.map(|date| headers.insert(DATE, HeaderValue::from_static(date)));
        let now = Timestamp::from_second(784_111_777).unwrap();
        retry_after(&headers, now).map(|wait| wait.as_secs_f64())
    }

    /// The date of RFC 9110, section 5.6.7, is 784,111,777 seconds after the epoch.
    #[test]
    fn seconds_and_dates_are_understood() {
        for (after, date, expected) in [
            ("120", None, Some(120.0)),
            ("0", None, Some(0.0)),
            ("0.5", None, Some(0.5)),
            ("1e300", None, Some(1e6)),
            ("-3", None, None),
            ("soon", None, None),
            ("", None, None),
            ("Sun, 06 Nov 1994 08:50:07 GMT", None, Some(30.0)),
            ("Sun, 06 Nov 1994 08:49:07 GMT", None, Some(0.0)),
            (
                "Sun, 06 Nov 1994 08:50:07 GMT",
                Some("Sun, 06 Nov 1994 08:50:00 GMT"),
                Some(7.0),
            ),
        ] {
            assert_eq!(seconds(after, date), expected, "{after} at {date:?}");
        }
    }
}
