//! Which redirects are followed.

use std::error::Error as _;
use std::fmt;

use reqwest::{Url, redirect};

use crate::redaction::redact;

/// A redirect that is not followed, as the cause of a [`reqwest::Error`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedRedirect {
    /// Where it comes from.
    pub from: String,
    /// Where it would lead, without secrets.
    pub to: String,
    /// Why not.
    pub reason: String,
}

impl fmt::Display for RefusedRedirect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for RefusedRedirect {}

impl RefusedRedirect {
    /// The refused redirect that a request failed by; `None` where it failed otherwise.
    pub fn of(error: &reqwest::Error) -> Option<&Self> {
        error.source().and_then(|cause| cause.downcast_ref())
    }
}

/// Follows at most `max` redirects in a row, none from https to http, to another scheme or to an
/// address with a password. What says who asks (`Authorization`, cookies) is not sent to another host
/// or port: reqwest sees to that.
pub fn redirects(max: usize) -> redirect::Policy {
    redirect::Policy::custom(move |attempt| {
        let from = attempt.previous().last();
        let refused = match attempt.previous().len() > max {
            true => Some(format!("more than {max} redirects in a row")),
            false => from.and_then(|from| redirect_fault(from, attempt.url())),
        };
        let Some(reason) = refused else {
            return attempt.follow();
        };
        let (from, to) = (
            from.map(Url::to_string).unwrap_or_default(),
            redact(attempt.url().as_str()),
        );
        attempt.error(RefusedRedirect { from, to, reason })
    })
}

/// Why a redirect is not followed.
pub fn redirect_fault(from: &Url, to: &Url) -> Option<String> {
    if let Err(reason) = check_address(to) {
        return Some(reason);
    }
    (from.scheme() == "https" && to.scheme() != "https").then(|| {
        "it would go from https to http, where anyone on the way can change it".to_string()
    })
}

/// Sees to it that an address is one of HTTP, without a password.
///
/// # Errors
/// What is wrong with it.
pub fn check_address(url: &Url) -> Result<(), String> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err("only http: and https: are followed".to_string());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "an address with a password is not used: it would end up in files and on screens"
                .to_string(),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_to_other_schemes_passwords_and_from_https_to_http_are_refused() {
        let fault = |from: &str, location: &str| {
            let from = Url::parse(from).unwrap();
            redirect_fault(&from, &from.join(location).unwrap())
        };
        for location in [
            "file:///etc/passwd",
            "ftp://x/y",
            "javascript:alert(1)",
            "data:,x",
            "https://u:p@x/",
            "http://example.org/x",
        ] {
            assert!(
                fault("https://example.org/x", location).is_some(),
                "{location}"
            );
        }
        for location in ["/y", "../y?z", "//other/x", "https://other/x"] {
            assert_eq!(fault("https://example.org/x", location), None);
            assert_eq!(fault("http://example.org/x", location), None);
        }
    }
}
