//! What can go wrong, and the way out.

/// Why an endpoint cannot be used, or cannot be used any longer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An address that cannot be used.
    #[error(
        "{given}: this is no address of a server: {reason}; expected something like http://localhost:8000/v1"
    )]
    BadUrl {
        /// What was given, without a password or a query.
        given: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A key that cannot be used.
    #[error("no API key could be taken from {place}: {reason}")]
    Key {
        /// File or variable.
        place: String,
        /// What is wrong; never what was read.
        reason: String,
    },
    /// A setting outside its range.
    #[error("{0}")]
    Options(String),
    /// The server has no model of this name.
    #[error("{url}: the server has no model \"{model}\": it lists {known}")]
    NoModel {
        /// The address that was asked.
        url: String,
        /// The name given.
        model: String,
        /// The first names that the server lists.
        known: String,
    },
    /// The server may read the special tokens of prompts otherwise than they are meant.
    #[error(
        "{url}: prompts with their special tokens written out cannot be sent to this server: {reason}; let it apply its own chat template"
    )]
    SpecialTokens {
        /// The address that was asked.
        url: String,
        /// What it does, or does not tell.
        reason: String,
    },
    /// The server refused.
    #[error("{url}: the server answered {status}: {hint}{}", said(.quote))]
    Refused {
        /// The address that was asked.
        url: String,
        /// The status with its name.
        status: String,
        /// What it may mean, and the way out.
        hint: String,
        /// The beginning of what the server said, without the key.
        quote: String,
    },
    /// The server sends elsewhere.
    #[error(
        "{url}: the server redirects to {to}, which is not followed, since the key is for the address given: give that address if you trust it"
    )]
    Redirected {
        /// The address that was asked.
        url: String,
        /// Where to.
        to: String,
    },
    /// No answer.
    #[error(
        "{url}: no answer after {attempts} attempts: {reason}; see that the server is running and that address and port are right"
    )]
    Unreachable {
        /// The address that was asked.
        url: String,
        /// How often.
        attempts: u32,
        /// What happened the last time.
        reason: String,
    },
    /// An answer that breaks the protocol.
    #[error("{url}: the server's answer cannot be used: {reason}")]
    Answer {
        /// The address that was asked.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The server went away in the middle of a run.
    #[error(
        "{url}: the server is gone: {failures} attempts failed and none succeeded for {seconds} s, the last one because of this: {reason}; what was answered is kept: see to the server, then give the same command again"
    )]
    Gone {
        /// The address that was asked.
        url: String,
        /// Attempts since the last success.
        failures: usize,
        /// Seconds since the last success.
        seconds: u64,
        /// What happened the last time.
        reason: String,
    },
    /// Certificates or threads could not be had.
    #[error("cannot speak HTTP: {0}")]
    Client(String),
}

impl Error {
    /// Whether what was given is to blame, and not the server.
    pub fn is_usage(&self) -> bool {
        match self {
            Self::BadUrl { .. }
            | Self::Key { .. }
            | Self::Options(_)
            | Self::NoModel { .. }
            | Self::SpecialTokens { .. }
            | Self::Refused { .. }
            | Self::Redirected { .. } => true,
            Self::Unreachable { .. }
            | Self::Answer { .. }
            | Self::Gone { .. }
            | Self::Client(_) => false,
        }
    }
}

fn said(quote: &str) -> String {
    if quote.is_empty() {
        String::new()
    } else {
        format!(" (it said: {quote})")
    }
}
