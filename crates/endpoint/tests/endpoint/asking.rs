//! Ways to ask the server of these tests.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use endpoint::{Backoff, BaseUrl, Endpoint, EndpointOptions, Error, RetryPolicy};
use generation::{Completion, Decoding, Event, GenerationError, Generator, Prompt};

use loopback::completions::{MODEL, ModelServer};

/// A key that would be noticed.
pub const KEY: &str = "sk-secret-0123456789abcdef";

/// Short delays: attempts follow each other at once.
pub fn policy() -> RetryPolicy {
    RetryPolicy {
        max_attempts: 4,
        backoff: Backoff {
            first: Duration::from_millis(1),
            max: Duration::from_millis(10),
        },
        connect_timeout: Duration::from_secs(5),
        idle_timeout: Duration::from_secs(5),
        give_up_after: Duration::from_secs(2),
        ..RetryPolicy::default()
    }
}

pub fn options(server: &ModelServer) -> EndpointOptions {
    let url = BaseUrl::parse(&server.url).unwrap();
    EndpointOptions {
        policy: policy(),
        ..EndpointOptions::new(url, MODEL)
    }
}

pub fn prompts(count: usize) -> Vec<Prompt> {
    let prompt = |number| Prompt {
        id: format!("set/{number}"),
        sample: 0,
        text: format!("Question {number}: how many?"),
    };
    (0..count).map(prompt).collect()
}

/// What came of asking.
#[derive(Debug)]
pub struct Told {
    pub completions: Vec<Completion>,
    pub decoded: usize,
    pub outcome: Result<(), GenerationError>,
    pub warnings: Vec<String>,
}

impl Told {
    /// The only completion.
    pub fn one(&self) -> &Completion {
        assert_eq!(self.completions.len(), 1, "{self:?}");
        &self.completions[0]
    }

    /// The error and its cause.
    pub fn error(&self) -> String {
        chain(self.outcome.as_ref().unwrap_err())
    }
}

/// An error with its causes.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// Asks all prompts and keeps what is told.
pub fn ask(
    options: EndpointOptions,
    prompts: &[Prompt],
    decoding: &Decoding,
) -> Result<Told, Error> {
    let warnings = Arc::new(Mutex::new(Vec::new()));
    let heard = warnings.clone();
    let mut endpoint = Endpoint::connect(options, move |warning| {
        heard.lock().unwrap().push(warning.to_string())
    })?;
    let (mut completions, mut decoded) = (Vec::new(), 0);
    let outcome = endpoint.generate(prompts, decoding, &mut |event| {
        match event {
            Event::Finished(completion) => completions.push(completion),
            Event::Decoded(tokens) => decoded += tokens,
            Event::Prefilled(_) | Event::Running(_) => {}
        }
        Ok(())
    });
    let warnings = warnings.lock().unwrap().clone();
    Ok(Told {
        completions,
        decoded,
        outcome,
        warnings,
    })
}

/// Asks one prompt.
pub fn ask_one(options: EndpointOptions, decoding: &Decoding) -> Told {
    ask(options, &prompts(1), decoding).unwrap()
}
