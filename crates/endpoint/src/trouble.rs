//! Why an attempt brought no answer, and what follows from that.

use std::time::Duration;

/// An attempt that brought no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) kind: TroubleKind,
    /// What happened, without the key.
    pub(crate) reason: String,
    /// All that the server said in refusing a request: for reading, never for showing.
    pub(crate) words: String,
    /// How long the server asks to wait.
    pub(crate) wait: Option<Duration>,
}

/// What kind of trouble it is: decides whether another attempt makes sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TroubleKind {
    /// No connection.
    Connection,
    /// The server asks for less: 429 or 503.
    Throttled,
    /// The server failed, broke off or sent what cannot be understood.
    Broken,
    /// An answer that had begun broke off before its end.
    CutOff,
    /// The server said nothing for too long.
    Silent,
    /// The server refuses this request: another attempt would bring the same. Status.
    Refused(u16),
    /// The server's answer cannot be used, and another attempt would bring the same.
    Useless,
}

impl Trouble {
    pub(crate) fn new(kind: TroubleKind, reason: impl Into<String>) -> Self {
        Self {
            kind,
            reason: reason.into(),
            words: String::new(),
            wait: None,
        }
    }

    pub(crate) fn broken(reason: impl Into<String>) -> Self {
        Self::new(TroubleKind::Broken, reason)
    }

    /// Whether another attempt may bring an answer.
    pub(crate) fn may_pass(&self) -> bool {
        !matches!(self.kind, TroubleKind::Refused(_) | TroubleKind::Useless)
    }
}
