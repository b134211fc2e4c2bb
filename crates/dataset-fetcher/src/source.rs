//! `sources.toml`: where data are published.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::digest::Digests;

/// Who published a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PublishedBy {
    /// The authors of the benchmark: records that are ready to use.
    Mwpbench,
    /// A set's own publisher: files in a form of their own.
    Publisher,
}

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// Problems to be asked.
    Test,
    /// Problems to train on.
    Train,
}

/// One published file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Who published it.
    pub published_by: PublishedBy,
    /// Where it lies below the data folder, with `/` between folders.
    pub name: String,
    /// The sets that it holds problems of.
    pub sets: Vec<String>,
    /// What it is for.
    pub split: Split,
    /// `owner/name` on GitHub.
    pub repository: Option<String>,
    /// Commit or branch of the repository.
    pub revision: Option<String>,
    /// Path in the repository.
    pub path: Option<String>,
    /// Its address, where it is not in a repository.
    pub url: Option<String>,
    /// Its git blob id, where known.
    pub git_blob: Option<String>,
    /// Its SHA-256, where known.
    pub sha256: Option<String>,
    /// Its size, where known.
    pub bytes: Option<u64>,
    /// Its license, as its publisher states it.
    pub license: String,
    /// The folder beside it that it unpacks into, where it is a tar archive.
    pub unpack: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    file: Vec<Source>,
    absent: Vec<Absent>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Absent {
    set: String,
    reason: String,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    toml::from_str(include_str!("../sources.toml")).expect("the embedded table is well-formed")
});

/// All published files that we know, in the order in which they are fetched.
pub fn sources() -> &'static [Source] {
    &TABLE.file
}

/// All sets, and why nothing can be fetched of some from their publishers.
pub(crate) fn sets() -> BTreeMap<&'static str, Option<&'static str>> {
    let named = TABLE
        .file
        .iter()
        .flat_map(|source| &source.sets)
        .map(|set| (set.as_str(), None));
    let absent = TABLE
        .absent
        .iter()
        .map(|absent| (absent.set.as_str(), Some(absent.reason.as_str())));
    named.chain(absent).collect()
}

impl Source {
    /// Its address at its publisher.
    pub fn url(&self) -> String {
        match (&self.url, &self.repository, &self.revision, &self.path) {
            (Some(url), ..) => url.clone(),
            (None, Some(repository), Some(revision), Some(path)) => {
                format!("https://raw.githubusercontent.com/{repository}/{revision}/{path}")
            }
            _ => unreachable!(
                "each file of the table has an address or a place in a repository: tested"
            ),
        }
    }

    /// Whether its content is known beforehand.
    pub fn is_pinned(&self) -> bool {
        self.git_blob.is_some() || self.sha256.is_some()
    }

    /// What is wrong with a content: the id expected and the id found. `None` where nothing is, or
    /// where no id is known.
    pub(crate) fn mismatch(&self, digests: &Digests) -> Option<(String, String)> {
        let ids = [
            ("git blob", self.git_blob.as_ref(), &digests.git_blob),
            ("SHA-256", self.sha256.as_ref(), &digests.sha256),
        ];
        let wrong = |(kind, expected, found): (&str, Option<&String>, &String)| match expected {
            Some(expected) if expected != found => {
                Some((format!("{kind} {expected}"), format!("{kind} {found}")))
            }
            _ => None,
        };
        ids.into_iter().find_map(wrong)
    }

    /// What keeps the entry from being used.
    #[cfg(test)]
    fn fault(&self) -> Option<&'static str> {
        use crate::digest::is_digest;
        use crate::names::is_safe;
        let in_repository =
            self.repository.is_some() && self.revision.is_some() && self.path.is_some();
        let anywhere_in_one =
            self.repository.is_some() || self.revision.is_some() || self.path.is_some();
        let is_id =
            |id: &Option<String>, digits| id.as_ref().is_none_or(|id| is_digest(id, digits));
        let plain = |text: &str| {
            text.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-._~/:".contains(&byte))
        };
        match () {
            () if self.url.is_some() == in_repository || self.url.is_some() && anywhere_in_one => {
                Some("address")
            }
            () if !plain(&self.url()) || !self.url().starts_with("https://") => {
                Some("address must need no escape")
            }
            () if !is_safe(&self.name) || !plain(&self.name) => Some("name"),
            () if !is_id(&self.git_blob, 40) || !is_id(&self.sha256, 64) => Some("id"),
            () if self.sets.is_empty() || self.license.is_empty() => Some("sets and license"),
            () if self.unpack.is_some() && !self.name.ends_with(".tar") => {
                Some("only tar archives are unpacked")
            }
            () if self.unpack.iter().any(|name| !is_safe(name)) => Some("folder"),
            () => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_holds_usable_entries_with_names_of_their_own() {
        let mut names = std::collections::BTreeSet::new();
        for source in sources() {
            assert_eq!(source.fault(), None, "{}", source.name);
            assert!(names.insert(&source.name), "{} twice", source.name);
            let native = source.name.starts_with("native/");
            assert_eq!(
                native,
                source.published_by == PublishedBy::Publisher,
                "{}",
                source.name
            );
        }
        assert_eq!(sets().len(), 24);
    }

    #[test]
    fn each_set_has_a_publisher_or_a_reason_why_not() {
        for (set, reason) in sets() {
            let of_publisher = sources().iter().any(|source| {
                source.published_by == PublishedBy::Publisher
                    && source.sets.iter().any(|name| name == set)
            });
            assert_eq!(of_publisher, reason.is_none(), "{set}");
        }
    }

    #[test]
    fn faults_are_found() {
        let good = sources()[0].clone();
        let spoil = |change: fn(&mut Source)| {
            let mut source = good.clone();
            change(&mut source);
            source.fault()
        };
        assert_eq!(spoil(|_| ()), None);
        assert!(spoil(|source| source.name = "../full_test.json".to_string()).is_some());
        assert!(spoil(|source| source.git_blob = Some("1BA6".to_string())).is_some());
        assert!(spoil(|source| source.path = Some("a file.json".to_string())).is_some());
        assert!(spoil(|source| source.url = Some("https://example.org/x".to_string())).is_some());
        assert!(spoil(|source| source.unpack = Some("x".to_string())).is_some());
    }
}
