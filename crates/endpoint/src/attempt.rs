//! One attempt at one prompt.

use std::time::Duration;

use reqwest::Response;
use reqwest::header::CONTENT_TYPE;
use tokio::time::{Instant, timeout};

use crate::http::{HttpClient, too_large};
use crate::limiter::Timing;
use crate::request::RequestBody;
use crate::request_error::RequestError;
use crate::response::{ResponseBuilder, ServerCompletion, Step};
use crate::sse::SseDecoder;

/// How long to wait for the count of tokens when the text has come to its end.
const USAGE_TIMEOUT: Duration = Duration::from_secs(10);

/// What an attempt needs.
pub(crate) struct Attempt<'a> {
    pub(crate) http: &'a HttpClient,
    /// Address of the route.
    pub(crate) url: &'a str,
    pub(crate) body: &'a RequestBody,
    /// Strings at which the text ends, whoever notices.
    pub(crate) stops: &'a [String],
    /// Called for the chunks of text as they arrive, with their number.
    pub(crate) on_chunks: &'a (dyn Fn(usize) + Send + Sync),
}

impl Attempt<'_> {
    /// Sends the request once.
    pub(crate) async fn send(&self) -> Result<(ServerCompletion, Timing), RequestError> {
        let policy = &self.http.policy;
        // The idle timeout does not bound the whole: a server that sends a chunk now and then never
        // runs into it.
        let outcome = timeout(policy.request_timeout, self.complete())
            .await
            .unwrap_or_else(|_| Err(self.http.request_timeout_error()));
        // All that a server said leaves an attempt without the key, but for `message`, which is
        // parsed and never shown.
        match outcome {
            Ok((completion, timing)) => Ok((
                ServerCompletion {
                    text: self.http.scrubber().scrub_completion(completion.text),
                    thinking: completion
                        .thinking
                        .map(|thinking| self.http.scrubber().scrub_completion(thinking)),
                    ..completion
                },
                timing,
            )),
            Err(error) => Err(RequestError {
                reason: self.http.quote(&error.reason),
                ..error
            }),
        }
    }

    async fn complete(&self) -> Result<(ServerCompletion, Timing), RequestError> {
        let started = Instant::now();
        let mut response = self
            .http
            .send(self.http.post(self.url, &self.body.json))
            .await?;
        let mut parts = ResponseBuilder::new(self.stops);
        let first_token = match is_stream(&response) {
            true => self.read_stream(&mut response, &mut parts).await?,
            false => {
                let text = self
                    .http
                    .text(&mut response, self.http.policy.max_response_bytes)
                    .await?;
                self.read_whole(&text, &mut parts)?;
                None
            }
        };
        let time_to_first_token = first_token.map(|time| time.duration_since(started));
        Ok((
            parts.finish()?,
            Timing {
                time_to_first_token,
                total: started.elapsed(),
            },
        ))
    }

    /// Reads a response that is not streamed. Some servers send events and declare another type.
    fn read_whole(&self, text: &str, parts: &mut ResponseBuilder<'_>) -> Result<(), RequestError> {
        if !text.trim_start().starts_with("data:") {
            return parts.push(text).map(|_| ());
        }
        let mut decoder = SseDecoder::new(self.http.policy.max_event_bytes);
        for event in decoder
            .feed(text.as_bytes())
            .map_err(RequestError::broken)?
        {
            if parts.push(&event)? == Step::Done {
                break;
            }
        }
        Ok(())
    }

    /// Reads events to the end of the response; returns when the first text arrived. Dropping the
    /// response closes the connection where a stop string found here ends the text before the server
    /// does.
    async fn read_stream(
        &self,
        response: &mut Response,
        parts: &mut ResponseBuilder<'_>,
    ) -> Result<Option<Instant>, RequestError> {
        let policy = &self.http.policy;
        let mut decoder = SseDecoder::new(policy.max_event_bytes);
        let (mut bytes, mut first_token) = (0, None);
        loop {
            let next = self.http.next_bytes(response);
            // The text is whole by then. Only the usage may follow, which is not worth an idle
            // timeout of minutes.
            let next = match parts.is_finished() {
                true => timeout(USAGE_TIMEOUT, next).await.unwrap_or(Ok(None)),
                false => next.await,
            };
            let more = match next {
                Ok(Some(more)) => more,
                Ok(None) => return Ok(first_token),
                // Only the count of tokens is missing.
                Err(_) if parts.is_finished() => return Ok(first_token),
                Err(error) => return Err(error),
            };
            bytes += more.len();
            if bytes > policy.max_response_bytes {
                return Err(too_large(policy.max_response_bytes));
            }
            for event in decoder.feed(&more).map_err(RequestError::broken)? {
                match parts.push(&event)? {
                    Step::Done => return Ok(first_token),
                    Step::Continue { chunks: 0 } => {}
                    Step::Continue { chunks } => {
                        first_token.get_or_insert_with(Instant::now);
                        (self.on_chunks)(chunks);
                    }
                }
            }
        }
    }
}

/// Servers that cannot stream send plain JSON, whatever was requested.
fn is_stream(response: &Response) -> bool {
    let kind = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    kind.trim_start()
        .to_ascii_lowercase()
        .starts_with("text/event-stream")
}
