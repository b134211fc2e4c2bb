//! Proxies and certificates of the environment.
//!
//! reqwest would read the proxies by itself, but pass over one that it does not understand, and go
//! out directly where that was not wanted; so the variables are read here, and refused by name.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, ClientBuilder, NoProxy, Proxy, Url, redirect};
use rustls::{ClientConfig, RootCertStore};

/// Schemes of proxies.
const PROXY_SCHEMES: [&str; 6] = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"];

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
impl fmt::Debug for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// A variable of the environment that says something that cannot be used, or, without a variable,
/// a client that cannot be set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkError {
    /// Name of the variable.
    pub variable: Option<&'static str>,
    /// What is wrong; never the variable's value, which may hold a password.
    pub reason: String,
}

impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.variable {
            Some(variable) => write!(
                f,
                "the variable {variable} of the environment: {}",
                self.reason
            ),
            None => f.write_str(&self.reason),
        }
    }
}

impl std::error::Error for NetworkError {}

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

    /// The same without proxies, for servers on this machine.
    pub fn without_proxies(self) -> Self {
        Self {
            http: None,
            https: None,
            ..self
        }
    }

    /// The same with the system's certificates, for servers that are asked without TLS: what the
    /// variables name is then no matter.
    pub fn without_certificates(self) -> Self {
        Self {
            certificate_file: None,
            certificate_folder: None,
            ..self
        }
    }

    /// A client that goes through the proxies, trusts the certificates and follows no redirect; its
    /// TLS is rustls on ring. What else is wanted is set by the caller.
    ///
    /// # Errors
    /// A proxy or certificates that cannot be used.
    pub fn client(&self, connect_timeout: Duration) -> Result<ClientBuilder, NetworkError> {
        let mut builder = Client::builder()
            .user_agent(concat!("mwpbench/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .connect_timeout(connect_timeout)
            .tls_backend_preconfigured(self.tls_config()?)
            // Only the proxies named here, and none that reqwest finds by itself.
            .no_proxy();
        // reqwest reads commas only, where other programs allow spaces, and takes `*` for names but
        // not for addresses.
        let exempt = self.no_proxy.replace([' ', '\t'], ",");
        if exempt.split(',').any(|entry| entry == "*") {
            return Ok(builder);
        }
        for (variable, proxy) in [
            (&self.http, Proxy::http as fn(Url) -> reqwest::Result<Proxy>),
            (&self.https, Proxy::https),
        ] {
            if let Some(variable) = variable {
                let proxy = proxy(variable.proxy()?).map_err(|_| variable.refused())?;
                builder = builder.proxy(proxy.no_proxy(NoProxy::from_string(&exempt)));
            }
        }
        Ok(builder)
    }

    /// Name of the variable that names the proxy for addresses of a scheme.
    pub fn proxy_variable(&self, scheme: &str) -> Option<&'static str> {
        let variable = match scheme {
            "https" => &self.https,
            _ => &self.http,
        };
        variable.as_ref().map(|variable| variable.name)
    }

    fn tls_config(&self) -> Result<ClientConfig, NetworkError> {
        // Given here and not as the default of the process: that can be set only once, and not by a
        // library.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| NetworkError {
                variable: None,
                reason: error.to_string(),
            })?
            .with_root_certificates(self.roots()?)
            .with_no_client_auth();
        // reqwest takes a finished configuration as it is: without this line servers are never
        // offered HTTP/2.
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }

    /// The certificates to trust: those that the variables name, else the system's.
    fn roots(&self) -> Result<RootCertStore, NetworkError> {
        let (file, folder) = (
            self.certificate_file.as_deref(),
            self.certificate_folder.as_deref(),
        );
        let variable = match (file, folder) {
            (Some(_), _) => Some("SSL_CERT_FILE"),
            (None, Some(_)) => Some("SSL_CERT_DIR"),
            (None, None) => None,
        };
        let found = match variable {
            Some(_) => rustls_native_certs::load_certs_from_paths(file, folder),
            None => rustls_native_certs::load_native_certs(),
        };
        let mut roots = RootCertStore::empty();
        // Collections hold old certificates that rustls does not read. They must not cost the
        // others.
        roots.add_parsable_certificates(found.certs);
        match (roots.is_empty(), variable) {
            (false, _) => {}
            (true, None) => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
            (true, Some(_)) => {
                let cause = found.errors.first();
                let cause = cause.map(|error| format!(": {error}")).unwrap_or_default();
                return Err(NetworkError {
                    variable,
                    reason: format!("no certificate could be read from there{cause}"),
                });
            }
        }
        Ok(roots)
    }
}

impl Variable {
    /// The proxy's address; without a scheme it is one of HTTP.
    fn proxy(&self) -> Result<Url, NetworkError> {
        let address = match self.value.contains("://") {
            true => self.value.clone(),
            false => format!("http://{}", self.value),
        };
        Url::parse(&address)
            .ok()
            .filter(|url| PROXY_SCHEMES.contains(&url.scheme()) && url.has_host())
            .ok_or_else(|| self.refused())
    }

    fn refused(&self) -> NetworkError {
        NetworkError {
            variable: Some(self.name),
            reason: "it is no address of a proxy, such as http://proxy.example.org:3128"
                .to_string(),
        }
    }
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

    fn error(network: &Network) -> String {
        let built = network.client(Duration::from_secs(1));
        built.map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn the_scheme_of_the_address_chooses_the_proxy() {
        let both = network(&[
            ("HTTP_PROXY", "http://plain:1"),
            ("https_proxy", "secure:2"),
            ("HTTPS_PROXY", "not-this"),
        ]);
        assert_eq!(both.proxy_variable("http"), Some("HTTP_PROXY"));
        assert_eq!(both.proxy_variable("https"), Some("https_proxy"));
        let all = network(&[("ALL_PROXY", "socks5h://all:3"), ("HTTP_PROXY", "")]);
        assert_eq!(all.proxy_variable("http"), Some("ALL_PROXY"));
        let one = network(&[("HTTPS_PROXY", "secure")]);
        assert_eq!(one.proxy_variable("http"), None);
        for network in [both, all, one] {
            assert!(network.client(Duration::from_secs(1)).is_ok());
        }
    }

    #[test]
    fn a_proxy_that_is_none_is_refused_without_its_password() {
        for value in ["gopher://user:secret@x", "http://user:secret@", "http://"] {
            let bad = Network::from_variables(|name| {
                (name == "HTTPS_PROXY").then(|| OsString::from(value))
            });
            let text = error(&bad);
            assert!(
                text.contains("HTTPS_PROXY") && !text.contains("secret"),
                "{text}"
            );
            assert!(!format!("{bad:?}").contains("secret"));
        }
    }

    #[test]
    fn certificates_that_cannot_be_read_are_an_error() {
        let text = error(&network(&[("SSL_CERT_FILE", "/no/such/file.pem")]));
        assert!(
            text.contains("SSL_CERT_FILE") && text.contains("/no/such/file.pem"),
            "{text}"
        );
    }
}
