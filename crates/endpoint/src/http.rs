//! One request: bounded in time and size, never redirected, its key sent to the address that was
//! given and to no other.

use std::time::Duration;

use http_client::{Network, describe, retry_after};
use jiff::Timestamp;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, LOCATION};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use tokio::time::timeout;

use crate::base_url::BaseUrl;
use crate::error::Error;
use crate::key::{ApiKey, Scrubber};
use crate::request_error::{RequestError, RequestErrorKind};
use crate::response::message_of;
use crate::retry_policy::RetryPolicy;

/// Characters of a server's message in an error.
const MAX_QUOTE_CHARS: usize = 300;
/// Bytes of an error's body that are read.
const MAX_ERROR_BYTES: usize = 64 * 1024;

/// The client of one server.
#[derive(Clone, Debug)]
pub(crate) struct HttpClient {
    client: Client,
    key: Option<ApiKey>,
    scrubber: Scrubber,
    pub(crate) policy: RetryPolicy,
}

impl HttpClient {
    pub(crate) fn new(
        url: &BaseUrl,
        key: Option<&ApiKey>,
        policy: &RetryPolicy,
    ) -> Result<Self, Error> {
        let mut network = Network::from_environment();
        if url.is_loopback() {
            // A proxy of the environment is for other machines.
            network = network.without_proxies();
        }
        if !url.is_https() {
            // A faulty SSL_CERT_FILE must not stop what needs no certificate.
            network = network.without_certificates();
        }
        let builder =
            network
                .client(policy.connect_timeout)
                .map_err(|error| match error.variable {
                    Some(_) => Error::Options(error.to_string()),
                    None => Error::Client(error.to_string()),
                })?;
        let client = builder
            .tcp_nodelay(true)
            .build()
            .map_err(|error| Error::Client(describe(&error)))?;
        Ok(Self {
            client,
            key: key.cloned(),
            scrubber: Scrubber::new(key),
            policy: policy.clone(),
        })
    }

    pub(crate) fn get(&self, url: &str) -> RequestBuilder {
        self.with_key(self.client.get(url))
    }

    pub(crate) fn post(&self, url: &str, body: &Value) -> RequestBuilder {
        self.with_key(self.client.post(url))
            .header(CONTENT_TYPE, "application/json")
            .body(body.to_string())
    }

    fn with_key(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.key {
            Some(key) => request.header(AUTHORIZATION, key.header()),
            None => request,
        }
    }

    pub(crate) fn scrubber(&self) -> &Scrubber {
        &self.scrubber
    }

    /// The beginning of a server's message, for an error.
    pub(crate) fn quote(&self, text: &str) -> String {
        self.scrubber.quote(text, MAX_QUOTE_CHARS)
    }

    /// Sends a request and waits for the head of a successful response.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Response, RequestError> {
        let response = match timeout(self.policy.idle_timeout, request.send()).await {
            Err(_) => return Err(self.idle_timeout_error()),
            // Once there was a connection, something answers there: what breaks it may be the
            // prompt.
            Ok(Err(error)) => {
                let kind = if error.is_connect() {
                    RequestErrorKind::Connection
                } else {
                    RequestErrorKind::Broken
                };
                return Err(RequestError::new(kind, self.quote(&described(&error))));
            }
            Ok(Ok(response)) => response,
        };
        let status = response.status();
        match status.is_success() {
            true => Ok(response),
            false => Err(self.refusal(status, response).await),
        }
    }

    /// The next bytes of a response, `None` at its end.
    pub(crate) async fn next_bytes(
        &self,
        response: &mut Response,
    ) -> Result<Option<Vec<u8>>, RequestError> {
        match timeout(self.policy.idle_timeout, response.chunk()).await {
            Err(_) => Err(self.idle_timeout_error()),
            Ok(Err(error)) => {
                let reason = format!(
                    "the connection broke off: {}",
                    self.quote(&described(&error))
                );
                Err(RequestError::new(RequestErrorKind::Truncated, reason))
            }
            Ok(Ok(bytes)) => Ok(bytes.map(|bytes| bytes.to_vec())),
        }
    }

    /// A whole response as text, of at most `max` bytes.
    pub(crate) async fn text(
        &self,
        response: &mut Response,
        max: usize,
    ) -> Result<String, RequestError> {
        let mut bytes = Vec::new();
        while let Some(more) = self.next_bytes(response).await? {
            if bytes.len() + more.len() > max {
                return Err(too_large(max));
            }
            bytes.extend_from_slice(&more);
        }
        String::from_utf8(bytes).map_err(|_| RequestError::broken("the answer is not UTF-8"))
    }

    /// A whole response as JSON, with its headers.
    pub(crate) async fn json(
        &self,
        request: RequestBuilder,
    ) -> Result<(HeaderMap, Value), RequestError> {
        let whole = async {
            let mut response = self.send(request).await?;
            let text = self
                .text(&mut response, self.policy.max_response_bytes)
                .await?;
            let value = serde_json::from_str(&text).map_err(|error| {
                RequestError::broken(format!("no JSON ({error}): {}", self.quote(&text)))
            })?;
            Ok((response.headers().clone(), value))
        };
        timeout(self.policy.request_timeout, whole)
            .await
            .unwrap_or_else(|_| Err(self.request_timeout_error()))
    }

    fn idle_timeout_error(&self) -> RequestError {
        let reason = format!(
            "the server said nothing for {}",
            seconds(self.policy.idle_timeout)
        );
        RequestError::new(RequestErrorKind::TimedOut, reason)
    }

    pub(crate) fn request_timeout_error(&self) -> RequestError {
        let reason = format!(
            "the answer did not end within {}",
            seconds(self.policy.request_timeout)
        );
        RequestError::new(RequestErrorKind::TimedOut, reason)
    }

    /// What a status other than success means.
    async fn refusal(&self, status: StatusCode, mut response: Response) -> RequestError {
        let code = status.as_u16();
        if status.is_redirection() {
            let to = response
                .headers()
                .get(LOCATION)
                .map(|to| String::from_utf8_lossy(to.as_bytes()).into_owned());
            return RequestError::new(
                RequestErrorKind::Rejected(code),
                self.quote(&to.unwrap_or_else(|| "nowhere".to_string())),
            );
        }
        let wait = retry_after(response.headers(), Timestamp::now());
        let body = self.body_start(&mut response).await;
        let message = serde_json::from_str::<Value>(&body)
            .ok()
            .and_then(|value| message_of(&value))
            .unwrap_or(body);
        let reason = match message.trim() {
            "" => format!("the server answered {status}"),
            message => format!("the server answered {status}: {}", self.quote(message)),
        };
        let kind = match code {
            429 | 503 => RequestErrorKind::Throttled,
            // llama-cpp-python answers so where others say 422; another attempt would fail alike.
            500 if message.contains("validation error") => RequestErrorKind::Rejected(code),
            // OpenAI's own client retries 408, 409 and 5xx too. 425 (too early) asks for another
            // attempt.
            408 | 409 | 425 | 500.. => RequestErrorKind::Broken,
            _ => RequestErrorKind::Rejected(code),
        };
        let retry_after = wait.map(|wait| wait.min(self.policy.max_retry_after));
        RequestError {
            kind,
            reason,
            message,
            retry_after,
        }
    }

    /// The beginning of an error's body, as far as it arrives in time.
    async fn body_start(&self, response: &mut Response) -> String {
        let mut bytes = Vec::new();
        let read = async {
            while let Ok(Some(more)) = response.chunk().await {
                bytes.extend_from_slice(&more);
                if bytes.len() >= MAX_ERROR_BYTES {
                    break;
                }
            }
        };
        // What arrives in time is enough to quote from.
        let _ = timeout(self.policy.idle_timeout.min(Duration::from_secs(10)), read).await;
        bytes.truncate(MAX_ERROR_BYTES);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

pub(crate) fn too_large(max: usize) -> RequestError {
    RequestError::new(
        RequestErrorKind::Unusable,
        format!("the answer was cut off: it has more than {max} bytes"),
    )
}

/// What went wrong, with the way out for a certificate that is not trusted.
fn described(error: &reqwest::Error) -> String {
    let text = describe(error);
    match text.contains("certificate") {
        true => format!(
            "{text}; where a server or proxy signs connections itself, name its certificate in SSL_CERT_FILE"
        ),
        false => text,
    }
}

fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}
