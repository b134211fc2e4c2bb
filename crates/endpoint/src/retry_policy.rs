//! Attempts, timeouts and limits of the requests to a server.

use std::time::Duration;

use http_client::Backoff;

use crate::error::Error;

/// How long the server may stay silent where nothing else is given.
pub const DEFAULT_IDLE_TIMEOUT: Duration = Duration::from_secs(300);
/// How long nothing may succeed where nothing else is given.
pub const DEFAULT_GIVE_UP_AFTER: Duration = Duration::from_secs(120);

/// How often a request is tried, how long it may take and how much it may bring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts for one prompt while others succeed, at least 1.
    pub max_attempts: u32,
    /// The delay between attempts.
    pub backoff: Backoff,
    /// The longest wait that a server may ask for with `Retry-After`; what it asks beyond that is
    /// cut.
    pub max_retry_after: Duration,
    /// How long to wait for a connection.
    pub connect_timeout: Duration,
    /// How long the server may stay silent: before a response that is not streamed, and between two
    /// chunks of one that is.
    pub idle_timeout: Duration,
    /// How long one attempt may take in all, however much the server sends.
    pub request_timeout: Duration,
    /// How long nothing may succeed, while attempts fail, before the circuit breaker opens and the
    /// run ends.
    pub give_up_after: Duration,
    /// The largest response, in bytes.
    pub max_response_bytes: usize,
    /// The largest event of a stream, in bytes.
    pub max_event_bytes: usize,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 6,
            backoff: Backoff::default(),
            max_retry_after: Duration::from_secs(300),
            connect_timeout: Duration::from_secs(20),
            idle_timeout: DEFAULT_IDLE_TIMEOUT,
            request_timeout: Duration::from_secs(3600),
            give_up_after: DEFAULT_GIVE_UP_AFTER,
            max_response_bytes: 16 << 20,
            max_event_bytes: 1 << 20,
        }
    }
}

impl RetryPolicy {
    pub(crate) fn validate(&self) -> Result<(), Error> {
        let zero = [
            ("the number of attempts", self.max_attempts == 0),
            ("the connect timeout", self.connect_timeout.is_zero()),
            ("the idle timeout", self.idle_timeout.is_zero()),
            ("the request timeout", self.request_timeout.is_zero()),
            ("the size of a response", self.max_response_bytes == 0),
            ("the size of an event", self.max_event_bytes == 0),
        ];
        match zero.into_iter().find(|(_, is_zero)| *is_zero) {
            Some((name, _)) => Err(Error::Options(format!("{name} must be above 0"))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_of_zero_is_refused() {
        assert!(RetryPolicy::default().validate().is_ok());
        let policy = RetryPolicy {
            idle_timeout: Duration::ZERO,
            ..RetryPolicy::default()
        };
        assert_eq!(
            policy.validate().unwrap_err().to_string(),
            "the idle timeout must be above 0"
        );
    }
}
