//! What to fetch, where from and where to.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use http_client::{Network, redact};

use crate::client::parse_url;
use crate::error::Error;
use crate::policy::DownloadPolicy;
use crate::source::{PublishedBy, Source, Split, sets, sources};

/// What to fetch, where from and where to.
#[derive(Clone, Debug)]
pub struct FetchRequest {
    /// The data folder; it is created where it is missing.
    pub folder: PathBuf,
    /// Names of sets; empty for all.
    pub sets: Vec<String>,
    /// Whose files.
    pub published_by: PublishedBy,
    /// Training splits too.
    pub train: bool,
    /// Another origin than the publishers.
    pub from: Option<Origin>,
    /// Replace files of other content, and accept what a publisher changed.
    pub force: bool,
    /// Attempts, timeouts and limits.
    pub policy: DownloadPolicy,
    /// Proxies and certificates.
    pub network: Network,
    /// The files that can be fetched: [`sources`], or others.
    pub sources: Cow<'static, [Source]>,
}

/// Where files come from instead of their publishers. Both have the files under the names that they
/// have in a data folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A folder.
    Folder(PathBuf),
    /// The address of a mirror's folder, without a slash at its end.
    Mirror(String),
}

impl Origin {
    /// An address (`http:`, `https:`), or a folder that exists.
    ///
    /// # Errors
    /// [`Error::BadOrigin`] for anything else.
    pub fn parse(given: &str) -> Result<Self, Error> {
        let bad = |reason: &str| Error::BadOrigin {
            given: redact(given),
            reason: reason.to_string(),
        };
        if let Some((scheme, _)) = given.split_once("://") {
            if !["http", "https"].contains(&scheme.to_ascii_lowercase().as_str()) {
                return Err(bad(
                    "only addresses with http: and https: are fetched; give the path of a folder as it is",
                ));
            }
            let url = parse_url(given).map_err(|reason| bad(&reason))?;
            if url.query().is_some() || given.contains('#') {
                return Err(bad("give the address of a folder, without ? and #"));
            }
            return Ok(Self::Mirror(url.as_str().trim_end_matches('/').to_string()));
        }
        match std::fs::metadata(given) {
            // Absolute, because the lock file is read from other folders too.
            Ok(found) if found.is_dir() => Ok(Self::Folder(
                std::path::absolute(given).unwrap_or(PathBuf::from(given)),
            )),
            Ok(_) => Err(bad("it is a file: give the folder that it lies in")),
            Err(error) => Err(bad(&format!("neither a folder nor an address: {error}"))),
        }
    }

    /// Where to get a file.
    pub(crate) fn locate(origin: Option<&Self>, source: &Source) -> FileLocation {
        match origin {
            None => FileLocation::Url(source.url()),
            Some(Self::Mirror(base)) => FileLocation::Url(format!("{base}/{}", source.name)),
            Some(Self::Folder(folder)) => FileLocation::Path(folder.join(Path::new(&source.name))),
        }
    }
}

/// Where to get one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FileLocation {
    Url(String),
    Path(PathBuf),
}

impl FetchRequest {
    /// A request for all sets of the published benchmark (further sets must be named), from its authors.
    pub fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            sets: Vec::new(),
            published_by: PublishedBy::Mwpbench,
            train: false,
            from: None,
            force: false,
            policy: DownloadPolicy::default(),
            network: Network::default(),
            sources: Cow::Borrowed(sources()),
        }
    }

    /// The files to fetch.
    ///
    /// # Errors
    /// [`Error::UnknownSet`] and [`Error::NotFromPublisher`].
    pub(crate) fn files(&self) -> Result<Vec<&Source>, Error> {
        let known = sets();
        for set in &self.sets {
            let Some(absence) = known.get(set.as_str()) else {
                let known: Vec<&str> = known.into_keys().collect();
                return Err(Error::UnknownSet {
                    set: set.clone(),
                    known: known.join(", "),
                });
            };
            if let (PublishedBy::Publisher, Some(reason)) = (self.published_by, absence) {
                return Err(Error::NotFromPublisher {
                    set: set.clone(),
                    reason: reason.to_string(),
                });
            }
        }
        // Sets beside the benchmark, which only their publishers have: fetched where they are named,
        // whoever is asked.
        let is_further = |source: &Source| {
            let of_benchmark = |own: &&Source| own.published_by == PublishedBy::Mwpbench;
            let mut benchmark = sources().iter().filter(of_benchmark);
            !benchmark.any(|own| source.sets.iter().any(|set| own.sets.contains(set)))
        };
        let wanted = |source: &&Source| {
            let is_named = source.sets.iter().any(|set| self.sets.contains(set));
            let is_asked = match is_further(source) {
                true => is_named,
                false => {
                    source.published_by == self.published_by && (is_named || self.sets.is_empty())
                }
            };
            is_asked && (self.train || source.split == Split::Test)
        };
        Ok(self.sources.iter().filter(wanted).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(change: impl FnOnce(&mut FetchRequest)) -> Vec<String> {
        let mut request = FetchRequest::new(PathBuf::new());
        change(&mut request);
        request
            .files()
            .unwrap()
            .into_iter()
            .map(|source| source.name.clone())
            .collect()
    }

    #[test]
    fn a_request_names_the_files_that_hold_its_sets() {
        assert_eq!(
            names(|_| ()),
            ["full_test.json", "fresh_gaokao_math_2023.json"]
        );
        assert_eq!(names(|request| request.train = true).len(), 3);
        assert_eq!(
            names(|request| request.sets = vec!["math23k".to_string()]),
            ["full_test.json"]
        );
        let of_publishers = names(|request| {
            request.published_by = PublishedBy::Publisher;
            request.sets = vec!["gsm8k".to_string(), "agieval_gaokao".to_string()];
        });
        let expected = [
            "native/gsm8k/test.jsonl",
            "native/agieval/gaokao-mathqa.jsonl",
            "native/agieval/gaokao-mathcloze.jsonl",
        ];
        assert_eq!(of_publishers, expected);
    }

    #[test]
    fn further_sets_are_fetched_where_they_are_named_and_nowhere_else() {
        let named =
            names(|request| request.sets = vec!["math_500".to_string(), "aqua".to_string()]);
        assert_eq!(
            named,
            ["native/math_500/test.jsonl", "native/aqua/test.jsonl"]
        );
        let all = names(|request| request.published_by = PublishedBy::Publisher);
        assert!(all.contains(&"native/gsm8k/test.jsonl".to_string()));
        assert!(!all.iter().any(|name| name.contains("math_500")), "{all:?}");
    }

    #[test]
    fn unknown_sets_and_sets_without_a_publisher_are_refused() {
        let mut request = FetchRequest::new(PathBuf::new());
        request.sets = vec!["gsm9k".to_string()];
        let text = request.files().unwrap_err().to_string();
        assert!(
            text.contains("\"gsm9k\"")
                && text.contains("agieval_gaokao, agieval_math, agieval_sat"),
            "{text}"
        );
        request.sets = vec!["math23k".to_string()];
        request.published_by = PublishedBy::Publisher;
        assert!(
            request
                .files()
                .unwrap_err()
                .to_string()
                .contains("SCNU203/Math23k")
        );
    }

    #[test]
    fn origins_are_folders_or_addresses() {
        let folder = tempfile::tempdir().unwrap();
        let given = folder.path().to_str().unwrap();
        assert_eq!(
            Origin::parse(given).unwrap(),
            Origin::Folder(folder.path().to_path_buf())
        );
        let mirror = Origin::parse("HTTPS://Example.org:8443/a/b/").unwrap();
        assert_eq!(
            mirror,
            Origin::Mirror("https://example.org:8443/a/b".to_string())
        );
        for (given, part) in [
            ("file:///etc", "only addresses"),
            ("ftp://example.org/", "only addresses"),
            ("https://user:secret@example.org/", "password"),
            ("https://example.org/?x=1", "without ?"),
            ("https:///x", "no address"),
            ("/no/such/folder", "neither a folder nor an address"),
        ] {
            let text = Origin::parse(given).unwrap_err().to_string();
            assert!(text.contains(part) && !text.contains("secret"), "{text}");
        }
    }
}
