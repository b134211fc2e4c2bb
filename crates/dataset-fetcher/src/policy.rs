//! Attempts, timeouts and limits of a download.

use std::time::Duration;

use http_client::Backoff;

/// How often a download is tried, how long it may take and how much it may bring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DownloadPolicy {
    /// Attempts in a row that bring no new byte before a file is given up; at least 1.
    pub max_attempts: u32,
    /// Attempts in all for one file, however much each brings; at least 1.
    pub max_total_attempts: u32,
    /// The delay between attempts; it starts anew after an attempt that brought new bytes.
    pub backoff: Backoff,
    /// The longest wait that a server may ask for with `Retry-After`; where it asks for more, the
    /// file is given up.
    pub max_retry_after: Duration,
    /// How long to wait for a connection.
    pub connect_timeout: Duration,
    /// How long a connection may stay silent.
    pub idle_timeout: Duration,
    /// How large a file may be, in bytes, where its size is not known otherwise.
    pub max_file_bytes: u64,
    /// How many redirects are followed.
    pub max_redirects: u32,
}

impl Default for DownloadPolicy {
    fn default() -> Self {
        Self {
            // Five delays between them (0.5, 1, 2, 4 and 8 s, and at most as much jitter): given up
            // after about half a minute of waiting.
            max_attempts: 6,
            // For a server that sends a little and breaks off each time: such attempts are never
            // fruitless.
            max_total_attempts: 60,
            backoff: Backoff::default(),
            max_retry_after: Duration::from_secs(120),
            connect_timeout: Duration::from_secs(20),
            idle_timeout: Duration::from_secs(30),
            max_file_bytes: 2 << 30,
            max_redirects: 5,
        }
    }
}
