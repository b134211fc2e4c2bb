//! Names of repositories: `org/name`, `org/name@revision`, `hf://org/name@revision/file`.

use std::fmt;

const SCHEME: &str = "hf://";
/// The branch that a name without a revision means.
const MAIN: &str = "main";

/// A repository of the hub, a revision of it, and a file in it where one is named.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RepositoryName {
    kind: Kind,
    repository: String,
    revision: Option<String>,
    file: Option<String>,
}

/// What a repository is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Model,
    Dataset,
}

/// A name with `hf://` before it that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{given}\" is no name on the hub: {reason}")]
pub struct NameError {
    /// What was given.
    pub given: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl fault::Fault for NameError {
    fn class(&self) -> fault::Class {
        fault::Class::Usage
    }
}

impl RepositoryName {
    /// Reads a name. `None` for what is none by its look, such as a path.
    ///
    /// # Errors
    /// `hf://` with something behind it that is no name.
    pub fn parse(given: &str) -> Option<Result<Self, NameError>> {
        match given.strip_prefix(SCHEME) {
            Some(rest) => Some(Self::parse_address(rest).map_err(|reason| NameError {
                given: given.to_string(),
                reason,
            })),
            None => Self::parse_short(given).map(Ok),
        }
    }

    /// `org/name` or `org/name@revision`.
    fn parse_short(given: &str) -> Option<Self> {
        let (repository, revision) = match given.split_once('@') {
            Some((repository, revision)) => (repository, Some(revision)),
            None => (given, None),
        };
        let (owner, name) = repository.split_once('/')?;
        let is_name = is_part(owner) && is_part(name) && revision.is_none_or(is_revision);
        is_name.then(|| Self {
            kind: Kind::Model,
            repository: repository.to_string(),
            revision: revision.map(str::to_string),
            file: None,
        })
    }

    /// What stands behind `hf://`.
    fn parse_address(rest: &str) -> Result<Self, &'static str> {
        const FORM: &str = "it has the form hf://org/name@revision/file, of which revision and file may be left out";
        let (kind, rest) = match (rest.strip_prefix("datasets/"), rest.strip_prefix("models/")) {
            (Some(rest), _) => (Kind::Dataset, rest),
            (None, Some(rest)) => (Kind::Model, rest),
            (None, None) => (Kind::Model, rest),
        };
        let mut parts = rest.splitn(3, '/');
        let owner = parts.next().unwrap_or_default();
        let last = parts.next().ok_or(FORM)?;
        let file = parts.next().filter(|file| !file.is_empty());
        let (name, revision) = match last.split_once('@') {
            Some((name, revision)) => (name, Some(revision.replace("%2F", "/"))),
            None => (last, None),
        };
        if !is_part(owner) || !is_part(name) {
            return Err(FORM);
        }
        if revision
            .as_deref()
            .is_some_and(|revision| !is_revision(revision))
        {
            return Err("behind @ stands a branch, a tag or a commit, with %2F for a slash");
        }
        if file.is_some_and(|file| !is_safe_path(file)) {
            return Err("the file leads out of the repository");
        }
        Ok(Self {
            kind,
            repository: format!("{owner}/{name}"),
            revision,
            file: file.map(str::to_string),
        })
    }

    /// `org/name`.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// A branch, a tag or a commit.
    pub fn revision(&self) -> &str {
        self.revision.as_deref().unwrap_or(MAIN)
    }

    /// The commit, where the revision is one.
    pub(crate) fn commit(&self) -> Option<&str> {
        Some(self.revision()).filter(|revision| is_commit(revision))
    }

    /// The file that is named.
    pub fn file(&self) -> Option<&str> {
        self.file.as_deref()
    }

    /// Whether it is a repository of data.
    pub fn is_dataset(&self) -> bool {
        self.kind == Kind::Dataset
    }

    /// The path of its pages and files at the hub.
    pub(crate) fn page(&self) -> String {
        match self.kind {
            Kind::Model => self.repository.clone(),
            Kind::Dataset => format!("datasets/{}", self.repository),
        }
    }

    /// Its path in the hub's API.
    pub(crate) fn api(&self) -> String {
        match self.kind {
            Kind::Model => format!("api/models/{}", self.repository),
            Kind::Dataset => format!("api/datasets/{}", self.repository),
        }
    }

    /// Its folder in the cache.
    pub(crate) fn folder_name(&self) -> String {
        let kind = match self.kind {
            Kind::Model => "models",
            Kind::Dataset => "datasets",
        };
        format!("{kind}--{}", self.repository.replace('/', "--"))
    }
}

impl fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.page())?;
        match &self.revision {
            Some(revision) => write!(f, "@{revision}"),
            None => Ok(()),
        }
    }
}

/// Whether a text may be an owner or the name of a repository.
fn is_part(part: &str) -> bool {
    part.starts_with(|c: char| c.is_ascii_alphanumeric())
        && !part.contains("..")
        && !part.contains("--")
        && part
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
}

/// Whether a text may be a branch, a tag or a commit: it becomes a path in the cache.
fn is_revision(revision: &str) -> bool {
    is_safe_path(revision)
        && revision
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "._-/+".contains(c))
}

/// A commit's id, 40 hexadecimal digits.
pub(crate) fn is_commit(revision: &str) -> bool {
    revision.len() == 40
        && revision
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// Whether a path stays below the folder that it is put to, on every platform.
pub(crate) fn is_safe_path(path: &str) -> bool {
    !path.contains(['\\', ':', '\0'])
        && path
            .split('/')
            .all(|part| !part.is_empty() && part != "." && part != "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_paths() {
        for given in [
            "demo",
            "/models/x",
            "./models/x",
            "a/b/c",
            "../x",
            "models/",
            "a/..",
            "a/b@",
            "a/b@../x",
            "a//b",
        ] {
            assert_eq!(RepositoryName::parse(given), None, "{given}");
        }
        for (given, repository, revision, file) in [
            ("org/name", "org/name", "main", None),
            (
                "org/Name-7b_v1.5@refs/pr/3",
                "org/Name-7b_v1.5",
                "refs/pr/3",
                None,
            ),
            ("hf://org/name", "org/name", "main", None),
            ("hf://models/org/name@v1", "org/name", "v1", None),
            (
                "hf://org/name@refs%2Fpr%2F1/a/b.gguf",
                "org/name",
                "refs/pr/1",
                Some("a/b.gguf"),
            ),
        ] {
            let name = RepositoryName::parse(given).unwrap().unwrap();
            assert_eq!(
                (name.repository(), name.revision(), name.file()),
                (repository, revision, file),
                "{given}"
            );
            assert!(!name.is_dataset());
        }
        let data = RepositoryName::parse("hf://datasets/org/data/x.jsonl")
            .unwrap()
            .unwrap();
        assert_eq!(
            (data.is_dataset(), data.folder_name().as_str()),
            (true, "datasets--org--data")
        );
    }

    #[test]
    fn addresses_that_are_no_names_are_refused() {
        for given in [
            "hf://",
            "hf://name",
            "hf://org/name/../../etc",
            "hf://org/name@a b",
            "hf://../x",
            "hf://org/na me",
        ] {
            assert!(RepositoryName::parse(given).unwrap().is_err(), "{given}");
        }
    }
}
