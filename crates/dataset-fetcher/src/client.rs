//! One HTTP request: redirects followed with care, statuses classified, `Retry-After` honoured.
//!
//! reqwest is asynchronous; this client runs it on the caller's thread.

use std::ops::Deref;
use std::time::Duration;

use http_client::{
    Network, RefusedRedirect, check_address, describe, is_proxy_refusal, is_tls_failure, redact,
    redirect_fault, redirects, retry_after,
};
use jiff::Timestamp;
use reqwest::header::{ACCEPT_ENCODING, HeaderMap, IF_RANGE, LOCATION, RANGE};
use reqwest::{Response, StatusCode};
use tokio::runtime::{Builder, Runtime};
use url::Url;

use crate::error::Error;
use crate::policy::DownloadPolicy;

/// Requests files from servers.
pub(crate) struct Client {
    runtime: Runtime,
    http: reqwest::Client,
    network: Network,
    max_retry_after: Duration,
}

/// From which byte on a file is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ByteRange {
    pub(crate) from: u64,
    /// The `ETag` or date that the file must still have; else all of it is wanted.
    pub(crate) validator: Option<String>,
}

/// A response with a body: 200 or 206; or 416 where the range does not exist.
pub(crate) struct FileResponse<'a> {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// The address that answered, after redirects.
    pub(crate) url: String,
    response: Response,
    runtime: &'a Runtime,
}

/// Why there is no response.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It may work another time.
    Retry {
        reason: String,
        /// What the server asks to wait.
        retry_after: Option<Duration>,
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
    pub(crate) fn retry(reason: impl Into<String>) -> Self {
        Self::Retry {
            reason: reason.into(),
            retry_after: None,
        }
    }
}

impl FileResponse<'_> {
    /// The next bytes of the body; `None` at its end.
    pub(crate) fn chunk(&mut self) -> Result<Option<impl Deref<Target = [u8]>>, String> {
        self.runtime
            .block_on(async { self.response.chunk().await })
            .map_err(|error| describe(&error))
    }
}

impl Client {
    pub(crate) fn new(network: &Network, policy: &DownloadPolicy) -> Result<Self, Error> {
        let unusable = |reason: String| Error::Environment {
            variable: None,
            reason,
        };
        let builder =
            network
                .client(policy.connect_timeout)
                .map_err(|error| Error::Environment {
                    variable: error.variable,
                    reason: error.reason,
                })?;
        let http = builder
            .read_timeout(policy.idle_timeout)
            .referer(false)
            .redirect(redirects(policy.max_redirects as usize))
            .build()
            .map_err(|error| unusable(describe(&error)))?;
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| unusable(error.to_string()))?;
        Ok(Self {
            runtime,
            http,
            network: network.clone(),
            max_retry_after: policy.max_retry_after,
        })
    }

    /// Requests a file, or the rest of it.
    pub(crate) fn get(
        &self,
        url: &Url,
        range: Option<&ByteRange>,
    ) -> Result<FileResponse<'_>, Failure> {
        // Ids and ranges are of the file as it is, not of a compressed form.
        let mut request = self
            .http
            .get(url.clone())
            .header(ACCEPT_ENCODING, "identity");
        if let Some(range) = range {
            request = request.header(RANGE, format!("bytes={}-", range.from));
            if let Some(validator) = &range.validator {
                request = request.header(IF_RANGE, validator);
            }
        }
        let response = self
            .runtime
            .block_on(async { request.send().await })
            .map_err(|error| self.failure(url, &error))?;
        match response.status().as_u16() {
            status @ (200 | 206 | 416) => Ok(FileResponse {
                status,
                headers: response.headers().clone(),
                url: response.url().to_string(),
                response,
                runtime: &self.runtime,
            }),
            // reqwest follows redirects itself; it hands over those whose location is missing or
            // unreadable.
            301 | 302 | 303 | 307 | 308 => Err(unusable_redirect(&response).into()),
            407 => Err(self.proxy_refusal(response.url().scheme())),
            _ => Err(self.refusal(&response)),
        }
    }

    /// What an error of the connection means.
    fn failure(&self, url: &Url, error: &reqwest::Error) -> Failure {
        if let Some(refused) = RefusedRedirect::of(error) {
            return Error::Redirect {
                url: refused.from.clone(),
                to: refused.to.clone(),
                reason: refused.reason.clone(),
            }
            .into();
        }
        let url = error.url().unwrap_or(url);
        match error {
            error if is_tls_failure(error) => Error::Tls {
                url: url.to_string(),
                reason: describe(error),
            }
            .into(),
            error if is_proxy_refusal(error) => self.proxy_refusal(url.scheme()),
            // An address that the server gave and that cannot be requested.
            error if error.is_builder() => Error::Answer {
                url: url.to_string(),
                reason: describe(error),
            }
            .into(),
            error => Failure::retry(describe(error)),
        }
    }

    /// A proxy that wants a password will not think better of it.
    fn proxy_refusal(&self, scheme: &str) -> Failure {
        Error::Environment {
            variable: self.network.proxy_variable(scheme),
            reason: "the proxy does not connect us: it wants another user name or password (407)"
                .to_string(),
        }
        .into()
    }

    /// What a status without a body means.
    fn refusal(&self, response: &Response) -> Failure {
        let status = response.status();
        let refused = |hint: String| {
            Error::Status {
                url: response.url().to_string(),
                status: status.to_string(),
                hint,
            }
            .into()
        };
        // A busy or failing server may answer another time; any other status is taken to be its
        // last word.
        match status.as_u16() {
            408 | 425 | 429 | 500..=599 => {
                match retry_after(response.headers(), Timestamp::now()) {
                    Some(wait) if wait > self.max_retry_after => refused(format!(
                        "it asks to wait for {} s: try again after that",
                        wait.as_secs()
                    )),
                    retry_after => Failure::Retry {
                        reason: format!("the server answered {status}"),
                        retry_after,
                    },
                }
            }
            401 | 403 => refused("it does not give this file to us".to_string()),
            404 | 410 => refused("the file is not there, or no longer".to_string()),
            _ => refused("this is no answer that could be used".to_string()),
        }
    }
}

/// A redirect that names no address, or none that could be asked.
fn unusable_redirect(response: &Response) -> Error {
    let url = response.url();
    let status: StatusCode = response.status();
    match header(response.headers(), LOCATION.as_str()) {
        None => Error::Answer {
            url: url.to_string(),
            reason: format!("a redirect ({}) without a location", status.as_u16()),
        },
        Some(location) => Error::Redirect {
            url: url.to_string(),
            to: redact(location),
            reason: match url.join(location) {
                Ok(to) => redirect_fault(url, &to),
                Err(error) => Some(format!("this is no address: {error}")),
            }
            .unwrap_or_else(|| "this is no address that could be asked".to_string()),
        },
    }
}

/// Understands an address; the error says what is wrong with it, without repeating it.
pub(crate) fn parse_url(text: &str) -> Result<Url, String> {
    let mut url = Url::parse(text).map_err(|error| format!("this is no address: {error}"))?;
    // The URL standard passes over missing hosts: `https:///x` would be the host `x`.
    if text
        .split_once("://")
        .is_none_or(|(_, rest)| rest.starts_with('/'))
    {
        return Err("this is no address: it has no host".to_string());
    }
    check_address(&url)?;
    url.set_fragment(None);
    Ok(url)
}

/// A header's value, where it is there once or more and is text.
pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_a_scheme_and_a_host() {
        for text in ["example.org/x", "https:///x", "https:x", "http://", ""] {
            assert!(parse_url(text).is_err(), "{text}");
        }
        assert_eq!(
            parse_url("https://example.org/x#part").unwrap().as_str(),
            "https://example.org/x"
        );
    }
}
