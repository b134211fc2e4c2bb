//! Why an attempt brought no completion, and whether another one may.

use std::time::Duration;

/// An attempt that brought no completion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestError {
    pub(crate) kind: RequestErrorKind,
    /// What happened, without the key.
    pub(crate) reason: String,
    /// The server's whole message in rejecting a request: to be parsed, never to be shown, since it
    /// may hold the key.
    pub(crate) message: String,
    /// How long the server asks to wait.
    pub(crate) retry_after: Option<Duration>,
}

/// What kind of error it is: decides whether another attempt makes sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RequestErrorKind {
    /// No connection.
    Connection,
    /// The server is overloaded, or enforces a rate limit: 429 or 503.
    Throttled,
    /// The server failed, or sent what cannot be understood.
    Broken,
    /// A response broke off before its end.
    Truncated,
    /// The server was silent for too long.
    TimedOut,
    /// The server rejects this request, with this status: another attempt would fail alike.
    Rejected(u16),
    /// The response cannot be used, and another attempt would bring the same.
    Unusable,
}

impl RequestError {
    pub(crate) fn new(kind: RequestErrorKind, reason: impl Into<String>) -> Self {
        Self {
            kind,
            reason: reason.into(),
            message: String::new(),
            retry_after: None,
        }
    }

    pub(crate) fn broken(reason: impl Into<String>) -> Self {
        Self::new(RequestErrorKind::Broken, reason)
    }

    /// Whether another attempt may succeed.
    pub(crate) fn is_transient(&self) -> bool {
        !matches!(
            self.kind,
            RequestErrorKind::Rejected(_) | RequestErrorKind::Unusable
        )
    }
}
