//! What is asked for.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::network::Network;
use crate::patience::Patience;
use crate::source::{PublishedBy, Source, Split, sets, sources};
use crate::url::Url;

/// What to fetch, where from and where to.
#[derive(Clone, Debug)]
pub struct Order {
    /// The data folder; made where it is not there.
    pub folder: PathBuf,
    /// Names of sets; empty for all.
    pub sets: Vec<String>,
    /// Whose files.
    pub published_by: PublishedBy,
    /// Training splits too.
    pub train: bool,
    /// Another place than the publishers'.
    pub from: Option<Origin>,
    /// Replace files of other content, and accept what a publisher changed.
    pub force: bool,
    /// The bounds of a download.
    pub patience: Patience,
    /// Proxies and certificates.
    pub network: Network,
    /// The files that there are: [`sources`], or others.
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
    /// What was given with `--from`: an address (`http:`, `https:`) or a folder that is there.
    ///
    /// # Errors
    /// [`Error::BadOrigin`] for anything else.
    pub fn parse(given: &str) -> Result<Self, Error> {
        let bad = |reason: &str| Error::BadOrigin {
            given: Url::without_password(given),
            reason: reason.to_string(),
        };
        if let Some((scheme, _)) = given.split_once("://") {
            if !["http", "https"].contains(&scheme.to_ascii_lowercase().as_str()) {
                return Err(bad(
                    "only addresses with http: and https: are fetched; give the path of a folder as it is",
                ));
            }
            let url = Url::parse(given).map_err(|reason| bad(&reason))?;
            if url.has_query() {
                return Err(bad("give the address of a folder, without ? and #"));
            }
            return Ok(Self::Mirror(url.as_str().trim_end_matches('/').to_string()));
        }
        match std::fs::metadata(given) {
            // Absolute, because the lock file says it to somebody who is elsewhere.
            Ok(found) if found.is_dir() => Ok(Self::Folder(
                std::path::absolute(given).unwrap_or(PathBuf::from(given)),
            )),
            Ok(_) => Err(bad("it is a file: give the folder that it lies in")),
            Err(error) => Err(bad(&format!("neither a folder nor an address: {error}"))),
        }
    }

    /// Where a file is to be had.
    pub(crate) fn locate(origin: Option<&Self>, source: &Source) -> Place {
        match origin {
            None => Place::Url(source.url()),
            Some(Self::Mirror(base)) => Place::Url(format!("{base}/{}", source.name)),
            Some(Self::Folder(folder)) => Place::File(folder.join(Path::new(&source.name))),
        }
    }
}

/// Where one file is to be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Url(String),
    File(PathBuf),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Url(url) => f.write_str(url),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

impl Order {
    /// An order for all sets of the published benchmark, from its authors.
    pub fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            sets: Vec::new(),
            published_by: PublishedBy::Mwpbench,
            train: false,
            from: None,
            force: false,
            patience: Patience::default(),
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
        let wanted = |source: &&Source| {
            source.published_by == self.published_by
                && (self.train || source.split == Split::Test)
                && (self.sets.is_empty() || source.sets.iter().any(|set| self.sets.contains(set)))
        };
        Ok(self.sources.iter().filter(wanted).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(change: impl FnOnce(&mut Order)) -> Vec<String> {
        let mut order = Order::new(PathBuf::new());
        change(&mut order);
        order
            .files()
            .unwrap()
            .into_iter()
            .map(|source| source.name.clone())
            .collect()
    }

    #[test]
    fn an_order_names_the_files_that_hold_its_sets() {
        assert_eq!(
            names(|_| ()),
            ["full_test.json", "fresh_gaokao_math_2023.json"]
        );
        assert_eq!(names(|order| order.train = true).len(), 3);
        assert_eq!(
            names(|order| order.sets = vec!["math23k".to_string()]),
            ["full_test.json"]
        );
        let of_publishers = names(|order| {
            order.published_by = PublishedBy::Publisher;
            order.sets = vec!["gsm8k".to_string(), "agieval_gaokao".to_string()];
        });
        let expected = [
            "native/gsm8k/test.jsonl",
            "native/agieval/gaokao-mathqa.jsonl",
            "native/agieval/gaokao-mathcloze.jsonl",
        ];
        assert_eq!(of_publishers, expected);
    }

    #[test]
    fn unknown_sets_and_sets_without_a_publisher_are_refused() {
        let mut order = Order::new(PathBuf::new());
        order.sets = vec!["gsm9k".to_string()];
        let text = order.files().unwrap_err().to_string();
        assert!(
            text.contains("\"gsm9k\"")
                && text.contains("agieval_gaokao, agieval_math, agieval_sat"),
            "{text}"
        );
        order.sets = vec!["math23k".to_string()];
        order.published_by = PublishedBy::Publisher;
        assert!(
            order
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
            Origin::Mirror("https://Example.org:8443/a/b".to_string())
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
