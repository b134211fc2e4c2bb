//! What can go wrong.

use fault::{Class, Fault};

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
    /// An address with a password in it.
    #[error(
        "{given}: an address with a password is not used, since addresses are recorded in run.json"
    )]
    PasswordInUrl {
        /// What was given, without the password.
        given: String,
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
        /// What it does, or does not state.
        reason: String,
    },
    /// The server rejected the request.
    #[error("{url}: the server answered {status}: {}{}", hint(*rejection), said(.quote))]
    Rejected {
        /// The address that was asked.
        url: String,
        /// The status with its name.
        status: String,
        /// What it may mean.
        rejection: Rejection,
        /// The beginning of the server's message, without the key.
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
    InvalidResponse {
        /// The address that was asked.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The circuit breaker opened: for too long every attempt failed.
    #[error(
        "{url}: the server does not respond any more: {failures} attempts failed and none succeeded for {seconds} s, the last one because of this: {reason}; completed answers are kept: start the server again, then repeat the run"
    )]
    CircuitOpen {
        /// The address that was asked.
        url: String,
        /// Attempts since the last success.
        failures: usize,
        /// Seconds since the last success.
        seconds: u64,
        /// What happened the last time.
        reason: String,
    },
    /// No HTTP client can be set up: certificates or threads are missing.
    #[error("cannot set up an HTTP client: {0}")]
    Client(String),
}

/// What a rejection may mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// 401: the key is missing or wrong.
    Key,
    /// 403: the key has no right to this.
    Right,
    /// 404: nothing is at this address.
    Address,
    /// Too many tokens.
    Length,
    /// Anything else.
    Other,
}

impl Fault for Error {
    fn class(&self) -> Class {
        match self {
            Self::BadUrl { .. }
            | Self::PasswordInUrl { .. }
            | Self::Key { .. }
            | Self::Options(_)
            | Self::NoModel { .. }
            | Self::SpecialTokens { .. }
            | Self::Rejected { .. }
            | Self::Redirected { .. } => Class::Usage,
            Self::Unreachable { .. }
            | Self::InvalidResponse { .. }
            | Self::CircuitOpen { .. }
            | Self::Client(_) => Class::Backend,
        }
    }
}

fn hint(rejection: Rejection) -> &'static str {
    match rejection {
        Rejection::Key => "it wants an API key, or another one",
        Rejection::Right => "the API key given, or none, has no right to this",
        Rejection::Address => {
            "there is nothing at this address: check that it is the address of an OpenAI-compatible server, with what comes before /v1, and that the server has this route (chat models often have only that of chats)"
        }
        Rejection::Length => {
            "it does not take requests of this length: ask for fewer new tokens, or serve the model with a longer context"
        }
        Rejection::Other => "it does not accept the request",
    }
}

fn said(quote: &str) -> String {
    if quote.is_empty() {
        String::new()
    } else {
        format!(" (it said: {quote})")
    }
}
