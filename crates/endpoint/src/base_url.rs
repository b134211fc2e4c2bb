//! The address of a server, in whichever form it was given.

use http_client::redact;
use reqwest::Url;

use crate::error::Error;

/// The address below which a server answers: `http://localhost:8000`, with or without `/v1` behind
/// it.
///
/// Where some part of its path already is a version (`/v1`, `/v4`, `/v1beta/openai`), the address
/// is taken as it is; else `/v1` is appended. The whole address of a route
/// (`…/v1/chat/completions`) is understood too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    /// The address of the OpenAI-compatible routes, without a slash at the end.
    api: String,
    /// The address of the server's own routes, without a slash at the end.
    root: String,
    is_loopback: bool,
    is_https: bool,
}

impl BaseUrl {
    /// Understands an address.
    ///
    /// # Errors
    /// Anything but `http:` or `https:` with a host; and a password or a query, which would end up
    /// in files and on screens.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let refused = |reason: &str| Error::BadUrl {
            given: redact(text),
            reason: reason.to_string(),
        };
        if !text.contains("://") {
            return Err(refused("it does not begin with http:// or https://"));
        }
        let url = Url::parse(text.trim()).map_err(|error| refused(&error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(refused("only http: and https: are understood"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Error::PasswordInUrl {
                given: redact(text),
            });
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(refused("the address of a server has no ? or # in it"));
        }
        let path = url.path().trim_end_matches('/');
        let path = path
            .strip_suffix("/completions")
            .map_or(path, |path| path.strip_suffix("/chat").unwrap_or(path));
        let path = path.trim_end_matches('/');
        let origin = url.origin().ascii_serialization();
        // Servers have their own routes (`/version`, `/tokenize`) beside `/v1` and not below it.
        let root = format!("{origin}{}", path.strip_suffix("/v1").unwrap_or(path));
        let api = if path.split('/').any(is_version) {
            format!("{origin}{path}")
        } else {
            format!("{root}/v1")
        };
        let is_loopback = match url.host_str().unwrap_or_default().trim_matches(['[', ']']) {
            "localhost" => true,
            host => host
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback()),
        };
        Ok(Self {
            api,
            root,
            is_loopback,
            is_https: url.scheme() == "https",
        })
    }

    /// An OpenAI-compatible route, such as `models`.
    pub(crate) fn api(&self, route: &str) -> String {
        format!("{}/{route}", self.api)
    }

    /// A route of the server's own, such as `version`.
    pub(crate) fn own(&self, route: &str) -> String {
        format!("{}/{route}", self.root)
    }

    /// The address of the OpenAI-compatible routes.
    pub fn as_str(&self) -> &str {
        &self.api
    }

    pub(crate) fn is_loopback(&self) -> bool {
        self.is_loopback
    }

    pub(crate) fn is_https(&self) -> bool {
        self.is_https
    }
}

/// `v1`, `v4`, `v1beta`: a part of a path that names a version.
fn is_version(part: &str) -> bool {
    part.strip_prefix('v')
        .is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_appended_to_an_address_that_has_none() {
        for (given, api, root) in [
            (
                "http://localhost:8000",
                "http://localhost:8000/v1",
                "http://localhost:8000",
            ),
            (
                "http://localhost:8000/",
                "http://localhost:8000/v1",
                "http://localhost:8000",
            ),
            (
                "http://localhost:8000/v1",
                "http://localhost:8000/v1",
                "http://localhost:8000",
            ),
            (
                "http://localhost:8000/v1/",
                "http://localhost:8000/v1",
                "http://localhost:8000",
            ),
            (
                "http://localhost:8000/v1/chat/completions",
                "http://localhost:8000/v1",
                "http://localhost:8000",
            ),
            (
                "http://[::1]:80/v1/completions",
                "http://[::1]/v1",
                "http://[::1]",
            ),
            (
                "https://host/proxy/a/v1",
                "https://host/proxy/a/v1",
                "https://host/proxy/a",
            ),
            (
                "https://host/api/v4",
                "https://host/api/v4",
                "https://host/api/v4",
            ),
            (
                "https://host/v1beta/openai/",
                "https://host/v1beta/openai",
                "https://host/v1beta/openai",
            ),
            (
                "https://host/vendor",
                "https://host/vendor/v1",
                "https://host/vendor",
            ),
        ] {
            let url = BaseUrl::parse(given).unwrap();
            assert_eq!((url.as_str(), url.root.as_str()), (api, root), "{given}");
        }
    }

    #[test]
    fn passwords_queries_and_other_schemes_are_refused_without_being_shown() {
        for given in [
            "https://u:secret@host/v1",
            "https://host/v1?key=secret",
            "ftp://host",
            "host:8000",
            "http://",
            "",
        ] {
            let message = BaseUrl::parse(given).unwrap_err().to_string();
            assert!(!message.contains("secret"), "{message}");
        }
    }

    #[test]
    fn loopback_is_distinguished_from_other_hosts() {
        for (given, loopback) in [
            ("http://localhost:1", true),
            ("http://127.0.0.2", true),
            ("http://[::1]:1", true),
            ("http://10.0.0.1", false),
        ] {
            assert_eq!(
                BaseUrl::parse(given).unwrap().is_loopback(),
                loopback,
                "{given}"
            );
        }
    }
}
