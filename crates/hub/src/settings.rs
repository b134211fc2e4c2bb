//! The variables of the environment that the hub's own client reads, read the same way.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use http_client::{Backoff, Network};
use url::Url;

use crate::error::Error;
use crate::name::RepositoryName;

const ENDPOINT: &str = "https://huggingface.co";

/// How the hub is reached, and where its cache is.
#[derive(Clone, Debug)]
pub struct HubSettings {
    /// Address of the hub, without a slash at its end.
    pub(crate) endpoint: String,
    /// The folder of the cache.
    pub(crate) cache: PathBuf,
    pub(crate) token: Option<Token>,
    /// Whether nothing may be requested.
    pub(crate) offline: bool,
    pub(crate) network: Network,
    /// Attempts in a row without a byte before a file is given up.
    pub max_attempts: u32,
    /// The longest silence of a connection.
    pub idle_timeout: Duration,
    /// How long to wait between attempts.
    pub backoff: Backoff,
}

/// What says who is asking. Never shown.
#[derive(Clone)]
pub(crate) struct Token {
    pub(crate) text: String,
    /// The variable or the file that it is from.
    pub(crate) source: String,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token of {}", self.source)
    }
}

impl HubSettings {
    /// What the environment says: `HF_ENDPOINT`; `HF_HUB_CACHE`, else `hub` in `HF_HOME` (by default
    /// `huggingface` in `XDG_CACHE_HOME` or `~/.cache`); `HF_TOKEN`, else the file `HF_TOKEN_PATH` or
    /// `token` in `HF_HOME`, unless `HF_HUB_DISABLE_IMPLICIT_TOKEN` is set; `HF_HUB_OFFLINE` or
    /// `TRANSFORMERS_OFFLINE`; proxies and certificates as [`Network`] reads them.
    ///
    /// # Errors
    /// An endpoint that is no address, a token with a line end in it, or no home directory.
    pub fn from_environment() -> Result<Self, Error> {
        Self::from_variables(|name| std::env::var_os(name))
    }

    /// As [`HubSettings::from_environment`], with the variables given.
    ///
    /// # Errors
    /// As there.
    pub fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, Error> {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let text = |name: &str| set(name).map(|value| value.to_string_lossy().trim().to_string());
        let is_true = |name: &str| {
            let value = text(name).unwrap_or_default().to_ascii_uppercase();
            ["1", "ON", "YES", "TRUE"].contains(&value.as_str())
        };
        let home_directory = set("HOME")
            .or_else(|| set("USERPROFILE"))
            .map(PathBuf::from);
        let expanded =
            |name: &str| set(name).map(|value| expand(PathBuf::from(value), &home_directory));
        let cache_home = || {
            expanded("XDG_CACHE_HOME").or(home_directory.as_ref().map(|home| home.join(".cache")))
        };
        let home = expanded("HF_HOME").or_else(|| Some(cache_home()?.join("huggingface")));
        let cache = expanded("HF_HUB_CACHE").or_else(|| Some(home.as_ref()?.join("hub")));
        let cache = cache.ok_or(Error::NoCacheFolder)?;
        let given = text("HF_TOKEN").map(|text| Token {
            text,
            source: "HF_TOKEN".to_string(),
        });
        let stored = || {
            let file = expanded("HF_TOKEN_PATH").or_else(|| Some(home.as_ref()?.join("token")))?;
            let text = std::fs::read_to_string(&file).ok()?.trim().to_string();
            (!text.is_empty()).then(|| Token {
                text,
                source: file.display().to_string(),
            })
        };
        let token = match is_true("HF_HUB_DISABLE_IMPLICIT_TOKEN") {
            true => given,
            false => given.or_else(stored),
        };
        if let Some(token) = token
            .as_ref()
            .filter(|token| !token.text.bytes().all(|byte| byte.is_ascii_graphic()))
        {
            return Err(Error::BadToken {
                source_name: token.source.clone(),
            });
        }
        Ok(Self {
            endpoint: endpoint(text("HF_ENDPOINT"))?,
            cache,
            token,
            offline: is_true("HF_HUB_OFFLINE") || is_true("TRANSFORMERS_OFFLINE"),
            network: Network::from_variables(variable),
            max_attempts: 5,
            idle_timeout: Duration::from_secs(60),
            backoff: Backoff::default(),
        })
    }

    /// Below which address the hub gives out the files of a repository, or of the folder in it that
    /// the name names.
    pub fn files_address(&self, name: &RepositoryName) -> String {
        let revision = name.revision().replace('/', "%2F");
        let folder = name.file().map(|folder| format!("/{folder}"));
        let folder = folder.unwrap_or_default();
        format!(
            "{}/{}/resolve/{revision}{folder}",
            self.endpoint,
            name.page()
        )
    }

    /// The folder of the cache.
    pub fn cache(&self) -> &std::path::Path {
        &self.cache
    }
}

fn endpoint(given: Option<String>) -> Result<String, Error> {
    let Some(given) = given else {
        return Ok(ENDPOINT.to_string());
    };
    let url = Url::parse(&given).ok();
    let usable = url.filter(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.query().is_none()
    });
    match usable {
        Some(url) => Ok(url.as_str().trim_end_matches('/').to_string()),
        None => Err(Error::BadEndpoint {
            given: http_client::redact(&given),
        }),
    }
}

/// A path with `~` in place of the home directory.
fn expand(path: PathBuf, home: &Option<PathBuf>) -> PathBuf {
    match (path.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(variables: &[(&str, &str)]) -> Result<HubSettings, Error> {
        HubSettings::from_variables(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn the_cache_is_where_the_others_have_it() {
        for (variables, cache) in [
            (vec![("HOME", "/h")], "/h/.cache/huggingface/hub"),
            (
                vec![("HOME", "/h"), ("XDG_CACHE_HOME", "/x")],
                "/x/huggingface/hub",
            ),
            (vec![("HOME", "/h"), ("HF_HOME", "~/hf")], "/h/hf/hub"),
            (vec![("HF_HUB_CACHE", "/c"), ("HF_HOME", "/hf")], "/c"),
        ] {
            assert_eq!(settings(&variables).unwrap().cache, PathBuf::from(cache));
        }
        assert!(matches!(settings(&[]), Err(Error::NoCacheFolder)));
    }

    #[test]
    fn the_token_is_that_of_the_variable_then_of_the_file_and_is_not_shown() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("token"), "hf_stored\n").unwrap();
        let home = home.path().to_str().unwrap();
        let stored = settings(&[("HF_HOME", home)]).unwrap();
        assert_eq!(stored.token.as_ref().unwrap().text, "hf_stored");
        let given = settings(&[("HF_HOME", home), ("HF_TOKEN", " hf_given ")]).unwrap();
        assert_eq!(given.token.as_ref().unwrap().text, "hf_given");
        assert!(!format!("{given:?}").contains("hf_given"));
        let none = settings(&[("HF_HOME", home), ("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")]).unwrap();
        assert!(none.token.is_none());
        let error = settings(&[("HF_HOME", home), ("HF_TOKEN", "hf_x secret")]).unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }

    #[test]
    fn files_of_data_lie_below_their_revision() {
        let settings = settings(&[("HOME", "/h"), ("HF_ENDPOINT", "http://x")]).unwrap();
        let name = RepositoryName::parse("hf://datasets/o/n@refs%2Fpr%2F1/a/b")
            .unwrap()
            .unwrap();
        let address = settings.files_address(&name);
        assert_eq!(address, "http://x/datasets/o/n/resolve/refs%2Fpr%2F1/a/b");
    }

    #[test]
    fn an_endpoint_that_is_no_address_is_refused_without_its_password() {
        for bad in [
            "hub.example.org",
            "ftp://x",
            "https://u:secret@x",
            "https://x/?q=1",
        ] {
            let error = settings(&[("HOME", "/h"), ("HF_ENDPOINT", bad)])
                .unwrap_err()
                .to_string();
            assert!(
                error.contains("HF_ENDPOINT") && !error.contains("secret"),
                "{error}"
            );
        }
        let good = settings(&[
            ("HOME", "/h"),
            ("HF_ENDPOINT", "http://x:1/hub/"),
            ("HF_HUB_OFFLINE", "true"),
        ])
        .unwrap();
        assert_eq!(
            (good.endpoint.as_str(), good.offline),
            ("http://x:1/hub", true)
        );
    }
}
