//! What can go wrong.

use std::path::{Path, PathBuf};

use fault::{Class, Fault};

/// Why the hub refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such repository, or it is not shown to us.
    NoRepository,
    /// The repository is not given to everyone.
    Gated,
    /// The repository has no such branch, tag or commit.
    NoRevision,
    /// The token is not valid.
    Token,
    /// Anything else.
    Other,
}

/// Why a repository could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An address of the hub that is none.
    #[error(
        "the variable HF_ENDPOINT of the environment: \"{given}\" is no address of a hub, such as https://hub.example.org"
    )]
    BadEndpoint {
        /// What was given, without a password.
        given: String,
    },
    /// A token that no header can hold.
    #[error("the token of {source_name} has a blank or a sign in it that no token has")]
    BadToken {
        /// The variable or the file.
        source_name: String,
    },
    /// There is no place for the cache.
    #[error("this system names no home directory for the hub's cache")]
    NoCacheFolder,
    /// A variable of the environment says something that cannot be used, or, without a variable, no
    /// HTTP client can be set up.
    #[error("{}{reason}", variable.map(|name| format!("the variable {name} of the environment: ")).unwrap_or_default())]
    Environment {
        /// Name of the variable.
        variable: Option<&'static str>,
        /// What is wrong.
        reason: String,
    },
    /// The hub refused.
    #[error("{}", refused(name, *refusal, status, token.as_deref()))]
    Refused {
        /// The repository, with its revision where one was given.
        name: String,
        /// Address of the repository's page.
        page: String,
        /// Why.
        refusal: Refusal,
        /// The status, with what the server says.
        status: String,
        /// Where the token is from that was sent.
        token: Option<String>,
    },
    /// No whole answer after all attempts.
    #[error("{url}: given up after {attempts} attempts: {reason}")]
    Unreachable {
        /// The address.
        url: String,
        /// How often it was tried.
        attempts: u32,
        /// What happened the last time.
        reason: String,
        /// What is kept of the file for the next attempt, in bytes.
        kept: u64,
    },
    /// The server's certificate is not trusted, or TLS failed otherwise.
    #[error("{url}: no trusted connection: {reason}")]
    Tls {
        /// The address.
        url: String,
        /// What TLS says.
        reason: String,
    },
    /// An answer that cannot be used.
    #[error("{url}: {reason}")]
    Answer {
        /// The address.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Nothing may be requested, and the cache lacks something.
    #[error("{name} is not whole in the cache {}{}, and the environment forbids to ask the hub", cache.display(), lacking(lacks))]
    NotCached {
        /// The repository.
        name: String,
        /// The cache.
        cache: PathBuf,
        /// What it lacks; empty where nothing is there.
        lacks: String,
    },
    /// The repository has no weights that could be read.
    #[error(
        "{name} has no weights as safetensors, only {found}, which can run code and is not downloaded"
    )]
    NoSafetensors {
        /// The repository.
        name: String,
        /// A file that it has instead.
        found: String,
    },
    /// The repository has GGUF files alone.
    #[error("{name} holds GGUF files: {files}")]
    NameTheFile {
        /// The repository.
        name: String,
        /// Some of them.
        files: String,
        /// The first one.
        first: String,
    },
    /// The repository holds something else.
    #[error("{name} holds no {wanted}: it has no {lacks}")]
    Lacks {
        /// The repository.
        name: String,
        /// What was wanted, such as `checkpoint`.
        wanted: &'static str,
        /// The file that it lacks.
        lacks: String,
    },
    /// The repository holds an adapter and no checkpoint.
    #[error("{name} holds an adapter without its base model")]
    IsAdapter {
        /// The repository.
        name: String,
    },
    /// A file has another content than the hub says.
    #[error(
        "{file} of {name} was downloaded twice with another content than the hub says ({expected}, not {found})"
    )]
    WrongContent {
        /// The file.
        file: String,
        /// The repository.
        name: String,
        /// The checksum that the hub gives.
        expected: String,
        /// That of what came.
        found: String,
    },
    /// The disk is full.
    #[error("the disk is full: {file} needs {missing} bytes more in {}", folder.display())]
    DiskFull {
        /// The file that was downloaded.
        file: String,
        /// Where to.
        folder: PathBuf,
        /// Bytes that it still lacks.
        missing: u64,
    },
    /// The cache cannot be read or written.
    #[error("{}: cannot be {verb}: {source}", path.display())]
    Cache {
        /// The file or folder.
        path: PathBuf,
        /// `read` or `written`.
        verb: &'static str,
        /// Why not.
        source: std::io::Error,
    },
}

fn refused(name: &str, refusal: Refusal, status: &str, token: Option<&str>) -> String {
    match (refusal, token) {
        (Refusal::NoRepository, None) => {
            format!("the hub knows no repository {name}, or shows it only to those it knows")
        }
        (Refusal::NoRepository, Some(token)) => format!(
            "the hub knows no repository {name}, or does not show it to the owner of the token of {token}"
        ),
        (Refusal::Gated, None) => format!(
            "{name} is gated: it is given to those who have accepted its terms, and no token says who asks"
        ),
        (Refusal::Gated, Some(token)) => format!(
            "{name} is gated, and the owner of the token of {token} has not been granted access"
        ),
        (Refusal::NoRevision, _) => {
            format!("{name}: the repository has no such branch, tag or commit")
        }
        (Refusal::Token, token) => format!(
            "the hub does not accept the token of {}",
            token.unwrap_or("HF_TOKEN")
        ),
        (Refusal::Other, _) => format!("the hub does not give {name}: it answered {status}"),
    }
}

fn lacking(lacks: &str) -> String {
    match lacks {
        "" => String::new(),
        lacks => format!(" (it lacks {lacks})"),
    }
}

impl Fault for Error {
    fn class(&self) -> Class {
        match self {
            Self::BadEndpoint { .. }
            | Self::BadToken { .. }
            | Self::NoCacheFolder
            | Self::Environment { .. }
            | Self::Refused { .. }
            | Self::NoSafetensors { .. }
            | Self::NameTheFile { .. }
            | Self::Lacks { .. }
            | Self::IsAdapter { .. }
            | Self::NotCached { .. } => Class::Usage,
            Self::Unreachable { .. } => Class::Incomplete,
            Self::DiskFull { .. } => Class::Io,
            Self::Cache { source, .. } => Class::of_writing(source),
            Self::Tls { .. } | Self::Answer { .. } | Self::WrongContent { .. } => Class::Integrity,
        }
    }
}

impl Error {
    pub(crate) fn reading(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        Self::of_cache(path, "read")
    }

    pub(crate) fn writing(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        Self::of_cache(path, "written")
    }

    fn of_cache(path: &Path, verb: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Cache { path, verb, source }
    }
}
