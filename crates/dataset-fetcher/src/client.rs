//! One request: redirects followed with care, statuses told apart, a wait that the server asks for.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use ureq::http::HeaderMap;
use ureq::tls::TlsConfig;
use ureq::{Agent, Body};

use crate::error::Error;
use crate::network::Network;
use crate::patience::Patience;
use crate::url::Url;

/// What every hint ends with.
const WAY_OUT: &str = "download the file by other means and give its folder with --from DIR, or name a mirror with --from URL";

/// Asks servers.
pub(crate) struct Client {
    agent: Agent,
    network: Network,
    patience: Patience,
}

/// From which byte on a file is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) from: u64,
    /// The `ETag` or date that the file must still have; else all of it is wanted.
    pub(crate) validator: Option<String>,
}

/// An answer with a body: 200 or 206; or 416 where the range does not exist.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
    /// The address that answered, after redirects.
    pub(crate) url: String,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It may work another time.
    Again {
        reason: String,
        /// What the server asks to wait.
        wait: Option<Duration>,
    },
    /// It will not.
    Final(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

impl Failure {
    pub(crate) fn again(reason: impl Into<String>) -> Self {
        Self::Again {
            reason: reason.into(),
            wait: None,
        }
    }
}

impl Client {
    pub(crate) fn new(network: &Network, patience: &Patience) -> Result<Self, Error> {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // Redirects are followed here: ureq would go from https to http, and through the proxy
            // of the first address.
            .max_redirects(0)
            .proxy(None)
            .timeout_resolve(Some(patience.connect))
            .timeout_connect(Some(patience.connect))
            .timeout_recv_response(Some(patience.idle))
            .timeout_per_read(Some(patience.idle))
            .timeout_per_write(Some(patience.idle))
            .user_agent(concat!("mwpbench/", env!("CARGO_PKG_VERSION")))
            .tls_config(TlsConfig::builder().root_certs(network.roots()?).build())
            .build();
        Ok(Self {
            agent: config.new_agent(),
            network: network.clone(),
            patience: patience.clone(),
        })
    }

    /// Asks for a file, or for the rest of it.
    pub(crate) fn get(&self, url: &Url, range: Option<&Range>) -> Result<Answer, Failure> {
        let mut url = url.clone();
        for _ in 0..=self.patience.redirects {
            let answer = self.ask(&url, range)?;
            match answer.status {
                200 | 206 | 416 => return Ok(answer),
                301 | 302 | 303 | 307 | 308 => url = redirect(&url, &answer)?,
                _ => return Err(self.refusal(&url, &answer)),
            }
        }
        let reason = format!("more than {} redirects in a row", self.patience.redirects);
        Err(Error::Redirect {
            url: url.as_str().to_string(),
            to: "itself or others without end".to_string(),
            reason,
        }
        .into())
    }

    fn ask(&self, url: &Url, range: Option<&Range>) -> Result<Answer, Failure> {
        let request = self
            .agent
            .get(url.as_str())
            .config()
            .proxy(self.network.proxy(url)?)
            .build();
        // Ids and ranges are of the file as it is, not of a compressed form.
        let mut request = request.header("Accept-Encoding", "identity");
        if let Some(range) = range {
            request = request.header("Range", format!("bytes={}-", range.from));
            if let Some(validator) = &range.validator {
                request = request.header("If-Range", validator);
            }
        }
        let response = request.call().map_err(|error| self.failure(url, error))?;
        let (parts, body) = response.into_parts();
        Ok(Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
            url: url.as_str().to_string(),
        })
    }

    /// What an error of the connection means.
    fn failure(&self, url: &Url, error: ureq::Error) -> Failure {
        use ureq::Error as Cause;
        let of = url.as_str().to_string();
        match error {
            Cause::Rustls(_) | Cause::Tls(_) | Cause::Pem(_) | Cause::TlsRequired => Error::Tls {
                url: of,
                reason: error.to_string(),
            }
            .into(),
            // This is how a handshake that fails is told.
            Cause::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => Error::Tls {
                url: of,
                reason: error.to_string(),
            }
            .into(),
            // A proxy that wants a password, or does not let us, will not think better of it.
            Cause::ConnectProxyFailed(reason) if reason.contains("responded 4") => {
                let variable = self.network.proxy_variable(url).to_string();
                Error::Environment {
                    variable,
                    reason: format!("the proxy does not connect us: {reason}"),
                }
                .into()
            }
            Cause::LargeResponseHeader(..) => Error::Answer {
                url: of,
                reason: error.to_string(),
            }
            .into(),
            Cause::BadUri(_) | Cause::Http(_) => Error::Answer {
                url: of,
                reason: error.to_string(),
            }
            .into(),
            Cause::Io(error) => Failure::again(error.to_string()),
            Cause::Timeout(_) => Failure::again(format!("no answer in time ({error})")),
            Cause::HostNotFound => Failure::again("the host is not found"),
            error => Failure::again(error.to_string()),
        }
    }

    /// What a status that is no answer means.
    fn refusal(&self, url: &Url, answer: &Answer) -> Failure {
        let status = ureq::http::StatusCode::from_u16(answer.status)
            .map_or(answer.status.to_string(), |status| status.to_string());
        let of = url.as_str().to_string();
        let refused = |hint: String| {
            Error::Status {
                url: of.clone(),
                status: status.clone(),
                hint,
            }
            .into()
        };
        let asked = header(&answer.headers, "retry-after")
            .and_then(|value| retry_after(value, Timestamp::now()));
        match answer.status {
            408 | 425 | 429 | 500..=599 => match asked {
                Some(wait) if wait > self.patience.longest_asked_wait => {
                    let seconds = wait.as_secs();
                    refused(format!(
                        "it asks to wait for {seconds} s: try again after that; or {WAY_OUT}"
                    ))
                }
                wait => Failure::Again {
                    reason: format!("the server answered {status}"),
                    wait,
                },
            },
            401 | 403 => refused(format!("it does not give this file to us; {WAY_OUT}")),
            404 | 410 => refused(format!("the file is not there, or no longer; {WAY_OUT}")),
            _ => refused(format!("this is no answer that could be used; {WAY_OUT}")),
        }
    }
}

/// Where a redirect leads: never to another scheme than http and https, and never from https to
/// http.
fn redirect(url: &Url, answer: &Answer) -> Result<Url, Failure> {
    let from = url.as_str().to_string();
    let Some(location) = header(&answer.headers, "location") else {
        let reason = format!("a redirect ({}) without a location", answer.status);
        return Err(Error::Answer { url: from, reason }.into());
    };
    let to = Url::without_password(location);
    let target = match url.join(location) {
        Ok(target) => target,
        Err(reason) => {
            return Err(Error::Redirect {
                url: from,
                to,
                reason,
            }
            .into());
        }
    };
    if url.is_https() && !target.is_https() {
        let reason =
            "it would go from https to http, where anyone on the way can change it".to_string();
        return Err(Error::Redirect {
            url: from,
            to,
            reason,
        }
        .into());
    }
    Ok(target)
}

/// A header's value, where it is there once or more and is text.
pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .map(str::trim)
}

/// The wait that `Retry-After` asks for: seconds, or the time until a date (RFC 9110, section
/// 10.2.3).
fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = DateTimeParser::new().parse_timestamp(value).ok()?;
    // A date that has passed asks for no wait.
    Some(Duration::try_from(date.duration_since(now)).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now: Timestamp = "2015-10-21T07:27:00Z".parse().unwrap();
        for (value, seconds) in [
            ("120", Some(120)),
            ("0", Some(0)),
            ("Wed, 21 Oct 2015 07:28:00 GMT", Some(60)),
            ("Wed, 21 Oct 2015 07:26:00 GMT", Some(0)),
            ("-1", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(
                retry_after(value, now),
                seconds.map(Duration::from_secs),
                "{value}"
            );
        }
    }
}
