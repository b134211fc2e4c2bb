//! Addresses that we follow: `http:` and `https:`, with a host, without a password.

use ureq::http::Uri;

/// An address that can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Url {
    text: String,
    uri: Uri,
}

impl Url {
    /// Understands an address; the error says what is wrong with it, without repeating it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = text.split('#').next().unwrap_or_default();
        let uri: Uri = text
            .parse()
            .map_err(|error| format!("this is no address: {error}"))?;
        let scheme = uri.scheme_str().unwrap_or_default().to_ascii_lowercase();
        if scheme != "http" && scheme != "https" {
            return Err("only http: and https: are followed".to_string());
        }
        let Some(authority) = uri
            .authority()
            .filter(|authority| !authority.host().is_empty())
        else {
            return Err("the address has no host".to_string());
        };
        if authority.as_str().contains('@') {
            return Err(
                "an address with a password is not used: it would end up in files and on screens"
                    .to_string(),
            );
        }
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let text = format!("{scheme}://{authority}{path}");
        let uri = text
            .parse()
            .map_err(|error| format!("this is no address: {error}"))?;
        Ok(Self { text, uri })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn is_https(&self) -> bool {
        self.uri.scheme_str() == Some("https")
    }

    /// The host, without the brackets of an IPv6 address.
    pub(crate) fn host(&self) -> &str {
        self.uri.host().unwrap_or_default().trim_matches(['[', ']'])
    }

    /// The port, its scheme's where none is given.
    pub(crate) fn port(&self) -> u16 {
        self.uri
            .port_u16()
            .unwrap_or(if self.is_https() { 443 } else { 80 })
    }

    pub(crate) fn has_query(&self) -> bool {
        self.uri.query().is_some()
    }

    /// Where a redirect from here leads (RFC 3986, section 5.2): an absolute address, or one
    /// relative to this.
    pub(crate) fn join(&self, location: &str) -> Result<Self, String> {
        let location = location.split('#').next().unwrap_or_default();
        if has_scheme(location) {
            return Self::parse(location);
        }
        let scheme = if self.is_https() { "https" } else { "http" };
        if let Some(rest) = location.strip_prefix("//") {
            return Self::parse(&format!("{scheme}://{rest}"));
        }
        let authority = self
            .uri
            .authority()
            .map_or("", |authority| authority.as_str());
        let base = self.uri.path();
        let (path, query) = match location.split_once('?') {
            Some((path, query)) => (path, format!("?{query}")),
            None => (location, String::new()),
        };
        let path = match path {
            "" => base.to_string(),
            path if path.starts_with('/') => path.to_string(),
            path => format!(
                "{}/{path}",
                base.rsplit_once('/').map_or("", |(folder, _)| folder)
            ),
        };
        Self::parse(&format!(
            "{scheme}://{authority}{}{query}",
            without_dots(&path)
        ))
    }

    /// A text that may be an address, with what stands before an `@` of its host left out.
    pub(crate) fn without_password(text: &str) -> String {
        let Some((scheme, rest)) = text.split_once("://") else {
            return text.to_string();
        };
        let host_ends = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        match rest[..host_ends].rfind('@') {
            Some(at) => format!("{scheme}://…@{}", &rest[at + 1..]),
            None => text.to_string(),
        }
    }
}

fn has_scheme(location: &str) -> bool {
    let Some((scheme, _)) = location.split_once(':') else {
        return false;
    };
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// A path with `.` and `..` carried out (RFC 3986, section 5.2.4).
fn without_dots(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let ends_in_folder = path.ends_with('/') || path.ends_with("/.") || path.ends_with("/..");
    for part in path.split('/').skip(1) {
        match part {
            "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let joined = format!("/{}", parts.join("/"));
    if ends_in_folder && !joined.ends_with('/') {
        format!("{joined}/")
    } else {
        joined
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Examples of RFC 3986, section 5.4, as far as they stay with http.
    #[test]
    fn locations_are_resolved_as_the_standard_says() {
        let base = Url::parse("http://a/b/c/d;p?q").unwrap();
        for (location, expected) in [
            ("http://x/y", "http://x/y"),
            ("HTTP://x", "http://x/"),
            ("g", "http://a/b/c/g"),
            ("./g", "http://a/b/c/g"),
            ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g/"),
            ("?y", "http://a/b/c/d;p?y"),
            ("g?y", "http://a/b/c/g?y"),
            ("g#s", "http://a/b/c/g"),
            (";x", "http://a/b/c/;x"),
            (".", "http://a/b/c/"),
            ("..", "http://a/b/"),
            ("../g", "http://a/b/g"),
            ("../..", "http://a/"),
            ("../../../../g", "http://a/g"),
            ("/./g", "http://a/g"),
            ("g/../h", "http://a/b/c/h"),
        ] {
            assert_eq!(
                base.join(location).map(|url| url.text),
                Ok(expected.to_string()),
                "{location}"
            );
        }
    }

    #[test]
    fn other_schemes_hosts_left_out_and_passwords_are_refused() {
        let base = Url::parse("https://example.org/x").unwrap();
        for location in [
            "file:///etc/passwd",
            "ftp://x/y",
            "javascript:alert(1)",
            "data:,x",
            "https://u:p@x/",
            "http://",
            "//",
        ] {
            assert!(base.join(location).is_err(), "{location}");
        }
        assert!(Url::parse("example.org/x").is_err());
    }

    #[test]
    fn a_password_is_left_out() {
        assert_eq!(
            Url::without_password("https://u:p@w@host/x@y"),
            "https://…@host/x@y"
        );
        assert_eq!(
            Url::without_password("https://host/x@y"),
            "https://host/x@y"
        );
    }
}
