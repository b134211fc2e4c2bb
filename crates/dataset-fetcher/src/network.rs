//! Proxies and certificates of the environment.
//!
//! ureq reads `ALL_PROXY`, `HTTPS_PROXY` and `HTTP_PROXY` in this order whatever the address,
//! matches `NO_PROXY` by whole names, and trusts Mozilla's certificates alone. Other programs go by
//! the scheme of the address, take `NO_PROXY=example.org` to cover hosts below it, and trust what
//! the system or `SSL_CERT_FILE` says; so do we, by choosing these ourselves.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;

use ureq::Proxy;
use ureq::tls::{Certificate, RootCerts};

use crate::error::Error;
use crate::url::Url;

/// How to get out: proxies and trusted certificates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    http: Option<Variable>,
    https: Option<Variable>,
    no_proxy: String,
    certificate_file: Option<PathBuf>,
    certificate_folder: Option<PathBuf>,
}

/// A variable that is set, by its name in the environment.
#[derive(Clone, PartialEq, Eq)]
struct Variable {
    name: &'static str,
    value: String,
}

/// Its value may hold a password.
impl std::fmt::Debug for Variable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.name)
    }
}

impl Network {
    /// What the environment says: `http_proxy`, `https_proxy`, `all_proxy`, `no_proxy` (lower case
    /// first, then upper case), and `SSL_CERT_FILE`, `SSL_CERT_DIR`. Where neither of the last two
    /// is set, the system's certificates are trusted, and Mozilla's where the system has none.
    pub fn from_environment() -> Self {
        Self::from_variables(|name| std::env::var_os(name))
    }

    /// As [`Network::from_environment`], with the variables given.
    pub fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let first = |names: &[&'static str]| {
            names.iter().find_map(|name| {
                set(name).map(|value| Variable {
                    name,
                    value: value.to_string_lossy().into_owned(),
                })
            })
        };
        Self {
            http: first(&["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]),
            https: first(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]),
            no_proxy: first(&["no_proxy", "NO_PROXY"])
                .map(|variable| variable.value)
                .unwrap_or_default(),
            certificate_file: set("SSL_CERT_FILE").map(PathBuf::from),
            certificate_folder: set("SSL_CERT_DIR").map(PathBuf::from),
        }
    }

    /// The proxy for an address. With `http:` and `https:` proxies alike, ureq tunnels (`CONNECT`).
    pub(crate) fn proxy(&self, url: &Url) -> Result<Option<Proxy>, Error> {
        let variable = if url.is_https() {
            &self.https
        } else {
            &self.http
        };
        let Some(Variable { name, value }) = variable else {
            return Ok(None);
        };
        if is_exempt(&self.no_proxy, url.host(), url.port()) {
            return Ok(None);
        }
        let refused = |_| Error::Environment {
            variable: name.to_string(),
            reason: "it is no address of a proxy, such as http://proxy.example.org:3128"
                .to_string(),
        };
        Proxy::new(value).map(Some).map_err(refused)
    }

    /// Name of the variable that names the proxy for an address.
    pub(crate) fn proxy_variable(&self, url: &Url) -> &'static str {
        let variable = if url.is_https() {
            &self.https
        } else {
            &self.http
        };
        variable
            .as_ref()
            .map_or("HTTPS_PROXY", |variable| variable.name)
    }

    /// The certificates to trust.
    pub(crate) fn roots(&self) -> Result<RootCerts, Error> {
        let (file, folder) = (
            self.certificate_file.as_deref(),
            self.certificate_folder.as_deref(),
        );
        let asked = file.is_some() || folder.is_some();
        let found = match asked {
            true => rustls_native_certs::load_certs_from_paths(file, folder),
            false => rustls_native_certs::load_native_certs(),
        };
        let certificates: Vec<Certificate<'static>> = found
            .certs
            .iter()
            .map(|certificate| Certificate::from_der(certificate).to_owned())
            .collect();
        match (certificates.is_empty(), asked) {
            (false, _) => Ok(RootCerts::from(certificates)),
            (true, false) => Ok(RootCerts::WebPki),
            (true, true) => {
                let variable = if file.is_some() {
                    "SSL_CERT_FILE"
                } else {
                    "SSL_CERT_DIR"
                };
                let why = found
                    .errors
                    .first()
                    .map(|error| format!(": {error}"))
                    .unwrap_or_default();
                let reason = format!("no certificate could be read from there{why}");
                Err(Error::Environment {
                    variable: variable.to_string(),
                    reason,
                })
            }
        }
    }
}

/// Whether `NO_PROXY` exempts a host. Its entries, separated by commas or spaces: `*`; a name,
/// which covers the hosts below it too (with or without a dot or `*.` before it); an IP address; a
/// network such as `10.0.0.0/8`; all but the last with `:port` after it if need be.
fn is_exempt(no_proxy: &str, host: &str, port: u16) -> bool {
    let entries = no_proxy
        .split([',', ' ', '\t'])
        .filter(|entry| !entry.is_empty());
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    entries
        .into_iter()
        .any(|entry| covers(&entry.to_ascii_lowercase(), &host, port))
}

fn covers(entry: &str, host: &str, port: u16) -> bool {
    if entry == "*" {
        return true;
    }
    if let Ok(address) = host.parse::<IpAddr>()
        && let Some((network, length)) = entry.split_once('/')
    {
        return network
            .parse()
            .ok()
            .zip(length.parse().ok())
            .is_some_and(|(network, length)| in_network(address, network, length));
    }
    let (name, given_port) = match entry.rsplit_once(':') {
        // A colon in an IPv6 address without brackets belongs to the address.
        Some((name, digits)) if !name.contains(':') || name.ends_with(']') => {
            match digits.parse() {
                Ok(given_port) => (name, Some(given_port)),
                Err(_) => (entry, None),
            }
        }
        _ => (entry, None),
    };
    if given_port.is_some_and(|given_port: u16| given_port != port) {
        return false;
    }
    let name = name.trim_matches(['[', ']']);
    let name = name
        .strip_prefix("*.")
        .or(name.strip_prefix('.'))
        .unwrap_or(name);
    host == name
        || host
            .strip_suffix(name)
            .is_some_and(|above| above.ends_with('.') && !name.is_empty())
}

fn in_network(address: IpAddr, network: IpAddr, length: u32) -> bool {
    let bits = |address| match address {
        IpAddr::V4(address) => (u128::from(u32::from(address)) << 96, 32),
        IpAddr::V6(address) => (u128::from(address), 128),
    };
    let ((address, width), (network, network_width)) = (bits(address), bits(network));
    let mask = u128::MAX
        .checked_shl(128_u32.saturating_sub(length))
        .unwrap_or(0);
    width == network_width && length <= width && address & mask == network & mask
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(variables: &'static [(&'static str, &'static str)]) -> Network {
        Network::from_variables(|name| {
            variables
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| OsString::from(value))
        })
    }

    fn proxy_host(network: &Network, url: &str) -> Option<String> {
        network
            .proxy(&Url::parse(url).unwrap())
            .unwrap()
            .map(|proxy| proxy.host().to_string())
    }

    #[test]
    fn the_scheme_of_the_address_chooses_the_proxy() {
        let both = network(&[
            ("HTTP_PROXY", "http://plain:1"),
            ("https_proxy", "secure:2"),
            ("HTTPS_PROXY", "not-this"),
        ]);
        assert_eq!(proxy_host(&both, "http://x/").as_deref(), Some("plain"));
        assert_eq!(proxy_host(&both, "https://x/").as_deref(), Some("secure"));
        let all = network(&[("ALL_PROXY", "socks5h://all:3"), ("HTTP_PROXY", "")]);
        assert_eq!(proxy_host(&all, "http://x/").as_deref(), Some("all"));
        assert_eq!(
            proxy_host(&network(&[("HTTPS_PROXY", "secure")]), "http://x/"),
            None
        );
    }

    #[test]
    fn a_proxy_that_is_none_is_refused_without_its_password() {
        let bad = network(&[("HTTPS_PROXY", "gopher://user:secret@x")]);
        let text = bad
            .proxy(&Url::parse("https://x/").unwrap())
            .unwrap_err()
            .to_string();
        assert!(
            text.contains("HTTPS_PROXY") && !text.contains("secret"),
            "{text}"
        );
        assert!(!format!("{bad:?}").contains("secret"));
    }

    #[test]
    fn no_proxy_exempts_hosts_names_below_and_networks() {
        for (list, host, port, exempt) in [
            ("*", "example.org", 443, true),
            ("example.org", "example.org", 443, true),
            ("example.org", "raw.Example.org", 443, true),
            (".example.org", "example.org", 443, true),
            ("*.example.org", "a.b.example.org", 443, true),
            ("example.org", "badexample.org", 443, false),
            ("a, example.org:8080", "example.org", 8080, true),
            ("a, example.org:8080", "example.org", 443, false),
            ("localhost 127.0.0.1", "127.0.0.1", 80, true),
            ("10.0.0.0/8", "10.1.2.3", 80, true),
            ("10.0.0.0/8", "11.1.2.3", 80, false),
            ("0.0.0.0/0", "11.1.2.3", 80, true),
            ("10.0.0.0/33", "10.0.0.0", 80, false),
            ("fd00::/8", "fd12::1", 80, true),
            ("::1", "::1", 80, true),
            ("[::1]:80", "::1", 80, true),
            ("[::1]:81", "::1", 80, false),
            (".", "example.org", 80, false),
            ("", "example.org", 80, false),
        ] {
            assert_eq!(is_exempt(list, host, port), exempt, "{list} {host}:{port}");
        }
    }

    #[test]
    fn certificates_that_cannot_be_read_are_said() {
        let bad = network(&[("SSL_CERT_FILE", "/no/such/file.pem")]);
        let text = bad.roots().unwrap_err().to_string();
        assert!(
            text.contains("SSL_CERT_FILE") && text.contains("/no/such/file.pem"),
            "{text}"
        );
    }
}
