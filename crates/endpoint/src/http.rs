//! One request: bounded in time and size, never redirected, its key sent to the address that was
//! given and shown nowhere.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, LOCATION, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, Response, StatusCode, redirect};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use tokio::time::timeout;

use crate::base_url::BaseUrl;
use crate::error::Error;
use crate::key::{ApiKey, Scrubber};
use crate::patience::Patience;
use crate::reply::message_of;
use crate::trouble::{Trouble, TroubleKind};

/// Characters of a server's words in an error.
const QUOTE: usize = 300;
/// Bytes of an error's body that are read.
const ERROR_BODY: usize = 64 * 1024;
/// Seconds of a `Retry-After` that are believed at most, before [`Patience::longest_asked_wait`]
/// cuts them.
const LONGEST_RETRY_AFTER: f64 = 1e6;

/// Speaks to one server.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    client: Client,
    key: Option<ApiKey>,
    scrubber: Scrubber,
    pub(crate) patience: Patience,
}

impl Http {
    pub(crate) fn new(
        url: &BaseUrl,
        key: Option<&ApiKey>,
        patience: &Patience,
    ) -> Result<Self, Error> {
        let failed = |error: &dyn std::fmt::Display| Error::Client(error.to_string());
        let mut builder = Client::builder()
            .user_agent(concat!("mwpbench/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .connect_timeout(patience.connect)
            .tcp_nodelay(true)
            .tls_backend_preconfigured(tls_config().map_err(|error| failed(&error))?);
        if url.is_loopback() {
            // A proxy of the environment is for other machines.
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|error| failed(&error))?;
        Ok(Self {
            client,
            key: key.cloned(),
            scrubber: Scrubber::new(key),
            patience: patience.clone(),
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

    /// The beginning of what a server said, for an error.
    pub(crate) fn quote(&self, text: &str) -> String {
        self.scrubber.quote(text, QUOTE)
    }

    /// Sends a request and waits for the head of a good answer.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Response, Trouble> {
        let response = match timeout(self.patience.idle, request.send()).await {
            Err(_) => return Err(self.silent()),
            // Once there was a connection, something answers there: what breaks it may be the
            // prompt.
            Ok(Err(error)) => {
                let kind = if error.is_connect() {
                    TroubleKind::Connection
                } else {
                    TroubleKind::Broken
                };
                return Err(Trouble::new(kind, self.quote(&said(&error))));
            }
            Ok(Ok(response)) => response,
        };
        let status = response.status();
        match status.is_success() {
            true => Ok(response),
            false => Err(self.refusal(status, response).await),
        }
    }

    /// The next bytes of an answer, `None` at its end.
    pub(crate) async fn more(&self, response: &mut Response) -> Result<Option<Vec<u8>>, Trouble> {
        match timeout(self.patience.idle, response.chunk()).await {
            Err(_) => Err(self.silent()),
            Ok(Err(error)) => {
                let reason = format!("the connection broke off: {}", self.quote(&said(&error)));
                Err(Trouble::new(TroubleKind::CutOff, reason))
            }
            Ok(Ok(bytes)) => Ok(bytes.map(|bytes| bytes.to_vec())),
        }
    }

    /// A whole answer as text, of at most `most` bytes.
    pub(crate) async fn text(
        &self,
        response: &mut Response,
        most: usize,
    ) -> Result<String, Trouble> {
        let mut bytes = Vec::new();
        while let Some(more) = self.more(response).await? {
            if bytes.len() + more.len() > most {
                return Err(too_large(most));
            }
            bytes.extend_from_slice(&more);
        }
        String::from_utf8(bytes).map_err(|_| Trouble::broken("the answer is not UTF-8"))
    }

    /// A whole answer as JSON, with its head.
    pub(crate) async fn json(
        &self,
        request: RequestBuilder,
    ) -> Result<(HeaderMap, Value), Trouble> {
        let whole = async {
            let mut response = self.send(request).await?;
            let text = self
                .text(&mut response, self.patience.largest_answer)
                .await?;
            let value = serde_json::from_str(&text).map_err(|error| {
                Trouble::broken(format!("no JSON ({error}): {}", self.quote(&text)))
            })?;
            Ok((response.headers().clone(), value))
        };
        timeout(self.patience.whole, whole)
            .await
            .unwrap_or_else(|_| Err(self.endless()))
    }

    fn silent(&self) -> Trouble {
        let reason = format!(
            "the server said nothing for {}",
            seconds(self.patience.idle)
        );
        Trouble::new(TroubleKind::Silent, reason)
    }

    pub(crate) fn endless(&self) -> Trouble {
        let reason = format!(
            "the answer did not end within {}",
            seconds(self.patience.whole)
        );
        Trouble::new(TroubleKind::Silent, reason)
    }

    /// What an answer other than a good one means.
    async fn refusal(&self, status: StatusCode, mut response: Response) -> Trouble {
        let code = status.as_u16();
        if status.is_redirection() {
            let to = response
                .headers()
                .get(LOCATION)
                .map(|to| String::from_utf8_lossy(to.as_bytes()).into_owned());
            return Trouble::new(
                TroubleKind::Refused(code),
                self.quote(&to.unwrap_or_else(|| "nowhere".to_string())),
            );
        }
        let wait = asked_wait(response.headers(), SystemTime::now());
        let body = self.beginning(&mut response).await;
        let message = serde_json::from_str::<Value>(&body)
            .ok()
            .and_then(|value| message_of(&value))
            .unwrap_or(body);
        let reason = match message.trim() {
            "" => format!("the server answered {status}"),
            message => format!("the server answered {status}: {}", self.quote(message)),
        };
        let kind = match code {
            429 | 503 => TroubleKind::Throttled,
            // llama-cpp-python answers so where others say 422; another attempt would bring the
            // same.
            500 if message.contains("validation error") => TroubleKind::Refused(code),
            408 | 409 | 425 | 500.. => TroubleKind::Broken,
            _ => TroubleKind::Refused(code),
        };
        let wait = wait.map(|wait| wait.min(self.patience.longest_asked_wait));
        Trouble {
            kind,
            reason,
            words: message,
            wait,
        }
    }

    /// What there is of an error's body, as far as it comes in time.
    async fn beginning(&self, response: &mut Response) -> String {
        let mut bytes = Vec::new();
        let read = async {
            while let Ok(Some(more)) = response.chunk().await {
                bytes.extend_from_slice(&more);
                if bytes.len() >= ERROR_BODY {
                    break;
                }
            }
        };
        // What came in time is enough to quote from.
        let _ = timeout(self.patience.idle.min(Duration::from_secs(10)), read).await;
        bytes.truncate(ERROR_BODY);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

pub(crate) fn too_large(most: usize) -> Trouble {
    Trouble::new(
        TroubleKind::Useless,
        format!("the answer was cut off: it has more than {most} bytes"),
    )
}

/// Without the address, which may be long, and with the causes, which say what happened.
fn said(error: &reqwest::Error) -> String {
    let mut text = match error {
        error if error.is_connect() => "no connection".to_string(),
        error if error.is_timeout() => "no answer in time".to_string(),
        _ => "the request failed".to_string(),
    };
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let message = cause.to_string();
        if !text.contains(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        source = cause.source();
    }
    if text.contains("certificate") {
        text.push_str("; where a server or proxy signs connections itself, name its certificate in SSL_CERT_FILE");
    }
    text
}

fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}

/// The system's certificates, or those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name, with ring for
/// the arithmetic as in all of the program.
fn tls_config() -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// What `Retry-After` asks for: seconds, or a date. A date is held against the server's own clock,
/// where it tells it.
fn asked_wait(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::trim)
    };
    let date = |text: &str| DateTimeParser::new().parse_timestamp(text).ok();
    let asked = text(RETRY_AFTER)?;
    if let Ok(seconds) = asked.parse::<f64>() {
        return (seconds.is_finite() && seconds >= 0.0)
            .then(|| Duration::from_secs_f64(seconds.min(LONGEST_RETRY_AFTER)));
    }
    let now = text(DATE)
        .and_then(date)
        .or_else(|| Timestamp::try_from(now).ok())?;
    let seconds = date(asked)?.duration_since(now).as_secs_f64();
    Some(Duration::from_secs_f64(
        seconds.clamp(0.0, LONGEST_RETRY_AFTER),
    ))
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn wait(after: &'static str, date: Option<&'static str>) -> Option<f64> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_static(after));
        date.map(|date| headers.insert(DATE, HeaderValue::from_static(date)));
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        asked_wait(&headers, now).map(|wait| wait.as_secs_f64())
    }

    /// The date of RFC 9110, section 5.6.7, is 784,111,777 seconds after the epoch.
    #[test]
    fn seconds_and_dates_are_understood() {
        for (after, date, expected) in [
            ("120", None, Some(120.0)),
            ("0.5", None, Some(0.5)),
            ("1e300", None, Some(1e6)),
            ("-3", None, None),
            ("soon", None, None),
            ("Sun, 06 Nov 1994 08:50:07 GMT", None, Some(30.0)),
            ("Sun, 06 Nov 1994 08:49:07 GMT", None, Some(0.0)),
            (
                "Sun, 06 Nov 1994 08:50:07 GMT",
                Some("Sun, 06 Nov 1994 08:50:00 GMT"),
                Some(7.0),
            ),
        ] {
            assert_eq!(wait(after, date), expected, "{after} at {date:?}");
        }
    }
}
