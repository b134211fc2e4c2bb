//! Requests to the hub, and to where it sends us.

use std::time::Duration;

use http_client::{
    RefusedRedirect, describe, is_proxy_refusal, is_tls_failure, redirects, retry_after,
};
use jiff::Timestamp;
use reqwest::header::{ACCEPT_ENCODING, AUTHORIZATION, HeaderMap, HeaderValue, RANGE};
use reqwest::{Response, StatusCode};
use tokio::runtime::{Builder, Runtime};
use url::Url;

use crate::error::{Error, Refusal};
use crate::event::HubEvent;
use crate::name::RepositoryName;
use crate::settings::HubSettings;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
const MAX_REDIRECTS: usize = 10;
/// A wait that a server may ask for and that is kept; a longer one ends the attempts.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(300);
/// The list of files of a repository is some hundred bytes a file.
const MAX_ANSWER: usize = 64 << 20;
/// Attempts at the list of files: where the hub is away, what is in the cache serves.
const LIST_ATTEMPTS: u32 = 3;

/// What a request failed by.
pub(crate) enum Failure {
    /// What may pass.
    Passing {
        reason: String,
        wait: Option<Duration>,
    },
    Final(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

/// An answer whose body is still to come.
pub(crate) struct Answer<'a> {
    response: Response,
    runtime: &'a Runtime,
}

impl Answer<'_> {
    pub(crate) fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// The first byte that a part of a file begins with, and the size of the file.
    pub(crate) fn content_range(&self) -> Option<(u64, u64)> {
        let range = header(self.response.headers(), "content-range")?;
        let (range, size) = range.strip_prefix("bytes ")?.split_once('/')?;
        let (first, _) = range.split_once('-')?;
        Some((first.trim().parse().ok()?, size.trim().parse().ok()?))
    }

    pub(crate) fn content_length(&self) -> Option<u64> {
        header(self.response.headers(), "content-length")?
            .parse()
            .ok()
    }

    /// The next bytes; `None` at the end.
    pub(crate) fn chunk(&mut self) -> Result<Option<impl std::ops::Deref<Target = [u8]>>, String> {
        self.runtime
            .block_on(async { self.response.chunk().await })
            .map_err(|error| describe(&error))
    }
}

/// Asks for one repository.
pub(crate) struct Client<'a> {
    runtime: Runtime,
    http: reqwest::Client,
    settings: &'a HubSettings,
    name: &'a RepositoryName,
}

impl<'a> Client<'a> {
    pub(crate) fn new(settings: &'a HubSettings, name: &'a RepositoryName) -> Result<Self, Error> {
        let unusable = |reason: String| Error::Environment {
            variable: None,
            reason,
        };
        let builder =
            settings
                .network
                .client(CONNECT_TIMEOUT)
                .map_err(|error| Error::Environment {
                    variable: error.variable,
                    reason: error.reason,
                })?;
        let http = builder
            .read_timeout(settings.idle_timeout)
            .referer(false)
            .redirect(redirects(MAX_REDIRECTS))
            .build()
            .map_err(|error| unusable(describe(&error)))?;
        let runtime = Builder::new_current_thread().enable_all().build();
        Ok(Self {
            runtime: runtime.map_err(|error| unusable(error.to_string()))?,
            http,
            settings,
            name,
        })
    }

    /// The answer to a request, from a byte on where that is not the first. The token goes to the hub
    /// alone.
    pub(crate) fn get(&self, url: &Url, from: u64) -> Result<Answer<'_>, Failure> {
        let mut request = self
            .http
            .get(url.clone())
            .header(ACCEPT_ENCODING, "identity");
        if from > 0 {
            request = request.header(RANGE, format!("bytes={from}-"));
        }
        if let Some(token) = &self.settings.token {
            let value = HeaderValue::from_str(&format!("Bearer {}", token.text));
            let mut value = value.map_err(|_| Error::BadToken {
                source_name: token.source.clone(),
            })?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        // Within the runtime, whose clock the request takes.
        let response = self.runtime.block_on(async { request.send().await });
        let response = response.map_err(|error| self.failure(url, &error))?;
        match response.status().as_u16() {
            200 | 206 | 416 => Ok(Answer {
                response,
                runtime: &self.runtime,
            }),
            _ => Err(self.refusal(&response)),
        }
    }

    /// The repository as the hub's API describes it.
    pub(crate) fn description(
        &self,
        on_event: &mut dyn FnMut(HubEvent<'_>),
    ) -> Result<Vec<u8>, Error> {
        let revision = self.name.revision().replace('/', "%2F");
        let address = format!(
            "{}/{}/revision/{revision}?blobs=true",
            self.settings.endpoint,
            self.name.api()
        );
        let url = self.address(&address)?;
        let mut delays = self.settings.backoff.delays();
        for attempt in 1.. {
            let (reason, wait) = match self.whole(&url) {
                Ok(body) => return Ok(body),
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Passing { reason, wait }) => (reason, wait),
            };
            if attempt >= LIST_ATTEMPTS.min(self.settings.max_attempts) {
                return Err(Error::Unreachable {
                    url: shown(&url),
                    attempts: attempt,
                    reason,
                    kept: 0,
                });
            }
            let delay = wait.or(delays.next()).unwrap_or_default();
            on_event(HubEvent::Retry {
                file: self.name.repository(),
                reason: &reason,
                delay,
                attempt: attempt + 1,
            });
            std::thread::sleep(delay);
        }
        unreachable!("the attempts are bounded")
    }

    fn whole(&self, url: &Url) -> Result<Vec<u8>, Failure> {
        let mut answer = self.get(url, 0)?;
        let mut body = Vec::new();
        loop {
            match answer.chunk() {
                Ok(Some(bytes)) => body.extend_from_slice(&bytes),
                Ok(None) => return Ok(body),
                Err(reason) => return Err(Failure::Passing { reason, wait: None }),
            }
            if body.len() > MAX_ANSWER {
                return Err(Error::Answer {
                    url: shown(url),
                    reason: format!("the list of files has more than {MAX_ANSWER} bytes"),
                }
                .into());
            }
        }
    }

    /// Where a file of a commit is asked for.
    pub(crate) fn file_url(&self, commit: &str, path: &str) -> Result<Url, Error> {
        let mut url = self.address(&self.settings.endpoint)?;
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(self.name.page().split('/'));
            segments
                .push("resolve")
                .push(commit)
                .extend(path.split('/'));
        }
        Ok(url)
    }

    fn address(&self, text: &str) -> Result<Url, Error> {
        Url::parse(text).map_err(|error| Error::Answer {
            url: http_client::redact(text),
            reason: format!("this is no address: {error}"),
        })
    }

    fn failure(&self, url: &Url, error: &reqwest::Error) -> Failure {
        if let Some(refused) = RefusedRedirect::of(error) {
            return Error::Answer {
                url: refused.from.clone(),
                reason: format!(
                    "a redirect to {} is not followed: {}",
                    refused.to, refused.reason
                ),
            }
            .into();
        }
        let url = shown(error.url().unwrap_or(url));
        match error {
            error if is_tls_failure(error) => Error::Tls {
                url,
                reason: describe(error),
            }
            .into(),
            error if is_proxy_refusal(error) => Error::Environment {
                variable: self.settings.network.proxy_variable("https"),
                reason:
                    "the proxy does not connect us: it wants another user name or password (407)"
                        .to_string(),
            }
            .into(),
            error => Failure::Passing {
                reason: describe(error),
                wait: None,
            },
        }
    }

    /// What a status says that is no success.
    fn refusal(&self, response: &Response) -> Failure {
        let (status, headers) = (response.status(), response.headers());
        if matches!(status.as_u16(), 408 | 425 | 429 | 500..=599) {
            let wait = retry_after(headers, Timestamp::now());
            if wait.is_none_or(|wait| wait <= MAX_RETRY_AFTER) {
                return Failure::Passing {
                    reason: format!("the server answered {status}"),
                    wait,
                };
            }
        }
        let said = header(headers, "x-error-message");
        let said = said.map(|said| format!(": {}", said.chars().take(300).collect::<String>()));
        Error::Refused {
            name: self.name.to_string(),
            page: format!("{}/{}", self.settings.endpoint, self.name.page()),
            refusal: self.kind_of_refusal(status, headers),
            status: format!("{status}{}", said.unwrap_or_default()),
            token: self
                .settings
                .token
                .as_ref()
                .map(|token| token.source.clone()),
        }
        .into()
    }

    /// The hub answers 401 to those it does not know for what is private and for what there is not,
    /// and says in headers what it means.
    fn kind_of_refusal(&self, status: StatusCode, headers: &HeaderMap) -> Refusal {
        let message = header(headers, "x-error-message").unwrap_or_default();
        match (header(headers, "x-error-code"), status.as_u16()) {
            (Some("GatedRepo"), _) => Refusal::Gated,
            (Some("RevisionNotFound"), _) => Refusal::NoRevision,
            (Some("RepoNotFound"), _) => Refusal::NoRepository,
            (_, 401)
                if self.settings.token.is_some() && message.contains("Invalid credentials") =>
            {
                Refusal::Token
            }
            (None, 401 | 404) => Refusal::NoRepository,
            _ => Refusal::Other,
        }
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// An address in messages: those of a CDN carry a signature.
pub(crate) fn shown(url: &Url) -> String {
    http_client::redact(url.as_str())
}
